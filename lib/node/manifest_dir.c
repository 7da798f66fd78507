/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/hash.h"
#include "net/loop.h"
#include "node/manifest_dir.h"
#include "node/manifest_entry.h"
#include "node/manifest_file.h"
#include "node/manifest_fs.h"
#include "node/manifest_watch.h"

/* Scans follow each other no faster, however many events come. */
#define SCAN_GAP_USEC (10 * USEC_PER_MSEC)
/* Names looked at in one scan; those that are no manifests count too. */
#define NAMES_MAX ((size_t)10 * LIMIT_MANIFEST_FILES)

struct manifest_dir {
        struct loop *loop;
        char *path;
        char *only; /* the one name that counts, NULL: all */
        usec_t scan_interval;
        bool each_removal;
        struct manifest_dir_handlers handlers;
        void *userdata;
        struct manifest_watch *watch;
        struct loop_source *timer;
        struct loop_source *look; /* hints ask for a scan */
        struct manifest_entries entries;
        bool rearm;    /* watch the directory anew before the next scan */
        bool replaced; /* the one that was watched was taken away */
        bool missing;  /* as told by directory() */
        bool told_directory;
        bool complete;
        bool ignored_changed;
        bool known; /* identity below is that of a directory that was there */
        dev_t device;
        ino_t inode;
        usec_t new_until; /* until then removals wait longer */
        usec_t last_scan, next_scan;
        usec_t complete_at; /* the latest */
};

/* Two links may lead to one file and share its watch. */
static void drop_link_watch(struct manifest_dir *dir, struct manifest_entry *entry)
{
        int number = entry->link_watch;

        entry->link_watch = -1;
        for (size_t i = 0; i < dir->entries.count; i++)
                if (number >= 0 && dir->entries.items[i]->link_watch == number)
                        return;
        manifest_watch_unlink(dir->watch, number);
}

static void entry_remove(struct manifest_dir *dir, size_t at)
{
        struct manifest_entry *entry = dir->entries.items[at];

        drop_link_watch(dir, entry);
        if (entry->why)
                dir->ignored_changed = true;
        manifest_entries_remove(&dir->entries, at);
}

static void set_ignored(struct manifest_dir *dir, struct manifest_entry *entry, const char *why)
{
        if (entry->why == why)
                return;
        entry->why = why;
        dir->ignored_changed = true;
}

/* Files that were busy are tried again, but for those to which something happened since. */
static void try_busy(struct manifest_dir *dir)
{
        for (size_t i = 0; i < dir->entries.count; i++) {
                struct manifest_entry *entry = dir->entries.items[i];

                if (!entry->busy || entry->busy_wait == 0)
                        continue;
                entry->quiet_at = loop_now(dir->loop);
                entry->busy_wait = 0;
        }
}

static void on_hint(void *userdata, enum manifest_hint hint, const char *name)
{
        struct manifest_dir *dir = userdata;
        usec_t now = loop_now(dir->loop);
        struct manifest_entry *entry;

        loop_defer_schedule(dir->look);
        switch (hint) {
        case MANIFEST_HINT_DIRECTORY:
                dir->replaced = dir->known;
                dir->rearm = true;
                return;
        case MANIFEST_HINT_LOST:
                dir->rearm = true;
                /* Nor is it known what happened since to what was renamed. */
                for (size_t i = 0; i < dir->entries.count; i++)
                        dir->entries.items[i]->whole = false;
                return;
        case MANIFEST_HINT_WHOLE:
                if (manifest_name_class(name) != MANIFEST_NAME_TAKEN && !str_eq(name, dir->only))
                        return;
                manifest_entries_get(&dir->entries, name)->whole = true;
                return;
        case MANIFEST_HINT_TOUCHED:
        case MANIFEST_HINT_REMOVED:
                entry = manifest_entries_find(&dir->entries, name);
                /* The close of a file that was made without a name (O_TMPFILE) is told under none that it has. */
                if (!entry)
                        try_busy(dir);
                if (!entry)
                        return;
                entry->busy_wait = 0;
                entry->removed |= hint == MANIFEST_HINT_REMOVED && dir->each_removal && entry->told;
                entry->whole = false;
                entry->pending = true;
                entry->quiet_at = usec_add(now, MANIFEST_SETTLE_USEC);
                return;
        case MANIFEST_HINT_LOOK:
        case MANIFEST_HINT_MAX:
                return;
        }
}

/* When a file with this stat, which is new, has been quiet for long enough. What was there at start is not to wait for
 * that; later the wall clock is not asked, since somebody may set it while a file is being written. */
static usec_t quiet_time(const struct manifest_dir *dir, const struct stat *st)
{
        usec_t changed = (usec_t)st->st_ctim.tv_sec * USEC_PER_SEC + (usec_t)st->st_ctim.tv_nsec / 1000;
        usec_t wall = loop_now_realtime(dir->loop), now = loop_now(dir->loop);
        usec_t age = dir->complete ? 0 : usec_sub(wall, changed);

        return age >= MANIFEST_SETTLE_USEC ? now : usec_add(now, MANIFEST_SETTLE_USEC - age);
}

static void watch_link(struct manifest_dir *dir, struct manifest_entry *entry)
{
        char *path CLEANUP_FREE = file_join(dir->path, entry->name);

        drop_link_watch(dir, entry);
        entry->link_watch = manifest_watch_link(dir->watch, path);
}

/* Compares a manifest's stat with what is known of it. */
static void look_at_manifest(struct manifest_dir *dir, int directory_fd, struct manifest_entry *entry)
{
        struct manifest_stat now = {0};
        struct stat st = {0}, link = {0};
        bool linked = manifest_fs_stat_at(directory_fd, entry->name, false, &link) == 0 && S_ISLNK(link.st_mode), whole;

        if (manifest_fs_stat_at(directory_fd, entry->name, true, &st) == 0)
                manifest_stat_from(&now, &st);
        if (S_ISDIR(st.st_mode)) {
                set_ignored(dir, entry, "a directory");
                return;
        }
        set_ignored(dir, entry, NULL);
        whole = manifest_entry_is_whole(entry, &now);
        entry->whole = false;
        entry->remove_at = 0;
        if (entry->present && manifest_stat_equal(&now, &entry->stat))
                return;
        if (linked)
                watch_link(dir, entry);
        else if (entry->linked)
                drop_link_watch(dir, entry);
        entry->present = true;
        entry->linked = linked;
        entry->stat = now;
        entry->busy_wait = 0;
        entry->quiet_at = whole ? loop_now(dir->loop) : quiet_time(dir, &st);
        entry->pending = true;
}

static void look_at_name(struct manifest_dir *dir, int directory_fd, const char *name, size_t *manifests)
{
        enum manifest_name class = manifest_name_class(name);
        struct manifest_entry *entry;

        if (dir->only && !str_eq(name, dir->only))
                return;
        entry = manifest_entries_get(&dir->entries, name);
        entry->marked = true;
        if (class != MANIFEST_NAME_TAKEN && !dir->only) {
                set_ignored(dir, entry, manifest_name_why(class));
                return;
        }
        if (++*manifests > LIMIT_MANIFEST_FILES) {
                set_ignored(dir, entry, "there are more manifests than the limit of 1000");
                return;
        }
        look_at_manifest(dir, directory_fd, entry);
}

static void tell_directory(struct manifest_dir *dir, const char *message)
{
        bool missing = message != NULL;

        if (dir->told_directory && dir->missing == missing)
                return;
        dir->told_directory = true;
        dir->missing = missing;
        dir->handlers.directory(dir->userdata, message);
}

/* The directory is watched and open afterwards, or told to be missing. */
static int open_directory(struct manifest_dir *dir, struct err *err)
{
        int fd CLEANUP_FD = -1;
        struct stat st;
        int r;

        /* Replaced behind the watch's back (mounted over, a link in the path swapped)? */
        if (manifest_fs_stat(dir->path, &st) < 0 || !dir->known || st.st_dev != dir->device || st.st_ino != dir->inode)
                dir->rearm = true;
        if (dir->rearm) {
                r = manifest_watch_directory(dir->watch, dir->path, err);
                if (r < 0)
                        return r;
        }
        fd = manifest_fs_open(dir->path);
        r = fd < 0 ? fd : manifest_fs_stat_open(fd, &st);
        if (r < 0)
                return err_set_errno(err, -r, "opening %s", dir->path);
        /* Inode numbers are used again: what happened counts, too. */
        if (dir->missing || (dir->known && (dir->replaced || st.st_dev != dir->device || st.st_ino != dir->inode))) {
                dir->new_until = usec_add(loop_now(dir->loop), MANIFEST_REMOVE_NEW_DIRECTORY_USEC);
                for (size_t i = 0; i < dir->entries.count; i++) /* what was gone from the one before, too */
                        dir->entries.items[i]->remove_at = 0;
        }
        dir->rearm = dir->replaced = false;
        dir->known = true;
        dir->device = st.st_dev;
        dir->inode = st.st_ino;
        return TAKE_FD(fd);
}

/* What the scan did not see: ignored files are forgotten at once, manifests after a while. */
static void look_for_gone(struct manifest_dir *dir)
{
        usec_t now = loop_now(dir->loop);
        usec_t quiet = dir->each_removal ? 0 : MANIFEST_REMOVE_USEC;
        usec_t wait = now < dir->new_until ? MANIFEST_REMOVE_NEW_DIRECTORY_USEC : quiet;

        for (size_t i = dir->entries.count; i-- > 0;) {
                struct manifest_entry *entry = dir->entries.items[i];

                if (entry->marked)
                        continue;
                entry->pending = entry->present = entry->busy = false;
                entry->again_at = 0;
                if (!entry->told && !entry->unreadable && !entry->expected)
                        entry_remove(dir, i);
                else if (entry->remove_at == 0)
                        entry->remove_at = usec_add(now, wait);
        }
}

/* Descriptor of the directory and the names in it, in order. */
static int list_directory(struct manifest_dir *dir, struct strv *names, struct err *err)
{
        int fd CLEANUP_FD = open_directory(dir, err);
        int r = fd < 0 ? fd : manifest_fs_names(fd, NAMES_MAX, names);

        if (fd < 0)
                return fd;
        if (r < 0)
                return err_set_errno(err, -r, "listing %s", dir->path);
        strv_sort(names);
        return TAKE_FD(fd);
}

static void scan(struct manifest_dir *dir)
{
        struct err err = ERR_INIT;
        struct strv names CLEANUP_STRV = STRV_INIT;
        int fd CLEANUP_FD = -1;
        size_t manifests = 0;
        const char *name;

        dir->last_scan = loop_now(dir->loop);
        dir->next_scan = usec_add(dir->last_scan, dir->scan_interval);
        fd = list_directory(dir, &names, &err);
        if (fd < 0) {
                /* Nothing is removed by a directory that cannot be read. */
                for (size_t i = 0; i < dir->entries.count; i++) {
                        dir->entries.items[i]->remove_at = dir->entries.items[i]->again_at = 0;
                        dir->entries.items[i]->pending = dir->entries.items[i]->present = false;
                }
                dir->rearm = true;
                tell_directory(dir, err.msg);
                return;
        }
        for (size_t i = 0; i < dir->entries.count; i++)
                dir->entries.items[i]->marked = false;
        STRV_FOREACH (name, &names) {
                look_at_name(dir, fd, name, &manifests);
        }
        look_for_gone(dir);
        tell_directory(dir, NULL);
}

static void tell_unreadable(struct manifest_dir *dir, struct manifest_entry *entry, bool busy, const char *message)
{
        if (entry->unreadable && str_eq(entry->message, message))
                return;
        entry->unreadable = true;
        free(entry->message);
        entry->message = xstrdup(message);
        dir->handlers.unreadable(dir->userdata, entry->name, busy, message);
}

static void tell_content(struct manifest_dir *dir, struct manifest_entry *entry, const struct buf *content)
{
        struct hash128 hash;
        char text[33];

        hash128_init(&hash);
        hash128_add(&hash, buf_str(content), content->len);
        hash128_text(&hash, text);
        if (entry->told && !entry->unreadable && !entry->again && strcmp(text, entry->hash) == 0)
                return;
        memcpy(entry->hash, text, sizeof(text));
        entry->told = true;
        entry->unreadable = entry->again = false;
        dir->handlers.content(dir->userdata, entry->name, buf_str(content), content->len);
}

/* The writer's close is an event, which comes a moment before the lease is free (the kernel's __fput), and none in this
 * directory where the file was opened by a link in another one: it is tried again, less and less often, while no event
 * comes. */
static usec_t busy_wait(const struct manifest_dir *dir, const struct manifest_entry *entry)
{
        usec_t wait = entry->busy_wait > 0 ? 2 * entry->busy_wait : MANIFEST_SETTLE_USEC;

        return wait < dir->scan_interval ? wait : dir->scan_interval;
}

static void read_entry(struct manifest_dir *dir, struct manifest_entry *entry)
{
        int fd CLEANUP_FD = manifest_fs_open(dir->path);
        struct buf content CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct manifest_stat stat_now;
        struct err err = ERR_INIT;
        int r;

        if (fd < 0) {
                entry->present = false; /* which makes it new to the next scan */
                dir->rearm = true;
                loop_defer_schedule(dir->look);
                return;
        }
        entry->pending = false;
        r = manifest_file_read(fd, entry->name, &stat_now, &content, &err);
        entry->busy = r == MANIFEST_READ_BUSY;
        entry->busy_wait = entry->busy ? busy_wait(dir, entry) : 0;
        entry->again_at = r < 0 ? usec_add(loop_now(dir->loop), dir->scan_interval) : 0;
        if (r < 0) {
                tell_unreadable(dir, entry, false, err.msg);
        } else if (entry->busy) {
                entry->pending = true;
                entry->quiet_at = usec_add(loop_now(dir->loop), entry->busy_wait);
                tell_unreadable(dir, entry, true, "it is open for writing: read when the writer has closed it");
        } else if (!manifest_stat_equal(&stat_now, &entry->stat)) {
                entry->stat = stat_now;
                entry->pending = true;
                entry->quiet_at = usec_add(loop_now(dir->loop), MANIFEST_SETTLE_USEC);
        } else {
                tell_content(dir, entry, &content);
        }
}

/* Of what was taken away and is there again: what it holds now is told as that of another file, when it is quiet. */
static void tell_replaced(struct manifest_dir *dir)
{
        for (size_t i = 0; i < dir->entries.count; i++) {
                struct manifest_entry *entry = dir->entries.items[i];

                if (!entry->removed || !entry->present)
                        continue;
                entry->removed = entry->told = entry->unreadable = entry->expected = false;
                entry->pending = true;
                entry->quiet_at = usec_add(loop_now(dir->loop), MANIFEST_SETTLE_USEC);
                dir->handlers.removed(dir->userdata, entry->name);
        }
}

/* Reads what is quiet, removes what is gone for good; when the next of them is due. */
static usec_t process(struct manifest_dir *dir)
{
        usec_t now = loop_now(dir->loop), next = dir->next_scan;
        bool pending = false;

        tell_replaced(dir);
        for (size_t i = 0; i < dir->entries.count; i++)
                if (manifest_entry_read_at(dir->entries.items[i]) <= now)
                        read_entry(dir, dir->entries.items[i]);
        for (size_t i = dir->entries.count; i-- > 0;) {
                struct manifest_entry *entry = dir->entries.items[i];

                if (entry->remove_at == 0 || entry->remove_at > now || dir->missing)
                        continue;
                dir->handlers.removed(dir->userdata, entry->name);
                entry_remove(dir, i);
        }
        for (size_t i = 0; i < dir->entries.count; i++) {
                struct manifest_entry *entry = dir->entries.items[i];

                pending = pending || (entry->pending && !entry->busy) || entry->remove_at > 0;
                if (manifest_entry_read_at(entry) < next)
                        next = manifest_entry_read_at(entry);
                if (entry->remove_at > 0 && entry->remove_at < next)
                        next = entry->remove_at;
        }
        if (dir->ignored_changed) {
                dir->ignored_changed = false;
                dir->handlers.ignored(dir->userdata);
        }
        if (!dir->complete && pending && dir->complete_at < next)
                next = dir->complete_at;
        if (!dir->complete && (!pending || now >= dir->complete_at)) {
                dir->complete = true;
                dir->handlers.complete(dir->userdata);
        }
        return next;
}

static void look(struct manifest_dir *dir)
{
        scan(dir);
        loop_timer_set(dir->timer, process(dir));
}

static void on_look(void *userdata)
{
        struct manifest_dir *dir = userdata;
        usec_t soonest = usec_add(dir->last_scan, SCAN_GAP_USEC);

        if (dir->last_scan > 0 && loop_now(dir->loop) < soonest) {
                dir->next_scan = soonest < dir->next_scan ? soonest : dir->next_scan;
                if (dir->next_scan < loop_timer_get(dir->timer))
                        loop_timer_set(dir->timer, dir->next_scan);
                return;
        }
        look(dir);
}

/* Files are read by what stat says now, not by what it said when the timer was set. */
static void on_timer(void *userdata, usec_t now)
{
        (void)now;
        look(userdata);
}

/* A path that is a file, or is not there and is named like one, means that file alone. */
static void split_path(struct manifest_dir *dir, const char *path)
{
        char *clean CLEANUP_FREE = file_clean(path);
        struct stat st;
        bool is_file = manifest_fs_stat(clean, &st) == 0
                               ? S_ISREG(st.st_mode)
                               : manifest_name_class(file_basename(clean)) == MANIFEST_NAME_TAKEN;

        if (is_file) {
                dir->path = file_dirname(clean);
                dir->only = xstrdup(file_basename(clean));
        } else {
                dir->path = TAKE_PTR(clean);
        }
}

int manifest_dir_new(struct loop *loop, const char *path, usec_t scan_interval, bool each_removal,
                     const struct manifest_dir_handlers *handlers, void *userdata, struct manifest_dir **ret,
                     struct err *err)
{
        struct manifest_dir *dir = xcalloc(1, sizeof(*dir));
        int r;

        dir->loop = loop;
        dir->scan_interval = scan_interval;
        dir->each_removal = each_removal;
        dir->complete_at = usec_add(loop_now(loop), MANIFEST_COMPLETE_USEC);
        dir->handlers = *handlers;
        dir->userdata = userdata;
        dir->rearm = true;
        split_path(dir, path);
        r = manifest_watch_new(loop, on_hint, dir, &dir->watch, err);
        if (r < 0) {
                (void)manifest_dir_free(dir);
                return r;
        }
        dir->timer = loop_timer_new(loop, "manifest directory timer", on_timer, dir);
        dir->look = loop_defer_new(loop, "manifest directory scan", on_look, dir);
        loop_defer_schedule(dir->look);
        *ret = dir;
        return 0;
}

struct manifest_dir *manifest_dir_free(struct manifest_dir *dir)
{
        if (!dir)
                return NULL;
        while (dir->entries.count > 0)
                entry_remove(dir, dir->entries.count - 1);
        free(dir->entries.items);
        (void)loop_source_free(dir->timer);
        (void)loop_source_free(dir->look);
        (void)manifest_watch_free(dir->watch);
        free(dir->path);
        free(dir->only);
        free(dir);
        return NULL;
}

void manifest_dir_expect(struct manifest_dir *dir, const char *name)
{
        struct manifest_entry *entry = manifest_entries_get(&dir->entries, name);

        entry->expected = true;
}

void manifest_dir_again(struct manifest_dir *dir, const char *name)
{
        struct manifest_entry *entry = manifest_entries_find(&dir->entries, name);

        if (!entry || !entry->told)
                return;
        entry->again = true;
        if (!entry->pending)
                entry->quiet_at = loop_now(dir->loop);
        entry->pending = true;
        loop_defer_schedule(dir->look);
}

const char *manifest_dir_path(const struct manifest_dir *dir)
{
        return dir->path;
}

void manifest_dir_ignored(const struct manifest_dir *dir, manifest_dir_ignored_fn fn, void *userdata)
{
        for (size_t i = 0; i < dir->entries.count; i++)
                if (dir->entries.items[i]->why)
                        fn(userdata, dir->entries.items[i]->name, dir->entries.items[i]->why);
}
