/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "node/container_name.h"
#include "node/pod_facts.h"
#include "rig.h"

#define START (1000 * SEC)         /* boot time at rig_init */
#define START_WALL (1700000 * SEC) /* wall time then */

struct pod *rig_pod(const char *uid, const char *hash, size_t init_count, size_t app_count)
{
        struct pod *pod = xcalloc(1, sizeof(*pod));

        pod->refs = 1;
        pod->name = xstrdup("web-node");
        pod->namespace = xstrdup("default");
        pod->uid = xstrdup(uid);
        pod_view_text(pod->spec_hash, sizeof(pod->spec_hash), hash);
        pod->container_count = init_count + app_count;
        pod->init_count = init_count;
        pod->containers = xcalloc(pod->container_count, sizeof(*pod->containers));
        for (size_t i = 0; i < pod->container_count; i++) {
                struct pod_container *c = &pod->containers[i];

                c->init = i < init_count;
                c->name = xasprintf("%s%zu", c->init ? "init" : "app", c->init ? i : i - init_count);
                c->image = xasprintf("image/%s:1", c->name);
                c->pull_policy = POD_PULL_IF_NOT_PRESENT;
                for (int k = 0; k < POD_PROBE_KIND_MAX; k++)
                        c->probes[k].termination_grace_seconds = -1;
        }
        pod->restart_policy = POD_RESTART_ALWAYS;
        pod->termination_grace_seconds = 30;
        pod->host_network = true;
        return pod;
}

struct pod_container *rig_container(struct pod *pod, const char *name)
{
        for (size_t i = 0; i < pod->container_count; i++)
                if (str_eq(pod->containers[i].name, name))
                        return &pod->containers[i];
        fail_msg("no container %s", name);
        return NULL;
}

void rig_handler_exec(struct pod_handler *handler)
{
        handler->type = POD_HANDLER_EXEC;
        strv_add(&handler->command, "true");
}

void rig_probe(struct pod *pod, const char *container, enum pod_probe_kind kind, int period, int failures)
{
        struct pod_probe *probe = &rig_container(pod, container)->probes[kind];

        rig_handler_exec(&probe->handler);
        probe->period_seconds = period;
        probe->timeout_seconds = 1;
        probe->success_threshold = 1;
        probe->failure_threshold = failures;
}

void rig_init(struct rig *rig)
{
        *rig = (struct rig){.view = pod_view_new("default/web-node"), .now = START, .wall = START_WALL};
        rig->log = BUF_INIT(1 << 20);
        rig->view->runtime_ready = true;
}

void rig_release(struct rig *rig)
{
        pod_plan_release(&rig->plan);
        rig->view = pod_view_free(rig->view);
        buf_release(&rig->log);
}

void rig_want(struct rig *rig, struct pod *pod)
{
        (void)pod_want(rig->view, pod, 1, rig->now, rig->wall);
        pod_unref(pod);
}

/* --- taking up ------------------------------------------------------------------------------------------------ */

static const char *where(const struct rig *rig, enum pod_which which, int container)
{
        static char text[96];
        const struct pod_incarnation *inc = pod_view_incarnation(rig->view, which);

        (void)snprintf(text, sizeof(text), "%s%s",
                       which == POD_CURRENT ? ""
                       : which == POD_NEXT  ? "next/"
                                            : "old/",
                       container < 0 ? "" : inc->pod->containers[container].name);
        return text;
}

static void note(struct rig *rig, const char *word, const char *object)
{
        buf_addf(&rig->log, "%s%s%s%s", rig->log.len ? " " : "", word, object[0] ? ":" : "", object);
}

static struct rig_op *op_new(struct rig *rig)
{
        for (size_t i = 0; i < RIG_OPS_MAX; i++)
                if (!rig->ops[i].taken)
                        return &rig->ops[i];
        fail_msg("too many requests under way");
        return NULL;
}

static void take_up(struct rig *rig, const struct pod_action *a)
{
        struct rig_op op = {.op = a->op, .container = a->container, .probe = a->probe, .taken = true};

        op.inc = pod_view_incarnation(rig->view, a->which);
        switch (a->kind) {
        case POD_ACTION_OP:
                note(rig, pod_op_name(a->op), where(rig, a->which, a->container));
                break;
        case POD_ACTION_PROBE:
                op.op = POD_OP_PROBE;
                note(rig, (const char *[]){"startup?", "liveness?", "readiness?"}[a->probe],
                     where(rig, a->which, a->container));
                break;
        case POD_ACTION_GARBAGE:
                op.op = POD_OP_REMOVE;
                pod_view_text(op.garbage, sizeof(op.garbage), rig->view->garbage[a->garbage].id);
                note(rig, rig->view->garbage[a->garbage].state == INSTANCE_RUNNING ? "kill-remove" : "remove",
                     op.garbage);
                break;
        case POD_ACTION_STOP:
                note(rig, "STOP", pod_stop_reason_name(a->stop_reason));
                break;
        case POD_ACTION_ACTIVATE:
        case POD_ACTION_END:
        case POD_ACTION_PROMOTE:
        case POD_ACTION_REVIVE:
        case POD_ACTION_ACCEPT:
        case POD_ACTION_REVERT:
        case POD_ACTION_DROP:
                note(rig,
                     (const char *[]){"ACTIVATE", "END", "PROMOTE", "REVIVE", "ACCEPT", "REVERT",
                                      "DROP"}[a->kind - POD_ACTION_ACTIVATE],
                     where(rig, a->which, -1));
                break;
        case POD_ACTION_EVENT:
                (void)snprintf(rig->event, sizeof(rig->event), "%s: %s", a->reason, a->message);
                return;
        case POD_ACTION_MAX:
                return;
        }
        op.generation = pod_apply_action(rig->view, a, rig->now);
        if (op.op != POD_OP_NONE)
                *op_new(rig) = op;
}

void rig_orphan(struct rig *rig, struct pod *pod)
{
        struct docker_container sandbox;

        assert_int_equal(pod_insert_orphan(rig->view, pod, 0, rig->now, rig->wall), 1);
        rig_show(rig, &sandbox, "sandbox", pod->uid, pod->spec_hash, "", 0, "", true);
        (void)pod_observe_container(rig->view, &sandbox, rig->now, rig->wall);
        docker_container_release(&sandbox);
        pod_unref(pod);
}

void rig_step(struct rig *rig)
{
        bool edge;
        int rounds = 0;

        do {
                edge = false;
                pod_step(rig->view, rig->now, &rig->plan);
                for (size_t i = 0; i < rig->plan.count; i++) {
                        edge |= pod_action_is_edge(rig->plan.actions[i].kind);
                        take_up(rig, &rig->plan.actions[i]);
                }
                assert_true(++rounds < 20);
        } while (edge);
}

void rig_at(struct rig *rig, usec_t at)
{
        assert_true(START + at >= rig->now);
        rig->wall += START + at - rig->now;
        rig->now = START + at;
        rig_step(rig);
}

/* --- outcomes ------------------------------------------------------------------------------------------------- */

static void outcome(struct rig *rig, struct rig_op *op, bool success, const char *reason)
{
        char id[32];

        rig->ids += op->op == POD_OP_CREATE || op->op == POD_OP_SANDBOX_CREATE;
        (void)snprintf(id, sizeof(id), "id%u", rig->ids);
        op->taken = false;
        if (op->op == POD_OP_REMOVE) {
                (void)pod_apply_garbage_outcome(rig->view, op->garbage, op->generation, success, reason, rig->now);
                return;
        }
        (void)pod_apply_outcome(rig->view,
                                &(struct pod_outcome){.op = op->op,
                                                      .generation = op->generation,
                                                      .success = success,
                                                      .id = id,
                                                      .reason = reason,
                                                      .message = reason},
                                rig->now);
}

static struct rig_op *find_op(struct rig *rig, enum pod_op kind, const char *container)
{
        const char *name = str_after(container, "next/");
        const struct pod_incarnation *inc = name ? rig->view->next : NULL;

        name = name ? name : container;
        for (size_t i = 0; i < RIG_OPS_MAX; i++) {
                struct rig_op *op = &rig->ops[i];

                if (!op->taken || op->op != kind || (inc && op->inc != inc))
                        continue;
                if (kind == POD_OP_REMOVE || (op->container < 0 && name[0] == '\0') ||
                    (op->container >= 0 && str_eq(op->inc->pod->containers[op->container].name, name)))
                        return op;
        }
        fail_msg("no %s of '%s' under way", pod_op_name(kind), container);
        return NULL;
}

void rig_done(struct rig *rig, enum pod_op op, const char *container)
{
        outcome(rig, find_op(rig, op, container), true, NULL);
        rig_step(rig);
}

void rig_fail(struct rig *rig, enum pod_op op, const char *container, const char *reason)
{
        outcome(rig, find_op(rig, op, container), false, reason);
        rig_step(rig);
}

void rig_probed(struct rig *rig, const char *container, enum pod_probe_kind kind, bool success)
{
        for (size_t i = 0; i < RIG_OPS_MAX; i++) {
                struct rig_op *op = &rig->ops[i];

                if (!op->taken || op->op != POD_OP_PROBE || op->probe != kind ||
                    !str_eq(op->inc->pod->containers[op->container].name, container))
                        continue;
                op->taken = false;
                assert_int_equal(
                        pod_apply_probe(rig->view, op->generation, success, false, success ? "ok" : "no", rig->now), 0);
                rig_step(rig);
                return;
        }
        fail_msg("no probe of %s under way", container);
}

void rig_settle(struct rig *rig)
{
        bool again;

        do {
                again = false;
                rig_step(rig);
                for (size_t i = 0; i < RIG_OPS_MAX; i++) {
                        struct rig_op *op = &rig->ops[i];

                        if (!op->taken || op->op == POD_OP_PROBE || op->op == POD_OP_PRE_STOP ||
                            op->op == POD_OP_POST_START)
                                continue;
                        outcome(rig, op, true, NULL);
                        again = true;
                }
        } while (again);
}

void rig_exits(struct rig *rig, const char *container, int code)
{
        struct pod_incarnation *inc = rig->view->current;
        struct docker_container d = {0};
        const struct pod_instance *now = container[0] ? &rig_view(rig, container)->now : &inc->sandbox;

        rig_show(rig, &d, now->id, inc->pod->uid, inc->pod->spec_hash, container, now->attempt, inc->sandbox.id, true);
        d.state = DOCKER_STATE_EXITED;
        d.started = rig->wall - (rig->now - now->started);
        d.finished = rig->wall;
        d.exit_code = code;
        (void)pod_observe_container(rig->view, &d, rig->now, rig->wall);
        docker_container_release(&d);
        rig_step(rig);
}

void rig_address(struct rig *rig, const char *ip)
{
        struct pod_incarnation *inc = rig->view->current;
        struct docker_container d = {0};

        rig_show(rig, &d, inc->sandbox.id, inc->pod->uid, inc->pod->spec_hash, "", inc->sandbox.attempt, "", true);
        d.ip = xstrdup(ip);
        (void)pod_observe_container(rig->view, &d, rig->now, rig->wall);
        docker_container_release(&d);
}

const char *rig_take(struct rig *rig)
{
        static char *text;

        free(text);
        text = buf_steal(&rig->log, NULL);
        rig->log = BUF_INIT(1 << 20);
        return text;
}

struct pod_container_view *rig_view(struct rig *rig, const char *container)
{
        const char *next = str_after(container, "next/");
        struct pod_incarnation *inc = next ? rig->view->next : rig->view->current;

        assert_non_null(inc);
        return &inc->containers[rig_container(inc->pod, next ? next : container) - inc->pod->containers];
}

const char *rig_wait(struct rig *rig, const char *container)
{
        const char *next = str_after(container, "next/");
        enum pod_which which = next ? POD_NEXT : POD_CURRENT;
        const struct pod_incarnation *inc = pod_view_incarnation(rig->view, which);

        container = next ? next : container;
        for (size_t i = 0; i < rig->plan.wait_count; i++) {
                const struct pod_wait *w = &rig->plan.waits[i];

                if (w->which == which &&
                    str_eq(w->container < 0 ? "" : inc->pod->containers[w->container].name, container))
                        return w->reason;
        }
        return "";
}

void rig_show(struct rig *rig, struct docker_container *ret, const char *id, const char *uid, const char *hash,
              const char *container, unsigned attempt, const char *sandbox, bool inspected)
{
        char *count CLEANUP_FREE = xasprintf("%u", attempt);
        bool is_sandbox = container[0] == '\0';

        *ret = (struct docker_container){.state = DOCKER_STATE_RUNNING, .inspected = inspected};
        ret->id = xstrdup(id);
        ret->name = xasprintf("k8s_%s_web-node_default_%s_%u", is_sandbox ? "POD" : container, uid, attempt);
        ret->image_id = xstrdup("sha256:1");
        ret->created = rig->wall;
        docker_labels_add(&ret->labels, LABEL_POD_UID, uid);
        docker_labels_add(&ret->labels, POD_LABEL_SPEC_HASH, hash);
        docker_labels_add(&ret->labels, LABEL_CONTAINER_NAME, is_sandbox ? "POD" : container);
        docker_labels_add(&ret->labels, LABEL_TYPE, is_sandbox ? LABEL_TYPE_SANDBOX : LABEL_TYPE_CONTAINER);
        if (!is_sandbox) {
                docker_labels_add(&ret->labels, LABEL_RESTART_COUNT, count);
                docker_labels_add(&ret->labels, LABEL_SANDBOX_ID, sandbox);
        }
        if (inspected)
                ret->started = rig->wall;
}

void rig_up(struct rig *rig, struct pod *pod)
{
        rig_init(rig);
        rig_want(rig, pod);
        rig_settle(rig);
        (void)rig_take(rig);
}
