/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "node/revision.h"

/* Manifests may hold what only root should read (an argument with a password). */
#define DIRECTORY_MODE 0700
#define FILE_MODE 0600
/* The `current` file: a path and two hashes. */
#define CURRENT_BYTES (64 * 1024)

struct revisions {
        char *directory; /* <state>/pods */
        unsigned kept;
};

struct revisions *revisions_new(const char *state_dir, unsigned kept)
{
        struct revisions *r = xcalloc(1, sizeof(*r));

        r->directory = xasprintf("%s/pods", state_dir);
        r->kept = kept ? kept : REVISIONS_KEPT;
        return r;
}

struct revisions *revisions_free(struct revisions *revisions)
{
        if (!revisions)
                return NULL;
        free(revisions->directory);
        free(revisions);
        return NULL;
}

void revision_release(struct revision *revision)
{
        free(revision->file);
        revision->pod = pod_unref(revision->pod);
        *revision = (struct revision){0};
}

/* Neither part holds a slash or begins with a dot: both were validated as Kubernetes names. */
static char *pod_directory(const struct revisions *r, const char *namespace, const char *name)
{
        return xasprintf("%s/%s_%s", r->directory, namespace, name);
}

const char *revisions_directory(const struct revisions *revisions)
{
        return revisions->directory;
}

unsigned revision_file_number(const char *file)
{
        size_t digits = strspn(file, "0123456789");
        char text[16];
        int number;

        if (digits == 0 || digits >= sizeof(text) ||
            (!str_eq(file + digits, ".json") && !str_eq(file + digits, ".raw")))
                return 0;
        (void)snprintf(text, sizeof(text), "%.*s", (int)digits, file);
        return str_to_int(text, 1, 1000000000, &number) < 0 ? 0 : (unsigned)number;
}

/* Highest number there is, 0 without. */
static unsigned highest_number(const char *directory)
{
        DIR *stream = opendir(directory);
        unsigned highest = 0;

        if (!stream)
                return 0;
        for (struct dirent *e; (e = readdir(stream));) {
                unsigned number = revision_file_number(e->d_name);

                if (number > highest)
                        highest = number;
        }
        (void)closedir(stream);
        return highest;
}

/* Removes the files of these numbers, but for two. */
static void remove_numbers(const char *directory, unsigned first, unsigned last, unsigned but, unsigned and_but)
{
        DIR *stream = opendir(directory);

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream));) {
                unsigned number = revision_file_number(e->d_name);

                if (number >= first && number <= last && number != but && number != and_but)
                        (void)unlinkat(dirfd(stream), e->d_name, 0);
        }
        (void)closedir(stream);
}

static int write_file(const char *directory, const char *name, const char *data, size_t len, unsigned flags,
                      struct err *err)
{
        char *path CLEANUP_FREE = file_join(directory, name);
        int r = file_write_atomic(path, data, len, FILE_MODE, flags, err);

        return r < 0 ? r : 0;
}

static int write_current(const char *directory, const struct pod *pod, const char *file, unsigned number,
                         unsigned flags, struct err *err)
{
        cJSON *object = cJSON_CreateObject();
        char *text;
        int r;

        cJSON_AddItemToObject(object, "revision", cJSON_CreateNumber(number));
        cJSON_AddItemToObject(object, "file", cJSON_CreateString(file));
        cJSON_AddItemToObject(object, "uid", cJSON_CreateString(pod->uid));
        cJSON_AddItemToObject(object, "specHash", cJSON_CreateString(pod->spec_hash));
        text = cJSON_PrintUnformatted(object);
        cJSON_Delete(object);
        if (!text)
                return err_set(err, ENOMEM, "writing %s/current: out of memory", directory);
        r = write_file(directory, "current", text, strlen(text), flags, err);
        cJSON_free(text);
        return r;
}

/* The `current` file: 1 where there is none. */
static int read_current(const char *path, cJSON **ret, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(CURRENT_BYTES);
        cJSON *object CLEANUP_CJSON = NULL;
        int r;

        r = file_read(path, &text, err);
        if (r == -ENOENT) {
                err_clear(err);
                return 1;
        }
        if (r < 0)
                return r;
        object = cJSON_ParseWithLength(buf_str(&text), text.len);
        if (!cjson_text(object, "file", NULL) || !cjson_text(object, "specHash", NULL))
                return err_set(err, ERR_INVALID, "%s is damaged", path);
        *ret = TAKE_PTR(object);
        return 0;
}

/* The number in `current`, 0 where nothing is. */
static unsigned current_number(const char *directory)
{
        char *path CLEANUP_FREE = file_join(directory, "current");
        cJSON *object CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        return read_current(path, &object, &err) == 0 ? (unsigned)cjson_int(object, "revision", 0) : 0;
}

static int write_version(const char *directory, const struct pod *pod, const char *file, const char *raw,
                         size_t raw_len, unsigned number, struct err *err)
{
        char name[32];
        int r;

        (void)snprintf(name, sizeof(name), "%u.raw", number);
        r = write_file(directory, name, raw, raw_len, FILE_WRITE_NO_SYNC, err);
        if (r < 0)
                return r;
        (void)snprintf(name, sizeof(name), "%u.json", number);
        r = write_file(directory, name, pod->json, pod->json_len, FILE_WRITE_NO_SYNC, err);
        if (r < 0)
                return r;
        return write_current(directory, pod, file, number, FILE_WRITE_NO_SYNC, err);
}

int revision_save(struct revisions *revisions, const struct pod *pod, const char *file, const char *raw, size_t raw_len,
                  unsigned above, unsigned spared, unsigned *ret_number, struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, pod->namespace, pod->name);
        unsigned highest = highest_number(directory), number = (highest > above ? highest : above) + 1;
        unsigned before;
        int r;

        *ret_number = number;
        r = file_mkdir_p(directory, DIRECTORY_MODE, err);
        if (r < 0)
                return r;
        before = current_number(directory);
        r = write_version(directory, pod, file, raw, raw_len, number, err);
        if (r < 0) {
                remove_numbers(directory, number, number, 0, 0); /* half of it would keep its number from the rest */
                return r;
        }
        if (number > revisions->kept)
                remove_numbers(directory, 1, number - revisions->kept, before, spared);
        return 0;
}

/* -1 where it is not there: fd_sync_all passes over it. */
static int open_to_sync(const char *directory, const char *name)
{
        char *path CLEANUP_FREE = file_join(directory, name);

        return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

int revision_sync(struct revisions *revisions, const struct pod *pod, unsigned number, struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, pod->namespace, pod->name);
        struct strv directories CLEANUP_STRV = STRV_INIT;
        char raw[32], json[32];
        size_t failed = 0;
        int fds[3], r;

        (void)snprintf(raw, sizeof(raw), "%u.raw", number);
        (void)snprintf(json, sizeof(json), "%u.json", number);
        fds[0] = open_to_sync(directory, raw);
        fds[1] = open_to_sync(directory, json);
        fds[2] = open_to_sync(directory, "current");
        r = fd_sync_all(fds, ARRAY_SIZE(fds), &failed);
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                (void)fd_close(fds[i]);
        strv_add(&directories, directory);
        strv_add(&directories, revisions->directory);
        if (r == 0 && file_exists(directory))
                r = file_sync_directories(&directories, &failed);
        return r < 0 ? err_set_errno(err, -r, "syncing version %u in %s", number, directory) : 0;
}

int revision_set_current(struct revisions *revisions, const struct pod *pod, const char *file, unsigned number,
                         struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, pod->namespace, pod->name);

        return write_current(directory, pod, file, number, 0, err);
}

int revision_load(struct revisions *revisions, const char *namespace, const char *name, unsigned number,
                  struct pod **ret, struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, namespace, name);
        char *path CLEANUP_FREE = xasprintf("%s/%u.json", directory, number);
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r;

        r = file_read(path, &text, err);
        if (r < 0)
                return r;
        r = pod_from_json(buf_str(&text), text.len, ret, err);
        if (r < 0)
                return err_wrap(err, "%s", path);
        return 0;
}

int revision_current(struct revisions *revisions, const char *namespace, const char *name, struct revision *ret,
                     struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, namespace, name);
        char *path CLEANUP_FREE = xasprintf("%s/current", directory);
        struct pod *pod CLEANUP_POD = NULL;
        cJSON *object CLEANUP_CJSON = NULL;
        int64_t number;
        int r;

        r = read_current(path, &object, err);
        if (r != 0)
                return r;
        number = cjson_int(object, "revision", 0);
        r = revision_load(revisions, namespace, name, (unsigned)number, &pod, err);
        if (r == 0 && (!str_eq(pod->spec_hash, cjson_text(object, "specHash", NULL)) ||
                       !str_eq(pod->uid, cjson_text(object, "uid", NULL))))
                r = err_set(err, ERR_INVALID, "%s/%u.json is not what `current` names", directory, (unsigned)number);
        if (r == 0) {
                ret->number = (unsigned)number;
                ret->file = xstrdup(cjson_text(object, "file", ""));
                ret->pod = TAKE_PTR(pod);
        }
        return r;
}

int revision_forget(struct revisions *revisions, const char *namespace, const char *name, struct err *err)
{
        char *directory CLEANUP_FREE = pod_directory(revisions, namespace, name);
        char *path CLEANUP_FREE = xasprintf("%s/current", directory);

        if (unlink(path) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", path);
        return 0;
}

void revisions_each(struct revisions *revisions, revision_fn fn, void *userdata)
{
        DIR *stream = opendir(revisions->directory);
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *directory;

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream)) && names.len < LIMIT_PODS * 10;)
                if (e->d_name[0] != '.' && strchr(e->d_name, '_'))
                        strv_add(&names, e->d_name);
        (void)closedir(stream);
        strv_sort(&names);
        STRV_FOREACH (directory, &names) {
                char *namespace CLEANUP_FREE = xstrndup(directory, strcspn(directory, "_"));
                struct revision revision = {0};
                struct err err = ERR_INIT;
                int r = revision_current(revisions, namespace, strchr(directory, '_') + 1, &revision, &err);

                if (r <= 0)
                        fn(userdata, directory, r == 0 ? &revision : NULL, r == 0 ? NULL : &err);
                revision_release(&revision);
        }
}
