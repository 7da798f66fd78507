/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/action.h"
#include "phase/preflight_report.h"

#define BEGINNING "[preflight] Some fatal errors occurred:\n"
#define ENDING                                                                             \
        "[preflight] If you know what you are doing, you can make a check non-fatal with " \
        "`--ignore-preflight-errors=...`"

static void add_name(struct strv *names, const char *text)
{
        char *lower CLEANUP_FREE = xstrdup(text);

        str_lower(lower);
        if (!strv_contains(names, lower))
                strv_add(names, lower);
}

void preflight_report_init(struct preflight_report *report, const struct phase *phase,
                           const struct config_texts *from_config, const struct strv *from_flag)
{
        const char *name;

        *report = (struct preflight_report){.phase = phase, .errors = BUF_INIT(LIMIT_MANIFEST_BYTES)};
        for (size_t i = 0; from_config && i < from_config->count; i++)
                add_name(&report->ignored, from_config->items[i].text);
        if (from_flag)
                STRV_FOREACH (name, from_flag)
                        add_name(&report->ignored, name);
}

void preflight_report_release(struct preflight_report *report)
{
        strv_release(&report->ignored);
        buf_release(&report->errors);
}

static bool is_ignored(const struct preflight_report *report, const char *check)
{
        char *lower CLEANUP_FREE = xstrdup(check);

        str_lower(lower);
        return strv_contains(&report->ignored, "all") || strv_contains(&report->ignored, lower);
}

/* A finding as a line of -o json. One whose text has no room in it is in the log all the same. */
static void tell(const struct preflight_report *report, const char *check, const char *result, const char *text)
{
        struct value *line = action_new(report->phase, "check");

        action_set(line, "name", check);
        action_set(line, "result", result);
        action_set(line, "message", text);
        (void)action_tell(report->phase, line, NULL);
}

static void warn(const struct preflight_report *report, const char *check, const char *text)
{
        tell(report, check, "warning", text);
        if (!report->phase->options.quiet)
                (void)fprintf(report->phase->options.log, "\t[WARNING %s]: %s\n", check, text);
}

void preflight_warning(struct preflight_report *report, const char *check, const char *fmt, ...)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        va_list ap;

        va_start(ap, fmt);
        buf_addfv(&text, fmt, ap);
        va_end(ap);
        warn(report, check, buf_str(&text));
}

void preflight_error(struct preflight_report *report, const char *check, const char *fmt, ...)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        va_list ap;

        va_start(ap, fmt);
        buf_addfv(&text, fmt, ap);
        va_end(ap);
        if (is_ignored(report, check)) {
                warn(report, check, buf_str(&text));
                return;
        }
        tell(report, check, "error", buf_str(&text));
        buf_addf(&report->errors, "\t[ERROR %s]: %s\n", check, buf_str(&text));
}

int preflight_report_end(struct preflight_report *report, struct err *err)
{
        bool printed = str_eq(era_text(report->phase->era, "preflight", "errors", ""), "printed");
        const char *list = buf_str(&report->errors);

        if (report->errors.len == 0)
                return 0;
        if (printed) {
                (void)fprintf(report->phase->options.log, BEGINNING "%s" ENDING "\n", list);
                (void)err_set(err, ERR_INVALID, "preflight checks failed");
        } else {
                (void)err_set(err, ERR_INVALID, BEGINNING "%s" ENDING, list);
        }
        buf_clear(&report->errors);
        return -ERR_INVALID;
}

void preflight_check_root(struct preflight_report *report)
{
        if (str_empty(report->phase->options.rootfs) && getuid() != 0)
                preflight_error(report, "IsPrivilegedUser", "user is not running as root");
}
