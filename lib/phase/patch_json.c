/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "phase/era.h"
#include "phase/field_error.h"
#include "phase/patch_json.h"

static const char *const missing_value = "missing value";
static const char *const test_failed = "test failed";

struct json_patch {
        struct value **target;
        const struct value *operation; /* a map, or NULL: null in the list */
        struct err *err;
        size_t *nodes; /* values in the document */
        /* What the era's library does. */
        bool negative_indices; /* also where something is read, not only where it is put in or taken away */
        bool whole_document;   /* path "" is the document for replace and test */
        bool scalars_ignored;  /* replacing the document by a scalar does nothing */
};

/* A place in the document: a container that exists and the last part of the path. */
struct pointer {
        struct value *container; /* a map or a list; NULL: there is none */
        char *key;
        size_t level; /* containers above what key names */
};

static void pointer_release(struct pointer *p)
{
        free(p->key);
}
#define CLEANUP_POINTER __attribute__((cleanup(pointer_release)))

static size_t deeper_of(size_t a, size_t b)
{
        return a > b ? a : b;
}

/* Adds v and what is in it to *nodes. How many levels of maps and lists v has; a scalar has none. */
static size_t measure(const struct value *v, size_t *nodes)
{
        size_t depth = 0;

        (*nodes)++;
        for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
                depth = deeper_of(depth, measure(v->list.items[i], nodes));
        for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++)
                depth = deeper_of(depth, measure(v->map.entries[i].value, nodes));
        return v->kind == VALUE_LIST || v->kind == VALUE_MAP ? depth + 1 : 0;
}

/* Counts what leaves the document; NULL: nothing does. */
static void count_out(const struct json_patch *p, const struct value *v)
{
        size_t nodes = 0;

        if (v)
                (void)measure(v, &nodes);
        *p->nodes -= nodes;
}

/* Counts what comes into the document below `level` containers. A document that a few operations "copy" have made
 * gigabytes of would have been refused as a file. */
static int count_in(const struct json_patch *p, const struct value *v, size_t level)
{
        size_t depth = measure(v, p->nodes);

        if (*p->nodes > LIMIT_YAML_NODES)
                return err_set(p->err, ERR_LIMIT, "more than %d values in the patched document", LIMIT_YAML_NODES);
        if (level + depth > LIMIT_YAML_DEPTH)
                return err_set(p->err, ERR_LIMIT, "more than %d levels in the patched document", LIMIT_YAML_DEPTH);
        return 0;
}

/* What Go says of a JSON value that is to become a string. */
static const char *go_json_kind(const struct value *v)
{
        static const char *const names[VALUE_KIND_MAX] = {
                [VALUE_NULL] = "null",     [VALUE_BOOL] = "bool",  [VALUE_NUMBER] = "number",
                [VALUE_STRING] = "string", [VALUE_LIST] = "array", [VALUE_MAP] = "object",
        };

        return names[v->kind];
}

/* The string member `name` of the operation. */
static int get_text(const struct json_patch *p, const char *name, const char *what, const char **ret)
{
        const struct value *v = value_map_get(p->operation, name);

        if (!v || v->kind == VALUE_NULL)
                return err_set(p->err, ERR_INVALID, "%s: %s", what, missing_value);
        if (v->kind != VALUE_STRING)
                return err_set(p->err, ERR_INVALID, "json: cannot unmarshal %s into Go value of type string",
                               go_json_kind(v));
        *ret = v->text;
        return 0;
}

static int get_path(const struct json_patch *p, const char **ret)
{
        return get_text(p, "path", "operation missing path field", ret);
}

static int get_from(const struct json_patch *p, const char **ret)
{
        return get_text(p, "from", "operation, missing from field", ret);
}

/* strconv.Atoi */
static int parse_index(const struct json_patch *p, const char *text, int64_t *ret)
{
        const char *digits = text + (*text == '+' || *text == '-');
        int r = str_to_i64(*text == '+' ? digits : text, ret);

        if (!*digits || digits[strspn(digits, "0123456789")])
                r = -EINVAL;
        if (r == 0)
                return 0;
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        go_quote(text, &quoted);
        return err_set(p->err, ERR_INVALID, "strconv.Atoi: parsing %s: %s", buf_str(&quoted),
                       r == -ERANGE ? "value out of range" : "invalid syntax");
}

static int no_index(const struct json_patch *p, int64_t index)
{
        return err_set(p->err, ERR_INVALID, "Unable to access invalid index: %lld: invalid index referenced",
                       (long long)index);
}

/* An index below count; from the end where negative. */
static int find_index(const struct json_patch *p, const char *key, size_t count, bool negative, size_t *ret)
{
        int64_t n = 0;

        int r = parse_index(p, key, &n);
        if (r < 0)
                return r;
        if (n >= (int64_t)count || n < -(int64_t)count || (n < 0 && !negative))
                return no_index(p, n);
        *ret = (size_t)(n < 0 ? n + (int64_t)count : n);
        return 0;
}

/* ~1 is a slash, ~0 a tilde. In place. */
static void decode_key(char *key)
{
        char *to = key;

        for (const char *from = key; *from; from++) {
                if (from[0] == '~' && (from[1] == '0' || from[1] == '1'))
                        *to++ = *++from == '1' ? '/' : '~';
                else
                        *to++ = *from;
        }
        *to = '\0';
}

/* The value at key; *ret NULL where a map lacks it. */
static int get(const struct json_patch *p, const struct value *container, const char *key, struct value **ret)
{
        size_t i = 0;

        if (container->kind == VALUE_MAP) {
                *ret = value_map_get(container, key);
                return 0;
        }
        int r = find_index(p, key, container->list.count, p->negative_indices, &i);
        if (r == 0)
                *ret = container->list.items[i];
        return r;
}

static struct pointer find(const struct json_patch *p, const char *path)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        struct value *at = *p->target;
        const struct json_patch quiet = {.negative_indices = p->negative_indices};

        strv_split(&parts, path, '/');
        if (parts.len < 2)
                return (struct pointer){0};
        for (size_t i = 1; i < parts.len; i++) {
                decode_key(parts.items[i]);
                if (!at || (at->kind != VALUE_MAP && at->kind != VALUE_LIST))
                        return (struct pointer){0};
                if (i + 1 < parts.len && get(&quiet, at, parts.items[i], &at) < 0)
                        return (struct pointer){0};
        }
        return (struct pointer){at, xstrdup(parts.items[parts.len - 1]), parts.len - 1};
}

/* Sets a key of a map. Takes v. */
static int set(const struct json_patch *p, const struct pointer *to, struct value *taken)
{
        struct value *v CLEANUP_VALUE = taken;

        count_out(p, value_map_get(to->container, to->key));
        int r = count_in(p, v, to->level);
        if (r == 0)
                value_map_set(to->container, to->key, TAKE_PTR(v));
        return r;
}

/* Puts v in. Takes v. */
static int put(const struct json_patch *p, const struct pointer *to, struct value *taken)
{
        struct value *v CLEANUP_VALUE = taken;
        struct value *container = to->container;
        int64_t n = 0;

        if (container->kind == VALUE_MAP)
                return set(p, to, TAKE_PTR(v));
        int64_t size = (int64_t)container->list.count + 1;
        if (str_eq(to->key, "-")) {
                n = size - 1;
        } else {
                if (parse_index(p, to->key, &n) < 0)
                        return err_wrap(p->err, "value was not a proper array index: '%s'", to->key);
                if (n >= size || n < -size)
                        return no_index(p, n);
                n += n < 0 ? size : 0;
        }
        int r = count_in(p, v, to->level);
        if (r == 0)
                value_list_insert(container, (size_t)n, TAKE_PTR(v));
        return r;
}

static int take_away(const struct json_patch *p, struct value *container, const char *key)
{
        size_t i = 0;

        if (container->kind == VALUE_MAP) {
                count_out(p, value_map_get(container, key));
                return value_map_remove(container, key)
                               ? 0
                               : err_set(p->err, ERR_INVALID, "Unable to remove nonexistent key: %s: %s", key,
                                         missing_value);
        }
        int r = find_index(p, key, container->list.count, true, &i);
        if (r < 0)
                return r;
        count_out(p, container->list.items[i]);
        value_list_remove(container, i);
        return 0;
}

/* The operation's value; null where it has none. */
static struct value *new_value(const struct json_patch *p)
{
        const struct value *v = value_map_get(p->operation, "value");
        struct value *copy = v ? value_copy(v) : value_new_null();

        if (!v && p->operation)
                copy->place = p->operation->place;
        return copy;
}

static int add(const struct json_patch *p)
{
        const char *path = NULL;

        if (get_path(p, &path) < 0)
                return err_set(p->err, ERR_INVALID, "add operation failed to decode path: %s", missing_value);
        struct pointer to CLEANUP_POINTER = find(p, path);
        if (!to.container)
                return err_set(p->err, ERR_INVALID, "add operation does not apply: doc is missing path: \"%s\": %s",
                               path, missing_value);
        int r = put(p, &to, new_value(p));
        return r < 0 ? err_wrap(p->err, "error in add for path: '%s'", path) : 0;
}

static int take(const struct json_patch *p)
{
        const char *path = NULL;

        if (get_path(p, &path) < 0)
                return err_set(p->err, ERR_INVALID, "remove operation failed to decode path: %s", missing_value);
        struct pointer at CLEANUP_POINTER = find(p, path);
        if (!at.container)
                return err_set(p->err, ERR_INVALID, "remove operation does not apply: doc is missing path: \"%s\": %s",
                               path, missing_value);
        int r = take_away(p, at.container, at.key);
        return r < 0 ? err_wrap(p->err, "error in remove for path: '%s'", path) : 0;
}

static int replace_document(const struct json_patch *p)
{
        struct value *v CLEANUP_VALUE = new_value(p);

        if (v->kind == VALUE_MAP || v->kind == VALUE_LIST) {
                count_out(p, *p->target);
                int r = count_in(p, v, 0);
                if (r < 0)
                        return r;
                value_free(*p->target);
                *p->target = TAKE_PTR(v);
                return 0;
        }
        if (p->scalars_ignored)
                return 0;
        return err_set(p->err, ERR_INVALID, "replace operation value must be object or array: %%!w(<nil>)");
}

static int replace(const struct json_patch *p)
{
        const char *path = NULL;
        struct value *old = NULL;

        int r = get_path(p, &path);
        if (r < 0)
                return err_wrap(p->err, "replace operation failed to decode path");
        if (!*path && p->whole_document)
                return replace_document(p);
        struct pointer at CLEANUP_POINTER = find(p, path);
        if (!at.container)
                return err_set(p->err, ERR_INVALID, "replace operation does not apply: doc is missing path: %s: %s",
                               path, missing_value);
        if (get(p, at.container, at.key, &old) < 0)
                return err_set(p->err, ERR_INVALID, "replace operation does not apply: doc is missing key: %s: %s",
                               path, missing_value);
        if (at.container->kind == VALUE_MAP)
                return set(p, &at, new_value(p));
        struct value *v CLEANUP_VALUE = new_value(p);
        size_t i = 0;
        r = find_index(p, at.key, at.container->list.count, p->negative_indices, &i);
        if (r < 0)
                return r;
        count_out(p, old);
        r = count_in(p, v, at.level);
        if (r < 0)
                return r;
        value_free(old);
        at.container->list.items[i] = TAKE_PTR(v);
        return 0;
}

/* Puts a value where the operation's path says. Takes v. */
static int put_at_path(const struct json_patch *p, const char *verb, struct value *taken)
{
        struct value *v CLEANUP_VALUE = taken;
        const char *path = NULL;
        bool move = str_eq(verb, "move");

        if (get_path(p, &path) < 0)
                return move ? err_wrap(p->err, "move operation failed to decode path")
                            : err_set(p->err, ERR_INVALID, "copy operation failed to decode path: %s", missing_value);
        struct pointer to CLEANUP_POINTER = find(p, path);
        if (!to.container)
                return err_set(p->err, ERR_INVALID,
                               "%s operation does not apply: doc is missing destination path: %s: %s", verb, path,
                               missing_value);
        if (put(p, &to, TAKE_PTR(v)) == 0)
                return 0;
        return move ? err_wrap(p->err, "error in move for path: '%s'", path)
                    : err_wrap(p->err, "error while adding value during copy");
}

/* The value that an operation with "from" works on, copied; null where a map lacks it. */
static int get_source(const struct json_patch *p, const char *verb, struct pointer *ret_at, struct value **ret)
{
        const char *from = NULL;
        struct value *v = NULL;

        if (get_from(p, &from) < 0)
                return err_wrap(p->err, "%s operation failed to decode from", verb);
        *ret_at = find(p, from);
        if (!ret_at->container)
                return err_set(p->err, ERR_INVALID, "%s operation does not apply: doc is missing from path: %s: %s",
                               verb, from, missing_value);
        if (get(p, ret_at->container, ret_at->key, &v) < 0)
                return str_eq(verb, "move") ? err_wrap(p->err, "error in move for path: '%s'", ret_at->key)
                                            : err_wrap(p->err, "error in copy for from: '%s'", from);
        *ret = v ? value_copy(v) : value_new_null();
        return 0;
}

static int move(const struct json_patch *p)
{
        struct pointer from CLEANUP_POINTER = {0};
        struct value *v CLEANUP_VALUE = NULL;

        int r = get_source(p, "move", &from, &v);
        if (r < 0)
                return r;
        r = take_away(p, from.container, from.key);
        if (r < 0)
                return err_wrap(p->err, "error in move for path: '%s'", from.key);
        return put_at_path(p, "move", TAKE_PTR(v));
}

static int copy(const struct json_patch *p)
{
        struct pointer from CLEANUP_POINTER = {0};
        struct value *v CLEANUP_VALUE = NULL;

        int r = get_source(p, "copy", &from, &v);
        return r < 0 ? r : put_at_path(p, "copy", TAKE_PTR(v));
}

static int test(const struct json_patch *p)
{
        struct value *wanted CLEANUP_VALUE = new_value(p);
        const char *path = NULL;
        struct value *v = NULL;

        int r = get_path(p, &path);
        if (r < 0)
                return err_wrap(p->err, "test operation failed to decode path");
        if (!*path && p->whole_document) {
                v = *p->target;
        } else {
                struct pointer at CLEANUP_POINTER = find(p, path);
                if (!at.container)
                        return err_set(p->err, ERR_INVALID, "test operation does not apply: is missing path: %s: %s",
                                       path, missing_value);
                if (get(p, at.container, at.key, &v) < 0)
                        return err_wrap(p->err, "error in test for path: '%s'", path);
        }
        bool null = !v || v->kind == VALUE_NULL;
        if (null ? wanted->kind == VALUE_NULL : value_equal(v, wanted))
                return 0;
        return err_set(p->err, ERR_INVALID, "testing value %s failed: %s", path, test_failed);
}

static int apply(const struct json_patch *p)
{
        static const struct {
                const char *op;
                int (*fn)(const struct json_patch *p);
        } operations[] = {
                {"add", add}, {"remove", take}, {"replace", replace}, {"move", move}, {"test", test}, {"copy", copy},
        };
        const char *op = value_string(value_map_get(p->operation, "op"), "unknown");

        for (size_t i = 0; i < ARRAY_SIZE(operations); i++)
                if (str_eq(op, operations[i].op))
                        return operations[i].fn(p);
        return err_set(p->err, ERR_INVALID, "Unexpected kind: %s", op);
}

static int check_operations(const struct value *operations, struct err *err)
{
        if (operations->kind != VALUE_LIST)
                return err_set(err, ERR_INVALID, "json: cannot unmarshal %s into Go value of type jsonpatch.Patch",
                               go_json_kind(operations));
        for (size_t i = 0; i < operations->list.count; i++) {
                const struct value *o = operations->list.items[i];
                if (o->kind != VALUE_MAP && o->kind != VALUE_NULL)
                        return err_set(err, ERR_INVALID,
                                       "json: cannot unmarshal %s into Go value of type jsonpatch.Operation",
                                       go_json_kind(o));
        }
        return 0;
}

int patch_json(struct value **target, const struct value *operations, const struct era *era, size_t *ret_operation,
               struct err *err)
{
        size_t nodes = 0;
        struct json_patch p = {
                .target = target,
                .err = err,
                .nodes = &nodes,
                .negative_indices = era_lists(era, "patches", "jsonPatch", "negativeIndices"),
                .whole_document = era_lists(era, "patches", "jsonPatch", "wholeDocument"),
                .scalars_ignored = era_lists(era, "patches", "jsonPatch", "scalarsIgnored"),
        };

        *ret_operation = 0;
        if (operations->kind == VALUE_NULL)
                return 0;
        int r = check_operations(operations, err);
        (void)measure(*target, &nodes);
        for (size_t i = 0; r == 0 && i < operations->list.count; i++) {
                *ret_operation = i;
                p.operation = value_is(operations->list.items[i], VALUE_MAP) ? operations->list.items[i] : NULL;
                r = apply(&p);
        }
        return r;
}
