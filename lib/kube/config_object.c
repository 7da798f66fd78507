/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/config_object.h"
#include "kube/field.h"
#include "kube/meta.h"
#include "kube/pod.h"

static const char *const kind_names[CONFIG_KIND_MAX] = {"ConfigMap", "Secret"};

/* Fields that a kind has beside kind, apiVersion and metadata. */
static const char *const fields[CONFIG_KIND_MAX][4] = {
        {"data", "binaryData", "immutable", NULL},
        {"data", "stringData", "immutable", "type"},
};

const char *config_kind_name(enum config_kind kind)
{
        return (size_t)kind < CONFIG_KIND_MAX ? kind_names[kind] : "?";
}

bool config_object_likely(const char *data, size_t len)
{
        return memmem(data, len, "ConfigMap", strlen("ConfigMap")) || memmem(data, len, "Secret", strlen("Secret"));
}

static int kind_of(const struct value *document)
{
        const char *kind = field_string(document, "kind", NULL);

        for (int i = 0; i < CONFIG_KIND_MAX; i++)
                if (str_eq(kind, kind_names[i]))
                        return i;
        return -1;
}

bool config_object_is(const struct value *document)
{
        return kind_of(document) >= 0;
}

static void object_free(struct config_object *o)
{
        if (!o)
                return;
        for (size_t i = 0; i < o->count; i++) {
                if (o->kind == CONFIG_SECRET)
                        explicit_bzero(o->items[i].data, o->items[i].len);
                free(o->items[i].data);
                free(o->items[i].key);
        }
        free(o->items);
        free(o->namespace);
        free(o->name);
        free(o);
}

void config_objects_release(struct config_objects *objects)
{
        for (size_t i = 0; i < objects->count; i++)
                object_free(objects->items[i]);
        free(objects->items);
        *objects = (struct config_objects){0};
}

const struct config_object *config_objects_find(const struct config_objects *objects, enum config_kind kind,
                                                const char *namespace, const char *name)
{
        for (size_t i = 0; objects && i < objects->count; i++)
                if (objects->items[i]->kind == kind && str_eq(objects->items[i]->name, name) &&
                    str_eq(objects->items[i]->namespace, namespace))
                        return objects->items[i];
        return NULL;
}

const struct config_item *config_object_item(const struct config_object *object, const char *key)
{
        for (size_t i = 0; i < object->count; i++)
                if (str_eq(object->items[i].key, key))
                        return &object->items[i];
        return NULL;
}

bool config_object_equal(const struct config_object *a, const struct config_object *b)
{
        if (a->count != b->count)
                return false;
        for (size_t i = 0; i < a->count; i++)
                if (!str_eq(a->items[i].key, b->items[i].key) || a->items[i].len != b->items[i].len ||
                    memcmp(a->items[i].data, b->items[i].data, a->items[i].len) != 0)
                        return false;
        return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* IsConfigMapKey: what may stand as a file name and an environment variable. */
static bool key_is_fine(const char *key)
{
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

        return *key && strlen(key) <= META_DNS1123_SUBDOMAIN_MAX && strspn(key, allowed) == strlen(key) &&
               !str_eq(key, ".") && !str_starts(key, "..");
}

static void add_item(struct config_object *o, const char *key, char *data, size_t len)
{
        size_t at = 0;

        while (at < o->count && strcmp(o->items[at].key, key) < 0)
                at++;
        o->items = xrealloc(o->items, o->count + 1, sizeof(*o->items));
        memmove(o->items + at + 1, o->items + at, (o->count - at) * sizeof(*o->items));
        o->items[at] = (struct config_item){xstrdup(key), data, len};
        o->count++;
}

static void read_value(struct config_object *o, const struct field_path *path, const char *key, bool base64,
                       struct pod_findings *findings)
{
        const struct value *v = path->value;
        struct buf bytes CLEANUP_BUF = BUF_INIT(CONFIG_BYTES_MAX);
        struct config_item *old = (struct config_item *)(uintptr_t)config_object_item(o, key);
        struct err err = ERR_INIT;
        size_t len;
        char *data;

        if (!value_is(v, VALUE_STRING)) {
                field_finding(findings, true, path, "must be a string, not a %s", value_kind_name(v->kind));
                return;
        }
        if (base64 && base64_decode(v->text, v->len, &bytes, &err) < 0) {
                /* Never with the value in it. */
                field_finding(findings, true, path, "is no base64");
                return;
        }
        if (!base64)
                buf_add(&bytes, v->text, v->len);
        if (bytes.failed) {
                field_too_long(findings, path, CONFIG_BYTES_MAX);
                return;
        }
        data = buf_steal(&bytes, &len);
        if (!old) {
                add_item(o, key, data, len);
                return;
        }
        /* stringData over data, as the API server has it. */
        free(old->data);
        old->data = data;
        old->len = len;
}

static void read_map(struct config_object *o, const struct field_path *root, const char *name, bool base64,
                     struct pod_findings *findings)
{
        struct field_path map = field_child(root, name);

        if (!map.value || value_is(map.value, VALUE_NULL))
                return;
        if (!value_is(map.value, VALUE_MAP)) {
                field_finding(findings, true, &map, "must be a map, not a %s", value_kind_name(map.value->kind));
                return;
        }
        for (size_t i = 0; i < map.value->map.count; i++) {
                const struct value_entry *e = &map.value->map.entries[i];
                struct field_path path = field_key(&map, e->key, e->value);

                if (!key_is_fine(e->key))
                        field_finding(findings, true, &path,
                                      "a valid config key must consist of alphanumeric characters, '-', '_' or '.', "
                                      "and not begin with '..'");
                else if (o->kind == CONFIG_MAP && base64 && config_object_item(o, e->key))
                        field_finding(findings, true, &path, "duplicate of key present in data");
                else
                        read_value(o, &path, e->key, base64, findings);
        }
}

static void check_fields(const struct field_path *root, enum config_kind kind, bool strict,
                         struct pod_findings *findings)
{
        const char *known[ARRAY_SIZE(fields[0]) + 3] = {"kind", "apiVersion", "metadata"};
        size_t count = 3;

        for (size_t i = 0; i < ARRAY_SIZE(fields[0]); i++)
                if (fields[kind][i])
                        known[count++] = fields[kind][i];
        for (size_t i = 0; i < root->value->map.count; i++) {
                const struct value_entry *e = &root->value->map.entries[i];
                struct field_path path = field_child_value(root, e->key, e->value);
                const char *near;
                bool found = false;

                for (size_t k = 0; k < count; k++)
                        found |= str_eq(known[k], e->key);
                near = found ? NULL : str_did_you_mean(e->key, known, count);
                if (!found)
                        field_finding(findings, strict, &path, "unknown field%s%s%s", near ? "; did you mean \"" : "",
                                      near ? near : "", near ? "\"?" : "");
        }
}

static struct config_object *read_one(const struct value *v, bool strict, struct pod_findings *findings)
{
        struct field_path root = field_root(v), metadata = field_child(&root, "metadata");
        struct field_path name = field_child(&metadata, "name"), space = field_child(&metadata, "namespace");
        struct config_object *o = xcalloc(1, sizeof(*o));

        o->kind = (enum config_kind)kind_of(v);
        check_fields(&root, o->kind, strict, findings);
        if (!str_eq(field_string(v, "apiVersion", NULL), "v1"))
                field_finding(findings, true, &root, "apiVersion must be v1");
        if (!value_is(name.value, VALUE_STRING))
                field_required(findings, &name, NULL);
        (void)field_check(findings, &name, meta_dns1123_subdomain);
        (void)field_check(findings, &space, meta_dns1123_label);
        o->name = xstrdup(value_string(name.value, ""));
        o->namespace = xstrdup(value_string(space.value, "default"));
        o->immutable = field_bool(v, "immutable", false);
        read_map(o, &root, "data", o->kind == CONFIG_SECRET, findings);
        if (o->kind == CONFIG_MAP)
                read_map(o, &root, "binaryData", true, findings);
        else
                read_map(o, &root, "stringData", false, findings);
        return o;
}

static int first_fatal(const struct pod_findings *findings, struct err *err)
{
        for (size_t i = 0; i < findings->count; i++)
                if (findings->items[i].fatal)
                        return err_set(err, ERR_INVALID, "%s", findings->items[i].text);
        return 0;
}

int config_objects_read(const char *file, const char *data, size_t len, bool strict, struct config_objects *ret,
                        struct pod_findings *findings, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct config_objects objects CLEANUP(config_objects_release) = {0};
        int r = yaml_load(file, data, len, 0, &documents, err);

        if (r < 0) {
                pod_findings_add(findings, true, "%s", err->msg);
                return r;
        }
        if (documents.count == 0 || !config_object_is(documents.items[0]))
                return 1;
        objects.items = xcalloc(documents.count, sizeof(struct config_object *));
        for (size_t i = 0; i < documents.count; i++) {
                struct field_path root = field_root(documents.items[i]);
                struct config_object *o;

                if (!config_object_is(documents.items[i])) {
                        field_finding(findings, true, &root,
                                      "a file with ConfigMaps or Secrets holds nothing else; give a pod its own file");
                        continue;
                }
                o = read_one(documents.items[i], strict, findings);
                if (config_objects_find(&objects, o->kind, o->namespace, o->name))
                        field_finding(findings, true, &root, "%s %s/%s is in this file twice",
                                      config_kind_name(o->kind), o->namespace, o->name);
                objects.items[objects.count++] = o;
        }
        r = first_fatal(findings, err);
        if (r < 0)
                return r;
        *ret = objects;
        objects = (struct config_objects){0};
        return 0;
}
