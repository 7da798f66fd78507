/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/value.h"
#include "node/backoff.h"
#include "node/plain_json.h"
#include "node/pod_edge.h"
#include "node/pod_gate.h"
#include "node/pod_persist.h"

#define PERSIST_VERSION 1

/* What was decided, and not how many outcomes in a row there were towards it: as in the kubelet a count begins anew,
 * since one that is older than what came after it would end a container for fewer failures than its threshold. */
struct saved_probe {
        bool known, success;
};

struct saved_container {
        char *name;
        unsigned next_attempt;
        struct pod_backoff backoff;
        bool init_done;
        /* of `now` */
        char *id;
        unsigned attempt;
        usec_t started;
        bool post_start_done, pre_stop_done, restart_wanted, restart_by_user;
        char *restart_reason;
        int64_t restart_grace_usec;
        usec_t signalled, kill_at;
        struct saved_probe probes[POD_PROBE_KIND_MAX];
};

struct saved_pod {
        char *uid, *spec_hash;
        usec_t first_seen, first_seen_wall;
        enum pod_incarnation_phase phase;
        enum pod_stop_reason stop_reason;
        usec_t stop_since, stop_deadline;
        bool terminal, terminal_failed;
        char *sandbox; /* its id */
        unsigned sandbox_attempt, sandbox_next_attempt;
        usec_t sandbox_started;
        bool sandbox_ready;
        struct pod_backoff sandbox_backoff;
        bool proven, gated;
        usec_t gate_until;
};

static const char *phase_word(int value)
{
        return pod_incarnation_phase_name((enum pod_incarnation_phase)value);
}

static const char *stop_word(int value)
{
        return pod_stop_reason_name((enum pod_stop_reason)value);
}

static const struct plain_field backoff_fields[] = {
        PLAIN(PLAIN_UNSIGNED, struct pod_backoff, count),
        PLAIN(PLAIN_BOOL, struct pod_backoff, ended),
        PLAIN(PLAIN_USEC, struct pod_backoff, until),
        PLAIN(PLAIN_USEC, struct pod_backoff, period),
        PLAIN_END,
};

static const struct plain_field probe_fields[] = {
        PLAIN(PLAIN_BOOL, struct saved_probe, known),
        PLAIN(PLAIN_BOOL, struct saved_probe, success),
        PLAIN_END,
};

static const struct plain_field container_fields[] = {
        PLAIN(PLAIN_STRING, struct saved_container, name),
        PLAIN(PLAIN_UNSIGNED, struct saved_container, next_attempt),
        PLAIN_SUB(struct saved_container, backoff, backoff_fields),
        PLAIN(PLAIN_BOOL, struct saved_container, init_done),
        PLAIN(PLAIN_STRING, struct saved_container, id),
        PLAIN(PLAIN_UNSIGNED, struct saved_container, attempt),
        PLAIN(PLAIN_USEC, struct saved_container, started),
        PLAIN(PLAIN_BOOL, struct saved_container, post_start_done),
        PLAIN(PLAIN_BOOL, struct saved_container, pre_stop_done),
        PLAIN(PLAIN_BOOL, struct saved_container, restart_wanted),
        PLAIN(PLAIN_BOOL, struct saved_container, restart_by_user),
        PLAIN(PLAIN_STRING, struct saved_container, restart_reason),
        PLAIN(PLAIN_I64, struct saved_container, restart_grace_usec),
        PLAIN(PLAIN_USEC, struct saved_container, signalled),
        PLAIN(PLAIN_USEC, struct saved_container, kill_at),
        PLAIN_SUBS(struct saved_container, probes, probe_fields, POD_PROBE_KIND_MAX),
        PLAIN_END,
};

static const struct plain_field pod_fields[] = {
        PLAIN(PLAIN_STRING, struct saved_pod, uid),
        PLAIN(PLAIN_STRING, struct saved_pod, spec_hash),
        PLAIN(PLAIN_USEC, struct saved_pod, first_seen),
        PLAIN(PLAIN_USEC, struct saved_pod, first_seen_wall),
        PLAIN_NAMED(struct saved_pod, phase, phase_word, POD_PHASE_MAX),
        PLAIN_NAMED(struct saved_pod, stop_reason, stop_word, POD_STOP_MAX),
        PLAIN(PLAIN_USEC, struct saved_pod, stop_since),
        PLAIN(PLAIN_USEC, struct saved_pod, stop_deadline),
        PLAIN(PLAIN_BOOL, struct saved_pod, terminal),
        PLAIN(PLAIN_BOOL, struct saved_pod, terminal_failed),
        PLAIN(PLAIN_STRING, struct saved_pod, sandbox),
        PLAIN(PLAIN_UNSIGNED, struct saved_pod, sandbox_attempt),
        PLAIN(PLAIN_UNSIGNED, struct saved_pod, sandbox_next_attempt),
        PLAIN(PLAIN_USEC, struct saved_pod, sandbox_started),
        PLAIN(PLAIN_BOOL, struct saved_pod, sandbox_ready),
        PLAIN_SUB(struct saved_pod, sandbox_backoff, backoff_fields),
        PLAIN(PLAIN_BOOL, struct saved_pod, proven),
        PLAIN(PLAIN_BOOL, struct saved_pod, gated),
        PLAIN(PLAIN_USEC, struct saved_pod, gate_until),
        PLAIN_END,
};

/* --- writing -------------------------------------------------------------------------------------------------- */

static char *or_null(char *s)
{
        return s[0] ? s : NULL;
}

/* Strings are borrowed. */
static struct saved_container container_to_save(const struct pod_container *spec, struct pod_container_view *c)
{
        struct saved_container saved = {
                .name = spec->name,
                .next_attempt = c->next_attempt,
                .backoff = c->backoff,
                .init_done = c->init_done,
                .id = or_null(c->now.id),
                .attempt = c->now.attempt,
                .started = c->now.started,
                .post_start_done = c->post_start_done,
                .pre_stop_done = c->pre_stop_done,
                .restart_wanted = c->restart_wanted,
                .restart_by_user = c->restart_by_user,
                .restart_reason = or_null(c->restart_reason),
                .restart_grace_usec = c->restart_grace_usec,
                .signalled = c->signalled,
                .kill_at = c->kill_at,
        };

        for (size_t k = 0; k < POD_PROBE_KIND_MAX; k++)
                saved.probes[k] = (struct saved_probe){
                        .known = c->probes[k].known,
                        .success = c->probes[k].success,
                };
        return saved;
}

/* What has gone and comes back begins anew: its age, that it had ended for good, and what it stops for hold as long as
 * it is wanted. */
static struct saved_pod pod_to_save(const struct pod_view *view, struct pod_incarnation *inc)
{
        return (struct saved_pod){
                .uid = inc->pod->uid,
                .spec_hash = inc->pod->spec_hash,
                .first_seen = view->wanted ? inc->first_seen : 0,
                .first_seen_wall = view->wanted ? inc->first_seen_wall : 0,
                .phase = inc->phase,
                .stop_reason = view->wanted || inc->phase != POD_STOPPING ? inc->stop_reason : POD_STOP_REMOVED,
                .stop_since = inc->stop_since,
                .stop_deadline = inc->stop_deadline,
                .terminal = inc->terminal && view->wanted,
                .terminal_failed = inc->terminal_failed && view->wanted,
                .sandbox = or_null(inc->sandbox.id),
                .sandbox_attempt = inc->sandbox.attempt,
                .sandbox_started = inc->sandbox.started,
                .sandbox_ready = inc->sandbox_ready,
                .sandbox_next_attempt = inc->sandbox_next_attempt,
                .sandbox_backoff = inc->sandbox_backoff,
                .proven = inc->proven,
                .gated = inc->gated,
                .gate_until = inc->gate_until,
        };
}

static void write_pod(const struct pod_view *view, struct pod_incarnation *inc, struct buf *out)
{
        struct saved_pod saved = pod_to_save(view, inc);
        bool first = true;

        buf_addch(out, '{');
        plain_write_fields(pod_fields, &saved, out, &first);
        plain_key(out, "containers", &first);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct saved_container container = container_to_save(&inc->pod->containers[i], &inc->containers[i]);

                buf_addch(out, i > 0 ? ',' : '[');
                plain_write(container_fields, &container, out);
        }
        buf_addstr(out, inc->pod->container_count ? "]}" : "[]}");
}

void pod_persist_write(const struct pod_view *view, const char *boot_id, struct buf *out)
{
        bool first = true;

        buf_addf(out, "{\"version\":%d,\"boot_id\":", PERSIST_VERSION);
        buf_add_json_string(out, boot_id, strlen(boot_id));
        if (view->fallback_revision)
                buf_addf(out, ",\"fallback\":%u,\"fallback_hash\":\"%s\"", view->fallback_revision,
                         view->fallback_hash);
        buf_addstr(out, ",\"pods\":[");
        for (size_t k = 0; k < 2; k++) {
                struct pod_incarnation *inc = k == 0 ? view->current : view->next;

                if (!inc)
                        continue;
                if (!first)
                        buf_addch(out, ',');
                first = false;
                write_pod(view, inc, out);
        }
        buf_addstr(out, "]}");
}

static uint64_t digest_pod(const struct pod_view *view, struct pod_incarnation *inc, uint64_t h)
{
        struct saved_pod saved = pod_to_save(view, inc);

        h = plain_digest(pod_fields, &saved, h);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct saved_container container = container_to_save(&inc->pod->containers[i], &inc->containers[i]);

                h = plain_digest(container_fields, &container, h);
        }
        return h;
}

uint64_t pod_persist_digest(const struct pod_view *view, const char *boot_id)
{
        uint64_t h = hash64_text(hash64_text(view->fallback_revision, boot_id), view->fallback_hash);

        if (view->current)
                h = digest_pod(view, view->current, h);
        return view->next ? digest_pod(view, view->next, h ^ 1) : h;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

struct restore {
        bool same_boot, observed;
        usec_t now, now_wall, backoff_max;
};

/* What was saved of the instance that a backoff belongs to. */
struct saved_run {
        bool known; /* there was one */
        unsigned attempt, next_attempt;
        usec_t started;
};

/* Instances made after the last write follow a run each, but for the first where none had ended or was on: their
 * attempts tell how many. */
static unsigned restarts_since(const struct pod_backoff *saved, const struct saved_run *run,
                               const struct pod_instance *now)
{
        unsigned made = now->attempt >= run->next_attempt ? now->attempt + 1 - run->next_attempt : 0;
        bool first_counts = saved->ended || (run->known && run->started);

        return made > 0 && !first_counts ? made - 1 : made;
}

static void restore_backoff(const struct restore *r, struct pod_backoff *b, const struct pod_backoff *saved,
                            const struct saved_run *run, const struct pod_instance *now)
{
        unsigned made = restarts_since(saved, run, now);
        bool same = run->known && now->state != INSTANCE_ABSENT && now->attempt == run->attempt;

        *b = *saved;
        if (now->state != INSTANCE_ABSENT && now->attempt >= run->next_attempt) {
                b->count += made;
                b->ended = false;
                b->until = b->period = 0;
        }
        if (b->ended)
                return;
        if (now->state == INSTANCE_EXITED && (same || now->attempt >= run->next_attempt))
                backoff_ended(b, now->started, now->finished, r->backoff_max);
        else if (!same && now->attempt < run->next_attempt && run->known && run->started)
                /* It was removed while nobody looked; when it ended is not known, now at the latest. */
                backoff_ended(b, run->started, r->now, r->backoff_max);
}

/* It had ended and was put aside when the state was written: the version was put back since, or somebody asked for
 * another run. It is no result of what there is now. */
static bool is_of_before(const struct pod_instance *now, const char *saved_id, unsigned saved_next_attempt)
{
        return now->state == INSTANCE_EXITED && !saved_id && now->attempt < saved_next_attempt;
}

static void restore_running(struct pod_container_view *c, const struct saved_container *saved)
{
        /* Docker tells it by the wall clock, which may have been set since. */
        c->now.started = saved->started ? saved->started : c->now.started;
        c->post_start_done = saved->post_start_done;
        c->pre_stop_done = saved->pre_stop_done;
        c->restart_wanted = saved->restart_wanted;
        c->restart_grace_usec = saved->restart_grace_usec;
        c->signalled = saved->signalled;
        c->kill_at = saved->kill_at;
        pod_view_text(c->restart_reason, sizeof(c->restart_reason), saved->restart_reason);
        for (size_t k = 0; k < POD_PROBE_KIND_MAX; k++) {
                c->probes[k].known = saved->probes[k].known;
                c->probes[k].success = saved->probes[k].success;
        }
}

static void restore_container(const struct restore *r, struct pod_view *view, struct pod_incarnation *inc, size_t i,
                              bool same_sandbox, const struct saved_container *saved)
{
        struct pod_container_view *c = &inc->containers[i];

        if (r->observed && is_of_before(&c->now, saved->id, saved->next_attempt))
                edge_disown(view, inc, i, r->now);
        /* What ran in a sandbox that is gone was moved aside, but it is the run that the backoff goes on from. */
        bool aside = c->now.state == INSTANCE_ABSENT && c->last.state != INSTANCE_ABSENT &&
                     (c->last.attempt >= saved->next_attempt || (saved->id && str_eq(c->last.id, saved->id)));

        if (c->next_attempt < saved->next_attempt)
                c->next_attempt = saved->next_attempt;
        if (!r->observed || !r->same_boot)
                return;
        if (same_sandbox)
                c->init_done |= saved->init_done;
        restore_backoff(r, &c->backoff, &saved->backoff,
                        &(struct saved_run){saved->id, saved->attempt, saved->next_attempt, saved->started},
                        aside ? &c->last : &c->now);
        if (!saved->id || !str_eq(c->now.id, saved->id))
                return;
        c->restart_by_user = saved->restart_by_user;
        if (c->now.state == INSTANCE_EXITED && c->restart_by_user)
                backoff_clear(&c->backoff);
        if (c->now.state == INSTANCE_RUNNING) {
                restore_running(c, saved);
                edge_readiness(inc, i, r->now);
        }
}

static bool same_sandbox(const struct pod_incarnation *inc, const struct saved_pod *saved)
{
        return str_eq(inc->sandbox.id, saved->sandbox ? saved->sandbox : "");
}

static void restore_phase(const struct restore *r, struct pod_incarnation *inc, const struct saved_pod *saved)
{
        if (!r->observed)
                return;
        if (saved->terminal && !fact_runs(inc) && inc->phase != POD_ENDED) {
                inc->terminal = true;
                inc->terminal_failed = saved->terminal_failed;
                inc->stop_reason = saved->stop_reason;
                inc->phase = POD_ENDED;
                /* A stop ends with its sandbox: where another is there, the stop is over, and what was written since
                 * was lost. */
        } else if (saved->phase == POD_STOPPING && r->same_boot && fact_runs(inc) && same_sandbox(inc, saved) &&
                   (inc->phase == POD_ACTIVE || inc->phase == POD_PREPARING)) {
                inc->phase = POD_STOPPING;
                inc->stop_reason = saved->stop_reason;
                inc->stop_since = saved->stop_since;
                inc->stop_deadline = saved->stop_deadline;
        }
}

static void restore_pod(const struct restore *r, struct pod_view *view, struct pod_incarnation *inc,
                        const struct saved_pod *saved)
{
        if (r->observed && is_of_before(&inc->sandbox, saved->sandbox, saved->sandbox_next_attempt))
                edge_sandbox_away(view, inc);
        if (saved->first_seen_wall) {
                inc->first_seen_wall = saved->first_seen_wall;
                inc->first_seen = saved->first_seen;
        }
        if (!r->same_boot && saved->first_seen_wall) {
                /* It was seen before this boot: as long ago as the wall clock says. */
                usec_t ago = usec_sub(r->now_wall, saved->first_seen_wall);

                inc->first_seen = usec_sub(r->now, ago) ? usec_sub(r->now, ago) : 1;
        }
        if (r->observed) {
                inc->proven |= saved->proven;
                inc->gated = saved->gated && view->wanted; /* its manifest may have gone meanwhile */
        }
        /* Its time begins anew with the boot. */
        if (inc->gated && saved->gate_until)
                inc->gate_until = r->same_boot ? saved->gate_until : usec_add(r->now, gate_period(view, inc->pod));
        if (r->observed && r->same_boot && saved->sandbox && same_sandbox(inc, saved))
                inc->sandbox_ready &= saved->sandbox_ready;
        if (r->observed && r->same_boot)
                restore_backoff(r, &inc->sandbox_backoff, &saved->sandbox_backoff,
                                &(struct saved_run){saved->sandbox, saved->sandbox_attempt, saved->sandbox_next_attempt,
                                                    saved->sandbox_started},
                                &inc->sandbox);
}

static int read_container(const struct restore *r, struct pod_view *view, struct pod_incarnation *inc,
                          bool same_sandbox, const struct value *v, struct err *err)
{
        struct saved_container saved = {0};
        int result = plain_read(container_fields, v, &saved, err);

        for (size_t i = 0; result == 0 && inc && i < inc->pod->container_count; i++)
                if (str_eq(inc->pod->containers[i].name, saved.name))
                        restore_container(r, view, inc, i, same_sandbox, &saved);
        plain_release(container_fields, &saved);
        return result;
}

/* Attempts belong to the UID, whatever the version; all the rest to the version. */
static void restore_attempts(struct pod_view *view, const struct saved_pod *saved, const struct value *containers)
{
        if (saved->sandbox_next_attempt)
                edge_share_attempt(view, saved->uid, NULL, saved->sandbox_next_attempt - 1);
        for (size_t i = 0; i < containers->list.count; i++) {
                const struct value *v = containers->list.items[i];
                int64_t next;

                if (value_int(value_map_get(v, "next_attempt"), &next) == 0 && next > 0 && next <= UINT32_MAX)
                        edge_share_attempt(view, saved->uid, value_string(value_map_get(v, "name"), ""),
                                           (unsigned)next - 1);
        }
}

static struct pod_incarnation *find_version(const struct pod_view *view, const struct saved_pod *saved)
{
        struct pod_incarnation *const all[] = {view->current, view->next};

        for (size_t k = 0; k < ARRAY_SIZE(all); k++)
                if (all[k] && str_eq(all[k]->pod->uid, saved->uid) && str_eq(all[k]->pod->spec_hash, saved->spec_hash))
                        return all[k];
        return NULL;
}

static int read_pod(const struct restore *r, struct pod_view *view, const struct value *v, struct err *err)
{
        struct saved_pod saved = {0};
        const struct value *containers = value_map_get(v, "containers");
        struct pod_incarnation *inc;
        bool same_sandbox;
        int result = plain_read(pod_fields, v, &saved, err);

        if (result == 0 && (!saved.uid || !saved.spec_hash || !value_is(containers, VALUE_LIST)))
                result = value_error(&v->place, err, ERR_INVALID, "a pod without uid, spec_hash or containers");
        if (result == 0) {
                inc = find_version(view, &saved);
                same_sandbox = inc && saved.sandbox && str_eq(inc->sandbox.id, saved.sandbox);
                restore_attempts(view, &saved, containers);
                if (inc)
                        restore_pod(r, view, inc, &saved);
                for (size_t i = 0; result == 0 && i < containers->list.count; i++)
                        result = read_container(r, view, inc, same_sandbox, containers->list.items[i], err);
                if (inc && result == 0)
                        restore_phase(r, inc, &saved);
        }
        plain_release(pod_fields, &saved);
        return result;
}

/* A dry run on a copy first: half of a broken text must not count. */
static int read_all(const struct restore *r, struct pod_view *view, const struct value *root, struct err *err)
{
        const struct value *pods = value_map_get(root, "pods");
        int64_t fallback;
        int result = 0;

        if (value_int(value_map_get(root, "fallback"), &fallback) == 0 && fallback > 0 && fallback <= UINT32_MAX &&
            !view->fallback) {
                view->fallback_revision = (unsigned)fallback;
                pod_view_text(view->fallback_hash, sizeof(view->fallback_hash),
                              value_string(value_map_get(root, "fallback_hash"), ""));
        }
        for (size_t i = 0; result == 0 && i < pods->list.count; i++)
                result = read_pod(r, view, pods->list.items[i], err);
        return result;
}

int pod_persist_restore(struct pod_view *view, const char *data, size_t len, const char *boot_id, bool observed,
                        usec_t now, usec_t now_wall, struct err *err)
{
        struct value *root CLEANUP_VALUE = NULL;
        struct pod_view *copy CLEANUP_POD_VIEW = NULL;
        struct restore r = {.observed = observed, .now = now, .now_wall = now_wall, .backoff_max = view->backoff_max};
        int64_t version;
        int result = json_load(NULL, data, len, &root, err);

        if (result < 0)
                return result;
        if (value_int(value_map_get(root, "version"), &version) < 0 || version != PERSIST_VERSION)
                return err_set(err, ERR_INVALID, "saved state: not of version %d", PERSIST_VERSION);
        if (!value_is(value_map_get(root, "pods"), VALUE_LIST))
                return err_set(err, ERR_INVALID, "saved state: no list of pods");
        r.same_boot = boot_id[0] && str_eq(value_string(value_map_get(root, "boot_id"), ""), boot_id);
        copy = pod_view_copy(view);
        result = read_all(&r, copy, root, err);
        return result < 0 ? result : read_all(&r, view, root, err);
}
