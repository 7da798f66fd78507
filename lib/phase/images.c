/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "phase/images.h"
#include "phase/kubernetes_version.h"

#define HYPERKUBE "hyperkube"
#define HYPERKUBE_NOTE                                                                                               \
        " The \"useHyperKubeImage\" field will be removed from future kubeadm config versions and possibly ignored " \
        "in "                                                                                                        \
        "future releases."

static bool is_hyperkube(const struct phase *phase)
{
        return phase->config->cluster.use_hyper_kube_image.value && era_flag(phase->era, "images", "hyperkube");
}

static char *component_image(const struct phase *phase, const char *component)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        char *tag CLEANUP_FREE = kubernetes_version_tag(cluster->kubernetes_version.text);
        const char *repository =
                *cluster->ci_image_repository.text ? cluster->ci_image_repository.text : cluster->image_repository.text;

        return xasprintf("%s/%s:%s", repository, component, tag);
}

char *image_component(const struct phase *phase, const char *component)
{
        if (!is_hyperkube(phase))
                return component_image(phase, component);
        phase_warn(phase, "WARNING: DEPRECATED use of the \"hyperkube\" image in place of \"%s\"." HYPERKUBE_NOTE,
                   component);
        return component_image(phase, HYPERKUBE);
}

/* The tag for the Kubernetes minor; outside of the table that of its nearest end. */
static const struct value *etcd_tag_of_minor(const struct phase *phase, int minor)
{
        const struct value *table = era_value(phase->era, "images", "etcd"), *nearest = NULL;
        int best = 0;

        for (size_t i = 0; value_is(table, VALUE_MAP) && i < table->map.count; i++) {
                int key;

                if (str_to_int(table->map.entries[i].key, 0, 10000, &key) < 0)
                        continue;
                int distance = key > minor ? key - minor : minor - key;
                if (!nearest || distance < best) {
                        nearest = table->map.entries[i].value;
                        best = distance;
                }
        }
        if (best > 0)
                phase_detail(phase, 1,
                             "WARNING: could not find officially supported version of etcd for Kubernetes %s, falling "
                             "back to the nearest etcd version (%s)",
                             phase->config->cluster.kubernetes_version.text, value_string(nearest, ""));
        return nearest;
}

const char *image_etcd_tag(const struct phase *phase)
{
        const struct config_cluster *cluster = &phase->config->cluster;

        if (cluster->etcd.local.set && *cluster->etcd.local.image_tag.text)
                return cluster->etcd.local.image_tag.text;
        return value_string(etcd_tag_of_minor(phase, kubernetes_version_minor(cluster->kubernetes_version.text)), "");
}

char *image_etcd(const struct phase *phase)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const char *repository = cluster->image_repository.text;

        if (cluster->etcd.local.set && *cluster->etcd.local.image_repository.text)
                repository = cluster->etcd.local.image_repository.text;
        return xasprintf("%s/etcd:%s", repository, image_etcd_tag(phase));
}

/* What a person wrote comes first, and the other half of the image beside it. */
static struct value_place two_places(const struct value_place *repository, const struct value_place *tag)
{
        bool tag_first = (tag->file || tag->origin) && !str_eq(tag->origin, "default");
        struct value_place place = tag_first ? *tag : *repository;

        place.also = tag_first ? repository : tag;
        return place;
}

struct value_place image_component_place(const struct phase *phase)
{
        const struct config_cluster *cluster = &phase->config->cluster;

        return two_places(&cluster->image_repository.place, &cluster->kubernetes_version.place);
}

struct value_place image_etcd_place(const struct phase *phase)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const struct config_etcd_local *local = &cluster->etcd.local;
        const struct value *row = etcd_tag_of_minor(phase, kubernetes_version_minor(cluster->kubernetes_version.text));
        const struct value_place *repository = &cluster->image_repository.place, *tag = &local->image_tag.place;

        if (local->set && *local->image_repository.text)
                repository = &local->image_repository.place;
        if (row && (!local->set || !*local->image_tag.text))
                tag = &row->place;
        return two_places(repository, tag);
}

char *image_pause(const struct phase *phase)
{
        return xasprintf("%s/pause:%s", phase->config->cluster.image_repository.text,
                         era_text(phase->era, "images", "pause", ""));
}

static char *image_dns(const struct phase *phase, const char *directory, const char *name)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const char *repository = *cluster->dns.image_repository.text ? cluster->dns.image_repository.text
                                                                     : cluster->image_repository.text;
        const char *tag = cluster->dns.image_tag.text;

        if (!*tag && str_eq(cluster->dns.type.text, "kube-dns"))
                tag = era_text(phase->era, "images", "kubeDNS", "");
        if (!*tag)
                tag = era_text(phase->era, "images", "coredns", "");
        bool below = str_eq(repository, era_text(phase->era, "config", "imageRepository", "")) ||
                     era_flag(phase->era, "images", "corednsEverywhere");
        return xasprintf("%s%s/%s:%s", repository, below ? directory : "", name, tag);
}

char *image_coredns(const struct phase *phase)
{
        return image_dns(phase, era_text(phase->era, "images", "corednsDirectory", ""), "coredns");
}

/* Those of v1beta2's dns.type: CoreDNS, or what the era has for any other word. */
static void add_dns(const struct phase *phase, struct strv *ret)
{
        const struct config_dns *dns = &phase->config->cluster.dns;
        const struct value *others = era_value(phase->era, "images", "otherDNS");

        if (dns->disabled.value)
                return;
        if (!*dns->type.text || str_eq(dns->type.text, "CoreDNS")) {
                strv_take(ret, image_coredns(phase));
                return;
        }
        for (size_t i = 0; value_is(others, VALUE_LIST) && i < others->list.count; i++)
                strv_take(ret, image_dns(phase, "", value_string(others->list.items[i], "")));
}

/* The control plane and kube-proxy have one image then. */
static void add_hyperkube(const struct phase *phase, const char *image, struct strv *ret)
{
        if (strv_contains(ret, image))
                return;
        phase_warn(
                phase,
                "WARNING: DEPRECATED use of the \"hyperkube\" image for the Kubernetes control plane." HYPERKUBE_NOTE);
        strv_add(ret, image);
}

static void add_named(const struct phase *phase, const char *name, struct strv *ret)
{
        const struct config_cluster *cluster = &phase->config->cluster;

        if (str_eq(name, "coredns")) {
                add_dns(phase, ret);
        } else if (str_eq(name, "etcd")) {
                if (cluster->etcd.local.set)
                        strv_take(ret, image_etcd(phase));
        } else if (str_eq(name, "pause")) {
                strv_take(ret, image_pause(phase));
        } else if (is_hyperkube(phase)) {
                char *image CLEANUP_FREE = component_image(phase, HYPERKUBE);
                add_hyperkube(phase, image, ret);
        } else if (!str_eq(name, "kube-proxy") || !cluster->proxy_disabled.value) {
                strv_take(ret, image_component(phase, name));
        }
}

void images_list(const struct phase *phase, struct strv *ret)
{
        const struct value *order = era_value(phase->era, "images", "order");

        for (size_t i = 0; value_is(order, VALUE_LIST) && i < order->list.count; i++)
                add_named(phase, value_string(order->list.items[i], ""), ret);
}
