/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "phase/era_rows.h"

bool era_range_contains(const struct era_range *range, const struct kube_version *version)
{
        return (!range->has_since || kube_version_compare(&range->since, version) <= 0) &&
               (!range->has_until || kube_version_compare(version, &range->until) < 0);
}

static int read_version(const struct value *v, const char *key, struct kube_version *ret, bool *ret_has,
                        struct err *err)
{
        struct err why = ERR_INIT;

        if (!value_is(v, VALUE_STRING))
                return value_error(&v->place, err, ERR_INVALID, "%s: expected a version in quotes", key);
        if (kube_version_parse(v->text, true, ret, &why) < 0)
                return value_error(&v->place, err, ERR_INVALID, "%s: %s", key, why.msg);
        *ret_has = true;
        return 0;
}

enum row_key { KEY_PATH, KEY_SINCE, KEY_UNTIL, KEY_ETCD_SINCE, KEY_ETCD_UNTIL, KEY_VALUE, KEY_REMOVE, KEY_MAX };

static const char *const key_names[KEY_MAX] = {
        [KEY_PATH] = "path",
        [KEY_SINCE] = "since",
        [KEY_UNTIL] = "until",
        [KEY_ETCD_SINCE] = "etcdSince",
        [KEY_ETCD_UNTIL] = "etcdUntil",
        [KEY_VALUE] = "value",
        [KEY_REMOVE] = "remove",
};

static enum row_key find_key(const char *name)
{
        for (int i = 0; i < KEY_MAX; i++)
                if (strcmp(key_names[i], name) == 0)
                        return (enum row_key)i;
        return KEY_MAX;
}

static int read_entry(const struct value_entry *e, struct era_row *row, bool *remove, struct err *err)
{
        const char *near;

        switch (find_key(e->key)) {
        case KEY_PATH:
                row->path = value_string(e->value, NULL);
                return row->path ? 0 : value_error(&e->place, err, ERR_INVALID, "path: expected a string");
        case KEY_SINCE:
                return read_version(e->value, e->key, &row->kubeadm.since, &row->kubeadm.has_since, err);
        case KEY_UNTIL:
                return read_version(e->value, e->key, &row->kubeadm.until, &row->kubeadm.has_until, err);
        case KEY_ETCD_SINCE:
                return read_version(e->value, e->key, &row->etcd.since, &row->etcd.has_since, err);
        case KEY_ETCD_UNTIL:
                return read_version(e->value, e->key, &row->etcd.until, &row->etcd.has_until, err);
        case KEY_VALUE:
                row->value = e->value;
                return 0;
        case KEY_REMOVE:
                *remove = value_is(e->value, VALUE_BOOL) && e->value->boolean;
                return *remove ? 0 : value_error(&e->place, err, ERR_INVALID, "remove: can only be true");
        case KEY_MAX:
                break;
        }
        near = str_did_you_mean(e->key, key_names, KEY_MAX);
        return value_error(&e->place, err, ERR_INVALID, "unknown key \"%s\"%s%s%s", e->key,
                           near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static int read_row(const char *component, const struct value *v, struct era_row *row, struct err *err)
{
        bool remove = false;

        *row = (struct era_row){.component = component, .place = v->place};
        if (v->kind != VALUE_MAP)
                return value_error(&v->place, err, ERR_INVALID, "expected a row {path, since, until, value}");
        for (size_t i = 0; i < v->map.count; i++) {
                int r = read_entry(&v->map.entries[i], row, &remove, err);
                if (r < 0)
                        return r;
        }
        if (!row->path)
                return value_error(&v->place, err, ERR_INVALID, "the row has no path");
        if ((row->value != NULL) == remove)
                return value_error(&v->place, err, ERR_INVALID, "a row has either a value or \"remove: true\"");
        if (row->kubeadm.has_since && row->kubeadm.has_until &&
            kube_version_compare(&row->kubeadm.since, &row->kubeadm.until) >= 0)
                return value_error(&v->place, err, ERR_INVALID, "since is not before until: the row never counts");
        return 0;
}

int era_rows_read(const char *component, const struct value *list, struct era_row **rows, size_t *count,
                  struct err *err)
{
        if (!value_is(list, VALUE_LIST))
                return value_error(&list->place, err, ERR_INVALID, "%s: expected a list of rows", component);
        *rows = xrealloc(*rows, *count + list->list.count, sizeof(**rows));
        for (size_t i = 0; i < list->list.count; i++) {
                int r = read_row(component, list->list.items[i], &(*rows)[*count], err);
                if (r < 0)
                        return r;
                (*count)++;
        }
        return 0;
}
