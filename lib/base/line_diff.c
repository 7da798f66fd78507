/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/line_diff.h"

/* Cells of the table of common lines. What differs in more lines than this is shown as taken out and put in whole. */
#define CELLS_MAX (4 * 1024 * 1024)

struct line {
        const char *text;
        size_t len; /* with its newline */
};

struct lines {
        struct line *items;
        size_t count;
};

/* One line of the result. */
struct edit {
        char mark; /* ' ', '-', '+' */
        struct line line;
};

struct script {
        struct edit *items;
        size_t count;
};

static struct lines split(const char *text, size_t len)
{
        struct lines lines = {0};
        size_t room = 0;

        for (size_t at = 0; at < len;) {
                const char *end = memchr(text + at, '\n', len - at);
                size_t n = end ? (size_t)(end - text - (ptrdiff_t)at) + 1 : len - at;

                if (lines.count == room) {
                        room = room ? room * 2 : 64;
                        lines.items = xrealloc(lines.items, room, sizeof(*lines.items));
                }
                lines.items[lines.count++] = (struct line){text + at, n};
                at += n;
        }
        return lines;
}

static bool same(const struct line *a, const struct line *b)
{
        return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void add(struct script *script, char mark, const struct line *line)
{
        script->items[script->count++] = (struct edit){mark, *line};
}

/* Longest common subsequence of the lines between what is equal in front and behind. */
static void add_middle(struct script *script, const struct line *a, size_t n, const struct line *b, size_t m)
{
        size_t width = m + 1, i = 0, k = 0;
        uint32_t *length = NULL;

        if ((n + 1) * width <= CELLS_MAX)
                length = xcalloc((n + 1) * width, sizeof(*length));
        for (size_t r = n; length && r-- > 0;)
                for (size_t c = m; c-- > 0;) {
                        uint32_t down = length[(r + 1) * width + c], right = length[r * width + c + 1];

                        length[r * width + c] = same(&a[r], &b[c]) ? length[(r + 1) * width + c + 1] + 1
                                                : down > right     ? down
                                                                   : right;
                }
        while (length && i < n && k < m) {
                if (same(&a[i], &b[k])) {
                        add(script, ' ', &a[i++]);
                        k++;
                } else if (length[(i + 1) * width + k] >= length[i * width + k + 1]) {
                        add(script, '-', &a[i++]);
                } else {
                        add(script, '+', &b[k++]);
                }
        }
        free(length);
        while (i < n)
                add(script, '-', &a[i++]);
        while (k < m)
                add(script, '+', &b[k++]);
}

static struct script compare(const struct lines *a, const struct lines *b)
{
        struct script script = {.items = xcalloc(a->count + b->count + 1, sizeof(struct edit))};
        size_t front = 0, back = 0;

        while (front < a->count && front < b->count && same(&a->items[front], &b->items[front]))
                add(&script, ' ', &a->items[front++]);
        while (back < a->count - front && back < b->count - front &&
               same(&a->items[a->count - back - 1], &b->items[b->count - back - 1]))
                back++;
        add_middle(&script, a->items + front, a->count - front - back, b->items + front, b->count - front - back);
        for (size_t i = a->count - back; i < a->count; i++)
                add(&script, ' ', &a->items[i]);
        return script;
}

static void print_edit(const struct edit *e, struct buf *out)
{
        buf_addch(out, e->mark);
        buf_add(out, e->line.text, e->line.len);
        if (e->line.len == 0 || e->line.text[e->line.len - 1] != '\n')
                buf_addstr(out, "\n\\ No newline at end of file\n");
}

/* One past the last line that belongs to the hunk which begins with the change at `at`. */
static size_t hunk_end(const struct script *s, size_t at)
{
        size_t end = at;

        for (size_t i = at; i < s->count && i <= end + (size_t)2 * LINE_DIFF_CONTEXT; i++)
                if (s->items[i].mark != ' ')
                        end = i;
        end += 1 + LINE_DIFF_CONTEXT;
        return end < s->count ? end : s->count;
}

static void print_hunk(const struct script *s, size_t begin, size_t end, size_t line_a, size_t line_b, struct buf *out)
{
        size_t in_a = 0, in_b = 0;

        for (size_t i = begin; i < end; i++) {
                in_a += s->items[i].mark != '+';
                in_b += s->items[i].mark != '-';
        }
        buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", in_a ? line_a + 1 : line_a, in_a, in_b ? line_b + 1 : line_b, in_b);
        for (size_t i = begin; i < end; i++)
                print_edit(&s->items[i], out);
}

static void print(const struct script *s, struct buf *out)
{
        size_t line_a = 0, line_b = 0, done = 0; /* lines before `done` */

        for (size_t i = 0; i < s->count; i++) {
                size_t begin, end;

                if (s->items[i].mark == ' ')
                        continue;
                begin = i > done + LINE_DIFF_CONTEXT ? i - LINE_DIFF_CONTEXT : done;
                end = hunk_end(s, i);
                for (; done < begin; done++) {
                        line_a += s->items[done].mark != '+';
                        line_b += s->items[done].mark != '-';
                }
                print_hunk(s, begin, end, line_a, line_b, out);
                for (; done < end; done++) {
                        line_a += s->items[done].mark != '+';
                        line_b += s->items[done].mark != '-';
                }
                i = end - 1;
        }
}

void line_diff(const char *name_a, const char *a, size_t a_len, const char *name_b, const char *b, size_t b_len,
               struct buf *out)
{
        struct lines left, right;
        struct script script;

        if (a_len == b_len && memcmp(a, b, a_len) == 0)
                return;
        left = split(a, a_len);
        right = split(b, b_len);
        script = compare(&left, &right);
        buf_addf(out, "--- %s\n+++ %s\n", name_a, name_b);
        print(&script, out);
        free(script.items);
        free(left.items);
        free(right.items);
}
