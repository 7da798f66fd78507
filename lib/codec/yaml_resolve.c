/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "codec/yaml_resolve.h"

/* A cursor over text that may hold NUL. */
struct text {
        const char *s;
        size_t len;
};

static bool text_eq(struct text t, const char *s)
{
        return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

static bool take(struct text *t, char c)
{
        if (t->len == 0 || t->s[0] != c)
                return false;
        t->s++;
        t->len--;
        return true;
}

static bool take_any(struct text *t, const char *set)
{
        return t->len && t->s[0] && strchr(set, t->s[0]) && take(t, t->s[0]);
}

static size_t take_digits(struct text *t)
{
        size_t n = 0;

        while (n < t->len && isdigit((unsigned char)t->s[n]))
                n++;
        t->s += n;
        t->len -= n;
        return n;
}

static bool resolve_word(struct text t, struct yaml_scalar *ret)
{
        static const struct {
                const char *text[3];
                struct yaml_scalar is;
        } words[] = {
                {{"y", "Y"}, {.type = YAML_TYPE_BOOL, .boolean = true}},
                {{"yes", "Yes", "YES"}, {.type = YAML_TYPE_BOOL, .boolean = true}},
                {{"true", "True", "TRUE"}, {.type = YAML_TYPE_BOOL, .boolean = true}},
                {{"on", "On", "ON"}, {.type = YAML_TYPE_BOOL, .boolean = true}},
                {{"n", "N"}, {.type = YAML_TYPE_BOOL}},
                {{"no", "No", "NO"}, {.type = YAML_TYPE_BOOL}},
                {{"false", "False", "FALSE"}, {.type = YAML_TYPE_BOOL}},
                {{"off", "Off", "OFF"}, {.type = YAML_TYPE_BOOL}},
                {{"", "~"}, {.type = YAML_TYPE_NULL}},
                {{"null", "Null", "NULL"}, {.type = YAML_TYPE_NULL}},
                {{".nan", ".NaN", ".NAN"}, {.type = YAML_TYPE_FLOAT, .number = NAN}},
                {{".inf", ".Inf", ".INF"}, {.type = YAML_TYPE_FLOAT, .number = INFINITY}},
                {{"+.inf", "+.Inf", "+.INF"}, {.type = YAML_TYPE_FLOAT, .number = INFINITY}},
                {{"-.inf", "-.Inf", "-.INF"}, {.type = YAML_TYPE_FLOAT, .number = -INFINITY}},
        };

        if (t.len > 5)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                for (size_t k = 0; k < ARRAY_SIZE(words[i].text); k++)
                        if (words[i].text[k] && text_eq(t, words[i].text[k])) {
                                *ret = words[i].is;
                                return true;
                        }
        return false;
}

static int digit_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'Z')
                return c - 'A' + 10;
        return 36;
}

/* All of t as digits of that base. 1: yes, 0: no, -1: too large. */
static int parse_magnitude(struct text t, unsigned base, uint64_t *ret)
{
        uint64_t n = 0;
        bool large = false;

        if (t.len == 0)
                return 0;
        for (size_t i = 0; i < t.len; i++) {
                unsigned d = (unsigned)digit_value(t.s[i]);

                if (d >= base)
                        return 0;
                large |= __builtin_mul_overflow(n, (uint64_t)base, &n);
                large |= __builtin_add_overflow(n, (uint64_t)d, &n);
        }
        *ret = n;
        return large ? -1 : 1;
}

/* strconv.ParseUint(t, 0, 64), the sign taken off before. */
static int parse_based(struct text t, uint64_t *ret)
{
        unsigned base = 10;

        if (t.len >= 3 && t.s[0] == '0' && strchr("bBoOxX", t.s[1]) && t.s[1]) {
                base = tolower((unsigned char)t.s[1]) == 'b' ? 2 : tolower((unsigned char)t.s[1]) == 'o' ? 8 : 16;
                t = (struct text){t.s + 2, t.len - 2};
        } else if (t.len > 1 && t.s[0] == '0') {
                base = 8;
        }
        return parse_magnitude(t, base, ret);
}

static bool is_integer(bool has_sign, bool negative, int parsed, uint64_t magnitude, struct yaml_scalar *ret)
{
        const uint64_t int64_min = (uint64_t)1 << 63;

        /* What fits int64, or uint64 when written without a sign. */
        if (parsed != 1 || (negative && magnitude > int64_min) || (has_sign && !negative && magnitude >= int64_min))
                return false;
        *ret = (struct yaml_scalar){
                .type = YAML_TYPE_INT, .negative = negative && magnitude != 0, .magnitude = magnitude};
        return true;
}

static bool resolve_integer(struct text t, struct yaml_scalar *ret)
{
        struct text rest = t;
        uint64_t magnitude = 0;
        bool negative = take(&rest, '-'), has_sign = negative || take(&rest, '+');

        int parsed = parse_based(rest, &magnitude);

        return is_integer(has_sign, negative, parsed, magnitude, ret);
}

/* 0b with a sign behind the prefix: go-yaml cuts "0b" off and hands the rest to ParseInt. */
static bool resolve_signed_binary(struct text t, struct yaml_scalar *ret)
{
        uint64_t magnitude = 0;

        if (!take(&t, '0') || !take(&t, 'b'))
                return false;
        bool negative = take(&t, '-');
        if (!negative && !take(&t, '+'))
                return false;
        int parsed = parse_magnitude(t, 2, &magnitude);

        return is_integer(true, negative, parsed, magnitude, ret);
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_decimal(struct text t)
{
        (void)take_any(&t, "+-");
        if (take(&t, '.')) {
                if (take_digits(&t) == 0)
                        return false;
        } else {
                if (take_digits(&t) == 0)
                        return false;
                if (take(&t, '.'))
                        (void)take_digits(&t);
        }
        if (take_any(&t, "eE")) {
                (void)take_any(&t, "+-");
                if (take_digits(&t) == 0)
                        return false;
        }
        return t.len == 0;
}

static bool resolve_decimal(struct text t, struct yaml_scalar *ret)
{
        if (!is_decimal(t))
                return false;
        char *copy CLEANUP_FREE = xstrndup(t.s, t.len);
        double v = strtod(copy, NULL);

        if (isinf(v)) /* out of range: ParseFloat's error */
                return false;
        *ret = (struct yaml_scalar){.type = YAML_TYPE_FLOAT, .number = v};
        return true;
}

/* Copies t without its underscores. */
static char *without_underscores(struct text t, size_t *ret_len)
{
        char *copy = xmalloc(t.len + 1);
        size_t n = 0;

        for (size_t i = 0; i < t.len; i++)
                if (t.s[i] != '_')
                        copy[n++] = t.s[i];
        copy[n] = '\0';
        *ret_len = n;
        return copy;
}

/* A number that begins with the point goes to ParseFloat as it is: there an underscore must stand between digits. */
static bool resolve_pointed(struct text t, struct yaml_scalar *ret)
{
        size_t len;

        for (size_t i = 0; i < t.len; i++)
                if (t.s[i] == '_' && (i == 0 || i + 1 == t.len || !isdigit((unsigned char)t.s[i - 1]) ||
                                      !isdigit((unsigned char)t.s[i + 1])))
                        return false;
        char *plain CLEANUP_FREE = without_underscores(t, &len);
        return resolve_decimal((struct text){plain, len}, ret);
}

/* One or two digits: time.getnum(value, false). */
static bool take_field(struct text *t, int min, int max, int *ret)
{
        int n = 0;
        size_t count = 0;

        while (count < 2 && t->len && isdigit((unsigned char)t->s[0])) {
                n = n * 10 + (t->s[0] - '0');
                (void)take(t, t->s[0]);
                count++;
        }
        *ret = n;
        return count > 0 && n >= min && n <= max;
}

/* Z, or +hh:mm with two digits each; time.Parse takes 24 hours and 60 minutes. */
static bool take_zone(struct text *t)
{
        if (take(t, 'Z'))
                return true;
        if (!take_any(t, "+-") || t->len < 5)
                return false;
        for (size_t i = 0; i < 5; i++)
                if (i == 2 ? t->s[i] != ':' : !isdigit((unsigned char)t->s[i]))
                        return false;
        int hours = (t->s[0] - '0') * 10 + (t->s[1] - '0'), minutes = (t->s[3] - '0') * 10 + (t->s[4] - '0');
        *t = (struct text){t->s + 5, t->len - 5};
        return hours <= 24 && minutes <= 60;
}

static bool take_clock(struct text *t)
{
        int n;

        if (!take_field(t, 0, 23, &n) || !take(t, ':') || !take_field(t, 0, 59, &n) || !take(t, ':') ||
            !take_field(t, 0, 59, &n))
                return false;
        if (t->len >= 2 && (t->s[0] == '.' || t->s[0] == ',') && isdigit((unsigned char)t->s[1])) {
                (void)take(t, t->s[0]);
                (void)take_digits(t);
        }
        return true;
}

static int days_in(int year, int month)
{
        static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

        if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
                return 29;
        return days[month - 1];
}

/* The layouts 2006-1-2, 2006-1-2 15:4:5.9, 2006-1-2T15:4:5.9Z07:00 and the same with t, as time.Parse reads them. */
static bool is_timestamp(struct text t)
{
        int year, month, day;

        if (t.len < 5 || t.s[4] != '-')
                return false;
        for (size_t i = 0; i < 4; i++)
                if (!isdigit((unsigned char)t.s[i]))
                        return false;
        year = (t.s[0] - '0') * 1000 + (t.s[1] - '0') * 100 + (t.s[2] - '0') * 10 + (t.s[3] - '0');
        t = (struct text){t.s + 5, t.len - 5};
        if (!take_field(&t, 1, 12, &month) || !take(&t, '-') || !take_field(&t, 1, 31, &day) ||
            day > days_in(year, month))
                return false;
        if (t.len == 0)
                return true;
        if (take_any(&t, "Tt"))
                return take_clock(&t) && take_zone(&t) && t.len == 0;
        if (!take(&t, ' '))
                return false;
        while (take(&t, ' '))
                ;
        return take_clock(&t) && t.len == 0;
}

static bool resolve_number(struct text t, struct yaml_scalar *ret)
{
        size_t len;
        char *copy CLEANUP_FREE = without_underscores(t, &len);
        struct text plain = {copy, len};

        return resolve_integer(plain, ret) || resolve_decimal(plain, ret) || resolve_signed_binary(plain, ret);
}

void yaml_resolve(const char *s, size_t len, enum yaml_type wish, struct yaml_scalar *ret)
{
        struct text t = {s, len};
        char first = len ? s[0] : '\0';

        *ret = (struct yaml_scalar){.type = YAML_TYPE_STRING};
        if (wish == YAML_TYPE_STRING || (len && (!first || !strchr("yYnNtTfFoO~.+-0123456789", first))))
                return;
        if (resolve_word(t, ret) || !first)
                return;
        if (first == '.') {
                (void)resolve_pointed(t, ret);
                return;
        }
        if (!strchr("+-0123456789", first))
                return;
        if ((wish == YAML_TYPE_ANY || wish == YAML_TYPE_TIMESTAMP) && is_timestamp(t)) {
                ret->type = YAML_TYPE_TIMESTAMP;
                return;
        }
        (void)resolve_number(t, ret);
}

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)? */
bool yaml_is_base60(const char *s, size_t len)
{
        struct text t = {s, len};
        size_t groups = 0;

        (void)take_any(&t, "+-");
        if (take_digits(&t) == 0)
                return false;
        while (take_digits(&t) || take(&t, '_'))
                ;
        while (take(&t, ':')) {
                size_t left = t.len;
                bool small = t.len && t.s[0] <= '5';
                size_t n = take_digits(&t);

                if (n == 0 || n > 2 || (n == 2 && !small) || left == 0)
                        return false;
                groups++;
        }
        if (groups == 0)
                return false;
        if (take(&t, '.'))
                while (take_digits(&t) || take(&t, '_'))
                        ;
        return t.len == 0;
}

const char *yaml_type_tag(enum yaml_type type)
{
        static const char *const tags[YAML_TYPE_MAX] = {
                [YAML_TYPE_ANY] = "!",
                [YAML_TYPE_STRING] = "!!str",
                [YAML_TYPE_NULL] = "!!null",
                [YAML_TYPE_BOOL] = "!!bool",
                [YAML_TYPE_INT] = "!!int",
                [YAML_TYPE_FLOAT] = "!!float",
                [YAML_TYPE_TIMESTAMP] = "!!timestamp",
        };

        return tags[type];
}
