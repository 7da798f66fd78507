/* SPDX-License-Identifier: Apache-2.0
 *
 * What is worth telling, in the kubelet's reasons and words (pkg/kubelet/events/event.go, kuberuntime), so that alerts
 * written for it go on working: to the log, to the ring that `podwatch` shows, and to the API server.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/admission.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/event_log.h"
#include "node/pod_exec.h"

#define OBJECT_MAX 160

void agent_post_event(struct agent *agent, const char *key, const struct pod *pod, const char *object, bool warning,
                      const char *reason, const char *message)
{
        char text[LIMIT_EVENT_MESSAGE]; /* what a container wrote may be in it */
        const struct event_log_entry entry = {
                .key = (char *)key,
                .uid = pod->uid,
                .object = (char *)object,
                .warning = warning,
                .reason = (char *)reason,
                .message = text,
        };
        const struct event event = {
                .kind = "Pod",
                .namespace = pod->namespace,
                .name = pod->name,
                .uid = pod->uid,
                .field_path = *object ? object : NULL,
                .warning = warning,
                .reason = reason,
                .message = text,
        };
        const struct log_field fields[] = {{"pod", key}, {"object", *object ? object : NULL}, {"reason", reason}};
        enum log_level level = warning ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;

        pod_view_text(text, sizeof(text), message);
        unsigned count = agent_keep_event(agent, &entry);
        api_side_event(agent->api, &event);
        /* The log hears of repeats at 2, 4, 8, ... */
        if ((count & (count - 1)) != 0)
                level = LOG_LEVEL_DEBUG;
        log_fields(level, fields, ARRAY_SIZE(fields), "%s", text);
}

static void object_name(const struct pod *pod, int container, char ret_text[OBJECT_MAX])
{
        ret_text[0] = '\0';
        if (container >= 0)
                (void)snprintf(ret_text, OBJECT_MAX, "spec.%s{%s}",
                               pod->containers[container].init ? "initContainers" : "containers",
                               pod->containers[container].name);
}

static void post(struct agent *agent, const struct pod_exec_job *job, bool warning, const char *reason,
                 const char *message)
{
        char object[OBJECT_MAX];

        object_name(job->pod, job->container, object);
        agent_post_event(agent, job->key, job->pod, object, warning, reason, message);
}

void agent_event(struct agent *agent, const struct pod_entry *entry, const struct pod_action *action)
{
        const struct pod_incarnation *inc = pod_view_incarnation(entry->view, action->which);
        char object[OBJECT_MAX];

        if (!inc)
                return;
        object_name(inc->pod, action->container, object);
        agent_post_event(agent, entry->view->key, inc->pod, object, action->warning, action->reason, action->message);
}

static void image_is_there(struct agent *agent, const struct pod_exec_job *job)
{
        const char *image = job->pod->containers[job->container].image;
        char *text CLEANUP_FREE = NULL;
        char took[TIMEFMT_MAX];

        duration_text((int64_t)(job->took / USEC_PER_MSEC) * 1000000, took);
        if (job->pulled)
                text = xasprintf("Successfully pulled image \"%s\" in %s (%s including waiting). Image size: %" PRId64
                                 " bytes.",
                                 image, took, took, job->image_size);
        else
                text = xasprintf("Container image \"%s\" already present on machine", image);
        post(agent, job, false, "Pulled", text);
}

static void succeeded(struct agent *agent, const struct pod_exec_job *job, enum pod_op op)
{
        if (op == POD_OP_IMAGE)
                image_is_there(agent, job);
        else if (op == POD_OP_CREATE)
                post(agent, job, false, "Created", "Container created");
        else if (op == POD_OP_START)
                post(agent, job, false, "Started", "Container started");
}

/* Reason of the event and what stands in front of the message, by what failed. */
static const struct failure {
        const char *reason, *before;
} failures[POD_OP_MAX] = {
        [POD_OP_VOLUMES] = {"FailedMount", ""},
        [POD_OP_SANDBOX_CREATE] = {"FailedCreatePodSandBox", "Failed to create pod sandbox: "},
        [POD_OP_SANDBOX_START] = {"FailedCreatePodSandBox", "Failed to create pod sandbox: "},
        [POD_OP_SANDBOX_STOP] = {"FailedKillPod", "error killing pod: "},
        [POD_OP_CLEANUP] = {"FailedSync", "error cleaning up: "},
        [POD_OP_IMAGE] = {"Failed", ""},
        [POD_OP_CREATE] = {"Failed", "Error: "},
        [POD_OP_START] = {"Failed", "Error: "},
        [POD_OP_POST_START] = {"FailedPostStartHook", ""},
        [POD_OP_PRE_STOP] = {"FailedPreStopHook", ""},
        [POD_OP_SIGNAL] = {"FailedKillPod", "error killing pod: "},
        [POD_OP_KILL] = {"FailedKillPod", "error killing pod: "},
        [POD_OP_REMOVE] = {"FailedSync", "error removing a container: "},
};

void agent_events_of_outcome(struct agent *agent, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        const struct failure *failure = &failures[outcome->op];
        bool never = str_eq(outcome->reason, "ErrImageNeverPull");

        if (outcome->success) {
                succeeded(agent, job, outcome->op);
                return;
        }
        /* With Docker away everything fails, which is said once, elsewhere. */
        if (!agent->runtime_ready || !failure->reason)
                return;
        char *text CLEANUP_FREE = NULL;
        if (outcome->op == POD_OP_IMAGE && !never)
                text = xasprintf("Failed to pull image \"%s\": %s", job->pod->containers[job->container].image,
                                 outcome->message);
        else
                text = xasprintf("%s%s", failure->before, outcome->message);
        post(agent, job, true, never ? outcome->reason : failure->reason, text);
}

void agent_event_of_probe(struct agent *agent, const struct pod_exec_job *job, bool error, const char *output)
{
        const char *outcome = error ? "errored and resulted in unknown state" : job->warning ? "warning" : "failed";
        char *text CLEANUP_FREE = xasprintf("%s probe %s: %s", pod_probe_kind_name(job->probe), outcome, output);

        post(agent, job, true, job->warning ? "ProbeWarning" : "Unhealthy", text);
}

void agent_event_of_pull(struct agent *agent, const struct pod_exec_job *job)
{
        char *text CLEANUP_FREE = xasprintf("Pulling image \"%s\"", job->pod->containers[job->container].image);

        post(agent, job, false, "Pulling", text);
}

/* Once for each wait, not each time that it is looked at. */
void agent_events_of_waits(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *state = agent_pod_of(entry);
        usec_t latest = state->backoff_told;

        for (size_t i = 0; i < entry->plan.wait_count; i++) {
                const struct pod_wait *wait = &entry->plan.waits[i];
                const struct pod_incarnation *inc = pod_view_incarnation(entry->view, wait->which);
                bool crash = str_eq(wait->reason, "CrashLoopBackOff"), pull = str_eq(wait->reason, "ImagePullBackOff");

                if (!inc || wait->container < 0 || (!crash && !pull) || wait->until == USEC_INFINITY ||
                    wait->until <= state->backoff_told)
                        continue;
                const struct pod_exec_job job = {
                        .key = entry->view->key, .pod = inc->pod, .container = wait->container};
                const struct pod_container *c = &inc->pod->containers[wait->container];
                char *text CLEANUP_FREE = crash ? xasprintf("Back-off restarting failed container %s in pod %s_%s(%s)",
                                                            c->name, inc->pod->name, inc->pod->namespace, inc->pod->uid)
                                                : xasprintf("Back-off pulling image \"%s\"", c->image);
                post(agent, &job, crash, "BackOff", text); /* that of a pull is Normal with the kubelet, too */
                latest = wait->until > latest ? wait->until : latest;
        }
        state->backoff_told = latest;
}

void agent_event_of_hold(struct agent *agent, struct pod_entry *entry)
{
        const struct pod_incarnation *inc = entry->view->next ? entry->view->next : entry->view->current;
        struct agent_pod *state = agent_pod_of(entry);
        bool held = entry->view->hold[0] != '\0';

        char reason[ADMISSION_REASON_MAX];
        const char *message = admission_reason(entry->view->hold, reason);

        if (held && inc && !state->hold_told)
                agent_post_event(agent, entry->view->key, inc->pod, "", true, reason, message);
        state->hold_told = held;
}
