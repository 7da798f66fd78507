/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "codec/value.h"
#include "phase/go_text.h"

static void add_map(const struct value *v, struct buf *out)
{
        struct value *sorted CLEANUP_VALUE = value_copy(v);

        value_sort_keys(sorted);
        buf_addstr(out, "map[");
        for (size_t i = 0; i < sorted->map.count; i++) {
                buf_addf(out, "%s%s:", i ? " " : "", sorted->map.entries[i].key);
                go_text(sorted->map.entries[i].value, out);
        }
        buf_addch(out, ']');
}

void go_text(const struct value *v, struct buf *out)
{
        switch (v->kind) {
        case VALUE_BOOL:
                buf_addstr(out, v->boolean ? "true" : "false");
                break;
        case VALUE_NUMBER:
        case VALUE_STRING:
                buf_add(out, v->text, v->len);
                break;
        case VALUE_LIST:
                buf_addch(out, '[');
                for (size_t i = 0; i < v->list.count; i++) {
                        buf_addstr(out, i ? " " : "");
                        go_text(v->list.items[i], out);
                }
                buf_addch(out, ']');
                break;
        case VALUE_MAP:
                add_map(v, out);
                break;
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                buf_addstr(out, "<nil>");
                break;
        }
}

const char *go_type_text(const struct value *v)
{
        static const char *const names[VALUE_KIND_MAX] = {
                [VALUE_NULL] = "%!s(<nil>)", [VALUE_BOOL] = "bool",           [VALUE_NUMBER] = "float64",
                [VALUE_STRING] = "string",   [VALUE_LIST] = "[]interface {}", [VALUE_MAP] = "map[string]interface {}",
        };
        int64_t n;

        return value_int(v, &n) == 0 ? "int64" : names[v->kind];
}
