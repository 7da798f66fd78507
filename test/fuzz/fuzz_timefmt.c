/* SPDX-License-Identifier: Apache-2.0
 *
 * Times and durations: the text of what was parsed is parsed to the same.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/timefmt.h"
#include "fuzz.h"

static void check_time(const char *s)
{
        char text[TIMEFMT_MAX];
        usec_t t, again;

        if (timefmt_parse(s, &t) < 0)
                return;
        timefmt_micro(t, text);
        MUST(strlen(text) > 27 || (timefmt_parse(text, &again) == 0 && again == t));
        timefmt_seconds(t, text);
        MUST(strlen(text) > 20 || (timefmt_parse(text, &again) == 0 && again == t - t % USEC_PER_SEC));
        duration_human(t, text);
}

static void check_duration(const char *s)
{
        char text[TIMEFMT_MAX];
        struct err err = ERR_INIT;
        int64_t n, again;

        if (duration_parse(s, &n, &err) < 0) {
                MUST(strncmp(err.msg, "time: ", 6) == 0);
                return;
        }
        duration_text(n, text);
        MUST(duration_parse(text, &again, NULL) == 0);
        MUST(again == n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *s CLEANUP_FREE = xstrndup((const char *)data, size);

        check_time(s);
        check_duration(s);
        return 0;
}
