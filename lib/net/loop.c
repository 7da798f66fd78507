/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/loop.h"

#define TIMER_ACCURACY_USEC 1 /* 0 would mean sd-event's default of 250 ms */
#define WATCHDOG_CAUSE "watchdog"

struct cause {
        struct loop_cause count;
        struct cause *next;
};

struct loop {
        sd_event *event;
        struct cause *causes; /* in order of appearance */
        struct cause *watchdog;
        uint64_t wakes;
        size_t sources;
        bool woke; /* slept, and nothing ran since */
        bool exiting;
        int exit_code;
};

enum source_kind { SOURCE_TIMER, SOURCE_IO, SOURCE_DEFER, SOURCE_SIGNAL, SOURCE_CHILD };

struct loop_source {
        struct loop *loop;
        struct cause *cause;
        sd_event_source *event;
        enum source_kind kind;
        usec_t deadline; /* of a timer */
        int pidfd;       /* of a child */
        union {
                loop_timer_fn timer;
                loop_io_fn io;
                loop_defer_fn defer;
                loop_signal_fn signal;
                loop_child_fn child;
        } fn;
        void *userdata;
};

/* ---- causes ---- */

static struct cause *cause_find(struct loop *loop, const char *name)
{
        struct cause **end = &loop->causes;
        for (; *end; end = &(*end)->next)
                if (strcmp((*end)->count.name, name) == 0)
                        return *end;
        struct cause *cause = xcalloc(1, sizeof(*cause));
        cause->count.name = xstrdup(name);
        return *end = cause;
}

static void cause_count(struct loop *loop, struct cause *cause)
{
        cause->count.runs++;
        cause->count.last = loop_now(loop);
        if (loop->woke)
                cause->count.wakes++;
        loop->woke = false;
}

void loop_causes(const struct loop *loop, loop_cause_fn fn, void *userdata)
{
        for (const struct cause *c = loop->causes; c; c = c->next)
                fn(userdata, &c->count);
}

uint64_t loop_wakes(const struct loop *loop)
{
        return loop->wakes;
}

/* ---- the loop ---- */

int loop_new(struct loop **ret, struct err *err)
{
        struct loop *loop = xcalloc(1, sizeof(*loop));
        int r = sd_event_new(&loop->event);
        if (r < 0) {
                free(loop);
                return err_set_errno(err, -r, "cannot make an event loop");
        }
        *ret = loop;
        return 0;
}

struct loop *loop_free(struct loop *loop)
{
        if (!loop)
                return NULL;
        assert(loop->sources == 0); /* a source would call into freed memory */
        sd_event_unref(loop->event);
        while (loop->causes) {
                struct cause *next = loop->causes->next;
                free((char *)loop->causes->count.name);
                free(loop->causes);
                loop->causes = next;
        }
        free(loop);
        return NULL;
}

/* Sleeps until something is pending, without running it. 1: something is; 0: nothing within the timeout. */
static int loop_sleep(struct loop *loop, usec_t timeout)
{
        int r = sd_event_prepare(loop->event);
        if (r != 0)
                return r;
        r = sd_event_wait(loop->event, timeout);
        if (r < 0)
                return r == -EINTR ? 0 : r;
        loop->wakes++;
        loop->woke = true;
        /* What wakes a daemon and leaves nothing to run is sd-event's own watchdog timer. */
        if (r == 0 && loop->watchdog)
                cause_count(loop, loop->watchdog);
        return r;
}

int loop_step(struct loop *loop, usec_t deadline, struct err *err)
{
        while (!loop->exiting) {
                usec_t now = clock_boottime();
                usec_t timeout = deadline == USEC_INFINITY ? UINT64_MAX : usec_sub(deadline, now);
                int r = loop_sleep(loop, timeout);
                if (r > 0) {
                        r = sd_event_dispatch(loop->event);
                        if (r >= 0)
                                return 1;
                }
                if (r < 0)
                        return err_set_errno(err, -r, "event loop");
                if (deadline != USEC_INFINITY && clock_boottime() >= deadline)
                        return 0;
        }
        return 0;
}

int loop_wait(struct loop *loop, const bool *done, usec_t deadline, struct err *err)
{
        while (!loop->exiting && !(done && *done) && (deadline == USEC_INFINITY || clock_boottime() < deadline)) {
                int r = loop_step(loop, deadline, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int loop_run(struct loop *loop, int *ret_code, struct err *err)
{
        while (!loop->exiting) {
                int r = loop_step(loop, USEC_INFINITY, err);
                if (r < 0)
                        return r;
        }
        *ret_code = loop->exit_code;
        return 0;
}

void loop_exit(struct loop *loop, int code)
{
        if (loop->exiting)
                return;
        loop->exiting = true;
        loop->exit_code = code;
}

bool loop_exiting(const struct loop *loop)
{
        return loop->exiting;
}

static usec_t loop_clock(const struct loop *loop, clockid_t clock)
{
        uint64_t now;
        int r = sd_event_now(loop->event, clock, &now);
        assert(r >= 0);
        (void)r;
        return now;
}

usec_t loop_now(const struct loop *loop)
{
        return loop_clock(loop, CLOCK_BOOTTIME);
}

usec_t loop_now_realtime(const struct loop *loop)
{
        return loop_clock(loop, CLOCK_REALTIME);
}

int loop_watchdog(struct loop *loop, struct err *err)
{
        int r = sd_event_set_watchdog(loop->event, true);
        if (r < 0)
                return err_set_errno(err, -r, "cannot answer the service manager's watchdog");
        if (r > 0)
                loop->watchdog = cause_find(loop, WATCHDOG_CAUSE);
        return r > 0;
}

/* ---- sources ---- */

static struct loop_source *source_new(struct loop *loop, const char *name, enum source_kind kind, void *userdata)
{
        struct loop_source *source = xcalloc(1, sizeof(*source));
        *source = (struct loop_source){
                .loop = loop,
                .cause = cause_find(loop, name),
                .kind = kind,
                .deadline = USEC_INFINITY,
                .pidfd = -1,
                .userdata = userdata,
        };
        loop->sources++;
        return source;
}

/* For what only fails when descriptors or memory are out for good. */
static void must(int r, const char *what)
{
        if (r >= 0)
                return;
        (void)fprintf(stderr, "event loop: cannot make a %s: %s\n", what, strerror(-r));
        abort();
}

struct loop_source *loop_source_free(struct loop_source *source)
{
        if (!source)
                return NULL;
        if (source->event)
                (void)sd_event_source_set_enabled(source->event, SD_EVENT_OFF);
        sd_event_source_unref(source->event);
        (void)fd_close(source->pidfd);
        source->loop->sources--;
        free(source);
        return NULL;
}

void loop_source_set_priority(struct loop_source *source, int64_t priority)
{
        must(sd_event_source_set_priority(source->event, priority), "priority");
}

/* In the handlers below the source may be freed by the callback, so nothing looks at it afterwards. */

static int on_timer(sd_event_source *event, uint64_t usec, void *userdata)
{
        (void)event;
        (void)usec;
        struct loop_source *source = userdata;
        cause_count(source->loop, source->cause);
        source->deadline = USEC_INFINITY;
        source->fn.timer(source->userdata, loop_now(source->loop));
        return 0;
}

struct loop_source *loop_timer_new(struct loop *loop, const char *name, loop_timer_fn fn, void *userdata)
{
        struct loop_source *source = source_new(loop, name, SOURCE_TIMER, userdata);
        source->fn.timer = fn;
        must(sd_event_add_time(loop->event, &source->event, CLOCK_BOOTTIME, UINT64_MAX, TIMER_ACCURACY_USEC, on_timer,
                               source),
             "timer");
        must(sd_event_source_set_enabled(source->event, SD_EVENT_OFF), "timer");
        return source;
}

void loop_timer_set(struct loop_source *timer, usec_t deadline)
{
        if (timer->deadline == deadline)
                return;
        timer->deadline = deadline;
        if (deadline == USEC_INFINITY) {
                must(sd_event_source_set_enabled(timer->event, SD_EVENT_OFF), "timer");
                return;
        }
        must(sd_event_source_set_time(timer->event, deadline), "timer");
        must(sd_event_source_set_enabled(timer->event, SD_EVENT_ONESHOT), "timer");
}

usec_t loop_timer_get(const struct loop_source *timer)
{
        return timer->deadline;
}

static int on_io(sd_event_source *event, int fd, uint32_t revents, void *userdata)
{
        (void)event;
        (void)fd;
        struct loop_source *source = userdata;
        cause_count(source->loop, source->cause);
        source->fn.io(source->userdata, revents);
        return 0;
}

int loop_io_new(struct loop *loop, const char *name, int fd, uint32_t events, loop_io_fn fn, void *userdata,
                struct loop_source **ret, struct err *err)
{
        struct loop_source *source = source_new(loop, name, SOURCE_IO, userdata);
        source->fn.io = fn;
        int r = sd_event_add_io(loop->event, &source->event, fd, events, on_io, source);
        if (r < 0) {
                (void)loop_source_free(source);
                return err_set_errno(err, -r, "cannot watch descriptor %d (%s)", fd, name);
        }
        if (events == 0)
                loop_io_set(source, 0);
        *ret = source;
        return 0;
}

void loop_io_set(struct loop_source *io, uint32_t events)
{
        /* With no events epoll would still report hang-ups, again and again. */
        if (events)
                must(sd_event_source_set_io_events(io->event, events), "watch");
        must(sd_event_source_set_enabled(io->event, events ? SD_EVENT_ON : SD_EVENT_OFF), "watch");
}

static int on_defer(sd_event_source *event, void *userdata)
{
        (void)event;
        struct loop_source *source = userdata;
        cause_count(source->loop, source->cause);
        source->fn.defer(source->userdata);
        return 0;
}

struct loop_source *loop_defer_new(struct loop *loop, const char *name, loop_defer_fn fn, void *userdata)
{
        struct loop_source *source = source_new(loop, name, SOURCE_DEFER, userdata);
        source->fn.defer = fn;
        must(sd_event_add_defer(loop->event, &source->event, on_defer, source), "deferred call");
        must(sd_event_source_set_enabled(source->event, SD_EVENT_OFF), "deferred call");
        return source;
}

void loop_defer_schedule(struct loop_source *defer)
{
        must(sd_event_source_set_enabled(defer->event, SD_EVENT_ONESHOT), "deferred call");
}

static int on_signal(sd_event_source *event, const struct signalfd_siginfo *info, void *userdata)
{
        (void)event;
        struct loop_source *source = userdata;
        cause_count(source->loop, source->cause);
        source->fn.signal(source->userdata, info);
        return 0;
}

int loop_signal_new(struct loop *loop, const char *name, int signo, loop_signal_fn fn, void *userdata,
                    struct loop_source **ret, struct err *err)
{
        sigset_t set;
        if (sigemptyset(&set) < 0 || sigaddset(&set, signo) < 0)
                return err_set_errno(err, errno, "signal %d", signo);
        int r = pthread_sigmask(SIG_BLOCK, &set, NULL);
        if (r != 0)
                return err_set_errno(err, r, "cannot block signal %d", signo);
        struct loop_source *source = source_new(loop, name, SOURCE_SIGNAL, userdata);
        source->fn.signal = fn;
        r = sd_event_add_signal(loop->event, &source->event, signo, on_signal, source);
        if (r < 0) {
                (void)loop_source_free(source);
                return err_set_errno(err, -r, "cannot watch signal %d (%s)", signo, name);
        }
        *ret = source;
        return 0;
}

static int on_child(sd_event_source *event, int fd, uint32_t revents, void *userdata)
{
        (void)revents;
        struct loop_source *source = userdata;
        siginfo_t info = {0};
        if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0)
                return 0; /* not yet */
        cause_count(source->loop, source->cause);
        (void)sd_event_source_set_enabled(event, SD_EVENT_OFF);
        source->fn.child(source->userdata, &info);
        return 0;
}

int loop_child_new(struct loop *loop, const char *name, pid_t pid, loop_child_fn fn, void *userdata,
                   struct loop_source **ret, struct err *err)
{
        int pidfd CLEANUP_FD = pidfd_open(pid, 0); /* always close-on-exec */
        if (pidfd < 0)
                return err_set_errno(err, errno, "cannot open process %d (%s)", (int)pid, name);
        struct loop_source *source = source_new(loop, name, SOURCE_CHILD, userdata);
        source->fn.child = fn;
        source->pidfd = TAKE_FD(pidfd);
        int r = sd_event_add_io(loop->event, &source->event, source->pidfd, EPOLLIN, on_child, source);
        if (r < 0) {
                (void)loop_source_free(source);
                return err_set_errno(err, -r, "cannot watch process %d (%s)", (int)pid, name);
        }
        *ret = source;
        return 0;
}
