/* SPDX-License-Identifier: Apache-2.0
 *
 * The durations of timefmt.h: time.ParseDuration and Duration.String (src/time/time.go, format.go), and kubectl's ages
 * (apimachinery/pkg/util/duration).
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/timefmt.h"

#define NSEC_PER_USEC 1000ULL
#define NSEC_PER_MSEC 1000000ULL
#define NSEC_PER_SEC 1000000000ULL
#define NSEC_MAX ((uint64_t)1 << 63) /* of the magnitude */
#define QUOTE_MAX ((size_t)256)

static const struct {
        const char *name;
        uint64_t nsec;
} units[] = {
        {"ns", 1},
        {"us", NSEC_PER_USEC},
        {"\xc2\xb5s", NSEC_PER_USEC}, /* U+00B5, micro sign */
        {"\xce\xbcs", NSEC_PER_USEC}, /* U+03BC, Greek letter mu */
        {"ms", NSEC_PER_MSEC},
        {"s", NSEC_PER_SEC},
        {"m", 60 * NSEC_PER_SEC},
        {"h", 3600 * NSEC_PER_SEC},
};

/* As time.quote. */
static void quote(const char *s, size_t len, struct buf *out)
{
        buf_addch(out, '"');
        for (size_t i = 0; i < len && i < QUOTE_MAX; i++) {
                unsigned char c = (unsigned char)s[i];

                if (c >= 0x80 || c < ' ')
                        buf_addf(out, "\\x%02x", c);
                else if (c == '"' || c == '\\')
                        buf_addf(out, "\\%c", c);
                else
                        buf_addch(out, (char)c);
        }
        buf_addstr(out, len > QUOTE_MAX ? "...\"" : "\"");
}

static int invalid(const char *s, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(QUOTE_MAX * 5);

        quote(s, strlen(s), &text);
        return err_set(err, EINVAL, "time: invalid duration %s", buf_str(&text));
}

static int bad_unit(const char *s, const char *unit, size_t len, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(QUOTE_MAX * 10);

        if (len == 0) {
                quote(s, strlen(s), &text);
                return err_set(err, EINVAL, "time: missing unit in duration %s", buf_str(&text));
        }
        quote(unit, len, &text);
        buf_addstr(&text, " in duration ");
        quote(s, strlen(s), &text);
        return err_set(err, EINVAL, "time: unknown unit %s", buf_str(&text));
}

/* The digits before the point; false when they do not fit. */
static bool take_whole(const char **s, uint64_t *ret)
{
        uint64_t n = 0;

        for (; isdigit((unsigned char)**s); (*s)++) {
                if (n > NSEC_MAX / 10)
                        return false;
                n = n * 10 + (uint64_t)(**s - '0');
                if (n > NSEC_MAX)
                        return false;
        }
        *ret = n;
        return true;
}

/* The digits behind it, as many as fit, and the power of ten below them. */
static void take_fraction(const char **s, uint64_t *ret, double *ret_scale)
{
        uint64_t n = 0;
        double scale = 1;
        bool full = false;

        for (; isdigit((unsigned char)**s); (*s)++) {
                uint64_t more = n * 10 + (uint64_t)(**s - '0');

                full = full || n > (NSEC_MAX - 1) / 10 || more > NSEC_MAX;
                if (full)
                        continue;
                n = more;
                scale *= 10;
        }
        *ret = n;
        *ret_scale = scale;
}

/* One "1.5h". Adds its magnitude to *sum. 0; -EINVAL with the message. */
static int take_term(const char *whole_text, const char **s, uint64_t *sum, struct err *err)
{
        const char *start = *s;
        uint64_t whole = 0, fraction = 0, unit = 0;
        double scale = 1;

        if (!take_whole(s, &whole))
                return invalid(whole_text, err);
        bool digits = *s != start;
        if (**s == '.') {
                const char *point = ++*s;

                take_fraction(s, &fraction, &scale);
                digits = digits || *s != point;
        }
        if (!digits)
                return invalid(whole_text, err);
        size_t len = 0;

        while ((*s)[len] && (*s)[len] != '.' && !isdigit((unsigned char)(*s)[len]))
                len++;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (strlen(units[i].name) == len && memcmp(units[i].name, *s, len) == 0)
                        unit = units[i].nsec;
        if (unit == 0)
                return bad_unit(whole_text, *s, len, err);
        *s += len;
        if (whole > NSEC_MAX / unit)
                return invalid(whole_text, err);
        whole *= unit;
        if (fraction)
                whole += (uint64_t)((double)fraction * ((double)unit / scale));
        if (whole > NSEC_MAX || *sum + whole > NSEC_MAX)
                return invalid(whole_text, err);
        *sum += whole;
        return 0;
}

int duration_parse(const char *s, int64_t *ret_nsec, struct err *err)
{
        const char *at = s;
        bool negative = *at == '-';
        uint64_t sum = 0;

        if (*at == '-' || *at == '+')
                at++;
        if (strcmp(at, "0") == 0) {
                *ret_nsec = 0;
                return 0;
        }
        if (!*at)
                return invalid(s, err);
        while (*at) {
                int r = take_term(s, &at, &sum, err);

                if (r < 0)
                        return r;
        }
        if (!negative && sum == NSEC_MAX)
                return invalid(s, err);
        *ret_nsec = negative ? (int64_t)-sum : (int64_t)sum;
        return 0;
}

/* n / 10^digits without the zeros at the end, and its unit. */
static void add_fraction(struct buf *out, uint64_t n, int digits, const char *unit)
{
        uint64_t power = 1;
        char fraction[24];

        for (int i = 0; i < digits; i++)
                power *= 10;
        buf_addf(out, "%" PRIu64, n / power);
        int len = snprintf(fraction, sizeof(fraction), "%0*" PRIu64, digits, n % power);

        while (len > 0 && fraction[len - 1] == '0')
                fraction[--len] = '\0';
        if (len > 0 && digits > 0)
                buf_addf(out, ".%s", fraction);
        buf_addstr(out, unit);
}

void duration_text(int64_t nsec, char ret_text[TIMEFMT_MAX])
{
        /* Made whole, so that no append is refused. */
        struct buf out CLEANUP_BUF = {.data = xmalloc(TIMEFMT_MAX), .cap = TIMEFMT_MAX, .max = TIMEFMT_MAX - 1};
        uint64_t n = nsec < 0 ? -(uint64_t)nsec : (uint64_t)nsec;

        if (nsec < 0)
                buf_addch(&out, '-');
        if (n == 0) {
                buf_addstr(&out, "0s");
        } else if (n < NSEC_PER_USEC) {
                add_fraction(&out, n, 0, "ns");
        } else if (n < NSEC_PER_MSEC) {
                add_fraction(&out, n, 3, "\xc2\xb5s");
        } else if (n < NSEC_PER_SEC) {
                add_fraction(&out, n, 6, "ms");
        } else {
                uint64_t minutes = n / NSEC_PER_SEC / 60;

                if (minutes >= 60)
                        buf_addf(&out, "%" PRIu64 "h", minutes / 60);
                if (minutes)
                        buf_addf(&out, "%" PRIu64 "m", minutes % 60);
                add_fraction(&out, n % (60 * NSEC_PER_SEC), 9, "s");
        }
        (void)snprintf(ret_text, TIMEFMT_MAX, "%s", buf_str(&out));
}

/* "4d2h", or "4d" where the smaller is zero. */
static void two_units(char *ret_text, uint64_t large, char large_unit, uint64_t small, char small_unit)
{
        if (small)
                (void)snprintf(ret_text, TIMEFMT_MAX, "%" PRIu64 "%c%" PRIu64 "%c", large, large_unit, small,
                               small_unit);
        else
                (void)snprintf(ret_text, TIMEFMT_MAX, "%" PRIu64 "%c", large, large_unit);
}

void duration_human(usec_t d, char ret_text[TIMEFMT_MAX])
{
        uint64_t seconds = d / USEC_PER_SEC, minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

        if (seconds < 120)
                two_units(ret_text, seconds, 's', 0, 0);
        else if (minutes < 10)
                two_units(ret_text, minutes, 'm', seconds % 60, 's');
        else if (minutes < 180)
                two_units(ret_text, minutes, 'm', 0, 0);
        else if (hours < 8)
                two_units(ret_text, hours, 'h', minutes % 60, 'm');
        else if (hours < 48)
                two_units(ret_text, hours, 'h', 0, 0);
        else if (days < 8)
                two_units(ret_text, days, 'd', hours % 24, 'h');
        else if (days < 365UL * 2)
                two_units(ret_text, days, 'd', 0, 0);
        else if (days < 365UL * 8)
                two_units(ret_text, days / 365, 'y', days % 365, 'd');
        else
                two_units(ret_text, days / 365, 'y', 0, 0);
}
