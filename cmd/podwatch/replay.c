/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch replay: goes through a journal again and compares every decision with what is decided now.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "node/replay.h"
#include "podwatch.h"

/* More than these are counted, not shown. */
#define SHOWN_MAX 20

static void on_difference(void *userdata, const char *what, const char *recorded, const char *now)
{
        int *shown = userdata;

        if (++*shown > SHOWN_MAX)
                return;
        (void)printf("%s differs\n  recorded: %s\n  now:      %s\n", what, recorded, now);
}

int verb_replay(void *userdata, const struct strv *args)
{
        struct replay_count count = {0};
        struct err err = ERR_INIT;
        int shown = 0, r;

        (void)userdata;
        r = replay_journal(args->len > 0 ? args->items[0] : PODWATCH_JOURNAL, on_difference, &shown, &count, &err);
        if (r < 0)
                return podwatch_fail(&err);
        if (shown > SHOWN_MAX)
                (void)printf("... and %d more\n", shown - SHOWN_MAX);
        (void)printf("%" PRIu64 " records of %" PRIu64 " runs: %" PRIu64 " changes, %" PRIu64 " steps, %" PRIu64
                     " actions; %s\n",
                     count.records, count.runs, count.changes, count.steps, count.actions,
                     r == 0 ? "all decisions are the same" : "decisions differ");
        return r;
}
