/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "codec/number.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "codec/yaml_emit.h"
#include "codec/yaml_order.h"
#include "codec/yaml_resolve.h"

#define FOLD_WIDTH 80

static void write_node(struct yaml_emitter *e, const struct value *v, unsigned flags);

/* Invalid UTF-8 becomes U+FFFD, as on the way through Go's JSON. */
static void write_string(struct yaml_emitter *e, const char *s, size_t len, bool simple_key)
{
        struct buf clean CLEANUP_BUF = BUF_INIT(len * 3);

        if (yaml_emit_word(e, s, len))
                return;
        if (utf8_valid_prefix(s, len) == len) {
                yaml_emit_scalar(e, s, len, false, simple_key);
                return;
        }
        for (size_t i = 0; i < len;) {
                size_t n = utf8_sequence_length(s + i, len - i);

                if (n)
                        buf_add(&clean, s + i, n);
                else
                        buf_addstr(&clean, "\xef\xbf\xbd");
                i += n ? n : 1;
        }
        if (clean.failed)
                e->out->failed = true;
        yaml_emit_scalar(e, buf_str(&clean), clean.len, false, simple_key);
}

/* sigs.k8s.io/yaml reads the JSON as YAML and writes what it found: an integer of 64 bits as it is, the rest as
 * strconv 'g' does. */
static void write_number(struct yaml_emitter *e, const char *text, size_t len)
{
        char number[NUMBER_TEXT_MAX];
        struct yaml_scalar is;

        yaml_resolve(text, len, YAML_TYPE_ANY, &is);
        if (is.type == YAML_TYPE_INT) {
                (void)snprintf(number, sizeof(number), "%s%" PRIu64, is.negative ? "-" : "", is.magnitude);
        } else if (is.type == YAML_TYPE_FLOAT) {
                number_format_g(is.number, false, number);
        } else { /* out of a double's range: a string to go-yaml */
                yaml_emit_scalar(e, text, len, false, false);
                return;
        }
        yaml_emit_scalar(e, number, strlen(number), true, false);
}

static int bytewise(const void *a, const void *b)
{
        const struct value_entry *x = *(const struct value_entry *const *)a;
        const struct value_entry *y = *(const struct value_entry *const *)b;

        return strcmp(x->key, y->key);
}

static int natural(const void *a, const void *b)
{
        const struct value_entry *x = *(const struct value_entry *const *)a;
        const struct value_entry *y = *(const struct value_entry *const *)b;
        int order = yaml_key_compare(x->key, y->key);

        return order ? order : bytewise(a, b);
}

/* The natural order has cycles (x10 < x1y < x2y < x10), where Go's result hangs on chance. Ours shall not: what is
 * sorted is always the same sequence. */
static void sort_entries(const struct value_entry **entries, size_t count)
{
        qsort(entries, count, sizeof(*entries), bytewise);
        qsort(entries, count, sizeof(*entries), natural);
}

static void trace(const struct yaml_emitter *e, const struct value_entry *entry, size_t index, const struct value *v)
{
        const struct yaml_written node = {
                .depth = e->depth,
                .key = entry ? entry->key : NULL,
                .index = index,
                .value = v,
                .key_place = entry ? &entry->place : NULL,
                .offset = e->out->len,
        };

        e->trace(e->trace_userdata, &node);
}

static void write_entry(struct yaml_emitter *e, const struct value_entry *entry, unsigned flags)
{
        size_t len = strlen(entry->key);

        yaml_emit_indent(e);
        if (e->trace)
                trace(e, entry, 0, entry->value);
        if (yaml_emit_is_simple_key(entry->key, len)) {
                write_string(e, entry->key, len, true);
                yaml_emit_indicator(e, ":", 0);
        } else {
                yaml_emit_indicator(e, "?", YAML_INDICATOR_SPACED | YAML_INDICATOR_INDENTION);
                write_string(e, entry->key, len, false);
                yaml_emit_indent(e);
                yaml_emit_indicator(e, ":", YAML_INDICATOR_SPACED | YAML_INDICATOR_INDENTION);
        }
        e->mapping_value = true;
        write_node(e, entry->value, flags);
}

static void write_map(struct yaml_emitter *e, const struct value *v, unsigned flags)
{
        if (v->map.count == 0) {
                yaml_emit_indicator(e, "{", YAML_INDICATOR_SPACED | YAML_INDICATOR_WHITESPACE);
                yaml_emit_indicator(e, "}", 0);
                return;
        }
        const struct value_entry **order CLEANUP_FREE = xmalloc(v->map.count * sizeof(struct value_entry *));
        int before = yaml_emit_increase_indent(e, false, false);

        for (size_t i = 0; i < v->map.count; i++)
                order[i] = &v->map.entries[i];
        if (!(flags & YAML_WRITE_KEEP_ORDER))
                sort_entries(order, v->map.count);
        e->depth++;
        for (size_t i = 0; i < v->map.count; i++)
                write_entry(e, order[i], flags);
        e->depth--;
        e->indent = before;
}

static void write_list(struct yaml_emitter *e, const struct value *v, unsigned flags)
{
        if (v->list.count == 0) {
                yaml_emit_indicator(e, "[", YAML_INDICATOR_SPACED | YAML_INDICATOR_WHITESPACE);
                yaml_emit_indicator(e, "]", 0);
                return;
        }
        int before = yaml_emit_increase_indent(e, false, e->mapping_value && !e->indention);

        e->depth++;
        for (size_t i = 0; i < v->list.count; i++) {
                yaml_emit_indent(e);
                if (e->trace)
                        trace(e, NULL, i, v->list.items[i]);
                yaml_emit_indicator(e, "-", YAML_INDICATOR_SPACED | YAML_INDICATOR_INDENTION);
                e->mapping_value = false;
                write_node(e, v->list.items[i], flags);
        }
        e->depth--;
        e->indent = before;
}

static void write_node(struct yaml_emitter *e, const struct value *v, unsigned flags)
{
        switch (v->kind) {
        case VALUE_MAP:
                write_map(e, v, flags);
                break;
        case VALUE_LIST:
                write_list(e, v, flags);
                break;
        case VALUE_STRING:
                write_string(e, v->text, v->len, false);
                break;
        case VALUE_NUMBER:
                write_number(e, v->text, v->len);
                break;
        case VALUE_BOOL:
                yaml_emit_scalar(e, v->boolean ? "true" : "false", v->boolean ? 4 : 5, true, false);
                break;
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                yaml_emit_scalar(e, "null", 4, true, false);
                break;
        }
}

void yaml_write(const struct value *v, unsigned flags, struct buf *out)
{
        yaml_write_traced(v, flags, out, NULL, NULL);
}

void yaml_write_traced(const struct value *v, unsigned flags, struct buf *out, yaml_written_fn fn, void *userdata)
{
        struct yaml_emitter e = YAML_EMITTER_INIT(out, flags & YAML_WRITE_NO_FOLD ? INT_MAX : FOLD_WIDTH);

        e.trace = fn;
        e.trace_userdata = userdata;
        write_node(&e, v, flags);
        yaml_emit_indent(&e);
}
