/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/timefmt.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_documents.h"
#include "phase/config_no_effect.h"
#include "phase/config_schema.h"
#include "phase/names.h"
#include "phase/typed.h"

struct decoder {
        struct phase_config *config;
        const struct era *era;
        const char *version; /* "v1beta4" */
        bool lenient;
        struct config_problems *problems;
        struct strv strict; /* kubeadm's words for each unknown field of the document */
};

/* All list structs of config.h begin alike. */
struct any_list {
        void *items;
        size_t count;
        bool set;
        struct value_place place;
};

static void decode_struct(struct decoder *d, const struct config_schema *schema, const struct value *v,
                          const char *path, void *target);

static char *child_path(const char *path, const char *name)
{
        return *path ? xasprintf("%s.%s", path, name) : xstrdup(name);
}

static void wrong_type(struct decoder *d, const struct value *v, const char *path, const char *expected)
{
        const char *kind = value_kind_name(v->kind);

        if (v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER)
                config_problem_error(d->problems, &v->place, "%s: expected %s, found the %s %s%s", path, expected, kind,
                                     v->kind == VALUE_BOOL ? (v->boolean ? "true" : "false") : v->text,
                                     strcmp(expected, "a string") == 0 ? " (put it in quotes)" : "");
        else
                config_problem_error(d->problems, &v->place, "%s: expected %s, found a %s", path, expected, kind);
}

/* The string of v; NULL (and a problem) where it is none. */
static const char *string_of(struct decoder *d, const struct value *v, const char *path)
{
        if (v->kind != VALUE_STRING) {
                wrong_type(d, v, path, "a string");
                return NULL;
        }
        if (strlen(v->text) != v->len) {
                config_problem_error(d->problems, &v->place, "%s: the string holds a NUL character", path);
                return NULL;
        }
        return v->text;
}

static void decode_text(struct decoder *d, const struct value *v, const char *path, struct config_text *target)
{
        const char *s = string_of(d, v, path);

        if (s)
                *target = (struct config_text){s, v->place};
}

static void decode_token(struct decoder *d, const struct value *v, const char *path, struct config_text *target)
{
        const char *s = string_of(d, v, path);

        if (s && !name_is_bootstrap_token(s))
                config_problem_error(d->problems, &v->place,
                                     "the bootstrap token \"%s\" was not of the form "
                                     "\"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\"",
                                     s);
        else if (s)
                *target = (struct config_text){s, v->place};
}

static void decode_number(struct decoder *d, const struct value *v, const char *path, struct config_number *target)
{
        int64_t n;

        if (v->kind != VALUE_NUMBER || value_int(v, &n) < 0 || n < INT32_MIN || n > INT32_MAX)
                wrong_type(d, v, path, "a whole number of 32 bits");
        else
                *target = (struct config_number){n, v->place};
}

static void decode_bool(struct decoder *d, const struct value *v, const char *path, struct config_bool *target)
{
        if (v->kind != VALUE_BOOL)
                wrong_type(d, v, path, "true or false");
        else
                *target = (struct config_bool){v->boolean, true, v->place};
}

static void decode_duration(struct decoder *d, const struct value *v, const char *path, struct config_duration *target)
{
        struct err why = ERR_INIT;
        int64_t nsec;

        if (v->kind != VALUE_STRING)
                wrong_type(d, v, path, "a duration in a string (\"4m0s\")");
        else if (duration_parse(v->text, &nsec, &why) < 0)
                config_problem_error(d->problems, &v->place, "%s: %s", path, why.msg);
        else
                *target = (struct config_duration){nsec, true, v->place};
}

/* Makes room for the items of list v in the struct at target; NULL where v is no list. */
static void *begin_list(struct decoder *d, const struct value *v, const char *path, size_t item_size,
                        const char *expected, void *target)
{
        struct any_list list = {.set = true, .place = v->place};

        if (v->kind != VALUE_LIST) {
                wrong_type(d, v, path, expected);
                return NULL;
        }
        list.count = v->list.count;
        list.items = config_alloc(d->config, list.count ? list.count : 1, item_size);
        memcpy(target, &list, sizeof(list));
        return list.items;
}

static void decode_texts(struct decoder *d, const struct value *v, const char *path, struct config_texts *target)
{
        struct config_text *items = begin_list(d, v, path, sizeof(*items), "a list of strings", target);

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                items[i] = (struct config_text){"", v->list.items[i]->place};
                if (!value_is(v->list.items[i], VALUE_NULL))
                        decode_text(d, v->list.items[i], item_path, &items[i]);
        }
}

static int compare_args(const void *a, const void *b)
{
        return strcmp(((const struct config_arg *)a)->name, ((const struct config_arg *)b)->name);
}

/* Of an entry: where its key stands, or the flag that it came from. */
static struct value_place entry_place(const struct value_entry *e, const struct value *map)
{
        if (e->place.file)
                return e->place;
        return e->value->place.origin ? e->value->place : map->place;
}

static void decode_arg_map(struct decoder *d, const struct value *v, const char *path, struct config_args *target)
{
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map of strings");
                return;
        }
        struct config_arg *items = config_alloc(d->config, v->map.count + 1, sizeof(*items));
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                char *item_path CLEANUP_FREE = child_path(path, e->key);
                const char *s = value_is(e->value, VALUE_NULL) ? "" : string_of(d, e->value, item_path);

                items[i] = (struct config_arg){e->key, s ? s : "", entry_place(e, v), NULL};
        }
        qsort(items, v->map.count, sizeof(*items), compare_args);
        *target = (struct config_args){items, v->map.count, true, v->place};
}

static void unknown_field(struct decoder *d, const struct value_entry *e, const char *path, const char *near)
{
        char *field CLEANUP_FREE = child_path(path, e->key);
        const char *before = near ? "; did you mean \"" : "", *after = near ? "\"?" : "";

        strv_addf(&d->strict, "unknown field \"%s\"", field);
        if (d->lenient)
                config_problem_warning(d->problems, &e->place, "unknown field \"%s\"%s%s%s", field, before,
                                       near ? near : "", after);
        else
                config_problem_error(d->problems, &e->place, "unknown field \"%s\"%s%s%s", field, before,
                                     near ? near : "", after);
}

/* The fields of an argument in this API version. */
static size_t argument_fields(const struct decoder *d, const char *names[3])
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(d->era);
        char *type_name CLEANUP_FREE = xasprintf("Arg.%s", d->version);
        const struct api_type *type = NULL;

        names[0] = "name";
        names[1] = "value";
        names[2] = "mergeMethod";
        return api_types_get(types, type_name, &type, NULL) == 0 && api_type_field(type, names[2]) ? 3 : 2;
}

static void decode_argument_field(struct decoder *d, const struct value_entry *e, const char *path,
                                  struct config_arg *item)
{
        char *field CLEANUP_FREE = child_path(path, e->key);
        const char *s = value_is(e->value, VALUE_NULL) ? "" : string_of(d, e->value, field);

        if (s && strcmp(e->key, "name") == 0)
                item->name = s;
        else if (s && strcmp(e->key, "value") == 0)
                item->value = s;
        else if (s)
                item->merge_method = s;
}

static void decode_arg_list(struct decoder *d, const struct value *v, const char *path, struct config_args *target)
{
        const char *names[3];
        size_t name_count = argument_fields(d, names);
        struct config_arg *items = begin_list(d, v, path, sizeof(*items), "a list of {name, value}", target);

        for (size_t i = 0; items && i < v->list.count; i++) {
                const struct value *item = v->list.items[i];
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                items[i] = (struct config_arg){"", "", item->place, NULL};
                if (item->kind == VALUE_NULL)
                        continue;
                if (item->kind != VALUE_MAP) {
                        wrong_type(d, item, item_path, "{name, value}");
                        continue;
                }
                for (size_t k = 0; k < item->map.count; k++) {
                        const struct value_entry *e = &item->map.entries[k];
                        size_t known = 0;

                        while (known < name_count && strcmp(e->key, names[known]) != 0)
                                known++;
                        if (known < name_count)
                                decode_argument_field(d, e, item_path, &items[i]);
                        else
                                unknown_field(d, e, item_path, str_did_you_mean(e->key, names, name_count));
                }
        }
}

static int compare_gates(const void *a, const void *b)
{
        return strcmp(((const struct config_gate *)a)->name, ((const struct config_gate *)b)->name);
}

static void decode_gates(struct decoder *d, const struct value *v, const char *path, struct config_gates *target)
{
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map of true and false");
                return;
        }
        struct config_gate *items = config_alloc(d->config, v->map.count + 1, sizeof(*items));
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                char *item_path CLEANUP_FREE = child_path(path, e->key);
                struct config_bool b = {0};

                if (!value_is(e->value, VALUE_NULL))
                        decode_bool(d, e->value, item_path, &b);
                items[i] = (struct config_gate){e->key, b.value, entry_place(e, v)};
        }
        qsort(items, v->map.count, sizeof(*items), compare_gates);
        *target = (struct config_gates){items, v->map.count, true, v->place};
}

static void typed_problem(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                          const char *text)
{
        struct decoder *d = userdata;

        if (kind == TYPED_UNKNOWN_FIELD)
                strv_addf(&d->strict, "unknown field \"%s\"", path);
        if (kind == TYPED_UNKNOWN_FIELD && d->lenient)
                config_problem_warning(d->problems, place, "%s", text);
        else
                config_problem_error(d->problems, place, "%s", text);
}

/* kubeadm's default (SetDefaults_EnvVar). */
static void default_env(struct value *item)
{
        struct value *field_ref = value_get(item, "valueFrom", "fieldRef", NULL);

        if (value_is(field_ref, VALUE_MAP) && !value_map_get(field_ref, "apiVersion"))
                value_map_set(field_ref, "apiVersion", value_new_string("v1"))->place = field_ref->place;
}

static void decode_envs(struct decoder *d, const struct value *v, const char *path, struct config_envs *target)
{
        struct config_env *items = begin_list(d, v, path, sizeof(*items), "a list of environment variables", target);
        struct api_types *types CLEANUP_API_TYPES = api_types_new(d->era);
        struct err err = ERR_INIT;

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);
                const struct value *given = v->list.items[i];
                struct value *item = value_is(given, VALUE_NULL) ? value_new_map() : value_copy(given);

                item->place = given->place;
                (void)config_keep_value(d->config, item);
                if (typed_normalise(item, types, "EnvVar", item_path, typed_problem, d, &err) < 0)
                        config_problem_error(d->problems, NULL, "%s", err.msg);
                default_env(item);
                items[i] = (struct config_env){value_string(value_map_get(item, "name"), ""), item, item->place};
        }
}

static void decode_list(struct decoder *d, const struct config_field *field, const struct value *v, const char *path,
                        void *target)
{
        char *items = begin_list(d, v, path, field->item_size, "a list", target);

        for (size_t i = 0; items && i < v->list.count; i++) {
                char *item_path CLEANUP_FREE = xasprintf("%s[%zu]", path, i);

                decode_struct(d, field->sub, v->list.items[i], item_path, items + i * field->item_size);
        }
}

static void decode_field(struct decoder *d, const struct config_field *field, const struct value *v, const char *path,
                         void *strukt)
{
        void *target = (char *)strukt + field->offset;

        if (v->kind == VALUE_NULL)
                return;
        switch (field->type) {
        case CONFIG_TEXT:
                decode_text(d, v, path, target);
                break;
        case CONFIG_NUMBER:
                decode_number(d, v, path, target);
                break;
        case CONFIG_BOOL:
                decode_bool(d, v, path, target);
                break;
        case CONFIG_DURATION:
                decode_duration(d, v, path, target);
                break;
        case CONFIG_TEXTS:
                decode_texts(d, v, path, target);
                break;
        case CONFIG_ARG_MAP:
                decode_arg_map(d, v, path, target);
                break;
        case CONFIG_ARG_LIST:
                decode_arg_list(d, v, path, target);
                break;
        case CONFIG_ENVS:
                decode_envs(d, v, path, target);
                break;
        case CONFIG_GATES:
                decode_gates(d, v, path, target);
                break;
        case CONFIG_LIST:
                decode_list(d, field, v, path, target);
                break;
        case CONFIG_STRUCT:
                decode_struct(d, field->sub, v, path, target);
                break;
        case CONFIG_TOKEN:
                decode_token(d, v, path, target);
                break;
        case CONFIG_IGNORED:
        case CONFIG_TYPE_MAX:
                break;
        }
}

/* Fields that this kubeadm does not have in an API version: later ones of it do, or only the next API version does. */
static bool field_is_absent(const struct decoder *d, const char *path)
{
        char *full CLEANUP_FREE = xasprintf("%s/%s", d->version, path);

        return era_lists(d->era, "config", "absentFields", full);
}

static const char *nearest_field(const struct config_schema *schema, const char *name)
{
        const char *names[64];
        size_t count = 0;

        for (const struct config_field *f = schema->fields; f->name && count < ARRAY_SIZE(names); f++)
                names[count++] = f->name;
        return str_did_you_mean(name, names, count);
}

/* Strings of a zeroed struct are "" and not NULL. */
static void init_struct(const struct config_schema *schema, void *target)
{
        for (const struct config_field *f = schema->fields; f->name; f++) {
                struct config_text *text = (void *)((char *)target + f->offset);

                if ((f->type == CONFIG_TEXT || f->type == CONFIG_TOKEN) && !text->text)
                        text->text = "";
        }
}

static void decode_struct(struct decoder *d, const struct config_schema *schema, const struct value *v,
                          const char *path, void *target)
{
        init_struct(schema, target);
        if (schema->place_offset != CONFIG_NO_OFFSET)
                memcpy((char *)target + schema->place_offset, &v->place, sizeof(v->place));
        if (v->kind == VALUE_NULL)
                return;
        if (v->kind != VALUE_MAP) {
                wrong_type(d, v, path, "a map");
                return;
        }
        if (schema->set_offset != CONFIG_NO_OFFSET)
                *((bool *)target + schema->set_offset) = true;
        for (size_t i = 0; i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];
                const struct config_field *f = schema->fields;
                char *field_path CLEANUP_FREE = child_path(path, e->key);

                while (f->name && strcmp(f->name, e->key) != 0)
                        f++;
                if (!f->name || field_is_absent(d, field_path))
                        unknown_field(d, e, path, f->name ? NULL : nearest_field(schema, e->key));
                else
                        decode_field(d, f, e->value, field_path, target);
        }
}

/* The text that kubeadm ends with when this document has mistakes; the first document's counts. */
static void summarise(struct decoder *d, const struct config_document *doc, size_t errors_before, struct err *err)
{
        if (d->problems->errors == errors_before || (err && err->code))
                return;
        if (d->problems->errors - errors_before > d->strict.len || d->lenient) {
                /* Wrong types: kubeadm shows the text of Go's JSON decoder, which names no place. */
                for (size_t i = 0; i < d->problems->count; i++) {
                        const struct config_problem *p = &d->problems->items[i];
                        if (p->warning || str_starts(p->text, "unknown field"))
                                continue;
                        if (str_starts(p->text, "the bootstrap token")) /* kubeadm's own message */
                                (void)err_set(err, ERR_INVALID, "%s", p->text);
                        else
                                (void)value_error(&p->place, err, ERR_INVALID, "%s", p->text);
                        return;
                }
        }
        /* Go sees the document as JSON with sorted keys. */
        strv_sort(&d->strict);
        char *all CLEANUP_FREE = strv_join(&d->strict, ", ");
        (void)err_set(err, ERR_INVALID,
                      "error unmarshaling configuration schema.GroupVersionKind{Group:\"%s\", Version:\"%s\", "
                      "Kind:\"%s\"}: strict decoding error: %s",
                      doc->group, doc->version, doc->kind, all);
}

static int decode_document(struct decoder *d, const struct config_document *doc, struct err *err)
{
        const struct config_schema *schema = config_schema(doc->version, doc->kind);
        size_t errors_before = d->problems->errors;
        bool cluster = strcmp(doc->kind, "ClusterConfiguration") == 0;
        struct config_text api_version = {
                config_keepf(d->config, "%s/%s", doc->group, doc->version),
                doc->value->place,
        };

        if (!schema)
                return err_set(err, ERR_UNSUPPORTED, "no kind \"%s\" is registered for version \"%s/%s\" in scheme",
                               doc->kind, doc->group, doc->version);
        d->version = doc->version;
        if (cluster)
                d->config->cluster.api_version = api_version;
        else
                d->config->init.api_version = api_version;
        decode_struct(d, schema, doc->value, "", cluster ? (void *)&d->config->cluster : &d->config->init);
        summarise(d, doc, errors_before, err);
        strv_release(&d->strict);
        return 0;
}

/* The keys of an ArgumentsConfiguration are manifests; what is below them is looked at where it is carried out. */
static void check_arguments(struct config_problems *problems, const struct value *document)
{
        static const char *const names[] = {
                "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "apiVersion",
                "kind"};

        for (size_t i = 0; i < document->map.count; i++) {
                const struct value_entry *e = &document->map.entries[i];
                const char *near;
                size_t k = 0;

                while (k < ARRAY_SIZE(names) && strcmp(names[k], e->key) != 0)
                        k++;
                if (k < ARRAY_SIZE(names))
                        continue;
                near = str_did_you_mean(e->key, names, ARRAY_SIZE(names));
                config_problem_error(problems, &e->place, "unknown field \"%s\"%s%s%s", e->key,
                                     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
}

/* A kind is there at most once, so they fit. */
static void keep_node_document(struct phase_config *config, const struct config_document *doc)
{
        if (config->node_count < CONFIG_NODE_DOCUMENTS_MAX)
                config->nodes[config->node_count++] = (struct config_node_document){
                        doc->kind,
                        config_keepf(config, "%s", doc->version),
                        doc->value,
                };
}

/* Keys that are there twice. The text is read before it is decoded, so they come before all else of the document; the
 * last one counts. */
static void report_duplicates(struct decoder *d, const struct yaml_documents *documents, size_t index, bool mistake,
                              struct err *err)
{
        for (size_t i = 0; i < documents->duplicate_count; i++) {
                const struct yaml_duplicate *dup = &documents->duplicates[i];

                if (dup->document != index)
                        continue;
                if (!mistake) {
                        config_problem_warning(d->problems, &dup->place, YAML_DUPLICATE_FORMAT, dup->key, dup->line,
                                               dup->column);
                        continue;
                }
                config_problem_error(d->problems, &dup->place, YAML_DUPLICATE_FORMAT, dup->key, dup->line, dup->column);
                if (!err->code)
                        (void)value_error(&dup->place, err, ERR_INVALID, YAML_DUPLICATE_FORMAT, dup->key, dup->line,
                                          dup->column);
        }
}

/* Takes a document over for what it is for. */
static int decode_use(struct decoder *d, const struct config_document *doc, unsigned flags, struct err *err)
{
        switch (doc->use) {
        case CONFIG_DOCUMENT_INIT:
        case CONFIG_DOCUMENT_CLUSTER:
                return decode_document(d, doc, err);
        case CONFIG_DOCUMENT_KUBE_PROXY:
                d->config->kube_proxy = doc->value;
                break;
        case CONFIG_DOCUMENT_KUBELET:
                d->config->kubelet = doc->value;
                break;
        case CONFIG_DOCUMENT_ARGUMENTS:
                d->config->arguments = doc->value;
                check_arguments(d->problems, doc->value);
                break;
        case CONFIG_DOCUMENT_NODE:
                if (flags & CONFIG_DECODE_NODE_KINDS)
                        keep_node_document(d->config, doc);
                break;
        case CONFIG_DOCUMENT_IGNORED:
        case CONFIG_DOCUMENT_USE_MAX:
                break;
        }
        return 0;
}

/* One document after the other, in kubeadm's order. What is wrong with one does not hide what is wrong with the next,
 * but the first error is the one that counts. */
static int decode_all(struct decoder *d, struct yaml_documents *documents, struct config_document_list *list,
                      unsigned flags, struct err *first)
{
        bool init = config_documents_has_init(list);

        for (size_t i = 0; i < list->count; i++) {
                const struct config_document *doc = &list->items[i];
                struct err why = ERR_INIT;
                int r = config_documents_classify(list, i, d->era, flags, d->problems, &why);

                report_duplicates(d, documents, doc->index,
                                  !d->lenient && (init || doc->use == CONFIG_DOCUMENT_NODE) && r == 0, first);
                if (r == 0)
                        r = decode_use(d, doc, flags, first->code ? &why : first);
                if (r < 0 && !first->code)
                        *first = why;
                if (r < 0)
                        break;
        }
        if (!first->code)
                (void)config_documents_check(list, d->era, flags, d->problems, first);
        return -first->code;
}

int config_decode(struct phase_config *config, struct yaml_documents *documents, const struct era *era, unsigned flags,
                  struct config_problems *problems, struct err *err)
{
        struct config_document_list list CLEANUP_DOCUMENT_LIST = {0};
        struct decoder d = {
                .config = config,
                .era = era,
                .lenient = flags & CONFIG_DECODE_LENIENT,
                .problems = problems,
        };
        struct err first = ERR_INIT;

        int r = config_documents_split(documents, era, flags, problems, &list, &first);
        if (r == 0) {
                r = decode_all(&d, documents, &list, flags, &first);
                config_no_effect(&list, era, flags & CONFIG_DECODE_NODE_KINDS, problems);
        }
        /* Texts and places point into the documents. */
        for (size_t i = 0; i < documents->count; i++)
                (void)config_keep_value(config, documents->items[i]);
        documents->count = 0;
        if (r < 0 && err)
                *err = first;
        return r;
}
