/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "node/config_values.h"
#include "node/container_env.h"
#include "node/host.h"
#include "node/volume_files.h"

#define DATA "..data"
#define DATA_NEW "..data_tmp"
#define DIRECTORY_MODE 0755
/* What the group of fsGroup may do with files that nobody may write. */
#define GROUP_FILE_MODE 0440
#define GROUP_DIRECTORY_MODE (S_ISGID | 0110)

/* "..2024_05_01_12_00_00.123456789": never twice, and nobody's file name. */
static char *version_name(void)
{
        struct timespec now;
        struct tm tm;
        char text[32];

        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)gmtime_r(&now.tv_sec, &tm);
        (void)strftime(text, sizeof(text), "..%Y_%m_%d_%H_%M_%S", &tm);
        return xasprintf("%s.%09ld", text, now.tv_nsec);
}

/* First part of a path: what stands in the volume itself. Free it. */
static char *top_of(const char *path)
{
        return xstrndup(path, strcspn(path, "/"));
}

static int give_to_group(const char *path, mode_t mode, gid_t gid, struct err *err)
{
        if (lchown(path, (uid_t)-1, gid) < 0 || chmod(path, mode) < 0)
                return err_set_errno(err, errno, "giving %s to group %u", path, (unsigned)gid);
        return 0;
}

/* Directories between version and the file. */
static int make_directories(const char *version, const char *path, gid_t gid, struct err *err)
{
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                char *part CLEANUP_FREE = xasprintf("%s/%.*s", version, (int)(slash - path), path);
                int r = 0;

                if (mkdir(part, DIRECTORY_MODE) < 0 && errno != EEXIST)
                        return err_set_errno(err, errno, "making %s", part);
                if (gid != (gid_t)-1)
                        r = give_to_group(part, DIRECTORY_MODE | GROUP_DIRECTORY_MODE, gid, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_file(const char *version, const struct volume_file *file, gid_t gid, struct err *err)
{
        char *path CLEANUP_FREE = file_join(version, file->path);
        mode_t mode = gid == (gid_t)-1 ? file->mode : file->mode | GROUP_FILE_MODE;
        int fd CLEANUP_FD = -1;
        int r = make_directories(version, file->path, gid, err);

        if (r < 0)
                return r;
        fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return err_set_errno(err, errno, "making %s", path);
        r = fd_write_all(fd, file->data, file->len);
        if (r < 0)
                return err_set_errno(err, -r, "writing %s", path);
        if (gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid) < 0)
                return err_set_errno(err, errno, "changing the group of %s", path);
        if (fchmod(fd, mode) < 0)
                return err_set_errno(err, errno, "changing the mode of %s", path);
        return 0;
}

static bool is_wanted(const struct volume_file *files, size_t count, const char *name)
{
        for (size_t i = 0; i < count; i++) {
                char *top CLEANUP_FREE = top_of(files[i].path);

                if (str_eq(top, name))
                        return true;
        }
        return false;
}

/* Below a directory, whatever they are but directories. */
static size_t count_files(const char *directory)
{
        DIR *entries = opendir(directory);
        size_t count = 0;

        if (!entries)
                return 0;
        for (struct dirent *e; (e = readdir(entries));) {
                char *path CLEANUP_FREE = file_join(directory, e->d_name);
                struct stat st;

                if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, "..") && lstat(path, &st) == 0)
                        count += S_ISDIR(st.st_mode) ? count_files(path) : 1;
        }
        (void)closedir(entries);
        return count;
}

/* The version that the volume shows, where that is what is wanted: the same files with the same bytes and modes, and no
 * others. NULL else. */
static char *shown_version(const char *directory, const struct volume_file *files, size_t count, gid_t gid)
{
        char *data CLEANUP_FREE = file_join(directory, DATA);
        char version[NAME_MAX + 1];
        ssize_t len = readlink(data, version, sizeof(version) - 1);
        bool same = len > 0 && file_exists(data) && count_files(data) == count;

        for (size_t i = 0; same && i < count; i++) {
                char *path CLEANUP_FREE = file_join(data, files[i].path);
                struct buf text CLEANUP_BUF = BUF_INIT(files[i].len + 1);
                mode_t mode = gid == (gid_t)-1 ? files[i].mode : files[i].mode | GROUP_FILE_MODE;
                struct stat st;

                same = stat(path, &st) == 0 && (st.st_mode & 07777) == mode && file_read(path, &text, NULL) >= 0 &&
                       text.len == files[i].len && memcmp(buf_str(&text), files[i].data, text.len) == 0;
        }
        return same ? xstrndup(version, (size_t)len) : NULL;
}

static int make_link(const char *directory, const char *name, struct err *err)
{
        char *link CLEANUP_FREE = file_join(directory, name);
        char *target CLEANUP_FREE = xasprintf(DATA "/%s", name);

        if (symlink(target, link) < 0 && errno != EEXIST)
                return err_set_errno(err, errno, "making the link %s", link);
        return 0;
}

/* Names of files that are no more, and versions but the one that is shown. */
static int remove_others(const char *directory, const struct volume_file *files, size_t count, const char *version,
                         struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        DIR *entries = opendir(directory);
        const char *name;
        int r = 0;

        if (!entries)
                return err_set_errno(err, errno, "opening %s", directory);
        for (struct dirent *e; (e = readdir(entries));)
                if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, "..") && !str_eq(e->d_name, DATA) &&
                    !str_eq(e->d_name, version) && !is_wanted(files, count, e->d_name))
                        strv_add(&names, e->d_name);
        (void)closedir(entries);
        STRV_FOREACH (name, &names) {
                char *path CLEANUP_FREE = file_join(directory, name);

                if (r >= 0)
                        r = file_remove_tree(path, err);
        }
        return r < 0 ? r : 0;
}

static int show(const char *directory, const char *version, struct err *err)
{
        char *data CLEANUP_FREE = file_join(directory, DATA), *fresh CLEANUP_FREE = file_join(directory, DATA_NEW);

        (void)unlink(fresh); /* of a try that was cut short */
        if (symlink(version, fresh) < 0 || rename(fresh, data) < 0)
                return err_set_errno(err, errno, "making the link %s", data);
        return 0;
}

/* Writes all of it as a version of its own and shows that. */
static int write_version(const char *directory, const char *version, const struct volume_file *files, size_t count,
                         gid_t gid, struct err *err)
{
        char *path CLEANUP_FREE = file_join(directory, version);
        int r = 0;

        if (mkdir(path, DIRECTORY_MODE) < 0 || chmod(path, DIRECTORY_MODE) < 0)
                return err_set_errno(err, errno, "making %s", path);
        if (gid != (gid_t)-1)
                r = give_to_group(path, DIRECTORY_MODE | GROUP_DIRECTORY_MODE, gid, err);
        for (size_t i = 0; r >= 0 && i < count; i++)
                r = write_file(path, &files[i], gid, err);
        return r < 0 ? r : show(directory, version, err);
}

int volume_files_write(const char *directory, const struct volume_file *files, size_t count, gid_t gid, struct err *err)
{
        char *version CLEANUP_FREE = shown_version(directory, files, count, gid);
        int r = 0;

        if (!version) {
                version = version_name();
                r = write_version(directory, version, files, count, gid, err);
        }
        /* Also of what is shown already: who showed it may have been killed before the rest. */
        for (size_t i = 0; r >= 0 && i < count; i++) {
                char *top CLEANUP_FREE = top_of(files[i].path);
                r = make_link(directory, top, err);
        }
        return r < 0 ? r : remove_others(directory, files, count, version, err);
}

/* --- the files of a pod --------------------------------------------------------------------------------------- */

/* What *ret_files (free it, also after an error) points to is in texts and in the documents. */
static int collect(const struct host *host, const struct pod *pod, const struct pod_volume *volume, struct strv *texts,
                   struct volume_file **ret_files, size_t *ret_count, struct err *err)
{
        struct volume_file *files = xcalloc(volume->file_count + 1, sizeof(*files));
        int r = 0;

        *ret_files = files;
        *ret_count = volume->file_count;
        for (size_t i = 0; r >= 0 && i < volume->file_count; i++) {
                const struct pod_volume_file *file = &volume->files[i];
                char *text CLEANUP_FREE = NULL;

                r = container_env_ref(host, pod, NULL, "", &file->source, &text, err);
                if (r < 0)
                        (void)err_wrap(err, "%s", file->path);
                else
                        strv_add(texts, text);
        }
        for (size_t i = 0; r >= 0 && i < volume->file_count; i++)
                files[i] = (struct volume_file){
                        .path = volume->files[i].path,
                        .data = texts->items[i],
                        .len = strlen(texts->items[i]),
                        .mode = (mode_t)(volume->files[i].mode < 0 ? volume->default_mode : volume->files[i].mode),
                };
        return r < 0 ? r : config_files(host, pod, volume, ret_files, ret_count, err);
}

int volume_files_of_pod(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                        const char *directory, gid_t gid, struct err *err)
{
        struct strv texts CLEANUP_STRV = STRV_INIT;
        struct volume_file *files;
        size_t count;
        int r = collect(host, pod, volume, &texts, &files, &count, err);

        if (r >= 0)
                r = volume_files_write(directory, files, count, gid, err);
        free(files);
        return r;
}

int volume_files_check(const struct host *host, const struct pod *pod, const struct pod_volume *volume, struct err *err)
{
        struct strv texts CLEANUP_STRV = STRV_INIT;
        struct volume_file *files;
        size_t count;
        int r = collect(host, pod, volume, &texts, &files, &count, err);

        free(files);
        return r;
}
