/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/quantity.h"

#define NANO 1000000000
#define INT128_MAX ((__int128)(~(unsigned __int128)0 >> 1))
#define EXPONENT_MAX 1000000 /* far beyond what fits either way */
#define FRACTION_DIGITS 64   /* what lies behind them only decides about rounding */

static const struct suffix {
        const char *text;
        enum quantity_format format;
        int exponent; /* of ten, or of two */
} suffixes[] = {
        {"", QUANTITY_DECIMAL_SI, 0},   {"n", QUANTITY_DECIMAL_SI, -9}, {"u", QUANTITY_DECIMAL_SI, -6},
        {"m", QUANTITY_DECIMAL_SI, -3}, {"k", QUANTITY_DECIMAL_SI, 3},  {"M", QUANTITY_DECIMAL_SI, 6},
        {"G", QUANTITY_DECIMAL_SI, 9},  {"T", QUANTITY_DECIMAL_SI, 12}, {"P", QUANTITY_DECIMAL_SI, 15},
        {"E", QUANTITY_DECIMAL_SI, 18}, {"Ki", QUANTITY_BINARY_SI, 10}, {"Mi", QUANTITY_BINARY_SI, 20},
        {"Gi", QUANTITY_BINARY_SI, 30}, {"Ti", QUANTITY_BINARY_SI, 40}, {"Pi", QUANTITY_BINARY_SI, 50},
        {"Ei", QUANTITY_BINARY_SI, 60},
};

/* A quantity taken apart; number and fraction are digits in the text. */
struct parts {
        bool negative;
        bool digits; /* there is at least one, be it a zero */
        const char *whole, *fraction;
        size_t whole_len, fraction_len;
        enum quantity_format format;
        int exponent;
};

static size_t digits_at(const char *s)
{
        size_t n = 0;

        while (isdigit((unsigned char)s[n]))
                n++;
        return n;
}

/* "e3", "E-3": clamped, since nothing that large fits anyway. */
static bool parse_exponent(const char *s, int *ret)
{
        bool negative = s[0] == '-';
        int n = 0;

        if (s[0] == '-' || s[0] == '+')
                s++;
        if (!*s)
                return false;
        for (; *s; s++) {
                if (!isdigit((unsigned char)*s))
                        return false;
                if (n < EXPONENT_MAX)
                        n = n * 10 + (*s - '0');
        }
        *ret = negative ? -n : n;
        return true;
}

static bool parse_suffix(const char *s, struct parts *p)
{
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (strcmp(s, suffixes[i].text) == 0) {
                        p->format = suffixes[i].format;
                        p->exponent = suffixes[i].exponent;
                        return true;
                }
        p->format = QUANTITY_DECIMAL_EXPONENT;
        return (*s == 'e' || *s == 'E') && parse_exponent(s + 1, &p->exponent);
}

/* parseQuantityString: lax about missing digits ("." and "m" are zero), strict about what else may stand there. */
static int take_apart(const char *s, struct parts *p, struct err *err)
{
        static const char form[] = "quantities must match the regular expression "
                                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

        *p = (struct parts){.negative = *s == '-', .fraction = ""};
        if (!*s)
                return err_set(err, EINVAL, "%s", form);
        if (*s == '-' || *s == '+')
                s++;
        for (; *s == '0'; s++)
                p->digits = true;
        p->whole = s;
        p->whole_len = digits_at(s);
        s += p->whole_len;
        if (*s == '.') {
                p->fraction = ++s;
                p->fraction_len = digits_at(s);
                s += p->fraction_len;
        }
        p->digits = p->digits || p->whole_len || p->fraction_len;
        const char *rest = s + strspn(s, "eEinumkKMGTP");

        if (*rest == '-' || *rest == '+')
                rest++;
        if (rest[digits_at(rest)])
                return err_set(err, EINVAL, "%s", form);
        if (!parse_suffix(s, p))
                return err_set(err, EINVAL, "unable to parse quantity's suffix");
        return 0;
}

/* The i-th digit of whole and fraction as one number, zeros behind. */
static unsigned digit_at(const struct parts *p, size_t i)
{
        if (i < p->whole_len)
                return (unsigned)(p->whole[i] - '0');
        i -= p->whole_len;
        return i < p->fraction_len ? (unsigned)(p->fraction[i] - '0') : 0;
}

/* Magnitude in nano of a number with a power of ten; false where it does not fit. */
static bool decimal_nano(const struct parts *p, __int128 *ret)
{
        long count = (long)(p->whole_len + p->fraction_len);
        long kept = (long)p->whole_len + p->exponent + 9; /* digits down to nano */
        __int128 n = 0;
        bool rest = false;

        for (long i = 0; i < count && i < kept; i++)
                if (__builtin_mul_overflow(n, (__int128)10, &n) ||
                    __builtin_add_overflow(n, (__int128)digit_at(p, (size_t)i), &n))
                        return false;
        for (long i = kept > 0 ? kept : 0; i < count; i++)
                rest |= digit_at(p, (size_t)i) != 0;
        for (long i = count; n != 0 && i < kept; i++)
                if (__builtin_mul_overflow(n, (__int128)10, &n))
                        return false;
        *ret = n + rest;
        return true;
}

static unsigned double_digits(unsigned char *digits)
{
        unsigned carry = 0;

        for (size_t i = FRACTION_DIGITS; i > 0; i--) {
                unsigned d = digits[i - 1] * 2U + carry;

                digits[i - 1] = (unsigned char)(d % 10);
                carry = d / 10;
        }
        return carry;
}

/* Magnitude in nano of a number with a power of two, capped at 2^63-1. */
static __int128 binary_nano(const struct parts *p)
{
        const __int128 cap = (__int128)INT64_MAX;
        unsigned char digits[FRACTION_DIGITS] = {0};
        __int128 whole = 0, nano = 0;
        bool rest = false;

        for (size_t i = 0; i < p->whole_len && whole <= cap; i++)
                whole = whole * 10 + digit_at(p, i);
        for (size_t i = 0; i < p->fraction_len; i++) {
                if (i < FRACTION_DIGITS)
                        digits[i] = (unsigned char)(p->fraction[i] - '0');
                else
                        rest |= p->fraction[i] != '0';
        }
        for (int i = 0; i < p->exponent && whole <= cap; i++)
                whole = whole * 2 + double_digits(digits);
        if (whole > cap)
                return cap * NANO;
        for (size_t i = 0; i < FRACTION_DIGITS; i++) {
                if (i < 9)
                        nano = nano * 10 + digits[i];
                else
                        rest |= digits[i] != 0;
        }
        nano += whole * NANO + rest;
        return nano > cap * NANO ? cap * NANO : nano;
}

/* ParseQuantity keeps what is short in an int64 with a scale, the rest in a big decimal. The two differ in little. */
static bool is_short(const struct parts *p)
{
        long whole = p->whole_len ? (long)p->whole_len : 1, fraction = (long)p->fraction_len;

        if (p->format == QUANTITY_BINARY_SI)
                return fraction == 0 && 15 - whole - p->exponent * 3 / 10 - 1 >= 0;
        return whole + fraction <= 18 && p->exponent - fraction >= -9;
}

/* Whether ParseQuantity takes the text for canonical and String() returns it; the test there is a quick one, so some
 * texts that are not canonical pass as well. */
static bool is_kept(const char *s, const struct parts *p, __int128 magnitude)
{
        size_t count = p->whole_len + p->fraction_len;

        if (strcmp(s, "0") == 0)
                return true;
        if (!is_short(p))
                return false;
        if (p->format == QUANTITY_BINARY_SI)
                return ((magnitude / NANO >> p->exponent) & 7) != 0;
        if ((p->exponent - (long)p->fraction_len) % 3 != 0 || p->whole_len == 0)
                return false;
        return count < 3 || digit_at(p, count - 1) || digit_at(p, count - 2) || digit_at(p, count - 3);
}

int quantity_parse(const char *s, struct quantity *ret, struct err *err)
{
        struct quantity q = {0};
        struct parts p;
        int r = take_apart(s, &p, err);

        if (r < 0)
                return r;
        if (!p.digits && !is_short(&p))
                return err_set(err, EINVAL, "unable to parse numeric part of quantity");
        if (p.format == QUANTITY_BINARY_SI)
                q.nano = binary_nano(&p);
        else if (!decimal_nano(&p, &q.nano))
                return err_set(err, ERANGE, "quantity is too large");
        q.format = p.format;
        if (is_kept(s, &p, q.nano) && strlen(s) < sizeof(q.kept))
                memcpy(q.kept, s, strlen(s) + 1);
        if (p.format == QUANTITY_BINARY_SI && q.nano > 0 && q.nano < NANO)
                q.format = QUANTITY_DECIMAL_SI;
        if (p.negative)
                q.nano = -q.nano;
        *ret = q;
        return 0;
}

static const char *suffix_of(enum quantity_format format, int exponent)
{
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
                if (suffixes[i].format == format && suffixes[i].exponent == exponent)
                        return suffixes[i].text;
        return "";
}

static void write_number(bool negative, unsigned __int128 n, const char *suffix, char ret_text[QUANTITY_TEXT_MAX])
{
        char digits[40], *at = digits + sizeof(digits) - 1;

        *at = '\0';
        do
                *--at = (char)('0' + (int)(n % 10));
        while (n /= 10);
        (void)snprintf(ret_text, QUANTITY_TEXT_MAX, "%s%s%s", negative ? "-" : "", at, suffix);
}

static void write_decimal(const struct quantity *q, bool exponent_form, char ret_text[QUANTITY_TEXT_MAX])
{
        unsigned __int128 n = q->nano < 0 ? -(unsigned __int128)q->nano : (unsigned __int128)q->nano;
        char suffix[16];
        int exponent = -9;

        while (n % 1000 == 0 && (exponent_form || exponent < 18)) {
                n /= 1000;
                exponent += 3;
        }
        if (exponent_form && exponent)
                (void)snprintf(suffix, sizeof(suffix), "e%d", exponent);
        else
                (void)snprintf(suffix, sizeof(suffix), "%s", suffix_of(QUANTITY_DECIMAL_SI, exponent));
        write_number(q->nano < 0, n, suffix, ret_text);
}

void quantity_text(const struct quantity *q, char ret_text[QUANTITY_TEXT_MAX])
{
        const __int128 kilo = (__int128)1024 * NANO;
        int exponent = 0;

        if (q->kept[0]) {
                (void)snprintf(ret_text, QUANTITY_TEXT_MAX, "%s", q->kept);
                return;
        }
        if (q->nano == 0) {
                (void)snprintf(ret_text, QUANTITY_TEXT_MAX, "0");
                return;
        }
        /* CanonicalizeBytes: below 1024 or with a fraction, binary would need rounding */
        if (q->format != QUANTITY_BINARY_SI || (q->nano > -kilo && q->nano < kilo) || q->nano % NANO != 0) {
                write_decimal(q, q->format == QUANTITY_DECIMAL_EXPONENT, ret_text);
                return;
        }
        unsigned __int128 n = q->nano < 0 ? -(unsigned __int128)(q->nano / NANO) : (unsigned __int128)(q->nano / NANO);
        while (n % 1024 == 0 && exponent < 60) {
                n /= 1024;
                exponent += 10;
        }
        write_number(q->nano < 0, n, suffix_of(QUANTITY_BINARY_SI, exponent), ret_text);
}

int quantity_compare(const struct quantity *a, const struct quantity *b)
{
        return a->nano < b->nano ? -1 : a->nano > b->nano;
}

static int64_t scaled(const struct quantity *q, int64_t nano_per_unit)
{
        __int128 n = q->nano / nano_per_unit;

        if (q->nano % nano_per_unit != 0)
                n += q->nano < 0 ? -1 : 1;
        if (n > INT64_MAX)
                return INT64_MAX;
        return n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

int64_t quantity_milli(const struct quantity *q)
{
        return scaled(q, NANO / 1000);
}

int64_t quantity_value(const struct quantity *q)
{
        return scaled(q, NANO);
}

void quantity_add(struct quantity *a, const struct quantity *b)
{
        if (a->nano == 0)
                a->format = b->format;
        if (__builtin_add_overflow(a->nano, b->nano, &a->nano))
                a->nano = b->nano < 0 ? -INT128_MAX : INT128_MAX;
        a->kept[0] = '\0';
}
