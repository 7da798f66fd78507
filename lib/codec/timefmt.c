/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codec/timefmt.h"

/* Days since 1970-01-01 of a date in the Gregorian calendar (years from March on, in eras of 400). */
static int64_t days_from_civil(int year, int month, int day)
{
        int64_t y = year - (month <= 2);
        int64_t era = (y >= 0 ? y : y - 399) / 400;
        int64_t year_of_era = y - era * 400;
        int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

        return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

struct civil {
        int64_t year;
        int month, day, hour, minute, second, micro;
};

static struct civil civil_from_usec(usec_t t)
{
        int64_t seconds = (int64_t)(t / USEC_PER_SEC), z = seconds / 86400 + 719468;
        int64_t era = z / 146097, day_of_era = z - era * 146097;
        int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int64_t month = (5 * day_of_year + 2) / 153;

        return (struct civil){
                .year = year_of_era + era * 400 + (month >= 10),
                .month = (int)(month < 10 ? month + 3 : month - 9),
                .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
                .hour = (int)(seconds % 86400 / 3600),
                .minute = (int)(seconds % 3600 / 60),
                .second = (int)(seconds % 60),
                .micro = (int)(t % USEC_PER_SEC),
        };
}

void timefmt_seconds(usec_t realtime, char ret_text[TIMEFMT_MAX])
{
        struct civil c = civil_from_usec(realtime);

        (void)snprintf(ret_text, TIMEFMT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)c.year, c.month, c.day,
                       c.hour, c.minute, c.second);
}

void timefmt_micro(usec_t realtime, char ret_text[TIMEFMT_MAX])
{
        struct civil c = civil_from_usec(realtime);

        (void)snprintf(ret_text, TIMEFMT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d.%06dZ", (long long)c.year, c.month,
                       c.day, c.hour, c.minute, c.second, c.micro);
}

/* Exactly `digits` digits between min and max. */
static bool take_number(const char **s, int digits, int min, int max, int *ret)
{
        int n = 0;

        for (int i = 0; i < digits; i++) {
                if (!isdigit((unsigned char)(*s)[i]))
                        return false;
                n = n * 10 + ((*s)[i] - '0');
        }
        *s += digits;
        *ret = n;
        return n >= min && n <= max;
}

static bool take_char(const char **s, char c)
{
        if (**s != c)
                return false;
        (*s)++;
        return true;
}

/* A fraction of seconds, cut to microseconds. */
static bool take_fraction(const char **s, int *ret_micro)
{
        int n = 0, scale = 100000;

        *ret_micro = 0;
        if (!take_char(s, '.'))
                return true;
        if (!isdigit((unsigned char)**s))
                return false;
        for (; isdigit((unsigned char)**s); (*s)++) {
                n += (**s - '0') * scale;
                scale /= 10;
        }
        *ret_micro = n;
        return true;
}

/* Seconds east of UTC; time.Parse takes 24 hours and 60 minutes. */
static bool take_zone(const char **s, int *ret)
{
        int hours, minutes;
        bool west = **s == '-';

        *ret = 0;
        if (take_char(s, 'Z'))
                return true;
        if (!take_char(s, '+') && !take_char(s, '-'))
                return false;
        if (!take_number(s, 2, 0, 24, &hours) || !take_char(s, ':') || !take_number(s, 2, 0, 60, &minutes))
                return false;
        *ret = (hours * 60 + minutes) * (west ? -60 : 60);
        return true;
}

static int days_in(int year, int month)
{
        if (month == 2)
                return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
        return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

int timefmt_parse(const char *s, usec_t *ret_realtime)
{
        int year, month, day, hour, minute, second, micro, zone;

        if (!take_number(&s, 4, 0, 9999, &year) || !take_char(&s, '-') || !take_number(&s, 2, 1, 12, &month) ||
            !take_char(&s, '-') || !take_number(&s, 2, 1, 31, &day) || day > days_in(year, month) ||
            !take_char(&s, 'T') || !take_number(&s, 2, 0, 23, &hour) || !take_char(&s, ':') ||
            !take_number(&s, 2, 0, 59, &minute) || !take_char(&s, ':') || !take_number(&s, 2, 0, 59, &second) ||
            !take_fraction(&s, &micro) || !take_zone(&s, &zone) || *s)
                return -EINVAL;
        int64_t seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;

        *ret_realtime = seconds < 0 ? 0 : (usec_t)seconds * USEC_PER_SEC + (usec_t)micro;
        return 0;
}
