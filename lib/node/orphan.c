/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/container_name.h"
#include "node/orphan.h"
#include "node/pod_apply.h"

static bool belongs(const struct docker_container *d, const struct docker_container *one)
{
        return str_eq(docker_label(&d->labels, LABEL_POD_UID), docker_label(&one->labels, LABEL_POD_UID)) &&
               str_eq(docker_label(&d->labels, POD_LABEL_SPEC_HASH), docker_label(&one->labels, POD_LABEL_SPEC_HASH));
}

static int64_t grace_of(const struct docker_container *d)
{
        int64_t grace;

        if (str_to_i64(docker_label(&d->labels, LABEL_POD_GRACE), &grace) < 0 || grace < 0)
                return 30; /* v1 default of terminationGracePeriodSeconds */
        return grace;
}

/* The preStop handler as core/v1 JSON, in a label (pkg/kubelet/kuberuntime/labels.go). What cannot be read is none. */
static void read_pre_stop(const char *text, struct pod_handler *ret)
{
        struct value *v CLEANUP_VALUE = NULL;
        const struct value *command, *http;
        int64_t port;

        if (str_empty(text) || json_load(NULL, text, strlen(text), &v, NULL) < 0)
                return;
        command = value_get(v, "exec", "command", NULL);
        http = value_map_get(v, "httpGet");
        if (value_is(command, VALUE_LIST) && command->list.count) {
                ret->type = POD_HANDLER_EXEC;
                for (size_t i = 0; i < command->list.count; i++)
                        strv_add(&ret->command, value_string(command->list.items[i], ""));
        } else if (value_is(http, VALUE_MAP)) {
                if (value_int(value_map_get(http, "port"), &port) < 0 || port < 1 || port > 65535)
                        return;
                ret->type = POD_HANDLER_HTTP_GET;
                ret->port = (int)port;
                ret->path = xstrdup(value_string(value_map_get(http, "path"), "/"));
                ret->https = str_eq(value_string(value_map_get(http, "scheme"), ""), "HTTPS");
                if (value_map_get(http, "host"))
                        ret->host = xstrdup(value_string(value_map_get(http, "host"), ""));
        } else if (value_int(value_get(v, "sleep", "seconds", NULL), &ret->sleep_seconds) == 0) {
                ret->type = POD_HANDLER_SLEEP;
        }
}

static void add_container(struct pod *pod, const char *name, const struct docker_container *d)
{
        struct pod_container *c = &pod->containers[pod->container_count++];

        c->name = xstrdup(name);
        c->image = xstrdup(d->image ? d->image : "");
        c->termination_message_path = xstrdup("/dev/termination-log");
        for (size_t k = 0; k < POD_PROBE_KIND_MAX; k++)
                c->probes[k].termination_grace_seconds = -1;
        read_pre_stop(docker_label(&d->labels, LABEL_PRE_STOP), &c->pre_stop);
}

int orphan_pod(const struct docker_containers *list, const struct docker_container *one, struct pod **ret,
               struct err *err)
{
        const char *name = docker_label(&one->labels, LABEL_POD_NAME), *uid = docker_label(&one->labels, LABEL_POD_UID);
        const char *namespace = docker_label(&one->labels, LABEL_POD_NAMESPACE);
        const char *hash = docker_label(&one->labels, POD_LABEL_SPEC_HASH);
        struct pod *pod CLEANUP_POD = NULL;

        if (str_empty(name) || str_empty(namespace) || str_empty(uid) || !hash)
                return err_set(err, ERR_INVALID, "container %.12s: labels of its pod are missing", one->id);
        pod = xcalloc(1, sizeof(*pod));
        pod->refs = 1;
        pod->name = xstrdup(name);
        pod->namespace = xstrdup(namespace);
        pod->uid = xstrdup(uid);
        pod_view_text(pod->spec_hash, sizeof(pod->spec_hash), hash);
        pod->termination_grace_seconds = 30;
        pod->restart_policy = POD_RESTART_NEVER; /* nobody wants it again */
        pod->host_network = true;                /* its address is of no use to anybody */
        pod->containers = xcalloc(LIMIT_CONTAINERS_PER_POD, sizeof(*pod->containers));
        for (size_t i = 0; i < list->count; i++) {
                const struct docker_container *d = &list->items[i];
                const char *container = docker_label(&d->labels, LABEL_CONTAINER_NAME);

                if (!belongs(d, one) || str_empty(container))
                        continue;
                if (docker_label(&d->labels, LABEL_POD_GRACE))
                        pod->termination_grace_seconds = grace_of(d);
                if (str_eq(docker_label(&d->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX) ||
                    pod_find_container(pod, container))
                        continue;
                if (pod->container_count == LIMIT_CONTAINERS_PER_POD)
                        return err_set(err, ERR_LIMIT, "pod %s: more than %d containers", name,
                                       LIMIT_CONTAINERS_PER_POD);
                add_container(pod, container, d);
        }
        *ret = TAKE_PTR(pod);
        return 0;
}
