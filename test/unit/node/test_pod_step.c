/* SPDX-License-Identifier: Apache-2.0
 *
 * A plain pod: up, crash, down.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

static void up_from_nothing(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "ACTIVATE volumes image:app0");
        rig_done(&rig, POD_OP_IMAGE, "app0");
        rig_done(&rig, POD_OP_VOLUMES, "");
        assert_string_equal(rig_take(&rig), "sandbox-create");
        rig_done(&rig, POD_OP_SANDBOX_CREATE, "");
        assert_string_equal(rig_take(&rig), "sandbox-start create:app0");
        rig_done(&rig, POD_OP_CREATE, "app0");
        assert_string_equal(rig_take(&rig), "");
        rig_done(&rig, POD_OP_SANDBOX_START, "");
        assert_string_equal(rig_take(&rig), "start:app0");
        rig_done(&rig, POD_OP_START, "app0");
        assert_string_equal(rig_take(&rig), "");
        assert_true(rig_view(&rig, "app0")->ready);
        assert_int_equal(rig.plan.deadline, USEC_INFINITY);
        rig_release(&rig);
}

static void down_when_removed(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_settle(&rig);
        (void)rig_take(&rig);

        (void)pod_unwant(rig.view, rig.now);
        rig_step(&rig);
        assert_string_equal(rig_take(&rig), "STOP:removed signal:app0");
        rig_done(&rig, POD_OP_SIGNAL, "app0");
        rig_at(&rig, 29 * SEC);
        assert_string_equal(rig_take(&rig), "");
        assert_int_equal(rig.plan.deadline, rig.now + SEC);
        rig_at(&rig, 30 * SEC);
        assert_string_equal(rig_take(&rig), "kill:app0");
        rig_done(&rig, POD_OP_KILL, "app0");
        rig_exits(&rig, "app0", 137);
        assert_string_equal(rig_take(&rig), "sandbox-stop");
        rig_done(&rig, POD_OP_SANDBOX_STOP, "");
        rig_exits(&rig, "", 137);
        assert_string_equal(rig_take(&rig), "END cleanup remove:id2 remove:id1");
        rig_settle(&rig);
        assert_string_equal(rig_take(&rig), "DROP");
        assert_null(rig.view->current);
        assert_int_equal(rig.view->garbage_count, 0);
        rig_release(&rig);
}

static void restarts_at_once_then_after_10_20_s(void **state)
{
        struct rig rig;

        (void)state;
        rig_init(&rig);
        rig_want(&rig, rig_pod("u1", "h1", 0, 1));
        rig_settle(&rig);
        (void)rig_take(&rig);

        rig_at(&rig, 5 * SEC);
        rig_exits(&rig, "app0", 1);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_settle(&rig);
        rig_at(&rig, 6 * SEC);
        rig_exits(&rig, "app0", 1);
        (void)rig_take(&rig);
        assert_int_equal(rig.plan.deadline, rig.now + 10 * SEC);
        assert_string_equal(rig_wait(&rig, "app0"), "CrashLoopBackOff");
        rig_at(&rig, 16 * SEC - 1);
        assert_string_equal(rig_take(&rig), "");
        rig_at(&rig, 16 * SEC);
        assert_string_equal(rig_take(&rig), "create:app0");
        rig_settle(&rig);
        assert_int_equal(rig_view(&rig, "app0")->now.attempt, 2);
        rig_at(&rig, 17 * SEC);
        rig_exits(&rig, "app0", 1);
        assert_int_equal(rig.plan.deadline, rig.now + 20 * SEC);
        rig_release(&rig);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(up_from_nothing),
                cmocka_unit_test(down_when_removed),
                cmocka_unit_test(restarts_at_once_then_after_10_20_s),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
