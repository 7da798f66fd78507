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
#include "codec/yaml.h"
#include "phase/embedded.h"
#include "phase/era.h"
#include "phase/era_rows.h"

/* Files whose rows make up the tables, in the order in which they count. The second half of a pair begins the
 * names of the groups that the file is for: the embedded file is read when one of them is first asked for, as most
 * phases never do. */
static const struct row_file {
        const char *name, *group;
} row_files[] = {
        {"eras.yaml", NULL},
        {"images.yaml", "images"},
        {"addons.yaml", "addon-"},
};

struct era_file {
        const char *name;
        struct value *value; /* parsed when first asked for */
};

struct table {
        struct era_row *rows;
        size_t count;
        bool file_read[ARRAY_SIZE(row_files)];
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

struct era *era_free(struct era *era)
{
        if (!era)
                return NULL;
        for (size_t i = 0; i < embedded_file_count; i++)
                value_free(era->files[i].value);
        free(era->files);
        free(era->table->rows);
        free(era->table);
        free(era->known);
        free(era->dir);
        free(era);
        return NULL;
}

static int parse_file(const struct era *era, size_t i, struct value **ret, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        char *shown CLEANUP_FREE = xasprintf("templates/%s", embedded_files[i].name);

        if (era->dir) {
                char *path CLEANUP_FREE = file_join(era->dir, embedded_files[i].name);
                struct err why = ERR_INIT;
                int r = file_read(path, &b, &why);
                if (r == 0)
                        return yaml_load_one(path, buf_str(&b), b.len, 0, ret, err);
                if (r != -ENOENT)
                        return err_set(err, why.code, "%s", why.msg);
        }
        return yaml_load_one(shown, embedded_files[i].data, embedded_files[i].len, 0, ret, err);
}

static int load_file(const struct era *era, const char *name, const struct value **ret, struct err *err)
{
        for (size_t i = 0; i < embedded_file_count; i++) {
                struct era_file *file = &era->files[i];

                if (strcmp(embedded_files[i].name, name) != 0)
                        continue;
                if (!file->value) {
                        int r = parse_file(era, i, &file->value, err);
                        if (r < 0)
                                return r;
                }
                *ret = file->value;
                return 0;
        }
        return err_set(err, ENOENT, "no template \"%s\"", name);
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

static int read_rows(const struct era *era, size_t i, struct err *err)
{
        const struct value *groups = NULL;
        int r = load_file(era, row_files[i].name, &groups, err);

        if (r == 0)
                r = era_rows_read(groups, &era->table->rows, &era->table->count, err);
        era->table->file_read[i] = true;
        return r;
}

/* The embedded file of a group that is asked for the first time. It was parsed by the tests of this build. */
static void read_late(const struct era *era, const char *component)
{
        for (size_t i = 0; i < ARRAY_SIZE(row_files); i++)
                if (!era->table->file_read[i] && row_files[i].group && str_after(component, row_files[i].group))
                        (void)read_rows(era, i, NULL);
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
        for (size_t i = 0; i < ARRAY_SIZE(row_files) && r == 0; i++)
                if (!row_files[i].group || templates_dir)
                        r = read_rows(era, i, err);
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
        read_late(era, component);
        for (size_t i = era->table->count; i > 0; i--) {
                const struct era_row *row = &era->table->rows[i - 1];
                if (strcmp(row->path, path) == 0 && strcmp(row->component, component) == 0 && row_counts(era, row))
                        return row;
        }
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
        for (size_t i = 0; i < era->table->count; i++) {
                const struct era_row *row = &era->table->rows[i];
                const char *rest = str_after(row->path, prefix);

                if (!rest || strcmp(row->component, component) != 0 || !row_counts(era, row))
                        continue;
                int r = fn(userdata, rest, row, err);
                if (r != 0)
                        return r;
        }
        return 0;
}

enum era_place era_place_kind(const struct era *era, const struct value_place *place)
{
        for (size_t i = 0; place->file && i < embedded_file_count; i++) {
                if (!era->files[i].value || era->files[i].value->place.file != place->file)
                        continue;
                for (size_t k = 0; k < ARRAY_SIZE(row_files); k++)
                        if (strcmp(row_files[k].name, embedded_files[i].name) == 0)
                                return ERA_PLACE_ROW;
                return ERA_PLACE_TEMPLATE;
        }
        return ERA_PLACE_NONE;
}
