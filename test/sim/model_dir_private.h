#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of model_dir.h share: files and who writes them (model_dir.c), inotify (model_dir_events.c), and the
 * kernel's calls with what podwatch makes of them (model_dir_calls.c).
 */
#include <inotifytools/inotify.h>
#include <stddef.h>
#include <sys/types.h>

#include "model_dir.h"
#include "node/manifest_dir.h"
#include "node/manifest_fs.h"
#include "rng.h"
#include "sim_loop.h"

struct event;
struct writer;

struct inode {
        ino_t number;
        char *text;
        bool whole;
        unsigned writers, names;
        usec_t mtime, ctime;
        struct inode *prev, *next;
};

struct file {
        struct model_dir *dir;
        char *name;
        struct inode *inode; /* NULL: not there */
        usec_t came, went;
        struct writer *writer;
        struct loop_source *comes; /* into a directory that is new: not there yet */
        struct file *prev, *next;
};

/* inotify, as podwatch has it. */
struct manifest_events {
        struct loop *loop;
        manifest_event_fn fn;
        void *userdata;
        int directory, ancestor; /* watches, -1: none */
        ino_t watched;           /* the directory that is */
        int last;                /* number */
        bool full;
        uint64_t order, told; /* the latest */
        struct loop_source *timer;
        struct event *queue, *overtaken;
        usec_t born;
};

struct model_dir {
        struct loop *loop;
        struct rng rng;
        struct model_dir_hooks hooks;
        struct model_dir_faults faults;
        struct model_dir_met met;
        struct file *files; /* by name */
        struct inode *inodes;
        ino_t number; /* of the directory */
        bool away;
        usec_t back; /* when it was last */
        bool deaf;   /* no event is ever told */
        bool leases; /* a file system that knows them */
        struct loop_source *comes;
        struct manifest_events *events;
        /* podwatch's own */
        struct manifest_dir_handlers handlers;
        void *userdata;
};

/* The modules replaced have no handle to hang this on. */
extern struct model_dir *model_dir_current;

usec_t model_dir_elapsed(const struct model_dir *dir);
usec_t model_dir_milliseconds(struct model_dir *dir, unsigned low, unsigned high);

/* An event of that watch, as the world's faults have it. */
void model_dir_emit(struct model_dir *dir, int watch, uint32_t mask, const char *name);
/* Something happened to a name in the directory. */
void model_dir_happened(struct model_dir *dir, uint32_t mask, const char *name);

/* NULL: never heard of. */
struct file *model_file_find(const struct model_dir *dir, const char *name);
bool model_file_is_there(const struct file *f); /* takes NULL */
struct inode *model_inode_find(const struct model_dir *dir, ino_t number);
/* Somebody begins to write once more what the file holds, in pieces. */
void model_file_rewrite(struct file *f);
