/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml_text.h"

static const char bom[] = "\xef\xbb\xbf";

struct value_place yaml_text_place(const struct yaml_text *t, size_t offset)
{
        struct value_place place = {.file = t->file, .line = 1, .column = 1};

        for (size_t i = 0; i < offset && i < t->len; i++) {
                if (t->s[i] == '\n') {
                        place.line++;
                        place.column = 1;
                } else if (((unsigned char)t->s[i] & 0xc0) != 0x80) {
                        place.column++;
                }
        }
        return place;
}

static bool is_line_start(const struct yaml_text *t, const char *at)
{
        /* the last bytes of LF, CR, NEL, LS and PS */
        return at == t->s || strchr("\n\r\x85\xa8\xa9", at[-1]);
}

/* libyaml compares each %TAG with all before it, however many there are. */
static int check_directives(const struct yaml_text *t, struct err *err)
{
        const char *at = t->s, *end = t->s + t->len;
        size_t count = 0;

        while (at < end && (at = memmem(at, (size_t)(end - at), "%TAG", 4))) {
                if (is_line_start(t, at) && ++count > LIMIT_YAML_TAG_DIRECTIVES) {
                        struct value_place place = yaml_text_place(t, (size_t)(at - t->s));

                        return value_error(&place, err, ERR_LIMIT, "more than %d %%TAG directives",
                                           LIMIT_YAML_TAG_DIRECTIVES);
                }
                at += 4;
        }
        return 0;
}

/* As two files with marks leave it when put together: libyaml skips it and is then a column off. */
static int check_byte_order_marks(const struct yaml_text *t, struct err *err)
{
        const char *at = t->s, *end = t->s + t->len;

        for (; at < end && (at = memmem(at, (size_t)(end - at), bom, 3)); at += 3) {
                struct value_place place = {0};

                if (!is_line_start(t, at))
                        continue;
                place = yaml_text_place(t, (size_t)(at - t->s));
                return value_error(&place, err, ERR_INVALID, "a byte order mark (U+FEFF) inside of the text");
        }
        return 0;
}

/* libyaml guesses at UTF-16 and stops at a NUL with words about neither. */
static int check_encoding(const struct yaml_text *t, struct err *err)
{
        const char *nul = t->len ? memchr(t->s, '\0', t->len) : NULL;
        size_t valid = utf8_valid_prefix(t->s, t->len);
        struct value_place place;

        if (nul && (size_t)(nul - t->s) < valid) {
                place = yaml_text_place(t, (size_t)(nul - t->s));
                return value_error(&place, err, ERR_INVALID, "a NUL byte: this is not a text file in UTF-8");
        }
        if (valid == t->len)
                return 0;
        place = yaml_text_place(t, valid);
        return value_error(&place, err, ERR_INVALID, "byte 0x%02x is not UTF-8", (unsigned char)t->s[valid]);
}

int yaml_text_check(struct yaml_text *t, struct err *err)
{
        if (t->len >= 3 && memcmp(t->s, bom, 3) == 0) {
                t->s += 3;
                t->len -= 3;
        }
        int r = check_encoding(t, err);

        if (r >= 0)
                r = check_byte_order_marks(t, err);
        if (r >= 0)
                r = check_directives(t, err);
        return r;
}
