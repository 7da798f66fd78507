/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "model_dir_private.h"

/* Descriptors are these numbers, which no process has: closing one does nothing. Behind the directory's come those of
 * the inodes. */
#define DIRECTORY_FD (1 << 28)

/* --- manifest_fs.c ------------------------------------------------------------------------------------------------ */

static bool refused(void)
{
        bool r = rng_chance(&model_dir_current->rng, model_dir_current->faults.refused);

        model_dir_current->met.refused += r;
        return r;
}

int manifest_fs_open(const char *path)
{
        (void)path;
        if (model_dir_current->away)
                return -ENOENT;
        return refused() ? -EMFILE : DIRECTORY_FD;
}

int manifest_fs_open_file(int directory_fd, const char *name)
{
        const struct file *f = model_file_find(model_dir_current, name);

        (void)directory_fd;
        if (!model_file_is_there(f))
                return -ENOENT;
        return refused() ? -EMFILE : DIRECTORY_FD + (int)f->inode->number;
}

int manifest_fs_names(int directory_fd, size_t max, struct strv *names)
{
        const struct file *f;

        (void)directory_fd;
        (void)max;
        DL_FOREACH (model_dir_current->files, f)
                if (model_file_is_there(f))
                        strv_add(names, f->name);
        return 0;
}

static struct timespec timespec_of(usec_t at)
{
        return (struct timespec){.tv_sec = (time_t)(at / USEC_PER_SEC), .tv_nsec = (long)(at % USEC_PER_SEC) * 1000};
}

int manifest_fs_stat_open(int fd, struct stat *ret)
{
        const struct inode *inode = model_inode_find(model_dir_current, (ino_t)(fd - DIRECTORY_FD));

        *ret = (struct stat){.st_dev = 1, .st_ino = 1000000 + model_dir_current->number, .st_mode = S_IFDIR | 0700};
        if (inode)
                *ret = (struct stat){.st_dev = 1,
                                     .st_ino = inode->number,
                                     .st_mode = S_IFREG | 0600,
                                     .st_size = (off_t)strlen(inode->text),
                                     .st_mtim = timespec_of(inode->mtime),
                                     .st_ctim = timespec_of(inode->ctime)};
        return 0;
}

int manifest_fs_stat(const char *path, struct stat *ret)
{
        (void)path;
        return model_dir_current->away ? -ENOENT : manifest_fs_stat_open(DIRECTORY_FD, ret);
}

int manifest_fs_stat_at(int directory_fd, const char *name, bool follow, struct stat *ret)
{
        const struct file *f = model_file_find(model_dir_current, name);

        (void)follow;
        return model_file_is_there(f) ? manifest_fs_stat_open(directory_fd + (int)f->inode->number, ret) : -ENOENT;
}

bool manifest_fs_is_written(int fd)
{
        const struct inode *inode = model_inode_find(model_dir_current, (ino_t)(fd - DIRECTORY_FD));
        bool busy = model_dir_current->leases && inode->writers > 0;

        model_dir_current->met.busy += busy;
        return busy;
}

/* Where there are no leases, somebody may write what it holds once more while it is being read. */
static void change_while_read(const struct inode *inode)
{
        struct file *f;

        DL_FOREACH (model_dir_current->files, f) {
                if (f->inode != inode || f->writer || !inode->whole || !rng_chance(&model_dir_current->rng, 20))
                        continue;
                model_dir_current->met.changed++;
                model_file_rewrite(f);
                return;
        }
}

ssize_t manifest_fs_read(int fd, void *data, size_t size, off_t offset)
{
        const struct inode *inode = model_inode_find(model_dir_current, (ino_t)(fd - DIRECTORY_FD));
        size_t len = strlen(inode->text), n = (size_t)offset < len ? len - (size_t)offset : 0;

        /* In two goes. */
        if (offset == 0 && n > 8)
                n = 8;
        if (n > size)
                n = size;
        memcpy(data, inode->text + (n ? offset : 0), n);
        if (offset == 0 && !model_dir_current->leases)
                change_while_read(inode);
        return (ssize_t)n;
}

/* --- manifest_dir.c, by the linker's --wrap: what it tells is heard here as well -----------------------------------
 */

int __real_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err);
int __wrap_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err);

static void on_content(void *userdata, const char *name, const char *data, size_t len)
{
        struct model_dir *dir = userdata;
        char *text CLEANUP_FREE = xstrndup(data, len);

        dir->handlers.content(dir->userdata, name, data, len);
        dir->hooks.told(dir->hooks.userdata, name, text);
}

static void on_unreadable(void *userdata, const char *name, bool busy, const char *message)
{
        struct model_dir *dir = userdata;

        dir->handlers.unreadable(dir->userdata, name, busy, message);
}

static void on_removed(void *userdata, const char *name)
{
        struct model_dir *dir = userdata;
        char *gone CLEANUP_FREE = xstrdup(name);

        dir->handlers.removed(dir->userdata, name);
        dir->hooks.told(dir->hooks.userdata, gone, NULL);
}

static void on_directory(void *userdata, const char *message)
{
        struct model_dir *dir = userdata;

        dir->handlers.directory(dir->userdata, message);
}

static void on_complete(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->handlers.complete(dir->userdata);
        dir->hooks.complete(dir->hooks.userdata);
}

static void on_ignored(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->handlers.ignored(dir->userdata);
}

int __wrap_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err)
{
        static const struct manifest_dir_handlers heard = {
                .content = on_content,
                .unreadable = on_unreadable,
                .removed = on_removed,
                .directory = on_directory,
                .complete = on_complete,
                .ignored = on_ignored,
        };

        model_dir_current->handlers = *handlers;
        model_dir_current->userdata = userdata;
        return __real_manifest_dir_new(loop, path, scan_interval, each_removal, &heard, model_dir_current, ret, err);
}
