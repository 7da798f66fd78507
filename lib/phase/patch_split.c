/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "phase/patch_split.h"

enum line { LINE_TEXT, LINE_SEPARATOR };

static int classify(const char *line, size_t len, bool exact, enum line *ret, struct err *err)
{
        size_t from = 3, to = len;

        *ret = LINE_TEXT;
        if (len < 3 || strncmp(line, "---", 3) != 0)
                return 0;
        while (from < to && isspace((unsigned char)line[from]))
                from++;
        while (to > from && isspace((unsigned char)line[to - 1]))
                to--;
        if (from < to && exact)
                return 0;
        if (from < to && line[from] != '#')
                return err_set(err, ERR_INVALID, "invalid Yaml document separator: %.*s", (int)(to - from),
                               line + from);
        *ret = LINE_SEPARATOR;
        return 0;
}

static size_t count_lines(const char *data, size_t len)
{
        size_t lines = 1;

        for (size_t i = 0; i < len; i++)
                lines += data[i] == '\n';
        return lines;
}

static bool is_blank(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++)
                if (!isspace((unsigned char)text[i]))
                        return false;
        return true;
}

int patch_split_next(const char *data, size_t len, unsigned flags, size_t *at, struct patch_piece *ret, struct err *err)
{
        size_t start = *at;

        while (*at < len) {
                const char *line = data + *at;
                const char *newline = memchr(line, '\n', len - *at);
                size_t line_len = newline ? (size_t)(newline - line) + 1 : len - *at;
                enum line kind = LINE_TEXT;

                int r = classify(line, line_len, flags & PATCH_SPLIT_EXACT, &kind, err);
                if (r < 0)
                        return r;
                size_t end = *at;
                *at += line_len;
                if (kind != LINE_SEPARATOR || end == start) {
                        if (*at < len)
                                continue;
                        end = len;
                }
                if ((flags & PATCH_SPLIT_BLANK) || !is_blank(data + start, end - start)) {
                        *ret = (struct patch_piece){data + start, end - start, count_lines(data, start)};
                        return 0;
                }
                start = *at;
        }
        return 1;
}
