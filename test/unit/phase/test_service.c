/* SPDX-License-Identifier: Apache-2.0
 *
 * The init system, by a systemctl of the test's own on PATH.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "phase/kubelet_start.h"
#include "phase/phase.h"
#include "phase/service.h"

struct rig {
        char dir[32];
        char *path; /* of the environment before */
};

/* Answers as systemctl does for the services that are named in files beside it, and keeps what it was asked. */
static const char systemctl[] = "#!/bin/sh\n"
                                "here=${0%/*}\n"
                                "echo \"$*\" >>\"$here/asked\"\n"
                                "case $1 in\n"
                                "status) [ -e \"$here/unit.$2\" ] || echo 'Loaded: not-found (Reason: none)';;\n"
                                "is-active) cat \"$here/unit.$2\" 2>/dev/null;;\n"
                                "is-enabled) grep -q active \"$here/unit.$2\";;\n"
                                "restart) exit 5;;\n"
                                "esac\n";

static void put(const struct rig *rig, const char *name, const char *text, mode_t mode)
{
        char *path CLEANUP_FREE = file_join(rig->dir, name);

        assert_int_equal(file_write_atomic(path, text, strlen(text), mode, 0, NULL), 0);
}

static int setup(void **state)
{
        struct rig *rig = xcalloc(1, sizeof(*rig));
        const char *path = getenv("PATH");

        memcpy(rig->dir, "/tmp/test_service.XXXXXX", sizeof("/tmp/test_service.XXXXXX"));
        if (!mkdtemp(rig->dir))
                return -1;
        rig->path = xstrdup(path ? path : "");
        char *with CLEANUP_FREE = xasprintf("%s:/usr/bin:/bin", rig->dir);
        if (setenv("PATH", with, 1) < 0)
                return -1;
        *state = rig;
        put(rig, "systemctl", systemctl, 0755);
        return 0;
}

static int teardown(void **state)
{
        struct rig *rig = *state;
        int r = file_remove_tree(rig->dir, NULL);

        (void)setenv("PATH", rig->path, 1);
        free(rig->path);
        free(rig);
        return r;
}

static void test_systemd(void **state)
{
        const struct rig *rig = *state;
        const struct phase phase = {.options = {.rootfs = NULL}};
        struct err err = ERR_INIT;

        assert_true(service_init_system(&phase));
        assert_false(service_exists(&phase, "kubelet"));
        assert_false(service_is_active(&phase, "kubelet"));
        put(rig, "unit.kubelet", "activating\n", 0644);
        assert_true(service_exists(&phase, "kubelet"));
        assert_true(service_is_active(&phase, "kubelet"));
        put(rig, "unit.kubelet", "inactive\n", 0644);
        assert_false(service_is_active(&phase, "kubelet"));
        put(rig, "unit.kubelet", "failed\n", 0644);
        assert_false(service_is_enabled(&phase, "kubelet"));
        char *command CLEANUP_FREE = service_enable_command(&phase, "kubelet");
        assert_string_equal(command, "systemctl enable kubelet.service");
        assert_int_equal(service_act(&phase, SERVICE_STOP, "kubelet", &err), 0);
        assert_true(service_act(&phase, SERVICE_RESTART, "kubelet", &err) < 0);
        assert_string_equal(err.msg, "exit status 5");
        struct buf asked CLEANUP_BUF = BUF_INIT(1 << 16);
        char *log CLEANUP_FREE = file_join(rig->dir, "asked");
        assert_int_equal(file_read(log, &asked, NULL), 0);
        assert_non_null(strstr(buf_str(&asked), "stop kubelet\ndaemon-reload\nrestart kubelet\n"));
}

/* podwatch's service counts where the kubelet's is not there. */
static void test_which_service(void **state)
{
        const struct rig *rig = *state;
        const struct phase phase = {.options = {.rootfs = NULL}};

        assert_string_equal(kubelet_service(&phase), "kubelet");
        put(rig, "unit.podwatch", "active\n", 0644);
        assert_string_equal(kubelet_service(&phase), "podwatch");
        put(rig, "unit.kubelet", "active\n", 0644);
        assert_string_equal(kubelet_service(&phase), "kubelet");
}

/* Another root: this machine's services are not asked. */
static void test_rootfs(void **state)
{
        const struct rig *rig = *state;
        const struct phase phase = {.options = {.rootfs = rig->dir}};
        char *log CLEANUP_FREE = file_join(rig->dir, "asked");

        put(rig, "unit.kubelet", "active\n", 0644);
        assert_false(service_init_system(&phase));
        assert_false(service_is_active(&phase, "kubelet"));
        assert_false(file_exists(log));
}

static void test_programs(void **state)
{
        const struct rig *rig = *state;
        struct buf out CLEANUP_BUF = BUF_INIT(1000);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;

        put(rig, "not-executable", "", 0644);
        char *found CLEANUP_FREE = service_look_path("systemctl"),
                    *none CLEANUP_FREE = service_look_path("not-executable");
        assert_non_null(found);
        assert_null(none);
        strv_add(&argv, "sh");
        strv_add(&argv, "-c");
        strv_add(&argv, "echo out; echo err >&2; exit 3");
        assert_int_equal(service_run(&argv, &out, false, &err), 3);
        assert_string_equal(buf_str(&out), "out\n");
        assert_int_equal(service_run(&argv, &out, true, &err), 3);
        assert_string_equal(buf_str(&out), "out\nout\nerr\n");
        strv_release(&argv);
        strv_add(&argv, "there-is-no-such-program");
        assert_true(service_run(&argv, NULL, false, &err) < 0);
        assert_non_null(strstr(err.msg, "cannot run there-is-no-such-program"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_systemd),
                TEST(test_which_service),
                TEST(test_rootfs),
                TEST(test_programs),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
