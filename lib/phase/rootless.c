/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/rootless.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/component.h"
#include "phase/control_plane.h"
#include "phase/file_owner.h"
#include "phase/host.h"
#include "phase/phase.h"
#include "phase/template.h"
#include "phase/users.h"

#define TABLE "rootless.yaml"

static bool prints_pods(const struct phase *phase)
{
        return str_eq(phase->options.output, "yaml");
}

/* The component's part of the table; *ret NULL where it has none or the gate is off. */
static int find(const struct phase *phase, const struct component *component, const struct value **ret, struct err *err)
{
        const struct value *table = NULL;
        int r = config_gate_enabled(phase->config, ROOTLESS_GATE) ? era_template(phase->era, TABLE, &table, err) : 0;

        *ret = r == 0 && table ? value_map_get(table, component->name) : NULL;
        return r;
}

static int load_users(const struct phase *phase, struct users **ret, struct err *err)
{
        const struct value *table;
        int r = era_template(phase->era, TABLE, &table, err);

        if (r < 0)
                return r;
        const struct value *names = value_map_get(table, "users"), *groups = value_map_get(table, "groups");
        if (!value_is(names, VALUE_LIST) || !value_is(groups, VALUE_LIST))
                return value_error(&table->place, err, ERR_INVALID, "users and groups must be lists");
        r = users_load(phase, names, groups, ret, err);
        return r < 0 ? err_wrap(err, "failed to create users and groups") : 0;
}

static int open_users(struct phase *phase, struct err *err)
{
        return phase->users ? 0 : load_users(phase, &phase->users, err);
}

/* --host-facts has the numbers. */
static bool ids_are_given(const struct phase *phase)
{
        const struct host *host = phase_host(phase);

        return host->system_id != NULL;
}

/* -1: not known. */
static int64_t id_of(const struct phase *phase, const struct users *users, const char *name, bool group)
{
        const struct host *host = phase_host(phase);

        if (ids_are_given(phase))
                return host->system_id(host->userdata, name, group);
        return group ? users_gid(users, name) : users_uid(users, name);
}

/* The number of a user or group; name NULL: root's. */
static int find_id(const struct phase *phase, const struct value *name, bool group, int64_t *ret, struct err *err)
{
        const char *text = value_string(name, "");

        if (!name) {
                *ret = 0;
                return 0;
        }
        *ret = id_of(phase, phase->users, text, group);
        if (*ret < 0)
                return value_error(&name->place, err, ERR_INVALID, "no %s \"%s\"%s", group ? "group" : "user", text,
                                   ids_are_given(phase) ? " in controlPlaneIDs of the facts of the host" : "");
        int64_t here = !phase->users ? *ret : group ? users_gid(phase->users, text) : users_uid(phase->users, text);
        if (here != *ret)
                return err_set(err, ERR_CONFLICT, "%s \"%s\" has number %lld here and %lld in the facts of the host",
                               group ? "group" : "user", text, (long long)here, (long long)*ret);
        return 0;
}

static struct value *number(const struct phase *phase, int64_t n)
{
        const struct config_gates *gates = &phase->config->cluster.feature_gates;
        struct value *v = value_new_int(n);

        for (size_t i = 0; i < gates->count; i++)
                if (str_eq(gates->items[i].name, ROOTLESS_GATE))
                        v->place = gates->items[i].place;
        return v;
}

static int set_context(const struct phase *phase, const struct value *row, struct value *pod, struct err *err)
{
        const struct value *user = value_map_get(row, "user"), *more = value_map_get(row, "supplementalGroups");
        struct value *spec = value_map_get(pod, "spec");
        struct value *container = template_path_get(pod, "spec.containers[0]");
        struct value *context = value_map_get(spec, "securityContext");
        int64_t uid, gid;

        if (!value_is(container, VALUE_MAP))
                return value_error(&pod->place, err, ERR_INVALID, "no container to run as \"%s\"",
                                   value_string(user, ""));
        int r = find_id(phase, user, false, &uid, err);
        if (r == 0)
                r = find_id(phase, user, true, &gid, err);
        if (r < 0)
                return r;
        if (!value_is(context, VALUE_MAP))
                context = value_map_set(spec, "securityContext", value_new_map());
        value_map_set(context, "runAsUser", number(phase, uid));
        value_map_set(context, "runAsGroup", number(phase, gid));
        value_map_set(container, "securityContext", value_copy(value_map_get(row, "container")));
        struct value *groups = more ? value_map_set(context, "supplementalGroups", value_new_list()) : NULL;
        for (size_t i = 0; value_is(more, VALUE_LIST) && i < more->list.count; i++) {
                r = find_id(phase, more->list.items[i], true, &gid, err);
                if (r < 0)
                        return r;
                value_list_add(groups, number(phase, gid));
        }
        return 0;
}

/* Row dryRunPrefix; else the first word of the phase. */
static void tell_dry_run(const struct phase *phase, const struct component *component)
{
        char *own CLEANUP_FREE = xstrndup(component->phase, strcspn(component->phase, "/"));
        const char *prefix = era_text(phase->era, "static-pod", "dryRunPrefix", own);

        if (component->etcd_rows)
                phase_say(phase, "[%s] Would create users and groups for \"%s\" to run as non-root", prefix,
                          component->name);
        else
                phase_say(phase, "[%s] Would create users and groups for [%s] to run as non-root", prefix,
                          component->name);
        phase_say(phase, "[%s] Would update static pod manifest for \"%s\" to run run as non-root", prefix,
                  component->name);
}

int rootless_pod(struct phase *phase, const struct component *component, struct value *pod, struct err *err)
{
        const struct value *row;
        int r = find(phase, component, &row, err);

        if (r < 0 || !row)
                return r;
        /* Where the pod is what is asked for, nothing is made either way. */
        if (phase->options.dry_run && !prints_pods(phase)) {
                tell_dry_run(phase, component);
                return 0;
        }
        r = ids_are_given(phase) ? 0 : open_users(phase, err);
        return r < 0 ? r : set_context(phase, row, pod, err);
}

/* ---- what it reads ---- */

static bool left_out(const struct phase *phase, const struct value *file)
{
        const char *unless = value_string(value_map_get(file, "unless"), "");

        return (str_eq(unless, "externalEtcd") && phase->config->cluster.etcd.external.set) ||
               (str_eq(unless, "externalCA") && component_external_ca(phase));
}

/* What *ret has is borrowed. */
static int owner_of(const struct phase *phase, const struct value *file, struct file_owner *ret, struct err *err)
{
        const char *mode = value_string(value_map_get(file, "mode"), NULL);
        int64_t uid, gid;
        int r = find_id(phase, value_map_get(file, "owner"), false, &uid, err);

        if (r == 0)
                r = find_id(phase, value_map_get(file, "group"), true, &gid, err);
        if (r < 0)
                return r;
        *ret = (struct file_owner){.path = (char *)value_string(value_map_get(file, "path"), ""),
                                   .mode = mode ? (mode_t)strtoul(mode, NULL, 8) : FILE_OWNER_WHOLE_TREE,
                                   .uid = (uid_t)uid,
                                   .gid = (gid_t)gid};
        return 0;
}

static int add_owner(struct phase *phase, const struct value *file, const char *context, struct err *err)
{
        struct file_owner owner;
        int r = owner_of(phase, file, &owner, err);

        if (r < 0)
                return r;
        owner.context = (char *)context;
        phase_add_owner(phase, &owner);
        return 0;
}

/* The files of a row with the configuration's paths in them. */
static int list_files(const struct phase *phase, const struct value *row, struct value **ret, struct err *err)
{
        char *pki CLEANUP_FREE = file_clean(phase->config->cluster.certificates_dir.text);
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *files CLEANUP_VALUE = value_copy(value_map_get(row, "files"));

        if (!value_is(files, VALUE_LIST))
                return value_error(&row->place, err, ERR_INVALID, "no list \"files\"");
        template_set_text(&variables, "pki", str_eq(pki, "/") ? "" : pki, NULL);
        template_set_text(&variables, "dataDir", phase->config->cluster.etcd.local.data_dir.text, NULL);
        int r = template_fill(files, &variables, err);
        if (r == 0)
                *ret = TAKE_PTR(files);
        return r;
}

int rootless_check(struct phase *phase, const struct component *component, struct err *err)
{
        struct value *files CLEANUP_VALUE = NULL;
        const struct value *row;
        int r = find(phase, component, &row, err);

        if (r < 0 || !row || phase->options.dry_run || prints_pods(phase))
                return r;
        r = list_files(phase, row, &files, err);
        for (size_t i = 0; r == 0 && i < files->list.count; i++) {
                struct file_owner owner;

                if (left_out(phase, files->list.items[i]))
                        continue;
                r = owner_of(phase, files->list.items[i], &owner, err);
                /* The directory of etcd's data is made by the commit. */
                if (r == 0 && owner.mode != FILE_OWNER_WHOLE_TREE && file_owner_check(&owner, phase, err) < 0)
                        r = err_wrap(err, "failed to run component \"%s\" as non-root", component->name);
        }
        return r;
}

int rootless_files(struct phase *phase, const struct component *component, struct err *err)
{
        const char *made_by = component->etcd_rows ? "error creating local etcd static pod manifest file: " : "";
        char *context CLEANUP_FREE = xasprintf("error execution phase %s: %s", component->phase, made_by);
        char *creating CLEANUP_FREE = xasprintf("%sfailed to create users and groups", context);
        char *running CLEANUP_FREE =
                xasprintf("%sfailed to run component \"%s\" as non-root", context, component->name);
        struct value *files CLEANUP_VALUE = NULL;
        const struct value *row;
        int r = find(phase, component, &row, err);

        if (r < 0 || !row)
                return r;
        if (prints_pods(phase)) {
                phase_warn(phase,
                           "the manifest of %s runs it as user \"%s\": with -o yaml neither the user is made nor are "
                           "the files that it reads given to it",
                           component->name, value_string(value_map_get(row, "user"), ""));
                return 0;
        }
        if (phase->options.dry_run)
                return 0;
        r = list_files(phase, row, &files, err);
        if (r == 0)
                r = open_users(phase, err);
        if (r < 0)
                return r;
        r = users_add_files(phase->users, phase, creating, err);
        if (r < 0)
                return err_wrap(err, "failed to create users and groups");
        for (size_t i = 0; r == 0 && i < files->list.count; i++)
                if (!left_out(phase, files->list.items[i]))
                        r = add_owner(phase, files->list.items[i], running, err);
        return r;
}

/* ---- facts of the host ---- */

static void add_id(const struct phase *phase, const struct users *users, const char *name, bool group,
                   struct value *ids)
{
        int64_t id = id_of(phase, users, name, group);

        if (id >= 0)
                value_map_set(ids, name, value_new_int(id));
}

struct value *rootless_ids(const struct phase *phase)
{
        struct value *ids = value_new_map(), *uids = value_map_set(ids, "users", value_new_map());
        struct value *gids = value_map_set(ids, "groups", value_new_map());
        const struct value *table = NULL;
        struct users *users = NULL;

        if (era_template(phase->era, TABLE, &table, NULL) == 0 &&
            (ids_are_given(phase) || load_users(phase, &users, NULL) == 0)) {
                const struct value *names = value_map_get(table, "users"), *groups = value_map_get(table, "groups");

                for (size_t i = 0; value_is(names, VALUE_LIST) && i < names->list.count; i++)
                        add_id(phase, users, value_string(names->list.items[i], ""), false, uids);
                for (size_t i = 0; value_is(groups, VALUE_LIST) && i < groups->list.count; i++)
                        add_id(phase, users, value_string(value_map_get(groups->list.items[i], "name"), ""), true,
                               gids);
        }
        (void)users_free(users);
        if (uids->map.count > 0)
                return ids;
        (void)value_free(ids);
        return value_new_null();
}

/* ---- what reset takes away ---- */

/* Whether the manifest on disk has the component run as the user that the table has for it. */
static bool runs_as(const struct phase *phase, const char *component, const char *user)
{
        char *path CLEANUP_FREE = xasprintf(MANIFEST_DIRECTORY "/%s.yaml", component), *text CLEANUP_FREE = NULL;
        struct value *pod CLEANUP_VALUE = NULL;
        int64_t uid;
        size_t len;

        return phase_read_file(phase, path, LIMIT_MANIFEST_BYTES, &text, &len, NULL) == 0 &&
               yaml_load_one(path, text, len, 0, &pod, NULL) == 0 &&
               value_int(value_get(pod, "spec", "securityContext", "runAsUser", NULL), &uid) == 0 &&
               uid == users_find(phase, user);
}

bool rootless_is_used(const struct phase *phase)
{
        const struct value *table = NULL;

        if (era_template(phase->era, TABLE, &table, NULL) < 0 || !value_is(table, VALUE_MAP))
                return false;
        for (size_t i = 0; i < table->map.count; i++) {
                const struct value_entry *e = &table->map.entries[i];
                const char *user = value_string(value_map_get(e->value, "user"), NULL);

                if (user && runs_as(phase, e->key, user))
                        return true;
        }
        return false;
}

int rootless_remove_users(struct phase *phase, struct err *err)
{
        struct strv users CLEANUP_STRV = STRV_INIT, groups CLEANUP_STRV = STRV_INIT;
        const struct value *table = NULL;
        int r = era_template(phase->era, TABLE, &table, err);

        if (r < 0)
                return r;
        const struct value *names = value_map_get(table, "users"), *rows = value_map_get(table, "groups");
        for (size_t i = 0; value_is(names, VALUE_LIST) && i < names->list.count; i++)
                strv_add(&users, value_string(names->list.items[i], ""));
        for (size_t i = 0; value_is(rows, VALUE_LIST) && i < rows->list.count; i++)
                strv_add(&groups, value_string(value_map_get(rows->list.items[i], "name"), ""));
        return users_remove(phase, &users, &groups, err);
}
