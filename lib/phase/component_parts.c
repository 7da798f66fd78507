/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "phase/component.h"
#include "phase/component_parts.h"
#include "phase/host.h"

/* Length of the name in "--name=value"; 0 where text is no such argument. */
static size_t argument_name(const char *text, const char **ret_name)
{
        const char *name = str_after(text, "--");

        *ret_name = name;
        return name ? strcspn(name, "=") : 0;
}

static bool argument_is(const struct value *argument, const char *name)
{
        const char *start;
        size_t len = argument_name(value_string(argument, ""), &start);

        return len == strlen(name) && start && strncmp(start, name, len) == 0;
}

static struct value *new_argument(const char *name, const char *value, const struct value_place *place)
{
        struct value *v = value_new_stringf("--%s=%s", name, value);

        v->place = *place;
        return v;
}

void component_argument_remove(struct value *command, const char *name)
{
        for (size_t i = command->list.count; i > 0; i--)
                if (argument_is(command->list.items[i - 1], name))
                        value_list_remove(command, i - 1);
}

void component_argument_set(struct value *command, const char *name, const char *value, const struct value_place *place)
{
        component_argument_remove(command, name);
        value_list_add(command, new_argument(name, value, place));
}

/* By name, then by value: "--a=b" before "--a-b=", as the name ends at the sign. */
static int compare_arguments(const void *a, const void *b)
{
        const struct value *const *x = a, *const *y = b;
        const char *name_x, *name_y;
        size_t len_x = argument_name(value_string(*x, ""), &name_x),
               len_y = argument_name(value_string(*y, ""), &name_y);
        int c = len_x && len_y ? memcmp(name_x, name_y, len_x < len_y ? len_x : len_y) : 0;

        if (c == 0 && len_x != len_y)
                return len_x < len_y ? -1 : 1;
        return c ? c : strcmp(value_string(*x, ""), value_string(*y, ""));
}

static void sort_arguments(struct value *command)
{
        qsort(command->list.items + 1, command->list.count - 1, sizeof(*command->list.items), compare_arguments);
}

/* The known ones of the user's modes, the default where none is known (kubeadm's getAuthzModes). */
static char *filter_modes(const struct phase *phase, const char *wanted, bool warn)
{
        static const char *const known[] = {"Node", "RBAC", "Webhook", "ABAC", "AlwaysAllow", "AlwaysDeny"};
        struct strv parts CLEANUP_STRV = STRV_INIT, modes CLEANUP_STRV = STRV_INIT;
        char *part;

        strv_split(&parts, wanted, ',');
        STRV_FOREACH (part, &parts) {
                bool valid = false;
                for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                        valid |= strcmp(part, known[i]) == 0;
                if (valid)
                        strv_add(&modes, part);
                else if (*wanted && warn)
                        phase_warn(phase, "ignoring unknown kube-apiserver authorization-mode \"%s\"", part);
        }
        if (modes.len == 0)
                return xstrdup("Node,RBAC");
        char *joined = strv_join(&modes, ",");
        if (warn && strcmp(joined, "Node,RBAC") != 0)
                phase_warn(phase, "the default kube-apiserver authorization-mode is \"Node,RBAC\"; using \"%s\"",
                           joined);
        return joined;
}

void component_merge_arguments(const struct phase *phase, const char *component, struct value *command,
                               const struct config_args *extra)
{
        bool defaults_first = str_eq(era_text(phase->era, "static-pod", "argumentOrder", ""), "defaults-first");
        bool filtered = str_eq(era_text(phase->era, component, "authorizationMode", ""), "filtered");

        for (size_t i = 0; i < extra->count; i++)
                component_argument_remove(command, extra->items[i].name);
        if (defaults_first)
                sort_arguments(command);
        for (size_t i = 0; i < extra->count; i++) {
                const struct config_arg *a = &extra->items[i];
                char *modes CLEANUP_FREE = filtered && strcmp(a->name, "authorization-mode") == 0
                                                   ? filter_modes(phase, a->value, true)
                                                   : NULL;
                value_list_add(command, new_argument(a->name, modes ? modes : a->value, &a->place));
        }
        if (!defaults_first)
                sort_arguments(command);
}

void component_keep_authorization_mode(struct phase *phase)
{
        struct config_args *extra = &phase->config->cluster.api_server.component.extra_args;
        const struct config_arg *given = config_args_last(extra, "authorization-mode");

        if (!str_eq(era_text(phase->era, "kube-apiserver", "authorizationMode", ""), "filtered"))
                return;
        char *modes CLEANUP_FREE = filter_modes(phase, given ? given->value : "", false);
        struct config_arg kept = {
                "authorization-mode", config_keepf(phase->config, "%s", modes), {.origin = "default"}};
        if (given) {
                kept.place = given->place;
                extra->items[given - extra->items] = kept;
                return;
        }
        struct config_arg *items = config_alloc(phase->config, extra->count + 1, sizeof(*items));
        if (extra->count > 0)
                memcpy(items, extra->items, extra->count * sizeof(*items));
        items[extra->count++] = kept;
        extra->items = items;
}

static struct value *new_variable(const char *name, const char *value)
{
        static const struct value_place place = {.origin = "environment"};
        struct value *item = value_new_map();

        value_map_set(item, "name", value_new_string(name))->place = place;
        value_map_set(item, "value", value_new_string(value))->place = place;
        item->place = place;
        return item;
}

static const char *variable_name(const struct value *item)
{
        return value_string(value_map_get(item, "name"), "");
}

/* The same name again takes the place of the first. */
static void put_variable(struct value *list, struct value *item)
{
        for (size_t i = 0; i < list->list.count; i++) {
                if (strcmp(variable_name(list->list.items[i]), variable_name(item)) != 0)
                        continue;
                value_list_insert(list, i, item);
                value_list_remove(list, i + 1);
                return;
        }
        value_list_add(list, item);
}

/* Proxy variables of the environment whose value is not empty. */
static void add_proxies(char **environment, struct value *list)
{
        for (char **e = environment; e && *e; e++) {
                size_t len = host_proxy_variable(*e);

                if (len == 0 || !(*e)[len + 1])
                        continue;
                char *name CLEANUP_FREE = xstrndup(*e, len);
                put_variable(list, new_variable(name, *e + len + 1));
        }
}

static int compare_names(const void *a, const void *b)
{
        const struct value *const *x = a, *const *y = b;

        return strcmp(variable_name(*x), variable_name(*y));
}

static void sort_by_name(struct value *list)
{
        if (value_is(list, VALUE_LIST) && list->list.count > 1)
                qsort(list->list.items, list->list.count, sizeof(*list->list.items), compare_names);
}

void component_merge_environment(const struct phase *phase, struct value *container, bool proxies,
                                 const struct config_envs *extra)
{
        const char *order = era_text(phase->era, "static-pod", "environmentOrder", "");
        struct value *list CLEANUP_VALUE = value_new_list();

        if (proxies)
                add_proxies(phase_host_environment(phase), list);
        for (size_t i = 0; i < extra->count; i++)
                put_variable(list, value_copy(extra->items[i].item));
        if (str_eq(order, "sorted"))
                sort_by_name(list);
        if (list->list.count > 0)
                value_map_set(container, "env", TAKE_PTR(list));
}

/* Appends item or puts it in the place of the one with its name. */
static void put_named(struct value *parent, const char *key, struct value *item)
{
        struct value *list = value_map_get(parent, key);

        if (!value_is(list, VALUE_LIST))
                list = value_map_set(parent, key, value_new_list());
        put_variable(list, item);
}

void component_add_volume(struct value *pod, const char *name, const char *host_path, const char *mount_path,
                          const char *type, bool read_only, const struct value_place *place)
{
        struct value *volume = value_new_map(), *mount = value_new_map();
        struct value *source = value_map_set(volume, "hostPath", value_new_map());

        value_map_set(source, "path", value_new_string(host_path))->place = *place;
        if (type)
                value_map_set(source, "type", value_new_string(type))->place = *place;
        value_map_set(volume, "name", value_new_string(name))->place = *place;
        value_map_set(mount, "mountPath", value_new_string(mount_path))->place = *place;
        value_map_set(mount, "name", value_new_string(name))->place = *place;
        if (read_only)
                value_map_set(mount, "readOnly", value_new_bool(true))->place = *place;
        volume->place = source->place = mount->place = *place;
        put_named(value_get(pod, "spec", NULL), "volumes", volume);
        put_named(value_get(pod, "spec", "containers", NULL)->list.items[0], "volumeMounts", mount);
}

void component_sort_volumes(struct value *pod)
{
        sort_by_name(value_get(pod, "spec", "volumes", NULL));
        sort_by_name(value_map_get(value_get(pod, "spec", "containers", NULL)->list.items[0], "volumeMounts"));
}

void component_pass_gate(const struct phase *phase, const char *component, const char *key, struct value *config)
{
        const char *name = era_text(phase->era, component, "passedGate", NULL);
        const struct config_gates *gates = &phase->config->cluster.feature_gates;

        for (size_t i = 0; name && i < gates->count; i++) {
                if (!str_eq(gates->items[i].name, name))
                        continue;
                if (!value_is(value_map_get(config, key), VALUE_MAP))
                        value_map_set(config, key, value_new_map());
                value_map_set(value_map_get(config, key), name, value_new_bool(gates->items[i].enabled))->place =
                        gates->items[i].place;
        }
}
