/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/number.h"

#define DIGITS_MAX 17
#define UNSIGNED_MAX (NUMBER_TEXT_MAX - 4) /* the text without its sign */

/* 0.d1d2d3... * 10^point */
struct decimal {
        char digits[DIGITS_MAX + 1];
        int count;
        int point;
};

static bool reads_as(const struct decimal *d, double v, bool single)
{
        char text[DIGITS_MAX + 16];

        (void)snprintf(text, sizeof(text), "0.%se%d", d->digits, d->point);
        return single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

/* The next decimal of the same length. False where a digit more would be needed. */
static bool decimal_increment(struct decimal *d)
{
        for (int i = d->count - 1; i >= 0; i--) {
                if (d->digits[i] != '9') {
                        d->digits[i]++;
                        return true;
                }
                d->digits[i] = '0';
        }
        return false;
}

static void decimal_round(double v, int count, struct decimal *ret)
{
        char text[DIGITS_MAX + 16];

        (void)snprintf(text, sizeof(text), "%.*e", count - 1, v);
        ret->digits[0] = text[0];
        if (count > 1)
                memcpy(ret->digits + 1, text + 2, (size_t)count - 1);
        ret->digits[count] = '\0';
        ret->count = count;
        ret->point = (int)strtoimax(strchr(text, 'e') + 1, NULL, 10) + 1;
}

/* v is finite and not negative. */
static struct decimal decimal_shortest(double v, bool single)
{
        struct decimal d = {.digits = "0", .count = 1, .point = 1};

        if (v == 0)
                return d;
        for (int count = 1; count <= DIGITS_MAX; count++) {
                decimal_round(v, count, &d);
                if (reads_as(&d, v, single))
                        break;
                /* Above a power of two the gap is twice the one below: the decimal one up can be nearer to v than
                 * its neighbours are although it is not what v rounds to. */
                struct decimal up = d;
                if (decimal_increment(&up) && reads_as(&up, v, single)) {
                        d = up;
                        break;
                }
        }
        while (d.count > 1 && d.digits[d.count - 1] == '0')
                d.digits[--d.count] = '\0';
        return d;
}

/* min_digits: of the exponent. */
static void format_exponent(const struct decimal *d, int min_digits, char ret_text[UNSIGNED_MAX])
{
        int exponent = d->point - 1;

        (void)snprintf(ret_text, UNSIGNED_MAX, "%c%s%se%c%0*d", d->digits[0], d->count > 1 ? "." : "", d->digits + 1,
                       exponent < 0 ? '-' : '+', min_digits, abs(exponent));
}

/* -6 <= point <= 21 */
static void format_fixed(const struct decimal *d, char ret_text[UNSIGNED_MAX])
{
        static const char zeros[] = "00000000000000000000000";

        if (d->point <= 0)
                (void)snprintf(ret_text, UNSIGNED_MAX, "0.%.*s%s", -d->point, zeros, d->digits);
        else if (d->count <= d->point)
                (void)snprintf(ret_text, UNSIGNED_MAX, "%s%.*s", d->digits, d->point - d->count, zeros);
        else
                (void)snprintf(ret_text, UNSIGNED_MAX, "%.*s.%s", d->point, d->digits, d->digits + d->point);
}

static char *format_sign(double v, char *text)
{
        if (signbit(v))
                *text++ = '-';
        return text;
}

void number_format_g(double v, bool single, char ret_text[NUMBER_TEXT_MAX])
{
        char text[UNSIGNED_MAX];

        if (single)
                v = (double)(float)v;
        if (isnan(v) || isinf(v)) {
                (void)snprintf(ret_text, NUMBER_TEXT_MAX, "%s", isnan(v) ? "NaN" : v < 0 ? "-Inf" : "+Inf");
                return;
        }
        struct decimal d = decimal_shortest(fabs(v), single);
        /* strconv/ftoa.go: %e below 1e-4 and from 1e6 on where the shortest digits are asked for */
        if (d.point - 1 < -4 || d.point - 1 >= 6)
                format_exponent(&d, 2, text);
        else
                format_fixed(&d, text);
        (void)snprintf(format_sign(v, ret_text), NUMBER_TEXT_MAX - 1, "%s", text);
}

void number_format_json(double v, char ret_text[NUMBER_TEXT_MAX])
{
        char text[UNSIGNED_MAX];
        double size = fabs(v);
        struct decimal d = decimal_shortest(size, false);

        /* encoding/json/encode.go, floatEncoder: as ECMAScript does */
        if (size != 0 && (size < 1e-6 || size >= 1e21))
                format_exponent(&d, d.point - 1 < 0 ? 1 : 2, text);
        else
                format_fixed(&d, text);
        (void)snprintf(format_sign(v, ret_text), NUMBER_TEXT_MAX - 1, "%s", text);
}
