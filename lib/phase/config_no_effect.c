/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/config_no_effect.h"
#include "phase/era_rows.h"

struct search {
        const struct config_document_list *documents;
        const struct era *era;
        struct config_problems *problems;
        bool node_kinds;
};

/* A setting by its path "KIND/FIELD.FIELD"; "KIND/" is the document. */
struct setting {
        const struct config_document *document;
        const char *field; /* behind the kind */
        const struct value *value;
        struct value_place place;
};

static bool find_field(const struct value *v, const char *path, struct setting *ret)
{
        while (*path) {
                size_t len = strcspn(path, "."), i = 0;

                if (!value_is(v, VALUE_MAP))
                        return false;
                while (i < v->map.count &&
                       (strncmp(v->map.entries[i].key, path, len) != 0 || v->map.entries[i].key[len]))
                        i++;
                if (i == v->map.count)
                        return false;
                ret->place = v->map.entries[i].place;
                v = v->map.entries[i].value;
                path += len + (path[len] == '.');
        }
        ret->value = v;
        return v->kind != VALUE_NULL;
}

static bool find(const struct search *s, const char *path, struct setting *ret)
{
        const char *slash = strchr(path, '/');

        for (size_t i = 0; slash && i < s->documents->count; i++) {
                const struct config_document *d = &s->documents->items[i];

                if (strncmp(d->kind, path, (size_t)(slash - path)) != 0 || d->kind[slash - path])
                        continue;
                *ret = (struct setting){.document = d, .field = slash + 1, .place = d->value->place};
                return find_field(d->value, slash + 1, ret);
        }
        return false;
}

/* The conditions of a row: all of those that it has. */
static bool applies(const struct search *s, const struct value *row, const struct setting *setting)
{
        const char *when = value_string(value_map_get(row, "when"), NULL),
                   *present = value_string(value_map_get(row, "present"), NULL),
                   *equals = value_string(value_map_get(row, "equals"), NULL),
                   *version = value_string(value_map_get(row, "apiVersion"), NULL);
        struct setting other;

        if (when && (!find(s, when, &other) || !value_is(other.value, VALUE_BOOL) || !other.value->boolean))
                return false;
        if (present && !find(s, present, &other))
                return false;
        if (version && !str_eq(version, setting->document->version))
                return false;
        return !equals || str_eq(value_string(setting->value, ""), equals);
}

static int look_at(void *userdata, const char *path, const struct era_row *row, struct err *err)
{
        const struct search *s = userdata;
        const char *reason = value_string(value_map_get(row->value, "reason"), "");
        char version[KUBE_VERSION_MAX];
        struct setting setting;

        (void)err;
        if (!row->value || !find(s, path, &setting) || !applies(s, row->value, &setting))
                return 0;
        if (s->node_kinds && setting.document->use == CONFIG_DOCUMENT_NODE)
                return 0;
        kube_version_text(era_version(s->era), version);
        config_problem_warning(s->problems, &setting.place, "%s has no effect in %s: %s",
                               *setting.field ? setting.field : setting.document->kind, version, reason);
        return 0;
}

void config_no_effect(const struct config_document_list *documents, const struct era *era, bool node_kinds,
                      struct config_problems *problems)
{
        struct search s = {documents, era, problems, node_kinds};

        (void)era_each(era, "no-effect", "", look_at, &s, NULL);
}
