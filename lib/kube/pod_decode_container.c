/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/pod_config.h"
#include "kube/pod_decode.h"
#include "kube/pod_names.h"

void pod_decode_ref(const struct value *from, struct pod_env *env)
{
        const struct value *resource = value_map_get(from, "resourceFieldRef");
        const char *divisor = field_string(resource, "divisor", "0");

        env->field_path = pod_decode_string(value_map_get(from, "fieldRef"), "fieldPath");
        env->resource = pod_decode_string(resource, "resource");
        env->resource_container = pod_decode_string(resource, "containerName");
        if (resource)
                (void)quantity_parse(divisor, &env->divisor, NULL);
}

static void decode_env(const struct value *value, struct pod_env *env)
{
        const struct value *from = value_map_get(value, "valueFrom"), *file = value_map_get(from, "fileKeyRef");

        env->name = xstrdup(field_string(value, "name", ""));
        pod_decode_ref(from, env);
        pod_config_decode_env(from, env);
        env->file_volume = pod_decode_string(file, "volumeName");
        env->file_path = pod_decode_string(file, "path");
        env->file_key = pod_decode_string(file, "key");
        env->file_optional = field_bool(file, "optional", false);
        if (!from)
                env->value = xstrdup(field_string(value, "value", ""));
}

static void decode_envs(const struct value *list, struct pod_container *c)
{
        c->env = xcalloc(field_count(list), sizeof(*c->env));
        for (size_t i = 0; i < field_count(list); i++)
                decode_env(list->list.items[i], &c->env[c->env_count++]);
}

static void decode_ports(const struct value *list, struct pod_container *c)
{
        c->ports = xcalloc(field_count(list), sizeof(*c->ports));
        for (size_t i = 0; i < field_count(list); i++) {
                const struct value *value = list->list.items[i];
                struct pod_port *port = &c->ports[c->port_count++];
                int protocol = pod_names_find(&pod_protocol_names, field_string(value, "protocol", NULL));

                port->name = pod_decode_string(value, "name");
                port->container_port = (int)field_int(value, "containerPort", 0);
                port->host_port = (int)field_int(value, "hostPort", 0);
                port->host_ip = pod_decode_string(value, "hostIP");
                port->protocol = protocol < 0 ? POD_PROTOCOL_TCP : (enum pod_protocol)protocol;
        }
}

static void decode_resources(const struct value *value, struct pod_resources *resources)
{
        const struct value *requests = value_map_get(value, "requests"), *limits = value_map_get(value, "limits");

        for (size_t i = 0; i < POD_RESOURCE_MAX; i++) {
                const char *request = field_string(requests, pod_resource_names.names[i], NULL);
                const char *limit = field_string(limits, pod_resource_names.names[i], NULL);

                resources->has_request[i] = request && quantity_parse(request, &resources->request[i], NULL) == 0;
                resources->has_limit[i] = limit && quantity_parse(limit, &resources->limit[i], NULL) == 0;
        }
}

static void decode_mounts(const struct value *list, struct pod_container *c)
{
        c->mounts = xcalloc(field_count(list), sizeof(*c->mounts));
        for (size_t i = 0; i < field_count(list); i++) {
                const struct value *value = list->list.items[i];
                struct pod_mount *mount = &c->mounts[c->mount_count++];
                const char *path = field_string(value, "mountPath", "");
                int mode = pod_names_find(&pod_propagation_names, field_string(value, "mountPropagation", NULL));

                mount->name = xstrdup(field_string(value, "name", ""));
                mount->mount_path = *path == '/' ? xstrdup(path) : xasprintf("/%s", path);
                mount->sub_path = pod_decode_string(value, "subPath");
                mount->sub_path_expr = pod_decode_string(value, "subPathExpr");
                mount->read_only = field_bool(value, "readOnly", false);
                mount->propagation = mode < 0 ? POD_PROPAGATION_NONE : (enum pod_propagation)mode;
        }
}

static void decode_headers(const struct value *list, struct pod_map *headers)
{
        headers->items = xcalloc(field_count(list), sizeof(*headers->items));
        for (size_t i = 0; i < field_count(list); i++) {
                struct pod_key_value *item = &headers->items[headers->count++];

                item->key = xstrdup(field_string(list->list.items[i], "name", ""));
                item->value = xstrdup(field_string(list->list.items[i], "value", ""));
        }
}

static void decode_handler(const struct value *value, struct pod_handler *handler)
{
        const struct value *action = NULL;

        for (int type = POD_HANDLER_EXEC; type < POD_HANDLER_MAX && !action; type++) {
                action = value_map_get(value, pod_handler_names.names[type]);
                if (action)
                        handler->type = (enum pod_handler_type)type;
        }
        if (!action)
                return;
        pod_decode_strings(value_map_get(action, "command"), &handler->command);
        handler->host = pod_decode_string(action, "host");
        handler->path = pod_decode_string(action, "path");
        handler->https = str_eq(field_string(action, "scheme", NULL), "HTTPS");
        handler->port = (int)field_int(action, "port", 0);
        handler->port_name = pod_decode_string(action, "port");
        decode_headers(value_map_get(action, "httpHeaders"), &handler->headers);
        handler->service = pod_decode_string(action, "service");
        handler->sleep_seconds = field_int(action, "seconds", 0);
}

static void decode_probe(const struct value *value, struct pod_probe *probe)
{
        decode_handler(value, &probe->handler);
        probe->initial_delay_seconds = (int)field_int(value, "initialDelaySeconds", 0);
        probe->timeout_seconds = (int)field_int(value, "timeoutSeconds", 1);
        probe->period_seconds = (int)field_int(value, "periodSeconds", 10);
        probe->success_threshold = (int)field_int(value, "successThreshold", 1);
        probe->failure_threshold = (int)field_int(value, "failureThreshold", 3);
        probe->termination_grace_seconds = field_int(value, "terminationGracePeriodSeconds", -1);
}

static void decode_optional_bool(const struct value *map, const char *name, bool *ret_has, bool *ret)
{
        *ret_has = value_map_get(map, name) != NULL;
        *ret = field_bool(map, name, false);
}

static void decode_optional_id(const struct value *map, const char *name, bool *ret_has, int64_t *ret)
{
        *ret_has = value_map_get(map, name) != NULL;
        *ret = field_int(map, name, 0);
}

void pod_decode_security(const struct value *context, struct pod_security *s)
{
        const struct value *profile = value_map_get(context, "seccompProfile");
        const struct value *caps = value_map_get(context, "capabilities");
        const struct value *armor = value_map_get(context, "appArmorProfile");
        const struct value *selinux = value_map_get(context, "seLinuxOptions");
        int app_armor = pod_names_find(&pod_app_armor_names, field_string(armor, "type", NULL));
        int seccomp = pod_names_find(&pod_seccomp_names, field_string(profile, "type", NULL));

        decode_optional_id(context, "runAsUser", &s->has_run_as_user, &s->run_as_user);
        decode_optional_id(context, "runAsGroup", &s->has_run_as_group, &s->run_as_group);
        decode_optional_bool(context, "runAsNonRoot", &s->has_run_as_non_root, &s->run_as_non_root);
        s->seccomp = seccomp < 0 ? POD_SECCOMP_UNSET : (enum pod_seccomp)seccomp;
        s->seccomp_localhost = pod_decode_string(profile, "localhostProfile");
        s->app_armor = app_armor < 0 ? POD_APP_ARMOR_UNSET : (enum pod_app_armor)app_armor;
        s->app_armor_localhost = pod_decode_string(armor, "localhostProfile");
        s->has_selinux = value_is(selinux, VALUE_MAP);
        for (int i = 0; i < POD_SELINUX_MAX; i++)
                s->selinux[i] = pod_decode_string(selinux, pod_selinux_names.names[i]);
        s->privileged = field_bool(context, "privileged", false);
        decode_optional_bool(context, "allowPrivilegeEscalation", &s->has_allow_privilege_escalation,
                             &s->allow_privilege_escalation);
        s->read_only_root_filesystem = field_bool(context, "readOnlyRootFilesystem", false);
        pod_decode_strings(value_map_get(caps, "add"), &s->cap_add);
        pod_decode_strings(value_map_get(caps, "drop"), &s->cap_drop);
}

void pod_decode_container(const struct value *value, bool init, struct pod_container *c)
{
        const struct value *lifecycle = value_map_get(value, "lifecycle");
        int pull = pod_names_find(&pod_pull_policy_names, field_string(value, "imagePullPolicy", NULL));

        c->name = xstrdup(field_string(value, "name", ""));
        c->image = xstrdup(field_string(value, "image", ""));
        pod_decode_strings(value_map_get(value, "command"), &c->command);
        pod_decode_strings(value_map_get(value, "args"), &c->args);
        c->working_dir = pod_decode_string(value, "workingDir");
        decode_ports(value_map_get(value, "ports"), c);
        decode_envs(value_map_get(value, "env"), c);
        pod_config_decode_env_from(value_map_get(value, "envFrom"), c);
        decode_resources(value_map_get(value, "resources"), &c->resources);
        decode_mounts(value_map_get(value, "volumeMounts"), c);
        for (int kind = 0; kind < POD_PROBE_KIND_MAX; kind++)
                decode_probe(value_map_get(value, pod_probe_field_names.names[kind]), &c->probes[kind]);
        decode_handler(value_map_get(lifecycle, "postStart"), &c->post_start);
        decode_handler(value_map_get(lifecycle, "preStop"), &c->pre_stop);
        c->pull_policy = pull < 0 ? POD_PULL_IF_NOT_PRESENT : (enum pod_pull_policy)pull;
        pod_decode_security(value_map_get(value, "securityContext"), &c->security);
        c->termination_message_path = xstrdup(field_string(value, "terminationMessagePath", ""));
        c->termination_message_fallback =
                str_eq(field_string(value, "terminationMessagePolicy", NULL), "FallbackToLogsOnError");
        c->stdin = field_bool(value, "stdin", false);
        c->stdin_once = field_bool(value, "stdinOnce", false);
        c->tty = field_bool(value, "tty", false);
        c->init = init;
        pod_decode_restart(value, c);
}
