#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Accepted versions of each pod on disk, numbered, so that the last good one outlives podwatch and an operator can look
 * back:
 *
 *      <state>/pods/<namespace>_<name>/<n>.raw    the manifest as it was written
 *      <state>/pods/<namespace>_<name>/<n>.json   the pod after defaulting and identity
 *      <state>/pods/<namespace>_<name>/current    which of them is in force, and from which file it came
 *
 * A version is one of these to read or nothing at all: files are written by rename, and what is read back is checked
 * against the hash that `current` names, so a power failure before revision_sync can lose a version (the manifest
 * itself is still there) but not give half of one. A disk that takes nothing does not stop anything: the caller goes on
 * from memory, says so and tries again.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct pod;
struct revisions;

#define REVISIONS_KEPT 20

/* kept: versions of each pod, 0: REVISIONS_KEPT. */
struct revisions *revisions_new(const char *state_dir, unsigned kept);
struct revisions *revisions_free(struct revisions *revisions); /* takes NULL, returns NULL */

/* What is in force for one pod. Release by revision_release. */
struct revision {
        unsigned number;
        char *file; /* path of the manifest that it came from */
        struct pod *pod;
};
void revision_release(struct revision *revision);

/* Stores the next version and makes it the current one; the oldest beyond what is kept go, but not the one that was
 * current, nor `spared` (0: none). *ret_number is set also on failure (the number that it would have had, and has when
 * it is tried again). above: the last number that was given to a version of this pod, stored or not, which stays its
 * own; 0: none. Not synced. */
int revision_save(struct revisions *revisions, const struct pod *pod, const char *file, const char *raw, size_t raw_len,
                  unsigned above, unsigned spared, unsigned *ret_number, struct err *err);
/* What was saved outlives a power failure from now on. Waits for the disk. One that was removed meanwhile is fine. */
int revision_sync(struct revisions *revisions, const struct pod *pod, unsigned number, struct err *err);
/* Makes a stored version the current one. Synced. */
int revision_set_current(struct revisions *revisions, const struct pod *pod, const char *file, unsigned number,
                         struct err *err);
/* The current version of a pod: 1 where there is none. Unreadable or damaged: an error. */
int revision_current(struct revisions *revisions, const char *namespace, const char *name, struct revision *ret,
                     struct err *err);
/* One version by its number: -ENOENT where it is not there. */
int revision_load(struct revisions *revisions, const char *namespace, const char *name, unsigned number,
                  struct pod **ret, struct err *err);
/* The pod is not wanted any more: its versions stay, none is current. */
int revision_forget(struct revisions *revisions, const char *namespace, const char *name, struct err *err);

/* <state>/pods, and the number in "<n>.json" or "<n>.raw" (0 for other names): for revision_history.c. */
const char *revisions_directory(const struct revisions *revisions);
unsigned revision_file_number(const char *file);

/* Calls fn with every current version; what cannot be read is given with its error and a NULL revision. */
typedef void (*revision_fn)(void *userdata, const char *directory, const struct revision *revision,
                            const struct err *err);
void revisions_each(struct revisions *revisions, revision_fn fn, void *userdata);
