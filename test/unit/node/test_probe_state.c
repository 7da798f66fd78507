/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/probe_state.h"

#define SEC USEC_PER_SEC

static const struct pod_probe probe = {
        .handler = {.type = POD_HANDLER_TCP_SOCKET},
        .initial_delay_seconds = 5,
        .period_seconds = 10,
        .success_threshold = 2,
        .failure_threshold = 3,
};

static void initial_values(void **state)
{
        struct pod_probe_state p;

        (void)state;
        probe_reset(&p, POD_PROBE_STARTUP);
        assert_false(p.success);
        probe_reset(&p, POD_PROBE_LIVENESS);
        assert_true(p.success);
        probe_reset(&p, POD_PROBE_READINESS);
        assert_false(p.success);
        assert_false(p.known);
}

/* One letter an outcome: s success, f failure, e error; below it the verdict: . undecided, P passed, F failed. */
static void thresholds_in_a_row(void **state)
{
        static const struct {
                const char *outcomes, *verdicts;
        } cases[] = {
                {"sss", ".PP"},     {"fff", "..F"},           {"ffffff", "..FFFF"},
                {"ffsff", "....."}, {"fsfsfsfs", "........"}, {"ssfssfffs", ".P..P..F."},
                {"feff", "...F"},   {"ses", "..P"},           {"ssffsff", ".P....."},
        };

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                struct pod_probe_state p;
                char got[16] = "";

                probe_reset(&p, POD_PROBE_READINESS);
                for (size_t k = 0; cases[i].outcomes[k]; k++) {
                        char c = cases[i].outcomes[k];
                        enum probe_verdict v = PROBE_UNDECIDED;

                        if (c == 'e')
                                probe_error(&p, &probe, "no connection to Docker", 0);
                        else
                                v = probe_outcome(&p, &probe, c == 's', "text", 0);
                        got[k] = ".PF"[v];
                }
                assert_string_equal(got, cases[i].verdicts);
        }
}

static void first_after_initial_delay_then_each_period(void **state)
{
        struct pod_probe_state p;

        (void)state;
        probe_reset(&p, POD_PROBE_READINESS);
        probe_plan(&p, &probe, 100 * SEC, 100 * SEC, 0);
        assert_int_equal(p.due, 105 * SEC);
        probe_plan(&p, &probe, 200 * SEC, 200 * SEC, 0); /* planned already */
        assert_int_equal(p.due, 105 * SEC);
        (void)probe_outcome(&p, &probe, true, "", 105 * SEC + 300000);
        assert_int_equal(p.due, 115 * SEC); /* the cadence does not drift with the answer's time */
        (void)probe_outcome(&p, &probe, true, "", 136 * SEC);
        assert_int_equal(p.due, 135 * SEC); /* of the ticks that have passed one is kept, and the cadence */
        (void)probe_outcome(&p, &probe, true, "", 136 * SEC + 300000);
        assert_int_equal(p.due, 145 * SEC);
}

static void a_container_that_runs_for_long_is_probed_at_once(void **state)
{
        struct pod_probe_state p;

        (void)state;
        probe_reset(&p, POD_PROBE_READINESS);
        probe_plan(&p, &probe, 100 * SEC, 500 * SEC, 0);
        assert_int_equal(p.due, 500 * SEC);
        probe_reset(&p, POD_PROBE_LIVENESS);
        probe_plan(&p, &probe, 100 * SEC, 500 * SEC, 3 * SEC);
        assert_int_equal(p.due, 503 * SEC);
}

static void no_probe_no_plan(void **state)
{
        const struct pod_probe none = {.period_seconds = 10};
        struct pod_probe_state p;

        (void)state;
        probe_reset(&p, POD_PROBE_READINESS);
        probe_plan(&p, &none, 100 * SEC, 100 * SEC, 0);
        assert_int_equal(p.due, 0);
}

static void the_offset_follows_from_the_uid(void **state)
{
        usec_t a = probe_offset("uid-a", "c", POD_PROBE_LIVENESS, 10 * SEC);
        usec_t b = probe_offset("uid-b", "c", POD_PROBE_LIVENESS, 10 * SEC);

        (void)state;
        assert_int_equal(a, probe_offset("uid-a", "c", POD_PROBE_LIVENESS, 10 * SEC));
        assert_int_not_equal(a, b);
        assert_true(a < 10 * SEC && b < 10 * SEC);
}

/* What is saved of a probe must not change while all is well. */
static void the_streak_stays_at_the_threshold(void **state)
{
        struct pod_probe_state p, q;

        (void)state;
        probe_reset(&p, POD_PROBE_READINESS);
        for (int i = 0; i < 5; i++)
                (void)probe_outcome(&p, &probe, true, "ok", 0);
        q = p;
        (void)probe_outcome(&p, &probe, true, "ok", 0);
        assert_int_equal(p.streak, q.streak);
        assert_int_equal(p.streak, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(initial_values),
                cmocka_unit_test(thresholds_in_a_row),
                cmocka_unit_test(first_after_initial_delay_then_each_period),
                cmocka_unit_test(a_container_that_runs_for_long_is_probed_at_once),
                cmocka_unit_test(no_probe_no_plan),
                cmocka_unit_test(the_offset_follows_from_the_uid),
                cmocka_unit_test(the_streak_stays_at_the_threshold),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
