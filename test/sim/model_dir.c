/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model_dir_private.h"

#define NAME "manifests"
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

struct writer {
        struct file *file;
        enum way way;
        char *text;
        size_t at; /* written so far */
        bool begun;
        bool removed; /* the file was there, and it took it away first */
        struct loop_source *timer;
};

struct model_dir *model_dir_current;

usec_t model_dir_elapsed(const struct model_dir *dir)
{
        return sim_loop_elapsed(dir->loop);
}

usec_t model_dir_milliseconds(struct model_dir *dir, unsigned low, unsigned high)
{
        return rng_between(&dir->rng, low, high) * USEC_PER_MSEC;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static int by_name(const struct file *a, const struct file *b)
{
        return strcmp(a->name, b->name);
}

struct file *model_file_find(const struct model_dir *dir, const char *name)
{
        struct file *f;

        DL_FOREACH (dir->files, f)
                if (str_eq(f->name, name))
                        return f;
        return NULL;
}

static struct file *file_of(struct model_dir *dir, const char *name)
{
        struct file *f = model_file_find(dir, name);

        if (f)
                return f;
        f = xcalloc(1, sizeof(*f));
        f->dir = dir;
        f->name = xstrdup(name);
        DL_INSERT_INORDER(dir->files, f, by_name);
        return f;
}

bool model_file_is_there(const struct file *f)
{
        return f && f->inode && !f->comes;
}

struct inode *model_inode_find(const struct model_dir *dir, ino_t number)
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

        while (model_inode_find(dir, ++inode->number))
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
        f->came = model_dir_elapsed(f->dir);
        touch(f->dir, inode);
}

static void take_name(struct file *f)
{
        struct inode *inode = f->inode;

        f->inode = NULL;
        f->went = model_dir_elapsed(f->dir);
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
        model_dir_happened(dir, IN_CREATE, name);
        model_dir_happened(dir, IN_MODIFY, name);
        model_dir_happened(dir, IN_CLOSE_WRITE, name);
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
        model_dir_happened(dir, IN_MOVED_FROM, name);
        model_dir_happened(dir, IN_MOVED_TO, w->file->name);
        dir->met.renamed += there;
}

static void truncate_file(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;

        if (w->file->inode) {
                set_text(dir, w->file->inode, "", 0, false);
        } else {
                give_name(w->file, inode_new(dir));
                model_dir_happened(dir, IN_CREATE, w->file->name);
        }
        model_dir_happened(dir, IN_MODIFY, w->file->name);
        w->file->inode->writers += w->way == WAY_IN_PLACE;
}

static void write_piece(struct writer *w)
{
        struct model_dir *dir = w->file->dir;
        size_t len = strlen(w->text);

        w->at += rng_between(&dir->rng, 1, len - w->at);
        set_text(dir, w->file->inode, w->text, w->at, w->at == len);
        model_dir_happened(dir, IN_MODIFY, w->file->name);
        if (w->way == WAY_PIECES)
                model_dir_happened(dir, IN_CLOSE_WRITE, w->file->name);
}

static void close_file(const struct writer *w)
{
        w->file->inode->writers--;
        model_dir_happened(w->file->dir, IN_CLOSE_WRITE, w->file->name);
}

static usec_t pause_of(const struct writer *w)
{
        struct model_dir *dir = w->file->dir;

        if (w->way != WAY_IN_PLACE || !dir->leases)
                return model_dir_milliseconds(dir, 0, PAUSE_MAX);
        return rng_chance(&dir->rng, 50) ? model_dir_milliseconds(dir, 0, 30000) : model_dir_milliseconds(dir, 0, 400);
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
                model_dir_happened(dir, IN_DELETE, w->file->name);
                return model_dir_milliseconds(dir, 1, AGAIN_MAX);
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
        f->came = model_dir_elapsed(f->dir);
        model_dir_happened(f->dir, IN_CREATE, f->name);
        model_dir_happened(f->dir, IN_CLOSE_WRITE, f->name);
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
                pause = model_dir_milliseconds(dir, 100, 300);
        }
        if (text) {
                w = writer_new(f, text, some_way(dir, f->inode));
                if (pause)
                        w->timer = sim_after(dir->loop, pause, on_writer, w);
                else
                        on_writer(w);
        } else if (f->inode) {
                take_name(f);
                model_dir_happened(dir, IN_DELETE, name);
        }
}

void model_dir_finish(struct model_dir *dir, const char *name)
{
        struct file *f = model_file_find(dir, name);

        if (f && f->writer)
                writer_finish(f->writer);
}

void model_file_rewrite(struct file *f)
{
        on_writer(writer_new(f, f->inode->text, WAY_PIECES));
}

/* --- the directory ------------------------------------------------------------------------------------------------ */

static void on_back(void *userdata)
{
        struct model_dir *dir = userdata;

        dir->comes = NULL;
        dir->away = false;
        dir->back = model_dir_elapsed(dir);
        if (dir->events)
                model_dir_emit(dir, dir->events->ancestor, IN_MOVED_TO, NAME);
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
                        f->comes = sim_after(dir->loop, away + model_dir_milliseconds(dir, 0, 5000), on_comes, f);
        }
        if (!dir->events)
                return;
        model_dir_emit(dir, dir->events->directory, IN_DELETE_SELF, "");
        model_dir_emit(dir, dir->events->directory, IN_IGNORED, "");
        dir->events->directory = -1;
}

void model_dir_away(struct model_dir *dir)
{
        usec_t away = model_dir_milliseconds(dir, 1, rng_chance(&dir->rng, 300) ? 15000 : 1000);
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
                model_dir_emit(dir, dir->events->directory, IN_MOVE_SELF, "");
        dir->away = true;
        dir->comes = sim_after(dir->loop, away, on_back, dir);
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
        model_dir_current = dir;
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
        const struct file *f = model_file_find(dir, name);

        return !dir->away && model_file_is_there(f) && f->inode->whole && str_eq(f->inode->text, text);
}

bool model_dir_is_gone(const struct model_dir *dir, const char *name)
{
        const struct file *f = model_file_find(dir, name);

        return !dir->away && (!f || (!f->inode && !(f->writer && f->writer->removed)));
}

bool model_dir_seems_gone(const struct model_dir *dir, const char *name)
{
        const struct file *f = model_file_find(dir, name);

        if (dir->away || model_file_is_there(f))
                return false;
        if (f->comes)
                return dir->events->born >= dir->back;
        return f->came + COUNTS_AS_REMOVED > f->went;
}
