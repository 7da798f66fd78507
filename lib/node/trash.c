/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount_point.h"
#include "base/str.h"
#include "net/loop.h"
#include "node/trash.h"

#define TRASH_MODE 0700

/* One turn of the loop: what others wait for comes before it, and after it at the latest. */
#define SLICE_USEC (2 * USEC_PER_MSEC)
#define SLICE_NAMES 500
/* sd-event's SD_EVENT_PRIORITY_IDLE. */
#define PRIORITY_IDLE 100

struct trash {
        char *directory;
        struct loop_source *turn;
        void (*failed)(void *userdata, const char *message);
        void *userdata;
        DIR *top;       /* the trash directory; NULL: nothing is under way */
        DIR *inner;     /* one in it; NULL: the next of top has its turn */
        char *name;     /* of inner */
        uint64_t moved; /* number in the next name of what is moved up */
        bool progress;  /* something changed since top was read from its beginning */
        bool told;      /* of a failure, since trash_empty */
};

/* Names in the trash are `what`.`when` in microseconds, so those of two runs differ. */
static char *name_in_trash(const char *what, uint64_t when)
{
        return xasprintf("%s.%" PRIx64, what, when);
}

int trash_put(const char *directory, const char *path, struct err *err)
{
        char *name CLEANUP_FREE = name_in_trash(file_basename(path), clock_realtime());
        char *to CLEANUP_FREE = file_join(directory, name);
        int r = file_mkdir_p(directory, TRASH_MODE, err);

        if (r < 0)
                return r;
        if (rename(path, to) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "moving %s to %s", path, directory);
        return 0;
}

static void stuck(struct trash *t, int error, const char *name)
{
        char *text CLEANUP_FREE = NULL;

        if (t->told || error == ENOENT)
                return;
        t->told = true;
        text = xasprintf("%s%s%s/%s: %s", t->directory, t->inner ? "/" : "", t->inner ? t->name : "", name,
                         strerror(error));
        t->failed(t->userdata, text);
}

static void settled(struct trash *t, int r, const char *name)
{
        if (r < 0)
                stuck(t, errno, name);
        else
                t->progress = true;
}

/* One name in inner. A directory that is not empty is moved up; the kernel does neither to a mount point. */
static void remove_name(struct trash *t, const struct dirent *entry)
{
        int from = dirfd(t->inner);
        char *to CLEANUP_FREE = NULL;
        int r = unlinkat(from, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0);

        if (r < 0 && errno == EISDIR) /* of a file system that does not say so by itself */
                r = unlinkat(from, entry->d_name, AT_REMOVEDIR);
        if (r < 0 && (errno == ENOTEMPTY || errno == EEXIST)) {
                to = name_in_trash("moved", t->moved++);
                r = renameat(from, entry->d_name, dirfd(t->top), to);
        }
        settled(t, r, entry->d_name);
}

static void close_inner(struct trash *t)
{
        if (t->inner)
                (void)closedir(t->inner);
        t->inner = NULL;
        free(TAKE_PTR(t->name));
}

/* What is not a directory is removed at once. */
static void open_inner(struct trash *t, const char *name)
{
        char *path CLEANUP_FREE = file_join(t->directory, name);
        int fd CLEANUP_FD = openat(dirfd(t->top), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct err err = ERR_INIT;
        int r;

        if (fd < 0 && (errno == ENOTDIR || errno == ELOOP)) {
                settled(t, unlinkat(dirfd(t->top), name, 0), name);
                return;
        }
        r = fd < 0 ? -errno : mount_point_at(path, &err);
        if (r != 0) {
                stuck(t, r < 0 ? -r : EBUSY, name);
                return;
        }
        t->inner = fdopendir(fd);
        if (!t->inner) {
                stuck(t, errno, name);
                return;
        }
        (void)TAKE_FD(fd);
        t->name = xstrdup(name);
}

static const struct dirent *next_name(DIR *stream)
{
        const struct dirent *entry;

        do
                entry = readdir(stream);
        while (entry && (str_eq(entry->d_name, ".") || str_eq(entry->d_name, "..")));
        return entry;
}

/* One name. False: nothing is left, or nothing of what is left can be removed. */
static bool advance(struct trash *t)
{
        const struct dirent *entry = next_name(t->inner ? t->inner : t->top);

        if (t->inner && entry) {
                remove_name(t, entry);
                return true;
        }
        if (t->inner) {
                char *name CLEANUP_FREE = TAKE_PTR(t->name);

                close_inner(t);
                settled(t, unlinkat(dirfd(t->top), name, AT_REMOVEDIR), name);
                return true;
        }
        if (entry) {
                open_inner(t, entry->d_name);
                return true;
        }
        return false;
}

static void close_all(struct trash *t)
{
        close_inner(t);
        if (t->top)
                (void)closedir(t->top);
        t->top = NULL;
}

static void on_turn(void *userdata)
{
        struct trash *t = userdata;
        usec_t end = usec_add(clock_boottime(), SLICE_USEC);

        if (!t->top)
                t->top = opendir(t->directory);
        if (!t->top) {
                if (errno != ENOENT)
                        stuck(t, errno, "");
                return;
        }
        for (size_t i = 0; i < SLICE_NAMES && clock_boottime() < end; i++) {
                if (advance(t))
                        continue;
                if (!t->progress) {
                        close_all(t);
                        (void)rmdir(t->directory); /* where nothing had to stay */
                        return;
                }
                t->progress = false;
                rewinddir(t->top);
        }
        loop_defer_schedule(t->turn);
}

void trash_empty(struct trash *t)
{
        t->progress = true; /* what is under way may have passed by what is new */
        t->told = false;
        loop_defer_schedule(t->turn);
}

struct trash *trash_new(struct loop *loop, const char *directory, void (*failed)(void *userdata, const char *message),
                        void *userdata)
{
        struct trash *t = xcalloc(1, sizeof(*t));

        t->directory = xstrdup(directory);
        t->failed = failed;
        t->userdata = userdata;
        t->moved = clock_realtime();
        t->turn = loop_defer_new(loop, "trash", on_turn, t);
        loop_source_set_priority(t->turn, PRIORITY_IDLE);
        return t;
}

struct trash *trash_free(struct trash *t)
{
        if (!t)
                return NULL;
        close_all(t);
        (void)loop_source_free(t->turn);
        free(t->directory);
        free(t);
        return NULL;
}
