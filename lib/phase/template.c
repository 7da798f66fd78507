/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/template.h"

void template_variables_release(struct template_variables *variables)
{
        for (size_t i = 0; i < variables->count; i++) {
                free(variables->items[i].name);
                value_free(variables->items[i].value);
        }
        free(variables->items);
        *variables = (struct template_variables){0};
}

static void set(struct template_variables *variables, const char *name, struct value *value,
                const struct value_place *place)
{
        struct template_variable *v = NULL;

        if (value && place)
                value->place = *place;
        for (size_t i = 0; i < variables->count && !v; i++)
                if (strcmp(variables->items[i].name, name) == 0)
                        v = &variables->items[i];
        if (v) {
                value_free(v->value);
                v->value = value;
                return;
        }
        variables->items = xrealloc(variables->items, variables->count + 1, sizeof(*variables->items));
        variables->items[variables->count++] = (struct template_variable){xstrdup(name), value};
}

void template_set_text(struct template_variables *variables, const char *name, const char *text,
                       const struct value_place *place)
{
        set(variables, name, text ? value_new_string(text) : NULL, place);
}

void template_set_textf(struct template_variables *variables, const struct value_place *place, const char *name,
                        const char *fmt, ...)
{
        char *text CLEANUP_FREE = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                abort();
        va_end(ap);
        template_set_text(variables, name, text, place);
}

void template_set_number(struct template_variables *variables, const char *name, int64_t number,
                         const struct value_place *place)
{
        set(variables, name, value_new_int(number), place);
}

static const struct template_variable *find(const struct template_variables *variables, const char *name, size_t len)
{
        for (size_t i = 0; i < variables->count; i++)
                if (strncmp(variables->items[i].name, name, len) == 0 && !variables->items[i].name[len])
                        return &variables->items[i];
        return NULL;
}

/* What is from the host, a flag or a default has no line of its own: that of the template stays. */
static void take_place(struct value_place *place, const struct value_place *of)
{
        if (of->file) {
                *place = *of;
        } else if (of->origin) {
                place->origin = of->origin;
                place->also = of->also;
        }
}

/* The variable that the "${" at s names; *ret_end is behind its brace. */
static int variable_at(const struct value *v, const char *s, const struct template_variables *variables,
                       const struct template_variable **ret, const char **ret_end, struct err *err)
{
        size_t len = strcspn(s + 2, "}");

        if (!s[2 + len])
                return value_error(&v->place, err, ERR_INVALID, "\"${\" without a closing brace");
        *ret = find(variables, s + 2, len);
        *ret_end = s + 2 + len + 1;
        if (!*ret)
                return value_error(&v->place, err, ERR_INVALID, "no variable ${%.*s} here", (int)len, s + 2);
        return 0;
}

/* 0: filled in. 1: the string goes. */
static int fill_string(struct value *v, const struct template_variables *variables, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        const char *s = v->text, *mark, *end = s;
        struct value_place place = v->place;

        while ((mark = strstr(s, "${"))) {
                const struct template_variable *variable;
                int r = variable_at(v, mark, variables, &variable, &end, err);

                if (r < 0)
                        return r;
                if (!variable->value)
                        return 1;
                take_place(&place, &variable->value->place);
                if (mark == v->text && !*end) {
                        struct value *whole = value_copy(variable->value), old = *v;

                        whole->place = place;
                        *v = *whole;
                        *whole = old;
                        value_free(whole);
                        return 0;
                }
                buf_add(&out, s, (size_t)(mark - s));
                buf_add(&out, variable->value->text, variable->value->len);
                s = end;
        }
        if (s == v->text)
                return 0;
        buf_addstr(&out, s);
        int r = buf_check(&out, "a filled-in template", err);
        if (r < 0)
                return r;
        free(v->text);
        v->text = buf_steal(&out, &v->len);
        v->place = place;
        return 0;
}

static int fill(struct value *v, const struct template_variables *variables, struct err *err)
{
        int r = 0;

        if (v->kind == VALUE_STRING)
                return fill_string(v, variables, err);
        for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++) {
                r = fill(v->list.items[i], variables, err);
                if (r < 0)
                        return r;
                if (r > 0)
                        value_list_remove(v, i--);
        }
        for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++) {
                r = fill(v->map.entries[i].value, variables, err);
                if (r < 0)
                        return r;
                if (r > 0) {
                        char *key CLEANUP_FREE = xstrdup(v->map.entries[i--].key);
                        (void)value_map_remove(v, key);
                }
        }
        return 0;
}

int template_fill(struct value *v, const struct template_variables *variables, struct err *err)
{
        int r = fill(v, variables, err);

        return r > 0 ? value_error(&v->place, err, ERR_INVALID, "the whole template is an absent variable") : r;
}

/* One step of a path: a field name, or what stands in brackets. */
struct step {
        char name[128];
        bool bracket;
};

/* Takes the next step off *path. False at the end or where the form is wrong (*ret_error then says so). */
static bool next_step(const char **path, struct step *step, bool *ret_error)
{
        const char *p = *path;
        size_t len;

        *ret_error = false;
        if (!*p)
                return false;
        step->bracket = *p == '[';
        if (step->bracket || *p == '.')
                p++;
        len = strcspn(p, step->bracket ? "]" : ".[");
        if (len == 0 || len >= sizeof(step->name) || (step->bracket && !p[len])) {
                *ret_error = true;
                return false;
        }
        memcpy(step->name, p, len);
        step->name[len] = '\0';
        *path = p + len + (step->bracket ? 1 : 0);
        return true;
}

#define NOT_FOUND ((size_t)-1)

static size_t list_index(const struct value *list, const char *name)
{
        uint64_t number;

        if (!value_is(list, VALUE_LIST))
                return NOT_FOUND;
        if (str_to_u64(name, &number) == 0)
                return number < list->list.count ? (size_t)number : NOT_FOUND;
        for (size_t i = 0; i < list->list.count; i++)
                if (str_eq(value_string(value_map_get(list->list.items[i], "name"), NULL), name))
                        return i;
        return NOT_FOUND;
}

static struct value *child(struct value *v, const struct step *step)
{
        if (!step->bracket)
                return value_map_get(v, step->name);
        size_t i = list_index(v, step->name);
        return i == NOT_FOUND ? NULL : v->list.items[i];
}

struct value *template_path_get(struct value *root, const char *path)
{
        struct step step;
        bool wrong;

        while (root && next_step(&path, &step, &wrong))
                root = child(root, &step);
        return root;
}

static int set_child(struct value *parent, const struct step *step, struct value *item, const char *path,
                     struct err *err)
{
        size_t i = step->bracket ? list_index(parent, step->name) : 0;
        uint64_t number;

        if (!step->bracket && value_is(parent, VALUE_MAP)) {
                value_map_set(parent, step->name, item);
                return 0;
        }
        if (step->bracket && value_is(parent, VALUE_LIST) && i != NOT_FOUND) {
                value_list_insert(parent, i, item);
                value_list_remove(parent, i + 1);
                return 0;
        }
        if (step->bracket && value_is(parent, VALUE_LIST) && str_to_u64(step->name, &number) < 0) {
                /* It is found by its name from now on. */
                if (value_is(item, VALUE_MAP) && !value_map_get(item, "name"))
                        value_map_set(item, "name", value_new_string(step->name))->place = item->place;
                value_list_add(parent, item);
                return 0;
        }
        value_free(item);
        return err_set(err, ERR_INVALID, "path %s: nothing to put %s into", path, step->name);
}

int template_path_set(struct value *root, const char *path, const struct value *value, struct err *err)
{
        const char *rest = path;
        struct step step;
        bool wrong;

        while (next_step(&rest, &step, &wrong)) {
                struct value *next = child(root, &step);

                if (!*rest)
                        return set_child(root, &step, value_copy(value), path, err);
                if (!next) {
                        next = *rest == '[' ? value_new_list() : value_new_map();
                        int r = set_child(root, &step, next, path, err);
                        if (r < 0)
                                return r;
                }
                root = next;
        }
        return err_set(err, ERR_INVALID, "path \"%s\": expected FIELD.FIELD[NAME]", path);
}

bool template_path_remove(struct value *root, const char *path)
{
        struct step step;
        bool wrong;

        while (root && next_step(&path, &step, &wrong)) {
                if (*path) {
                        root = child(root, &step);
                        continue;
                }
                if (!step.bracket)
                        return value_is(root, VALUE_MAP) && value_map_remove(root, step.name);
                size_t i = list_index(root, step.name);
                if (i == NOT_FOUND)
                        return false;
                value_list_remove(root, i);
                return true;
        }
        return false;
}
