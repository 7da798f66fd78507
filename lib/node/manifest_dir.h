#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest directory as a stream of whole files. inotify only says "look again": every event, overflow, a
 * directory that comes and goes, start-up and the slow safety scan end in the same scan, which compares stat of each
 * file with what is known.
 *
 *  - A file is given out once its content is new, it has been quiet for a moment, and nobody has it open for writing. A
 *    file that was renamed into the directory is whole already and does not wait.
 *  - A file that is gone is told after a while only, since editors remove and make again; or each removal at once, also
 *    of a file that is there again (each_removal), which is what the kubelet does.
 *  - While the directory itself is missing nothing is told to be gone.
 *  - Names that are no manifests are kept in a list with the reason.
 *
 * A path to one file instead of a directory watches the directory for that one name.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct err;
struct loop;
struct manifest_dir;

/* Quiet time before a changed file is read; how long it must be gone before it counts as removed; the same where the
 * directory was another one shortly before (removed and made again, unmounted, swapped). */
#define MANIFEST_SETTLE_USEC (50 * USEC_PER_MSEC)
#define MANIFEST_REMOVE_USEC (500 * USEC_PER_MSEC)
#define MANIFEST_REMOVE_NEW_DIRECTORY_USEC (10 * USEC_PER_SEC)
#define MANIFEST_COMPLETE_USEC (1 * USEC_PER_SEC)

struct manifest_dir_handlers {
        /* New content of a file, whole. Valid during the call. */
        void (*content)(void *userdata, const char *name, const char *data, size_t len);
        /* It cannot be read (too large, no permission, dangling link), or is being written and was not read yet
         * (busy). The version before it stands. */
        void (*unreadable)(void *userdata, const char *name, bool busy, const char *message);
        void (*removed)(void *userdata, const char *name);
        /* The directory is there (message NULL), or not, and why. */
        void (*directory)(void *userdata, const char *message);
        /* Everything that was there at start has been told once, and what was expected and is gone as well; what goes
         * on changing holds it up by MANIFEST_COMPLETE_USEC at most. Called once. */
        void (*complete)(void *userdata);
        /* The list of ignored files changed. */
        void (*ignored)(void *userdata);
};

/* scan_interval: of the safety scan (fileCheckFrequency). Starts from the loop: handlers are not called before this
 * returned. */
int manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                     const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                     struct err *err);
struct manifest_dir *manifest_dir_free(struct manifest_dir *dir); /* takes NULL, returns NULL */

/* This file was there before (when podwatch ran last): should it be gone, that is told as a removal, after the same
 * while. Before the loop runs. */
void manifest_dir_expect(struct manifest_dir *dir, const char *name);

/* Tells the content of this file once more, from the loop and once it is whole, also where it is as it was told before.
 * Does nothing for a file that was not told yet. */
void manifest_dir_again(struct manifest_dir *dir, const char *name);

/* The directory that is watched. */
const char *manifest_dir_path(const struct manifest_dir *dir);

/* Files that are there and are not read, in order of their names. */
typedef void (*manifest_dir_ignored_fn)(void *userdata, const char *name, const char *why);
void manifest_dir_ignored(const struct manifest_dir *dir, manifest_dir_ignored_fn fn, void *userdata);
