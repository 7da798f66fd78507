/* SPDX-License-Identifier: Apache-2.0
 *
 * Last words: when a container ended badly, the end of its log is fetched and kept as long as its record is, for
 * `podwatch status` and for terminationMessagePolicy FallbackToLogsOnError.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker.h"
#include "net/loop.h"
#include "node/agent_private.h"

/* As the kubelet for FallbackToLogsOnError: 80 lines, 2 KiB of them. */
#define TAIL_LINES 80
/* A fetch that fails is tried again, as often and no sooner. */
#define TRIES_MAX 5
#define RETRY_USEC (10 * USEC_PER_SEC)

static void tail_free(struct agent_tail *tail)
{
        free(tail->key);
        free(tail->container);
        free(tail->text);
        free(tail);
}

/* A call that is under way frees the tail when it ends. */
static void tail_drop(struct agent_tail *tail)
{
        struct docker *docker = tail->agent->docker;

        if (!tail->call) {
                tail_free(tail);
                return;
        }
        free(TAKE_PTR(tail->key));
        if (docker)
                docker->ops->cancel(docker, tail->call);
        else
                tail_free(tail);
}

/* Keeps the last LIMIT_LOG_TAIL bytes, begun at a line. */
static void on_data(void *userdata, int stream, const char *data, size_t len)
{
        struct agent_tail *tail = userdata;
        char *joined = xasprintf("%s%.*s", tail->text ? tail->text : "", (int)(len > 1 << 20 ? 1 << 20 : len), data);
        size_t have = strlen(joined);

        (void)stream;
        if (have > LIMIT_LOG_TAIL) {
                const char *from = joined + (have - LIMIT_LOG_TAIL);
                const char *line = strchr(from, '\n');

                from = line && line[1] ? line + 1 : from;
                memmove(joined, from, strlen(from) + 1);
        }
        free(tail->text);
        tail->text = joined;
}

/* Not for a log driver that cannot be read, which has no last words, nor for a container that is gone. */
static bool is_worth_another_try(const struct agent_tail *tail, const struct err *err)
{
        return err && err->status != 404 && err->status != 501 && tail->tries < TRIES_MAX;
}

static void on_done(void *userdata, const struct err *err)
{
        struct agent_tail *tail = userdata;
        struct pod_entry *entry;

        tail->call = NULL;
        if (!tail->key) {
                tail_free(tail);
                return;
        }
        entry = pod_store_find(tail->agent->store, tail->key);
        if (entry && is_worth_another_try(tail, err)) {
                tail->tries++;
                tail->again = usec_add(loop_now(tail->agent->loop), RETRY_USEC);
                free(TAKE_PTR(tail->text));
                agent_mark_at(tail->agent, entry, tail->again);
                return;
        }
        if (!tail->text)
                tail->text = xstrdup("");
        utf8_mend(tail->text);
        if (entry)
                agent_mark(tail->agent, entry);
}

static struct agent_tail *find(const struct agent_pod *pod, const char *container, const char *id)
{
        struct agent_tail *tail;

        LL_FOREACH (pod->tails, tail) {
                if (str_eq(tail->container, container) && str_eq(tail->id, id))
                        return tail;
        }
        return NULL;
}

const char *agent_tail_find(const struct agent_pod *pod, const char *container, const char *id)
{
        const struct agent_tail *tail = find(pod, container, id);

        return tail && !tail->call ? tail->text : NULL;
}

static bool ended_badly(const struct pod_instance *instance)
{
        return instance->state == INSTANCE_EXITED && instance->id[0] && instance->exit_code != 0;
}

static struct agent_tail *tail_new(struct agent *agent, struct pod_entry *entry, const char *container, const char *id)
{
        struct agent_tail *tail = xcalloc(1, sizeof(*tail));

        tail->agent = agent;
        tail->key = xstrdup(entry->view->key);
        tail->container = xstrdup(container);
        (void)snprintf(tail->id, sizeof(tail->id), "%s", id);
        LL_PREPEND(agent_pod_of(entry)->tails, tail);
        return tail;
}

static void fetch(struct agent *agent, struct pod_entry *entry, const char *container,
                  const struct pod_instance *instance)
{
        struct agent_tail *tail = find(agent_pod_of(entry), container, instance->id);
        const struct docker_logs logs = {.id = instance->id, .tail = TAIL_LINES, .data = on_data, .done = on_done};

        /* The pod is looked at again when Docker answers. */
        if (!ended_badly(instance) || !agent->runtime_ready || (tail && (tail->call || tail->text)))
                return;
        if (tail && loop_now(agent->loop) < tail->again) {
                agent_mark_at(agent, entry, tail->again);
                return;
        }
        if (!tail)
                tail = tail_new(agent, entry, container, instance->id);
        tail->call = agent->docker->ops->logs(agent->docker, &logs, tail);
}

static bool still_there(const struct pod_incarnation *inc, const struct agent_tail *tail)
{
        for (size_t i = 0; inc && i < inc->pod->container_count; i++) {
                const struct pod_container_view *c = &inc->containers[i];

                if (str_eq(c->now.id, tail->id) || str_eq(c->last.id, tail->id))
                        return true;
        }
        return false;
}

void agent_tails_update(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        struct agent_pod *pod = agent_pod_of(entry);
        struct agent_tail *tail, *next;

        LL_FOREACH_SAFE (pod->tails, tail, next) {
                if (!still_there(inc, tail)) {
                        LL_DELETE(pod->tails, tail);
                        tail_drop(tail);
                }
        }
        for (size_t i = 0; inc && i < inc->pod->container_count; i++) {
                fetch(agent, entry, inc->pod->containers[i].name, &inc->containers[i].now);
                fetch(agent, entry, inc->pod->containers[i].name, &inc->containers[i].last);
        }
}

void agent_tails_free(struct agent *agent, struct agent_pod *pod)
{
        struct agent_tail *tail, *next;

        (void)agent;
        LL_FOREACH_SAFE (pod->tails, tail, next) {
                LL_DELETE(pod->tails, tail);
                tail_drop(tail);
        }
}
