/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "phase/config_default.h"
#include "phase/cri_socket.h"
#include "phase/kubernetes_version.h"
#include "phase/phase.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

static const struct value_place default_place = {.origin = "default"};
static const struct value_place host_place = {.origin = "host"};

static void default_text(struct config_text *t, const char *text)
{
        if (!*t->text)
                *t = (struct config_text){text, default_place};
}

/* A default that a row gives. */
static void default_from_row(struct config_text *t, const struct era *era, const char *path)
{
        const struct value *row = era_value(era, "config", path);

        default_text(t, value_string(row, ""));
        if (row && t->place.origin == default_place.origin)
                t->place = row->place;
}

static void default_duration(struct config_duration *d, int64_t nsec)
{
        if (!d->set)
                *d = (struct config_duration){nsec, true, default_place};
}

static void default_texts(struct phase_config *config, struct config_texts *t, const char *const *items, size_t count)
{
        if (t->count > 0)
                return;
        *t = (struct config_texts){config_alloc(config, count, sizeof(*t->items)), count, t->set, default_place};
        for (size_t i = 0; i < count; i++)
                t->items[i] = (struct config_text){items[i], default_place};
}

static void default_tokens(struct phase_config *config)
{
        static const char *const usages[] = {"signing", "authentication"};
        static const char *const groups[] = {"system:bootstrappers:kubeadm:default-node-token"};
        struct config_tokens *tokens = &config->init.bootstrap_tokens;

        if (tokens->count == 0) {
                tokens->items = config_alloc(config, 1, sizeof(*tokens->items));
                tokens->items[0].place = default_place;
                tokens->items[0].token.text = "";
                tokens->items[0].description.text = "";
                tokens->items[0].expires.text = "";
                tokens->count = 1;
        }
        for (size_t i = 0; i < tokens->count; i++) {
                default_duration(&tokens->items[i].ttl, 24 * HOUR);
                default_texts(config, &tokens->items[i].usages, usages, ARRAY_SIZE(usages));
                default_texts(config, &tokens->items[i].groups, groups, ARRAY_SIZE(groups));
        }
}

static void default_timeouts(struct phase_config *config, const struct era *era)
{
        struct config_timeouts *t = &config->init.timeouts;
        const struct config_duration *old = &config->cluster.api_server.timeout_for_control_plane;

        const char *rule = era_text(era, "config", "timeoutForControlPlane", "");

        /* The field of the API versions before v1beta4. */
        if (old->set && old->nsec != 4 * MINUTE && (str_eq(rule, "any") || (str_eq(rule, "nonzero") && old->nsec != 0)))
                t->control_plane_component_health_check = *old;
        default_duration(&t->control_plane_component_health_check, 4 * MINUTE);
        default_duration(&t->kubelet_health_check, 4 * MINUTE);
        default_duration(&t->kubernetes_api_call, 1 * MINUTE);
        default_duration(&t->etcd_api_call, 2 * MINUTE);
        default_duration(&t->tls_bootstrap, 5 * MINUTE);
        default_duration(&t->discovery, 5 * MINUTE);
        default_duration(&t->upgrade_manifests, 5 * MINUTE);
}

static void default_init(struct phase_config *config, const struct era *era)
{
        struct config_init *init = &config->init;

        default_tokens(config);
        if (init->local_api_endpoint.bind_port.value == 0)
                init->local_api_endpoint.bind_port = (struct config_number){6443, default_place};
        default_text(&init->node_registration.image_pull_policy, "IfNotPresent");
        if (!init->node_registration.image_pull_serial.set)
                init->node_registration.image_pull_serial = (struct config_bool){true, true, default_place};
        default_timeouts(config, era);
}

static void default_etcd(struct config_etcd *etcd)
{
        if (!etcd->local.set && !etcd->external.set) {
                etcd->local.set = true;
                etcd->local.place = default_place;
        }
        if (etcd->local.set)
                default_text(&etcd->local.data_dir, "/var/lib/etcd");
        if (etcd->external.set && etcd->external.http_endpoints.count == 0)
                etcd->external.http_endpoints = etcd->external.endpoints;
}

void config_default_static(struct phase_config *config, const struct era *era)
{
        struct config_cluster *cluster = &config->cluster;

        default_init(config, era);
        default_text(&cluster->kubernetes_version, "stable-1");
        default_text(&cluster->networking.service_subnet, "10.96.0.0/12");
        default_text(&cluster->networking.dns_domain, "cluster.local");
        default_text(&cluster->certificates_dir, "/etc/kubernetes/pki");
        default_from_row(&cluster->image_repository, era, "imageRepository");
        default_text(&cluster->cluster_name, "kubernetes");
        default_from_row(&cluster->encryption_algorithm, era, "encryptionAlgorithm");
        default_duration(&cluster->certificate_validity_period, 365 * 24 * HOUR);
        default_duration(&cluster->ca_certificate_validity_period, 10 * 365 * 24 * HOUR);
        default_etcd(&cluster->etcd);
}

/* nodeutil.GetHostname: trimmed and lower-cased, whether given or the host's own. */
static int default_node_name(struct phase_config *config, const struct host *host, struct err *err)
{
        struct config_text *name = &config->init.node_registration.name;
        char *text CLEANUP_FREE = NULL;
        const char *start;

        if (*name->text) {
                text = xstrdup(name->text);
        } else {
                int r = host->name(host->userdata, &text, err);
                if (r < 0)
                        return r;
                name->place = host_place;
        }
        for (start = text; isspace((unsigned char)*start); start++)
                ;
        size_t len = strlen(start);
        while (len > 0 && isspace((unsigned char)start[len - 1]))
                len--;
        if (len == 0)
                return err_set(err, ERR_INVALID, "empty hostname is invalid");
        char *clean = xstrndup(start, len);
        str_lower(clean);
        name->text = config_keep(config, clean);
        return 0;
}

static int default_cri_socket(const struct phase *phase, struct config_problems *problems, struct err *err)
{
        struct config_text *socket = &phase->config->init.node_registration.cri_socket;
        const char *text;
        int r = cri_socket_choose(phase, socket->text, &socket->place, problems, &text, err);

        if (r < 0)
                return r;
        *socket = (struct config_text){text, r > 0 ? host_place : socket->place};
        return 0;
}

static void default_taints(struct phase_config *config, const struct era *era)
{
        struct config_node_registration *node = &config->init.node_registration;
        const struct value *keys = era_value(era, "config", "taints");

        if (!node->taints.set && value_is(keys, VALUE_LIST)) {
                node->taints.items = config_alloc(config, keys->list.count, sizeof(*node->taints.items));
                node->taints.count = keys->list.count;
                node->taints.place = default_place;
                for (size_t i = 0; i < keys->list.count; i++)
                        node->taints.items[i] = (struct config_taint){
                                .key = {value_string(keys->list.items[i], ""), default_place},
                                .value = {"", default_place},
                                .effect = {"NoSchedule", default_place},
                                .place = default_place,
                        };
        }
}

static void set_address(struct phase_config *config, const struct ip_address *ip, const struct value_place *place)
{
        char text[IP_TEXT_MAX];

        ip_text(ip, text);
        config->init.local_api_endpoint.advertise_address =
                (struct config_text){config_keepf(config, "%s", text), *place};
}

/* SetAPIEndpointDynamicDefaults */
int config_choose_address(const struct config_text *given, const struct host *host, struct config_problems *problems,
                          struct ip_address *ret, struct err *err)
{
        bool wanted_v6 = false;

        if (*given->text && ip_parse(given->text, ret) < 0) {
                config_problem_error(
                        problems, &given->place,
                        "couldn't use \"%s\" as \"apiserver-advertise-address\", must be ipv4 or ipv6 address",
                        given->text);
                return config_problems_aggregate(problems, err);
        }
        if (*given->text && ip_is_loopback(ret)) {
                int r = host->loopback_address(host->userdata, ret, err);
                if (r > 0)
                        return err_set(err, ENODEV, "unable to select an IP from lo network interface");
                return r < 0 ? r : 1;
        }
        if (*given->text && !ip_is_unspecified(ret))
                return 0;
        wanted_v6 = *given->text && !ret->v4;
        int r = host->default_address(host->userdata, wanted_v6, ret, err);
        if (r > 0) {
                config_problem_warning(problems, &host_place,
                                       "could not obtain a bind address for the API Server: no default routes found in "
                                       "\"/proc/net/route\" or \"/proc/net/ipv6_route\"; using: 0.0.0.0");
                *ret = (struct ip_address){.v4 = true};
        }
        return r < 0 ? r : 1;
}

static int default_address(struct phase_config *config, const struct host *host, struct config_problems *problems,
                           struct err *err)
{
        const struct config_text *address = &config->init.local_api_endpoint.advertise_address;
        struct ip_address ip;
        int r = config_choose_address(address, host, problems, &ip, err);

        if (r < 0)
                return r;
        set_address(config, &ip, r > 0 ? &host_place : &address->place);
        return 0;
}

static int default_endpoint(struct phase_config *config, struct config_problems *problems, struct err *err)
{
        struct config_text *endpoint = &config->cluster.control_plane_endpoint;
        char *host CLEANUP_FREE = NULL, *port CLEANUP_FREE = NULL;
        struct err why = ERR_INIT;

        if (!*endpoint->text)
                return 0;
        if (hostport_parse(endpoint->text, &host, &port, &why) < 0) {
                config_problem_error(problems, &endpoint->place, "%s", why.msg);
                return err_set(err, ERR_INVALID, "%s", why.msg);
        }
        if (!*port) {
                free(port);
                port = xasprintf("%" PRId64, config->init.local_api_endpoint.bind_port.value);
                endpoint->text = config_keep(config, hostport_join(host, port));
        }
        return 0;
}

static void lower_sans(struct phase_config *config)
{
        struct config_texts *sans = &config->cluster.api_server.cert_sans;

        for (size_t i = 0; i < sans->count; i++) {
                char *lower = xstrdup(sans->items[i].text);
                str_lower(lower);
                sans->items[i].text = config_keep(config, lower);
        }
}

int config_default_dynamic(const struct phase *phase, struct config_problems *problems, struct err *err)
{
        struct phase_config *config = phase->config;
        int r = default_node_name(config, phase_host(phase), err);

        if (r < 0)
                return r;
        default_taints(config, phase->era);
        r = default_cri_socket(phase, problems, err);
        /* Of a cluster the API server's pod would say it (GetAPIEndpoint). */
        if (r == 0 && !phase->options.config_text)
                r = default_address(config, phase_host(phase), problems, err);
        if (r == 0)
                r = kubernetes_version_normalise(config, phase->era, problems, err);
        if (r == 0)
                r = default_endpoint(config, problems, err);
        if (r == 0)
                lower_sans(config);
        return r;
}

int config_check_bind_address(const struct phase_config *config, struct err *err)
{
        const char *address = config->init.local_api_endpoint.advertise_address.text;
        struct ip_address ip;

        if (ip_parse(address, &ip) < 0)
                return err_set(err, ERR_INVALID, "cannot parse IP address: %s", address);
        if (!ip_is_loopback(&ip) && !ip_is_global_unicast(&ip))
                return err_set(err, ERR_INVALID, "cannot use \"%s\" as the bind address for the API Server", address);
        return 0;
}
