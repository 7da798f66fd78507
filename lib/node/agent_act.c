/* SPDX-License-Identifier: Apache-2.0
 *
 * What people ask of a running podwatch (local_act.h). Each is a change of a view as any other, so the journal has it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/local_act.h"
#include "node/manifest_source.h"
#include "node/pod_find.h"

#define OBJECT_MAX 320

/* What is asked for, found. */
struct target {
        struct pod_entry *entry;
        const struct pod_incarnation *inc;
        int container; /* -1: all */
};

__attribute__((format(printf, 3, 4))) static void answer(struct local_act_answer *ret, int status, const char *fmt, ...)
{
        va_list ap;
        struct err text = ERR_INIT;

        va_start(ap, fmt);
        (void)err_setv(&text, EINVAL, fmt, ap);
        va_end(ap);
        ret->status = status;
        ret->text = xstrdup(text.msg);
}

struct pod_entry *agent_find_entry(struct agent *agent, const char *word, struct err *err)
{
        struct pod_search search = {.word = word};
        struct pod_entry *e;
        size_t index = 0;

        for (e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e), index++) {
                const struct pod_incarnation *inc = agent_shown(e);

                if (inc)
                        pod_search_offer(&search, inc->pod->namespace, inc->pod->name, agent->config->node_name, index);
        }
        if (pod_search_end(&search, &index, err) < 0)
                return NULL;
        for (e = pod_store_next(agent->store, NULL); index > 0; index--)
                e = pod_store_next(agent->store, e);
        return e;
}

/* False: answered already. */
static bool find_target(struct agent *agent, const struct local_act_request *request, struct target *ret,
                        struct local_act_answer *ret_answer)
{
        struct err err = ERR_INIT;

        ret->container = -1;
        ret->entry = agent_find_entry(agent, request->pod, &err);
        if (!ret->entry) {
                answer(ret_answer, err.code == ENOENT ? 404 : 409, "%s", err.msg);
                return false;
        }
        ret->inc = agent_shown(ret->entry);
        if (str_empty(request->container))
                return true;
        for (size_t i = 0; i < ret->inc->pod->container_count; i++)
                if (str_eq(ret->inc->pod->containers[i].name, request->container))
                        ret->container = (int)i;
        if (ret->container >= 0)
                return true;
        answer(ret_answer, 404, "pod %s has no container %s", ret->entry->view->key, request->container);
        return false;
}

static void tell(struct agent *agent, const struct target *t, const char *reason, const char *what, unsigned uid)
{
        const struct pod *pod = t->inc->pod;
        char object[OBJECT_MAX] = "";
        char *text CLEANUP_FREE = xasprintf("%s asked for by user %u", what, uid);

        if (t->container >= 0)
                (void)snprintf(object, sizeof(object), "spec.%s{%s}",
                               pod->containers[t->container].init ? "initContainers" : "containers",
                               pod->containers[t->container].name);
        agent_post_event(agent, t->entry->view->key, pod, object, false, reason, text);
}

static void restart(struct agent *agent, const struct local_act_request *request, struct local_act_answer *ret)
{
        struct target t;

        if (!find_target(agent, request, &t, ret))
                return;
        if (t.inc != t.entry->view->current || t.inc->phase != POD_ACTIVE) {
                if (!agent->runtime_ready) {
                        answer(ret, 503, "Docker has not told yet what runs of pod %s: %s", t.entry->view->key,
                               agent->runtime_why ? agent->runtime_why : "it is being asked, try again");
                        return;
                }
                answer(ret, 409, "pod %s does not run now: `podwatch status %s` says why", t.entry->view->key,
                       t.entry->view->key);
                return;
        }
        if (t.container >= 0 && t.inc->pod->containers[t.container].init &&
            !t.inc->pod->containers[t.container].sidecar) {
                answer(ret, 409, "%s is an init container: it runs once for each start of the pod", request->container);
                return;
        }
        tell(agent, &t, "RestartRequested", "restart", request->uid);
        pod_store_restart(agent->store, t.entry, t.container, "a user asked for it", loop_now(agent->loop));
        answer(ret, 200, "%s%s%s restarts", t.entry->view->key, t.container < 0 ? "" : ": ",
               t.container < 0 ? "" : request->container);
}

static void retry(struct agent *agent, const struct local_act_request *request, struct local_act_answer *ret)
{
        struct target t;

        if (!find_target(agent, request, &t, ret))
                return;
        tell(agent, &t, "RetryRequested", "next try at once", request->uid);
        if (agent->source)
                manifest_source_retry(agent->source, t.inc->pod->namespace, t.inc->pod->name);
        pod_store_retry(agent->store, t.entry, t.container, loop_now(agent->loop));
        answer(ret, 200, "%s tries again now", t.entry->view->key);
}

static void drain(struct agent *agent, bool draining, struct local_act_answer *ret)
{
        struct err err = ERR_INIT;
        char *running CLEANUP_FREE = NULL;

        if (agent_set_draining(agent, draining, &err) < 0) {
                answer(ret, 500, "%s", err.msg);
                return;
        }
        running = agent_still_running(agent);
        if (!draining)
                answer(ret, 200, "pods start again");
        else if (*running)
                answer(ret, 202, "%s", running);
        else
                answer(ret, 200, "no pod runs; `podwatch resume` starts them again");
}

void agent_act(void *userdata, const struct local_act_request *request, struct local_act_answer *ret)
{
        struct agent *agent = userdata;

        switch (request->verb) {
        case LOCAL_ACT_RESTART:
                restart(agent, request, ret);
                break;
        case LOCAL_ACT_RETRY:
                retry(agent, request, ret);
                break;
        case LOCAL_ACT_DRAIN:
                drain(agent, true, ret);
                break;
        case LOCAL_ACT_RESUME:
                drain(agent, false, ret);
                break;
        case LOCAL_ACT_MAX:
                break;
        }
        agent_kick(agent);
}
