/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "phase/arguments.h"
#include "phase/component.h"

#define NOT_FOUND ((size_t)-1)

enum verb { VERB_SET, VERB_ADD, VERB_REMOVE, VERB_APPEND, VERB_PREPEND, VERB_SUBTRACT, VERB_MAX };

enum verb_traits {
        TAKES_VALUE = 1 << 0,
        NEEDS_VALUE = 1 << 1,
        TAKES_LIST = 1 << 2,
        TAKES_POSITION = 1 << 3,
        TAKES_OPTIONAL = 1 << 4,
};

static const struct {
        const char *word;
        unsigned traits;
} verbs[VERB_MAX] = {
        [VERB_SET] = {"set", TAKES_VALUE | TAKES_POSITION},
        [VERB_ADD] = {"add", TAKES_VALUE | TAKES_POSITION},
        [VERB_REMOVE] = {"remove", TAKES_VALUE | TAKES_OPTIONAL},
        [VERB_APPEND] = {"append", TAKES_VALUE | NEEDS_VALUE | TAKES_LIST},
        [VERB_PREPEND] = {"prepend", TAKES_VALUE | NEEDS_VALUE | TAKES_LIST},
        [VERB_SUBTRACT] = {"subtract", TAKES_VALUE | NEEDS_VALUE | TAKES_LIST | TAKES_OPTIONAL},
};

struct operation {
        enum verb verb;
        const char *name;          /* of the argument, without "--" */
        const struct value *value; /* scalar or list; NULL: none */
        const char *position;      /* name of the argument to stand at; NULL: none */
        bool after;
        bool optional;
        struct value_place place;
};

/* What the operations work on. */
struct command {
        struct phase_config *memory;
        struct value *list;
        const char *origin;
};

/* Reading */

static bool is_scalar(const struct value *v)
{
        return value_is(v, VALUE_STRING) || value_is(v, VALUE_NUMBER) || value_is(v, VALUE_BOOL);
}

static const char *scalar_text(const struct value *v)
{
        return v->kind == VALUE_BOOL ? (v->boolean ? "true" : "false") : v->text;
}

static int read_name(const struct value_entry *e, const char **ret, struct err *err)
{
        const char *name = value_string(e->value, NULL);

        if (!name || !*name || strpbrk(name, "= \t\n"))
                return err_set(err, ERR_INVALID, "%s: expected the name of an argument, such as profiling", e->key);
        *ret = str_after(name, "--") ?: name;
        return **ret ? 0 : err_set(err, ERR_INVALID, "%s: expected the name of an argument", e->key);
}

static int read_value(const struct value_entry *e, struct operation *op, struct err *err)
{
        bool right = is_scalar(e->value);

        for (size_t i = 0; value_is(e->value, VALUE_LIST) && i < e->value->list.count; i++) {
                right = is_scalar(e->value->list.items[i]);
                if (!right)
                        break;
        }
        if (!right)
                return err_set(err, ERR_INVALID, "value: expected text or a list of texts, found a %s",
                               value_kind_name(e->value->kind));
        op->value = e->value;
        return 0;
}

static int unknown_key(const char *key, struct err *err)
{
        static const char *const keys[] = {"set",      "add",   "remove", "append", "prepend",
                                           "subtract", "value", "before", "after",  "optional"};
        const char *near = str_did_you_mean(key, keys, ARRAY_SIZE(keys));

        return err_set(err, ERR_INVALID,
                       "unknown key \"%s\"%s%s%s: expected one of set, add, remove, append, prepend and subtract, and "
                       "value, before, after, optional",
                       key, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int read_key(const struct value_entry *e, struct operation *op, struct err *err)
{
        for (int v = 0; v < VERB_MAX; v++) {
                if (strcmp(verbs[v].word, e->key) != 0)
                        continue;
                if (op->verb != VERB_MAX)
                        return err_set(err, ERR_INVALID, "%s: there is a %s already; write two operations", e->key,
                                       verbs[op->verb].word);
                op->verb = (enum verb)v;
                return read_name(e, &op->name, err);
        }
        if (strcmp(e->key, "value") == 0)
                return read_value(e, op, err);
        if (strcmp(e->key, "before") == 0 || strcmp(e->key, "after") == 0) {
                if (op->position)
                        return err_set(err, ERR_INVALID, "before and after: only one of them can be");
                op->after = e->key[0] == 'a';
                return read_name(e, &op->position, err);
        }
        if (strcmp(e->key, "optional") != 0)
                return unknown_key(e->key, err);
        op->optional = value_is(e->value, VALUE_BOOL) && e->value->boolean;
        return value_is(e->value, VALUE_BOOL) ? 0 : err_set(err, ERR_INVALID, "optional: expected true or false");
}

/* What the verb cannot do with the other keys. */
static int check_operation(const struct operation *op, struct err *err)
{
        unsigned traits = op->verb == VERB_MAX ? 0 : verbs[op->verb].traits;

        if (op->verb == VERB_MAX)
                return err_set(err, ERR_INVALID,
                               "an operation is one of set, add, remove, append, prepend and subtract");
        if ((traits & NEEDS_VALUE) && !op->value)
                return err_set(err, ERR_INVALID, "%s needs a value", verbs[op->verb].word);
        if (op->value && op->value->kind == VALUE_LIST && !(traits & TAKES_LIST))
                return err_set(err, ERR_INVALID, "%s: value must be text: a list is for append, prepend and subtract",
                               verbs[op->verb].word);
        if (op->position && !(traits & TAKES_POSITION))
                return err_set(err, ERR_INVALID, "before and after are for set and add");
        if (op->optional && !(traits & TAKES_OPTIONAL))
                return err_set(err, ERR_INVALID, "optional is for remove and subtract");
        return 0;
}

static int read_operation(const struct value *v, struct operation *op, struct err *err)
{
        *op = (struct operation){.verb = VERB_MAX, .place = v->place};
        if (v->kind != VALUE_MAP)
                return err_set(err, ERR_INVALID, "expected an operation such as {set: NAME, value: TEXT}, found a %s",
                               value_kind_name(v->kind));
        for (size_t i = 0; i < v->map.count; i++) {
                int r = read_key(&v->map.entries[i], op, err);
                if (r < 0)
                        return r;
        }
        return check_operation(op, err);
}

/* Carrying out */

const char *argument_rest(const struct value *argument, const char *name)
{
        const char *rest = str_after(value_string(argument, ""), "--");

        rest = rest ? str_after(rest, name) : NULL;
        return rest && (!*rest || *rest == '=') ? rest : NULL;
}

static size_t find_argument(const struct command *c, const char *name, bool last)
{
        size_t found = NOT_FOUND;

        for (size_t i = 0; i < c->list->list.count && (last || found == NOT_FOUND); i++)
                if (argument_rest(c->list->list.items[i], name))
                        found = i;
        return found;
}

static int not_found(const struct command *c, const char *name, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < c->list->list.count; i++) {
                const char *text = str_after(value_string(c->list->list.items[i], ""), "--");
                if (text)
                        strv_take(&names, xstrndup(text, strcspn(text, "=")));
        }
        const char *near = str_did_you_mean(name, (const char *const *)names.items, names.len);
        return err_set(err, ERR_INVALID, "there is no argument \"%s\"%s%s%s", name, near ? "; did you mean \"" : "",
                       near ? near : "", near ? "\"?" : "");
}

static struct value *new_argument(const struct command *c, const struct operation *op, const char *value,
                                  const struct value *old)
{
        struct value *v = value ? value_new_stringf("--%s=%s", op->name, value) : value_new_stringf("--%s", op->name);

        v->place = op->place;
        v->place.origin = c->origin;
        v->place.also = NULL;
        if (old) {
                struct value_place *also = config_alloc(c->memory, 1, sizeof(*also));
                *also = old->place;
                also->also = NULL;
                v->place.also = also;
        }
        return v;
}

static void replace_at(const struct command *c, size_t at, struct value *argument)
{
        value_list_insert(c->list, at, argument);
        value_list_remove(c->list, at + 1);
}

static void remove_named(const struct command *c, const char *name)
{
        for (size_t i = c->list->list.count; i > 0; i--)
                if (argument_rest(c->list->list.items[i - 1], name))
                        value_list_remove(c->list, i - 1);
}

/* Where `position` says, else `otherwise`. */
static int put_at(const struct command *c, const struct operation *op, size_t otherwise, struct value *argument,
                  struct err *err)
{
        size_t at = op->position ? find_argument(c, op->position, op->after) : NOT_FOUND;

        if (op->position && at == NOT_FOUND) {
                value_free(argument);
                return not_found(c, op->position, err);
        }
        value_list_insert(c->list, op->position ? at + op->after : otherwise, argument);
        return 0;
}

static int do_set(const struct command *c, const struct operation *op, struct err *err)
{
        size_t at = find_argument(c, op->name, false);
        const struct value *old = at == NOT_FOUND ? NULL : c->list->list.items[at];
        struct value *argument = new_argument(c, op, op->value ? scalar_text(op->value) : NULL, old);

        if (str_eq(op->position, op->name)) {
                value_free(argument);
                return err_set(err, ERR_INVALID, "set: \"%s\" cannot stand at itself", op->name);
        }
        remove_named(c, op->name);
        if (at == NOT_FOUND || at > c->list->list.count)
                at = c->list->list.count;
        return put_at(c, op, at, argument, err);
}

static int do_add(const struct command *c, const struct operation *op, struct err *err)
{
        size_t at = find_argument(c, op->name, true);

        return put_at(c, op, at == NOT_FOUND ? c->list->list.count : at + 1,
                      new_argument(c, op, op->value ? scalar_text(op->value) : NULL, NULL), err);
}

static int do_remove(const struct command *c, const struct operation *op, struct err *err)
{
        size_t before = c->list->list.count;

        for (size_t i = before; i > 0; i--) {
                const char *rest = argument_rest(c->list->list.items[i - 1], op->name);
                if (rest && (!op->value || (*rest && strcmp(rest + 1, scalar_text(op->value)) == 0)))
                        value_list_remove(c->list, i - 1);
        }
        if (c->list->list.count < before || op->optional)
                return 0;
        if (find_argument(c, op->name, false) != NOT_FOUND)
                return err_set(err, ERR_INVALID, "no argument \"%s\" has the value \"%s\"", op->name,
                               scalar_text(op->value));
        return not_found(c, op->name, err);
}

/* The parts that an operation names: of a list its items, of text what stands between commas. */
static void wanted_parts(const struct operation *op, struct strv *parts)
{
        if (op->value->kind != VALUE_LIST)
                strv_split(parts, scalar_text(op->value), ',');
        for (size_t i = 0; op->value->kind == VALUE_LIST && i < op->value->list.count; i++)
                strv_add(parts, scalar_text(op->value->list.items[i]));
}

static size_t find_part(const struct strv *parts, const char *part)
{
        for (size_t i = 0; i < parts->len; i++)
                if (strcmp(parts->items[i], part) == 0)
                        return i;
        return NOT_FOUND;
}

static int subtract_parts(const struct operation *op, struct strv *parts, const struct strv *wanted, struct err *err)
{
        char *part;

        STRV_FOREACH (part, wanted) {
                size_t at = find_part(parts, part);

                if (at == NOT_FOUND && !op->optional)
                        return err_set(err, ERR_INVALID, "\"%s\" is not in the list of \"%s\"", part, op->name);
                for (; at != NOT_FOUND; at = find_part(parts, part))
                        strv_remove(parts, at);
        }
        return 0;
}

static void join_parts(const struct operation *op, struct strv *parts, const struct strv *wanted)
{
        size_t front = 0;
        char *part;

        STRV_FOREACH (part, wanted) {
                if (find_part(parts, part) != NOT_FOUND)
                        continue;
                if (op->verb == VERB_PREPEND)
                        strv_insert(parts, front++, part);
                else
                        strv_add(parts, part);
        }
}

static int do_list(const struct command *c, const struct operation *op, struct err *err)
{
        struct strv parts CLEANUP_STRV = STRV_INIT, wanted CLEANUP_STRV = STRV_INIT;
        size_t at = find_argument(c, op->name, true);
        const struct value *old = at == NOT_FOUND ? NULL : c->list->list.items[at];
        const char *rest = old ? argument_rest(old, op->name) : "";

        if (!old && op->verb == VERB_SUBTRACT)
                return op->optional ? 0 : not_found(c, op->name, err);
        wanted_parts(op, &wanted);
        if (*rest && rest[1])
                strv_split(&parts, rest + 1, ',');
        size_t count = parts.len;
        int r = 0;
        if (op->verb == VERB_SUBTRACT)
                r = subtract_parts(op, &parts, &wanted, err);
        else
                join_parts(op, &parts, &wanted);
        if (r < 0 || (old && parts.len == count))
                return r;
        if (parts.len == 0) {
                value_list_remove(c->list, at);
                return 0;
        }
        char *joined CLEANUP_FREE = strv_join(&parts, ",");
        struct value *argument = new_argument(c, op, joined, old);
        if (old)
                replace_at(c, at, argument);
        else
                value_list_add(c->list, argument);
        return 0;
}

static int carry_out(const struct command *c, const struct operation *op, struct err *err)
{
        switch (op->verb) {
        case VERB_SET:
                return do_set(c, op, err);
        case VERB_ADD:
                return do_add(c, op, err);
        case VERB_REMOVE:
                return do_remove(c, op, err);
        case VERB_APPEND:
        case VERB_PREPEND:
        case VERB_SUBTRACT:
                return do_list(c, op, err);
        case VERB_MAX:
                break;
        }
        return 0;
}

int arguments_apply(struct phase_config *memory, struct value *pod, const struct value *operations, const char *origin,
                    size_t *ret_operation, struct err *err)
{
        const struct value *containers = value_get(pod, "spec", "containers", NULL);
        struct command c = {.memory = memory, .origin = origin};

        *ret_operation = value_is(operations, VALUE_LIST) ? operations->list.count : 0;
        if (!value_is(operations, VALUE_LIST))
                return err_set(err, ERR_INVALID, "expected a list of operations such as {set: NAME, value: TEXT}");
        if (value_is(containers, VALUE_LIST) && containers->list.count > 0)
                c.list = value_map_get(containers->list.items[0], "command");
        if (!value_is(c.list, VALUE_LIST))
                return err_set(err, ERR_INVALID, "spec.containers[0].command: there is no list of arguments");
        for (size_t i = 0; i < operations->list.count; i++) {
                struct operation op;
                int r = read_operation(operations->list.items[i], &op, err);

                if (r == 0)
                        r = carry_out(&c, &op, err);
                if (r < 0) {
                        *ret_operation = i;
                        return r;
                }
        }
        return 0;
}

int arguments_apply_configured(const struct phase *phase, const struct component *component, struct value *pod,
                               struct err *err)
{
        const struct value *document = phase->config->arguments,
                           *operations = document ? value_map_get(document, component->name) : NULL;
        struct err why = ERR_INIT;
        size_t wrong;

        if (!operations || operations->kind == VALUE_NULL)
                return 0;
        int r = arguments_apply(phase->config, pod, operations,
                                config_keepf(phase->config, ARGUMENTS_ORIGIN "%s", document->place.file), &wrong, &why);
        if (r == 0)
                return 0;
        const struct value *at = value_is(operations, VALUE_LIST) && wrong < operations->list.count
                                         ? operations->list.items[wrong]
                                         : operations;
        return value_error(&at->place, err, why.code, "%s", why.msg);
}
