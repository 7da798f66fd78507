/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/pod_names.h"
#include "node/plain_json.h"
#include "node/pod_facts.h"
#include "node/pod_view_json.h"

/* --- words of enums ------------------------------------------------------------------------------------------- */

static const char *state_word(int value)
{
        return instance_state_name((enum instance_state)value);
}

static const char *op_word(int value)
{
        return pod_op_name((enum pod_op)value);
}

static const char *stop_word(int value)
{
        return pod_stop_reason_name((enum pod_stop_reason)value);
}

static const char *phase_word(int value)
{
        return pod_incarnation_phase_name((enum pod_incarnation_phase)value);
}

static const char *pull_word(int value)
{
        return pod_pull_policy_names.names[value];
}

static const char *policy_word(int value)
{
        static const char *const names[POD_RESTART_MAX] = {"Always", "OnFailure", "Never"};

        return value >= 0 && value < POD_RESTART_MAX ? names[value] : "?";
}

static const char *handler_word(int value)
{
        static const char *const names[POD_HANDLER_MAX] = {"none", "exec", "httpGet", "tcpSocket", "grpc", "sleep"};

        return value >= 0 && value < POD_HANDLER_MAX ? names[value] : "?";
}

/* --- tables --------------------------------------------------------------------------------------------------- */

static const struct plain_field instance_fields[] = {
        PLAIN_NAMED(struct pod_instance, state, state_word, INSTANCE_MAX),
        PLAIN(PLAIN_TEXT, struct pod_instance, id),
        PLAIN(PLAIN_TEXT, struct pod_instance, sandbox),
        PLAIN(PLAIN_UNSIGNED, struct pod_instance, attempt),
        PLAIN(PLAIN_USEC, struct pod_instance, started),
        PLAIN(PLAIN_USEC, struct pod_instance, finished),
        PLAIN(PLAIN_USEC, struct pod_instance, started_wall),
        PLAIN(PLAIN_USEC, struct pod_instance, finished_wall),
        PLAIN(PLAIN_INT, struct pod_instance, exit_code),
        PLAIN(PLAIN_BOOL, struct pod_instance, oom_killed),
        PLAIN(PLAIN_TEXT, struct pod_instance, error),
        PLAIN_END,
};

static const struct plain_field slot_fields[] = {
        PLAIN_NAMED(struct pod_slot, op, op_word, POD_OP_MAX),
        PLAIN(PLAIN_UNSIGNED, struct pod_slot, generation),
        PLAIN(PLAIN_USEC, struct pod_slot, since),
        PLAIN_END,
};

static const struct plain_field retry_fields[] = {
        PLAIN(PLAIN_UNSIGNED, struct pod_retry, failures),
        PLAIN(PLAIN_USEC, struct pod_retry, at),
        PLAIN(PLAIN_TEXT, struct pod_retry, reason),
        PLAIN(PLAIN_TEXT, struct pod_retry, message),
        PLAIN_END,
};

static const struct plain_field probe_fields[] = {
        PLAIN(PLAIN_BOOL, struct pod_probe_state, known),
        PLAIN(PLAIN_BOOL, struct pod_probe_state, success),
        PLAIN(PLAIN_INT, struct pod_probe_state, streak),
        PLAIN(PLAIN_USEC, struct pod_probe_state, due),
        PLAIN_SUB(struct pod_probe_state, slot, slot_fields),
        PLAIN(PLAIN_USEC, struct pod_probe_state, last),
        PLAIN(PLAIN_BOOL, struct pod_probe_state, last_success),
        PLAIN(PLAIN_TEXT, struct pod_probe_state, last_output),
        PLAIN_END,
};

static const struct plain_field backoff_fields[] = {
        PLAIN(PLAIN_UNSIGNED, struct pod_backoff, count),
        PLAIN(PLAIN_BOOL, struct pod_backoff, ended),
        PLAIN(PLAIN_USEC, struct pod_backoff, until),
        PLAIN(PLAIN_USEC, struct pod_backoff, period),
        PLAIN_END,
};

static const struct plain_field container_fields[] = {
        PLAIN_SUB(struct pod_container_view, now, instance_fields),
        PLAIN_SUB(struct pod_container_view, last, instance_fields),
        PLAIN(PLAIN_BOOL, struct pod_container_view, image_ready),
        PLAIN(PLAIN_TEXT, struct pod_container_view, image_id),
        PLAIN_SUB(struct pod_container_view, slot, slot_fields),
        PLAIN_SUB(struct pod_container_view, retry, retry_fields),
        PLAIN_SUB(struct pod_container_view, image_retry, retry_fields),
        PLAIN_SUB(struct pod_container_view, backoff, backoff_fields),
        PLAIN_SUBS(struct pod_container_view, probes, probe_fields, POD_PROBE_KIND_MAX),
        PLAIN(PLAIN_BOOL, struct pod_container_view, started),
        PLAIN(PLAIN_BOOL, struct pod_container_view, ready),
        PLAIN(PLAIN_BOOL, struct pod_container_view, post_start_done),
        PLAIN(PLAIN_BOOL, struct pod_container_view, pre_stop_done),
        PLAIN(PLAIN_BOOL, struct pod_container_view, restart_wanted),
        PLAIN(PLAIN_BOOL, struct pod_container_view, restart_by_user),
        PLAIN(PLAIN_TEXT, struct pod_container_view, restart_reason),
        PLAIN(PLAIN_I64, struct pod_container_view, restart_grace_usec),
        PLAIN(PLAIN_USEC, struct pod_container_view, signalled),
        PLAIN(PLAIN_USEC, struct pod_container_view, kill_at),
        PLAIN(PLAIN_BOOL, struct pod_container_view, killed),
        PLAIN(PLAIN_UNSIGNED, struct pod_container_view, next_attempt),
        PLAIN(PLAIN_BOOL, struct pod_container_view, init_done),
        PLAIN_END,
};

static const struct plain_field incarnation_fields[] = {
        PLAIN(PLAIN_UNSIGNED, struct pod_incarnation, revision),
        PLAIN_NAMED(struct pod_incarnation, phase, phase_word, POD_PHASE_MAX),
        PLAIN_NAMED(struct pod_incarnation, stop_reason, stop_word, POD_STOP_MAX),
        PLAIN(PLAIN_USEC, struct pod_incarnation, stop_since),
        PLAIN(PLAIN_USEC, struct pod_incarnation, stop_deadline),
        PLAIN(PLAIN_USEC, struct pod_incarnation, first_seen),
        PLAIN(PLAIN_USEC, struct pod_incarnation, first_seen_wall),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, volumes_ready),
        PLAIN_SUB(struct pod_incarnation, sandbox, instance_fields),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, sandbox_ready),
        PLAIN(PLAIN_UNSIGNED, struct pod_incarnation, sandbox_next_attempt),
        PLAIN_SUB(struct pod_incarnation, sandbox_backoff, backoff_fields),
        PLAIN(PLAIN_TEXT, struct pod_incarnation, ip),
        PLAIN_SUB(struct pod_incarnation, slot, slot_fields),
        PLAIN_SUB(struct pod_incarnation, retry, retry_fields),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, terminal),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, terminal_failed),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, cleaned),
        PLAIN(PLAIN_USEC, struct pod_incarnation, ready_since),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, proven),
        PLAIN(PLAIN_BOOL, struct pod_incarnation, gated),
        PLAIN(PLAIN_USEC, struct pod_incarnation, gate_until),
        PLAIN_END,
};

static const struct plain_field garbage_fields[] = {
        PLAIN(PLAIN_TEXT, struct pod_garbage, id),
        PLAIN_NAMED(struct pod_garbage, state, state_word, INSTANCE_MAX),
        PLAIN_SUB(struct pod_garbage, slot, slot_fields),
        PLAIN_SUB(struct pod_garbage, retry, retry_fields),
        PLAIN_END,
};

static const struct plain_field view_fields[] = {
        PLAIN(PLAIN_STRING, struct pod_view, key),
        PLAIN(PLAIN_BOOL, struct pod_view, wanted),
        PLAIN(PLAIN_UNSIGNED, struct pod_view, generation),
        PLAIN(PLAIN_USEC, struct pod_view, backoff_max),
        PLAIN(PLAIN_USEC, struct pod_view, revert_default),
        PLAIN(PLAIN_BOOL, struct pod_view, runtime_ready),
        PLAIN(PLAIN_TEXT, struct pod_view, hold),
        PLAIN(PLAIN_BOOL, struct pod_view, drain),
        PLAIN(PLAIN_UNSIGNED, struct pod_view, fallback_revision),
        PLAIN(PLAIN_TEXT, struct pod_view, fallback_hash),
        PLAIN_END,
};

/* What decisions look at of a pod. A field that pod_step or pod_apply comes to use belongs here; the replay of the
 * simulator's runs finds one that is missing. */
static const struct plain_field handler_fields[] = {
        PLAIN_NAMED(struct pod_handler, type, handler_word, POD_HANDLER_MAX),
        PLAIN(PLAIN_STRING, struct pod_handler, host),
        PLAIN_END,
};

static const struct plain_field probe_spec_fields[] = {
        PLAIN_SUB(struct pod_probe, handler, handler_fields),
        PLAIN(PLAIN_INT, struct pod_probe, initial_delay_seconds),
        PLAIN(PLAIN_INT, struct pod_probe, period_seconds),
        PLAIN(PLAIN_INT, struct pod_probe, success_threshold),
        PLAIN(PLAIN_INT, struct pod_probe, failure_threshold),
        PLAIN(PLAIN_I64, struct pod_probe, termination_grace_seconds),
        PLAIN_END,
};

static const struct plain_field container_spec_fields[] = {
        PLAIN(PLAIN_STRING, struct pod_container, name),
        PLAIN(PLAIN_STRING, struct pod_container, image),
        PLAIN_NAMED(struct pod_container, pull_policy, pull_word, POD_PULL_MAX),
        PLAIN(PLAIN_BOOL, struct pod_container, init),
        PLAIN(PLAIN_BOOL, struct pod_container, sidecar),
        PLAIN(PLAIN_BOOL, struct pod_container, has_restart_policy),
        PLAIN_NAMED(struct pod_container, restart_policy, policy_word, POD_RESTART_MAX),
        PLAIN(PLAIN_TEXT, struct pod_container, restart_codes),
        PLAIN_SUBS(struct pod_container, probes, probe_spec_fields, POD_PROBE_KIND_MAX),
        PLAIN_SUB(struct pod_container, post_start, handler_fields),
        PLAIN_SUB(struct pod_container, pre_stop, handler_fields),
        PLAIN_END,
};

static const struct plain_field pod_fields[] = {
        PLAIN(PLAIN_STRING, struct pod, name),
        PLAIN(PLAIN_STRING, struct pod, namespace),
        PLAIN(PLAIN_STRING, struct pod, uid),
        PLAIN(PLAIN_TEXT, struct pod, spec_hash),
        PLAIN_NAMED(struct pod, restart_policy, policy_word, POD_RESTART_MAX),
        PLAIN(PLAIN_I64, struct pod, termination_grace_seconds),
        PLAIN(PLAIN_I64, struct pod, active_deadline_seconds),
        PLAIN(PLAIN_BOOL, struct pod, host_network),
        PLAIN(PLAIN_I64, struct pod, revert_seconds),
        PLAIN_END,
};

/* --- the pod in brief ----------------------------------------------------------------------------------------- */

void pod_brief_write(const struct pod *pod, struct buf *out)
{
        bool first = true;

        buf_addch(out, '{');
        plain_write_fields(pod_fields, pod, out, &first);
        plain_key(out, "containers", &first);
        buf_addch(out, '[');
        for (size_t i = 0; i < pod->container_count; i++) {
                bool first_field = true;

                buf_addstr(out, i > 0 ? ",{" : "{");
                plain_write_fields(container_spec_fields, &pod->containers[i], out, &first_field);
                if (fact_needs_pod_ip(pod, &pod->containers[i])) {
                        plain_key(out, "needs_pod_ip", &first_field);
                        buf_addstr(out, "true");
                }
                buf_addch(out, '}');
        }
        buf_addstr(out, "]}");
}

static int read_container_spec(const struct value *v, struct pod_container *c, struct err *err)
{
        int r = plain_read(container_spec_fields, v, c, err);

        if (r < 0)
                return r;
        if (!c->name)
                return value_error(&v->place, err, ERR_INVALID, "a container without a name");
        if (!c->image)
                c->image = xstrdup("");
        if (!value_map_get(v, "needs_pod_ip"))
                return 0;
        c->env = xcalloc(1, sizeof(*c->env));
        c->env_count = 1;
        c->env[0].name = xstrdup("POD_IP");
        c->env[0].field_path = xstrdup("status.podIP");
        return 0;
}

int pod_brief_read(const struct value *v, struct pod **ret, struct err *err)
{
        struct pod *pod CLEANUP_POD = xcalloc(1, sizeof(*pod));
        const struct value *containers = value_map_get(v, "containers");
        int r;

        pod->refs = 1;
        r = plain_read(pod_fields, v, pod, err);
        if (r < 0)
                return r;
        if (!pod->name || !pod->namespace || !pod->uid)
                return value_error(&v->place, err, ERR_INVALID, "a pod without name, namespace or uid");
        if (!value_is(containers, VALUE_LIST) || containers->list.count > LIMIT_CONTAINERS_PER_POD)
                return value_error(&v->place, err, ERR_INVALID, "containers: not a list of at most %d",
                                   LIMIT_CONTAINERS_PER_POD);
        pod->containers = xcalloc(containers->list.count, sizeof(*pod->containers));
        for (size_t i = 0; i < containers->list.count; i++) {
                r = read_container_spec(containers->list.items[i], &pod->containers[i], err);
                pod->container_count++; /* released from here on */
                if (r < 0)
                        return r;
                if (!pod->containers[i].init)
                        continue;
                if (pod->init_count != i)
                        return value_error(&v->place, err, ERR_INVALID, "init containers do not stand first");
                pod->init_count++;
        }
        *ret = TAKE_PTR(pod);
        return 0;
}

/* --- incarnations and the view -------------------------------------------------------------------------------- */

static void write_incarnation(const char *name, const struct pod_incarnation *inc, struct buf *out, bool *first)
{
        bool first_field = true;

        if (!inc)
                return;
        plain_key(out, name, first);
        buf_addch(out, '{');
        plain_key(out, "pod", &first_field);
        pod_brief_write(inc->pod, out);
        plain_write_fields(incarnation_fields, inc, out, &first_field);
        plain_key(out, "containers", &first_field);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                buf_addch(out, i > 0 ? ',' : '[');
                plain_write(container_fields, &inc->containers[i], out);
        }
        buf_addstr(out, inc->pod->container_count ? "]}" : "[]}");
}

void pod_view_json_write(const struct pod_view *view, struct buf *out)
{
        bool first = true;

        buf_addch(out, '{');
        plain_write_fields(view_fields, view, out, &first);
        write_incarnation("current", view->current, out, &first);
        write_incarnation("next", view->next, out, &first);
        write_incarnation("old", view->old, out, &first);
        if (view->fallback) {
                plain_key(out, "fallback", &first);
                pod_brief_write(view->fallback, out);
        }
        if (view->garbage_count) {
                plain_key(out, "garbage", &first);
                for (size_t i = 0; i < view->garbage_count; i++) {
                        buf_addch(out, i > 0 ? ',' : '[');
                        plain_write(garbage_fields, &view->garbage[i], out);
                }
                buf_addch(out, ']');
        }
        buf_addch(out, '}');
}

static int read_incarnation(const struct value *v, struct pod_incarnation **ret, struct err *err)
{
        struct pod *pod CLEANUP_POD = NULL;
        const struct value *containers = value_map_get(v, "containers");
        struct pod_incarnation *inc;
        int r = pod_brief_read(value_map_get(v, "pod"), &pod, err);

        if (r < 0)
                return err_wrap(err, "pod");
        if (!value_is(containers, VALUE_LIST) || containers->list.count != pod->container_count)
                return value_error(&v->place, err, ERR_INVALID, "containers: not a list as long as the pod's");
        inc = pod_incarnation_new(pod, 0, 0, 0);
        r = plain_read(incarnation_fields, v, inc, err);
        for (size_t i = 0; r == 0 && i < pod->container_count; i++) {
                inc->containers[i] = (struct pod_container_view){0};
                r = plain_read(container_fields, containers->list.items[i], &inc->containers[i], err);
        }
        if (r < 0) {
                pod_incarnation_free(inc);
                return r;
        }
        *ret = inc;
        return 0;
}

static int read_garbage(const struct value *v, struct pod_view *view, struct err *err)
{
        if (!value_is(v, VALUE_LIST) || v->list.count > POD_VIEW_GARBAGE_MAX)
                return value_error(&v->place, err, ERR_INVALID, "garbage: not a list of at most %d",
                                   POD_VIEW_GARBAGE_MAX);
        view->garbage = xcalloc(v->list.count, sizeof(*view->garbage));
        view->garbage_count = v->list.count;
        for (size_t i = 0; i < v->list.count; i++) {
                int r = plain_read(garbage_fields, v->list.items[i], &view->garbage[i], err);

                if (r < 0)
                        return r;
        }
        return 0;
}

int pod_view_json_read(const struct value *v, struct pod_view **ret, struct err *err)
{
        struct pod_view *view CLEANUP_POD_VIEW = xcalloc(1, sizeof(*view));
        const struct {
                const char *name;
                struct pod_incarnation **place;
        } parts[] = {{"current", &view->current}, {"next", &view->next}, {"old", &view->old}};
        const struct value *garbage = value_map_get(v, "garbage");
        int r = plain_read(view_fields, v, view, err);

        if (r == 0 && !view->key)
                r = value_error(&v->place, err, ERR_INVALID, "a view without a key");
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++) {
                const struct value *part = value_map_get(v, parts[i].name);

                if (part && (r = read_incarnation(part, parts[i].place, err)) < 0)
                        r = err_wrap(err, "%s", parts[i].name);
        }
        if (r == 0 && garbage)
                r = read_garbage(garbage, view, err);
        if (r == 0 && value_map_get(v, "fallback") &&
            (r = pod_brief_read(value_map_get(v, "fallback"), &view->fallback, err)) < 0)
                r = err_wrap(err, "fallback");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(view);
        return 0;
}
