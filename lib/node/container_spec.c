/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "node/container_env.h"
#include "node/container_name.h"
#include "node/container_resources.h"
#include "node/container_spec.h"
#include "node/host.h"
#include "node/pod_apply.h"

#define SHM_BYTES ((int64_t)64 * 1024 * 1024)

void spec_add_string(cJSON *object, const char *key, const char *value)
{
        cJSON_DeleteItemFromObjectCaseSensitive(object, key);
        cJSON_AddItemToObject(object, key, cJSON_CreateString(value));
}

void spec_add_int(cJSON *object, const char *key, int64_t value)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRId64, value);
        cJSON_AddItemToObject(object, key, cJSON_CreateRaw(text));
}

void spec_add_identity(cJSON *labels, const struct pod *pod, const char *container, const char *type)
{
        spec_add_string(labels, LABEL_POD_NAME, pod->name);
        spec_add_string(labels, LABEL_POD_NAMESPACE, pod->namespace);
        spec_add_string(labels, LABEL_POD_UID, pod->uid);
        spec_add_string(labels, LABEL_CONTAINER_NAME, container);
        spec_add_string(labels, LABEL_TYPE, type);
        spec_add_string(labels, POD_LABEL_SPEC_HASH, pod->spec_hash);
}

void spec_add_attempt(cJSON *labels, unsigned attempt)
{
        char text[16];

        (void)snprintf(text, sizeof(text), "%u", attempt);
        spec_add_string(labels, LABEL_RESTART_COUNT, text);
}

void spec_add_restart_never(cJSON *host_config)
{
        cJSON *policy = cJSON_AddObjectToObject(host_config, "RestartPolicy");

        spec_add_string(policy, "Name", "no");
}

void spec_add_groups(cJSON *host_config, const struct pod *pod)
{
        const struct pod_security *s = &pod->security;
        cJSON *groups;

        if (s->supplemental_group_count == 0 && !s->has_fs_group)
                return;
        groups = cJSON_AddArrayToObject(host_config, "GroupAdd");
        for (size_t i = 0; i <= s->supplemental_group_count; i++) {
                int64_t gid = i < s->supplemental_group_count ? s->supplemental_groups[i] : s->fs_group;
                char text[24];

                if (i == s->supplemental_group_count && !s->has_fs_group)
                        break;
                (void)snprintf(text, sizeof(text), "%" PRId64, gid);
                cJSON_AddItemToArray(groups, cJSON_CreateString(text));
        }
}

void spec_user_text(const struct pod_security *security, const char *image_user, char *ret_text, size_t size)
{
        char *user CLEANUP_FREE = NULL;

        if (security->has_run_as_user) {
                user = xasprintf("%" PRId64, security->run_as_user);
        } else {
                /* The group of the image goes with its user only. */
                size_t len = image_user ? strcspn(image_user, ":") : 0;

                user = security->has_run_as_group ? xstrndup(image_user ? image_user : "", len)
                                                  : xstrdup(image_user ? image_user : "");
        }
        if (security->has_run_as_group)
                (void)snprintf(ret_text, size, "%s:%" PRId64, *user ? user : "0", security->run_as_group);
        else
                (void)snprintf(ret_text, size, "%s", user);
}

int spec_print(cJSON *body, char **ret_text, struct err *err)
{
        char *text = cJSON_PrintUnformatted(body);

        cJSON_Delete(body);
        if (!text)
                return err_set(err, ENOMEM, "writing the body of a container: out of memory");
        *ret_text = text;
        return 0;
}

/* runAsNonRoot: refuses root, and a user that only the image could turn into a number
 * (kuberuntime/security_context.go verifyRunAsNonRoot). */
static int check_non_root(const struct container_spec_input *in, const struct pod_security *s, struct err *err)
{
        const char *image_user = in->image_user ? in->image_user : "";
        char *name CLEANUP_FREE = xstrndup(image_user, strcspn(image_user, ":"));
        int64_t uid = 0;

        if (!s->has_run_as_non_root || !s->run_as_non_root)
                return 0;
        if (s->has_run_as_user) {
                if (s->run_as_user == 0)
                        return err_set(err, ERR_INVALID,
                                       "container %s: runAsNonRoot is set and runAsUser is 0, which is root",
                                       in->container->name);
                return 0;
        }
        if (*name && str_to_i64(name, &uid) < 0)
                return err_set(err, ERR_INVALID,
                               "container %s: runAsNonRoot is set and the image's user is a name (%s), which cannot be "
                               "checked: set runAsUser",
                               in->container->name, name);
        if (uid == 0)
                return err_set(err, ERR_INVALID,
                               "container %s: runAsNonRoot is set and the image runs as root: set runAsUser",
                               in->container->name);
        return 0;
}

static cJSON *string_array(const struct strv *list)
{
        cJSON *array = cJSON_CreateArray();
        const char *s;

        STRV_FOREACH (s, list) {
                cJSON_AddItemToArray(array, cJSON_CreateString(s));
        }
        return array;
}

static cJSON *expanded_array(const struct strv *list, const struct strv *env)
{
        cJSON *array = cJSON_CreateArray();
        const char *s;

        STRV_FOREACH (s, list) {
                char *text CLEANUP_FREE = container_env_expand(s, env);
                cJSON_AddItemToArray(array, cJSON_CreateString(text));
        }
        return array;
}

/* As Go marshals []v1.ContainerPort. */
static void add_ports_label(cJSON *labels, const struct pod_container *c)
{
        cJSON *ports;
        char *text;

        if (c->port_count == 0)
                return;
        ports = cJSON_CreateArray();
        for (size_t i = 0; i < c->port_count; i++) {
                const struct pod_port *p = &c->ports[i];
                cJSON *port = cJSON_CreateObject();

                if (p->name)
                        spec_add_string(port, "name", p->name);
                if (p->host_port)
                        spec_add_int(port, "hostPort", p->host_port);
                spec_add_int(port, "containerPort", p->container_port);
                spec_add_string(port, "protocol", pod_protocol_name(p->protocol));
                if (p->host_ip)
                        spec_add_string(port, "hostIP", p->host_ip);
                cJSON_AddItemToArray(ports, port);
        }
        text = cJSON_PrintUnformatted(ports);
        spec_add_string(labels, LABEL_PORTS, text ? text : "[]");
        cJSON_free(text);
        cJSON_Delete(ports);
}

/* As Go marshals v1.LifecycleHandler. */
static void add_pre_stop_label(cJSON *labels, const struct pod_handler *h)
{
        cJSON *handler = cJSON_CreateObject(), *inner;
        char *text;

        if (h->type == POD_HANDLER_EXEC) {
                inner = cJSON_AddObjectToObject(handler, "exec");
                cJSON_AddItemToObject(inner, "command", string_array(&h->command));
        } else if (h->type == POD_HANDLER_HTTP_GET) {
                inner = cJSON_AddObjectToObject(handler, "httpGet");
                spec_add_string(inner, "path", h->path ? h->path : "/");
                if (h->port_name)
                        spec_add_string(inner, "port", h->port_name);
                else
                        spec_add_int(inner, "port", h->port);
                if (h->host)
                        spec_add_string(inner, "host", h->host);
                spec_add_string(inner, "scheme", h->https ? "HTTPS" : "HTTP");
        } else if (h->type == POD_HANDLER_SLEEP) {
                inner = cJSON_AddObjectToObject(handler, "sleep");
                spec_add_int(inner, "seconds", h->sleep_seconds);
        }
        if (handler->child) {
                text = cJSON_PrintUnformatted(handler);
                spec_add_string(labels, LABEL_PRE_STOP, text ? text : "");
                cJSON_free(text);
        }
        cJSON_Delete(handler);
}

static cJSON *container_labels(const struct container_spec_input *in)
{
        const struct pod_container *c = in->container;
        char *log_path CLEANUP_FREE = container_log_path(in->host->log_dir, in->pod, c->name, in->attempt);
        cJSON *labels = cJSON_CreateObject();
        char hash[9], text[24];

        spec_add_identity(labels, in->pod, c->name, LABEL_TYPE_CONTAINER);
        spec_add_string(labels, LABEL_SANDBOX_ID, in->sandbox_id);
        spec_add_string(labels, LABEL_LOG_PATH, log_path);
        pod_container_hash(c, hash);
        spec_add_string(labels, LABEL_HASH, hash);
        spec_add_attempt(labels, in->attempt);
        spec_add_string(labels, LABEL_MESSAGE_PATH, c->termination_message_path ? c->termination_message_path : "");
        spec_add_string(labels, LABEL_MESSAGE_POLICY,
                        c->termination_message_fallback ? "FallbackToLogsOnError" : "File");
        (void)snprintf(text, sizeof(text), "%" PRId64, in->pod->termination_grace_seconds);
        spec_add_string(labels, LABEL_POD_GRACE, text);
        add_ports_label(labels, c);
        add_pre_stop_label(labels, &c->pre_stop);
        return labels;
}

static cJSON *mount_array(const struct container_spec_input *in)
{
        cJSON *array = cJSON_CreateArray();

        for (size_t i = 0; i < in->mount_count; i++) {
                const struct spec_mount *m = &in->mounts[i];
                cJSON *mount = cJSON_CreateObject(), *options;

                spec_add_string(mount, "Type", "bind");
                spec_add_string(mount, "Source", m->host_path);
                spec_add_string(mount, "Target", m->container_path);
                if (m->read_only)
                        cJSON_AddBoolToObject(mount, "ReadOnly", true);
                options = cJSON_AddObjectToObject(mount, "BindOptions");
                spec_add_string(options, "Propagation", m->propagation);
                /* Since API 1.44 read-only would otherwise reach into submounts, which the pod did not ask for. */
                if (m->read_only && in->host->docker_api_minor >= 44)
                        cJSON_AddBoolToObject(options, "ReadOnlyNonRecursive", true);
                cJSON_AddItemToArray(array, mount);
        }
        return array;
}

static void add_resources(cJSON *config, const struct container_spec_input *in)
{
        const struct pod_container *c = in->container;
        int64_t memory = container_memory_limit_bytes(c);
        int oom = container_oom_score(in->pod, c, in->host->memory_capacity);

        spec_add_int(config, "CpuShares", cpu_shares_from_milli(container_cpu_request_milli(c)));
        if (in->host->cpu_cfs_quota) {
                spec_add_int(config, "CpuPeriod", CPU_PERIOD_USEC);
                spec_add_int(config, "CpuQuota", cpu_quota_from_milli(container_cpu_limit_milli(c)));
        }
        if (memory > 0) {
                spec_add_int(config, "Memory", memory);
                spec_add_int(config, "MemorySwap", memory);
        }
        spec_add_int(config, "OomScoreAdj", oom < 0 && in->host->refuses_oom_score ? 0 : oom);
        spec_add_int(config, "ShmSize", SHM_BYTES);
}

void spec_add_selinux(cJSON *options, const struct pod_security *s)
{
        for (int i = 0; i < POD_SELINUX_MAX; i++) {
                if (!s->selinux[i])
                        continue;
                char *text CLEANUP_FREE = xasprintf("label=%s:%s", pod_selinux_names.names[i], s->selinux[i]);
                cJSON_AddItemToArray(options, cJSON_CreateString(text));
        }
}

/* RuntimeDefault is what Docker does when nothing is said. */
static void add_app_armor(cJSON *options, const struct pod_security *s)
{
        if (s->app_armor == POD_APP_ARMOR_UNCONFINED) {
                cJSON_AddItemToArray(options, cJSON_CreateString("apparmor=unconfined"));
        } else if (s->app_armor == POD_APP_ARMOR_LOCALHOST) {
                char *text CLEANUP_FREE = xasprintf("apparmor=%s", s->app_armor_localhost);
                cJSON_AddItemToArray(options, cJSON_CreateString(text));
        }
}

static int add_security(cJSON *config, const struct container_spec_input *in, const struct pod_security *s,
                        struct err *err)
{
        cJSON *options = cJSON_CreateArray();
        enum pod_seccomp seccomp = s->seccomp;

        if (seccomp == POD_SECCOMP_UNSET)
                seccomp = in->host->seccomp_default ? POD_SECCOMP_RUNTIME_DEFAULT : POD_SECCOMP_UNCONFINED;
        if (s->privileged)
                cJSON_AddBoolToObject(config, "Privileged", true);
        if (s->read_only_root_filesystem)
                cJSON_AddBoolToObject(config, "ReadonlyRootfs", true);
        cJSON_AddItemToObject(config, "CapAdd", string_array(&s->cap_add));
        cJSON_AddItemToObject(config, "CapDrop", string_array(&s->cap_drop));
        if (seccomp == POD_SECCOMP_UNCONFINED) {
                cJSON_AddItemToArray(options, cJSON_CreateString("seccomp=unconfined"));
        } else if (seccomp == POD_SECCOMP_LOCALHOST) {
                if (!in->seccomp_profile) {
                        cJSON_Delete(options);
                        return err_set(err, ERR_INVALID, "container %s: seccomp profile %s is not there",
                                       in->container->name, s->seccomp_localhost ? s->seccomp_localhost : "");
                }
                char *text CLEANUP_FREE = xasprintf("seccomp=%s", in->seccomp_profile);
                cJSON_AddItemToArray(options, cJSON_CreateString(text));
        }
        spec_add_selinux(options, s);
        add_app_armor(options, s);
        if (s->has_allow_privilege_escalation && !s->allow_privilege_escalation)
                cJSON_AddItemToArray(options, cJSON_CreateString("no-new-privileges"));
        cJSON_AddItemToObject(config, "SecurityOpt", options);
        return 0;
}

static int add_host_config(cJSON *body, const struct container_spec_input *in, const struct pod_security *security,
                           struct err *err)
{
        char *sandbox CLEANUP_FREE = xasprintf("container:%s", in->sandbox_id);
        char *parent CLEANUP_FREE = pod_cgroup_parent(in->host, in->pod);
        cJSON *config = cJSON_AddObjectToObject(body, "HostConfig");

        spec_add_string(config, "NetworkMode", sandbox);
        spec_add_string(config, "IpcMode", sandbox);
        if (in->pod->host_pid)
                spec_add_string(config, "PidMode", "host");
        else if (in->pod->share_process_namespace)
                spec_add_string(config, "PidMode", sandbox);
        if (in->pod->host_network)
                spec_add_string(config, "UTSMode", "host");
        if (parent)
                spec_add_string(config, "CgroupParent", parent);
        spec_add_restart_never(config);
        spec_add_groups(config, in->pod);
        add_resources(config, in);
        cJSON_AddItemToObject(config, "Mounts", mount_array(in));
        return add_security(config, in, security, err);
}

static void add_process(cJSON *body, const struct container_spec_input *in, const struct strv *env)
{
        const struct pod_container *c = in->container;

        cJSON_AddItemToObject(body, "Env", string_array(env));
        if (c->command.len > 0)
                cJSON_AddItemToObject(body, "Entrypoint", expanded_array(&c->command, env));
        if (c->args.len > 0)
                cJSON_AddItemToObject(body, "Cmd", expanded_array(&c->args, env));
        if (!str_empty(c->working_dir))
                spec_add_string(body, "WorkingDir", c->working_dir);
        cJSON_AddBoolToObject(body, "OpenStdin", c->stdin);
        cJSON_AddBoolToObject(body, "StdinOnce", c->stdin_once);
        cJSON_AddBoolToObject(body, "Tty", c->tty);
}

static void disable_healthcheck(cJSON *body)
{
        cJSON *check = cJSON_AddObjectToObject(body, "Healthcheck");
        cJSON *test = cJSON_AddArrayToObject(check, "Test");

        cJSON_AddItemToArray(test, cJSON_CreateString("NONE"));
}

int container_spec(const struct container_spec_input *in, char **ret_body, struct err *err)
{
        struct pod_security security = pod_container_security(in->pod, in->container);
        struct strv env CLEANUP_STRV = STRV_INIT;
        char user[512];
        cJSON *body;
        int r;

        r = check_non_root(in, &security, err);
        if (r < 0)
                return r;
        r = container_env(in->host, in->pod, in->container, in->pod_ip, &env, err);
        if (r < 0)
                return err_wrap(err, "container %s", in->container->name);
        body = cJSON_CreateObject();
        spec_add_string(body, "Image", in->image_id);
        add_process(body, in, &env);
        spec_user_text(&security, in->image_user, user, sizeof(user));
        if (*user && (security.has_run_as_user || security.has_run_as_group))
                spec_add_string(body, "User", user);
        disable_healthcheck(body);
        cJSON_AddItemToObject(body, "Labels", container_labels(in));
        r = add_host_config(body, in, &security, err);
        if (r < 0) {
                cJSON_Delete(body);
                return r;
        }
        return spec_print(body, ret_body, err);
}
