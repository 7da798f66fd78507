/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <mntent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/mount_point.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "phase/reset_files.h"

static void close_directory(DIR **dir)
{
        if (*dir)
                (void)closedir(*dir);
}

static bool is_dots(const char *name)
{
        return str_eq(name, ".") || str_eq(name, "..");
}

static int fail(int code, const char *doing, const char *path, struct err *err)
{
        char text[128];

        return err_set(err, code, "%s %s: %s", doing, path, phase_errno_text(code, text, sizeof(text)));
}

/* What is to be removed, read before and told behind it: only then is it known what is gone. */
struct removal {
        const struct phase *phase;
        struct value **lines;
        struct strv paths; /* where each is on this machine */
};

static void removal_release(struct removal *removal)
{
        for (size_t i = 0; i < removal->paths.len; i++)
                (void)value_free(removal->lines[i]);
        free(removal->lines);
        strv_release(&removal->paths);
}

static void add_line(struct removal *removal, const FTSENT *e)
{
        char *shown CLEANUP_FREE = phase_shown_path(removal->phase, e->fts_path);
        struct value *line = action_new_path(removal->phase, "remove", shown, e->fts_statp->st_mode & ALLPERMS);

        if (e->fts_info == FTS_F) {
                int fd CLEANUP_FD = open(e->fts_path, FILE_READ_FLAGS | O_NOFOLLOW);
                if (fd >= 0)
                        (void)action_set_file(line, fd, NULL);
        }
        removal->lines = xrealloc(removal->lines, removal->paths.len + 1, sizeof(*removal->lines));
        removal->lines[removal->paths.len] = line;
        strv_add(&removal->paths, e->fts_path);
}

/* In the order in which it is removed. What is mounted in it is not of it. */
static void removal_read(struct removal *removal, char *real)
{
        char *const roots[] = {real, NULL};
        FTS *walk = phase_tells_actions(removal->phase) ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL)
                                                        : NULL;

        for (FTSENT *e; walk && (e = fts_read(walk));) {
                if (e->fts_info == FTS_D && mount_point_at(e->fts_path, NULL) > 0)
                        (void)fts_set(walk, e, FTS_SKIP);
                else if (e->fts_info != FTS_D && e->fts_info != FTS_NS)
                        add_line(removal, e);
        }
        if (walk)
                (void)fts_close(walk);
}

static int removal_tell(struct removal *removal, struct err *err)
{
        struct stat st;
        int r = 0;

        for (size_t i = 0; i < removal->paths.len && r == 0; i++)
                if (removal->phase->options.dry_run || lstat(removal->paths.items[i], &st) < 0)
                        r = action_tell(removal->phase, TAKE_PTR(removal->lines[i]), err);
        return r;
}

static int remove_tree(const struct phase *phase, char *real, struct err *err)
{
        struct removal removal CLEANUP(removal_release) = {.phase = phase};

        removal_read(&removal, real);
        int r = phase->options.dry_run ? 0 : file_remove_tree(real, err);
        int told = removal_tell(&removal, r < 0 ? NULL : err);
        return r < 0 ? r : told;
}

int reset_clean_directory(const struct phase *phase, const char *path, struct err *err)
{
        char *real CLEANUP_FREE = phase_path(phase, path);

        if (path[0] != '/')
                return err_set(err, EINVAL, "open %s: path is not absolute", path);
        DIR *dir CLEANUP(close_directory) = real ? opendir(real) : NULL;
        if (!dir)
                return errno == ENOENT ? 0 : fail(errno, "open", path, err);
        for (struct dirent *e; (e = readdir(dir));) {
                char *child CLEANUP_FREE = NULL;
                if (is_dots(e->d_name))
                        continue;
                child = file_join(real, e->d_name);
                int r = remove_tree(phase, child, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

bool reset_directory_is_empty(const struct phase *phase, const char *path)
{
        char *real CLEANUP_FREE = phase_path(phase, path);
        DIR *dir CLEANUP(close_directory) = real ? opendir(real) : NULL;

        for (struct dirent *e; dir && (e = readdir(dir));)
                if (!is_dots(e->d_name))
                        return false;
        return dir != NULL;
}

int reset_remove(const struct phase *phase, const char *path, struct err *err)
{
        char *real CLEANUP_FREE = phase_path_of_link(phase, path);

        return real ? remove_tree(phase, real, err) : fail(errno, "remove", path, err);
}

int reset_resolve(const struct phase *phase, const char *path, char **ret, struct err *err)
{
        const char *rootfs = phase->options.rootfs ? phase->options.rootfs : "";
        char *real CLEANUP_FREE = phase_path(phase, path);
        char *root CLEANUP_FREE = *rootfs ? realpath(rootfs, NULL) : xstrdup("");
        char *resolved CLEANUP_FREE = real ? realpath(real, NULL) : NULL;

        if (!resolved)
                return fail(errno, "lstat", path, err);
        const char *inside = root ? str_after(resolved, root) : NULL;
        /* A link that leads out of the tree is not followed. */
        *ret = xstrdup(inside && *inside == '/' ? inside : path);
        return 0;
}

static int flags_of(const struct strv *names)
{
        static const struct {
                const char *name;
                int flag;
        } known[] = {{"MNT_FORCE", MNT_FORCE},
                     {"MNT_DETACH", MNT_DETACH},
                     {"MNT_EXPIRE", MNT_EXPIRE},
                     {"UMOUNT_NOFOLLOW", UMOUNT_NOFOLLOW}};
        int flags = 0;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (strv_contains(names, known[i].name))
                        flags |= known[i].flag;
        return flags;
}

/* Mount points below a directory of this machine, in the order of the mounts. */
static void mounts_below(const char *directory, struct strv *ret)
{
        FILE *mounts = setmntent("/proc/mounts", "re");
        char *prefix CLEANUP_FREE = xasprintf("%s/", directory);

        if (!mounts)
                return;
        for (struct mntent *m; (m = getmntent(mounts));)
                if (str_starts(m->mnt_dir, prefix))
                        strv_add(ret, m->mnt_dir);
        (void)endmntent(mounts);
}

static int tell_unmounted(const struct phase *phase, const char *real, struct err *err)
{
        char *shown CLEANUP_FREE = phase_shown_path(phase, real);
        struct value *line = action_new(phase, "unmount");

        action_set(line, "path", shown);
        return action_tell(phase, line, err);
}

int reset_unmount_below(const struct phase *phase, const char *path, const struct strv *flags, struct err *err)
{
        char *real CLEANUP_FREE = phase_path(phase, path);
        char *resolved CLEANUP_FREE = real ? realpath(real, NULL) : NULL;
        struct strv found CLEANUP_STRV = STRV_INIT, left CLEANUP_STRV = STRV_INIT;
        int result = 0;

        if (!resolved)
                return 0;
        mounts_below(resolved, &found);
        for (size_t i = found.len; i-- > 0;) {
                phase_detail(phase, 5, "[reset] Unmounting \"%s\"", found.items[i]);
                if (phase->options.dry_run || umount2(found.items[i], flags_of(flags)) == 0) {
                        int told = tell_unmounted(phase, found.items[i], err);
                        result = told < 0 ? told : result;
                        continue;
                }
                /* A mount that was already unmounted by way of its peer. */
                if (errno == EINVAL) {
                        phase_warn(phase, "[reset] Ignoring EINVAL error while unmounting \"%s\"", found.items[i]);
                        continue;
                }
                char text[128];
                result = err_set(err, errno,
                                 "encountered the following errors while unmounting directories in \"%s\": failed to "
                                 "unmount \"%s\": %s",
                                 path, found.items[i], phase_errno_text(errno, text, sizeof(text)));
        }
        /* What is still mounted would be emptied with the directory. */
        if (!phase->options.dry_run)
                mounts_below(resolved, &left);
        if (result == 0 && left.len > 0)
                result = err_set(err, EBUSY, "\"%s\" in \"%s\" is still mounted", left.items[left.len - 1], path);
        return result;
}
