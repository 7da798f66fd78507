/* SPDX-License-Identifier: Apache-2.0
 *
 * Which log a reader of the local API or of the node's port means: of which run of which container of which pod, and
 * what follows it.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/container_log.h"
#include "node/container_name.h"
#include "node/pod_facts.h"

#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"

static int find_container(const struct pod *pod, const char *name)
{
        for (size_t i = 0; i < pod->container_count; i++)
                if (str_eq(pod->containers[i].name, name))
                        return (int)i;
        return -1;
}

/* --- what comes after a run --------------------------------------------------------------------------------------- */

static bool follows(const struct pod_instance *instance, const char *after)
{
        return instance_ran(instance) && !str_eq(instance->id, after);
}

/* The run after the one with this id; one that is not known any more was before all that are. */
static const struct pod_instance *run_after(const struct pod_container_view *c, const char *after)
{
        if (!*after)
                return fact_container_runs(c).newest;
        if (follows(&c->now, after) && str_eq(c->last.id, after))
                return &c->now;
        if (str_eq(c->now.id, after))
                return NULL;
        return follows(&c->last, after) ? &c->last : follows(&c->now, after) ? &c->now : NULL;
}

/* Whether a run may come that is not there yet. */
static bool more_may_come(const struct pod_view *view, const struct pod_incarnation *inc, int container)
{
        if (view->next && view->next != inc)
                return find_container(view->next->pod, inc->pod->containers[container].name) >= 0;
        if (inc->terminal || inc->phase == POD_ENDED || fact_done(inc, (size_t)container))
                return false;
        return inc->phase != POD_STOPPING || inc->stop_reason == POD_STOP_SANDBOX ||
               inc->stop_reason == POD_STOP_DRAINED;
}

enum container_log_next agent_log_next(void *userdata, const char *key, const char *container, const char *after,
                                       struct container_log_run *ret)
{
        struct agent *agent = userdata;
        const struct pod_entry *entry = pod_store_find(agent->store, key);
        const struct pod_incarnation *inc = entry ? agent_shown(entry) : NULL;
        const struct pod_instance *run;
        int index = inc ? find_container(inc->pod, container) : -1;

        if (index < 0)
                return CONTAINER_LOG_END;
        run = run_after(&inc->containers[index], after);
        if (run) {
                str_copy(ret->id, sizeof(ret->id), run->id);
                ret->attempt = run->attempt;
                return CONTAINER_LOG_NEXT;
        }
        return more_may_come(entry->view, inc, index) ? CONTAINER_LOG_WAIT : CONTAINER_LOG_END;
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

/* As kubectl chooses, and says so. */
static int default_container(const struct pod *pod, struct http_server_request *request)
{
        const char *named = pod_map_get(&pod->annotations, DEFAULT_CONTAINER);
        struct buf names CLEANUP_BUF = BUF_INIT(LIMIT_HTTP_HEADERS);
        int index = named ? find_container(pod, named) : -1;

        if (index >= 0)
                return index;
        if (pod->container_count == 1)
                return 0;
        buf_addf(&names, "Defaulted container \"%s\" out of:", pod->containers[pod->init_count].name);
        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *c = &pod->containers[(i + pod->init_count) % pod->container_count];

                buf_addf(&names, "%s %s%s", i ? "," : "", c->name, c->init ? " (init)" : "");
        }
        http_server_add_header(request, CONTAINER_LOG_NOTE, buf_str(&names));
        return (int)pod->init_count;
}

/* pkg/kubelet/kubelet_pods.go, validateContainerLogStatus: while a restart is waited for, what has ended is the
 * previous run. */
static const struct pod_instance *choose_run(const struct pod_incarnation *inc, int index, bool previous)
{
        const struct pod_container_view *c = &inc->containers[index];
        struct pod_runs runs = fact_container_runs(c);
        bool waits = runs.newest && runs.newest->state == INSTANCE_EXITED &&
                     (runs.newest != &c->now || fact_restarts(inc->pod, &inc->pod->containers[index], c));

        return previous && !waits ? runs.before : runs.newest;
}

static const char *wait_reason(const struct pod_entry *entry, int index)
{
        for (size_t i = 0; i < entry->plan.wait_count; i++)
                if (entry->plan.waits[i].container == index || entry->plan.waits[i].container < 0)
                        return entry->plan.waits[i].reason;
        return "ContainerCreating";
}

/* Started while Docker is away, podwatch knows of no run: the newest (with previous: the one before) whose log is
 * linked to; -1: none. */
static int64_t linked_run(const struct agent *agent, const struct pod *pod, const char *container, bool previous)
{
        char *path CLEANUP_FREE = container_log_path(agent->host.log_dir, pod, container, 0);
        char *directory CLEANUP_FREE = file_dirname(path);
        struct strv names CLEANUP_STRV = STRV_INIT;
        int64_t newest = -1, before = -1;

        file_list(directory, LIMIT_DOCKER_LOG_FILES, &names);
        for (size_t i = 0; i < names.len; i++) {
                char *number CLEANUP_FREE = xstrndup(names.items[i], strcspn(names.items[i], "."));
                int64_t attempt;

                if (str_to_i64(number, &attempt) < 0 || attempt < 0 || attempt > UINT32_MAX)
                        continue;
                if (attempt > newest) {
                        before = newest;
                        newest = attempt;
                } else if (attempt > before) {
                        before = attempt;
                }
        }
        return previous ? before : newest;
}

void agent_logs_serve(struct agent *agent, struct http_server_request *request, struct pod_entry *entry,
                      const char *container, const struct container_log_query *query)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        const struct pod *pod = inc->pod;
        const struct pod_instance *run;
        char *path CLEANUP_FREE = NULL;
        int64_t attempt;
        int index = str_empty(container) ? default_container(pod, request) : find_container(pod, container);

        if (index < 0) {
                http_server_replyf(request, 404, "container %s not found in pod %s", container, pod->name);
                return;
        }
        container = pod->containers[index].name;
        run = choose_run(inc, index, query->previous);
        attempt = run ? run->attempt : agent->observed ? -1 : linked_run(agent, pod, container, query->previous);
        if (attempt >= 0)
                path = container_log_path(agent->host.log_dir, pod, container, (unsigned)attempt);
        if (run || path || query->restarts) {
                const struct container_log_source source = {
                        .key = entry->view->key,
                        .container = container,
                        .id = run ? run->id : "",
                        .attempt = attempt,
                        .path = path,
                        .away = !agent->runtime_ready,
                };

                container_logs_serve(agent->logs, request, &source, query);
        } else if (query->previous) {
                http_server_replyf(request, 400, "previous terminated container \"%s\" in pod \"%s\" not found",
                                   container, pod->name);
        } else {
                http_server_replyf(request, 400, "container \"%s\" in pod \"%s\" is waiting to start: %s", container,
                                   pod->name, wait_reason(entry, index));
        }
}

void agent_logs(void *userdata, struct http_server_request *request)
{
        struct agent *agent = userdata;
        const char *word = http_server_query(request, "pod");
        struct container_log_query query;
        struct pod_entry *entry;
        struct err err = ERR_INIT;

        if (str_empty(word)) {
                http_server_replyf(request, 400, "/logs takes the parameter pod");
                return;
        }
        if (container_log_query_read(request, http_server_query, loop_now_realtime(agent->loop), &query, &err) < 0) {
                http_server_replyf(request, 400, "%s", err.msg);
                return;
        }
        entry = agent_find_entry(agent, word, &err);
        if (!entry)
                http_server_replyf(request, err.code == ENOENT ? 404 : 409, "%s", err.msg);
        else
                agent_logs_serve(agent, request, entry, http_server_query(request, "container"), &query);
}

/* --- the node's port: GET /containerLogs/NAMESPACE/POD/CONTAINER ----------------------------------------------------
 */

/* The kubelet knows an older name of tailLines, in which "all" is a number. */
static const char *port_param(const struct http_server_request *request, const char *name)
{
        const char *tail = str_eq(name, "tailLines") ? http_server_query(request, "tail") : NULL;

        if (str_empty(tail))
                return http_server_query(request, name);
        return str_eq(tail, "all") ? NULL : tail;
}

/* False: the request has its answer. */
static bool port_query(struct agent *agent, struct http_server_request *request, struct container_log_query *ret)
{
        const char *stream = http_server_query(request, "stream");
        struct err err = ERR_INIT;

        if (!str_empty(stream) && !str_eq(stream, "All")) {
                http_server_replyf(request, 400,
                                   "unable to return the given log stream: \"%s\": logs of both streams are kept "
                                   "together",
                                   stream);
                return false;
        }
        if (container_log_query_read(request, port_param, loop_now_realtime(agent->loop), ret, &err) < 0) {
                http_server_replyf(request, 400, "%s", err.msg);
                return false;
        }
        ret->restarts = false;
        ret->json = false;
        return true;
}

void agent_port_logs(void *userdata, struct http_server_request *request, const char *rest)
{
        struct agent *agent = userdata;
        struct strv parts CLEANUP_STRV = STRV_INIT;
        struct container_log_query query;
        struct pod_entry *entry;

        strv_split(&parts, rest, '/');
        if (parts.len != 3 || strv_contains(&parts, "")) {
                http_server_replyf(request, 404, "404 page not found");
                return;
        }
        if (!port_query(agent, request, &query))
                return;
        char *key CLEANUP_FREE = xasprintf("%s/%s", parts.items[0], parts.items[1]);
        entry = pod_store_find(agent->store, key);
        if (!entry || !agent_shown(entry))
                http_server_replyf(request, 404, "pod \"%s\" does not exist", parts.items[1]);
        else if (find_container(agent_shown(entry)->pod, parts.items[2]) < 0)
                http_server_replyf(request, 404, "container \"%s\" not found in pod \"%s\"", parts.items[2],
                                   parts.items[1]);
        else
                agent_logs_serve(agent, request, entry, parts.items[2], &query);
}
