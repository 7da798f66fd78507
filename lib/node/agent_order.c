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
#include "node/agent_private.h"
#include "node/order_hold.h"
#include "node/start_order.h"

#define DRAINED_MODE 0600
#define NAMES_MAX 4096

static void tell_circle(struct agent *agent, struct pod_entry *entry, const char *circle)
{
        struct agent_pod *pod = agent_pod_of(entry);
        char *text CLEANUP_FREE = NULL;

        if (str_eq(pod->circle, circle))
                return;
        free(pod->circle);
        pod->circle = xstrdup(circle);
        text = xasprintf("start order is a circle, these do not wait for each other: %s", circle);
        agent_post_event(agent, entry->view->key, order_wanted(entry), "", true, "StartOrderCircle", text);
}

void agent_hold_by_order(struct agent *agent, struct pod_entry *entry, char *ret_text, size_t size)
{
        char *circle CLEANUP_FREE = NULL;

        order_hold(agent->store, entry, agent->config->node_name, ret_text, size, &circle);
        if (circle)
                tell_circle(agent, entry, circle);
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
                if ((agent->draining && !e->view->drain) || order_is_held(e))
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
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                revert_tell(&agent_pod_of(e)->reverted, agent->source);
}
