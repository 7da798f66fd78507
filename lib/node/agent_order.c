/* SPDX-License-Identifier: Apache-2.0
 *
 * Start order between pods (start_order.h), and the reverse when the node is emptied: `podwatch drain` stops every pod
 * after those that wait for it, and nothing starts until `podwatch resume` or the next boot. That the node is emptied
 * is a file below the run directory, so a restart of podwatch does not undo it and a boot does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "kube/pod.h"
#include "kube/pod_own.h"
#include "node/agent_private.h"
#include "node/manifest_source.h"
#include "node/pod_facts.h"
#include "node/start_order.h"

#define DRAINED_MODE 0600
#define NAMES_MAX 4096

/* What is wanted of an entry, NULL where nothing is. */
static const struct pod *wanted(const struct pod_entry *e)
{
        const struct pod_view *view = e->view;

        if (!view->wanted)
                return NULL;
        return view->next ? view->next->pod : view->current ? view->current->pod : NULL;
}

/* Wanted pods in the order of the store; *ret_from is the one of entry. */
static const struct pod **collect(const struct agent *agent, const struct pod_entry *entry, size_t *ret_count,
                                  size_t *ret_from)
{
        const struct pod **pods = xcalloc(pod_store_count(agent->store) + 1, sizeof(*pods));

        *ret_count = 0;
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                if (!wanted(e))
                        continue;
                if (e == entry)
                        *ret_from = *ret_count;
                pods[(*ret_count)++] = wanted(e);
        }
        return pods;
}

static struct pod_entry *find_dependency(const struct agent *agent, const struct pod_after *after)
{
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod *pod = wanted(e);

                if (pod && pod_after_names(after, pod->namespace, pod->name, agent->config->node_name))
                        return e;
        }
        return NULL;
}

static bool satisfied(const struct pod_entry *e, const struct pod_after *after)
{
        const struct pod_incarnation *inc = e->view->current;

        if (!inc || inc->phase == POD_PREPARING || inc->phase == POD_STOPPING)
                return false;
        if (inc->phase == POD_ENDED) /* what runs once has run */
                return inc->terminal && !inc->terminal_failed;
        return after->ready ? fact_ready(inc) : fact_started(inc);
}

static void tell_circle(struct agent *agent, struct pod_entry *entry, const char *circle)
{
        struct agent_pod *pod = agent_pod_of(entry);
        char *text CLEANUP_FREE = NULL;

        if (str_eq(pod->circle, circle))
                return;
        free(pod->circle);
        pod->circle = xstrdup(circle);
        text = xasprintf("start order is a circle, these do not wait for each other: %s", circle);
        agent_post_event(agent, entry->view->key, wanted(entry), "", true, "StartOrderCircle", text);
}

/* The way back from `on` leads to entry. */
static bool in_circle(struct agent *agent, struct pod_entry *entry, const struct pod_entry *on)
{
        size_t count, from = 0, via = (size_t)-1;
        const struct pod **pods = collect(agent, entry, &count, &from);
        char *circle CLEANUP_FREE = NULL;

        for (size_t i = 0; i < count; i++)
                if (pods[i] == wanted(on))
                        via = i;
        circle = start_order_circle(pods, count, from, via, agent->config->node_name);
        free(pods);
        if (circle)
                tell_circle(agent, entry, circle);
        return circle != NULL;
}

void agent_hold_by_order(struct agent *agent, struct pod_entry *entry, char *ret_text, size_t size)
{
        const struct pod *pod = wanted(entry);
        const char *text = pod ? pod_map_get(&pod->annotations, POD_OWN_AFTER) : NULL;
        struct pod_after_list list CLEANUP_POD_AFTER = {0};

        if (!text || pod_after_parse(text, pod->namespace, &list, NULL) < 0)
                return;
        for (size_t i = 0; i < list.count; i++) {
                const struct pod_after *after = &list.items[i];
                struct pod_entry *on = find_dependency(agent, after);

                if (on && (satisfied(on, after) || in_circle(agent, entry, on)))
                        continue;
                (void)snprintf(ret_text, size, "starts after pod %s/%s is %s, which %s", after->namespace, after->name,
                               after->ready ? "Ready" : "started", on ? "it is not yet" : "no manifest describes");
                return;
        }
}

/* --- emptying the node -------------------------------------------------------------------------------------------- */

static bool may_run(const struct pod_entry *e)
{
        const struct pod_incarnation *inc = e->view->current;

        return inc && (inc->phase == POD_ACTIVE || inc->phase == POD_STOPPING);
}

bool agent_drains(void *userdata, const struct pod_entry *entry)
{
        struct agent *agent = userdata;
        const struct pod *pod = entry->view->current ? entry->view->current->pod : NULL;

        if (!agent->draining || !pod)
                return false;
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (e != entry && may_run(e) &&
                    start_order_waits(e->view->current->pod, pod, agent->config->node_name) &&
                    !start_order_waits(pod, e->view->current->pod, agent->config->node_name))
                        return entry->view->drain;
        return true;
}

void agent_order_changed(struct agent *agent)
{
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod *pod = wanted(e);

                if ((agent->draining && !e->view->drain) ||
                    (e->view->hold[0] && pod && pod_map_get(&pod->annotations, POD_OWN_AFTER)))
                        pod_store_mark(agent->store, e);
        }
}

static char *drained_path(const struct agent *agent)
{
        return file_join(agent->config->run_dir, "drained");
}

void agent_order_init(struct agent *agent)
{
        char *path CLEANUP_FREE = drained_path(agent);

        agent->draining = file_exists(path);
        if (agent->draining)
                log_warning("the node was emptied by `podwatch drain`: nothing starts until `podwatch resume`");
}

int agent_set_draining(struct agent *agent, bool draining, struct err *err)
{
        char *path CLEANUP_FREE = drained_path(agent);
        int r = 0;

        if (draining == agent->draining)
                return 1;
        if (draining)
                r = file_write_atomic(path, "", 0, DRAINED_MODE, FILE_WRITE_NO_SYNC, err);
        else if (unlink(path) < 0 && errno != ENOENT)
                r = err_set_errno(err, errno, "removing %s", path);
        if (r < 0)
                return r;
        agent->draining = draining;
        log_info(draining ? "the node is emptied: pods stop, in the reverse of their start order" : "pods start again");
        pod_store_mark(agent->store, NULL);
        return 0;
}

char *agent_still_running(struct agent *agent)
{
        struct buf text CLEANUP_BUF = BUF_INIT(NAMES_MAX);

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (may_run(e))
                        buf_addf(&text, "%s%s", text.len ? ", " : "", e->view->key);
        return buf_steal(&text, NULL);
}

/* --- trials ------------------------------------------------------------------------------------------------------- */

void agent_take_reverts(struct agent *agent)
{
        if (!agent->reverts)
                return;
        agent->reverts = false;
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                struct agent_pod *pod = agent_pod_of(e);

                if (!pod->reverted)
                        continue;
                if (agent->source && e->view->next)
                        manifest_source_reject(agent->source, pod->reverted, e->view->next->pod,
                                               e->view->next->revision);
                pod->reverted = pod_unref(pod->reverted);
        }
}
