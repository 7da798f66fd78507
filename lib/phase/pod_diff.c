/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "kube/field.h"
#include "kube/pod.h"
#include "kube/pod_defaults.h"
#include "kube/pod_schema.h"
#include "phase/pod_diff.h"

#define NOT_FOUND ((size_t)-1)

void pod_differences_release(struct pod_differences *differences)
{
        for (size_t i = 0; i < differences->count; i++) {
                free(differences->items[i].name);
                free(differences->items[i].field);
                free(differences->items[i].before);
                free(differences->items[i].after);
        }
        free(differences->items);
        *differences = (struct pod_differences){0};
}

const char *pod_difference_kind_name(enum pod_difference_kind kind)
{
        static const char *const names[POD_DIFFERENCE_MAX] = {"added", "removed", "changed", "reordered"};

        return names[kind];
}

struct value *pod_meaning(const struct value *pod, struct pod_findings *findings)
{
        struct value *copy = value_copy(pod);
        struct field_path root = field_root(copy);
        struct pod_findings unwanted = {0};
        struct schema_check check = {
                .findings = findings ? findings : &unwanted,
                .refused_text = "is not done by podwatch",
                .no_effect_text = "has no effect under podwatch",
        };

        (void)value_map_remove(copy, "status");
        (void)value_map_remove(value_map_get(copy, "metadata"), "creationTimestamp");
        schema_check_object(&check, &pod_schema, &root, copy);
        schema_check_release(&check);
        pod_findings_release(&unwanted);
        pod_defaults_apply(copy);
        return copy;
}

struct walk {
        struct pod_differences *differences;
        char *field; /* where it is */
        int r;       /* negative: a difference could not be told, err says why */
        struct err *err;
};

/* Lists whose items have a name: of which field, and what an item is called. */
static const struct keyed {
        const char *list, *key, *what;
} keyed_lists[] = {
        {"containers", "name", "container"},
        {"initContainers", "name", "init container"},
        {"env", "name", "environment variable"},
        {"volumes", "name", "volume"},
        {"volumeMounts", "mountPath", "mount"},
        {"volumeDevices", "devicePath", "device"},
        {"ports", "containerPort", "port"},
        {"hostAliases", "ip", "host alias"},
        {"imagePullSecrets", "name", "image pull secret"},
};

/* What a field is called by where it is; the rest of the path behind `part` is its name. */
static const struct {
        const char *part, *what;
} words[] = {
        {"metadata.labels.", "label"},        {"metadata.annotations.", "annotation"},
        {".livenessProbe", "liveness probe"}, {".readinessProbe", "readiness probe"},
        {".startupProbe", "startup probe"},   {".image", "image"},
        {".resources", "resources"},
};

/* Maps and lists that are compared by entry even where one side has none. */
static bool is_collection(const char *name)
{
        static const char *const names[] = {"labels", "annotations", "command", "args"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (str_eq(name, names[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(keyed_lists); i++)
                if (str_eq(name, keyed_lists[i].list))
                        return true;
        return false;
}

static char *text_of(struct walk *w, const struct value *v)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        if (!v)
                return NULL;
        if (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER)
                return xstrndup(v->text, v->len);
        json_write(v, JSON_SORT_KEYS, &out);
        int r = buf_check(&out, "a difference", w->err);
        if (r < 0) {
                w->r = r;
                return NULL;
        }
        return buf_steal(&out, NULL);
}

/* Takes name, before and after. */
static void add(struct walk *w, enum pod_difference_kind kind, const char *what, char *name, char *before, char *after,
                const struct value *from, const struct value *to)
{
        struct pod_differences *d = w->differences;

        d->items = xrealloc(d->items, d->count + 1, sizeof(*d->items));
        d->items[d->count++] = (struct pod_difference){
                .kind = kind,
                .what = what,
                .name = name,
                .field = xstrdup(w->field),
                .before = before,
                .after = after,
                .before_place = from ? from->place : (struct value_place){0},
                .after_place = to ? to->place : (struct value_place){0},
        };
}

static enum pod_difference_kind kind_of(const struct value *before, const struct value *after)
{
        if (!before)
                return POD_DIFFERENCE_ADDED;
        return after ? POD_DIFFERENCE_CHANGED : POD_DIFFERENCE_REMOVED;
}

static void add_field(struct walk *w, const struct value *before, const struct value *after)
{
        const char *field = w->field, *what = "field", *name = field;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                const char *at = strstr(field, words[i].part), *rest = at ? at + strlen(words[i].part) : NULL;

                /* ".image" is no part of ".imagePullPolicy" */
                if (!rest || (rest[-1] != '.' && *rest && *rest != '.'))
                        continue;
                what = words[i].what;
                name = *rest == '.' ? rest + 1 : rest;
                break;
        }
        add(w, kind_of(before, after), what, xstrdup(name), text_of(w, before), text_of(w, after), before, after);
}

static void walk(struct walk *w, const char *name, const struct value *before, const struct value *after);

/* One step down, and back. */
static void walk_below(struct walk *w, const char *step, const char *name, const struct value *before,
                       const struct value *after)
{
        char *above = w->field;
        char *field CLEANUP_FREE = xasprintf("%s%s", above, step);

        w->field = field;
        walk(w, name, before, after);
        w->field = above;
}

static void walk_map(struct walk *w, const struct value *before, const struct value *after)
{
        const struct value *const sides[] = {before, after};

        for (size_t s = 0; s < ARRAY_SIZE(sides); s++) {
                for (size_t i = 0; sides[s] && i < sides[s]->map.count; i++) {
                        const char *key = sides[s]->map.entries[i].key;
                        char *step CLEANUP_FREE = xasprintf("%s%s", *w->field ? "." : "", key);

                        if (s == 1 && value_map_get(before, key))
                                continue;
                        walk_below(w, step, key, value_map_get(before, key), value_map_get(after, key));
                }
        }
}

static size_t count_of(const struct value *list)
{
        return list ? list->list.count : 0;
}

static const char *key_of(const struct value *item, const char *key)
{
        const struct value *v = value_map_get(item, key);

        return v && (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER) ? v->text : NULL;
}

static size_t find_item(const struct value *list, const char *key, const char *text)
{
        for (size_t i = 0; i < count_of(list); i++)
                if (str_eq(key_of(list->list.items[i], key), text))
                        return i;
        return NOT_FOUND;
}

/* Every item has the key, and no two the same. */
static bool is_keyed(const struct value *list, const char *key)
{
        for (size_t i = 0; i < count_of(list); i++) {
                const char *text = key_of(list->list.items[i], key);

                if (!text || find_item(list, key, text) != i)
                        return false;
        }
        return true;
}

static void walk_keyed(struct walk *w, const struct keyed *how, const struct value *before, const struct value *after)
{
        size_t last = 0;
        bool reordered = false;

        for (size_t i = 0; i < count_of(before); i++) {
                const struct value *item = before->list.items[i];
                const char *text = key_of(item, how->key);
                char *step CLEANUP_FREE = xasprintf("[%s]", text);
                size_t at = find_item(after, how->key, text);

                if (at == NOT_FOUND) {
                        add(w, POD_DIFFERENCE_REMOVED, how->what, xstrdup(text), text_of(w, item), NULL, item, NULL);
                        continue;
                }
                reordered |= at < last;
                last = at;
                if (str_eq(how->what, "container") || str_eq(how->what, "init container"))
                        walk_below(w, step, "", item, after->list.items[at]);
                else if (!value_equal(item, after->list.items[at]))
                        add(w, POD_DIFFERENCE_CHANGED, how->what, xstrdup(text), text_of(w, item),
                            text_of(w, after->list.items[at]), item, after->list.items[at]);
        }
        for (size_t i = 0; i < count_of(after); i++) {
                const struct value *item = after->list.items[i];
                const char *text = key_of(item, how->key);

                if (find_item(before, how->key, text) == NOT_FOUND)
                        add(w, POD_DIFFERENCE_ADDED, how->what, xstrdup(text), NULL, text_of(w, item), NULL, item);
        }
        if (reordered)
                add(w, POD_DIFFERENCE_REORDERED, how->what, xstrdup(""), NULL, NULL, before, after);
}

/* Arguments */

struct argument {
        const struct value *value; /* NULL ends the list */
        size_t name_len;           /* of "--name"; 0: a word */
        bool matched;
};

static struct argument *arguments_of(const struct value *list)
{
        struct argument *a = xcalloc(count_of(list) + 1, sizeof(*a));

        for (size_t i = 0; i < count_of(list); i++) {
                const char *text = value_string(list->list.items[i], "");

                a[i].value = list->list.items[i];
                a[i].name_len = str_starts(text, "--") ? strcspn(text, "=") : 0;
        }
        return a;
}

static const char *argument_text(const struct argument *a)
{
        return value_string(a->value, "");
}

static bool same_name(const struct argument *a, const struct argument *b)
{
        return a->name_len == b->name_len && strncmp(argument_text(a), argument_text(b), a->name_len) == 0;
}

/* Pairs equal arguments; true where those stand in another order. */
static bool pair_equal(struct argument *before, struct argument *after)
{
        bool reordered = false;
        size_t last = 0;

        for (struct argument *b = before; b->value; b++) {
                for (size_t i = 0; after[i].value && !b->matched; i++) {
                        if (after[i].matched || !value_equal(b->value, after[i].value))
                                continue;
                        b->matched = after[i].matched = true;
                        reordered |= i < last;
                        last = i;
                }
        }
        return reordered;
}

static char *argument_value(const struct argument *a)
{
        const char *value = argument_text(a) + a->name_len;

        return a->value ? xstrdup(*value == '=' ? value + 1 : value) : NULL;
}

static void add_argument(struct walk *w, const struct argument *before, const struct argument *after)
{
        const struct argument *any = before ? before : after;

        add(w, kind_of(before ? before->value : NULL, after ? after->value : NULL),
            any->name_len ? "argument" : "command", xstrndup(argument_text(any), any->name_len),
            before ? argument_value(before) : NULL, after ? argument_value(after) : NULL, before ? before->value : NULL,
            after ? after->value : NULL);
}

static void walk_arguments(struct walk *w, const struct value *before_list, const struct value *after_list)
{
        struct argument *before CLEANUP_FREE = arguments_of(before_list),
                                *after CLEANUP_FREE = arguments_of(after_list);
        bool reordered = pair_equal(before, after);

        for (struct argument *b = before; b->value; b++) {
                struct argument *partner = NULL;

                if (b->matched)
                        continue;
                for (struct argument *a = after; a->value && !partner; a++)
                        if (!a->matched && same_name(a, b))
                                partner = a;
                if (partner)
                        partner->matched = true;
                add_argument(w, b, partner);
        }
        for (struct argument *a = after; a->value; a++)
                if (!a->matched)
                        add_argument(w, NULL, a);
        if (reordered)
                add(w, POD_DIFFERENCE_REORDERED, "argument", xstrdup(""), NULL, NULL, before_list, after_list);
}

static bool are(const struct value *before, const struct value *after, enum value_kind kind)
{
        return (!before || before->kind == kind) && (!after || after->kind == kind);
}

static void walk_list(struct walk *w, const char *name, const struct value *before, const struct value *after)
{
        for (size_t i = 0; i < ARRAY_SIZE(keyed_lists); i++) {
                const struct keyed *how = &keyed_lists[i];

                if (str_eq(how->list, name) && is_keyed(before, how->key) && is_keyed(after, how->key)) {
                        walk_keyed(w, how, before, after);
                        return;
                }
        }
        if (str_eq(name, "command") || str_eq(name, "args"))
                walk_arguments(w, before, after);
        else
                add_field(w, before, after);
}

static void walk(struct walk *w, const char *name, const struct value *before, const struct value *after)
{
        bool both = before && after, expand = both || is_collection(name);

        if (both && value_equal(before, after))
                return;
        if (expand && are(before, after, VALUE_MAP))
                walk_map(w, before, after);
        else if (expand && are(before, after, VALUE_LIST))
                walk_list(w, name, before, after);
        else
                add_field(w, before, after);
}

int pod_diff(const struct value *before, const struct value *after, struct pod_differences *ret, struct err *err)
{
        char root[] = "";
        struct walk w = {.differences = ret, .field = root, .err = err};

        walk(&w, "", before, after);
        return w.r;
}
