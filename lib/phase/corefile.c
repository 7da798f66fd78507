/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/corefile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/unicode.h"

#define INDENT 4
#define BYTE_ORDER_MARK 0xfeff

/* ---- lines ---- */

struct corefile *corefile_free(struct corefile *corefile)
{
        if (!corefile)
                return NULL;
        for (size_t i = 0; i < corefile->count; i++)
                (void)corefile_free(corefile->items[i]);
        free(corefile->items);
        strv_release(&corefile->words);
        free(corefile);
        return NULL;
}

void corefile_put(struct corefile *corefile, struct corefile *line)
{
        if (corefile->count == corefile->cap) {
                corefile->cap = corefile->cap ? corefile->cap * 2 : 4;
                corefile->items = xrealloc(corefile->items, corefile->cap, sizeof(struct corefile *));
        }
        corefile->items[corefile->count++] = line;
}

struct corefile *corefile_add(struct corefile *corefile, const char *word)
{
        struct corefile *line = xcalloc(1, sizeof(*line));

        strv_add(&line->words, word);
        corefile_put(corefile, line);
        return line;
}

struct corefile *corefile_take(struct corefile *corefile, size_t at)
{
        struct corefile *line = corefile->items[at];

        corefile->count--;
        memmove(corefile->items + at, corefile->items + at + 1, (corefile->count - at) * sizeof(struct corefile *));
        return line;
}

void corefile_copy_words(struct corefile *to, const struct corefile *line, size_t from)
{
        for (size_t i = from; i < line->words.len; i++)
                strv_add(&to->words, line->words.items[i]);
}

const char *corefile_name(const struct corefile *line)
{
        return line->words.len > 0 ? line->words.items[0] : "";
}

bool corefile_has(const struct corefile *corefile, const char *name)
{
        for (size_t i = 0; i < corefile->count; i++)
                if (str_eq(corefile_name(corefile->items[i]), name))
                        return true;
        return false;
}

/* ---- reading ---- */

/* Go's unicode.IsSpace. */
static bool is_space(uint32_t c)
{
        return (c >= '\t' && c <= '\r') || c == ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 ||
               (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

struct lexer {
        const char *at, *end;
        unsigned line;         /* where it is */
        struct buf word;       /* the last one read */
        unsigned begins, ends; /* its lines: what follows on the second belongs to it */
};

static bool word_is(const struct lexer *lexer, const char *word)
{
        return str_eq(buf_str(&lexer->word), word);
}

/* Behind an opening quote; a backslash takes the meaning from a quote alone. */
static bool read_quoted(struct lexer *lexer)
{
        bool escaped = false;

        while (lexer->at < lexer->end) {
                uint32_t c = unicode_next(&lexer->at, lexer->end);

                if (!escaped && (c == '\\' || c == '"')) {
                        if (c == '"')
                                return true;
                        escaped = true;
                        continue;
                }
                lexer->line += c == '\n';
                lexer->ends += c == '\n';
                if (escaped && c != '"')
                        buf_addch(&lexer->word, '\\');
                unicode_add(c, &lexer->word);
                escaped = false;
        }
        return lexer->word.len > 0;
}

/* A comment ends with its line, but also with the white space in it where it stands right behind a word; a carriage
 * return is nothing at all. false: the end. */
static bool next_word(struct lexer *lexer)
{
        bool comment = false;

        buf_clear(&lexer->word);
        while (lexer->at < lexer->end) {
                uint32_t c = unicode_next(&lexer->at, lexer->end);

                if (is_space(c)) {
                        lexer->line += c == '\n';
                        comment &= c != '\n';
                        if (lexer->word.len > 0 && c != '\r')
                                return true;
                        continue;
                }
                comment |= c == '#';
                if (comment)
                        continue;
                if (lexer->word.len == 0) {
                        lexer->begins = lexer->ends = lexer->line;
                        if (c == '"')
                                return read_quoted(lexer);
                }
                unicode_add(c, &lexer->word);
        }
        return lexer->word.len > 0;
}

struct reader {
        struct lexer lexer;
        bool more;                 /* the lexer's word is not used yet */
        struct corefile *above[3]; /* by depth: the last line there, the Corefile at 0 */
        unsigned lines;
};

/* The words that follow on the line. An opening brace belongs to the next. */
static void read_arguments(struct reader *reader, struct corefile *line)
{
        unsigned ends = reader->lexer.ends;

        while ((reader->more = next_word(&reader->lexer)) && reader->lexer.begins == ends &&
               !word_is(&reader->lexer, "{")) {
                if (line)
                        strv_add(&line->words, buf_str(&reader->lexer.word));
                ends = reader->lexer.ends;
        }
}

static int read_line(struct reader *reader, int depth, struct err *err)
{
        bool known = depth >= 0 && depth < COREFILE_OPTION;
        struct corefile *line = NULL;

        if (known && !reader->above[depth])
                return err_set(err, ERR_INVALID, "Corefile:%u: \"%s\" stands before the first %s", reader->lexer.begins,
                               buf_str(&reader->lexer.word), depth + 1 == COREFILE_PLUGIN ? "server block" : "plugin");
        if (known && reader->lines++ >= LIMIT_COREFILE_LINES)
                return err_set(err, ERR_LIMIT, "Corefile: more than %d lines", LIMIT_COREFILE_LINES);
        if (known)
                line = corefile_add(reader->above[depth], buf_str(&reader->lexer.word));
        if (known && depth + 1 < COREFILE_OPTION)
                reader->above[depth + 1] = line;
        read_arguments(reader, line);
        return 0;
}

static int read_lines(struct reader *reader, struct err *err)
{
        int depth = 0, r = 0;

        reader->more = next_word(&reader->lexer);
        while (r == 0 && reader->more) {
                bool opens = word_is(&reader->lexer, "{"), closes = word_is(&reader->lexer, "}");

                depth += opens - closes;
                if (opens || closes)
                        reader->more = next_word(&reader->lexer);
                else
                        r = read_line(reader, depth, err);
        }
        return r;
}

int corefile_parse(const char *text, size_t len, struct corefile **ret, struct err *err)
{
        struct corefile *corefile CLEANUP_COREFILE = xcalloc(1, sizeof(*corefile));
        struct reader reader = {.lexer = {.at = text, .end = text + len, .line = 1}, .above = {corefile}};
        const char *first = text;

        if (len > LIMIT_COREFILE_BYTES)
                return err_set(err, ERR_LIMIT, "Corefile: larger than %d bytes", LIMIT_COREFILE_BYTES);
        if (len > 0 && unicode_next(&first, text + len) == BYTE_ORDER_MARK)
                reader.lexer.at = first;
        /* A byte that is no UTF-8 becomes three. */
        reader.lexer.word = BUF_INIT(3 * LIMIT_COREFILE_BYTES + 1);
        (void)buf_reserve(&reader.lexer.word, 3 * len);
        int r = buf_check(&reader.lexer.word, "Corefile", err);
        if (r == 0)
                r = read_lines(&reader, err);
        buf_release(&reader.lexer.word);
        if (r == 0)
                *ret = TAKE_PTR(corefile);
        return r;
}

/* ---- writing ---- */

/* strings.Fields gives more than one. */
static bool has_words(const char *text)
{
        const char *end = text + strlen(text);
        unsigned words = 0;
        bool inside = false;

        while (text < end) {
                bool space = is_space(unicode_next(&text, end));

                words += !space && !inside;
                inside = !space;
        }
        return words > 1;
}

static void write_argument(const char *word, struct buf *out)
{
        if (!has_words(word)) {
                buf_addstr(out, word);
                return;
        }
        buf_addch(out, '"');
        for (; *word; word++) {
                if (*word == '"')
                        buf_addch(out, '\\');
                buf_addch(out, *word);
        }
        buf_addch(out, '"');
}

static void write_words(const struct corefile *line, int depth, struct buf *out)
{
        for (size_t i = 0; i < line->words.len; i++) {
                if (i > 0)
                        buf_addch(out, ' ');
                if (i == 0 && depth > COREFILE_SERVER)
                        buf_addstr(out, line->words.items[i]);
                else
                        write_argument(line->words.items[i], out);
        }
}

static void write_indent(int depth, struct buf *out)
{
        for (int i = 0; i < INDENT * depth; i++)
                buf_addch(out, ' ');
}

/* A server block has a line break behind its brace, and none where it has no plugins. */
static void write_line(const struct corefile *line, int depth, struct buf *out)
{
        write_words(line, depth, out);
        if (line->count == 0 || depth == COREFILE_OPTION)
                return;
        buf_addstr(out, " {\n");
        for (size_t i = 0; i < line->count; i++) {
                write_indent(depth, out);
                write_line(line->items[i], depth + 1, out);
                buf_addch(out, '\n');
        }
        write_indent(depth - 1, out);
        buf_addstr(out, depth == COREFILE_SERVER ? "}\n" : "}");
}

void corefile_write(const struct corefile *corefile, struct buf *out)
{
        for (size_t i = 0; i < corefile->count; i++) {
                if (i > 0)
                        buf_addch(out, '\n');
                write_line(corefile->items[i], COREFILE_SERVER, out);
        }
}

/* ---- comparing ---- */

static bool words_match(const struct strv *words, const struct strv *pattern)
{
        for (size_t i = 0; i < pattern->len; i++) {
                if (str_eq(pattern->items[i], "***"))
                        return true;
                if (!str_eq(pattern->items[i], "*") && (i >= words->len || !str_eq(pattern->items[i], words->items[i])))
                        return false;
        }
        return words->len == pattern->len;
}

static const struct corefile *find_match(const struct corefile *line, const struct corefile *pattern)
{
        for (size_t i = 0; i < pattern->count; i++)
                if (words_match(&line->words, &pattern->items[i]->words))
                        return pattern->items[i];
        return NULL;
}

bool corefile_matches(const struct corefile *corefile, const struct corefile *pattern)
{
        if (corefile->count != pattern->count)
                return false;
        for (size_t i = 0; i < corefile->count; i++) {
                const struct corefile *there = find_match(corefile->items[i], pattern);

                if (!there || !corefile_matches(corefile->items[i], there))
                        return false;
        }
        return true;
}
