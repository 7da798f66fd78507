#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * inotify for manifest_dir: watches the directory, the files that symlinks in it lead
 * to, and, while the directory is missing, its nearest ancestor that is there. It turns events into hints and keeps
 * nothing else.
 */
#include <stdbool.h>
#include <stdint.h>

struct err;
struct loop;
struct manifest_watch;

enum manifest_hint {
        MANIFEST_HINT_TOUCHED,   /* something happened to this name: wait until it is quiet */
        MANIFEST_HINT_REMOVED,   /* the same, and what had this name was removed or renamed away */
        MANIFEST_HINT_WHOLE,     /* renamed into the directory: whole as it is */
        MANIFEST_HINT_LOOK,      /* look at everything (a link's target changed) */
        MANIFEST_HINT_LOST,      /* events were lost: watch anew and look at everything */
        MANIFEST_HINT_DIRECTORY, /* the directory was taken away, or may be there now */
        MANIFEST_HINT_MAX
};
/* name: "" where it is not about one. */
typedef void (*manifest_hint_fn)(void *userdata, enum manifest_hint hint, const char *name);

int manifest_watch_new(struct loop *loop, manifest_hint_fn fn, void *userdata, struct manifest_watch **ret,
                       struct err *err);
struct manifest_watch *manifest_watch_free(struct manifest_watch *watch); /* takes NULL, returns NULL */

/* Watches the directory from now on (an earlier one not any more). -ENOENT, -ENOTDIR: it is missing, its nearest
 * ancestor is watched instead. */
int manifest_watch_directory(struct manifest_watch *watch, const char *path, struct err *err);
/* Watches the file that the link at path leads to; the watch number, or negative. */
int manifest_watch_link(struct manifest_watch *watch, const char *path);
void manifest_watch_unlink(struct manifest_watch *watch, int number);
