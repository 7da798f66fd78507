#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The file system under the simulator: the manifest directory, those who write in it, and inotify, in place of
 * manifest_fs.c, so that manifest_dir.c, manifest_file.c and manifest_watch.c run as they are. Writers take their time:
 * a file may be half there when podwatch looks, or not there for a moment. One world at a time.
 *
 * It has random numbers of its own.
 */
#include <stdbool.h>
#include <stdint.h>

struct loop;
struct model_dir;

struct model_dir_hooks {
        /* podwatch takes this for what the file holds, whole; text NULL: it is gone. Called after it has acted on it.
         */
        void (*told)(void *userdata, const char *name, const char *text);
        /* It knows all that was there when it started. */
        void (*complete)(void *userdata);
        void *userdata;
};

/* Chances in a thousand. */
struct model_dir_faults {
        unsigned lost;     /* an event is never told */
        unsigned twice;    /* it is told twice */
        unsigned late;     /* it and those behind it are told up to 5 s later */
        unsigned swapped;  /* it is told up to 2 s later, and those behind it are not */
        unsigned overflow; /* the queue is full: nothing is told but that, until it was read */
        unsigned refused;  /* a file or the directory cannot be opened */
};

struct model_dir_met {
        uint64_t lost, twice, late, swapped, overflow, refused, in_place, pieces, renamed, again, away, refilled, busy,
                changed;
};

struct model_dir *model_dir_new(struct loop *loop, uint64_t seed, const struct model_dir_hooks *hooks);
struct model_dir *model_dir_free(struct model_dir *dir);
void model_dir_set(struct model_dir *dir); /* NULL at the end of a world */
/* All zero: events are told at once and in order. In some worlds events are never told, whatever these say. */
struct model_dir_faults *model_dir_faults(struct model_dir *dir);
const struct model_dir_met *model_dir_met(const struct model_dir *dir);

/* Somebody begins to write this into the file, in one of many ways, or (NULL) takes it away. What was being written to
 * it before is complete first. */
void model_dir_write(struct model_dir *dir, const char *name, const char *text);
/* What is being written to the file is complete at once. */
void model_dir_finish(struct model_dir *dir, const char *name);
/* The directory goes away, and is back after a while: itself, or another one into which the files come one by one. */
void model_dir_away(struct model_dir *dir);

/* The file is there and holds this and no less. */
bool model_dir_holds(const struct model_dir *dir, const char *name, const char *text);
/* It is not there, and nobody is about to bring it back. */
bool model_dir_is_gone(const struct model_dir *dir, const char *name);
/* podwatch may take it for gone though somebody is about to bring it back: it cannot know that the directory is new, or
 * the file had only just come. */
bool model_dir_seems_gone(const struct model_dir *dir, const char *name);
