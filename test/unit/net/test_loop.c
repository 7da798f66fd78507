/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "net/loop.h"

#include "../loop_wait.h"

struct state {
        struct loop *loop;
        struct loop_source *a, *b;
        int count;
        int order[8];
        usec_t when;
        siginfo_t child;
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;
        assert_int_equal(loop_new(&s->loop, &err), 0);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        s->a = loop_source_free(s->a);
        s->b = loop_source_free(s->b);
        s->loop = loop_free(s->loop);
        free(s);
        return 0;
}

static int run(struct state *s)
{
        struct err err = ERR_INIT;
        int code = -1;
        assert_int_equal(loop_run(s->loop, &code, &err), 0);
        return code;
}

static void timer_seen(void *userdata, usec_t now)
{
        struct state *s = userdata;
        s->count++;
        s->when = now;
}

static void timer_exit(void *userdata, usec_t now)
{
        struct state *s = userdata;

        timer_seen(s, now);
        loop_exit(s->loop, 7);
}

/* The deadline is met to well under the 250 ms that sd-event would allow itself, and never before. A busy machine is
 * late itself now and then, so the best of some tries counts. */
static void test_timer(void **state)
{
        struct state *s = *state;
        usec_t best = USEC_INFINITY;

        s->a = loop_timer_new(s->loop, "tick", timer_seen, s);
        assert_true(loop_timer_get(s->a) == USEC_INFINITY);
        for (int tries = 1; tries <= 20 && best >= 15 * USEC_PER_MSEC; tries++) {
                usec_t deadline = clock_boottime() + 20 * USEC_PER_MSEC;
                loop_timer_set(s->a, deadline);
                assert_true(loop_timer_get(s->a) == deadline);
                LOOP_WAIT(s->loop, s->count == tries);
                assert_true(s->when >= deadline);
                best = s->when - deadline < best ? s->when - deadline : best;
                assert_true(loop_timer_get(s->a) == USEC_INFINITY);
        }
        assert_true(best < 15 * USEC_PER_MSEC);
}

static void test_exit(void **state)
{
        struct state *s = *state;

        s->a = loop_timer_new(s->loop, "tick", timer_exit, s);
        loop_timer_set(s->a, clock_boottime() + USEC_PER_MSEC);
        assert_int_equal(run(s), 7);
        assert_int_equal(s->count, 1);
}

static void timer_count(void *userdata, usec_t now)
{
        struct state *s = userdata;
        (void)now;
        s->order[s->count++] = 1;
        if (s->count < 3)
                loop_timer_set(s->a, clock_boottime() + USEC_PER_MSEC); /* again from inside */
        else
                loop_exit(s->loop, 0);
}

static void test_timer_again_and_off(void **state)
{
        struct state *s = *state;
        s->a = loop_timer_new(s->loop, "tick", timer_count, s);
        s->b = loop_timer_new(s->loop, "never", timer_exit, s);
        loop_timer_set(s->a, 1); /* long past: at once */
        loop_timer_set(s->b, clock_boottime() + USEC_PER_MSEC / 2);
        loop_timer_set(s->b, USEC_INFINITY);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->count, 3);
}

static void timer_free_self(void *userdata, usec_t now)
{
        struct state *s = userdata;
        (void)now;
        s->a = loop_source_free(s->a);
        s->b = loop_source_free(s->b); /* pending as well: must not run any more */
        s->count++;
}

static void test_free_in_callback(void **state)
{
        struct state *s = *state;
        s->a = loop_timer_new(s->loop, "one", timer_free_self, s);
        s->b = loop_timer_new(s->loop, "two", timer_free_self, s);
        loop_timer_set(s->a, 1);
        loop_timer_set(s->b, 1);
        struct err err = ERR_INIT;
        while (loop_step(s->loop, clock_boottime() + 5 * USEC_PER_MSEC, &err) > 0)
                ;
        assert_int_equal(s->count, 1);
}

static void io_read(void *userdata, uint32_t events)
{
        struct state *s = userdata;
        assert_true(events & EPOLLIN);
        s->count++;
        loop_exit(s->loop, 0);
}

static void set_flag(void *userdata, usec_t now)
{
        (void)now;
        *(bool *)userdata = true;
}

static void test_wait(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        bool done = false;
        struct loop_source *timer = loop_timer_new(s->loop, "flag", set_flag, &done);

        /* The time alone, though something runs meanwhile. */
        usec_t end = clock_boottime() + 5 * USEC_PER_MSEC;
        loop_timer_set(timer, end - 4 * USEC_PER_MSEC);
        assert_int_equal(loop_wait(s->loop, NULL, end, &err), 0);
        assert_true(done && clock_boottime() >= end);
        /* Done already, done by a callback, and not in time. */
        assert_int_equal(loop_wait(s->loop, &done, USEC_INFINITY, &err), 0);
        done = false;
        loop_timer_set(timer, clock_boottime() + USEC_PER_MSEC);
        assert_int_equal(loop_wait(s->loop, &done, USEC_INFINITY, &err), 0);
        assert_true(done);
        done = false;
        assert_int_equal(loop_wait(s->loop, &done, clock_boottime() + USEC_PER_MSEC, &err), 0);
        assert_false(done);
        loop_exit(s->loop, 0);
        assert_int_equal(loop_wait(s->loop, &done, USEC_INFINITY, &err), 0);
        (void)loop_source_free(timer);
}

static void test_io(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        assert_int_equal(loop_io_new(s->loop, "pipe", fds[0], EPOLLIN, io_read, s, &s->a, &err), 0);
        loop_io_set(s->a, 0);
        assert_int_equal(write(fds[1], "x", 1), 1);
        assert_int_equal(loop_step(s->loop, clock_boottime() + 3 * USEC_PER_MSEC, &err), 0);
        loop_io_set(s->a, EPOLLIN);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->count, 1);
        s->a = loop_source_free(s->a);
        close(fds[0]);
        close(fds[1]);

        /* What epoll does not take is told, not fatal. */
        FILE *file = tmpfile();
        assert_int_equal(loop_io_new(s->loop, "file", fileno(file), EPOLLIN, io_read, s, &s->a, &err), -EPERM);
        assert_non_null(strstr(err.msg, "file"));
        fclose(file);
}

static void defer_count(void *userdata)
{
        struct state *s = userdata;
        if (++s->count < 3)
                loop_defer_schedule(s->a);
        else
                loop_exit(s->loop, 0);
}

static void test_defer(void **state)
{
        struct state *s = *state;
        s->a = loop_defer_new(s->loop, "later", defer_count, s);
        loop_defer_schedule(s->a);
        loop_defer_schedule(s->a); /* counts as one */
        assert_int_equal(s->count, 0);
        struct err err = ERR_INIT;
        assert_int_equal(loop_step(s->loop, USEC_INFINITY, &err), 1);
        assert_int_equal(s->count, 1);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->count, 3);
        assert_int_equal(loop_wakes(s->loop), 0); /* it never slept */
}

static void on_usr1(void *userdata, const struct signalfd_siginfo *info)
{
        struct state *s = userdata;
        s->count = (int)info->ssi_signo;
        loop_exit(s->loop, 0);
}

static void test_signal(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        assert_int_equal(loop_signal_new(s->loop, "SIGUSR1", SIGUSR1, on_usr1, s, &s->a, &err), 0);
        assert_int_equal(kill(getpid(), SIGUSR1), 0);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->count, SIGUSR1);
}

static void on_child(void *userdata, const siginfo_t *info)
{
        struct state *s = userdata;
        s->child = *info;
        loop_exit(s->loop, 0);
}

static void test_child(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        pid_t pid = fork();
        if (pid == 0) {
                usleep(5000);
                _exit(42);
        }
        assert_int_equal(loop_child_new(s->loop, "child", pid, on_child, s, &s->a, &err), 0);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->child.si_pid, pid);
        assert_int_equal(s->child.si_status, 42);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), -1); /* reaped */
        assert_int_equal(errno, ECHILD);
        s->a = loop_source_free(s->a);
        assert_int_equal(loop_child_new(s->loop, "child", 0x3ffffff, on_child, s, &s->a, &err), -ESRCH);
}

struct seen {
        struct loop_cause tick, later;
        int names;
};

static void collect(void *userdata, const struct loop_cause *cause)
{
        struct seen *seen = userdata;
        seen->names++;
        if (strcmp(cause->name, "tick") == 0)
                seen->tick = *cause;
        if (strcmp(cause->name, "later") == 0)
                seen->later = *cause;
}

/* Each wake-up has its cause, counts survive their sources, and an idle loop does not wake. */
static void test_causes(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        s->b = loop_defer_new(s->loop, "later", defer_count, s);
        s->a = loop_timer_new(s->loop, "tick", timer_exit, s);
        s->count = 2;
        loop_timer_set(s->a, clock_boottime() + USEC_PER_MSEC);
        assert_int_equal(loop_step(s->loop, USEC_INFINITY, &err), 1);
        s->a = loop_source_free(s->a);
        struct seen seen = {0};
        loop_causes(s->loop, collect, &seen);
        assert_int_equal(seen.names, 2);
        assert_int_equal(seen.tick.wakes, 1);
        assert_int_equal(seen.tick.runs, 1);
        assert_true(seen.tick.last > 0);
        assert_int_equal(seen.later.runs, 0);
        assert_int_equal(loop_wakes(s->loop), 1);
        s->a = loop_timer_new(s->loop, "tick", timer_exit, s);
        loop_timer_set(s->a, clock_boottime() + 3600 * USEC_PER_SEC);
        uint64_t before = loop_wakes(s->loop);
        assert_int_equal(loop_step(s->loop, clock_boottime() + 20 * USEC_PER_MSEC, &err), 0);
        assert_true(loop_wakes(s->loop) <= before + 1); /* the timeout asked for here */
        seen = (struct seen){0};
        loop_causes(s->loop, collect, &seen);
        assert_int_equal(seen.tick.runs, 1);
        assert_int_equal(seen.names, 2);
}

static void order_first(void *userdata)
{
        struct state *s = userdata;
        s->order[s->count++] = 1;
}

static void order_second(void *userdata)
{
        struct state *s = userdata;
        s->order[s->count++] = 2;
        loop_exit(s->loop, 0);
}

static void test_priority(void **state)
{
        struct state *s = *state;
        s->a = loop_defer_new(s->loop, "second", order_second, s);
        s->b = loop_defer_new(s->loop, "first", order_first, s);
        loop_source_set_priority(s->b, -10);
        loop_defer_schedule(s->a);
        loop_defer_schedule(s->b);
        assert_int_equal(run(s), 0);
        assert_int_equal(s->count, 2);
        assert_int_equal(s->order[0], 1);
        assert_int_equal(s->order[1], 2);
}

static void find_watchdog(void *userdata, const struct loop_cause *cause)
{
        uint64_t *wakes = userdata;
        if (strcmp(cause->name, "watchdog") == 0)
                *wakes = cause->wakes;
}

/* The service manager's side: a datagram socket that gets WATCHDOG=1. */
static void test_watchdog(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        unsetenv("WATCHDOG_USEC");
        assert_int_equal(loop_watchdog(s->loop, &err), 0);

        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "loop-test-%d", (int)getpid());
        assert_int_equal(bind(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1 + len)), 0);
        char *name CLEANUP_FREE = xasprintf("@%s", address.sun_path + 1);
        setenv("NOTIFY_SOCKET", name, 1);
        setenv("WATCHDOG_USEC", "20000", 1);
        assert_int_equal(loop_watchdog(s->loop, &err), 1);
        char text[64];
        while (recv(fd, text, sizeof(text), 0) > 0)
                ;
        assert_int_equal(loop_step(s->loop, clock_boottime() + 60 * USEC_PER_MSEC, &err), 0);
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
        assert_non_null(strstr(text, "WATCHDOG=1"));
        uint64_t wakes = 0;
        loop_causes(s->loop, find_watchdog, &wakes);
        assert_true(wakes >= 2);
        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_timer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_exit, setup, teardown),
                cmocka_unit_test_setup_teardown(test_timer_again_and_off, setup, teardown),
                cmocka_unit_test_setup_teardown(test_free_in_callback, setup, teardown),
                cmocka_unit_test_setup_teardown(test_io, setup, teardown),
                cmocka_unit_test_setup_teardown(test_defer, setup, teardown),
                cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
                cmocka_unit_test_setup_teardown(test_child, setup, teardown),
                cmocka_unit_test_setup_teardown(test_causes, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wait, setup, teardown),
                cmocka_unit_test_setup_teardown(test_priority, setup, teardown),
                cmocka_unit_test_setup_teardown(test_watchdog, setup, teardown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
