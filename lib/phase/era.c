/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/value_pack.h"
#include "codec/yaml.h"
#include "phase/embedded.h"
#include "phase/era.h"
#include "phase/era_rows.h"

/* Files whose rows make up the tables, in the order in which they count. */
static const char *const row_files[] = {"eras.yaml", "images.yaml", "addons.yaml"};

struct era_file {
        struct value *value; /* parsed or unpacked when first asked for; embedded tables are unpacked group by group */
        const char *shown;   /* its name in places; NULL before it was first looked at */
        bool in_dir;         /* read from the directory */
};

/* The rows of one component, read when it is first asked for: a phase needs few of them. */
struct group {
        char *component;
        struct era_row *rows; /* borrow from the files and from: */
        size_t count;
        struct value *unpacked[ARRAY_SIZE(row_files)]; /* what embedded tables have of it, or NULL */
};

struct table {
        struct group **groups;
        size_t count;
};

struct era {
        char *dir; /* NULL: embedded files alone */
        struct era_file *files;
        struct table *table;
        struct kube_version *known; /* versions.yaml, oldest first */
        size_t known_count;
        struct kube_version version;
        struct kube_version release; /* the same without its pre-release */
        struct kube_version etcd;
        bool has_version, has_etcd;
};

static void group_free(struct group *group)
{
        for (size_t i = 0; i < ARRAY_SIZE(group->unpacked); i++)
                value_free(group->unpacked[i]);
        free(group->rows);
        free(group->component);
        free(group);
}

struct era *era_free(struct era *era)
{
        if (!era)
                return NULL;
        for (size_t i = 0; i < embedded_file_count; i++)
                value_free(era->files[i].value);
        free(era->files);
        for (size_t i = 0; i < era->table->count; i++)
                group_free(era->table->groups[i]);
        free(era->table->groups);
        free(era->table);
        free(era->known);
        free(era->dir);
        free(era);
        return NULL;
}

/* The number of a file of the tree; embedded_file_count where there is none of that name. */
static size_t file_number(const char *name)
{
        size_t i = 0;

        while (i < embedded_file_count && strcmp(embedded_files[i].name, name) != 0)
                i++;
        return i;
}

/* Looks where file i is: parses it where the directory has it. */
static int find_file(const struct era *era, size_t i, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct era_file *file = &era->files[i];
        char *shown CLEANUP_FREE = xasprintf("templates/%s", embedded_files[i].name);

        if (file->shown)
                return 0;
        if (era->dir) {
                char *path CLEANUP_FREE = file_join(era->dir, embedded_files[i].name);
                struct err why = ERR_INIT;
                int r = file_read(path, &b, &why);
                if (r == 0)
                        r = yaml_load_one(path, buf_str(&b), b.len, 0, &file->value, &why);
                file->in_dir = r == 0;
                if (r == 0)
                        file->shown = value_place_file(path);
                if (r != -ENOENT)
                        return r == 0 ? 0 : err_set(err, why.code, "%s", why.msg);
        }
        file->shown = value_place_file(shown);
        return 0;
}

static int load_file(const struct era *era, const char *name, const struct value **ret, struct err *err)
{
        size_t i = file_number(name);
        struct era_file *file = &era->files[i];

        if (i == embedded_file_count)
                return err_set(err, ENOENT, "no template \"%s\"", name);
        int r = find_file(era, i, err);
        if (r < 0)
                return r;
        if (!file->value)
                file->value = value_unpack(embedded_files[i].data, embedded_files[i].len, file->shown);
        if (!file->value)
                return err_set(err, ERR_INVALID, "the embedded %s is damaged", name);
        *ret = file->value;
        return 0;
}

int era_template(const struct era *era, const char *name, const struct value **ret, struct err *err)
{
        return load_file(era, name, ret, err);
}

/* A file of another name would be without effect: most likely a typo. */
static int check_directory(const char *dir, struct err *err)
{
        DIR *d = opendir(dir);
        struct dirent *e;
        int r = 0;

        if (!d)
                return err_set_errno(err, errno, "--templates %s", dir);
        while (r == 0 && (e = readdir(d))) {
                const char *names[64];
                size_t count = 0;
                bool known = !str_ends(e->d_name, ".yaml");

                for (size_t i = 0; i < embedded_file_count; i++) {
                        known |= strcmp(embedded_files[i].name, e->d_name) == 0;
                        if (count < ARRAY_SIZE(names))
                                names[count++] = embedded_files[i].name;
                }
                const char *near = known ? NULL : str_did_you_mean(e->d_name, names, count);
                if (!known)
                        r = err_set(err, ERR_INVALID, "%s/%s: not the name of a template%s%s%s", dir, e->d_name,
                                    near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
        }
        (void)closedir(d);
        return r;
}

static int load_versions(struct era *era, struct err *err)
{
        const struct value *list = NULL;

        int r = load_file(era, "versions.yaml", &list, err);
        if (r < 0)
                return r;
        if (!value_is(list, VALUE_LIST) || list->list.count == 0)
                return value_error(&list->place, err, ERR_INVALID, "expected a list of versions");
        era->known = xcalloc(list->list.count, sizeof(*era->known));
        for (size_t i = 0; i < list->list.count; i++) {
                const struct value *v = list->list.items[i];
                struct err why = ERR_INIT;

                if (kube_version_parse(value_string(v, ""), false, &era->known[i], &why) < 0)
                        return value_error(&v->place, err, ERR_INVALID, "%s", why.msg);
                if (i > 0 && kube_version_compare(&era->known[i - 1], &era->known[i]) >= 0)
                        return value_error(&v->place, err, ERR_INVALID, "versions must be in order, oldest first");
                era->known_count++;
        }
        return 0;
}

static int read_group(const struct era *era, struct group *group, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(row_files); i++) {
                size_t number = file_number(row_files[i]);
                const struct embedded_file *embedded = &embedded_files[number];
                const struct value *list;
                int r = find_file(era, number, err);

                if (r < 0)
                        return r;
                list = value_map_get(era->files[number].value, group->component);
                if (!era->files[number].in_dir)
                        list = group->unpacked[i] = value_unpack_entry(embedded->data, embedded->len,
                                                                       era->files[number].shown, group->component);
                r = list ? era_rows_read(group->component, list, &group->rows, &group->count, err) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The rows of a component. An error can only be with the first look, which era_new does for what is in the directory;
 * what is embedded was read by the tests of this build. */
static int find_group(const struct era *era, const char *component, const struct group **ret, struct err *err)
{
        struct table *table = era->table;

        for (size_t i = 0; i < table->count; i++)
                if (strcmp(table->groups[i]->component, component) == 0) {
                        *ret = table->groups[i];
                        return 0;
                }
        struct group *group = xcalloc(1, sizeof(*group));
        group->component = xstrdup(component);
        table->groups = xrealloc(table->groups, table->count + 1, sizeof(*table->groups));
        table->groups[table->count++] = group;
        *ret = group;
        return read_group(era, group, err);
}

/* The tables of the directory are checked whole. */
static int check_tables(const struct era *era, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(row_files); i++) {
                size_t number = file_number(row_files[i]);
                int r = find_file(era, number, err);
                const struct value *groups = era->files[number].value;
                const struct group *group;

                if (r < 0)
                        return r;
                if (!era->files[number].in_dir)
                        continue;
                if (!value_is(groups, VALUE_MAP))
                        return value_error(&groups->place, err, ERR_INVALID, "expected a map of groups of rows");
                for (size_t k = 0; k < groups->map.count && r == 0; k++)
                        r = find_group(era, groups->map.entries[k].key, &group, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int era_new(const char *templates_dir, struct era **ret, struct err *err)
{
        struct era *era CLEANUP_ERA = xcalloc(1, sizeof(*era));
        int r = 0;

        era->files = xcalloc(embedded_file_count, sizeof(*era->files));
        era->table = xcalloc(1, sizeof(*era->table));
        if (templates_dir) {
                era->dir = xstrdup(templates_dir);
                r = check_directory(templates_dir, err);
        }
        if (r == 0)
                r = load_versions(era, err);
        if (r == 0 && templates_dir)
                r = check_tables(era, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(era);
        return 0;
}

int era_set_version(struct era *era, const struct kube_version *kubeadm, struct err *err)
{
        const struct kube_version *oldest = &era->known[0], *newest = &era->known[era->known_count - 1];
        char text[KUBE_VERSION_MAX];

        kube_version_text(kubeadm, text);
        for (size_t i = 0; i < era->known_count; i++) {
                if (era->known[i].major != kubeadm->major || era->known[i].minor != kubeadm->minor)
                        continue;
                era->version = era->release = *kubeadm;
                era->release.pre[0] = '\0';
                era->has_version = true;
                return 0;
        }
        return err_set(err, ERR_UNSUPPORTED, "kubeadm %s is not known: the tables cover %d.%d to %d.%d", text,
                       oldest->major, oldest->minor, newest->major, newest->minor);
}

const struct kube_version *era_version(const struct era *era)
{
        return &era->version;
}

const struct kube_version *era_oldest(const struct era *era)
{
        return &era->known[0];
}

int era_newest(const struct era *era, int minor, struct kube_version *ret, struct err *err)
{
        for (size_t i = era->known_count; i > 0; i--) {
                if (minor >= 0 && era->known[i - 1].minor != minor)
                        continue;
                *ret = era->known[i - 1];
                return 0;
        }
        return err_set(err, ERR_UNSUPPORTED,
                       "no kubeadm 1.%d is known: the tables cover %d.%d to %d.%d (--kubeadm-version chooses another)",
                       minor, era->known[0].major, era->known[0].minor, era->known[era->known_count - 1].major,
                       era->known[era->known_count - 1].minor);
}

void era_set_etcd(struct era *era, const struct kube_version *etcd)
{
        era->has_etcd = etcd != NULL;
        era->etcd = etcd ? *etcd : (struct kube_version){0};
}

static bool row_counts(const struct era *era, const struct era_row *row)
{
        if (!era->has_version || !era_range_contains(&row->kubeadm, &era->release))
                return false;
        if (!row->etcd.has_since && !row->etcd.has_until)
                return true;
        /* A tag that is no version is treated as older than all, as kubeadm does. */
        return era->has_etcd ? era_range_contains(&row->etcd, &era->etcd) : !row->etcd.has_since;
}

static const struct era_row *find(const struct era *era, const char *component, const char *path)
{
        const struct group *group;

        if (find_group(era, component, &group, NULL) < 0)
                return NULL;
        for (size_t i = group->count; i > 0; i--)
                if (strcmp(group->rows[i - 1].path, path) == 0 && row_counts(era, &group->rows[i - 1]))
                        return &group->rows[i - 1];
        return NULL;
}

const struct value *era_value(const struct era *era, const char *component, const char *path)
{
        const struct era_row *row = find(era, component, path);

        return row ? row->value : NULL;
}

const char *era_text(const struct era *era, const char *component, const char *path, const char *fallback)
{
        return value_string(era_value(era, component, path), fallback);
}

long era_number(const struct era *era, const char *component, const char *path, long fallback)
{
        const struct value *v = era_value(era, component, path);
        int64_t n;

        return v && v->kind == VALUE_NUMBER && value_int(v, &n) == 0 ? (long)n : fallback;
}

bool era_flag(const struct era *era, const char *component, const char *path)
{
        const struct value *v = era_value(era, component, path);

        return value_is(v, VALUE_BOOL) && v->boolean;
}

bool era_lists(const struct era *era, const char *component, const char *path, const char *text)
{
        const struct value *v = era_value(era, component, path);

        for (size_t i = 0; value_is(v, VALUE_LIST) && i < v->list.count; i++)
                if (str_eq(value_string(v->list.items[i], NULL), text))
                        return true;
        return false;
}

int era_each(const struct era *era, const char *component, const char *prefix, era_row_fn fn, void *userdata,
             struct err *err)
{
        const struct group *group;
        int r = find_group(era, component, &group, err);

        for (size_t i = 0; r == 0 && i < group->count; i++) {
                const struct era_row *row = &group->rows[i];
                const char *rest = str_after(row->path, prefix);

                if (!rest || !row_counts(era, row))
                        continue;
                r = fn(userdata, rest, row, err);
        }
        return r;
}

enum era_place era_place_kind(const struct era *era, const struct value_place *place)
{
        for (size_t i = 0; place->file && i < embedded_file_count; i++) {
                if (era->files[i].shown != place->file)
                        continue;
                for (size_t k = 0; k < ARRAY_SIZE(row_files); k++)
                        if (strcmp(row_files[k], embedded_files[i].name) == 0)
                                return ERA_PLACE_ROW;
                return ERA_PLACE_TEMPLATE;
        }
        return ERA_PLACE_NONE;
}
