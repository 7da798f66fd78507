/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inotifytools/inotify.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "net/loop.h"
#include "node/manifest_watch.h"

#define DIRECTORY_EVENTS                                                                                \
        (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
         IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define ANCESTOR_EVENTS (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR)
#define LINK_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define GONE_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)

/* Room for a good many events a read; the longest one is sizeof(event) + NAME_MAX + 1. */
#define READ_BYTES (32 * 1024)
/* Reads in one go; what is left comes back, as the descriptor is level-triggered. */
#define READS_MAX 16

struct manifest_watch {
        int fd;
        int directory; /* number of the watch on the directory, -1 without */
        int ancestor;  /* the same for the ancestor of a missing one */
        struct loop_source *io;
        manifest_hint_fn fn;
        void *userdata;
};

static void take_event(struct manifest_watch *watch, const struct inotify_event *event)
{
        const char *name = event->len > 0 ? event->name : "";

        if (event->mask & IN_Q_OVERFLOW) {
                watch->fn(watch->userdata, MANIFEST_HINT_LOST, "");
        } else if (event->wd == watch->ancestor) {
                watch->fn(watch->userdata, MANIFEST_HINT_DIRECTORY, "");
        } else if (event->wd == watch->directory) {
                if (event->mask & IN_IGNORED)
                        watch->directory = -1;
                if (event->mask & GONE_EVENTS)
                        watch->fn(watch->userdata, MANIFEST_HINT_DIRECTORY, "");
                else if (event->mask & IN_MOVED_TO)
                        watch->fn(watch->userdata, MANIFEST_HINT_WHOLE, name);
                else if (event->mask & (IN_DELETE | IN_MOVED_FROM))
                        watch->fn(watch->userdata, MANIFEST_HINT_REMOVED, name);
                else
                        watch->fn(watch->userdata, MANIFEST_HINT_TOUCHED, name);
        } else if (!(event->mask & IN_IGNORED)) {
                watch->fn(watch->userdata, MANIFEST_HINT_LOOK, "");
        }
}

static void on_readable(void *userdata, uint32_t events)
{
        struct manifest_watch *watch = userdata;
        char data[READ_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));

        (void)events;
        for (int i = 0; i < READS_MAX; i++) {
                ssize_t n = read(watch->fd, data, sizeof(data));

                if (n <= 0) /* EAGAIN: all taken */
                        return;
                for (ssize_t at = 0; at < n;) {
                        const struct inotify_event *event = (const struct inotify_event *)(const void *)(data + at);

                        take_event(watch, event);
                        at += (ssize_t)sizeof(*event) + event->len;
                }
        }
}

int manifest_watch_new(struct loop *loop, manifest_hint_fn fn, void *userdata, struct manifest_watch **ret,
                       struct err *err)
{
        struct manifest_watch *watch = xcalloc(1, sizeof(*watch));
        int r;

        watch->directory = watch->ancestor = -1;
        watch->fn = fn;
        watch->userdata = userdata;
        watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (watch->fd < 0) {
                r = err_set_errno(err, errno, "starting inotify (fs.inotify.max_user_instances bounds how many)");
                goto fail;
        }
        r = loop_io_new(loop, "manifest directory", watch->fd, EPOLLIN, on_readable, watch, &watch->io, err);
        if (r < 0)
                goto fail;
        *ret = watch;
        return 0;
fail:
        (void)manifest_watch_free(watch);
        return r;
}

struct manifest_watch *manifest_watch_free(struct manifest_watch *watch)
{
        if (!watch)
                return NULL;
        (void)loop_source_free(watch->io);
        (void)fd_close(watch->fd);
        free(watch);
        return NULL;
}

static void drop(struct manifest_watch *watch, int *number)
{
        if (*number >= 0)
                (void)inotify_rm_watch(watch->fd, *number);
        *number = -1;
}

/* The nearest ancestor that can be watched; the root always can. */
static void watch_ancestor(struct manifest_watch *watch, const char *path)
{
        char *at = file_dirname(path);
        int number;

        for (;;) {
                number = inotify_add_watch(watch->fd, at, ANCESTOR_EVENTS);
                if (number >= 0 || str_eq(at, "/") || str_eq(at, "."))
                        break;
                char *up = file_dirname(at);
                free(at);
                at = up;
        }
        free(at);
        if (watch->ancestor >= 0 && watch->ancestor != number)
                (void)inotify_rm_watch(watch->fd, watch->ancestor);
        watch->ancestor = number;
}

int manifest_watch_directory(struct manifest_watch *watch, const char *path, struct err *err)
{
        int number = inotify_add_watch(watch->fd, path, DIRECTORY_EVENTS);

        if (number < 0) {
                int code = errno;

                drop(watch, &watch->directory);
                watch_ancestor(watch, path);
                return err_set_errno(err, code, "watching %s", path);
        }
        if (watch->directory >= 0 && watch->directory != number)
                (void)inotify_rm_watch(watch->fd, watch->directory);
        watch->directory = number;
        drop(watch, &watch->ancestor);
        return 0;
}

int manifest_watch_link(struct manifest_watch *watch, const char *path)
{
        return inotify_add_watch(watch->fd, path, LINK_EVENTS);
}

void manifest_watch_unlink(struct manifest_watch *watch, int number)
{
        if (number >= 0 && number != watch->directory && number != watch->ancestor)
                (void)inotify_rm_watch(watch->fd, number);
}
