/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/go_quote.h"
#include "base/unicode.h"

/* Beyond ASCII: spaces, separators, format characters, surrogates, private use. */
static bool can_be_printed(uint32_t c)
{
        static const struct {
                uint32_t first, last;
        } not [] = {
                {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},     {0x1680, 0x1680},    {0x180e, 0x180e},
                {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},   {0x3000, 0x3000},    {0xd800, 0xf8ff},
                {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0001, 0xe007f}, {0xf0000, 0x10ffff},
        };

        for (size_t i = 0; i < ARRAY_SIZE(not ); i++)
                if (c >= not [i].first && c <= not [i].last)
                        return false;
        return c >= 0x20;
}

static void add_escaped(uint32_t c, struct buf *out)
{
        static const char from[] = "\a\b\f\n\r\t\v\"\\", to[] = "abfnrtv\"\\";
        const char *at = c && c < 0x80 ? strchr(from, (int)c) : NULL;

        if (at)
                buf_addf(out, "\\%c", to[at - from]);
        else if (can_be_printed(c))
                unicode_add(c, out);
        else if (c < 0x20 || c == 0x7f)
                buf_addf(out, "\\x%02x", (unsigned)c);
        else if (c < 0x10000)
                buf_addf(out, "\\u%04x", (unsigned)c);
        else
                buf_addf(out, "\\U%08x", (unsigned)c);
}

void go_quote(const char *s, struct buf *out)
{
        const char *end = s + strlen(s);

        buf_addch(out, '"');
        while (s < end) {
                const char *start = s;
                uint32_t c = unicode_next(&s, end);

                /* U+FFFD written out has three bytes; a byte that is no UTF-8 has one. */
                if (c == UNICODE_REPLACEMENT && s - start == 1)
                        buf_addf(out, "\\x%02x", (unsigned)(unsigned char)*start);
                else
                        add_escaped(c, out);
        }
        buf_addch(out, '"');
}
