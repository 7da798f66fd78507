/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "phase/address.h"
#include "phase/component_parts.h"
#include "phase/era_rows.h"
#include "phase/kube_proxy_config.h"
#include "phase/template.h"

/* Maps whose keys are the user's, with the kind of their values; the template cannot show them as kubeadm leaves them
 * out when empty. */
static const char *const free_maps[] = {"featureGates"};

static bool is_free_map(const char *key)
{
        for (size_t i = 0; i < ARRAY_SIZE(free_maps); i++)
                if (strcmp(free_maps[i], key) == 0)
                        return true;
        return false;
}

/* A field that the type writes as a Go duration: its empty value is "0s". */
static bool is_duration(const struct value *field)
{
        return str_eq(value_string(field, NULL), "0s");
}

static int apply_row(void *userdata, const char *path, const struct era_row *row, struct err *err)
{
        if (!row->value) {
                (void)template_path_remove(userdata, path);
                return 0;
        }
        return template_path_set(userdata, path, row->value, err);
}

static int era_config(const struct phase *phase, struct value **ret, struct err *err)
{
        struct value *config CLEANUP_VALUE = NULL;
        const struct value *template;

        int r = era_template(phase->era, "kube-proxy-config.yaml", &template, err);
        if (r < 0)
                return r;
        config = value_copy(template);
        r = era_each(phase->era, "kube-proxy", "config.", apply_row, config, err);
        if (r == 0)
                *ret = TAKE_PTR(config);
        return r;
}

struct check {
        struct config_problems *problems;
        const struct value *optional;
        bool lenient;
};

/* The fields that are left out where they are empty: path to empty value. */
static const struct value *optional_fields(const struct phase *phase)
{
        return era_value(phase->era, "kube-proxy", "optional");
}

static const struct value *optional_field(const struct value *optional, const char *path)
{
        return value_is(optional, VALUE_MAP) ? value_map_get(optional, path) : NULL;
}

static void check_unknown(const struct check *c, const struct value *type, const struct value_entry *e,
                          const char *path)
{
        const char *names[128];
        size_t count = 0;

        for (size_t i = 0; i < type->map.count && count < ARRAY_SIZE(names); i++)
                names[count++] = type->map.entries[i].key;
        const char *near = str_did_you_mean(e->key, names, count);
        const char *before = near ? "; did you mean \"" : "", *after = near ? "\"?" : "";
        if (c->lenient)
                config_problem_warning(c->problems, &e->place, "unknown field \"%s\"%s%s%s", path, before,
                                       near ? near : "", after);
        else
                config_problem_error(c->problems, &e->place, "unknown field \"%s\"%s%s%s", path, before,
                                     near ? near : "", after);
}

static void check_map(const struct check *c, const struct value *type, const struct value *user, const char *path);

/* Fields whose absence the template shows as null. */
static const struct {
        const char *path;
        enum value_kind kind;
} pointers[] = {
        {"oomScoreAdj", VALUE_NUMBER},          {"iptables.masqueradeBit", VALUE_NUMBER},
        {"conntrack.maxPerCore", VALUE_NUMBER}, {"conntrack.min", VALUE_NUMBER},
        {"nodePortAddresses", VALUE_LIST},
};

static void check_pointer(const struct check *c, const struct value *user, const char *path)
{
        for (size_t i = 0; i < ARRAY_SIZE(pointers); i++)
                if (strcmp(pointers[i].path, path) == 0 && user->kind != pointers[i].kind)
                        config_problem_error(c->problems, &user->place, "%s: expected a %s, found a %s", path,
                                             value_kind_name(pointers[i].kind), value_kind_name(user->kind));
}

static void check_field(const struct check *c, const struct value *type, const struct value *user, const char *path)
{
        struct err why = ERR_INIT;
        int64_t nsec;

        if (user->kind == VALUE_NULL)
                return;
        if (type->kind == VALUE_NULL) {
                check_pointer(c, user, path);
                return;
        }
        if (type->kind == VALUE_MAP && user->kind == VALUE_MAP)
                check_map(c, type, user, path);
        else if (type->kind != user->kind)
                config_problem_error(c->problems, &user->place, "%s: expected a %s, found a %s", path,
                                     value_kind_name(type->kind), value_kind_name(user->kind));
        else if (is_duration(type) && duration_parse(user->text, &nsec, &why) < 0)
                config_problem_error(c->problems, &user->place, "%s: %s", path, why.msg);
}

/* A map of the user's own keys to true or false. */
static void check_gates(const struct check *c, const struct value *user, const char *path)
{
        for (size_t i = 0; user->kind == VALUE_MAP && i < user->map.count; i++) {
                const struct value *gate = user->map.entries[i].value;

                if (gate->kind != VALUE_BOOL && gate->kind != VALUE_NULL)
                        config_problem_error(c->problems, &gate->place, "%s.%s: expected a boolean, found a %s", path,
                                             user->map.entries[i].key, value_kind_name(gate->kind));
        }
        if (user->kind != VALUE_MAP && user->kind != VALUE_NULL)
                config_problem_error(c->problems, &user->place, "%s: expected a map, found a %s", path,
                                     value_kind_name(user->kind));
}

static void check_map(const struct check *c, const struct value *type, const struct value *user, const char *path)
{
        for (size_t i = 0; i < user->map.count; i++) {
                const struct value_entry *e = &user->map.entries[i];
                char *field_path CLEANUP_FREE = *path ? xasprintf("%s.%s", path, e->key) : xstrdup(e->key);
                const struct value *field = value_map_get(type, e->key) ?: optional_field(c->optional, field_path);

                if (field)
                        check_field(c, field, e->value, field_path);
                else if (*path || !is_free_map(e->key))
                        check_unknown(c, type, e, field_path);
                else
                        check_gates(c, e->value, field_path);
        }
}

int kube_proxy_config_check(const struct phase *phase, bool lenient, struct config_problems *problems, struct err *err)
{
        const struct check c = {problems, optional_fields(phase), lenient};
        struct value *type CLEANUP_VALUE = NULL;

        if (!phase->config->kube_proxy)
                return 0;
        int r = era_config(phase, &type, err);
        if (r < 0)
                return r;
        check_map(&c, type, phase->config->kube_proxy, "");
        return config_problems_aggregate(problems, err);
}

static void merge_map(struct value *config, const struct value *user, const struct value *optional, const char *path)
{
        for (size_t i = 0; i < user->map.count; i++) {
                const struct value_entry *e = &user->map.entries[i];
                char *field_path CLEANUP_FREE = *path ? xasprintf("%s.%s", path, e->key) : xstrdup(e->key);
                const struct value *empty = optional_field(optional, field_path);
                struct value *field = value_map_get(config, e->key);
                char text[TIMEFMT_MAX];
                int64_t nsec;

                if (e->value->kind == VALUE_NULL || (!field && !empty && (*path || !is_free_map(e->key))) ||
                    (empty && value_equal(empty, e->value)))
                        continue;
                if (value_is(field, VALUE_MAP) && e->value->kind == VALUE_MAP) {
                        merge_map(field, e->value, optional, field_path);
                        continue;
                }
                struct value *copy = value_copy(e->value);
                if (is_duration(field) && duration_parse(value_string(copy, ""), &nsec, NULL) == 0) {
                        value_free(copy);
                        duration_text(nsec, text);
                        copy = value_new_string(text);
                        copy->place = e->value->place;
                }
                value_map_set(config, e->key, copy);
        }
}

/* kubeadm's defaults count where the user's document leaves the field empty, too. */
static void put_defaults_back(struct value *config, const struct template_variables *variables, struct err *err)
{
        static const struct {
                const char *path, *variable;
        } defaults[] = {
                {"bindAddress", "${bindAddress}"},
                {"clusterCIDR", "${podSubnet}"},
                {"clientConnection.kubeconfig", "${kubeconfig}"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
                struct value *now = template_path_get(config, defaults[i].path);
                struct value *value CLEANUP_VALUE = value_new_string(defaults[i].variable);

                if (!str_empty(value_string(now, NULL)) || template_fill(value, variables, err) != 0)
                        continue;
                (void)template_path_set(config, defaults[i].path, value, err);
        }
}

int kube_proxy_config_render(const struct phase *phase, const char *kubeconfig, struct value **ret, struct err *err)
{
        const struct config_endpoint *endpoint = &phase->config->init.local_api_endpoint;
        const struct config_text *pods = &phase->config->cluster.networking.pod_subnet;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *config CLEANUP_VALUE = NULL;

        int r = era_config(phase, &config, err);
        if (r < 0)
                return r;
        template_set_text(&variables, "bindAddress", ip_text_is_v6(endpoint->advertise_address.text) ? "::" : "0.0.0.0",
                          &endpoint->advertise_address.place);
        template_set_text(&variables, "podSubnet", pods->text, &pods->place);
        template_set_text(&variables, "kubeconfig", kubeconfig, NULL);
        r = template_fill(config, &variables, err);
        if (r < 0)
                return r;
        if (phase->config->kube_proxy) {
                merge_map(config, phase->config->kube_proxy, optional_fields(phase), "");
                put_defaults_back(config, &variables, err);
        }
        component_pass_gate(phase, "kube-proxy", "featureGates", config);
        *ret = TAKE_PTR(config);
        return 0;
}
