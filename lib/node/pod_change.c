/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "docker/docker.h"
#include "node/container_name.h"
#include "node/plain_json.h"
#include "node/pod_change.h"
#include "node/pod_persist.h"
#include "node/pod_view_json.h"

const char *pod_change_kind_name(enum pod_change_kind kind)
{
        static const char *const names[POD_CHANGE_MAX] = {
                [POD_CHANGE_WANT] = "want",
                [POD_CHANGE_UNWANT] = "unwant",
                [POD_CHANGE_HOLD] = "hold",
                [POD_CHANGE_RUNTIME] = "runtime",
                [POD_CHANGE_OBSERVE] = "observe",
                [POD_CHANGE_GONE] = "gone",
                [POD_CHANGE_ORPHAN] = "orphan",
                [POD_CHANGE_OUTCOME] = "outcome",
                [POD_CHANGE_PROBE] = "probe",
                [POD_CHANGE_GARBAGE] = "garbage",
                [POD_CHANGE_GARBAGE_OUTCOME] = "garbage-outcome",
                [POD_CHANGE_RESTART] = "restart",
                [POD_CHANGE_RETRY] = "retry",
                [POD_CHANGE_RESTORE] = "restore",
                [POD_CHANGE_DRAIN] = "drain",
                [POD_CHANGE_FALLBACK] = "fallback",
        };

        return (size_t)kind < POD_CHANGE_MAX ? names[kind] : "?";
}

/* --- applying ------------------------------------------------------------------------------------------------- */

static int apply_outcome(struct pod_view *view, const struct pod_change *c)
{
        struct pod_outcome outcome = {
                .op = c->op,
                .generation = c->generation,
                .success = c->flag,
                .id = c->id,
                .sandbox = c->sandbox,
                .reason = c->reason,
                .message = c->text,
        };

        return pod_apply_outcome(view, &outcome, c->now);
}

int pod_change_apply(struct pod_view *view, const struct pod_change *c, struct err *err)
{
        switch (c->kind) {
        case POD_CHANGE_WANT:
                return pod_want(view, c->pod, c->revision, c->now, c->now_wall);
        case POD_CHANGE_UNWANT:
                return pod_unwant(view, c->now);
        case POD_CHANGE_HOLD:
                return pod_hold(view, c->text);
        case POD_CHANGE_RUNTIME:
                pod_observe_runtime(view, c->flag, c->now);
                return 0;
        case POD_CHANGE_OBSERVE:
                return (int)pod_observe_container(view, c->docker, c->now, c->now_wall);
        case POD_CHANGE_GONE:
                pod_observe_gone(view, c->id, c->now);
                return 0;
        case POD_CHANGE_ORPHAN:
                return pod_insert_orphan(view, c->pod, c->revision, c->now, c->now_wall);
        case POD_CHANGE_OUTCOME:
                return apply_outcome(view, c);
        case POD_CHANGE_PROBE:
                return pod_apply_probe(view, c->generation, c->flag, c->error, c->text, c->now);
        case POD_CHANGE_GARBAGE:
                pod_apply_garbage(view, c->id, INSTANCE_RUNNING);
                return 0;
        case POD_CHANGE_GARBAGE_OUTCOME:
                return pod_apply_garbage_outcome(view, c->id, c->generation, c->flag, c->text, c->now);
        case POD_CHANGE_RESTART:
                pod_request_restart(view, c->container, c->text, c->now);
                return 0;
        case POD_CHANGE_RETRY:
                pod_request_retry(view, c->container, c->now);
                return 0;
        case POD_CHANGE_RESTORE:
                return pod_persist_restore(view, c->text ? c->text : "", c->text ? strlen(c->text) : 0,
                                           c->id ? c->id : "", c->flag, c->now, c->now_wall, err);
        case POD_CHANGE_DRAIN:
                return pod_drain(view, c->flag);
        case POD_CHANGE_FALLBACK:
                pod_fallback(view, c->pod, c->revision);
                return 0;
        case POD_CHANGE_MAX:
                break;
        }
        return 0;
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static const char *kind_word(int value)
{
        return pod_change_kind_name((enum pod_change_kind)value);
}

static const char *op_word(int value)
{
        return pod_op_name((enum pod_op)value);
}

static const char *state_word(int value)
{
        return docker_state_name((enum docker_state)value);
}

static const char *action_word(int value)
{
        return pod_action_kind_name((enum pod_action_kind)value);
}

static const char *which_word(int value)
{
        return pod_which_name((enum pod_which)value);
}

static const char *stop_word(int value)
{
        return pod_stop_reason_name((enum pod_stop_reason)value);
}

static const char *probe_word(int value)
{
        static const char *const names[POD_PROBE_KIND_MAX] = {"startup", "liveness", "readiness"};

        return value >= 0 && value < POD_PROBE_KIND_MAX ? names[value] : "?";
}

static const struct plain_field change_fields[] = {
        PLAIN(PLAIN_USEC, struct pod_change, now),
        PLAIN(PLAIN_USEC, struct pod_change, now_wall),
        PLAIN(PLAIN_INT, struct pod_change, container),
        PLAIN_NAMED(struct pod_change, op, op_word, POD_OP_MAX),
        PLAIN(PLAIN_UNSIGNED, struct pod_change, generation),
        PLAIN(PLAIN_UNSIGNED, struct pod_change, revision),
        PLAIN(PLAIN_BOOL, struct pod_change, flag),
        PLAIN(PLAIN_BOOL, struct pod_change, error),
        PLAIN(PLAIN_STRING, struct pod_change, id),
        PLAIN(PLAIN_STRING, struct pod_change, sandbox),
        PLAIN(PLAIN_STRING, struct pod_change, reason),
        PLAIN(PLAIN_STRING, struct pod_change, text),
        PLAIN_END,
};

static const struct plain_field docker_fields[] = {
        PLAIN(PLAIN_STRING, struct docker_container, id),
        PLAIN(PLAIN_STRING, struct docker_container, name),
        PLAIN(PLAIN_STRING, struct docker_container, image_id),
        PLAIN_NAMED(struct docker_container, state, state_word, DOCKER_STATE_MAX),
        PLAIN(PLAIN_USEC, struct docker_container, created),
        PLAIN(PLAIN_BOOL, struct docker_container, inspected),
        PLAIN(PLAIN_INT, struct docker_container, exit_code),
        PLAIN(PLAIN_BOOL, struct docker_container, oom_killed),
        PLAIN(PLAIN_STRING, struct docker_container, error),
        PLAIN(PLAIN_USEC, struct docker_container, started),
        PLAIN(PLAIN_USEC, struct docker_container, finished),
        PLAIN(PLAIN_STRING, struct docker_container, ip),
        PLAIN_END,
};

/* The labels that pod_observe.c goes by. */
static const char *const docker_label_keys[] = {
        LABEL_POD_UID, POD_LABEL_SPEC_HASH, LABEL_CONTAINER_NAME, LABEL_TYPE, LABEL_SANDBOX_ID, LABEL_RESTART_COUNT,
};

static const struct plain_field action_fields[] = {
        PLAIN_NAMED(struct pod_action, kind, action_word, POD_ACTION_MAX),
        PLAIN_NAMED(struct pod_action, which, which_word, POD_WHICH_MAX),
        PLAIN(PLAIN_INT, struct pod_action, container),
        PLAIN_NAMED(struct pod_action, op, op_word, POD_OP_MAX),
        PLAIN_NAMED(struct pod_action, probe, probe_word, POD_PROBE_KIND_MAX),
        PLAIN(PLAIN_I64, struct pod_action, garbage),
        PLAIN_NAMED(struct pod_action, stop_reason, stop_word, POD_STOP_MAX),
        PLAIN(PLAIN_BOOL, struct pod_action, warning),
        PLAIN(PLAIN_TEXT, struct pod_action, reason),
        PLAIN(PLAIN_TEXT, struct pod_action, message),
        PLAIN_END,
};
_Static_assert(sizeof(size_t) == sizeof(int64_t), "pod_action.garbage is written as a 64 bit number");

static void write_docker(const struct docker_container *d, struct buf *out)
{
        bool first = true, first_label = true;

        buf_addch(out, '{');
        plain_write_fields(docker_fields, d, out, &first);
        plain_key(out, "labels", &first);
        buf_addch(out, '{');
        for (size_t i = 0; i < ARRAY_SIZE(docker_label_keys); i++) {
                const char *text = docker_label(&d->labels, docker_label_keys[i]);

                if (!text)
                        continue;
                plain_key(out, docker_label_keys[i], &first_label);
                buf_add_json_string(out, text, strlen(text));
        }
        buf_addstr(out, "}}");
}

static void write_head(const char *key, struct buf *out, bool *first)
{
        buf_addch(out, '{');
        plain_key(out, "key", first);
        buf_add_json_string(out, key, strlen(key));
}

void pod_change_write(const char *key, const struct pod_change *c, struct buf *out)
{
        bool first = true;

        write_head(key, out, &first);
        plain_key(out, "change", &first);
        plain_word(out, pod_change_kind_name(c->kind));
        plain_write_fields(change_fields, c, out, &first);
        if (c->pod) {
                plain_key(out, "pod", &first);
                pod_brief_write(c->pod, out);
        }
        if (c->docker) {
                plain_key(out, "docker", &first);
                write_docker(c->docker, out);
        }
        buf_addch(out, '}');
}

void pod_plan_write(const char *key, usec_t now, const struct pod_plan *plan, struct buf *out)
{
        bool first = true;

        write_head(key, out, &first);
        plain_key(out, "step", &first);
        buf_addch(out, '[');
        for (size_t i = 0; i < plan->count; i++) {
                bool first_field = true;

                buf_addstr(out, i > 0 ? ",{" : "{");
                /* The first word of a list is its zero: say what it is all the same. */
                plain_key(out, "do", &first_field);
                plain_word(out, pod_action_kind_name(plan->actions[i].kind));
                plain_write_fields(action_fields + 1, &plan->actions[i], out, &first_field);
                buf_addch(out, '}');
        }
        buf_addstr(out, "],\"now\":");
        buf_addu(out, now);
        if (plan->deadline != USEC_INFINITY) {
                buf_addstr(out, ",\"deadline\":");
                buf_addu(out, plan->deadline);
        }
        buf_addch(out, '}');
}

static int read_docker(const struct value *v, struct docker_container **ret, struct err *err)
{
        struct docker_container *d = xcalloc(1, sizeof(*d));
        int r = plain_read(docker_fields, v, d, err);

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(docker_label_keys); i++) {
                const char *text = value_string(value_get(v, "labels", docker_label_keys[i], NULL), NULL);

                if (text)
                        docker_labels_add(&d->labels, docker_label_keys[i], text);
        }
        if (r == 0 && !d->id)
                r = value_error(&v->place, err, ERR_INVALID, "docker: no id");
        *ret = d;
        return r;
}

static bool takes_pod(enum pod_change_kind kind)
{
        return kind == POD_CHANGE_WANT || kind == POD_CHANGE_ORPHAN || kind == POD_CHANGE_FALLBACK;
}

int pod_change_read(const struct value *v, struct pod_change *ret, struct err *err)
{
        static const struct plain_field kind_field[] = {
                {PLAIN_KEY("change"), PLAIN_ENUM, offsetof(struct pod_change, kind), sizeof(enum pod_change_kind),
                 kind_word, POD_CHANGE_MAX, NULL, 0},
                PLAIN_END,
        };
        struct pod_change c = {0};
        const struct value *pod = value_map_get(v, "pod"), *docker = value_map_get(v, "docker");
        int r = plain_read(kind_field, v, &c, err);

        if (r == 0)
                r = plain_read(change_fields, v, &c, err);
        if (r == 0 && pod)
                r = pod_brief_read(pod, &c.pod, err);
        if (r == 0 && docker)
                r = read_docker(docker, &c.docker, err);
        if (r == 0 && (takes_pod(c.kind) != !!c.pod))
                r = value_error(&v->place, err, ERR_INVALID, "%s: pod is missing or too much", kind_word((int)c.kind));
        if (r == 0 && (c.kind == POD_CHANGE_OBSERVE) != !!c.docker)
                r = value_error(&v->place, err, ERR_INVALID, "%s: docker is missing or too much",
                                kind_word((int)c.kind));
        if (r < 0) {
                pod_change_release(&c);
                return r;
        }
        *ret = c;
        return 0;
}

void pod_change_release(struct pod_change *c)
{
        plain_release(change_fields, c);
        pod_unref(c->pod);
        if (c->docker)
                docker_container_release(c->docker);
        free(c->docker);
        *c = (struct pod_change){0};
}
