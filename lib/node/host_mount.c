/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mount_point.h"
#include "base/str.h"
#include "node/host_mount.h"

#define TARGET_MODE 0750

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static char *unescape(const char *s, size_t len)
{
        char *out = xmalloc(len + 1);
        size_t n = 0;

        for (size_t i = 0; i < len; i++) {
                if (s[i] == '\\' && i + 3 < len && s[i + 1] >= '0' && s[i + 1] <= '3') {
                        out[n++] = (char)((s[i + 1] - '0') * 64 + (s[i + 2] - '0') * 8 + (s[i + 3] - '0'));
                        i += 3;
                } else {
                        out[n++] = s[i];
                }
        }
        out[n] = '\0';
        return out;
}

void host_mount_points_below(const char *mountinfo, const char *path, struct strv *ret_points)
{
        size_t path_len = strlen(path);

        for (const char *line = mountinfo; *line;) {
                size_t len = strcspn(line, "\n");
                const char *field = line;

                /* id, parent id, major:minor, root, mount point */
                for (int i = 0; i < 4 && field < line + len; i++)
                        field += strcspn(field, " \n") + 1;
                if (field < line + len) {
                        char *point CLEANUP_FREE = unescape(field, strcspn(field, " \n"));
                        if (str_starts(point, path) && (point[path_len] == '\0' || point[path_len] == '/'))
                                strv_add(ret_points, point);
                }
                line += len + (line[len] == '\n');
        }
}

/* path as the kernel spells it; the last name is not followed. NULL: errno. Free it. */
static char *kernel_path(const char *path)
{
        char *clean CLEANUP_FREE = file_clean(path);
        char *parent CLEANUP_FREE = file_dirname(clean);
        char *real CLEANUP_FREE = realpath(parent, NULL);

        return real ? file_join(real, file_basename(clean)) : NULL;
}

int host_mount_detach_below(const char *path, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MOUNTINFO);
        struct strv points CLEANUP_STRV = STRV_INIT;
        char *real CLEANUP_FREE = kernel_path(path);
        int r;

        if (!real)
                return errno == ENOENT ? 0 : err_set_errno(err, errno, "unmounting what is below %s", path);
        r = file_read("/proc/self/mountinfo", &text, err);
        if (r < 0)
                return r;
        host_mount_points_below(buf_str(&text), real, &points);
        for (size_t i = points.len; i-- > 0;) {
                if (umount2(points.items[i], UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
                        return err_set_errno(err, errno, "unmounting %s", points.items[i]);
        }
        return 0;
}

/* Opens path below root; links may not lead out of it. */
static int open_beneath(int root, const char *path, uint64_t flags)
{
        struct open_how how = {
                .flags = flags | O_PATH | O_CLOEXEC,
                .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
        };

        return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/* fchmod does not take a descriptor of O_PATH. */
static int chmod_opened(int fd, mode_t mode)
{
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return chmod(path, mode);
}

/* Opens sub_path below root; directories that are missing on the way are made with `mode`. */
static int open_making(int root, const char *sub_path, mode_t mode, int *ret_fd, struct err *err)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        int fd CLEANUP_FD = -1;
        int at CLEANUP_FD = fcntl(root, F_DUPFD_CLOEXEC, 3);
        char *walked CLEANUP_FREE = xstrdup("");

        if (at < 0)
                return err_set_errno(err, errno, "subPath %s", sub_path);
        strv_split(&parts, sub_path, '/');
        for (size_t i = 0; i < parts.len; i++) {
                const char *part = parts.items[i];

                if (str_empty(part) || str_eq(part, "."))
                        continue;
                if (str_eq(part, ".."))
                        return err_set(err, ERR_INVALID, "subPath %s must not contain ..", sub_path);
                char *next = xasprintf("%s%s%s", walked, *walked ? "/" : "", part);
                free(walked);
                walked = next;
                fd = fd_close(fd);
                fd = open_beneath(root, walked, 0);
                if (fd < 0 && errno == ENOENT) {
                        if (mkdirat(at, part, mode) < 0 && errno != EEXIST)
                                return err_set_errno(err, errno, "subPath %s: making %s", sub_path, walked);
                        fd = open_beneath(root, walked, 0);
                        /* By the descriptor: a container may have put a link in its place by now. */
                        if (fd >= 0 && chmod_opened(fd, mode) < 0)
                                return err_set_errno(err, errno, "subPath %s: mode of %s", sub_path, walked);
                }
                if (fd < 0 && errno == EXDEV)
                        return err_set(err, ERR_INVALID, "subPath %s: %s leads out of the volume", sub_path, walked);
                if (fd < 0)
                        return err_set_errno(err, errno, "subPath %s: %s", sub_path, walked);
                at = fd_close(at);
                at = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (at < 0)
                        return err_set_errno(err, errno, "subPath %s", sub_path);
        }
        *ret_fd = TAKE_FD(at);
        return 0;
}

/* An empty file or directory to mount over. */
static int make_target(const char *target, bool directory, struct err *err)
{
        char *parent CLEANUP_FREE = file_dirname(target);
        int fd CLEANUP_FD = -1;
        int r;

        r = file_mkdir_p(directory ? target : parent, TARGET_MODE, err);
        if (r < 0 || directory)
                return r < 0 ? r : 0;
        fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, TARGET_MODE & 0666);
        if (fd < 0)
                return err_set_errno(err, errno, "making %s", target);
        return 0;
}

/* Takes away what is left of an earlier binding of another file. 1: target shows st already. */
static int clear_target(const char *target, const struct stat *st, struct err *err)
{
        struct stat old;
        int r;

        if (lstat(target, &old) < 0)
                return errno == ENOENT ? 0 : err_set_errno(err, errno, "looking at %s", target);
        r = mount_point_at(target, err);
        if (r < 0)
                return r;
        if (r > 0) {
                if (old.st_dev == st->st_dev && old.st_ino == st->st_ino)
                        return 1;
                if (umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) < 0)
                        return err_set_errno(err, errno, "unmounting %s", target);
        }
        return file_remove_tree(target, err);
}

int host_mount_bind_inside(const char *volume, const char *sub_path, const char *target, struct err *err)
{
        int root CLEANUP_FD = open(volume, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd CLEANUP_FD = -1;
        struct stat volume_st, st;
        char source[64];
        int r;

        if (root < 0 || fstat(root, &volume_st) < 0)
                return err_set_errno(err, errno, "subPath %s: opening %s", sub_path, volume);
        if (sub_path[0] == '/')
                return err_set(err, ERR_INVALID, "subPath %s must not be absolute", sub_path);
        r = open_making(root, sub_path, volume_st.st_mode & 0777, &fd, err);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return err_set_errno(err, errno, "subPath %s", sub_path);
        r = clear_target(target, &st, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = make_target(target, S_ISDIR(st.st_mode), err);
        if (r < 0)
                return r;
        (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
        if (mount(source, target, NULL, MS_BIND, NULL) < 0)
                return err_set_errno(err, errno, "binding %s of %s to %s", sub_path, volume, target);
        return 0;
}
