/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inotifytools/inotify.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "model_dir.h"
#include "node/manifest_dir.h"
#include "node/manifest_fs.h"
#include "rng.h"
#include "sim_loop.h"

#define DIRECTORY "/manifests"
#define NAME "manifests"
/* Descriptors are these numbers, which no process has: closing one does nothing. Behind the directory's come those of
 * the inodes. */
#define DIRECTORY_FD (1 << 28)
/* Times of files are as coarse as a kernel's. */
#define TICK_USEC ((usec_t)4000)
/* Who writes without keeping the file open does not pause for longer: that is all that tells such a file from a whole
 * one. */
#define PAUSE_MAX 40 /* ms */
/* A file that is taken away and made again is there again after this long; less than what counts as removed. */
#define AGAIN_MAX 400 /* ms */
#define COUNTS_AS_REMOVED (500 * USEC_PER_MSEC)

enum way {
        WAY_RENAME,   /* a whole one under another name is renamed over it */
        WAY_IN_PLACE, /* truncated, written in pieces, and open until the end */
        WAY_PIECES,   /* opened, written and closed for each piece */
        WAY_AGAIN,    /* removed first, and then one of the others */
        WAY_MAX
};

struct inode {
        ino_t number;
        char *text;
        bool whole;
        unsigned writers, names;
        usec_t mtime, ctime;
        struct inode *prev, *next;
};

struct writer {
        struct file *file;
        enum way way;
        char *text;
        size_t at; /* written so far */
        bool begun;
        bool removed; /* the file was there, and it took it away first */
        struct loop_source *timer;
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

struct event {
        struct manifest_events *events;
        int watch;
        uint32_t mask;
        char name[40];
        uint64_t order;
        struct loop_source *timer; /* of one that others overtake */
        struct event *prev, *next;
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
static struct model_dir *model;

static usec_t elapsed(const struct model_dir *dir)
{
        return sim_loop_elapsed(dir->loop);
}

static usec_t milliseconds(struct model_dir *dir, unsigned low, unsigned high)
{
        return rng_between(&dir->rng, low, high) * USEC_PER_MSEC;
}

/* --- inotify ------------------------------------------------------------------------------------------------------ */

static void event_free(struct event **list, struct event *e)
{
        DL_DELETE(*list, e);
        (void)loop_source_free(e->timer);
        free(e);
}

static void tell(struct manifest_events *events, struct event **list, struct event *e)
{
        struct event told = *e;

        if (e->order > events->told)
                events->told = e->order;
        event_free(list, e);
        events->fn(events->userdata, told.watch, told.mask, told.name);
}

static void on_readable(void *userdata)
{
        struct manifest_events *events = userdata;

        events->timer = NULL;
        events->full = false;
        while (events->queue)
                tell(events, &events->queue, events->queue);
}

static void on_overtaken(void *userdata)
{
        struct event *e = userdata;

        e->timer = NULL;
        model->met.swapped += e->events->told > e->order;
        tell(e->events, &e->events->overtaken, e);
}

static void push(struct model_dir *dir, int watch, uint32_t mask, const char *name)
{
        struct manifest_events *events = dir->events;
        struct event *e = xcalloc(1, sizeof(*e));

        e->events = events;
        e->watch = watch;
        e->mask = mask;
        e->order = ++events->order;
        str_copy(e->name, sizeof(e->name), name);
        if (rng_chance(&dir->rng, dir->faults.swapped)) {
                e->timer = sim_after(dir->loop, milliseconds(dir, 1, 2000), on_overtaken, e);
                DL_APPEND(events->overtaken, e);
                return;
        }
        DL_APPEND(events->queue, e);
        if (events->timer)
                return;
        bool late = rng_chance(&dir->rng, dir->faults.late);
        dir->met.late += late;
        events->timer = sim_after(dir->loop, late ? milliseconds(dir, 1, 5000) : 0, on_readable, events);
}

static void emit(struct model_dir *dir, int watch, uint32_t mask, const char *name)
{
        if (watch < 0 || dir->events->full)
                return;
        if (dir->deaf || rng_chance(&dir->rng, dir->faults.lost)) {
                dir->met.lost++;
        } else if (rng_chance(&dir->rng, dir->faults.overflow)) {
                dir->met.overflow++;
                push(dir, -1, IN_Q_OVERFLOW, "");
                dir->events->full = true;
        } else {
                push(dir, watch, mask, name);
                if (!rng_chance(&dir->rng, dir->faults.twice))
                        return;
                dir->met.twice++;
                push(dir, watch, mask, name);
        }
}

/* Something happened to a name in the directory. */
static void happened(struct model_dir *dir, uint32_t mask, const char *name)
{
        if (dir->events && !dir->away)
                emit(dir, dir->events->directory, mask, name);
}

int manifest_events_new(struct loop *loop, manifest_event_fn fn, void *userdata, struct manifest_events **ret,
                        struct err *err)
{
        struct manifest_events *events = xcalloc(1, sizeof(*events));

        (void)err;
        events->loop = loop;
        events->fn = fn;
        events->userdata = userdata;
        events->directory = events->ancestor = -1;
        events->born = sim_loop_elapsed(loop);
        model->events = *ret = events;
        return 0;
}

struct manifest_events *manifest_events_free(struct manifest_events *events)
{
        if (!events)
                return NULL;
        while (events->queue)
                event_free(&events->queue, events->queue);
        while (events->overtaken)
                event_free(&events->overtaken, events->overtaken);
        (void)loop_source_free(events->timer);
        if (model->events == events)
                model->events = NULL;
        free(events);
        return NULL;
}

int manifest_events_watch(struct manifest_events *events, const char *path, uint32_t mask)
{
        (void)mask;
        if (!str_eq(path, DIRECTORY))
                return events->ancestor = events->ancestor >= 0 ? events->ancestor : ++events->last;
        if (model->away)
                return -ENOENT;
        if (events->directory < 0 || events->watched != model->number)
                events->directory = ++events->last;
        events->watched = model->number;
        return events->directory;
}

void manifest_events_unwatch(struct manifest_events *events, int watch)
{
        if (watch == events->directory)
                events->directory = -1;
        if (watch == events->ancestor)
                events->ancestor = -1;
        push(model, watch, IN_IGNORED, "");
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static int by_name(const struct file *a, const struct file *b)
{
        return strcmp(a->name, b->name);
}

static struct file *file_find(const struct model_dir *dir, const char *name)
{
        struct file *f;

        DL_FOREACH (dir->files, f)
                if (str_eq(f->name, name))
                        return f;
        return NULL;
}

static struct file *file_of(struct model_dir *dir, const char *name)
{
        struct file *f = file_find(dir, name);

        if (f)
                return f;
        f = xcalloc(1, sizeof(*f));
        f->dir = dir;
        f->name = xstrdup(name);
        DL_INSERT_INORDER(dir->files, f, by_name);
        return f;
}

static bool is_there(const struct file *f)
{
        return f && f->inode && !f->comes;
}

static struct inode *inode_find(const struct model_dir *dir, ino_t number)
{
        struct inode *i;

        DL_FOREACH (dir->inodes, i)
                if (i->number == number)
                        return i;
        return NULL;
}

static void touch(struct model_dir *dir, struct inode *inode)
{
        inode->ctime = loop_now_realtime(dir->loop);
        inode->ctime -= inode->ctime % TICK_USEC;
}

static void set_text(struct model_dir *dir, struct inode *inode, const char *text, size_t len, bool whole)
{
        free(inode->text);
        inode->text = xstrndup(text, len);
        inode->whole = whole;
        touch(dir, inode);
        inode->mtime = inode->ctime;
}

/* With the lowest number that is free, as file systems give them: that of a file which was removed comes back. */
static struct inode *inode_new(struct model_dir *dir)
{
        struct inode *inode = xcalloc(1, sizeof(*inode));

        while (inode_find(dir, ++inode->number))
                ;
        set_text(dir, inode, "", 0, false);
        DL_APPEND(dir->inodes, inode);
        return inode;
}

static void inode_put(struct model_dir *dir, struct inode *inode)
{
        if (inode->names || inode->writers)
                return;
        DL_DELETE(dir->inodes, inode);
        free(inode->text);
        free(inode);
}

static void give_name(struct file *f, struct inode *inode)
{
        inode->names++;
        f->inode = inode;
        f->came = elapsed(f->dir);
        touch(f->dir, inode);
}

static void take_name(struct file *f)
{
        struct inode *inode = f->inode;

        f->inode = NULL;
        f->went = elapsed(f->dir);
        if (!inode)
                return;
        inode->names--;
        inode_put(f->dir, inode);
}

/* --- writers ------------------------------------------------------------------------------------------------------ */

static bool writer_step(struct writer *w, usec_t *ret_pause);

static void writer_end(struct writer *w)
{
        w->file->writer = NULL;
        (void)loop_source_free(w->timer);
        free(w->text);
        free(w);
}

static void on_writer(void *userdata)
{
        struct writer *w = userdata;
        usec_t pause = 0;

        w->timer = NULL;
        if (writer_step(w, &pause))
                writer_end(w);
        else
                w->timer = sim_after(w->file->dir->loop, pause, on_writer, w);
}

/* Its rest, at once. */
static void writer_finish(struct writer *w)
{
        usec_t pause;

        while (!writer_step(w, &pause))
                ;
        writer_end(w);
}

static char *temporary_name(const struct writer *w)
{
        return xasprintf(".%s.tmp", w->file->name);
}

static void make_temporary(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;
        char *name CLEANUP_FREE = temporary_name(w);
        struct file *f = file_of(dir, name);

        give_name(f, inode_new(dir));
        set_text(dir, f->inode, w->text, strlen(w->text), true);
        happened(dir, IN_CREATE, name);
        happened(dir, IN_MODIFY, name);
        happened(dir, IN_CLOSE_WRITE, name);
}

static void rename_temporary(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;
        char *name CLEANUP_FREE = temporary_name(w);
        struct file *f = file_of(dir, name);
        struct inode *inode = f->inode;
        usec_t came = w->file->came;
        bool there = w->file->inode;

        take_name(w->file);
        give_name(w->file, inode);
        if (there)
                w->file->came = came;
        take_name(f);
        happened(dir, IN_MOVED_FROM, name);
        happened(dir, IN_MOVED_TO, w->file->name);
        dir->met.renamed += there;
}

static void truncate_file(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;

        if (w->file->inode) {
                set_text(dir, w->file->inode, "", 0, false);
        } else {
                give_name(w->file, inode_new(dir));
                happened(dir, IN_CREATE, w->file->name);
        }
        happened(dir, IN_MODIFY, w->file->name);
        w->file->inode->writers += w->way == WAY_IN_PLACE;
}

static void write_piece(struct writer *w)
{
        struct model_dir *dir = w->file->dir;
        size_t len = strlen(w->text);

        w->at += rng_between(&dir->rng, 1, len - w->at);
        set_text(dir, w->file->inode, w->text, w->at, w->at == len);
        happened(dir, IN_MODIFY, w->file->name);
        if (w->way == WAY_PIECES)
                happened(dir, IN_CLOSE_WRITE, w->file->name);
}

static void close_file(const struct writer *w)
{
        w->file->inode->writers--;
        happened(w->file->dir, IN_CLOSE_WRITE, w->file->name);
}

static usec_t pause_of(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;

        if (w->way != WAY_IN_PLACE || !dir->leases)
                return milliseconds(dir, 0, PAUSE_MAX);
        return rng_chance(&dir->rng, 50) ? milliseconds(dir, 0, 30000) : milliseconds(dir, 0, 400);
}

static enum way some_way(struct model_dir *dir, bool there)
{
        /* Most programs are careful. */
        return rng_chance(&dir->rng, 300) ? WAY_RENAME : (enum way)rng_below(&dir->rng, there ? WAY_MAX : WAY_AGAIN);
}

static usec_t writer_begin(struct writer *w)
{
        struct model_dir *dir = w->file->dir;

        switch (w->way) {
        case WAY_RENAME:
                make_temporary(w);
                break;
        case WAY_IN_PLACE:
                dir->met.in_place++;
                truncate_file(w);
                break;
        case WAY_PIECES:
                dir->met.pieces++;
                truncate_file(w);
                break;
        case WAY_AGAIN:
                dir->met.again++;
                w->removed = true;
                take_name(w->file);
                happened(dir, IN_DELETE, w->file->name);
                return milliseconds(dir, 1, AGAIN_MAX);
        case WAY_MAX:
                break;
        }
        return pause_of(w);
}

/* True: it was the last. */
static bool writer_step(struct writer *w, usec_t *ret_pause)
{
        bool done = false;

        if (!w->begun) {
                w->begun = true;
                *ret_pause = writer_begin(w);
                return false;
        }
        if (w->way == WAY_AGAIN) {
                w->way = some_way(w->file->dir, false);
                *ret_pause = writer_begin(w);
                return false;
        }
        if (w->way == WAY_RENAME) {
                rename_temporary(w);
                return true;
        }
        if (w->text[w->at]) {
                write_piece(w);
                done = w->way == WAY_PIECES && !w->text[w->at];
        } else {
                close_file(w);
                done = true;
        }
        *ret_pause = pause_of(w);
        return done;
}

static struct writer *writer_new(struct file *f, const char *text, enum way way)
{
        struct writer *w = xcalloc(1, sizeof(*w));

        w->file = f;
        w->text = xstrdup(text);
        w->way = way;
        f->writer = w;
        return w;
}

static void on_comes(void *userdata)
{
        struct file *f = userdata;

        f->comes = NULL;
        f->came = elapsed(f->dir);
        happened(f->dir, IN_CREATE, f->name);
        happened(f->dir, IN_CLOSE_WRITE, f->name);
}

void model_dir_write(struct model_dir *dir, const char *name, const char *text)
{
        usec_t pause = 0; /* nobody is so quick that a rename and the next write are one */
        struct file *f = file_of(dir, name);
        struct writer *w;

        if (f->comes) {
                f->comes = loop_source_free(f->comes);
                on_comes(f);
        }
        if (f->writer) {
                writer_finish(f->writer);
                pause = milliseconds(dir, 100, 300);
        }
        if (text) {
                w = writer_new(f, text, some_way(dir, f->inode));
                if (pause)
                        w->timer = sim_after(dir->loop, pause, on_writer, w);
                else
                        on_writer(w);
        } else if (f->inode) {
                take_name(f);
                happened(dir, IN_DELETE, name);
        }
}

void model_dir_finish(struct model_dir *dir, const char *name)
{
        struct file *f = file_find(dir, name);

        if (f && f->writer)
                writer_finish(f->writer);
}

/* --- the directory ------------------------------------------------------------------------------------------------ */

static void on_back(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->comes = NULL;
        dir->away = false;
        dir->back = elapsed(dir);
        if (dir->events)
                emit(dir, dir->events->ancestor, IN_MOVED_TO, NAME);
}

/* Another directory, into which the files come back one by one. */
static void refill(struct model_dir *dir, usec_t away)
{
        struct file *f;

        dir->met.refilled++;
        dir->number++;
        DL_FOREACH (dir->files, f) {
                if (f->writer)
                        writer_finish(f->writer);
                if (f->inode)
                        f->comes = sim_after(dir->loop, away + milliseconds(dir, 0, 5000), on_comes, f);
        }
        if (!dir->events)
                return;
        emit(dir, dir->events->directory, IN_DELETE_SELF, "");
        emit(dir, dir->events->directory, IN_IGNORED, "");
        dir->events->directory = -1;
}

void model_dir_away(struct model_dir *dir)
{
        usec_t away = milliseconds(dir, 1, rng_chance(&dir->rng, 300) ? 15000 : 1000);
        struct file *f;

        DL_FOREACH (dir->files, f)
                if (f->comes)
                        return;
        if (dir->away)
                return;
        dir->met.away++;
        if (rng_chance(&dir->rng, 500))
                refill(dir, away);
        else if (dir->events)
                emit(dir, dir->events->directory, IN_MOVE_SELF, "");
        dir->away = true;
        dir->comes = sim_after(dir->loop, away, on_back, dir);
}

/* --- manifest_fs.c ------------------------------------------------------------------------------------------------ */

static bool refused(void)
{
        bool r = rng_chance(&model->rng, model->faults.refused);

        model->met.refused += r;
        return r;
}

int manifest_fs_open(const char *path)
{
        (void)path;
        if (model->away)
                return -ENOENT;
        return refused() ? -EMFILE : DIRECTORY_FD;
}

int manifest_fs_open_file(int directory_fd, const char *name)
{
        const struct file *f = file_find(model, name);

        (void)directory_fd;
        if (!is_there(f))
                return -ENOENT;
        return refused() ? -EMFILE : DIRECTORY_FD + (int)f->inode->number;
}

int manifest_fs_names(int directory_fd, size_t max, struct strv *names)
{
        const struct file *f;

        (void)directory_fd;
        (void)max;
        DL_FOREACH (model->files, f)
                if (is_there(f))
                        strv_add(names, f->name);
        return 0;
}

static struct timespec timespec_of(usec_t at)
{
        return (struct timespec){.tv_sec = (time_t)(at / USEC_PER_SEC), .tv_nsec = (long)(at % USEC_PER_SEC) * 1000};
}

int manifest_fs_stat_open(int fd, struct stat *ret)
{
        const struct inode *inode = inode_find(model, (ino_t)(fd - DIRECTORY_FD));

        *ret = (struct stat){.st_dev = 1, .st_ino = 1000000 + model->number, .st_mode = S_IFDIR | 0700};
        if (inode)
                *ret = (struct stat){.st_dev = 1,
                                     .st_ino = inode->number,
                                     .st_mode = S_IFREG | 0600,
                                     .st_size = (off_t)strlen(inode->text),
                                     .st_mtim = timespec_of(inode->mtime),
                                     .st_ctim = timespec_of(inode->ctime)};
        return 0;
}

int manifest_fs_stat(const char *path, struct stat *ret)
{
        (void)path;
        return model->away ? -ENOENT : manifest_fs_stat_open(DIRECTORY_FD, ret);
}

int manifest_fs_stat_at(int directory_fd, const char *name, bool follow, struct stat *ret)
{
        const struct file *f = file_find(model, name);

        (void)follow;
        return is_there(f) ? manifest_fs_stat_open(directory_fd + (int)f->inode->number, ret) : -ENOENT;
}

bool manifest_fs_is_written(int fd)
{
        const struct inode *inode = inode_find(model, (ino_t)(fd - DIRECTORY_FD));
        bool busy = model->leases && inode->writers > 0;

        model->met.busy += busy;
        return busy;
}

/* Where there are no leases, somebody may write what it holds once more while it is being read. */
static void change_while_read(const struct inode *inode)
{
        struct file *f;

        DL_FOREACH (model->files, f) {
                if (f->inode != inode || f->writer || !inode->whole || !rng_chance(&model->rng, 20))
                        continue;
                model->met.changed++;
                on_writer(writer_new(f, inode->text, WAY_PIECES));
                return;
        }
}

ssize_t manifest_fs_read(int fd, void *data, size_t size, off_t offset)
{
        const struct inode *inode = inode_find(model, (ino_t)(fd - DIRECTORY_FD));
        size_t len = strlen(inode->text), n = (size_t)offset < len ? len - (size_t)offset : 0;

        /* In two goes. */
        if (offset == 0 && n > 8)
                n = 8;
        if (n > size)
                n = size;
        memcpy(data, inode->text + (n ? offset : 0), n);
        if (offset == 0 && !model->leases)
                change_while_read(inode);
        return (ssize_t)n;
}

/* --- manifest_dir.c, by the linker's --wrap: what it tells is heard here as well -----------------------------------
 */

int __real_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err);
int __wrap_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err);

static void on_content(void *userdata, const char *name, const char *data, size_t len)
{
        struct model_dir *dir = userdata;
        char *text CLEANUP_FREE = xstrndup(data, len);

        dir->handlers.content(dir->userdata, name, data, len);
        dir->hooks.told(dir->hooks.userdata, name, text);
}

static void on_unreadable(void *userdata, const char *name, bool busy, const char *message)
{
        struct model_dir *dir = userdata;

        dir->handlers.unreadable(dir->userdata, name, busy, message);
}

static void on_removed(void *userdata, const char *name)
{
        struct model_dir *dir = userdata;
        char *gone CLEANUP_FREE = xstrdup(name);

        dir->handlers.removed(dir->userdata, name);
        dir->hooks.told(dir->hooks.userdata, gone, NULL);
}

static void on_directory(void *userdata, const char *message)
{
        struct model_dir *dir = userdata;

        dir->handlers.directory(dir->userdata, message);
}

static void on_complete(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->handlers.complete(dir->userdata);
        dir->hooks.complete(dir->hooks.userdata);
}

static void on_ignored(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->handlers.ignored(dir->userdata);
}

int __wrap_manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                            const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                            struct err *err)
{
        static const struct manifest_dir_handlers heard = {
                .content = on_content,
                .unreadable = on_unreadable,
                .removed = on_removed,
                .directory = on_directory,
                .complete = on_complete,
                .ignored = on_ignored,
        };

        model->handlers = *handlers;
        model->userdata = userdata;
        return __real_manifest_dir_new(loop, path, scan_interval, each_removal, &heard, model, ret, err);
}

/* --- the world's side --------------------------------------------------------------------------------------------- */

struct model_dir *model_dir_new(struct loop *loop, uint64_t seed, const struct model_dir_hooks *hooks)
{
        struct model_dir *dir = xcalloc(1, sizeof(*dir));

        dir->loop = loop;
        dir->rng.state = seed ^ 0x6d616e6966657374;
        dir->hooks = *hooks;
        dir->deaf = rng_chance(&dir->rng, 50);
        dir->leases = rng_chance(&dir->rng, 750);
        return dir;
}

struct model_dir *model_dir_free(struct model_dir *dir)
{
        while (dir->files) {
                struct file *f = dir->files;

                if (f->writer)
                        writer_end(f->writer);
                (void)loop_source_free(f->comes);
                DL_DELETE(dir->files, f);
                free(f->name);
                free(f);
        }
        while (dir->inodes) {
                struct inode *i = dir->inodes;

                DL_DELETE(dir->inodes, i);
                free(i->text);
                free(i);
        }
        (void)loop_source_free(dir->comes);
        free(dir);
        return NULL;
}

void model_dir_set(struct model_dir *dir)
{
        model = dir;
}

struct model_dir_faults *model_dir_faults(struct model_dir *dir)
{
        return &dir->faults;
}

const struct model_dir_met *model_dir_met(const struct model_dir *dir)
{
        return &dir->met;
}

bool model_dir_holds(const struct model_dir *dir, const char *name, const char *text)
{
        const struct file *f = file_find(dir, name);

        return !dir->away && is_there(f) && f->inode->whole && str_eq(f->inode->text, text);
}

bool model_dir_is_gone(const struct model_dir *dir, const char *name)
{
        const struct file *f = file_find(dir, name);

        return !dir->away && (!f || (!f->inode && !(f->writer && f->writer->removed)));
}

bool model_dir_seems_gone(const struct model_dir *dir, const char *name)
{
        const struct file *f = file_find(dir, name);

        if (dir->away || is_there(f))
                return false;
        if (f->comes)
                return dir->events->born >= dir->back;
        return f->came + COUNTS_AS_REMOVED > f->went;
}
