/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"

/* The kernel's MAXSYMLINKS. */
#define LINKS_MAX 40

int rootfs_open(const char *root, const char *path, int flags)
{
        struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};

        if (str_empty(root))
                return open(path, flags | O_CLOEXEC);
        int fd CLEANUP_FD = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -1 : (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
}

int rootfs_read(const char *root, const char *path, struct buf *b, struct err *err)
{
        int fd CLEANUP_FD = rootfs_open(root, path, FILE_READ_FLAGS);

        return fd < 0 ? err_set_errno(err, errno, "%s", path) : file_read_fd(fd, path, b, err);
}

/* Takes the first name off rest; NULL: there is none left. Free it. */
static char *take_name(char *rest)
{
        const char *start = rest + strspn(rest, "/"), *end = start + strcspn(start, "/");
        char *name = end > start ? xstrndup(start, (size_t)(end - start)) : NULL;

        end += strspn(end, "/");
        memmove(rest, end, strlen(end) + 1);
        return name;
}

static int depth(const char *path)
{
        int n = 0;

        for (const char *at = path; (at = strchr(at, '/')); at++)
                n += str_starts(at, "/../") || str_eq(at, "/..") ? -1 : 1;
        return n;
}

static void move_to(struct rootfs_walk *walk, char *at)
{
        free(walk->at);
        walk->at = at;
}

static void go_up(struct rootfs_walk *walk)
{
        int there CLEANUP_FD = rootfs_open(walk->root, *walk->at ? walk->at : "/", O_PATH);
        char *slash = strrchr(walk->at, '/');

        /* What is not there yet has to be made before one can go up from it. */
        if (there < 0 && depth(walk->at) > 0)
                move_to(walk, file_join(walk->at, ".."));
        else if (slash && there >= 0)
                *slash = '\0';
}

/* Where path is a link its target is put in front of *rest. 1: it is none; 0; -EEXIST: it leads to nothing, where it
 * has to; -ELOOP. */
static int follow(struct rootfs_walk *walk, const char *path, bool has_to, char **rest)
{
        char *real CLEANUP_FREE = file_join(walk->root, path), target[PATH_MAX];
        ssize_t n = readlink(real, target, sizeof(target) - 1);

        if (n < 0)
                return 1;
        if (walk->links++ == LINKS_MAX)
                return -ELOOP;
        target[n] = '\0';
        char *both CLEANUP_FREE = xasprintf("%s/%s", target, *rest);
        free(*rest);
        *rest = TAKE_PTR(both);
        if (target[0] == '/')
                *walk->at = '\0';
        int there CLEANUP_FD = rootfs_open(walk->root, path, O_PATH);
        return there < 0 && has_to ? -EEXIST : 0;
}

static int step(struct rootfs_walk *walk, const char *name, enum rootfs_last last, char **rest)
{
        char *next CLEANUP_FREE = file_join(walk->at, name);
        bool is_last = !**rest;

        if (str_eq(name, "."))
                return 0;
        if (str_eq(name, "..")) {
                go_up(walk);
                return 0;
        }
        /* No name before is that of a link, so ".." behind what is not there yet can be taken as it is written. */
        char *clean CLEANUP_FREE = file_clean(next);
        int r = is_last && last == ROOTFS_KEEP ? 1 : follow(walk, clean, !is_last || last == ROOTFS_DIRECTORY, rest);
        if (r <= 0)
                return r;
        move_to(walk, TAKE_PTR(next));
        return 0;
}

int rootfs_walk(struct rootfs_walk *walk, const char *path, enum rootfs_last last, size_t *ret_wrong)
{
        char *rest CLEANUP_FREE = xstrdup(path);
        size_t left = strlen(path), wrong;
        int result = 0;

        if (!walk->at)
                walk->at = xstrdup("");
        while (result != -ELOOP) {
                char *name CLEANUP_FREE = take_name(rest);
                if (!name)
                        break;
                /* The end of rest is always that of path. */
                if (strlen(rest) < left && result == 0)
                        left = strlen(rest);
                int r = step(walk, name, last, &rest);
                if (r == -ELOOP || result == 0)
                        result = r;
        }
        for (wrong = strlen(path) - left; wrong > 1 && path[wrong - 1] == '/';)
                wrong--;
        if (ret_wrong)
                *ret_wrong = wrong;
        return result;
}

char *rootfs_walked(const struct rootfs_walk *walk)
{
        return file_join(walk->root, walk->at ? walk->at : "");
}

void rootfs_walk_release(struct rootfs_walk *walk)
{
        free(walk->at);
        walk->at = NULL;
}
