/* SPDX-License-Identifier: Apache-2.0 */
#include "phase/file_owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/action.h"
#include "phase/phase.h"

#define DEPTH_MAX 32 /* of a tree: etcd's has three levels */

void file_owners_release(struct file_owners *owners)
{
        for (size_t i = 0; i < owners->count; i++) {
                free(owners->items[i].path);
                free(owners->items[i].context);
        }
        free(owners->items);
        *owners = (struct file_owners){0};
}

void file_owners_add(struct file_owners *owners, const struct file_owner *owner)
{
        owners->items = xrealloc(owners->items, owners->count + 1, sizeof(*owners->items));
        owners->items[owners->count] = *owner;
        owners->items[owners->count].path = xstrdup(owner->path);
        owners->items[owners->count++].context = xstrdup(owner->context);
}

static int not_owned(const struct file_owner *owner, const char *path, int code, struct err *err)
{
        char text[128];

        return err_set(err, code, "failed to update owner of \"%s\" to uid: %u and gid: %u: chown %s: %s", path,
                       owner->uid, owner->gid, path, phase_errno_text(code, text, sizeof(text)));
}

/* Remembers whether it is somebody else's yet. */
static void note_change(struct file_owner *owner, int dir_fd, const char *path, int flags)
{
        struct stat st;

        if (fstatat(dir_fd, path, &st, flags) < 0 || st.st_uid != owner->uid || st.st_gid != owner->gid ||
            (owner->mode != FILE_OWNER_WHOLE_TREE && (st.st_mode & ALLPERMS) != owner->mode))
                owner->changed = true;
}

/* What is in a directory. path is for messages. */
static int give_tree(struct file_owner *owner, int dir_fd, const char *path, unsigned depth, struct err *err)
{
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = not_owned(owner, path, errno, err);
                if (fd >= 0)
                        (void)close(fd);
                return r;
        }
        if (depth > DEPTH_MAX)
                r = err_set(err, ERR_LIMIT, "%s: more than %d levels of directories", path, DEPTH_MAX);
        while (r == 0 && (entry = readdir(dir))) {
                if (str_eq(entry->d_name, ".") || str_eq(entry->d_name, ".."))
                        continue;
                char *name CLEANUP_FREE = xasprintf("%s/%s", path, entry->d_name);
                note_change(owner, fd, entry->d_name, AT_SYMLINK_NOFOLLOW);
                if (fchownat(fd, entry->d_name, owner->uid, owner->gid, AT_SYMLINK_NOFOLLOW) < 0) {
                        r = not_owned(owner, name, errno, err);
                        break;
                }
                int below CLEANUP_FD = openat(fd, entry->d_name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (below >= 0)
                        r = give_tree(owner, below, name, depth + 1, err);
        }
        (void)closedir(dir);
        return r;
}

/* As Go's FileMode prints permissions. */
static void mode_text(mode_t mode, char ret[11])
{
        static const char letters[] = "rwxrwxrwx";

        ret[0] = '-';
        for (size_t i = 0; i < 9; i++)
                ret[i + 1] = mode >> (8 - i) & 1 ? letters[i] : '-';
        ret[10] = '\0';
}

static int give(struct file_owner *owner, const struct phase *phase, struct err *err)
{
        char *real CLEANUP_FREE = phase_path(phase, owner->path);
        char text[128], permissions[11];

        if (real)
                note_change(owner, AT_FDCWD, real, 0);
        if (!real || chown(real, owner->uid, owner->gid) < 0)
                return not_owned(owner, owner->path, errno, err);
        if (owner->mode == FILE_OWNER_WHOLE_TREE) {
                int fd CLEANUP_FD = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? 0 : give_tree(owner, fd, owner->path, 0, err);
        }
        if (chmod(real, owner->mode) == 0)
                return 0;
        int code = errno;
        mode_text(owner->mode, permissions);
        return err_set(err, code, "failed to update permissions of \"%s\" to %s: chmod %s: %s", owner->path,
                       permissions, owner->path, phase_errno_text(code, text, sizeof(text)));
}

int file_owner_check(const struct file_owner *owner, const struct phase *phase, struct err *err)
{
        char *real CLEANUP_FREE = phase_path(phase, owner->path);
        struct stat st;

        return !real || stat(real, &st) < 0 ? not_owned(owner, owner->path, errno, err) : 0;
}

int file_owners_apply(struct file_owners *owners, const struct phase *phase, struct err *err)
{
        for (size_t i = 0; i < owners->count; i++)
                if (give(&owners->items[i], phase, err) < 0)
                        return err_wrap(err, "%s", owners->items[i].context);
        return 0;
}

int file_owner_tell(const struct file_owner *owner, const struct phase *phase, struct err *err)
{
        struct value *line = action_new(phase, owner->changed ? "own" : "keep");

        if (!line)
                return 0;
        action_set(line, "path", owner->path);
        if (owner->mode != FILE_OWNER_WHOLE_TREE)
                value_map_set(line, "mode", value_new_stringf("%04o", (unsigned)owner->mode));
        value_map_set(line, "uid", value_new_int(owner->uid));
        value_map_set(line, "gid", value_new_int(owner->gid));
        return action_tell(phase, line, err);
}
