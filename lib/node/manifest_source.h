#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From files to wanted pods: decodes each whole file of the manifest directory, keeps the last good version of each in
 * force, in memory and as a numbered revision on disk, settles which file speaks for a pod name, and tells what is
 * wanted. What is wrong with a file is kept for status, log and events.
 *
 *  - A file that is wrong, being written, unreadable or gone for a moment changes nothing of what is wanted.
 *  - A file may hold ConfigMaps and Secrets instead of a pod, which serve references of pods (kube/pod_config.h).
 *  - Removing a file removes its pod; a missing directory removes nothing.
 *  - Of two files with the same pod name the first by file name counts, the other is a finding.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "kube/config_object.h"
#include "kube/pod.h"

struct err;
struct loop;
struct manifest_source;
struct revisions;

/* One file, as status shows it. */
struct manifest {
        char *name, *path;
        struct pod *pod;              /* in force (a reference), NULL: this file gave no good version yet */
        unsigned revision;            /* of pod; 0: not on disk */
        bool valid;                   /* what the file holds now is what is in force */
        bool busy;                    /* it is being written and was not read */
        char *problem;                /* why the file as it is now is not in force, NULL without */
        char *refusal;                /* why its content was not taken, also where `problem` says something else */
        struct pod_findings findings; /* of the newest content, warnings too */
        struct pod *rejected;         /* what it gave and failed its trial (a reference), as revision_reject.h has it */
        char *rejection;              /* how that is told; NULL without */
        bool shadowed;                /* another file has this pod name: `problem` says which */
        usec_t since_wall;            /* when this became so */
        char *raw;                    /* bytes of a version that is not stored yet, else NULL */
        size_t raw_len;
        bool unsynced;                 /* pod was stored, and a power failure might still lose it */
        struct config_objects configs; /* what the file serves instead of a pod */
};

struct manifest_source_handlers {
        /* This version is wanted from now on. file: path of the manifest. */
        void (*want)(void *userdata, struct pod *pod, unsigned revision, const char *file);
        void (*unwant)(void *userdata, const char *namespace, const char *name);
        /* Something about a file is new: a problem that began (message), or ended (message NULL). pod: what it was
         * about where that is known, for events; NULL otherwise. */
        void (*problem)(void *userdata, const struct manifest *manifest, const char *message);
        /* The directory went (message) or came back (NULL). */
        void (*directory)(void *userdata, const char *message);
        /* Something is new that is not about one file: a full disk, ignored files. For the log. */
        void (*notice)(void *userdata, const char *message);
        /* Number of the version that a trial of this pod goes back to, which stays on disk; 0: none. May be NULL. */
        unsigned (*fallback)(void *userdata, const struct pod *pod);
        /* ConfigMaps or Secrets are new, changed or gone. May be NULL. */
        void (*configs)(void *userdata);
        /* All that was there at start is known: what is not wanted now is not wanted. Called once. */
        void (*complete)(void *userdata);
};

struct manifest_source_options {
        const char *path;      /* directory or file */
        const char *node_name; /* lower case */
        usec_t scan_interval;
        bool strict;       /* unknown fields refuse a manifest */
        bool each_removal; /* see manifest_dir_new */
};

/* revisions is borrowed. Handlers are called from the loop. */
int manifest_source_new(struct loop *loop, const struct manifest_source_options *options, struct revisions *revisions,
                        const struct manifest_source_handlers *handlers, void *userdata, struct manifest_source **ret,
                        struct err *err);
struct manifest_source *manifest_source_free(struct manifest_source *source); /* takes NULL, returns NULL */

/* pod, which a file gave, failed its trial: fallback is in force in its place, and pod is not taken again until the
 * file gives something else (or manifest_source_retry), also after a restart. */
void manifest_source_reject(struct manifest_source *source, const struct pod *pod, struct pod *fallback,
                            unsigned fallback_revision);
/* What was rejected of this pod is taken once more, from the loop. */
void manifest_source_retry(struct manifest_source *source, const char *namespace, const char *name);

/* Files in order of their names. */
size_t manifest_source_count(const struct manifest_source *source);
const struct manifest *manifest_source_get(const struct manifest_source *source, size_t index);
/* The file that is in force for a pod, or NULL. */
const struct manifest *manifest_source_find(const struct manifest_source *source, const char *namespace,
                                            const char *name);
typedef void (*manifest_source_ignored_fn)(void *userdata, const char *name, const char *why);
void manifest_source_ignored(const struct manifest_source *source, manifest_source_ignored_fn fn, void *userdata);
/* What the files serve, as long as the source lives; its content changes. */
const struct config_objects *manifest_source_configs(const struct manifest_source *source);
/* Why the directory is not there, NULL while it is. */
const char *manifest_source_missing(const struct manifest_source *source);
/* Why versions cannot be stored, NULL while they can. */
const char *manifest_source_disk(const struct manifest_source *source);
