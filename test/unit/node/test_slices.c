/* SPDX-License-Identifier: Apache-2.0
 *
 * What is asked of systemd and in which order, with a manager of units in the test's process. What a systemd makes of
 * it takes a machine with one (integration test cgroup_modes).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/bus.h"
#include "net/loop.h"
#include "node/host.h"
#include "node/slices.h"

#include "../fake_bus.h"
#include "../pod_of_text.h"

#define LONG (20 * USEC_PER_SEC)
#define JOB "/org/freedesktop/systemd1/job/1"
#define GUARANTEED "limits: {cpu: 250m, memory: 64Mi}"
#define REQUESTS "requests: {cpu: 100m}"
#define BELOW(slice)                                                                      \
        "Wants=" slice ".slice DefaultDependencies=0 CPUAccounting=1 MemoryAccounting=1 " \
        "TasksAccounting=1 IOAccounting=1 "
#define NEW BELOW("kubepods")

struct state {
        struct loop *loop;
        struct fake_bus fake;
        struct bus_peer peer;
        struct host host;
        struct slices *slices;
        char mount[64];
        struct strv units;   /* that systemd has */
        struct buf heard;    /* what was asked of it, a line each */
        const char *refuses; /* this method */
        bool goes;           /* a unit that is there is gone a moment later */
        unsigned left;
        bool done, success;
};

/* --- systemd ------------------------------------------------------------------------------------------------------ */

static void read_property(struct state *s, sd_bus_message *m)
{
        const char *name, *type, *text;
        uint64_t number;
        int flag;

        assert_true(sd_bus_message_read(m, "s", &name) > 0);
        assert_true(sd_bus_message_peek_type(m, NULL, &type) > 0);
        assert_true(sd_bus_message_enter_container(m, 'v', type) > 0);
        if (str_eq(type, "t")) {
                assert_true(sd_bus_message_read(m, "t", &number) > 0);
                buf_addf(&s->heard, "%s=%llu ", name, (unsigned long long)number);
        } else if (str_eq(type, "b")) {
                assert_true(sd_bus_message_read(m, "b", &flag) > 0);
                buf_addf(&s->heard, "%s=%d ", name, flag);
        } else if (str_eq(type, "as")) {
                assert_true(sd_bus_message_read(m, "as", 1, &text) > 0);
                buf_addf(&s->heard, "%s=%s ", name, text);
        } else {
                assert_string_equal(type, "s");
                assert_true(sd_bus_message_read(m, "s", &text) > 0);
                assert_string_equal(name, "Description");
        }
        assert_true(sd_bus_message_exit_container(m) > 0);
}

static void read_properties(struct state *s, sd_bus_message *m)
{
        assert_true(sd_bus_message_enter_container(m, 'a', "(sv)") > 0);
        while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
                read_property(s, m);
                assert_true(sd_bus_message_exit_container(m) > 0);
        }
        assert_true(sd_bus_message_exit_container(m) > 0);
}

static void unit_gone(struct state *s, const char *name)
{
        for (size_t i = s->units.len; i-- > 0;)
                if (str_eq(s->units.items[i], name))
                        strv_remove(&s->units, i);
}

static void called(void *userdata, sd_bus_message *m)
{
        const char *member = sd_bus_message_get_member(m), *name, *mode = "replace";
        struct state *s = userdata;
        int runtime = 1;

        assert_string_equal(sd_bus_message_get_interface(m), "org.freedesktop.systemd1.Manager");
        assert_string_equal(sd_bus_message_get_path(m), "/org/freedesktop/systemd1");
        assert_string_equal(sd_bus_message_get_destination(m), "org.freedesktop.systemd1");
        assert_true(sd_bus_message_read(m, "s", &name) > 0);
        buf_addf(&s->heard, "%s %s ", member, name);
        if (str_eq(member, "SetUnitProperties"))
                assert_true(sd_bus_message_read(m, "b", &runtime) > 0);
        else
                assert_true(sd_bus_message_read(m, "s", &mode) > 0);
        assert_true(runtime == 1 && str_eq(mode, "replace"));
        if (str_eq(member, "SetUnitProperties") || str_eq(member, "StartTransientUnit"))
                read_properties(s, m);
        if (str_eq(member, "StartTransientUnit"))
                assert_true(sd_bus_message_skip(m, "a(sa(sv))") > 0);
        assert_true(sd_bus_message_at_end(m, true) > 0);
        buf_addstr(&s->heard, "\n");
        if (str_eq(member, s->refuses)) {
                assert_true(sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.AccessDenied", "not you") >= 0);
                return;
        }
        bool there = strv_contains(&s->units, name);
        if (str_eq(member, "StartTransientUnit") && there) {
                assert_true(sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.UnitExists", "is there") >= 0);
                if (s->goes)
                        unit_gone(s, name);
                return;
        }
        if (str_eq(member, "StopUnit") && !there) {
                assert_true(sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.NoSuchUnit", "not loaded") >= 0);
                return;
        }
        if (str_eq(member, "StartTransientUnit"))
                strv_add(&s->units, name);
        if (str_eq(member, "StopUnit"))
                unit_gone(s, name);
        if (str_eq(member, "SetUnitProperties"))
                assert_true(sd_bus_reply_method_return(m, NULL) >= 0);
        else
                assert_true(sd_bus_reply_method_return(m, "o", JOB) >= 0);
}

/* --- the test ----------------------------------------------------------------------------------------------------- */

static int setup(void **state)
{
        struct state *s = xcalloc(1, sizeof(*s));

        (void)snprintf(s->mount, sizeof(s->mount), "/tmp/test-slices-XXXXXX");
        assert_non_null(mkdtemp(s->mount));
        s->host = (struct host){.cgroup_mount = s->mount,
                                .cgroup_root = "/",
                                .cgroup_version = 2,
                                .cgroup_systemd = true,
                                .cgroups_per_qos = true,
                                .cpu_cfs_quota = true,
                                .pod_pids_limit = -1};
        s->heard = BUF_INIT(16384);
        assert_int_equal(loop_new(&s->loop, NULL), 0);
        s->fake = (struct fake_bus){.loop = s->loop, .daemon = true, .called = called, .userdata = s};
        fake_bus_init(&s->fake);
        s->peer = (struct bus_peer){s->fake.address, true};
        s->slices = slices_new(s->loop, &s->peer, 1);
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        s->slices = slices_free(s->slices);
        fake_bus_release(&s->fake);
        s->loop = loop_free(s->loop);
        strv_release(&s->units);
        buf_release(&s->heard);
        assert_int_equal(file_remove_tree(s->mount, NULL), 0);
        free(s);
        return 0;
}

static void ended(void *userdata, bool success)
{
        struct state *s = userdata;

        s->success = success;
        s->done = --s->left == 0;
}

static void ask_pod(struct state *s, const char *uid, const char *resources)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: web, uid: %s}, spec: "
                                            "{containers: [{name: c, image: i, resources: {%s}}]}}",
                                            uid, resources);
        struct pod *pod CLEANUP_POD = test_pod(text, &source);

        s->left++;
        s->done = false;
        slices_pod(s->slices, &s->host, pod, ended, s);
}

static void ask_classes(struct state *s, int64_t milli)
{
        s->left++;
        s->done = false;
        slices_classes(s->slices, &s->host, milli, ended, s);
}

static void wait_all(struct state *s)
{
        assert_int_equal(loop_wait(s->loop, &s->done, usec_add(loop_now(s->loop), LONG), NULL), 0);
        assert_true(s->done);
}

static void wait_closed(struct state *s)
{
        while (s->fake.sd || s->fake.connections == 0)
                assert_int_equal(loop_step(s->loop, usec_add(loop_now(s->loop), LONG), NULL), 1);
}

static void expect_heard(struct state *s, const char *want)
{
        assert_string_equal(buf_str(&s->heard), want);
        buf_clear(&s->heard);
}

static void test_made(void **state)
{
        struct state *s = *state;

        ask_pod(s, "u-1", GUARANTEED);
        ask_pod(s, "u-2", GUARANTEED);
        assert_false(s->done);
        wait_all(s);
        assert_true(s->success);
        expect_heard(s, "StartTransientUnit kubepods-podu_1.slice " NEW "\n"
                        "StartTransientUnit kubepods-podu_2.slice " NEW "\n"
                        "SetUnitProperties kubepods-podu_1.slice "
                        "CPUWeight=10 CPUQuotaPerSecUSec=250000 MemoryMax=67108864 \n"
                        "SetUnitProperties kubepods-podu_2.slice "
                        "CPUWeight=10 CPUQuotaPerSecUSec=250000 MemoryMax=67108864 \n");
        wait_closed(s);
        assert_int_equal(s->fake.connections, 1);
}

/* One that is on its way out is made anew. The class is made before the first pod in it. */
static void test_on_its_way_out(void **state)
{
#define MAKE "StartTransientUnit kubepods-burstable-podu_1.slice " BELOW("kubepods-burstable") "\n"
        struct state *s = *state;

        s->goes = true;
        strv_add(&s->units, "kubepods-burstable-podu_1.slice");
        ask_pod(s, "u-1", REQUESTS);
        wait_all(s);
        assert_true(s->success);
        expect_heard(s, "StartTransientUnit kubepods-burstable.slice " NEW "\n" MAKE MAKE
                        "SetUnitProperties kubepods-burstable-podu_1.slice CPUWeight=4 \n");
        ask_pod(s, "u-2", REQUESTS);
        wait_all(s);
        assert_non_null(str_after(buf_str(&s->heard), "StartTransientUnit kubepods-burstable-podu_2.slice "));
}

/* One that stays is kept first, in case that it is being stopped, and then given what the pod asks for. */
static void test_there_already(void **state)
{
        struct state *s = *state;

        strv_add(&s->units, "kubepods-podu_1.slice");
        ask_pod(s, "u-1", GUARANTEED);
        wait_all(s);
        assert_true(s->success);
        assert_non_null(str_after(buf_str(&s->heard), "StartTransientUnit kubepods-podu_1.slice "));
        assert_non_null(strstr(buf_str(&s->heard), "\nStartUnit kubepods-podu_1.slice \n"
                                                   "SetUnitProperties kubepods-podu_1.slice "
                                                   "CPUWeight=10 CPUQuotaPerSecUSec=250000 MemoryMax=67108864 \n"));
}

static void test_classes(void **state)
{
        struct state *s = *state;

        s->host.cgroup_version = 1;
        ask_classes(s, 100);
        wait_all(s);
        assert_true(s->success);
        assert_non_null(strstr(buf_str(&s->heard), "BlockIOAccounting=1 \n"));
        assert_non_null(strstr(buf_str(&s->heard), "SetUnitProperties kubepods-burstable.slice CPUShares=102 \n"));
        buf_clear(&s->heard);
        /* The value that came last stands, whatever was under way. */
        ask_classes(s, 350);
        ask_classes(s, 450);
        wait_all(s);
        assert_true(s->success);
        assert_non_null(strstr(buf_str(&s->heard), "SetUnitProperties kubepods-besteffort.slice CPUShares=2 \n"));
        assert_non_null(strstr(buf_str(&s->heard), "SetUnitProperties kubepods-burstable.slice CPUShares=460 \n"));
        assert_null(strstr(buf_str(&s->heard), "SetUnitProperties kubepods-burstable.slice CPUShares=358 \n"));
}

static void test_stopped(void **state)
{
        struct state *s = *state;
        char *path CLEANUP_FREE = xasprintf("%s/kubepods.slice/kubepods-podu_1.slice", s->mount);

        /* Of a pod that has none nothing is asked. */
        slices_stop(s->slices, &s->host, "u-2");
        assert_int_equal(file_mkdir_p(path, 0755, NULL), 0);
        slices_stop(s->slices, &s->host, "u-1");
        wait_closed(s);
        expect_heard(s, "StopUnit kubepods-podu_1.slice \n");
        /* The pod comes back before the stop was answered: what is asked last comes last. */
        strv_add(&s->units, "kubepods-podu_1.slice");
        slices_stop(s->slices, &s->host, "u-1");
        ask_pod(s, "u-1", REQUESTS);
        wait_all(s);
        assert_true(s->success);
        assert_non_null(str_after(buf_str(&s->heard), "StopUnit kubepods-podu_1.slice \nStartTransientUnit "));
        /* It goes before its slice was made: nothing is set any more. */
        strv_add(&s->units, "kubepods-podu_1.slice");
        buf_clear(&s->heard);
        ask_pod(s, "u-1", GUARANTEED);
        slices_stop(s->slices, &s->host, "u-1");
        assert_true(s->done && s->success);
        while (strv_contains(&s->units, "kubepods-podu_1.slice"))
                assert_int_equal(loop_step(s->loop, usec_add(loop_now(s->loop), LONG), NULL), 1);
        wait_closed(s);
        assert_non_null(strstr(buf_str(&s->heard), "\nStopUnit kubepods-podu_1.slice \n"));
        assert_null(strstr(buf_str(&s->heard), "StartUnit"));
}

static struct strv lines;

static void sink(enum log_level level, const char *msg, const struct log_field *fields, size_t count)
{
        (void)fields;
        (void)count;
        assert_int_equal(level, LOG_LEVEL_WARNING);
        strv_add(&lines, msg);
}

/* A pod does without, and one line says so until something succeeds. */
static void test_refused(void **state)
{
        struct state *s = *state;

        log_set_sink(sink);
        s->refuses = "SetUnitProperties";
        strv_add(&s->units, "kubepods-podu_1.slice");
        for (int i = 0; i < 3; i++) {
                ask_pod(s, "u-1", GUARANTEED);
                wait_all(s);
                assert_false(s->success);
        }
        s->refuses = NULL;
        ask_pod(s, "u-1", GUARANTEED);
        wait_all(s);
        assert_true(s->success);
        s->refuses = "StartTransientUnit";
        ask_classes(s, 100);
        wait_all(s);
        assert_false(s->success);
        assert_int_equal(lines.len, 2);
        assert_string_equal(lines.items[0], "kubepods-podu_1.slice has not the weights and limits that its pods ask "
                                            "for: SetUnitProperties: not you");
        assert_string_equal(lines.items[1], "kubepods-besteffort.slice has not the weights and limits that its pods "
                                            "ask for: StartTransientUnit: not you");
        strv_release(&lines);
        log_set_sink(log_sink_text);
}

/* No connection where nothing is to be asked, and none where nobody listens. */
static void test_not_asked(void **state)
{
        struct state *s = *state;

        s->host.cgroup_systemd = false;
        for (int i = 0; i < 2; i++) {
                ask_pod(s, "u-1", GUARANTEED);
                assert_true(s->done && s->success);
                ask_classes(s, 100);
                assert_true(s->done && s->success);
                slices_stop(s->slices, &s->host, "u-1");
                s->host.cgroup_systemd = true;
                s->host.cgroups_per_qos = false;
        }
        s->host.cgroups_per_qos = true;
        s->slices = slices_free(s->slices);
        ask_pod(s, "u-1", GUARANTEED);
        assert_true(s->done && s->success);
        s->peer.address = "unix:path=/nonexistent/socket";
        s->slices = slices_new(s->loop, &s->peer, 1);
        ask_pod(s, "u-1", GUARANTEED);
        wait_all(s);
        assert_false(s->success);
        assert_int_equal(s->fake.connections, 0);
}

/* What is under way when podwatch ends. */
static void test_freed(void **state)
{
        struct state *s = *state;

        ask_classes(s, 100);
        ask_pod(s, "u-1", GUARANTEED);
        s->slices = slices_free(s->slices);
        assert_int_equal(s->left, 2);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(test_made),      TEST(test_on_its_way_out), TEST(test_there_already),
                                           TEST(test_classes),   TEST(test_stopped),        TEST(test_refused),
                                           TEST(test_not_asked), TEST(test_freed)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
