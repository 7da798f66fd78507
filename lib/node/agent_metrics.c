/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/go_arch.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/agent_metrics.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/machine.h"
#include "node/pod_exec.h"

#define OTHER "other"

/* podStartupDurationBuckets */
static const double pod_start_bounds[] = {0.5, 1,   2,   3,   4,   5,   6,   8,   10,   20,   30,   45,  60,
                                          120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600};

/* ExponentialBuckets(.005, 2.5, 14) */
static const double operation_bounds[] = {0.005,
                                          0.0125,
                                          0.03125,
                                          0.078125,
                                          0.1953125,
                                          0.48828125,
                                          1.220703125,
                                          3.0517578125,
                                          7.62939453125,
                                          19.073486328125,
                                          47.6837158203125,
                                          119.20928955078125,
                                          298.0232238769531,
                                          745.0580596923828};

static const char *const container_types[METRICS_CONTAINER_TYPES] = {
        [METRICS_CONTAINER] = "container",
        [METRICS_INIT_CONTAINER] = "init_container",
};

/* The CRI call that the kubelet would make; what it has none for is not counted. */
static const char *const operation_names[POD_OP_MAX] = {
        [POD_OP_SANDBOX_START] = "run_podsandbox",
        [POD_OP_SANDBOX_STOP] = "stop_podsandbox",
        [POD_OP_IMAGE] = "pull_image",
        [POD_OP_CREATE] = "create_container",
        [POD_OP_START] = "start_container",
        [POD_OP_SIGNAL] = "stop_container",
        [POD_OP_REMOVE] = "remove_container",
};

/* --- counting ----------------------------------------------------------------------------------------------------- */

static void count_operation(struct agent_metrics *m, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        enum pod_op op = outcome->op == POD_OP_SANDBOX_CREATE ? POD_OP_SANDBOX_START : outcome->op;

        /* Two steps of one call: the first counts only where it is the last. */
        if (outcome->op == POD_OP_SANDBOX_CREATE && outcome->success)
                return;
        if (op == POD_OP_IMAGE && !job->pulled && outcome->success)
                return;
        m->operations[op]++;
        if (!outcome->success)
                m->operation_errors[op]++;
        metrics_histogram_add(&m->operation_times[op], operation_bounds, ARRAY_SIZE(operation_bounds),
                              (double)job->lasted / (double)USEC_PER_SEC);
}

static void count_container_error(struct agent_metrics *m, int type, const char *code)
{
        size_t i = 0;

        while (i < AGENT_METRICS_CODES_MAX - 1 && *m->container_errors[i].code &&
               !str_eq(m->container_errors[i].code, code))
                i++;
        if (!*m->container_errors[i].code)
                str_copy(m->container_errors[i].code, AGENT_METRICS_CODE_MAX,
                         i == AGENT_METRICS_CODES_MAX - 1 ? OTHER : code);
        m->container_errors[i].count[type]++;
}

/* An attempt is a pull that failed, or a create; a start that failed is a create's that succeeded. */
static void count_container(struct agent_metrics *m, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        int type = job->pod->containers[job->container].init ? METRICS_INIT_CONTAINER : METRICS_CONTAINER;

        if (outcome->op == POD_OP_CREATE || (outcome->op == POD_OP_IMAGE && !outcome->success))
                m->started_containers[type]++;
        if (!outcome->success &&
            (outcome->op == POD_OP_CREATE || outcome->op == POD_OP_START || outcome->op == POD_OP_IMAGE))
                count_container_error(m, type, outcome->reason ? outcome->reason : OTHER);
}

void agent_metrics_outcome(struct agent *agent, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        struct agent_metrics *m = &agent->metrics;

        if (outcome->op >= POD_OP_MAX)
                return;
        count_operation(m, job, outcome);
        if (job->container >= 0)
                count_container(m, job, outcome);
        else if (outcome->op == POD_OP_SANDBOX_START || (outcome->op == POD_OP_SANDBOX_CREATE && !outcome->success))
                m->started_pods++;
        if (job->container < 0 && !outcome->success &&
            (outcome->op == POD_OP_SANDBOX_CREATE || outcome->op == POD_OP_SANDBOX_START))
                m->started_pods_errors++;
}

/* A manifest may give each version the same UID. */
static bool counts_probes_of(const struct agent_pod *state, const struct pod *pod)
{
        return str_eq(state->probe_uid, pod->uid) && str_eq(state->probe_hash, pod->spec_hash);
}

void agent_metrics_probe(struct agent_pod *state, const struct pod_exec_job *job, bool success, bool error)
{
        /* Another version of the pod begins again, as its labels do. */
        if (!counts_probes_of(state, job->pod)) {
                free(state->probe_uid);
                free(state->probe_hash);
                free(state->probe_counts);
                state->probe_uid = xstrdup(job->pod->uid);
                state->probe_hash = xstrdup(job->pod->spec_hash);
                state->probe_counts = xcalloc(job->pod->container_count, sizeof(*state->probe_counts));
                state->probe_containers = job->pod->container_count;
        }
        if (job->container < 0 || (size_t)job->container >= state->probe_containers)
                return;
        if (error)
                state->probe_counts[job->container].of[job->probe].unknown++;
        else if (success)
                state->probe_counts[job->container].of[job->probe].successful++;
        else
                state->probe_counts[job->container].of[job->probe].failed++;
}

void agent_metrics_status(struct agent *agent, const struct pod_incarnation *inc, const struct cJSON *before,
                          const struct cJSON *after)
{
        usec_t now = loop_now(agent->loop);

        /* One that ran before it was seen was adopted, not started. */
        if (str_eq(cjson_text(before, "phase", "Pending"), "Pending") &&
            str_eq(cjson_text(after, "phase", ""), "Running") && inc->sandbox.started >= inc->first_seen)
                metrics_histogram_add(&agent->metrics.pod_start, pod_start_bounds, ARRAY_SIZE(pod_start_bounds),
                                      (double)usec_sub(now, inc->first_seen) / (double)USEC_PER_SEC);
}

/* --- what can be seen now ------------------------------------------------------------------------------------------
 */

enum { LIFECYCLE_SYNC, LIFECYCLE_TERMINATING, LIFECYCLE_TERMINATED, LIFECYCLES };
enum { ORIGIN_DESIRED, ORIGIN_ORPHAN, ORIGIN_RUNTIME_ONLY, ORIGINS };

struct seen {
        uint64_t sandboxes, desired, active, mirrors;
        uint64_t containers[INSTANCE_MAX];
        uint64_t working[ORIGINS][LIFECYCLES];
};

static void see_incarnation(const struct pod_view *view, const struct pod_incarnation *inc, struct seen *seen)
{
        bool desired = view->wanted && inc == (view->next ? view->next : view->current);
        int origin = desired ? ORIGIN_DESIRED : inc->revision > 0 ? ORIGIN_ORPHAN : ORIGIN_RUNTIME_ONLY;
        int lifecycle = inc->phase == POD_ENDED || inc->terminal                 ? LIFECYCLE_TERMINATED
                        : inc->phase == POD_STOPPING || origin != ORIGIN_DESIRED ? LIFECYCLE_TERMINATING
                                                                                 : LIFECYCLE_SYNC;

        if (inc->sandbox.state == INSTANCE_RUNNING)
                seen->sandboxes++;
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                seen->containers[inc->containers[i].now.state]++;
                seen->containers[inc->containers[i].last.state]++;
        }
        /* A pod that is not wanted and has ended is nobody's any more, but for what is cleaned up. */
        if (origin == ORIGIN_DESIRED || inc->phase != POD_ENDED)
                seen->working[origin][lifecycle]++;
        if (desired && lifecycle != LIFECYCLE_TERMINATED)
                seen->active++;
}

static void see(const struct agent *agent, struct seen *seen)
{
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_view *view = e->view;
                const struct pod_incarnation *all[] = {view->old, view->current, view->next}, *shown = agent_shown(e);

                seen->desired += view->wanted;
                seen->mirrors += shown && shown->revision > 0;
                for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                        if (all[i])
                                see_incarnation(view, all[i], seen);
        }
}

/* --- text ----------------------------------------------------------------------------------------------------------
 */

static void one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value)
{
        metrics_family(out, name, type, help);
        metrics_sample1(out, name, NULL, NULL, (double)value);
}

/* All pods here are static; the other half is there for who adds both. */
static void by_static(struct buf *out, const char *name, const char *help, uint64_t value)
{
        metrics_family(out, name, "gauge", help);
        metrics_sample1(out, name, "static", "", 0);
        metrics_sample1(out, name, "static", "true", (double)value);
}

static void write_working(struct buf *out, const struct seen *seen)
{
        static const char *const lifecycles[LIFECYCLES] = {"sync", "terminating", "terminated"};
        static const char *const origins[ORIGINS] = {"desired", "orphan", "runtime_only"};
        const char *name = "kubelet_working_pods";

        metrics_family(out, name, "gauge",
                       "Number of pods the kubelet is actually running, broken down by lifecycle phase, whether the "
                       "pod is desired, orphaned, or runtime only (also orphaned), and whether the pod is static.");
        for (size_t o = 0; o < ORIGINS; o++) {
                for (size_t l = 0; l < LIFECYCLES; l++) {
                        struct metrics_label labels[] = {{"config", origins[o]},
                                                         {"lifecycle", lifecycles[l]},
                                                         {"static", o == ORIGIN_RUNTIME_ONLY ? "unknown" : "true"}};

                        metrics_sample(out, name, labels, ARRAY_SIZE(labels), (double)seen->working[o][l]);
                        labels[2].value = "";
                        if (o != ORIGIN_RUNTIME_ONLY)
                                metrics_sample(out, name, labels, ARRAY_SIZE(labels), 0);
                }
        }
}

static void write_seen(struct agent *agent, struct buf *out)
{
        struct seen seen = {0};

        see(agent, &seen);
        metrics_family(out, "kubelet_node_name", "gauge", "The node's name. The count is always 1.");
        metrics_sample1(out, "kubelet_node_name", "node", agent->config->node_name, 1);
        one(out, "kubelet_running_pods", "gauge", "Number of pods that have a running pod sandbox", seen.sandboxes);
        metrics_family(out, "kubelet_running_containers", "gauge", "Number of containers currently running");
        metrics_sample1(out, "kubelet_running_containers", "container_state", "created",
                        (double)seen.containers[INSTANCE_CREATED]);
        metrics_sample1(out, "kubelet_running_containers", "container_state", "exited",
                        (double)seen.containers[INSTANCE_EXITED]);
        metrics_sample1(out, "kubelet_running_containers", "container_state", "running",
                        (double)seen.containers[INSTANCE_RUNNING]);
        by_static(out, "kubelet_desired_pods",
                  "The number of pods the kubelet is being instructed to run. static is true if the pod is not from "
                  "the apiserver.",
                  seen.desired);
        by_static(out, "kubelet_active_pods",
                  "The number of pods the kubelet considers active and which are being considered when admitting new "
                  "pods. static is true if the pod is not from the apiserver.",
                  seen.active);
        one(out, "kubelet_mirror_pods", "gauge",
            "The number of mirror pods the kubelet will try to create (one per admitted static pod)", seen.mirrors);
        write_working(out, &seen);
}

static void write_containers(const struct agent_metrics *m, struct buf *out)
{
        const char *started = "kubelet_started_containers_total", *errors = "kubelet_started_containers_errors_total";

        metrics_family(out, started, "counter", "Cumulative number of containers started");
        for (size_t t = 0; t < METRICS_CONTAINER_TYPES; t++)
                metrics_sample1(out, started, "container_type", container_types[t], (double)m->started_containers[t]);
        metrics_family(out, errors, "counter", "Cumulative number of errors when starting containers");
        for (size_t i = 0; i < AGENT_METRICS_CODES_MAX && *m->container_errors[i].code; i++) {
                for (size_t t = 0; t < METRICS_CONTAINER_TYPES; t++) {
                        const struct metrics_label labels[] = {{"code", m->container_errors[i].code},
                                                               {"container_type", container_types[t]}};

                        if (m->container_errors[i].count[t] > 0)
                                metrics_sample(out, errors, labels, ARRAY_SIZE(labels),
                                               (double)m->container_errors[i].count[t]);
                }
        }
}

static void write_operations(const struct agent_metrics *m, struct buf *out)
{
        const struct {
                const char *name, *help;
                const uint64_t *counts;
        } families[] = {
                {"kubelet_runtime_operations_total", "Cumulative number of runtime operations by operation type.",
                 m->operations},
                {"kubelet_runtime_operations_errors_total",
                 "Cumulative number of runtime operation errors by operation type.", m->operation_errors},
        };

        for (size_t f = 0; f < ARRAY_SIZE(families); f++) {
                metrics_family(out, families[f].name, "counter", families[f].help);
                for (size_t op = 0; op < POD_OP_MAX; op++)
                        if (operation_names[op])
                                metrics_sample1(out, families[f].name, "operation_type", operation_names[op],
                                                (double)families[f].counts[op]);
        }
        metrics_family(out, "kubelet_runtime_operations_duration_seconds", "histogram",
                       "Duration in seconds of runtime operations. Broken down by operation type.");
        for (size_t op = 0; op < POD_OP_MAX; op++) {
                const struct metrics_label label = {"operation_type", operation_names[op]};

                if (operation_names[op] && m->operation_times[op].count > 0)
                        metrics_histogram_write(out, "kubelet_runtime_operations_duration_seconds", &label,
                                                &m->operation_times[op], operation_bounds,
                                                ARRAY_SIZE(operation_bounds));
        }
}

static void write_counts(const struct agent_metrics *m, struct buf *out)
{
        one(out, "kubelet_started_pods_total", "counter", "Cumulative number of pods started", m->started_pods);
        one(out, "kubelet_started_pods_errors_total", "counter", "Cumulative number of errors when starting pods",
            m->started_pods_errors);
        write_containers(m, out);
        write_operations(m, out);
        one(out, "kubelet_orphaned_runtime_pods_total", "counter",
            "Number of pods that have been detected in the container runtime without being already known to the pod "
            "worker.",
            m->orphans);
        metrics_family(out, "kubelet_pod_start_duration_seconds", "histogram",
                       "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run");
        metrics_histogram_write(out, "kubelet_pod_start_duration_seconds", NULL, &m->pod_start, pod_start_bounds,
                                ARRAY_SIZE(pod_start_bounds));
}

static void write_build(struct buf *out)
{
        char *platform CLEANUP_FREE = NULL;
        struct utsname names = {0};

        (void)uname(&names);
        platform = xasprintf("linux/%s", go_architecture(names.machine));
        const struct metrics_label labels[] = {{"build_date", ""},
                                               {"compiler", "gcc"},
                                               {"git_commit", ""},
                                               {"git_tree_state", ""},
                                               {"git_version", API_SIDE_KUBELET_VERSION},
                                               {"go_version", ""},
                                               {"major", "1"},
                                               {"minor", "36"},
                                               {"platform", platform}};
        metrics_family(out, "kubernetes_build_info", "gauge",
                       "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree "
                       "state, build date, Go version, and compiler from which Kubernetes was built, and platform on "
                       "which it is running.");
        metrics_sample(out, "kubernetes_build_info", labels, ARRAY_SIZE(labels), 1);
}

static void write_cause(void *userdata, const struct loop_cause *cause)
{
        metrics_sample1(userdata, "podwatch_wakeups_total", "cause", cause->name, (double)cause->wakes);
}

char *agent_show_metrics(void *userdata)
{
        struct agent *agent = userdata;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        write_seen(agent, &out);
        write_counts(&agent->metrics, &out);
        write_build(&out);
        metrics_family(&out, "podwatch_wakeups_total", "counter", "Times that podwatch slept and woke, by the cause.");
        loop_causes(agent->loop, write_cause, &out);
        metrics_process(&out);
        return buf_steal(&out, NULL);
}

static void write_probes(struct buf *out, const struct pod *pod, const struct agent_pod *state, size_t container,
                         enum pod_probe_kind kind)
{
        const struct {
                const char *result;
                uint64_t count;
        } results[] = {
                {"successful", state->probe_counts[container].of[kind].successful},
                {"failed", state->probe_counts[container].of[kind].failed},
                {"unknown", state->probe_counts[container].of[kind].unknown},
        };

        for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
                const struct metrics_label labels[] = {{"container", pod->containers[container].name},
                                                       {"namespace", pod->namespace},
                                                       {"pod", pod->name},
                                                       {"pod_uid", pod->uid},
                                                       {"probe_type", pod_probe_kind_name(kind)},
                                                       {"result", results[i].result}};

                if (results[i].count > 0)
                        metrics_sample(out, "prober_probe_total", labels, ARRAY_SIZE(labels), (double)results[i].count);
        }
}

char *agent_show_probe_metrics(void *userdata)
{
        struct agent *agent = userdata;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        metrics_family(&out, "prober_probe_total", "counter",
                       "Cumulative number of a liveness, readiness or startup probe for a container by result.");
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *inc = agent_shown(e);
                const struct agent_pod *state = agent_pod_of(e);

                if (!inc || !counts_probes_of(state, inc->pod))
                        continue;
                for (size_t c = 0; c < state->probe_containers && c < inc->pod->container_count; c++)
                        for (int kind = 0; kind < POD_PROBE_KIND_MAX; kind++)
                                write_probes(&out, inc->pod, state, c, (enum pod_probe_kind)kind);
        }
        return buf_steal(&out, NULL);
}
