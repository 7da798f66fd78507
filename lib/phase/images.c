/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "phase/images.h"
#include "phase/kubernetes_version.h"

char *image_component(const struct phase *phase, const char *component)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        char *tag CLEANUP_FREE = kubernetes_version_tag(cluster->kubernetes_version.text);

        const char *repository =
                *cluster->ci_image_repository.text ? cluster->ci_image_repository.text : cluster->image_repository.text;

        if (cluster->use_hyper_kube_image.value && era_flag(phase->era, "images", "hyperkube"))
                component = "hyperkube";
        return xasprintf("%s/%s:%s", repository, component, tag);
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

char *image_coredns(const struct phase *phase)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const char *repository = *cluster->dns.image_repository.text ? cluster->dns.image_repository.text
                                                                     : cluster->image_repository.text;
        const char *tag = *cluster->dns.image_tag.text ? cluster->dns.image_tag.text
                                                       : era_text(phase->era, "images", "coredns", "");
        bool standard = str_eq(repository, era_text(phase->era, "config", "imageRepository", ""));

        return xasprintf("%s%s/coredns:%s", repository,
                         standard ? era_text(phase->era, "images", "corednsDirectory", "") : "", tag);
}

static char *image_by_name(const struct phase *phase, const char *name)
{
        const struct config_cluster *cluster = &phase->config->cluster;

        if (str_eq(name, "etcd"))
                return cluster->etcd.local.set ? image_etcd(phase) : NULL;
        if (str_eq(name, "pause"))
                return image_pause(phase);
        if (str_eq(name, "coredns"))
                return cluster->dns.disabled.value ? NULL : image_coredns(phase);
        if (str_eq(name, "kube-proxy") && cluster->proxy_disabled.value)
                return NULL;
        return image_component(phase, name);
}

void images_list(const struct phase *phase, struct strv *ret)
{
        const struct value *order = era_value(phase->era, "images", "order");

        for (size_t i = 0; value_is(order, VALUE_LIST) && i < order->list.count; i++) {
                char *image = image_by_name(phase, value_string(order->list.items[i], ""));
                if (image)
                        strv_take(ret, image);
        }
}
