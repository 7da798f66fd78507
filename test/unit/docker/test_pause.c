/* SPDX-License-Identifier: Apache-2.0
 *
 * The pause program itself (PAUSE in the environment).
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"

static const char *program(void)
{
        const char *path = getenv("PAUSE");
        if (!path)
                fail_msg("PAUSE is not set");
        return path;
}

/* Once it is pause that runs, and it waits. */
static void wait_until_waiting(pid_t pid)
{
        char path[64], text[256] = "";
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        for (int i = 0; i < 1000; i++) {
                FILE *f = fopen(path, "re");
                bool ready = f && fgets(text, sizeof(text), f) && strstr(text, "(pause) S");
                if (f)
                        (void)fclose(f);
                if (ready)
                        return;
                usleep(1000);
        }
        fail_msg("pause does not wait: %s", text);
}

static pid_t spawn(void)
{
        pid_t pid = fork();
        if (pid == 0) {
                (void)execl(program(), "pause", NULL);
                _exit(127);
        }
        wait_until_waiting(pid);
        return pid;
}

static void test_signals(void **state)
{
        static const int signals[] = {SIGTERM, SIGINT};
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
                int status;
                pid_t pid = spawn();
                assert_int_equal(kill(pid, SIGSTOP), 0);
                assert_int_equal(kill(pid, SIGCONT), 0);
                assert_int_equal(kill(pid, SIGCHLD), 0);
                usleep(20000);
                assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
                assert_int_equal(kill(pid, signals[i]), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        }
}

static void test_version(void **state)
{
        char text[64] = "", command[256];
        (void)state;
        (void)snprintf(command, sizeof(command), "%s -v", program());
        FILE *f = popen(command, "re");
        assert_non_null(fgets(text, sizeof(text), f));
        assert_int_equal(pclose(f), 0);
        assert_string_equal(text, "pause " GENPHASE_PROJECT_VERSION "\n");
        (void)snprintf(command, sizeof(command), "%s -v > /dev/full", program());
        f = popen(command, "re");
        assert_int_equal(WEXITSTATUS(pclose(f)), 1);
}

/* What would be zombies of process 1: a child from before, and an orphan that comes to it (as to a subreaper here). */
static void test_reaps(void **state)
{
        int fds[2], status;
        pid_t pids[2];
        (void)state;
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0) {
                (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
                pids[0] = fork();
                if (pids[0] == 0) {
                        pids[1] = fork();
                        if (pids[1] == 0) {
                                usleep(200000);
                                _exit(0);
                        }
                        if (write(fds[1], &pids[1], sizeof(pids[1])) < 0)
                                _exit(1);
                        usleep(100000);
                        _exit(0); /* the other one is an orphan now */
                }
                if (write(fds[1], &pids[0], sizeof(pids[0])) < 0)
                        _exit(1);
                (void)execl(program(), "pause", NULL);
                _exit(127);
        }
        assert_int_equal(read(fds[0], &pids[0], sizeof(pids[0])), sizeof(pids[0]));
        assert_int_equal(read(fds[0], &pids[1], sizeof(pids[1])), sizeof(pids[1]));
        wait_until_waiting(pid);
        for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
                usec_t give_up = clock_boottime() + 5 * USEC_PER_SEC;
                while (kill(pids[i], 0) == 0 && clock_boottime() < give_up)
                        usleep(1000);
                assert_int_equal(kill(pids[i], 0), -1); /* a zombie would still take it */
                assert_int_equal(errno, ESRCH);
        }
        assert_int_equal(kill(pid, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(fds[0]);
        close(fds[1]);
}

static void test_is_small(void **state)
{
        struct stat st;
        char text[256] = "", command[256];
        (void)state;
        assert_int_equal(stat(program(), &st), 0);
        assert_true(st.st_size < 4096);
        pid_t pid = spawn();
        (void)snprintf(command, sizeof(command), "grep -c . /proc/%d/maps; kill %d", (int)pid, (int)pid);
        FILE *f = popen(command, "re");
        assert_non_null(fgets(text, sizeof(text), f));
        (void)pclose(f);
        assert_true(text[0] >= '1' && text[0] <= '6'); /* itself, stack, vdso and its data: no library */
        (void)waitpid(pid, NULL, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_signals), cmocka_unit_test(test_version),
                                           cmocka_unit_test(test_reaps), cmocka_unit_test(test_is_small)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
