/* SPDX-License-Identifier: Apache-2.0 */
#include <inotifytools/inotify.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "node/manifest_fs.h"
#include "node/manifest_watch.h"

#define DIRECTORY_EVENTS                                                                                \
        (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | \
         IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define ANCESTOR_EVENTS (IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR)
#define LINK_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define GONE_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT)

struct manifest_watch {
        struct manifest_events *events;
        int directory; /* number of the watch on the directory, -1 without */
        int ancestor;  /* the same for the ancestor of a missing one */
        manifest_hint_fn fn;
        void *userdata;
};

static void take_event(void *userdata, int number, uint32_t mask, const char *name)
{
        struct manifest_watch *watch = userdata;

        if (mask & IN_Q_OVERFLOW) {
                watch->fn(watch->userdata, MANIFEST_HINT_LOST, "");
        } else if (number == watch->ancestor) {
                watch->fn(watch->userdata, MANIFEST_HINT_DIRECTORY, "");
        } else if (number == watch->directory) {
                if (mask & IN_IGNORED)
                        watch->directory = -1;
                if (mask & GONE_EVENTS)
                        watch->fn(watch->userdata, MANIFEST_HINT_DIRECTORY, "");
                else if (mask & IN_MOVED_TO)
                        watch->fn(watch->userdata, MANIFEST_HINT_WHOLE, name);
                else if (mask & (IN_DELETE | IN_MOVED_FROM))
                        watch->fn(watch->userdata, MANIFEST_HINT_REMOVED, name);
                else
                        watch->fn(watch->userdata, MANIFEST_HINT_TOUCHED, name);
        } else if (!(mask & IN_IGNORED)) {
                watch->fn(watch->userdata, MANIFEST_HINT_LOOK, "");
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
        r = manifest_events_new(loop, take_event, watch, &watch->events, err);
        if (r < 0) {
                (void)manifest_watch_free(watch);
                return r;
        }
        *ret = watch;
        return 0;
}

struct manifest_watch *manifest_watch_free(struct manifest_watch *watch)
{
        if (!watch)
                return NULL;
        (void)manifest_events_free(watch->events);
        free(watch);
        return NULL;
}

static void drop(struct manifest_watch *watch, int *number)
{
        if (*number >= 0)
                manifest_events_unwatch(watch->events, *number);
        *number = -1;
}

/* The nearest ancestor that can be watched; the root always can. */
static void watch_ancestor(struct manifest_watch *watch, const char *path)
{
        char *at = file_dirname(path);
        int number;

        for (;;) {
                number = manifest_events_watch(watch->events, at, ANCESTOR_EVENTS);
                if (number >= 0 || str_eq(at, "/") || str_eq(at, "."))
                        break;
                char *up = file_dirname(at);
                free(at);
                at = up;
        }
        free(at);
        if (watch->ancestor >= 0 && watch->ancestor != number)
                manifest_events_unwatch(watch->events, watch->ancestor);
        watch->ancestor = number;
}

int manifest_watch_directory(struct manifest_watch *watch, const char *path, struct err *err)
{
        int number = manifest_events_watch(watch->events, path, DIRECTORY_EVENTS);

        if (number < 0) {
                drop(watch, &watch->directory);
                watch_ancestor(watch, path);
                return err_set_errno(err, -number, "watching %s", path);
        }
        if (watch->directory >= 0 && watch->directory != number)
                manifest_events_unwatch(watch->events, watch->directory);
        watch->directory = number;
        drop(watch, &watch->ancestor);
        return 0;
}

int manifest_watch_link(struct manifest_watch *watch, const char *path)
{
        return manifest_events_watch(watch->events, path, LINK_EVENTS);
}

void manifest_watch_unlink(struct manifest_watch *watch, int number)
{
        if (number >= 0 && number != watch->directory && number != watch->ancestor)
                manifest_events_unwatch(watch->events, number);
}
