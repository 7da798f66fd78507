/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/json.h"
#include "kube/field.h"
#include "kube/pod.h"

/* Keys that the user wrote and values are shown cut to these lengths in bytes. */
#define SHOWN_KEY_MAX 128
#define SHOWN_VALUE_MAX 256
/* 100 links (LIMIT_YAML_DEPTH) of a cut key each. */
#define PATH_TEXT_MAX (100 * (SHOWN_KEY_MAX + 16))

/* Appends s, cut at a character. */
static void add_cut(struct buf *out, const char *s, size_t len, size_t max)
{
        if (len <= max) {
                buf_add(out, s, len);
                return;
        }
        buf_add(out, s, utf8_valid_prefix(s, max));
        buf_addstr(out, "...");
}

static void add_link(const struct field_path *path, struct buf *out)
{
        if (path->link == FIELD_INDEX) {
                buf_addf(out, "[%zu]", path->index);
        } else if (path->link == FIELD_KEY) {
                buf_addch(out, '[');
                add_cut(out, path->name, strlen(path->name), SHOWN_KEY_MAX);
                buf_addch(out, ']');
        } else if (path->name) {
                if (out->len > 0)
                        buf_addch(out, '.');
                add_cut(out, path->name, strlen(path->name), SHOWN_KEY_MAX);
        }
}

void field_path_text(const struct field_path *path, struct buf *out)
{
        if (path->parent)
                field_path_text(path->parent, out);
        add_link(path, out);
}

/* Appends "FILE:LINE:COLUMN: " of the nearest link that was written somewhere; what was not written in a file has the
 * name of its source alone (a flag). */
static void add_place(const struct field_path *path, struct buf *out)
{
        while (path && (!path->value || (path->value->place.line == 0 && !path->value->place.file)))
                path = path->parent;
        if (!path)
                return;
        if (path->value->place.file)
                buf_addf(out, "%s:", path->value->place.file);
        if (path->value->place.line > 0)
                buf_addf(out, "%" PRIu32 ":%" PRIu32 ":", path->value->place.line, path->value->place.column);
        buf_addch(out, ' ');
}

/* The value as Kubernetes shows it: strings quoted, the rest as JSON. */
static void add_shown(const struct value *v, struct buf *out)
{
        struct buf json CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        if (v)
                json_write(v, 0, &json);
        else
                buf_addstr(&json, "\"\"");
        add_cut(out, buf_str(&json), json.len, SHOWN_VALUE_MAX);
}

/* One finding: place, path, the kind of mistake (NULL for none), what is shown of the value (NULL for nothing), rule.
 */
__attribute__((format(printf, 6, 0))) static void add_finding(struct pod_findings *findings, bool fatal,
                                                              const struct field_path *path, const char *kind,
                                                              const char *shown, const char *fmt, va_list ap)
{
        struct buf text CLEANUP_BUF = BUF_INIT(PATH_TEXT_MAX + LIMIT_FINDING_BYTES);
        char detail[LIMIT_FINDING_BYTES] = "";

        add_place(path, &text);
        if (path->parent) {
                struct buf name CLEANUP_BUF = BUF_INIT(PATH_TEXT_MAX);

                field_path_text(path, &name);
                buf_addf(&text, "%s: ", buf_str(&name));
        }
        if (fmt)
                (void)vsnprintf(detail, sizeof detail, fmt, ap);
        pod_findings_add(findings, fatal, "%s%s%s%s%s%s", buf_str(&text), kind ? kind : "", shown ? ": " : "",
                         shown ? shown : "", kind && detail[0] ? ": " : "", detail);
}

void field_finding(struct pod_findings *findings, bool fatal, const struct field_path *path, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add_finding(findings, fatal, path, NULL, NULL, fmt, ap);
        va_end(ap);
}

void field_invalid(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
{
        struct buf shown CLEANUP_BUF = BUF_INIT(SHOWN_VALUE_MAX + 8);
        va_list ap;

        add_shown(path->value, &shown);
        va_start(ap, fmt);
        add_finding(findings, true, path, "Invalid value", buf_str(&shown), fmt, ap);
        va_end(ap);
}

void field_invalid_shown(struct pod_findings *findings, const struct field_path *path, const char *shown,
                         const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add_finding(findings, true, path, "Invalid value", shown, fmt, ap);
        va_end(ap);
}

void field_invalid_each(struct pod_findings *findings, const struct field_path *path, const struct strv *msgs)
{
        for (size_t i = 0; i < msgs->len; i++)
                field_invalid(findings, path, "%s", msgs->items[i]);
}

void field_required(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add_finding(findings, true, path, "Required value", NULL, fmt, ap);
        va_end(ap);
}

void field_forbidden(struct pod_findings *findings, const struct field_path *path, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        add_finding(findings, true, path, "Forbidden", NULL, fmt, ap);
        va_end(ap);
}

void field_duplicate(struct pod_findings *findings, const struct field_path *path, const char *shown)
{
        struct buf text CLEANUP_BUF = BUF_INIT(SHOWN_VALUE_MAX + 8);

        if (shown)
                buf_add_json_string(&text, shown, strnlen(shown, SHOWN_VALUE_MAX / 2));
        else
                add_shown(path->value, &text);
        field_finding(findings, true, path, "Duplicate value: %s", buf_str(&text));
}

void field_not_found(struct pod_findings *findings, const struct field_path *path)
{
        struct buf shown CLEANUP_BUF = BUF_INIT(SHOWN_VALUE_MAX + 8);

        add_shown(path->value, &shown);
        field_finding(findings, true, path, "Not found: %s", buf_str(&shown));
}

void field_too_long(struct pod_findings *findings, const struct field_path *path, size_t max_bytes)
{
        field_finding(findings, true, path, "Too long: may not be more than %zu bytes", max_bytes);
}

void field_too_many(struct pod_findings *findings, const struct field_path *path, size_t count, size_t max)
{
        field_finding(findings, true, path, "Too many: %zu: must have at most %zu items", count, max);
}

void field_not_supported(struct pod_findings *findings, const struct field_path *path, const char *const *names,
                         size_t count)
{
        struct buf shown CLEANUP_BUF = BUF_INIT(SHOWN_VALUE_MAX + 8), list CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        add_shown(path->value, &shown);
        for (size_t i = 0; i < count; i++) {
                if (names[i])
                        buf_addf(&list, "%s\"%s\"", list.len > 0 ? ", " : "", names[i]);
        }
        field_finding(findings, true, path, "Unsupported value: %s: supported values: %s", buf_str(&shown),
                      buf_str(&list));
}

bool field_check(struct pod_findings *findings, const struct field_path *path,
                 size_t (*check)(const char *value, struct strv *msgs))
{
        struct strv msgs CLEANUP_STRV = STRV_INIT;

        if (!value_is(path->value, VALUE_STRING) || check(path->value->text, &msgs) == 0)
                return true;
        field_invalid_each(findings, path, &msgs);
        return false;
}

bool field_check_range(struct pod_findings *findings, const struct field_path *path, int64_t min, int64_t max)
{
        int64_t n;

        if (!path->value || value_int(path->value, &n) < 0 || (n >= min && n <= max))
                return true;
        field_invalid(findings, path, "must be between %" PRId64 " and %" PRId64 ", inclusive", min, max);
        return false;
}

bool field_bool(const struct value *map, const char *name, bool fallback)
{
        const struct value *v = value_map_get(map, name);

        return value_is(v, VALUE_BOOL) ? v->boolean : fallback;
}

int64_t field_int(const struct value *map, const char *name, int64_t fallback)
{
        const struct value *v = value_map_get(map, name);
        int64_t n;

        return v && value_int(v, &n) == 0 ? n : fallback;
}

const char *field_string(const struct value *map, const char *name, const char *fallback)
{
        return value_string(value_map_get(map, name), fallback);
}
