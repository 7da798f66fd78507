/* SPDX-License-Identifier: Apache-2.0
 *
 * What is particular to a local etcd member (kubeadm: phases/etcd/local.go, util/staticpod/utils.go).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/component.h"
#include "phase/images.h"

#define CLIENT_PORT 2379
#define PEER_PORT 2380
#define METRICS_PORT 2381

/* Where the probes go: the first URL of the user's listen-metrics-urls, as far as it can be read. */
static void set_probe(const struct phase *phase, struct template_variables *variables)
{
        const struct config_arg *urls =
                config_args_last(&phase->config->cluster.etcd.local.extra_args, "listen-metrics-urls");
        const char *host = component_localhost(phase), *scheme = "HTTP";
        struct url url CLEANUP_URL = {0};
        int port = METRICS_PORT, given;

        if (urls) {
                char *first CLEANUP_FREE = xstrndup(urls->value, strcspn(urls->value, ","));
                if (url_parse(first, &url, NULL) == 0) {
                        scheme = str_eq(url.scheme, "https") ? "HTTPS" : "HTTP";
                        host = *url.host ? url.host : host;
                        if (port_parse(url.port, &given) == 0)
                                port = given;
                }
        }
        const struct value_place *place = urls ? &urls->place : NULL;
        template_set_text(variables, "probeHost", host, place);
        template_set_number(variables, "probePort", port, place);
        template_set_text(variables, "probeScheme", scheme, place);
}

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        const struct config_init *init = &phase->config->init;
        const struct config_etcd_local *local = &phase->config->cluster.etcd.local;
        const char *address = init->local_api_endpoint.advertise_address.text, *localhost = component_localhost(phase);
        const struct value_place *advertised = &init->local_api_endpoint.advertise_address.place;
        char *image CLEANUP_FREE = image_etcd(phase);

        component_set_url(variables, "clientURL", "https", address, CLIENT_PORT, advertised);
        component_set_url(variables, "peerURL", "https", address, PEER_PORT, advertised);
        component_set_url(variables, "localClientURL", "https", localhost, CLIENT_PORT, NULL);
        component_set_url(variables, "localMetricsURL", "http", localhost, METRICS_PORT, NULL);
        template_set_text(variables, "nodeName", init->node_registration.name.text,
                          &init->node_registration.name.place);
        template_set_text(variables, "dataDir", local->data_dir.text, &local->data_dir.place);
        const struct value_place image_place = image_etcd_place(phase);
        template_set_text(variables, "image", image, &image_place);
        set_probe(phase, variables);
}

static struct config_component settings(const struct phase *phase)
{
        const struct config_etcd_local *local = &phase->config->cluster.etcd.local;

        return (struct config_component){.extra_args = local->extra_args, .extra_envs = local->extra_envs};
}

const struct component component_etcd = {
        .name = "etcd",
        .phase = "etcd/local",
        .variables = set_variables,
        .settings = settings,
        .kubeadm_pod = true,
        .etcd_rows = true,
        .own_image = true,
};
