#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of manifest_source: what it keeps, and what its parts ask of one another.
 *
 *      manifest_source.c   from files to what is wanted; versions on disk
 *      manifest_trial.c    versions that failed their trial
 */
#include "node/manifest_source.h"

struct loop_source;
struct manifest_dir;

/* What is wanted of one pod name, as last told. */
struct wanted {
        char *namespace, *name;
        struct pod *pod;
        unsigned revision; /* highest that was given */
        bool marked;
};

struct manifest_source {
        struct loop *loop;
        char *node_name;
        bool strict;
        struct revisions *revisions;
        struct manifest_source_handlers handlers;
        void *userdata;
        struct manifest_dir *dir;
        struct manifest **files; /* in order of names */
        size_t count;
        struct wanted *wanted;
        size_t wanted_count;
        bool complete;
        struct config_objects configs; /* those that count, borrowed from the files */
        char *missing;                 /* why the directory is not there */
        char *disk;                    /* why versions cannot be stored */
        struct loop_source *keep;      /* what is not stored, or not synced */
};

/* The file that is in force for a pod, or NULL. */
struct manifest *manifest_source_in_force(const struct manifest_source *s, const char *namespace, const char *name);
/* What the file holds is taken (why NULL), or not, and why. Where another file has the pod, that is the problem of
 * both. */
void manifest_source_refuse(struct manifest_source *s, struct manifest *m, const char *why);
/* Of the files as they stand: who speaks for which name, what is new, what is gone. */
void manifest_source_settle(struct manifest_source *s);

/* No version of m's pod is refused for its trial any more, whichever file gave it. */
void manifest_trial_forget(struct manifest_source *s, const struct manifest *m);
/* pod, which m gives now, failed its trial before: what is in force stays, and why is told. */
bool manifest_trial_failed(struct manifest_source *s, struct manifest *m, struct pod *pod);
