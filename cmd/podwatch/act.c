/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch restart, retry, drain, resume: requests to a running podwatch.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "net/unix_ask.h"
#include "podwatch.h"

#define PATH_BYTES (8 * 1024)
#define ANSWER_BYTES (64 * 1024)
/* podwatch answers at once; nothing tells when the last pod has stopped. */
#define POLL_USEC (200 * USEC_PER_MSEC)

static int act_on_pod(struct podwatch *p, const char *verb, const struct strv *args)
{
        struct buf path CLEANUP_BUF = BUF_INIT(PATH_BYTES), answer CLEANUP_BUF = BUF_INIT(ANSWER_BYTES);
        struct err err = ERR_INIT;

        buf_addstr(&path, verb);
        unix_ask_query(&path, "pod", args->items[0]);
        if (p->container)
                unix_ask_query(&path, "container", p->container);
        if (buf_check(&path, "the request", &err) < 0 || podwatch_post(p, buf_str(&path), &answer, &err) < 0)
                return podwatch_fail(&err);
        (void)fputs(buf_str(&answer), stdout);
        return 0;
}

int verb_restart(void *userdata, const struct strv *args)
{
        return act_on_pod(userdata, "/restart", args);
}

int verb_retry(void *userdata, const struct strv *args)
{
        return act_on_pod(userdata, "/retry", args);
}

static void pause_poll(void)
{
        const struct timespec t = {.tv_nsec = POLL_USEC * 1000};

        (void)nanosleep(&t, NULL);
}

int verb_drain(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        usec_t deadline = usec_add(clock_boottime(), (usec_t)p->timeout * USEC_PER_SEC);

        (void)args;
        for (;;) {
                struct buf answer CLEANUP_BUF = BUF_INIT(ANSWER_BYTES);
                struct err err = ERR_INIT;
                int r = podwatch_post(p, "/drain", &answer, &err);

                if (r < 0)
                        return podwatch_fail(&err);
                if (r == 0) {
                        (void)fputs(buf_str(&answer), stdout);
                        return 0;
                }
                if (clock_boottime() >= deadline) {
                        (void)err_set(&err, ETIMEDOUT, "still running: %.*s", (int)strcspn(buf_str(&answer), "\n"),
                                      buf_str(&answer));
                        return podwatch_fail(&err);
                }
                pause_poll();
        }
}

int verb_resume(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct buf answer CLEANUP_BUF = BUF_INIT(ANSWER_BYTES);
        struct err err = ERR_INIT;

        (void)args;
        if (podwatch_post(p, "/resume", &answer, &err) < 0)
                return podwatch_fail(&err);
        (void)fputs(buf_str(&answer), stdout);
        return 0;
}
