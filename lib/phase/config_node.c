/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "phase/config_default.h"
#include "phase/config_node.h"
#include "phase/config_node_check.h"
#include "phase/config_schema.h"
#include "phase/cri_socket.h"
#include "phase/host.h"
#include "phase/template.h"
#include "phase/typed.h"

#define DEFAULTS_FILE "config-defaults.yaml"

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        const struct kube_version *version = era_version(phase->era);
        bool dynamic = str_eq(era_text(phase->era, "config", "printedDefaults", ""), "dynamic");

        template_set_text(variables, "criSocket", era_text(phase->era, "config", "criSocket", ""), NULL);
        template_set_text(variables, "nodeName", dynamic ? NULL : "node", NULL);
        template_set_textf(variables, NULL, "currentVersion", "%d.%d.0", version->major, version->minor);
}

int config_node_template(const struct phase *phase, const char *group, const char *kind, struct value **ret,
                         struct err *err)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        const struct value *file = NULL;
        int r = era_template(phase->era, DEFAULTS_FILE, &file, err);

        if (r < 0)
                return r;
        const struct value *found = value_get(file, group, kind, NULL);
        if (!value_is(found, VALUE_MAP))
                return value_error(&file->place, err, ERR_INVALID, "there is no %s of %s", group, kind);
        struct value *v CLEANUP_VALUE = value_copy(found);
        set_variables(phase, &variables);
        r = template_fill(v, &variables, err);
        if (r == 0)
                *ret = TAKE_PTR(v);
        return r;
}

static bool is_empty(const struct value *v)
{
        return !v || v->kind == VALUE_NULL || (v->kind == VALUE_STRING && v->len == 0);
}

/* Puts defaults where the document has nothing. */
static void fill_up(struct value *v, const struct value *defaults)
{
        for (size_t i = 0; i < defaults->map.count; i++) {
                const struct value_entry *e = &defaults->map.entries[i];
                size_t len = strlen(e->key);
                bool only_there = len > 0 && e->key[len - 1] == '?';
                char *key CLEANUP_FREE = xstrndup(e->key, only_there ? len - 1 : len);
                struct value *have = value_map_get(v, key);

                if (is_empty(have) && only_there)
                        continue;
                if (is_empty(have) && value_is(e->value, VALUE_MAP))
                        have = value_map_set(v, key, value_new_map());
                if (value_is(have, VALUE_MAP) && value_is(e->value, VALUE_MAP))
                        fill_up(have, e->value);
                else if (is_empty(have))
                        value_map_set(v, key, value_copy(e->value));
        }
}

static int compare_names(const void *a, const void *b)
{
        const struct value *const *x = a, *const *y = b;

        return strcmp(value_string(value_map_get(*x, "name"), ""), value_string(value_map_get(*y, "name"), ""));
}

/* Arguments in a map become a list in order of names. */
static void list_arguments(struct value *registration)
{
        const struct value *map = value_map_get(registration, "kubeletExtraArgs");

        if (!value_is(map, VALUE_MAP))
                return;
        struct value *list = value_new_list();
        list->place = map->place;
        for (size_t i = 0; i < map->map.count; i++) {
                struct value *item = value_new_map();

                item->place = map->map.entries[i].place;
                value_map_set(item, "name", value_new_string(map->map.entries[i].key));
                value_map_set(item, "value", value_copy(map->map.entries[i].value));
                value_list_add(list, item);
        }
        if (list->list.count > 0)
                qsort(list->list.items, list->list.count, sizeof(struct value *), compare_names);
        value_map_set(registration, "kubeletExtraArgs", list);
}

/* nodeutil.GetHostname */
static int default_name(const struct phase *phase, struct value *registration, struct err *err)
{
        const struct host *host = phase_host(phase);
        const char *given = value_string(value_map_get(registration, "name"), ""), *start;
        char *text CLEANUP_FREE = *given ? xstrdup(given) : NULL;
        int r = text ? 0 : host->name(host->userdata, &text, err);

        if (r < 0)
                return r;
        for (start = text; isspace((unsigned char)*start); start++)
                ;
        size_t len = strlen(start);
        while (len > 0 && isspace((unsigned char)start[len - 1]))
                len--;
        char *name CLEANUP_FREE = xstrndup(start, len);
        str_lower(name);
        const struct value *old = value_map_get(registration, "name");
        struct value_place place = old ? old->place : registration->place;
        value_map_set(registration, "name", value_new_string(name))->place = place;
        return len > 0 ? 0 : err_set(err, ERR_INVALID, "empty hostname is invalid");
}

static void default_taints(const struct phase *phase, struct value *registration)
{
        const struct value *keys = era_value(phase->era, "config", "taints"), *have;

        have = value_map_get(registration, "taints");
        if ((have && have->kind != VALUE_NULL) || !value_is(keys, VALUE_LIST))
                return;
        struct value *list = value_map_set(registration, "taints", value_new_list());
        for (size_t i = 0; i < keys->list.count; i++) {
                struct value *taint = value_new_map();

                value_map_set(taint, "effect", value_new_string("NoSchedule"));
                value_map_set(taint, "key", value_copy(keys->list.items[i]));
                value_list_add(list, taint);
        }
}

static int default_cri_socket(const struct phase *phase, struct value *owner, struct config_problems *problems,
                              struct err *err)
{
        const struct value *socket = value_map_get(owner, "criSocket");
        const char *text;

        if (!is_empty(socket) && !value_is(socket, VALUE_STRING))
                return 0;
        int r = cri_socket_choose(phase, value_string(socket, ""), socket ? &socket->place : NULL, problems, &text,
                                  err);
        if (r < 0 || (r == 0 && str_eq(text, socket->text)))
                return r;
        struct value *chosen = value_new_string(text);
        if (r == 0)
                chosen->place = socket->place;
        value_map_set(owner, "criSocket", chosen);
        return 0;
}

static int default_address(const struct phase *phase, struct value *endpoint, struct config_problems *problems,
                           struct err *err)
{
        const struct value *given = value_map_get(endpoint, "advertiseAddress");
        struct value_place place = endpoint->place;
        const struct config_text text = {value_string(given, ""), given ? given->place : place};
        char shown[IP_TEXT_MAX];
        struct ip_address ip;
        int r = config_choose_address(&text, phase_host(phase), problems, &ip, err);

        if (r < 0)
                return r;
        ip_text(&ip, shown);
        value_map_set(endpoint, "advertiseAddress", value_new_string(shown))->place = place;
        return 0;
}

/* SetJoinDynamicDefaults, SetDefaults_Discovery */
static int default_join(const struct phase *phase, struct value *v, struct config_problems *problems, struct err *err)
{
        struct value *registration = value_map_get(v, "nodeRegistration"), *discovery = value_map_get(v, "discovery");
        struct value *control_plane = value_map_get(v, "controlPlane");
        const struct value *token = value_get(discovery, "bootstrapToken", "token", NULL);
        const char *path = value_string(value_get(discovery, "file", "kubeConfigPath", NULL), "");

        if (is_empty(value_map_get(discovery, "tlsBootstrapToken")) && !is_empty(token))
                value_map_set(discovery, "tlsBootstrapToken", value_copy(token));
        if (str_after(path, "file://"))
                value_map_set(value_map_get(discovery, "file"), "kubeConfigPath",
                              value_new_string(str_after(path, "file://")));
        int r = default_name(phase, registration, err);
        if (r == 0)
                r = default_cri_socket(phase, registration, problems, err);
        if (r == 0 && value_is(control_plane, VALUE_MAP)) {
                default_taints(phase, registration);
                r = default_address(phase, value_map_get(control_plane, "localAPIEndpoint"), problems, err);
        }
        return r;
}

/* The mutator of MigrateOldConfig. */
static void move_timeout(const struct phase *phase, const char *version, struct value *v)
{
        bool has_field = config_field_shape(phase->era, "Discovery", version, "timeout") != API_SHAPE_MAX;
        const char *absent = era_text(phase->era, "config", "migratedDiscovery", NULL);
        struct value *discovery = value_map_get(v, "discovery"), *timeouts = value_map_get(v, "timeouts");
        const struct value *timeout = value_map_get(discovery, "timeout");

        if (!str_eq(era_text(phase->era, "config", "migratedTimeouts", ""), "moved") || !timeouts || !timeout)
                return;
        if (has_field)
                value_map_set(timeouts, "discovery", value_copy(timeout));
        else if (absent)
                value_map_set(timeouts, "discovery", value_new_string(absent));
        if (has_field)
                (void)value_map_remove(discovery, "timeout");
}

struct checking {
        struct config_problems *problems;
        struct strv unknown; /* kubeadm's words */
        bool strict;
        struct err *first; /* the first wrong type */
};

static void report(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                   const char *text)
{
        struct checking *c = userdata;

        if (kind == TYPED_UNKNOWN_FIELD)
                strv_addf(&c->unknown, "unknown field \"%s\"", path);
        if (kind == TYPED_UNKNOWN_FIELD && !c->strict)
                config_problem_warning(c->problems, place, "%s", text);
        else
                config_problem_error(c->problems, place, "%s", text);
        if (kind == TYPED_WRONG_TYPE && !c->first->code)
                (void)value_error(place, c->first, ERR_INVALID, "%s", text);
}

/* Against the types of the version that it was written in. */
static int check_types(const struct era *era, const struct config_node_document *doc, struct value *v, bool strict,
                       struct config_problems *problems, struct err *err)
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        char *type CLEANUP_FREE = xasprintf("%s.%s", doc->kind, doc->version);
        struct err first = ERR_INIT;
        struct checking c = {problems, STRV_INIT, strict, &first};
        int r = typed_normalise(v, types, type, "", report, &c, err);

        if (r < 0)
                (void)err_set(err, ERR_UNSUPPORTED,
                              "no kind \"%s\" is registered for version \"kubeadm.k8s.io/%s\" in scheme", doc->kind,
                              doc->version);
        strv_sort(&c.unknown);
        char *all CLEANUP_FREE = strv_join(&c.unknown, ", ");
        if (r == 0 && strict && c.unknown.len > 0)
                r = err_set(err, ERR_INVALID,
                            "error unmarshaling configuration schema.GroupVersionKind{Group:\"kubeadm.k8s.io\", "
                            "Version:\"%s\", Kind:\"%s\"}: strict decoding error: %s",
                            doc->version, doc->kind, all);
        else if (r == 0 && first.code)
                r = err_set(err, first.code, "%s", first.msg);
        strv_release(&c.unknown);
        return r;
}

static int default_document(const struct phase *phase, const char *kind, struct value *v,
                            struct config_problems *problems, struct err *err)
{
        struct value *defaults CLEANUP_VALUE = NULL;
        int r = config_node_template(phase, "defaults", kind, &defaults, err);

        if (r < 0)
                return r;
        fill_up(v, defaults);
        if (str_eq(kind, "JoinConfiguration"))
                return default_join(phase, v, problems, err);
        return str_eq(kind, "ResetConfiguration") ? default_cri_socket(phase, v, problems, err) : 0;
}

int config_node_look(const struct era *era, const struct config_node_document *doc, struct config_problems *problems,
                     struct err *err)
{
        struct value *v CLEANUP_VALUE = value_copy(doc->value);

        return check_types(era, doc, v, true, problems, err);
}

int config_node_render(const struct phase *phase, const struct config_node_document *doc, const char *version,
                       unsigned flags, struct config_problems *problems, struct value **ret, int *ret_exit_code,
                       struct err *err)
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(phase->era);
        char *type CLEANUP_FREE = xasprintf("%s.%s", doc->kind, version);
        struct value *v CLEANUP_VALUE = value_copy(doc->value);
        struct config_problems wrong CLEANUP_PROBLEMS = {0};
        bool lists = config_field_shape(phase->era, "NodeRegistrationOptions", version, "kubeletExtraArgs") == API_LIST;

        *ret_exit_code = 1;
        int r = check_types(phase->era, doc, v, flags & CONFIG_NODE_STRICT, problems, err);
        if (r == 0 && lists)
                list_arguments(value_map_get(v, "nodeRegistration"));
        if (r == 0)
                r = default_document(phase, doc->kind, v, problems, err);
        if (r == 0) {
                config_node_check(phase, doc->kind, v, &wrong);
                r = config_problems_aggregate(&wrong, err);
                for (size_t i = 0; i < wrong.count; i++)
                        config_problem_error(problems, &wrong.items[i].place, "%s", wrong.items[i].text);
                if (r < 0)
                        *ret_exit_code = phase_validation_exit_code(phase);
        }
        if (r < 0)
                return r;
        if (flags & CONFIG_NODE_MIGRATE)
                move_timeout(phase, doc->version, v);
        value_map_set(v, "apiVersion", value_new_stringf("kubeadm.k8s.io/%s", version));
        r = typed_normalise(v, types, type, "", typed_report_nothing, NULL, err);
        if (r == 0)
                *ret = TAKE_PTR(v);
        return r;
}
