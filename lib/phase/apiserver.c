/* SPDX-License-Identifier: Apache-2.0
 *
 * What is particular to kube-apiserver (kubeadm: phases/controlplane/manifests.go, volumes.go).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "phase/address.h"
#include "phase/component.h"

static void set_external_etcd(const struct config_etcd_external *etcd, struct template_variables *variables)
{
        struct strv endpoints CLEANUP_STRV = STRV_INIT;
        bool pair = *etcd->cert_file.text && *etcd->key_file.text;

        for (size_t i = 0; i < etcd->endpoints.count; i++)
                strv_add(&endpoints, etcd->endpoints.items[i].text);
        char *servers CLEANUP_FREE = strv_join(&endpoints, ",");
        template_set_text(variables, "etcdServers", servers, &etcd->endpoints.place);
        template_set_text(variables, "etcdCA", *etcd->ca_file.text ? etcd->ca_file.text : NULL, &etcd->ca_file.place);
        template_set_text(variables, "etcdCert", pair ? etcd->cert_file.text : NULL, &etcd->cert_file.place);
        template_set_text(variables, "etcdKey", pair ? etcd->key_file.text : NULL, &etcd->key_file.place);
}

static void set_local_etcd(const struct phase *phase, struct template_variables *variables)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const struct config_arg *urls = config_args_last(&cluster->etcd.local.extra_args, "advertise-client-urls");
        static const struct {
                const char *variable, *file;
        } files[] = {
                {"etcdCA", "etcd/ca.crt"},
                {"etcdCert", "apiserver-etcd-client.crt"},
                {"etcdKey", "apiserver-etcd-client.key"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                char *path CLEANUP_FREE = config_certificate_path(phase->config, files[i].file);
                template_set_text(variables, files[i].variable, path, &cluster->certificates_dir.place);
        }
        component_set_url(variables, "etcdServers", "https", component_localhost(phase), 2379, NULL);
        if (urls)
                template_set_text(variables, "etcdServers", urls->value, &urls->place);
}

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const struct config_endpoint *endpoint = &phase->config->init.local_api_endpoint;
        const char *address = endpoint->advertise_address.text;
        bool any = str_eq(address, "0.0.0.0") || str_eq(address, "::");
        bool configured = config_args_last(&cluster->api_server.component.extra_args, "authorization-config") &&
                          era_flag(phase->era, "kube-apiserver", "authorizationConfig");
        char port[16];

        (void)snprintf(port, sizeof(port), "%d", (int)endpoint->bind_port.value);
        char *joined CLEANUP_FREE = hostport_join(address, port);
        template_set_text(variables, "endpoint", joined, &endpoint->advertise_address.place);
        template_set_text(variables, "probeHost", any ? NULL : address, &endpoint->advertise_address.place);
        template_set_number(variables, "probePort", endpoint->bind_port.value, &endpoint->bind_port.place);
        template_set_text(variables, "dnsDomain", cluster->networking.dns_domain.text,
                          &cluster->networking.dns_domain.place);
        template_set_text(variables, "authorizationMode", configured ? NULL : "Node,RBAC", NULL);
        if (cluster->etcd.external.set)
                set_external_etcd(&cluster->etcd.external, variables);
        else
                set_local_etcd(phase, variables);
}

static bool already_mounted(const struct phase *phase, const char *dir)
{
        const struct value *ca = era_value(phase->era, "certificate-authorities", "directories");

        /* String prefixes, not path prefixes: as kubeadm. */
        for (size_t i = 0; value_is(ca, VALUE_LIST) && i < ca->list.count; i++)
                if (str_starts(dir, value_string(ca->list.items[i], "")))
                        return true;
        return strcmp(dir, ".") == 0 || str_starts(dir, "/etc/ssl/certs") ||
               str_starts(dir, phase->config->cluster.certificates_dir.text);
}

/* Adds dir to the sorted list unless one of it holds it; takes out those that it holds. */
static void add_directory(struct strv *dirs, const char *dir)
{
        bool held = false;

        for (size_t i = 0; i < dirs->len;) {
                if (str_starts(dirs->items[i], dir)) {
                        strv_remove(dirs, i);
                        continue;
                }
                held |= str_starts(dir, dirs->items[i]);
                i++;
        }
        if (!held)
                strv_add(dirs, dir);
        strv_sort(dirs);
}

static void add_etcd_directories(const struct phase *phase, struct value *pod)
{
        const struct config_etcd_external *etcd = &phase->config->cluster.etcd.external;
        const struct config_text *files[] = {&etcd->ca_file, &etcd->cert_file, &etcd->key_file};
        struct strv dirs CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                /* filepath.Dir cleans what is before the last slash */
                char *raw CLEANUP_FREE = file_dirname(files[i]->text), *dir CLEANUP_FREE = file_clean(raw);
                if (!already_mounted(phase, dir))
                        add_directory(&dirs, dir);
        }
        for (size_t i = 0; i < dirs.len; i++) {
                char *name CLEANUP_FREE = xasprintf("etcd-certs-%zu", i);
                component_add_volume(pod, name, dirs.items[i], dirs.items[i], "DirectoryOrCreate", true, &etcd->place);
        }
}

static void add_volumes(const struct phase *phase, struct value *pod)
{
        if (phase->config->cluster.etcd.external.set)
                add_etcd_directories(phase, pod);
        component_add_ca_directories(phase, pod);
}

static struct config_component settings(const struct phase *phase)
{
        return phase->config->cluster.api_server.component;
}

const struct component component_apiserver = {
        .name = "kube-apiserver",
        .phase = "control-plane/apiserver",
        .variables = set_variables,
        .settings = settings,
        .kubeadm_pod = true,
        .volumes = add_volumes,
        .proxies = true,
        .sorted_volumes = true,
};
