/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount_point.h"
#include "base/strv.h"

/* End of a temporary name: a dot, eight hex digits and this. */
#define TEMPORARY ".tmp"
#define TAG_DIGITS 8

int file_read_fd(int fd, const char *name, struct buf *b, struct err *err)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return err_set_errno(err, errno, "%s", name);
        if (!S_ISREG(st.st_mode))
                return err_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s: not a regular file", name);
        for (;;) {
                char chunk[16384];
                ssize_t n = read(fd, chunk, sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set_errno(err, errno, "%s", name);
                if (n == 0)
                        break;
                buf_add(b, chunk, (size_t)n);
                if (b->failed)
                        return buf_check(b, name, err);
        }
        return 0;
}

int file_read_at(int dir_fd, const char *name, struct buf *b, struct err *err)
{
        int fd CLEANUP_FD = openat(dir_fd, name, FILE_READ_FLAGS);

        return fd < 0 ? err_set_errno(err, errno, "%s", name) : file_read_fd(fd, name, b, err);
}

int file_read(const char *path, struct buf *b, struct err *err)
{
        return file_read_at(AT_FDCWD, path, b, err);
}

static bool same_content(const char *path, const void *data, size_t len)
{
        struct buf b CLEANUP_BUF = BUF_INIT(len + 1);

        return file_read(path, &b, NULL) == 0 && b.len == len && (len == 0 || memcmp(b.data, data, len) == 0);
}

static int open_directory(const char *path)
{
        return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Of the file `path`. */
static int sync_directory(const char *path)
{
        char *dir CLEANUP_FREE = file_dirname(path);
        int fd CLEANUP_FD = open_directory(dir);
        size_t failed;

        /* EACCES: writable but not readable. */
        if (fd < 0)
                return errno == EACCES ? 0 : -errno;
        return fd_sync_all(&fd, 1, &failed);
}

static int write_temp(int fd, const void *data, size_t len, mode_t mode, const struct stat *keep, unsigned flags)
{
        if (keep && fchown(fd, keep->st_uid, keep->st_gid) < 0 && errno != EPERM)
                return -errno;
        if (fchmod(fd, keep ? keep->st_mode & 07777 : mode) < 0)
                return -errno;
        int r = fd_write_all(fd, data, len);
        if (r < 0)
                return r;
        if (!(flags & FILE_WRITE_NO_SYNC) && fsync(fd) < 0)
                return -errno;
        return 0;
}

static int rename_excl(const char *temp, const char *path)
{
        if (renameat2(AT_FDCWD, temp, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
                return 0;
        /* Not every file system has the flag. */
        if (errno != EINVAL && errno != ENOSYS)
                return -errno;
        if (link(temp, path) < 0)
                return -errno;
        (void)unlink(temp);
        return 0;
}

static int replace(const char *path, const char *temp, unsigned flags)
{
        if (flags & FILE_WRITE_EXCL)
                return rename_excl(temp, path);
        return rename(temp, path) < 0 ? -errno : 0;
}

/* The file that a chain of symlinks ends at, which need not be there. Free it. */
static int follow(const char *path, char **ret)
{
        char *at CLEANUP_FREE = xstrdup(path);

        for (unsigned hops = 0; hops < 40; hops++) {
                char target[PATH_MAX];
                ssize_t n = readlink(at, target, sizeof(target) - 1);
                if (n < 0 && (errno == EINVAL || errno == ENOENT)) {
                        *ret = TAKE_PTR(at);
                        return 0;
                }
                if (n < 0)
                        return -errno;
                target[n] = '\0';
                char *dir CLEANUP_FREE = file_dirname(at);
                char *next = target[0] == '/' ? xstrdup(target) : file_join(dir, target);
                free(at);
                at = next;
        }
        return -ELOOP;
}

void file_staged_release(struct file_staged *staged)
{
        if (staged->temp && !staged->unnamed)
                (void)unlink(staged->temp);
        if (staged->temp)
                (void)fd_close(staged->fd);
        free(staged->temp);
        free(staged->path);
        *staged = (struct file_staged){0};
}

/* A lock on the file says that its writer lives, for file_remove_temporary, which may have taken the name away before
 * the lock was there: then the next try makes it anew. */
static int open_named(const char *temp)
{
        for (;;) {
                int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
                struct stat st;

                if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0 || st.st_nlink > 0)
                        return fd;
                (void)fd_close(fd);
        }
}

/* The file to write to: without a name where the file system has that, else under the temporary name. */
static int open_temp(const char *dir, const char *temp, bool *ret_unnamed)
{
        int fd = open(dir, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);

        *ret_unnamed = fd >= 0;
        if (fd >= 0)
                (void)flock(fd, LOCK_EX);
        /* What a kernel or file system without it says; anything else is true of a name as well. */
        if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
                fd = open_named(temp);
        return fd;
}

/* Gives the file its first name. */
static int link_unnamed(int fd, const char *name)
{
        char proc[40];

        if (linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) == 0)
                return 0;
        if (errno != ENOENT && errno != EPERM)
                return -errno;
        /* That takes a capability; this takes /proc. */
        (void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, proc, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

int file_stage(const char *path, const void *data, size_t len, mode_t mode, unsigned flags, struct file_staged *ret,
               struct err *err)
{
        char *real CLEANUP_FREE = NULL;
        struct stat st;
        uint64_t tag;
        int r = 0;

        if (flags & FILE_WRITE_FOLLOW)
                r = follow(path, &real);
        if (r < 0)
                return err_set_errno(err, -r, "%s", path);
        path = real ? real : path;
        if ((flags & FILE_WRITE_SKIP_UNCHANGED) && same_content(path, data, len))
                return 1;
        bool exists = stat(path, &st) == 0, keep = (flags & FILE_WRITE_KEEP_MODE) && exists, unnamed;
        if (exists && S_ISDIR(st.st_mode))
                return err_set_errno(err, EISDIR, "%s", path);
        if (getrandom(&tag, sizeof(tag), GRND_NONBLOCK) != sizeof(tag))
                tag = (uint64_t)getpid();
        /* The dot keeps watchers of the directory from reading it. */
        char *dir CLEANUP_FREE = file_dirname(path);
        char *temp CLEANUP_FREE = xasprintf("%s/.%.200s.%08x" TEMPORARY, dir, file_basename(path), (unsigned)tag);
        int fd CLEANUP_FD = open_temp(dir, temp, &unnamed);
        if (fd < 0)
                return err_set_errno(err, errno, "%s", path);
        r = write_temp(fd, data, len, mode, keep ? &st : NULL, flags);
        if (r < 0) {
                if (!unnamed)
                        (void)unlink(temp);
                return err_set_errno(err, -r, "%s", path);
        }
        *ret = (struct file_staged){xstrdup(path), TAKE_PTR(temp), unnamed, TAKE_FD(fd), flags};
        return 0;
}

void file_hold_signals(sigset_t *ret_before)
{
        static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGXFSZ, SIGXCPU};
        sigset_t set;

        (void)sigemptyset(&set);
        for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
                (void)sigaddset(&set, ending[i]);
        (void)pthread_sigmask(SIG_BLOCK, &set, ret_before);
}

void file_release_signals(const sigset_t *before)
{
        (void)pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* 0: an unnamed file has its final name; 1: it has the temporary one, since another file has that. */
static int name_unnamed(struct file_staged *staged)
{
        int r = link_unnamed(staged->fd, staged->path);
        bool taken = r == -EEXIST && !(staged->flags & FILE_WRITE_EXCL);

        if (taken)
                r = link_unnamed(staged->fd, staged->temp);
        if (r < 0)
                return r;
        staged->unnamed = false;
        return taken;
}

static int commit(struct file_staged *staged)
{
        int r = staged->unnamed ? name_unnamed(staged) : 1;

        if (r == 1)
                r = replace(staged->path, staged->temp, staged->flags);
        if (r < 0)
                return r;
        /* Not after the sync, which takes its time: who watches the directory waits until nobody can write any more. */
        staged->fd = fd_close(staged->fd);
        return staged->flags & FILE_WRITE_NO_SYNC ? 0 : sync_directory(staged->path);
}

int file_commit(struct file_staged *staged, struct err *err)
{
        sigset_t before;

        file_hold_signals(&before);
        int r = commit(staged);
        file_release_signals(&before);
        if (r < 0)
                return err_set_errno(err, -r, "%s", staged->path);
        free(TAKE_PTR(staged->temp));
        return 0;
}

int file_sync_directories(const struct strv *directories, size_t *ret_failed)
{
        int *fds CLEANUP_FREE = xcalloc(directories->len + 1, sizeof(*fds));
        size_t opened = 0;
        int r = 0;

        while (opened < directories->len && r == 0) {
                fds[opened] = open_directory(directories->items[opened]);
                if (fds[opened] < 0 && errno != EACCES) {
                        r = -errno;
                        *ret_failed = opened;
                }
                opened++;
        }
        if (r == 0)
                r = fd_sync_all(fds, opened, ret_failed);
        for (size_t i = 0; i < opened; i++)
                (void)fd_close(fds[i]);
        return r;
}

int file_write_atomic(const char *path, const void *data, size_t len, mode_t mode, unsigned flags, struct err *err)
{
        struct file_staged staged = {0};
        sigset_t before;

        file_hold_signals(&before);
        int r = file_stage(path, data, len, mode, flags, &staged, err);
        if (r == 0)
                r = file_commit(&staged, err);
        file_staged_release(&staged);
        file_release_signals(&before);
        return r;
}

int file_mkdir_p(const char *path, mode_t mode, struct err *err)
{
        struct stat st;

        /* Also bounds the recursion. */
        if (strlen(path) >= PATH_MAX)
                return err_set_errno(err, ENAMETOOLONG, "%.64s...", path);
        if (stat(path, &st) == 0)
                return S_ISDIR(st.st_mode) ? 1 : err_set_errno(err, ENOTDIR, "%s", path);
        if (errno != ENOENT)
                return err_set_errno(err, errno, "%s", path);
        char *parent CLEANUP_FREE = file_dirname(path);
        if (strcmp(parent, path) != 0) {
                int r = file_mkdir_p(parent, mode, err);
                if (r < 0 || !*file_basename(path))
                        return r;
        }
        if (mkdir(path, mode) < 0) {
                int why = errno;
                /* Somebody else made it meanwhile, or it is a symlink to nothing. */
                if (why == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
                        return 1;
                return err_set_errno(err, why, "%s", path);
        }
        if (chmod(path, mode) < 0)
                return err_set_errno(err, errno, "%s", path);
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
        (void)st;
        (void)type;
        (void)walk;
        return remove(path) < 0 && errno != ENOENT ? errno : 0;
}

static int find_mount(const char *path, const struct stat *st, int type, struct FTW *walk)
{
        struct err err = ERR_INIT;
        int r;

        (void)st;
        (void)walk;
        if (type != FTW_D)
                return 0;
        r = mount_point_at(path, &err);
        if (r == 0 || r == -ENOENT)
                return 0;
        return r < 0 ? err.code : EBUSY;
}

int file_remove_tree(const char *path, struct err *err)
{
        struct stat st;

        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", path);
        /* What is in a directory is removed before it, so mounts are looked for first: FTW_MOUNT does not see those of
         * the same device. */
        int r = nftw(path, find_mount, 16, FTW_PHYS);
        if (r == EBUSY)
                return err_set(err, EBUSY, "%s: something is mounted there, which would be removed with it", path);
        if (r == 0)
                r = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        if (r != 0)
                return err_set_errno(err, r > 0 ? r : errno, "%s", path);
        return 0;
}

bool file_exists(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0;
}

char *file_join(const char *dir, const char *name)
{
        size_t n = strlen(dir);

        while (n > 0 && dir[n - 1] == '/')
                n--;
        while (*name == '/')
                name++;
        return xasprintf("%.*s/%s", (int)n, dir, name);
}

char *file_clean(const char *path)
{
        struct strv in CLEANUP_STRV = STRV_INIT, out CLEANUP_STRV = STRV_INIT;
        bool absolute = path[0] == '/';
        char *part;

        strv_split(&in, path, '/');
        STRV_FOREACH (part, &in) {
                if (!*part || strcmp(part, ".") == 0)
                        continue;
                if (strcmp(part, "..") != 0)
                        strv_add(&out, part);
                else if (out.len > 0 && strcmp(out.items[out.len - 1], "..") != 0)
                        strv_remove(&out, out.len - 1);
                else if (!absolute)
                        strv_add(&out, part);
        }
        char *joined = strv_join(&out, "/");
        if (absolute || !*joined) {
                char *full = xasprintf("%s%s", absolute ? "/" : ".", joined);
                free(joined);
                return full;
        }
        return joined;
}

char *file_dirname(const char *path)
{
        const char *slash = strrchr(path, '/');

        if (!slash)
                return xstrdup(".");
        while (slash > path && slash[-1] == '/')
                slash--;
        return slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
}

const char *file_basename(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

void file_list(const char *path, size_t max, struct strv *names)
{
        DIR *stream = opendir(path);

        if (!stream)
                return;
        for (struct dirent *e; names->len < max && (e = readdir(stream));)
                if (e->d_name[0] != '.')
                        strv_add(names, e->d_name);
        (void)closedir(stream);
}

/* ".NAME.0123abcd.tmp" */
static bool is_temporary(const char *name)
{
        size_t len = strlen(name), end = strlen(TEMPORARY);
        const char *tag;

        if (name[0] != '.' || len < end + TAG_DIGITS + 3 || strcmp(name + len - end, TEMPORARY) != 0)
                return false;
        tag = name + len - end - TAG_DIGITS;
        return tag[-1] == '.' && strspn(tag, "0123456789abcdef") == TAG_DIGITS;
}

/* Whoever writes to a file holds its lock until the file has its name. */
static void remove_abandoned(int directory, const char *name)
{
        int fd CLEANUP_FD = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
                (void)unlinkat(directory, name, 0);
}

void file_remove_temporary(const char *directory, unsigned levels)
{
        DIR *stream = opendir(directory);

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream));) {
                if (e->d_type == DT_REG && is_temporary(e->d_name)) {
                        remove_abandoned(dirfd(stream), e->d_name);
                } else if (levels > 0 && e->d_type == DT_DIR && e->d_name[0] != '.') {
                        char *below CLEANUP_FREE = file_join(directory, e->d_name);

                        file_remove_temporary(below, levels - 1);
                }
        }
        (void)closedir(stream);
}
