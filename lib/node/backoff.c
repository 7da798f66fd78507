/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "node/backoff.h"

/* initial doubled count - 1 times, at most max. */
static usec_t doubled(usec_t initial, unsigned count, usec_t max)
{
        usec_t wait = initial < max ? initial : max;

        for (unsigned i = 1; i < count && wait < max; i++)
                wait = wait > max / 2 ? max : wait * 2;
        return wait;
}

usec_t backoff_period(unsigned count, usec_t max)
{
        return count == 0 ? 0 : doubled(BACKOFF_INITIAL, count, max ? max : BACKOFF_MAX);
}

void backoff_ended(struct pod_backoff *b, usec_t started, usec_t finished, usec_t max)
{
        if (started && usec_sub(finished, started) >= BACKOFF_RESET)
                b->count = 0;
        b->ended = true;
        b->period = backoff_period(b->count, max);
        b->until = b->period ? usec_add(finished, b->period) : 0;
}

void backoff_restarted(struct pod_backoff *b)
{
        if (b->ended && b->count < UINT_MAX)
                b->count++;
        b->ended = false;
        b->period = b->until = 0;
}

void backoff_clear(struct pod_backoff *b)
{
        *b = (struct pod_backoff){0};
}

void retry_failed(struct pod_retry *r, usec_t initial, usec_t now, const char *reason, const char *message)
{
        if (r->failures < UINT_MAX)
                r->failures++;
        r->at = usec_add(now, doubled(initial, r->failures, RETRY_MAX));
        pod_view_text(r->reason, sizeof(r->reason), reason);
        pod_view_text(r->message, sizeof(r->message), message);
}

void retry_clear(struct pod_retry *r)
{
        *r = (struct pod_retry){0};
}
