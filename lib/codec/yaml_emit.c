/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/unicode.h"
#include "codec/yaml_emit.h"
#include "codec/yaml_resolve.h"

#define BEST_INDENT 2
#define SIMPLE_KEY_MAX 128

enum style {
        STYLE_PLAIN,
        STYLE_SINGLE_QUOTED,
        STYLE_DOUBLE_QUOTED,
        STYLE_LITERAL,
};

/* What the characters of a string allow. */
struct shape {
        bool multiline;
        bool plain, single_quoted, block; /* allowed */
};

static bool is_break(uint32_t c)
{
        return c == '\r' || c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* Everything beyond U+FFFF is escaped: libyaml's table of printable characters ends there, and go-yaml kept it. */
static bool is_printable(uint32_t c)
{
        return c == '\n' || (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c < 0xd800) ||
               (c >= 0xe000 && c <= 0xfffd && c != 0xfeff);
}

static bool is_blank_at(const char *s, const char *end)
{
        return s < end && (*s == ' ' || *s == '\t');
}

/* Characters that mean something at the start of a plain scalar or inside of it. */
static bool is_indicator(uint32_t c, bool first, bool blank_before, bool blank_after)
{
        if (first && c && c < 0x80 && strchr("#,[]{}&*!|>'\"%@`", (int)c))
                return true;
        if (first && (c == '?' || c == '-'))
                return blank_after;
        return (c == ':' && blank_after) || (c == '#' && blank_before);
}

static struct shape analyze(const char *s, size_t len)
{
        const char *end = s + len;
        bool indicators = len >= 3 && (strncmp(s, "---", 3) == 0 || strncmp(s, "...", 3) == 0);
        bool special = false, breaks = false, leading = false, trailing = false, trailing_space = false;
        bool break_space = false, space_break = false, previous_space = false, previous_break = false;
        bool blank_before = true;

        if (len == 0)
                return (struct shape){.plain = true, .single_quoted = true};
        for (const char *at = s, *next = s; at < end; at = next) {
                uint32_t c = unicode_next(&next, end);
                bool space = c == ' ', is_brk = is_break(c);

                indicators |= is_indicator(c, at == s, blank_before, next == end || is_blank_at(next, end));
                special |= !is_printable(c);
                breaks |= is_brk;
                leading |= at == s && (space || is_brk);
                trailing |= next == end && (space || is_brk);
                trailing_space |= next == end && space;
                break_space |= space && previous_break;
                space_break |= is_brk && previous_space;
                previous_space = space;
                previous_break = is_brk;
                blank_before = space || is_brk || c == '\t' || c == 0;
        }
        bool quotable = !break_space && !space_break && !special;

        return (struct shape){
                .multiline = breaks,
                .plain = quotable && !leading && !trailing && !breaks && !indicators,
                .single_quoted = quotable,
                .block = !trailing_space && !space_break && !special,
        };
}

/* Without quotes it is what it is. */
static bool reads_as_string(const char *s, size_t len)
{
        struct yaml_scalar is;

        yaml_resolve(s, len, YAML_TYPE_ANY, &is);
        return is.type == YAML_TYPE_STRING && !yaml_is_base60(s, len);
}

static enum style choose_style(const struct shape *shape, const char *s, size_t len, bool plain, bool simple_key)
{
        enum style style = STYLE_PLAIN;

        if (!plain && memchr(s, '\n', len))
                style = STYLE_LITERAL;
        else if (!plain && !reads_as_string(s, len))
                style = STYLE_DOUBLE_QUOTED;
        if (simple_key && shape->multiline)
                style = STYLE_DOUBLE_QUOTED;
        if (style == STYLE_PLAIN && !shape->plain)
                style = STYLE_SINGLE_QUOTED;
        if (style == STYLE_SINGLE_QUOTED && !shape->single_quoted)
                style = STYLE_DOUBLE_QUOTED;
        if (style == STYLE_LITERAL && (!shape->block || simple_key))
                style = STYLE_DOUBLE_QUOTED;
        return style;
}

static void put(struct yaml_emitter *e, char c)
{
        buf_addch(e->out, c);
        e->column++;
}

static void put_break(struct yaml_emitter *e)
{
        buf_addch(e->out, '\n');
        e->column = 0;
}

static void put_char(struct yaml_emitter *e, const char *from, const char *to)
{
        buf_add(e->out, from, (size_t)(to - from));
        e->column++;
}

/* A break of the string, as it is. */
static void put_break_char(struct yaml_emitter *e, const char *from, const char *to)
{
        buf_add(e->out, from, (size_t)(to - from));
        e->column = 0;
}

void yaml_emit_indent(struct yaml_emitter *e)
{
        int indent = e->indent < 0 ? 0 : e->indent;

        if (!e->indention || e->column > indent || (e->column == indent && !e->whitespace))
                put_break(e);
        while (e->column < indent)
                put(e, ' ');
        e->whitespace = true;
        e->indention = true;
}

void yaml_emit_indicator(struct yaml_emitter *e, const char *indicator, unsigned flags)
{
        if ((flags & YAML_INDICATOR_SPACED) && !e->whitespace)
                put(e, ' ');
        for (; *indicator; indicator++)
                put(e, *indicator);
        e->whitespace = flags & YAML_INDICATOR_WHITESPACE;
        e->indention = e->indention && (flags & YAML_INDICATOR_INDENTION);
}

int yaml_emit_increase_indent(struct yaml_emitter *e, bool flow, bool indentless)
{
        int before = e->indent;

        if (before < 0)
                e->indent = flow ? BEST_INDENT : 0;
        else if (!indentless)
                e->indent += BEST_INDENT;
        return before;
}

/* Plain and single-quoted text: a single space behind the width becomes a break. */
static void emit_running_text(struct yaml_emitter *e, const char *s, size_t len, bool may_break, bool quoted)
{
        const char *end = s + len;
        bool spaces = false, breaks = false;

        for (const char *at = s, *next = s; at < end; at = next) {
                uint32_t c = unicode_next(&next, end);

                if (c == ' ') {
                        bool inside = !quoted || (at > s && next < end);

                        if (may_break && !spaces && e->column > e->width && inside && next < end && *next != ' ')
                                yaml_emit_indent(e);
                        else
                                put(e, ' ');
                        spaces = true;
                        continue;
                }
                if (is_break(c)) {
                        if (!breaks && c == '\n')
                                put_break(e);
                        put_break_char(e, at, next);
                        e->indention = true;
                        breaks = true;
                        continue;
                }
                if (breaks)
                        yaml_emit_indent(e);
                if (quoted && c == '\'')
                        put(e, '\'');
                put_char(e, at, next);
                e->indention = false;
                spaces = breaks = false;
        }
}

static void emit_plain(struct yaml_emitter *e, const char *s, size_t len, bool may_break)
{
        if (!e->whitespace)
                put(e, ' ');
        emit_running_text(e, s, len, may_break, false);
        e->whitespace = false;
        e->indention = false;
}

static void emit_single_quoted(struct yaml_emitter *e, const char *s, size_t len, bool may_break)
{
        yaml_emit_indicator(e, "'", YAML_INDICATOR_SPACED);
        emit_running_text(e, s, len, may_break, true);
        yaml_emit_indicator(e, "'", 0);
        e->whitespace = false;
        e->indention = false;
}

static void emit_escape(struct yaml_emitter *e, uint32_t c)
{
        static const struct {
                uint32_t c;
                char name;
        } names[] = {{0x00, '0'},  {0x07, 'a'}, {0x08, 'b'}, {0x09, 't'},   {0x0a, 'n'},
                     {0x0b, 'v'},  {0x0c, 'f'}, {0x0d, 'r'}, {0x1b, 'e'},   {0x22, '"'},
                     {0x5c, '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
        size_t before = e->out->len;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (names[i].c == c) {
                        put(e, '\\');
                        put(e, names[i].name);
                        return;
                }
        if (c <= 0xff)
                buf_addf(e->out, "\\x%02X", c);
        else if (c <= 0xffff)
                buf_addf(e->out, "\\u%04X", c);
        else
                buf_addf(e->out, "\\U%08X", c);
        e->column += (int)(e->out->len - before);
}

static void emit_double_quoted(struct yaml_emitter *e, const char *s, size_t len, bool may_break)
{
        const char *end = s + len;
        /* go-yaml looks for the byte order mark at the start of the string whatever character it is at */
        bool escape_all = len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0;
        bool spaces = false;

        yaml_emit_indicator(e, "\"", YAML_INDICATOR_SPACED);
        for (const char *at = s, *next = s; at < end; at = next) {
                uint32_t c = unicode_next(&next, end);

                if (escape_all || !is_printable(c) || is_break(c) || c == '"' || c == '\\') {
                        emit_escape(e, c);
                        spaces = false;
                } else if (c == ' ') {
                        if (may_break && !spaces && e->column > e->width && at > s && next < end) {
                                yaml_emit_indent(e);
                                if (*next == ' ')
                                        put(e, '\\');
                        } else {
                                put(e, ' ');
                        }
                        spaces = true;
                } else {
                        put_char(e, at, next);
                        spaces = false;
                }
        }
        yaml_emit_indicator(e, "\"", 0);
        e->whitespace = false;
        e->indention = false;
}

/* The last two characters: "-" no break at the end, "+" more than one. */
static const char *chomping(const char *s, size_t len)
{
        uint32_t last = 0, before = 0;

        for (const char *at = s, *end = s + len; at < end;) {
                before = last;
                last = unicode_next(&at, end);
        }
        if (!is_break(last))
                return "-";
        return is_break(before) || before == 0 ? "+" : "";
}

static void emit_literal(struct yaml_emitter *e, const char *s, size_t len)
{
        const char *end = s + len, *first = s;
        bool breaks = true;
        uint32_t c = unicode_next(&first, end);

        yaml_emit_indicator(e, "|", YAML_INDICATOR_SPACED);
        if (c == ' ' || is_break(c))
                yaml_emit_indicator(e, "2", 0);
        yaml_emit_indicator(e, chomping(s, len), 0);
        put_break(e);
        e->indention = true;
        e->whitespace = true;
        for (const char *at = s, *next = s; at < end; at = next) {
                if (is_break(unicode_next(&next, end))) {
                        put_break_char(e, at, next);
                        e->indention = true;
                        breaks = true;
                        continue;
                }
                if (breaks)
                        yaml_emit_indent(e);
                put_char(e, at, next);
                e->indention = false;
                breaks = false;
        }
}

bool yaml_emit_is_simple_key(const char *s, size_t len)
{
        if (len > SIMPLE_KEY_MAX)
                return false;
        for (const char *at = s, *end = s + len; at < end;)
                if (is_break(unicode_next(&at, end)))
                        return false;
        return true;
}

static bool is_word_start(const char *s, size_t len)
{
        if (s[0] == '-')
                return len > 2 && s[1] == '-' && isalpha((unsigned char)s[2]);
        return isalnum((unsigned char)s[0]) || s[0] == '/';
}

bool yaml_emit_word(struct yaml_emitter *e, const char *s, size_t len)
{
        static const char inner[256] = {
                ['-'] = 1, ['_'] = 1, ['/'] = 1, ['.'] = 1, ['='] = 1, [','] = 1, ['+'] = 1, [':'] = 1};

        if (len == 0 || !is_word_start(s, len) || s[len - 1] == ':')
                return false;
        for (size_t i = 0; i < len; i++)
                if (!isalnum((unsigned char)s[i]) && !inner[(unsigned char)s[i]])
                        return false;
        if (!reads_as_string(s, len))
                return false;
        if (!e->whitespace)
                put(e, ' ');
        buf_add(e->out, s, len);
        e->column += (int)len;
        e->whitespace = false;
        e->indention = false;
        return true;
}

void yaml_emit_scalar(struct yaml_emitter *e, const char *s, size_t len, bool plain, bool simple_key)
{
        struct shape shape = analyze(s, len);
        int before = yaml_emit_increase_indent(e, true, false);

        switch (choose_style(&shape, s, len, plain, simple_key)) {
        case STYLE_PLAIN:
                emit_plain(e, s, len, !simple_key);
                break;
        case STYLE_SINGLE_QUOTED:
                emit_single_quoted(e, s, len, !simple_key);
                break;
        case STYLE_DOUBLE_QUOTED:
                emit_double_quoted(e, s, len, !simple_key);
                break;
        case STYLE_LITERAL:
                emit_literal(e, s, len);
                break;
        }
        e->indent = before;
}
