/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/api_types.h"
#include "phase/component_parts.h"
#include "phase/era_rows.h"
#include "phase/field_error.h"
#include "phase/go_text.h"
#include "phase/kubelet_configuration.h"
#include "phase/service.h"
#include "phase/template.h"
#include "phase/typed.h"

#define DNS_OFFSET 10 /* of the cluster's DNS in the service subnet */
#define DNS_FALLBACK "10.96.0.10"
#define RESOLVED_SERVICE "systemd-resolved"
#define RESOLVED_FILE "/run/systemd/resolve/resolv.conf"

struct check {
        struct config_problems *problems;
        bool lenient;
};

static void take_report(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                        const char *text)
{
        const struct check *c = userdata;

        (void)path;
        if (!c->problems)
                return;
        if (kind == TYPED_UNKNOWN_FIELD && c->lenient)
                config_problem_warning(c->problems, place, "%s", text);
        else
                config_problem_error(c->problems, place, "%s", text);
}

/* v as Go's encoder would write it. */
static int normalise(const struct phase *phase, struct value *v, struct check *check, struct err *err)
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(phase->era);

        return typed_normalise(v, types, KUBELET_CONFIGURATION_TYPE, "", take_report, check, err);
}

int kubelet_configuration_check(const struct phase *phase, bool lenient, struct config_problems *problems,
                                struct err *err)
{
        struct value *copy CLEANUP_VALUE = NULL;
        struct check c = {problems, lenient};

        if (!phase->config->kubelet)
                return 0;
        copy = value_copy(phase->config->kubelet);
        int r = normalise(phase, copy, &c, err);
        return r < 0 ? r : config_problems_aggregate(problems, err);
}

static int apply_row(void *userdata, const char *path, const struct era_row *row, struct err *err)
{
        if (!row->value) {
                (void)template_path_remove(userdata, path);
                return 0;
        }
        return template_path_set(userdata, path, row->value, err);
}

static void set_dns(const struct phase *phase, struct template_variables *variables)
{
        const struct config_text *subnets = &phase->config->cluster.networking.service_subnet;
        struct ip_subnet subnet;
        struct ip_address ip;
        char text[IP_TEXT_MAX];

        if (ip_subnets_parse(subnets->text, &subnet, 1) >= 1 && ip_add(&subnet.address, DNS_OFFSET, &ip) &&
            ip_subnet_contains(&subnet, &ip)) {
                ip_text(&ip, text);
                template_set_text(variables, "clusterDNS", text, &subnets->place);
        } else {
                template_set_text(variables, "clusterDNS", DNS_FALLBACK, NULL);
        }
}

/* kubeadm's defaults in the era, filled in. */
static int defaults_of(const struct phase *phase, bool for_node, struct value **ret, struct err *err)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        char *ca CLEANUP_FREE = config_certificate_path(phase->config, "ca.crt");
        struct value *defaults CLEANUP_VALUE = NULL;
        const struct value *template;
        bool resolved = for_node && phase_host_service_active(phase, RESOLVED_SERVICE);
        int r = era_template(phase->era, "kubelet-config.yaml", &template, err);

        if (r < 0)
                return r;
        defaults = value_copy(template);
        set_dns(phase, &variables);
        template_set_text(&variables, "dnsDomain", cluster->networking.dns_domain.text,
                          &cluster->networking.dns_domain.place);
        template_set_text(&variables, "clientCAFile", ca, &cluster->certificates_dir.place);
        template_set_text(&variables, "resolvConf", resolved ? RESOLVED_FILE : NULL, NULL);
        r = era_each(phase->era, "kubelet", "config.", apply_row, defaults, err);
        if (r == 0)
                r = template_fill(defaults, &variables, err);
        if (r == 0)
                *ret = TAKE_PTR(defaults);
        return r;
}

struct merge {
        const struct phase *phase;
        const struct value *written; /* the user's document before its empty values were left out; NULL: none */
        bool warn;
};

static void warn_differs(const struct merge *m, const char *path, const struct value *ours, const struct value *theirs)
{
        struct buf a CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES), b CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        if (!m->warn || value_equal(ours, theirs) || era_lists(m->phase->era, "kubelet", "quiet", path))
                return;
        go_text(ours, &a);
        go_text(theirs, &b);
        phase_warn(m->phase,
                   "The recommended value for \"%s\" in \"" KUBELET_CONFIGURATION_TYPE
                   "\" is: %s; the provided value is: %s",
                   path, buf_str(&a), buf_str(&b));
}

static void merge_defaults(const struct merge *m, struct value *config, const struct value *defaults,
                           const struct value *written, const char *prefix)
{
        for (size_t i = 0; i < defaults->map.count; i++) {
                const struct value_entry *e = &defaults->map.entries[i];
                char *path CLEANUP_FREE = xasprintf("%s%s%s", prefix, *prefix ? "." : "", e->key);
                struct value *theirs = value_map_get(config, e->key);
                const struct value *given = value_map_get(written, e->key);

                if (e->value->kind == VALUE_MAP) {
                        if (!theirs)
                                theirs = value_map_set(config, e->key, value_new_map());
                        merge_defaults(m, theirs, e->value, given, path);
                } else if (!theirs && value_is(given, VALUE_LIST)) {
                        /* An empty list that was written down is no nil slice: it stays empty. */
                        warn_differs(m, path, e->value, given);
                } else if (!theirs) {
                        value_map_set(config, e->key, value_copy(e->value));
                } else {
                        warn_differs(m, path, e->value, theirs);
                }
        }
}

int kubelet_configuration_render(const struct phase *phase, bool for_node, bool warn, struct value **ret,
                                 struct err *err)
{
        struct value *config CLEANUP_VALUE =
                phase->config->kubelet ? value_copy(phase->config->kubelet) : value_new_map();
        struct value *defaults CLEANUP_VALUE = NULL;
        const struct merge merge = {phase, phase->config->kubelet, warn};
        struct check quiet = {NULL, true};
        int r = defaults_of(phase, for_node, &defaults, err);

        if (r == 0)
                r = normalise(phase, config, &quiet, err);
        if (r < 0)
                return r;
        component_pass_gate(phase, "kubelet", "featureGates", config);
        merge_defaults(&merge, config, defaults, merge.written, "");
        r = normalise(phase, config, &quiet, err);
        if (r == 0)
                *ret = TAKE_PTR(config);
        return r;
}
