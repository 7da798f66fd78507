/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "phase/text_table.h"

#define WIDTH_MIN 10
#define PADDING 3

static size_t width_of(const struct strv *rows, size_t count, size_t column)
{
        size_t width = WIDTH_MIN;

        for (size_t i = 0; i < count; i++) {
                size_t len = column < rows[i].len ? strlen(rows[i].items[column]) + PADDING : 0;
                width = len > width ? len : width;
        }
        return width;
}

void text_table_write(const struct strv *rows, size_t count, struct buf *out)
{
        for (size_t i = 0; i < count; i++) {
                for (size_t c = 0; c < rows[i].len; c++) {
                        bool last = c + 1 == rows[i].len;
                        buf_addf(out, "%-*s", last ? 0 : (int)width_of(rows, count, c), rows[i].items[c]);
                }
                buf_addch(out, '\n');
        }
}
