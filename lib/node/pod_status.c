/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/pod_facts.h"
#include "node/pod_status.h"
#include "node/pod_step.h"

static const struct pod_wait *find_wait(const struct pod_status_input *in, int container)
{
        enum pod_which which = in->incarnation == in->view->next ? POD_NEXT : POD_CURRENT;

        for (size_t i = 0; in->plan && i < in->plan->wait_count; i++) {
                const struct pod_wait *wait = &in->plan->waits[i];
                if (wait->which == which && wait->container == container)
                        return wait;
        }
        return NULL;
}

static const char *find_message(const struct pod_status_input *in, int container, bool last)
{
        for (size_t i = 0; i < in->message_count; i++)
                if (in->messages[i].container == container && in->messages[i].last == last)
                        return in->messages[i].text;
        return NULL;
}

static void add_time_or_null(struct cJSON *object, const char *name, usec_t wall)
{
        if (wall == 0)
                cJSON_AddNullToObject(object, name);
        cjson_add_time(object, name, wall);
}

static void add_container_id(struct cJSON *object, const char *id)
{
        if (!*id)
                return;
        char *text CLEANUP_FREE = xasprintf("docker://%s", id);
        cJSON_AddStringToObject(object, "containerID", text);
}

const char *pod_status_ended_reason(const struct pod_instance *instance)
{
        if (instance->oom_killed)
                return "OOMKilled";
        if (instance->exit_code == 0)
                return "Completed";
        if (instance->finished_wall > 0)
                return "Error";
        /* Docker tells no end: of what never ran, or of what somebody took away while it ran. */
        return instance->started > 0 ? "ContainerStatusUnknown" : "ContainerCannotRun";
}

static struct cJSON *terminated(const struct pod_instance *instance, const char *message)
{
        struct cJSON *object = cJSON_CreateObject();

        cJSON_AddNumberToObject(object, "exitCode", instance->exit_code);
        cJSON_AddStringToObject(object, "reason", pod_status_ended_reason(instance));
        if (str_empty(message))
                message = instance->error;
        if (!str_empty(message))
                cJSON_AddStringToObject(object, "message", message);
        add_time_or_null(object, "startedAt", instance->started_wall);
        add_time_or_null(object, "finishedAt", instance->finished_wall);
        add_container_id(object, instance->id);
        return object;
}

static void add_waiting(struct cJSON *state, const char *reason, const char *message)
{
        struct cJSON *waiting = cJSON_AddObjectToObject(state, "waiting");

        cJSON_AddStringToObject(waiting, "reason", reason);
        if (!str_empty(message))
                cJSON_AddStringToObject(waiting, "message", message);
}

/* What a restart waits for shows as waiting, with what ended as lastState; a restart that follows at once does not. */
static bool shows_wait(const struct pod_wait *wait)
{
        return wait && !str_eq(wait->reason, "ContainerCreating") && !str_eq(wait->reason, "PodInitializing") &&
               !str_eq(wait->reason, "Terminating") && !str_eq(wait->reason, "Restarting");
}

static const char *default_wait(const struct pod_status_input *in, size_t i)
{
        const struct pod *pod = in->incarnation->pod;

        return pod->init_count > 0 && !pod->containers[i].init &&
                               fact_init_position(in->incarnation) < pod->container_count
                       ? "PodInitializing"
                       : "ContainerCreating";
}

static void add_state(struct cJSON *entry, const struct pod_status_input *in, size_t i)
{
        const struct pod_container_view *c = &in->incarnation->containers[i];
        struct cJSON *state = cJSON_AddObjectToObject(entry, "state"),
                     *last = cJSON_AddObjectToObject(entry, "lastState");
        struct pod_runs runs = fact_container_runs(c);
        const struct pod_wait *wait = find_wait(in, (int)i);
        bool newest_is_now = runs.newest == &c->now;
        bool stopped = in->incarnation->phase == POD_STOPPING || in->incarnation->phase == POD_ENDED;

        if (newest_is_now && c->now.state == INSTANCE_RUNNING && (c->post_start_done || stopped)) {
                add_time_or_null(cJSON_AddObjectToObject(state, "running"), "startedAt", c->now.started_wall);
        } else if (runs.newest && runs.newest->state == INSTANCE_EXITED &&
                   (stopped || (newest_is_now && !shows_wait(wait)))) {
                cJSON_AddItemToObject(state, "terminated",
                                      terminated(runs.newest, find_message(in, (int)i, !newest_is_now)));
        } else {
                add_waiting(state, wait ? wait->reason : default_wait(in, i), wait ? wait->message : NULL);
                /* The newest run has ended and another is awaited: it is the last one now. */
                if (runs.newest && runs.newest->state == INSTANCE_EXITED)
                        runs.before = runs.newest;
        }
        if (runs.before)
                cJSON_AddItemToObject(last, "terminated",
                                      terminated(runs.before, find_message(in, (int)i, runs.before == &c->last)));
}

static bool container_ready(const struct pod_incarnation *inc, size_t i)
{
        const struct pod_container_view *c = &inc->containers[i];

        /* An init container that has done its work counts as ready (pkg/kubelet/status/generate.go). */
        if (container_is_step(&inc->pod->containers[i]))
                return c->init_done;
        return c->now.state == INSTANCE_RUNNING && c->ready;
}

static struct cJSON *container_status(const struct pod_status_input *in, size_t i)
{
        const struct pod_incarnation *inc = in->incarnation;
        const struct pod_container *spec = &inc->pod->containers[i];
        const struct pod_container_view *c = &inc->containers[i];
        struct cJSON *entry = cJSON_CreateObject();
        struct pod_runs runs = fact_container_runs(c);
        char *image_id CLEANUP_FREE = c->image_id[0] ? xasprintf("docker://%s", c->image_id) : xstrdup("");

        cJSON_AddStringToObject(entry, "name", spec->name);
        add_state(entry, in, i);
        cJSON_AddBoolToObject(entry, "ready", container_ready(inc, i));
        cJSON_AddNumberToObject(entry, "restartCount", runs.newest ? runs.newest->attempt : 0);
        cJSON_AddStringToObject(entry, "image", spec->image);
        cJSON_AddStringToObject(entry, "imageID", image_id);
        if (runs.newest)
                add_container_id(entry, runs.newest->id);
        cJSON_AddBoolToObject(entry, "started", c->now.state == INSTANCE_RUNNING && c->started);
        return entry;
}

/* containerStatuses are sorted by name, initContainerStatuses keep the order of the spec. */
static void add_sorted(struct cJSON *list, struct cJSON *entry)
{
        const char *name = cjson_text(entry, "name", "");
        int at = 0;

        for (const struct cJSON *other = list->child; other; other = other->next, at++)
                if (strcmp(name, cjson_text(other, "name", "")) < 0)
                        break;
        cJSON_InsertItemInArray(list, at, entry);
}

static void add_container_statuses(struct cJSON *status, const struct pod_status_input *in)
{
        const struct pod *pod = in->incarnation->pod;

        if (pod->init_count > 0) {
                struct cJSON *list = cJSON_AddArrayToObject(status, "initContainerStatuses");
                for (size_t i = 0; i < pod->init_count; i++)
                        cJSON_AddItemToArray(list, container_status(in, i));
        }
        struct cJSON *list = cJSON_AddArrayToObject(status, "containerStatuses");
        for (size_t i = pod->init_count; i < pod->container_count; i++)
                add_sorted(list, container_status(in, i));
}

static const char *phase_of(const struct pod_status_input *in)
{
        const struct pod_incarnation *inc = in->incarnation;
        const struct pod *pod = inc->pod;
        const char *before = cjson_text(in->previous, "phase", "");
        bool failed = false;

        /* Once ended, for ever ended. */
        if (str_eq(before, "Failed") || str_eq(before, "Succeeded"))
                return str_eq(before, "Failed") ? "Failed" : "Succeeded";
        if (inc->terminal)
                return inc->terminal_failed ? "Failed" : "Succeeded";
        bool stopped = inc->phase == POD_STOPPING || inc->phase == POD_ENDED;
        /* What a stop of ours ends has not completed; nor has, for others, what still has sidecars to stop. */
        if ((!stopped || inc->stop_reason == POD_STOP_COMPLETED) && !fact_contains_running(inc) &&
            fact_completed(inc, &failed))
                return failed ? "Failed" : "Succeeded";
        /* What ran keeps running while it is stopped. */
        if (stopped && str_eq(before, "Running"))
                return "Running";
        if (fact_init_position(inc) < pod->container_count && !fact_ever_started(inc))
                return "Pending";
        for (size_t i = 0; i < pod->init_count; i++)
                if (container_is_step(&pod->containers[i]) && !inc->containers[i].init_done)
                        return "Pending";
        for (size_t i = pod->init_count; i < pod->container_count; i++)
                if (!fact_container_runs(&inc->containers[i]).newest)
                        return "Pending";
        return "Running";
}

struct condition {
        const char *type;
        bool is_true;
        const char *reason, *message; /* NULL without */
};

static void add_condition(struct cJSON *list, const struct pod_status_input *in, const struct condition *condition)
{
        struct cJSON *entry = cJSON_CreateObject();
        const struct cJSON *other, *before = NULL;
        const char *status = condition->is_true ? "True" : "False";

        cJSON_ArrayForEach (other, cjson_get(in->previous, "conditions", NULL)) {
                if (str_eq(cjson_text(other, "type", ""), condition->type) &&
                    str_eq(cjson_text(other, "status", ""), status))
                        before = other;
        }
        cJSON_AddStringToObject(entry, "type", condition->type);
        cJSON_AddStringToObject(entry, "status", status);
        cJSON_AddNullToObject(entry, "lastProbeTime");
        const char *since = cjson_text(before, "lastTransitionTime", NULL);
        if (since)
                cJSON_AddStringToObject(entry, "lastTransitionTime", since);
        else
                add_time_or_null(entry, "lastTransitionTime", in->now_wall);
        if (condition->reason)
                cJSON_AddStringToObject(entry, "reason", condition->reason);
        if (condition->message)
                cJSON_AddStringToObject(entry, "message", condition->message);
        cJSON_AddItemToArray(list, entry);
}

/* "containers with <word> status: [a b]"; NULL where there is none. */
static char *unready(const struct pod_incarnation *inc, size_t from, size_t to, const char *word)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        size_t count = 0;

        for (size_t i = from; i < to; i++) {
                bool waits = inc->pod->containers[i].sidecar ? !inc->containers[i].started : !container_ready(inc, i);
                if (waits)
                        buf_addf(&b, "%s%s", count++ ? " " : "", inc->pod->containers[i].name);
        }
        return count ? xasprintf("containers with %s status: [%s]", word, buf_str(&b)) : NULL;
}

static char *unready_apps(const struct pod_incarnation *inc)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        size_t count = 0;

        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (!container_is_step(&inc->pod->containers[i]) && !container_ready(inc, i))
                        buf_addf(&b, "%s%s", count++ ? " " : "", inc->pod->containers[i].name);
        return count ? xasprintf("containers with unready status: [%s]", buf_str(&b)) : NULL;
}

static void add_conditions(struct cJSON *status, const struct pod_status_input *in, const char *phase)
{
        const struct pod_incarnation *inc = in->incarnation;
        struct cJSON *list = cJSON_AddArrayToObject(status, "conditions");
        bool succeeded = str_eq(phase, "Succeeded"), failed = str_eq(phase, "Failed");
        bool sandbox = inc->sandbox.state == INSTANCE_RUNNING && (inc->pod->host_network || inc->ip[0]);
        char *inits CLEANUP_FREE = succeeded ? NULL : unready(inc, 0, inc->pod->init_count, "incomplete");
        char *apps CLEANUP_FREE = succeeded || failed ? NULL : unready_apps(inc);
        const char *ended = succeeded ? "PodCompleted" : failed ? "PodFailed" : NULL;
        const struct condition rows[] = {
                {"PodReadyToStartContainers", sandbox, NULL, NULL},
                {"Initialized", !inits,
                 inits       ? "ContainersNotInitialized"
                 : succeeded ? "PodCompleted"
                             : NULL,
                 inits},
                {"Ready", !apps && !ended,
                 ended  ? ended
                 : apps ? "ContainersNotReady"
                        : NULL,
                 apps},
                {"ContainersReady", !apps && !ended,
                 ended  ? ended
                 : apps ? "ContainersNotReady"
                        : NULL,
                 apps},
                {"PodScheduled", true, NULL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                add_condition(list, in, &rows[i]);
}

static void add_address(struct cJSON *status, const char *one, const char *list, const char *address)
{
        if (str_empty(address))
                return;
        struct cJSON *entry = cJSON_CreateObject();
        cJSON_AddStringToObject(status, one, address);
        cJSON_AddStringToObject(entry, "ip", address);
        cJSON_AddItemToArray(cJSON_AddArrayToObject(status, list), entry);
}

char *pod_status_version(const struct pod *pod)
{
        return xasprintf("%s/%s", pod->uid, pod->spec_hash);
}

/* Not another version's, nor of the time before it was gone and came back. */
static bool goes_on(const struct pod_status_input *in, const char *version)
{
        char start[TIMEFMT_MAX] = "";

        if (in->previous_version && !str_eq(in->previous_version, version))
                return false;
        if (in->incarnation->first_seen_wall)
                timefmt_seconds(in->incarnation->first_seen_wall, start);
        return str_eq(cjson_text(in->previous, "startTime", ""), start);
}

struct cJSON *pod_status(const struct pod_status_input *input)
{
        char *version CLEANUP_FREE = pod_status_version(input->incarnation->pod);
        struct pod_status_input own = *input;
        const struct pod_status_input *in = &own;

        if (!goes_on(input, version))
                own.previous = NULL;

        const struct pod_incarnation *inc = in->incarnation;
        struct cJSON *status = cJSON_CreateObject();
        const char *phase = phase_of(in);
        const struct pod_wait *wait = find_wait(in, -1);

        cJSON_AddStringToObject(status, "phase", phase);
        add_conditions(status, in, phase);
        /* What holds the whole pod; the kubelet has it for what it rejects. */
        if (inc->stop_reason == POD_STOP_DEADLINE) {
                cJSON_AddStringToObject(status, "reason", "DeadlineExceeded");
                cJSON_AddStringToObject(status, "message",
                                        "Pod was active on the node longer than the specified deadline");
        } else if (wait && str_eq(phase, "Pending")) {
                cJSON_AddStringToObject(status, "reason", wait->reason);
                cJSON_AddStringToObject(status, "message", wait->message);
        }
        add_address(status, "hostIP", "hostIPs", in->host_ip);
        add_address(status, "podIP", "podIPs",
                    inc->pod->host_network ? (inc->sandbox.state == INSTANCE_RUNNING ? in->host_ip : "") : inc->ip);
        add_time_or_null(status, "startTime", inc->first_seen_wall);
        add_container_statuses(status, in);
        cJSON_AddStringToObject(status, "qosClass", pod_qos_name(inc->pod->qos));
        return status;
}
