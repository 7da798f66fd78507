/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inotifytools/inotify.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/loop.h"
#include "node/manifest_fs.h"

/* Room for a good many events a read; the longest one is sizeof(event) + NAME_MAX + 1. */
#define READ_BYTES (32 * 1024)
/* Reads in one go; what is left comes back, as the descriptor is level-triggered. */
#define READS_MAX 16

/* --- files ---------------------------------------------------------------------------------------------------------
 */

static int or_errno(int r)
{
        return r < 0 ? -errno : r;
}

int manifest_fs_open(const char *path)
{
        return or_errno(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int manifest_fs_open_file(int directory_fd, const char *name)
{
        return or_errno(openat(directory_fd, name, FILE_READ_FLAGS));
}

int manifest_fs_names(int directory_fd, size_t max, struct strv *names)
{
        int fd CLEANUP_FD = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = fd < 0 ? NULL : fdopendir(fd);

        if (!stream)
                return -errno;
        (void)TAKE_FD(fd);
        for (struct dirent *e; names->len < max && (e = readdir(stream));)
                if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
                        strv_add(names, e->d_name);
        (void)closedir(stream);
        return 0;
}

int manifest_fs_stat(const char *path, struct stat *ret)
{
        return or_errno(stat(path, ret));
}

int manifest_fs_stat_at(int directory_fd, const char *name, bool follow, struct stat *ret)
{
        return or_errno(fstatat(directory_fd, name, ret, follow ? 0 : AT_SYMLINK_NOFOLLOW));
}

int manifest_fs_stat_open(int fd, struct stat *ret)
{
        return or_errno(fstat(fd, ret));
}

bool manifest_fs_is_written(int fd)
{
        /* A writer that comes now breaks the lease, which is told by a signal: one that is ignored by default. */
        (void)fcntl(fd, F_SETSIG, SIGURG);
        return fcntl(fd, F_SETLEASE, F_RDLCK) < 0 && errno == EAGAIN;
}

ssize_t manifest_fs_read(int fd, void *data, size_t size, off_t offset)
{
        for (;;) {
                ssize_t n = pread(fd, data, size, offset);

                if (n >= 0 || errno != EINTR)
                        return n < 0 ? -errno : n;
        }
}

/* --- inotify -------------------------------------------------------------------------------------------------------
 */

struct manifest_events {
        int fd;
        struct loop_source *io;
        manifest_event_fn fn;
        void *userdata;
};

static void on_readable(void *userdata, uint32_t ready)
{
        struct manifest_events *events = userdata;
        char data[READ_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));

        (void)ready;
        for (int i = 0; i < READS_MAX; i++) {
                ssize_t n = read(events->fd, data, sizeof(data));

                if (n <= 0) /* EAGAIN: all taken */
                        return;
                for (ssize_t at = 0; at < n;) {
                        const struct inotify_event *event = (const struct inotify_event *)(const void *)(data + at);

                        events->fn(events->userdata, event->wd, event->mask, event->len > 0 ? event->name : "");
                        at += (ssize_t)sizeof(*event) + event->len;
                }
        }
}

int manifest_events_new(struct loop *loop, manifest_event_fn fn, void *userdata, struct manifest_events **ret,
                        struct err *err)
{
        struct manifest_events *events = xcalloc(1, sizeof(*events));
        int r;

        events->fn = fn;
        events->userdata = userdata;
        events->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (events->fd < 0) {
                r = err_set_errno(err, errno, "starting inotify (fs.inotify.max_user_instances bounds how many)");
                goto fail;
        }
        r = loop_io_new(loop, "manifest directory", events->fd, EPOLLIN, on_readable, events, &events->io, err);
        if (r < 0)
                goto fail;
        *ret = events;
        return 0;
fail:
        (void)manifest_events_free(events);
        return r;
}

struct manifest_events *manifest_events_free(struct manifest_events *events)
{
        if (!events)
                return NULL;
        (void)loop_source_free(events->io);
        (void)fd_close(events->fd);
        free(events);
        return NULL;
}

int manifest_events_watch(struct manifest_events *events, const char *path, uint32_t mask)
{
        return or_errno(inotify_add_watch(events->fd, path, mask));
}

void manifest_events_unwatch(struct manifest_events *events, int watch)
{
        (void)inotify_rm_watch(events->fd, watch);
}
