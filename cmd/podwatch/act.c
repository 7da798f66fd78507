/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch restart, retry: requests to a running podwatch that name a pod.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "podwatch.h"

#define PATH_BYTES (8 * 1024)
#define ANSWER_BYTES (64 * 1024)

static int act_on_pod(struct podwatch *p, const char *verb, const struct strv *args)
{
        struct buf path CLEANUP_BUF = BUF_INIT(PATH_BYTES), answer CLEANUP_BUF = BUF_INIT(ANSWER_BYTES);
        struct err err = ERR_INIT;

        buf_addstr(&path, verb);
        podwatch_query(&path, "pod", args->items[0]);
        if (p->container)
                podwatch_query(&path, "container", p->container);
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
