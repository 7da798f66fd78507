/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/line_diff.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "kube/pod.h"
#include "node/pod_fields.h"
#include "node/pod_find.h"
#include "node/revision.h"
#include "node/revision_history.h"

/* Versions of one pod that are looked at; revisionHistoryLimit bounds them when they are written. */
#define NUMBERS_MAX 10000
/* Fields that the table names of one version. */
#define FIELDS_SHOWN 3

void revision_pod_release(struct revision_pod *pod)
{
        free(pod->namespace);
        free(pod->name);
        free(pod->node_name);
        free(pod->file);
        free(pod->numbers);
        *pod = (struct revision_pod){0};
}

/* --- finding ------------------------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
        unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

        return x < y ? -1 : x > y;
}

/* The numbers whose pod and manifest are both there. */
static void read_numbers(const char *directory, struct revision_pod *pod)
{
        DIR *stream = opendir(directory);

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream)) && pod->count < NUMBERS_MAX;) {
                unsigned number = revision_file_number(e->d_name);
                char *raw CLEANUP_FREE = xasprintf("%s/%u.raw", directory, number);

                if (!number || !str_ends(e->d_name, ".json") || !file_exists(raw))
                        continue;
                pod->numbers = xrealloc(pod->numbers, pod->count + 1, sizeof(*pod->numbers));
                pod->numbers[pod->count++] = number;
        }
        (void)closedir(stream);
        if (pod->count > 1)
                qsort(pod->numbers, pod->count, sizeof(*pod->numbers), by_number);
}

static void list_directories(struct revisions *revisions, struct strv *names)
{
        DIR *stream = opendir(revisions_directory(revisions));

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream)) && names->len < LIMIT_PODS * 10;)
                if (e->d_name[0] != '.' && strchr(e->d_name, '_'))
                        strv_add(names, e->d_name);
        (void)closedir(stream);
        strv_sort(names);
}

/* false: nothing is kept of it. */
static bool read_pod(struct revisions *revisions, const char *directory, struct revision_pod *ret)
{
        char *path CLEANUP_FREE = xasprintf("%s/%s", revisions_directory(revisions), directory);
        struct revision_pod pod = {.namespace = xstrndup(directory, strcspn(directory, "_"))};
        struct revision current = {0};
        struct pod *newest CLEANUP_POD = NULL;
        struct err err = ERR_INIT;

        pod.name = xstrdup(strchr(directory, '_') + 1);
        read_numbers(path, &pod);
        if (pod.count == 0) {
                revision_pod_release(&pod);
                return false;
        }
        if (revision_current(revisions, pod.namespace, pod.name, &current, &err) == 0) {
                pod.current = current.number;
                pod.file = TAKE_PTR(current.file);
        }
        revision_release(&current);
        err_clear(&err);
        if (revision_load(revisions, pod.namespace, pod.name, pod.numbers[pod.count - 1], &newest, &err) == 0)
                pod.node_name = xstrdup(newest->node_name ? newest->node_name : "");
        *ret = pod;
        return true;
}

int revision_history_find(struct revisions *revisions, const char *word, struct revision_pod *ret, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        struct pod_search search = {.word = word};
        size_t index;
        int r;

        list_directories(revisions, &names);
        for (size_t i = 0; i < names.len; i++) {
                struct revision_pod pod CLEANUP_REVISION_POD = {0};

                if (read_pod(revisions, names.items[i], &pod))
                        pod_search_offer(&search, pod.namespace, pod.name, pod.node_name, i);
        }
        r = pod_search_end(&search, &index, err);
        if (r == -ENOENT)
                return err_wrap(err, "%s", revisions_directory(revisions));
        if (r == 0 && !read_pod(revisions, names.items[index], ret))
                return err_set(err, ENOENT, "the versions of %s are gone", names.items[index]);
        return r;
}

void revision_history_keys(struct revisions *revisions, struct buf *out)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        list_directories(revisions, &names);
        STRV_FOREACH (name, &names)
                buf_addf(out, "%.*s/%s\n", (int)strcspn(name, "_"), name, strchr(name, '_') + 1);
}

/* --- one version -------------------------------------------------------------------------------------------------- */

int revision_history_raw(struct revisions *revisions, const struct revision_pod *pod, unsigned number, struct buf *out,
                         usec_t *ret_wall, struct err *err)
{
        char *path CLEANUP_FREE =
                xasprintf("%s/%s_%s/%u.raw", revisions_directory(revisions), pod->namespace, pod->name, number);
        struct stat st;
        int r = file_read(path, out, err);

        if (r == -ENOENT)
                return err_set(err, ENOENT, "no revision %u of %s/%s is kept: there are %u to %u", number,
                               pod->namespace, pod->name, pod->numbers[0], pod->numbers[pod->count - 1]);
        if (r >= 0 && ret_wall && stat(path, &st) == 0)
                *ret_wall = (usec_t)st.st_mtim.tv_sec * USEC_PER_SEC + (usec_t)st.st_mtim.tv_nsec / 1000;
        return r;
}

unsigned revision_history_before(const struct revision_pod *pod, unsigned number)
{
        unsigned before = 0;

        for (size_t i = 0; i < pod->count && pod->numbers[i] < number; i++)
                before = pod->numbers[i];
        return before;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

static cJSON *changed_fields(const struct pod *before, const struct pod *after)
{
        cJSON *paths = cJSON_CreateArray(), *fields, *field;

        if (!before)
                return paths;
        fields = pod_fields_diff(before, after);
        cJSON_ArrayForEach (field, fields)
                cJSON_AddItemToArray(paths, cJSON_CreateString(cjson_text(field, "field", "")));
        cJSON_Delete(fields);
        return paths;
}

static cJSON *one_revision(struct revisions *revisions, const struct revision_pod *pod, unsigned number,
                           struct pod **before)
{
        struct buf raw CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct pod *loaded CLEANUP_POD = NULL;
        cJSON *item = cJSON_CreateObject();
        struct err err = ERR_INIT;
        char time[TIMEFMT_MAX];
        usec_t wall = 0;

        cJSON_AddNumberToObject(item, "revision", number);
        if (revision_history_raw(revisions, pod, number, &raw, &wall, &err) >= 0) {
                timefmt_seconds(wall, time);
                cJSON_AddStringToObject(item, "time", time);
        }
        cJSON_AddBoolToObject(item, "current", number == pod->current);
        if (revision_load(revisions, pod->namespace, pod->name, number, &loaded, &err) < 0) {
                cJSON_AddStringToObject(item, "damaged", err.msg);
                return item;
        }
        cJSON_AddItemToObject(item, "changed", changed_fields(*before, loaded));
        *before = pod_unref(*before);
        *before = TAKE_PTR(loaded);
        return item;
}

int revision_history_json(struct revisions *revisions, const struct revision_pod *pod, struct cJSON **ret,
                          struct err *err)
{
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        struct pod *before CLEANUP_POD = NULL;
        cJSON *object = cJSON_CreateObject(), *list = cJSON_CreateArray();

        (void)err;
        cJSON_AddStringToObject(object, "pod", key);
        if (pod->file)
                cJSON_AddStringToObject(object, "file", pod->file);
        for (size_t i = 0; i < pod->count; i++)
                cJSON_AddItemToArray(list, one_revision(revisions, pod, pod->numbers[i], &before));
        cJSON_AddItemToObject(object, "revisions", list);
        *ret = object;
        return 0;
}

static void print_changes(const cJSON *changed, bool first, struct buf *out)
{
        int count = cJSON_GetArraySize(changed), shown = 0;
        const cJSON *path;

        if (count == 0)
                buf_addstr(out, first ? "first that is kept" : "no field");
        cJSON_ArrayForEach (path, changed) {
                if (shown == FIELDS_SHOWN)
                        break;
                buf_addf(out, "%s%s", shown++ ? ", " : "", cJSON_GetStringValue(path));
        }
        if (count > FIELDS_SHOWN)
                buf_addf(out, " and %d more", count - FIELDS_SHOWN);
}

void revision_history_table(const struct cJSON *history, usec_t now_wall, struct buf *out)
{
        const cJSON *item;
        bool first = true;

        buf_addf(out, "%s  %s\n", cjson_text(history, "pod", ""), cjson_text(history, "file", "(removed)"));
        buf_addf(out, "%-10s%-8s%-10s%s\n", "REVISION", "AGE", "STATE", "CHANGED");
        cJSON_ArrayForEach (item, cjson_get(history, "revisions", NULL)) {
                char age[TIMEFMT_MAX] = "";
                usec_t wall = 0;

                if (timefmt_parse(cjson_text(item, "time", ""), &wall) == 0)
                        duration_human(usec_sub(now_wall, wall), age);
                buf_addf(out, "%-10" PRId64 "%-8s%-10s", cjson_int(item, "revision", 0), age,
                         cjson_bool(item, "current") ? "in force" : "");
                if (cjson_text(item, "damaged", NULL))
                        buf_addstr(out, "(damaged)");
                else
                        print_changes(cjson_get(item, "changed", NULL), first, out);
                buf_addch(out, '\n');
                first = false;
        }
}

/* --- differences -------------------------------------------------------------------------------------------------- */

static int read_side(struct revisions *revisions, const struct revision_pod *pod, unsigned number, struct buf *out,
                     char **ret_name, struct err *err)
{
        if (number > 0) {
                *ret_name = xasprintf("%s/%s revision %u", pod->namespace, pod->name, number);
                return revision_history_raw(revisions, pod, number, out, NULL, err);
        }
        if (!pod->file)
                return err_set(err, ENOENT, "no manifest is in force for %s/%s", pod->namespace, pod->name);
        *ret_name = xstrdup(pod->file);
        return file_read(pod->file, out, err);
}

int revision_history_diff(struct revisions *revisions, const struct revision_pod *pod, unsigned from, unsigned to,
                          struct buf *out, struct err *err)
{
        struct buf a CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES), b CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        char *name_a CLEANUP_FREE = NULL, *name_b CLEANUP_FREE = NULL;
        int r = read_side(revisions, pod, from, &a, &name_a, err);

        if (r >= 0)
                r = read_side(revisions, pod, to, &b, &name_b, err);
        if (r < 0)
                return r;
        line_diff(name_a, buf_str(&a), a.len, name_b, buf_str(&b), b.len, out);
        return buf_check(out, "the difference", err);
}

int revision_history_fields(struct revisions *revisions, const struct revision_pod *pod, unsigned from, unsigned to,
                            struct cJSON **ret, struct err *err)
{
        struct pod *a CLEANUP_POD = NULL, *b CLEANUP_POD = NULL;
        int r = revision_load(revisions, pod->namespace, pod->name, from, &a, err);

        if (r >= 0)
                r = revision_load(revisions, pod->namespace, pod->name, to, &b, err);
        if (r < 0)
                return r;
        *ret = pod_fields_diff(a, b);
        return 0;
}
