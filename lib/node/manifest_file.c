/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "node/manifest_file.h"
#include "node/manifest_fs.h"

#define NSEC_PER_SEC 1000000000ULL

static bool all_digits(const char *name)
{
        return *name && name[strspn(name, "0123456789")] == '\0';
}

enum manifest_name manifest_name_class(const char *name)
{
        static const char *const taken[] = {".yaml", ".yml", ".json"};
        static const char *const backup[] = {"~",         ".bak",      ".old",       ".orig",   ".save",    ".swp",
                                             ".swo",      ".swx",      ".tmp",       ".rej",    ".rpmsave", ".rpmnew",
                                             ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".backup", ".rpmorig"};

        if (name[0] == '.')
                return MANIFEST_NAME_HIDDEN;
        if (name[0] == '#')
                return MANIFEST_NAME_BACKUP;
        for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
                if (str_ends(name, taken[i]) && strlen(name) > strlen(taken[i]))
                        return MANIFEST_NAME_TAKEN;
        for (size_t i = 0; i < ARRAY_SIZE(backup); i++)
                if (str_ends(name, backup[i]))
                        return MANIFEST_NAME_BACKUP;
        /* vim tries whether it may write here with a file of this kind (4913, 5036, ...). */
        if (all_digits(name))
                return MANIFEST_NAME_BACKUP;
        return MANIFEST_NAME_OTHER;
}

const char *manifest_name_why(enum manifest_name class)
{
        switch (class) {
        case MANIFEST_NAME_HIDDEN:
                return "a hidden file";
        case MANIFEST_NAME_BACKUP:
                return "a backup or temporary file";
        case MANIFEST_NAME_OTHER:
                return "not named .yaml, .yml or .json";
        case MANIFEST_NAME_TAKEN:
        case MANIFEST_NAME_MAX:
                break;
        }
        return "";
}

void manifest_stat_from(struct manifest_stat *ret, const struct stat *st)
{
        *ret = (struct manifest_stat){
                .device = st->st_dev,
                .inode = st->st_ino,
                .size = st->st_size,
                .mtime_nsec = (uint64_t)st->st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_mtim.tv_nsec,
                .ctime_nsec = (uint64_t)st->st_ctim.tv_sec * NSEC_PER_SEC + (uint64_t)st->st_ctim.tv_nsec,
        };
}

bool manifest_stat_equal(const struct manifest_stat *a, const struct manifest_stat *b)
{
        return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_nsec == b->mtime_nsec &&
               a->ctime_nsec == b->ctime_nsec;
}

static int read_all(int fd, const char *name, struct buf *out, struct err *err)
{
        char chunk[16384];
        off_t at = 0;

        for (;;) {
                ssize_t n = manifest_fs_read(fd, chunk, sizeof(chunk), at);

                if (n < 0)
                        return err_set_errno(err, (int)-n, "reading %s", name);
                if (n == 0)
                        return buf_check(out, name, err);
                at += n;
                buf_add(out, chunk, (size_t)n);
                if (out->failed)
                        return buf_check(out, name, err);
        }
}

int manifest_file_read(int directory_fd, const char *name, struct manifest_stat *ret_stat, struct buf *out,
                       struct err *err)
{
        int fd CLEANUP_FD = manifest_fs_open_file(directory_fd, name);
        struct manifest_stat before, after;
        struct stat st;
        int r = fd < 0 ? fd : manifest_fs_stat_open(fd, &st);

        if (r < 0)
                return err_set_errno(err, -r, "opening %s", name);
        if (!S_ISREG(st.st_mode))
                return err_set(err, ERR_INVALID, "%s is not a regular file", name);
        if (manifest_fs_is_written(fd))
                return MANIFEST_READ_BUSY;
        r = manifest_fs_stat_open(fd, &st);
        if (r < 0)
                return err_set_errno(err, -r, "looking at %s", name);
        manifest_stat_from(&before, &st);
        if ((uint64_t)before.size > out->max)
                return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", name, out->max);
        r = read_all(fd, name, out, err);
        if (r < 0)
                return r;
        r = manifest_fs_stat_open(fd, &st);
        if (r < 0)
                return err_set_errno(err, -r, "looking at %s", name);
        manifest_stat_from(&after, &st);
        if (!manifest_stat_equal(&before, &after))
                return MANIFEST_READ_BUSY;
        *ret_stat = after;
        return MANIFEST_READ_DONE;
}
