/* SPDX-License-Identifier: Apache-2.0
 *
 * What is kept over a restart of podwatch, and what of it is still true then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "docker/docker.h"
#include "node/pod_edge.h"
#include "node/pod_gate.h"
#include "node/pod_persist.h"
#include "node/view_digest.h"
#include "rig.h"

#define BOOT "boot"
#define LIMIT (64 * 1024)

static void up(struct rig *rig)
{
        rig_up(rig, rig_pod("u1", "h1", 0, 1));
}

static void show(struct rig *rig, const char *id, const char *container, unsigned attempt, const char *sandbox)
{
        struct docker_container seen;

        rig_show(rig, &seen, id, "u1", "h1", container, attempt, sandbox, true);
        (void)pod_observe_container(rig->view, &seen, rig->now, rig->wall);
        docker_container_release(&seen);
}

/* Another podwatch, `away` later by the boot clock and `jump` more by the wall clock, which finds sandbox and app0. */
static void comes_back(struct rig *rig, const char *saved, usec_t away, usec_t jump, const char *sandbox,
                       unsigned sandbox_attempt, const char *app, unsigned attempt)
{
        struct rig next;

        rig_init(&next);
        next.now = rig->now + away;
        next.wall = rig->wall + away + jump;
        rig_want(&next, rig_pod("u1", "h1", 0, 1));
        assert_int_equal(pod_persist_restore(next.view, saved, strlen(saved), BOOT, false, next.now, next.wall, NULL),
                         0);
        show(&next, sandbox, "", sandbox_attempt, NULL);
        show(&next, app, "app0", attempt, sandbox);
        assert_int_equal(pod_persist_restore(next.view, saved, strlen(saved), BOOT, true, next.now, next.wall, NULL),
                         0);
        rig_release(rig);
        *rig = next;
}

/* A stop that the state on disk tells of is over when another sandbox runs: what was written since was lost. */
static void a_stop_of_an_earlier_sandbox_is_over(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig;

        (void)state;
        up(&rig);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        pod_persist_write(rig.view, BOOT, &saved);
        comes_back(&rig, buf_str(&saved), 5 * SEC, 0, "another", 7, "app", 7);
        assert_int_equal(rig.view->current->phase, POD_ACTIVE);
        rig_release(&rig);
}

/* A version on trial when the machine went down is on trial when it is up again, for its whole time. */
static void a_trial_outlives_a_boot(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig, next;
        struct pod *pod = rig_pod("u1", "h1", 0, 1);

        (void)state;
        pod->revert_seconds = 60;
        rig_up(&rig, pod_ref(pod));
        assert_true(rig.view->current->proven);
        rig.view->current->gated = true;
        rig.view->current->gate_until = rig.now + 7 * SEC;
        pod_persist_write(rig.view, BOOT, &saved);
        rig_init(&next);
        rig_want(&next, pod);
        assert_int_equal(
                pod_persist_restore(next.view, buf_str(&saved), saved.len, "another", true, next.now, next.wall, NULL),
                0);
        assert_true(next.view->current->gated);
        assert_true(next.view->current->proven);
        assert_int_equal(next.view->current->gate_until, next.now + 60 * SEC);
        rig_release(&next);
        rig_release(&rig);
}

/* The disk did not take the version before; after a restart its number was given to another one. */
static void a_trial_goes_back_to_its_own_version_alone(void **state)
{
        (void)state;
        for (int same = 0; same < 2; same++) {
                struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
                struct pod *before = rig_pod("u0", "h0", 0, 1), *another = rig_pod("u0", same ? "h0" : "h2", 0, 1);
                struct rig rig, next;

                rig_up(&rig, rig_pod("u1", "h1", 0, 1));
                rig.view->current->gated = true;
                gate_set_fallback(rig.view, before, 4);
                pod_persist_write(rig.view, BOOT, &saved);
                rig_init(&next);
                rig_want(&next, rig_pod("u1", "h1", 0, 1));
                assert_int_equal(pod_persist_restore(next.view, buf_str(&saved), saved.len, BOOT, true, next.now,
                                                     next.wall, NULL),
                                 0);
                assert_int_equal(next.view->fallback_revision, 4);
                pod_fallback(next.view, another, 4);
                assert_int_equal(next.view->fallback != NULL, same);
                pod_unref(before);
                pod_unref(another);
                rig_release(&next);
                rig_release(&rig);
        }
}

static void a_stop_of_this_sandbox_goes_on(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig;
        char sandbox[POD_VIEW_ID_MAX], app[POD_VIEW_ID_MAX];

        (void)state;
        up(&rig);
        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        pod_persist_write(rig.view, BOOT, &saved);
        memcpy(sandbox, rig.view->current->sandbox.id, sizeof(sandbox));
        memcpy(app, rig_view(&rig, "app0")->now.id, sizeof(app));
        comes_back(&rig, buf_str(&saved), 5 * SEC, 0, sandbox, 0, app, 0);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        rig_release(&rig);
}

/* The length of a run decides whether the backoff begins anew: it must not be that of a wall clock that was set. */
static void a_run_is_as_long_as_it_was(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig;
        char sandbox[POD_VIEW_ID_MAX], app[POD_VIEW_ID_MAX];
        usec_t started;

        (void)state;
        up(&rig);
        pod_persist_write(rig.view, BOOT, &saved);
        memcpy(sandbox, rig.view->current->sandbox.id, sizeof(sandbox));
        memcpy(app, rig_view(&rig, "app0")->now.id, sizeof(app));
        started = rig_view(&rig, "app0")->now.started;
        comes_back(&rig, buf_str(&saved), 5 * SEC, 3600 * SEC, sandbox, 0, app, 0);
        assert_int_equal(rig_view(&rig, "app0")->now.started, started);
        rig_release(&rig);
}

static void show_ended(struct rig *rig, const char *id, const char *container, unsigned attempt, const char *sandbox)
{
        struct docker_container seen;

        rig_show(rig, &seen, id, "u1", "h1", container, attempt, sandbox, true);
        seen.state = DOCKER_STATE_EXITED;
        seen.exit_code = 1;
        seen.finished = rig->wall;
        (void)pod_observe_container(rig->view, &seen, rig->now, rig->wall);
        docker_container_release(&seen);
}

/* Made, run and ended behind the last that reached the disk, in a sandbox that another one has followed. */
static void a_run_that_the_disk_knows_nothing_of_counts(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        pod_persist_write(rig.view, BOOT, &saved);
        rig_release(&rig);

        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        assert_int_equal(
                pod_persist_restore(rig.view, buf_str(&saved), saved.len, BOOT, false, rig.now, rig.wall, NULL), 0);
        show_ended(&rig, "first", "", 0, NULL);
        show_ended(&rig, "app", "app0", 0, "first");
        show_ended(&rig, "second", "", 1, NULL);
        assert_int_equal(pod_persist_restore(rig.view, buf_str(&saved), saved.len, BOOT, true, rig.now, rig.wall, NULL),
                         0);
        assert_true(rig_view(&rig, "app0")->backoff.ended);
        rig_settle(&rig);
        rig_at(&rig, 10 * SEC); /* the sandbox has a backoff of its own */
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->backoff.count, 1);
        rig_exits(&rig, "app0", 1);
        assert_string_equal(rig_wait(&rig, "app0"), "CrashLoopBackOff");
        rig_release(&rig);
}

/* What ended before the version was put back, or before somebody asked for another run, was put aside then: it is no
 * result of what there is now. */
static void what_ended_in_a_life_before_is_run_again(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct pod *pod = rig_pod("u1", "h1", 1, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_init(&rig);
        rig_want(&rig, pod_ref(pod));
        rig_step(&rig);
        edge_share_attempt(rig.view, "u1", NULL, 0); /* those of the life before */
        edge_share_attempt(rig.view, "u1", "init0", 0);
        edge_share_attempt(rig.view, "u1", "app0", 0);
        pod_persist_write(rig.view, BOOT, &saved);
        rig_release(&rig);

        rig_init(&rig);
        rig_want(&rig, pod);
        show_ended(&rig, "first", "", 0, NULL);
        show_ended(&rig, "init", "init0", 0, "first");
        show_ended(&rig, "app", "app0", 0, "first");
        rig_view(&rig, "init0")->init_done = true; /* as its end had shown */
        assert_int_equal(pod_persist_restore(rig.view, buf_str(&saved), saved.len, BOOT, true, rig.now, rig.wall, NULL),
                         0);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_ABSENT);
        assert_int_equal(rig.view->current->sandbox.state, INSTANCE_ABSENT);
        assert_int_equal(rig.view->garbage_count, 3);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "init0")->now.state, INSTANCE_RUNNING);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_ABSENT);
        rig_exits(&rig, "init0", 0);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* Its manifest is gone, and there again when podwatch is: it runs once more, as where podwatch saw both. */
static void what_has_completed_and_gone_comes_back_anew(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct pod *pod = rig_pod("u1", "h1", 0, 1);
        struct rig rig;

        (void)state;
        pod->restart_policy = POD_RESTART_NEVER;
        rig_up(&rig, pod_ref(pod));
        rig_exits(&rig, "app0", 0);
        rig_settle(&rig);
        rig_exits(&rig, "", 137);
        assert_true(rig.view->current->terminal);
        (void)pod_unwant(rig.view, rig.now);
        pod_persist_write(rig.view, BOOT, &saved);
        rig_release(&rig);

        rig_init(&rig);
        rig_want(&rig, pod);
        assert_int_equal(pod_persist_restore(rig.view, buf_str(&saved), saved.len, BOOT, true, rig.now, rig.wall, NULL),
                         0);
        assert_false(rig.view->current->terminal);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* Its time, which activeDeadlineSeconds counts from, begins when it is put back; a version that stays wanted keeps it.
 */
static void what_comes_back_is_as_old_as_that(void **state)
{
        (void)state;
        for (int stays = 0; stays < 2; stays++) {
                struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
                struct pod *pod = rig_pod("u1", "h1", 0, 1);
                usec_t first, first_wall;
                struct rig rig;

                pod->active_deadline_seconds = 600;
                rig_up(&rig, pod_ref(pod));
                first = rig.view->current->first_seen;
                first_wall = rig.view->current->first_seen_wall;
                if (!stays)
                        (void)pod_unwant(rig.view, rig.now);
                pod_persist_write(rig.view, BOOT, &saved);
                rig_release(&rig);

                rig_init(&rig);
                rig.now += 700 * SEC;
                rig.wall += 700 * SEC;
                rig_want(&rig, pod);
                assert_int_equal(
                        pod_persist_restore(rig.view, buf_str(&saved), saved.len, BOOT, false, rig.now, rig.wall, NULL),
                        0);
                assert_int_equal(rig.view->current->first_seen, stays ? first : rig.now);
                assert_int_equal(rig.view->current->first_seen_wall, stays ? first_wall : rig.wall);
                rig_step(&rig);
                assert_int_equal(rig.view->current->stop_reason, stays ? POD_STOP_DEADLINE : POD_STOP_NONE);
                rig_release(&rig);
        }
}

/* Put back while podwatch was away and it still stopped. */
static void a_stop_of_the_life_before_ends_nothing(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct pod *pod = rig_pod("u1", "h1", 0, 2);
        char sandbox[POD_VIEW_ID_MAX], app[POD_VIEW_ID_MAX];
        struct rig rig;

        (void)state;
        pod->active_deadline_seconds = 10;
        rig_up(&rig, pod);
        rig_at(&rig, 10 * SEC);
        assert_int_equal(rig.view->current->stop_reason, POD_STOP_DEADLINE);
        (void)pod_unwant(rig.view, rig.now);
        pod_persist_write(rig.view, BOOT, &saved);
        memcpy(sandbox, rig.view->current->sandbox.id, sizeof(sandbox));
        memcpy(app, rig_view(&rig, "app0")->now.id, sizeof(app));
        comes_back(&rig, buf_str(&saved), 5 * SEC, 0, sandbox, 0, app, 0);
        assert_int_equal(rig.view->current->phase, POD_STOPPING);
        show_ended(&rig, app, "app0", 0, sandbox);
        show_ended(&rig, sandbox, "", 0, NULL);
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 1);
        assert_int_equal(rig_view(&rig, "app0")->now.state, INSTANCE_RUNNING);
        rig_release(&rig);
}

/* One failure that the file tells of and one more are not two in a row: whatever came between may not have reached the
 * disk. What was decided stays. */
static void failures_are_counted_anew(void **state)
{
        struct buf saved CLEANUP_BUF = BUF_INIT(LIMIT);
        struct rig rig;
        char sandbox[POD_VIEW_ID_MAX], app[POD_VIEW_ID_MAX];
        struct pod_probe_state *probe;

        (void)state;
        up(&rig);
        probe = rig_view(&rig, "app0")->probes;
        probe[POD_PROBE_LIVENESS].streak = 2;
        probe[POD_PROBE_READINESS].known = true;
        probe[POD_PROBE_READINESS].success = true;
        pod_persist_write(rig.view, BOOT, &saved);
        memcpy(sandbox, rig.view->current->sandbox.id, sizeof(sandbox));
        memcpy(app, rig_view(&rig, "app0")->now.id, sizeof(app));
        comes_back(&rig, buf_str(&saved), 5 * SEC, 0, sandbox, 0, app, 0);
        probe = rig_view(&rig, "app0")->probes;
        assert_int_equal(probe[POD_PROBE_LIVENESS].streak, 0);
        assert_true(probe[POD_PROBE_READINESS].known && probe[POD_PROBE_READINESS].success);
        rig_release(&rig);
}

/* The text, and so the digest that saves writing it, and the one that saves looking. */
static void must_differ(struct rig *rig)
{
        static uint64_t persist, whole;
        static char text[LIMIT];
        struct buf now CLEANUP_BUF = BUF_INIT(LIMIT);
        uint64_t p = pod_persist_digest(rig->view, BOOT), w = view_digest(rig->view, &rig->plan);

        pod_persist_write(rig->view, BOOT, &now);
        assert_string_not_equal(text, buf_str(&now));
        assert_true(p != persist);
        assert_true(w != whole);
        assert_true(p == pod_persist_digest(rig->view, BOOT));
        memcpy(text, buf_str(&now), now.len + 1);
        persist = p;
        whole = w;
}

static void whatever_belongs_on_disk_is_seen_by_the_digest(void **state)
{
        struct rig rig;
        struct pod_incarnation *inc;
        struct pod_container_view *c;

        (void)state;
        up(&rig);
        inc = rig.view->current;
        c = rig_view(&rig, "app0");
        must_differ(&rig);
        inc->sandbox_ready = !inc->sandbox_ready;
        must_differ(&rig);
        inc->sandbox_backoff.count++;
        must_differ(&rig);
        inc->sandbox_backoff.ended = !inc->sandbox_backoff.ended;
        must_differ(&rig);
        inc->stop_deadline++;
        must_differ(&rig);
        inc->first_seen++;
        must_differ(&rig);
        c->backoff.period++;
        must_differ(&rig);
        c->backoff.ended = !c->backoff.ended;
        must_differ(&rig);
        c->restart_grace_usec = 5;
        must_differ(&rig);
        pod_view_text(c->restart_reason, sizeof(c->restart_reason), "why");
        must_differ(&rig);
        pod_view_text(c->restart_reason, sizeof(c->restart_reason), "why not, if it is for long");
        must_differ(&rig);
        c->now.started++;
        must_differ(&rig);
        c->probes[POD_PROBE_READINESS].success = !c->probes[POD_PROBE_READINESS].success;
        must_differ(&rig);
        rig.view->fallback_revision = 3;
        must_differ(&rig);
        pod_view_text(rig.view->fallback_hash, sizeof(rig.view->fallback_hash), "h3");
        must_differ(&rig);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_stop_of_an_earlier_sandbox_is_over),
                cmocka_unit_test(a_trial_outlives_a_boot),
                cmocka_unit_test(a_trial_goes_back_to_its_own_version_alone),
                cmocka_unit_test(a_stop_of_this_sandbox_goes_on),
                cmocka_unit_test(a_run_is_as_long_as_it_was),
                cmocka_unit_test(a_run_that_the_disk_knows_nothing_of_counts),
                cmocka_unit_test(what_ended_in_a_life_before_is_run_again),
                cmocka_unit_test(what_has_completed_and_gone_comes_back_anew),
                cmocka_unit_test(what_comes_back_is_as_old_as_that),
                cmocka_unit_test(a_stop_of_the_life_before_ends_nothing),
                cmocka_unit_test(failures_are_counted_anew),
                cmocka_unit_test(whatever_belongs_on_disk_is_seen_by_the_digest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
