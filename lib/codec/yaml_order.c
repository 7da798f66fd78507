/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/unicode.h"
#include "codec/yaml_order.h"

struct cursor {
        const char *at, *end;
};

static uint32_t peek(struct cursor c)
{
        return c.at < c.end ? unicode_next(&c.at, c.end) : 0;
}

static void step(struct cursor *c)
{
        (void)unicode_next(&c->at, c->end);
}

/* The digits from the cursor on behind `before`; wraps as Go's int64 does. */
static int64_t run_value(struct cursor c, int64_t before, size_t *ret_digits)
{
        uint64_t n = (uint64_t)before;
        size_t digits = 0;

        for (; c.at < c.end && unicode_is_digit(peek(c)); digits++) {
                n = n * 10 + (uint64_t)peek(c) - '0';
                step(&c);
        }
        *ret_digits = digits;
        return (int64_t)n;
}

/* Both stand at their first difference, and neither there is a letter. `inside` tells that the digits right before
 * are more than zeros. */
static int compare_runs(struct cursor a, struct cursor b, bool inside)
{
        uint32_t ac = peek(a), bc = peek(b);
        size_t a_digits, b_digits;
        int64_t before = (ac == '0' || bc == '0') && inside ? 1 : 0;
        int64_t an = run_value(a, before, &a_digits), bn = run_value(b, before, &b_digits);

        if (an != bn)
                return an < bn ? -1 : 1;
        if (a_digits != b_digits)
                return a_digits < b_digits ? -1 : 1;
        return ac < bc ? -1 : 1;
}

int yaml_key_compare(const char *a, const char *b)
{
        struct cursor x = {a, a + strlen(a)}, y = {b, b + strlen(b)};
        bool inside = false;

        while (x.at < x.end && y.at < y.end) {
                uint32_t xc = peek(x), yc = peek(y);

                if (xc != yc) {
                        bool xl = unicode_is_letter(xc), yl = unicode_is_letter(yc);

                        if (xl && yl)
                                return xc < yc ? -1 : 1;
                        if (xl || yl)
                                return yl ? -1 : 1;
                        return compare_runs(x, y, inside);
                }
                inside = unicode_is_digit(xc) && (inside || xc != '0');
                step(&x);
                step(&y);
        }
        if (x.at == x.end && y.at == y.end)
                return 0;
        return x.at == x.end ? -1 : 1;
}
