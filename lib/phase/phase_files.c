/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rootfs.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/action.h"
#include "phase/file_owner.h"
#include "phase/phase.h"
#include "phase/phase_files.h"
#include "phase/users.h"

struct entry {
        char *path; /* as shown, without --rootfs */
        char *real; /* where it is, once it is staged */
        bool directory;
        void *data;
        size_t len;
        mode_t mode, dir_mode;
        unsigned flags;
        char *context;             /* NULL: none */
        struct file_staged staged; /* during a commit */
        bool unchanged;
        size_t made_from, made_to; /* which of the directories made were made for it */
};

struct phase_files {
        struct entry *entries;
        size_t count;
        struct strv made; /* directories made by the commit, outermost first */
        struct file_owners owners;
};

struct phase_files *phase_files_new(void)
{
        return xcalloc(1, sizeof(struct phase_files));
}

static void forget(struct phase_files *files)
{
        for (size_t i = 0; i < files->count; i++) {
                struct entry *e = &files->entries[i];
                file_staged_release(&e->staged);
                free(e->path);
                free(e->real);
                free(e->data);
                free(e->context);
        }
        free(files->entries);
        strv_release(&files->made);
        file_owners_release(&files->owners);
        *files = (struct phase_files){0};
}

struct phase_files *phase_files_free(struct phase_files *files)
{
        if (files)
                forget(files);
        free(files);
        return NULL;
}

void phase_discard(struct phase *phase)
{
        forget(phase->files);
        if (phase->users)
                users_unlock(phase->users);
}

static char *path_below(const char *root, const char *path, enum rootfs_last last)
{
        struct rootfs_walk walk CLEANUP(rootfs_walk_release) = {.root = root};

        if (str_empty(root))
                return xstrdup(path);
        if (rootfs_walk(&walk, path, last, NULL) == -ELOOP) {
                errno = ELOOP;
                return NULL;
        }
        return rootfs_walked(&walk);
}

char *phase_path(const struct phase *phase, const char *path)
{
        return path_below(phase->options.rootfs, path, ROOTFS_FOLLOW);
}

char *phase_path_of_link(const struct phase *phase, const char *path)
{
        return path_below(phase->options.rootfs, path, ROOTFS_KEEP);
}

char *phase_host_path_of_link(const struct phase *phase, const char *path)
{
        return path_below(phase_host_root(phase), path, ROOTFS_KEEP);
}

static char *shown_below(const char *root, const char *real)
{
        const char *below = str_empty(root) ? NULL : str_after(real, root);

        return below ? file_join("/", below) : xstrdup(real);
}

char *phase_shown_path(const struct phase *phase, const char *real)
{
        return shown_below(phase->options.rootfs, real);
}

static bool exists_below(const struct phase *phase, const char *root, const char *path)
{
        int fd CLEANUP_FD = rootfs_open(root, path, O_PATH);

        phase_detail(phase, 4, "looking for \"%s\": %s", path, fd >= 0 ? "there" : "not there");
        return fd >= 0;
}

bool phase_exists(const struct phase *phase, const char *path)
{
        return exists_below(phase, phase->options.rootfs, path);
}

bool phase_exists_on_host(const struct phase *phase, const char *path)
{
        return exists_below(phase, phase_host_root(phase), path);
}

int phase_read_file(const struct phase *phase, const char *path, size_t max, char **ret, size_t *ret_len,
                    struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(max);
        char text[128], chunk[8192];
        int fd CLEANUP_FD = rootfs_open(phase->options.rootfs, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        ssize_t n;

        *ret = NULL;
        *ret_len = 0;
        phase_detail(phase, 2, "reading \"%s\"%s", path, fd < 0 && errno == ENOENT ? ": not there" : "");
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
                return 1;
        if (fd < 0)
                return err_set(err, errno, "open %s: %s", path, phase_errno_text(errno, text, sizeof(text)));
        while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_set(err, errno, "read %s: %s", path, phase_errno_text(errno, text, sizeof(text)));
                buf_add(&b, chunk, (size_t)n);
                if (b.failed)
                        return buf_check(&b, path, err);
        }
        *ret = buf_steal(&b, ret_len);
        return 0;
}

int phase_require_file(const struct phase *phase, const char *path, size_t max, char **ret, size_t *ret_len,
                       struct err *err)
{
        int r = phase_read_file(phase, path, max, ret, ret_len, err);

        return r > 0 ? err_set(err, ENOENT, "open %s: no such file or directory", path) : r;
}

static struct entry *add_entry(struct phase *phase, const char *path, mode_t mode)
{
        struct phase_files *files = phase->files;

        files->entries = xrealloc(files->entries, files->count + 1, sizeof(*files->entries));
        files->entries[files->count] = (struct entry){.path = xstrdup(path), .mode = mode};
        return &files->entries[files->count++];
}

void phase_add_file(struct phase *phase, const char *path, const void *data, size_t len, mode_t mode, mode_t dir_mode,
                    unsigned flags)
{
        struct entry *e = add_entry(phase, path, mode);

        e->data = xmalloc(len);
        if (len)
                memcpy(e->data, data, len);
        e->len = len;
        e->dir_mode = dir_mode;
        e->flags = flags;
}

void phase_add_directory(struct phase *phase, const char *path, mode_t mode)
{
        add_entry(phase, path, mode)->directory = true;
}

void phase_add_owner(struct phase *phase, const struct file_owner *owner)
{
        file_owners_add(&phase->files->owners, owner);
}

void phase_file_context(struct phase *phase, const char *fmt, ...)
{
        struct entry *e = &phase->files->entries[phase->files->count - 1];
        va_list ap;

        free(e->context);
        va_start(ap, fmt);
        if (vasprintf(&e->context, fmt, ap) < 0)
                abort();
        va_end(ap);
}

static int report_at(const struct entry *e, const char *what, const char *path, int code, struct err *err)
{
        char text[128];
        int r = err_set(err, code, "%s %s: %s", what, path, phase_errno_text(code, text, sizeof(text)));

        return e->context ? err_wrap(err, "%s", e->context) : r;
}

/* why with the path that the user knows in place of the one below --rootfs. */
static int report(const struct entry *e, const char *what, const struct err *why, struct err *err)
{
        if (why->code < ERR_INVALID)
                return report_at(e, what, e->path, why->code, err);
        int r = err_set(err, why->code, "%s", why->msg);
        return e->context ? err_wrap(err, "%s", e->context) : r;
}

/* Makes a directory and its parents, remembering each one made. */
static int make_directory(struct phase_files *files, const char *path, mode_t mode, struct err *err)
{
        if (!file_exists(path)) {
                char *parent CLEANUP_FREE = file_dirname(path);
                int r = strcmp(parent, path) == 0 ? 0 : make_directory(files, parent, mode, err);
                if (r < 0)
                        return r;
        }
        int r = file_mkdir_p(path, mode, err);
        if (r == 0)
                strv_add(&files->made, path);
        return r < 0 ? r : 0;
}

/* What an entry's path is below; NULL: nothing. */
static const char *root_of(const struct phase *phase, const struct entry *e)
{
        return e->flags & PHASE_FILE_AS_GIVEN ? NULL : phase->options.rootfs;
}

/* Where an entry is: e->real, and *ret_dir its directory, which may be missing. */
static int find_entry(const struct phase *phase, struct entry *e, char **ret_dir, struct err *err)
{
        struct rootfs_walk walk CLEANUP(rootfs_walk_release) = {.root = root_of(phase, e)};
        char *parent CLEANUP_FREE = file_dirname(e->path);
        const char *dir = e->directory ? e->path : parent;
        size_t len;

        if (str_empty(walk.root)) {
                *ret_dir = xstrdup(dir);
                e->real = xstrdup(e->path);
                return 0;
        }
        int r = rootfs_walk(&walk, dir, ROOTFS_DIRECTORY, &len);
        if (r < 0) {
                char *wrong CLEANUP_FREE = xstrndup(dir, len);
                return report_at(e, "mkdir", wrong, -r, err);
        }
        *ret_dir = rootfs_walked(&walk);
        /* What is wrong with the directory of a link's target is told by opening it. */
        if (!e->directory && rootfs_walk(&walk, file_basename(e->path), ROOTFS_FOLLOW, NULL) == -ELOOP)
                return report_at(e, "open", e->path, ELOOP, err);
        e->real = rootfs_walked(&walk);
        return 0;
}

/* All are synced together. */
static unsigned write_flags(const struct phase *phase, const struct entry *e)
{
        if (e->flags & PHASE_FILE_EXCL)
                return FILE_WRITE_EXCL | FILE_WRITE_NO_SYNC;
        /* Below --rootfs no link is left to follow. */
        return FILE_WRITE_KEEP_MODE | FILE_WRITE_SKIP_UNCHANGED | FILE_WRITE_NO_SYNC |
               (str_empty(root_of(phase, e)) ? (unsigned)FILE_WRITE_FOLLOW : 0);
}

static int stage(struct phase *phase, struct entry *e, struct err *err)
{
        char *dir CLEANUP_FREE = NULL;
        struct err why = ERR_INIT;
        int r = find_entry(phase, e, &dir, err);

        if (r < 0)
                return r;
        e->made_from = phase->files->made.len;
        if (e->directory || e->dir_mode)
                r = make_directory(phase->files, dir, e->directory ? e->mode : e->dir_mode, &why);
        e->made_to = phase->files->made.len;
        if (r < 0)
                return report(e, "mkdir", &why, err);
        if (e->directory)
                return 0;
        if ((e->flags & PHASE_FILE_EXCL) && file_exists(e->real))
                return err_set(&why, EEXIST, "exists"), report(e, "open", &why, err);
        r = file_stage(e->real, e->data, e->len, e->mode, write_flags(phase, e), &e->staged, &why);
        e->unchanged = r > 0;
        return r < 0 ? report(e, "open", &why, err) : 0;
}

/* Takes back what staging made: temporary files, then directories, innermost first. */
static void undo(struct phase_files *files)
{
        for (size_t i = 0; i < files->count; i++)
                file_staged_release(&files->entries[i].staged);
        for (size_t i = files->made.len; i > 0; i--)
                (void)rmdir(files->made.items[i - 1]);
}

/* Puts what is staged on disk, with one wait for all. */
static int sync_staged(const struct phase_files *files, struct err *err)
{
        int *fds CLEANUP_FREE = xcalloc(files->count + 1, sizeof(*fds));
        size_t failed = 0;

        for (size_t i = 0; i < files->count; i++)
                fds[i] = files->entries[i].staged.temp ? files->entries[i].staged.fd : -1;
        int r = fd_sync_all(fds, files->count, &failed);
        return r < 0 ? report_at(&files->entries[failed], "fsync", files->entries[failed].path, -r, err) : 0;
}

/* Puts the new names on disk, each directory once. */
static int sync_directories(const struct phase_files *files, struct err *err)
{
        struct strv directories CLEANUP_STRV = STRV_INIT;
        size_t *first CLEANUP_FREE = xcalloc(files->count + 1, sizeof(*first)), failed = 0;

        for (size_t i = 0; i < files->count; i++) {
                const struct entry *e = &files->entries[i];
                char *dir CLEANUP_FREE = e->staged.path ? file_dirname(e->staged.path) : NULL;

                if (!dir || strv_contains(&directories, dir))
                        continue;
                first[directories.len] = i;
                strv_add(&directories, dir);
        }
        int r = file_sync_directories(&directories, &failed);
        return r < 0 ? report_at(&files->entries[first[failed]], "fsync", files->entries[first[failed]].path, -r, err)
                     : 0;
}

/* The mode on disk, which a file that was there keeps; `mode` of what is not there. */
static mode_t mode_there(const char *root, const char *path, mode_t mode)
{
        int fd CLEANUP_FD = rootfs_open(root, path, O_PATH);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 ? st.st_mode & ALLPERMS : mode;
}

/* A line of -o json about a directory, or about a file with what is in it. */
static int tell(const struct phase *phase, const char *action, const char *path, mode_t mode, const struct entry *file,
                struct err *err)
{
        struct value *line = action_new_path(phase, action, path, mode);

        if (file)
                action_set_content(line, file->data, file->len);
        return action_tell(phase, line, err);
}

/* A directory that was made for an entry, by the path that it has below --rootfs. */
static int tell_made(const struct phase *phase, const struct entry *e, const char *real, struct err *err)
{
        const char *root = root_of(phase, e);
        char *path CLEANUP_FREE = shown_below(root, real);

        return tell(phase, "make", path, mode_there(root, path, e->directory ? e->mode : e->dir_mode), NULL, err);
}

/* What became of each file and directory, in the order in which they were asked for; the directories that were made for
 * one before it. */
static int tell_all(const struct phase *phase, struct err *err)
{
        const struct phase_files *files = phase->files;
        int r = 0;

        for (size_t i = 0; i < files->count && r == 0; i++) {
                const struct entry *e = &files->entries[i];
                mode_t mode = mode_there(root_of(phase, e), e->path, e->mode);

                for (size_t m = e->made_from; m < e->made_to && r == 0; m++)
                        r = tell_made(phase, e, files->made.items[m], err);
                if (r == 0 && !e->directory)
                        r = tell(phase, e->unchanged ? "keep" : "write", e->path, mode, e, err);
                else if (r == 0 && e->made_from == e->made_to)
                        r = tell(phase, "keep", e->path, mode, NULL, err);
        }
        for (size_t i = 0; i < files->owners.count && r == 0; i++)
                r = file_owner_tell(&files->owners.items[i], phase, err);
        return r;
}

/* Takes away what an earlier run left that was killed between two names of a file. */
static void clean_directories(const struct phase *phase)
{
        struct strv cleaned CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < phase->files->count; i++) {
                const struct entry *e = &phase->files->entries[i];
                char *dir CLEANUP_FREE = file_dirname(e->real);

                if (e->directory || strv_contains(&cleaned, dir))
                        continue;
                file_remove_temporary(dir, 0);
                strv_add(&cleaned, dir);
        }
}

static int write_all(struct phase *phase, struct err *err)
{
        struct phase_files *files = phase->files;
        struct err why = ERR_INIT;
        int r = 0;

        for (size_t i = 0; i < files->count && r == 0; i++)
                r = stage(phase, &files->entries[i], err);
        if (r == 0)
                r = sync_staged(files, err);
        if (r == 0)
                r = file_owners_apply(&files->owners, phase, err);
        if (r < 0) {
                undo(files);
                return r;
        }
        for (size_t i = 0; i < files->count; i++) {
                struct entry *e = &files->entries[i];

                if (e->staged.temp && file_commit(&e->staged, &why) < 0) {
                        undo(files);
                        return report(e, "rename", &why, err);
                }
                if (!e->directory)
                        phase_detail(phase, 1, e->unchanged ? "\"%s\" is up to date" : "wrote \"%s\"", e->path);
        }
        clean_directories(phase);
        return sync_directories(files, err);
}

/* The directories down to path that a dry run would make, but for those told already. */
static int tell_missing(const struct phase *phase, const char *path, mode_t mode, struct strv *told, struct err *err)
{
        char *parent CLEANUP_FREE = file_dirname(path);

        if (strv_contains(told, path) || phase_exists(phase, path))
                return 0;
        int r = str_eq(parent, path) ? 0 : tell_missing(phase, parent, mode, told, err);
        strv_add(told, path);
        return r < 0 ? r : tell(phase, "make", path, mode, NULL, err);
}

/* What a commit would find. One that cannot be read is written all the same, or fails then. */
static bool is_there_already(const struct phase *phase, const struct entry *e)
{
        char *data CLEANUP_FREE = NULL;
        size_t len;

        return phase_read_file(phase, e->path, e->len, &data, &len, NULL) == 0 && len == e->len &&
               (len == 0 || memcmp(data, e->data, len) == 0);
}

static int tell_dry_run(const struct phase *phase, struct err *err)
{
        struct strv told CLEANUP_STRV = STRV_INIT;
        int r = 0;

        for (size_t i = 0; i < phase->files->count && r == 0; i++) {
                const struct entry *e = &phase->files->entries[i];
                char *parent CLEANUP_FREE = file_dirname(e->path);
                mode_t mode = mode_there(phase->options.rootfs, e->path, e->mode);

                if (e->directory && phase_exists(phase, e->path))
                        r = tell(phase, "keep", e->path, mode, NULL, err);
                else
                        r = tell_missing(phase, e->directory ? e->path : parent, e->directory ? e->mode : e->dir_mode,
                                         &told, err);
                if (r == 0 && !e->directory)
                        r = tell(phase, is_there_already(phase, e) ? "keep" : "write", e->path, mode, e, err);
        }
        return r;
}

static void show_dry_run(const struct phase *phase)
{
        for (size_t i = 0; i < phase->files->count; i++) {
                const struct entry *e = &phase->files->entries[i];

                if (e->directory || phase->options.quiet)
                        continue;
                if ((e->flags & PHASE_FILE_DRY_RUN_SHOW) && !(e->flags & PHASE_FILE_SECRET)) {
                        phase_say(phase, "[dryrun] Would write file \"%s\" with content:", e->path);
                        (void)fwrite(e->data, 1, e->len, phase->options.out);
                } else {
                        phase_say(phase, "[dryrun] Would write file \"%s\"", e->path);
                }
        }
}

/* With -o yaml the files themselves are what is asked for: documents on standard output, nothing on disk. */
static bool print_only(const struct phase *phase)
{
        const char *output = phase->options.output;
        size_t shown = 0;

        if (!output || strcmp(output, "yaml") != 0)
                return false;
        for (size_t i = 0; i < phase->files->count; i++) {
                const struct entry *e = &phase->files->entries[i];

                if (e->directory || (e->flags & PHASE_FILE_SECRET) || !(e->flags & PHASE_FILE_DRY_RUN_SHOW))
                        continue;
                if (shown++ > 0)
                        (void)fputs("---\n", phase->options.out);
                (void)fwrite(e->data, 1, e->len, phase->options.out);
        }
        return true;
}

static int write_and_tell(struct phase *phase, struct err *err)
{
        sigset_t before;

        /* All or none, also where somebody presses Ctrl-C. */
        file_hold_signals(&before);
        int r = write_all(phase, err);
        file_release_signals(&before);
        return r == 0 && phase_tells_actions(phase) ? tell_all(phase, err) : r;
}

int phase_commit(struct phase *phase, struct err *err)
{
        int r = 0;

        if (!print_only(phase)) {
                if (!phase->options.dry_run || phase->options.host_root)
                        r = write_and_tell(phase, err);
                else if (phase_tells_actions(phase))
                        r = tell_dry_run(phase, err);
                else
                        show_dry_run(phase);
        }
        phase_discard(phase);
        return r;
}
