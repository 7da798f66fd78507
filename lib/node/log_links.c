/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/container_name.h"
#include "node/host.h"
#include "node/log_links.h"

#define LOG_DIRECTORY_MODE 0755

/* A link that leads to `to` afterwards, whatever was there. */
static int replace_link(const char *to, const char *path, struct err *err)
{
        if (symlink(to, path) == 0)
                return 0;
        if (errno == EEXIST && unlink(path) == 0 && symlink(to, path) == 0)
                return 0;
        return err_set_errno(err, errno, "linking %s to %s", path, to);
}

int log_links_make(const struct host *host, const struct pod *pod, const char *container, unsigned attempt,
                   const char *id, const char *log_path, struct err *err)
{
        char *path CLEANUP_FREE = container_log_path(host->log_dir, pod, container, attempt);
        char *link CLEANUP_FREE = container_log_link(host->links_dir, pod, container, id);
        char *directory CLEANUP_FREE = file_dirname(path);
        int r;

        if (str_empty(log_path))
                return 0;
        r = file_mkdir_p(directory, LOG_DIRECTORY_MODE, err);
        if (r >= 0)
                r = file_mkdir_p(host->links_dir, LOG_DIRECTORY_MODE, err);
        if (r < 0)
                return r;
        r = replace_link(log_path, path, err);
        if (r < 0)
                return r;
        return replace_link(path, link, err);
}

/* Removes links in a directory for which `gone` says so. */
static void remove_links(const char *directory, bool (*gone)(int fd, const char *name, const char *argument),
                         const char *argument)
{
        DIR *stream = opendir(directory);

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream));)
                if (e->d_name[0] != '.' && gone(dirfd(stream), e->d_name, argument))
                        (void)unlinkat(dirfd(stream), e->d_name, 0);
        (void)closedir(stream);
}

static bool ends_in_id(int fd, const char *name, const char *suffix)
{
        (void)fd;
        return str_ends(name, suffix);
}

static bool leads_nowhere(int fd, const char *name, const char *argument)
{
        struct stat st;

        (void)argument;
        return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
               fstatat(fd, name, &st, 0) < 0 && errno == ENOENT;
}

static bool leads_below(int fd, const char *name, const char *prefix)
{
        char target[4096];
        ssize_t n = readlinkat(fd, name, target, sizeof(target) - 1);

        if (n < 0)
                return false;
        target[n] = '\0';
        return str_starts(target, prefix);
}

static bool leads_nowhere_below(int fd, const char *name, const char *prefix)
{
        return leads_below(fd, name, prefix) && leads_nowhere(fd, name, NULL);
}

void log_links_leftovers(const struct host *host)
{
        char *prefix CLEANUP_FREE = xasprintf("%s/", host->log_dir);

        remove_links(host->links_dir, leads_nowhere_below, prefix);
}

void log_links_remove(const struct host *host, const struct pod *pod, const char *id)
{
        char *suffix CLEANUP_FREE = xasprintf("-%s.log", id);

        remove_links(host->links_dir, ends_in_id, suffix);
        if (!pod)
                return;
        for (size_t i = 0; i < pod->container_count; i++) {
                char *log CLEANUP_FREE = container_log_path(host->log_dir, pod, pod->containers[i].name, 0);
                char *directory CLEANUP_FREE = file_dirname(log);

                remove_links(directory, leads_nowhere, NULL);
        }
}

int log_links_cleanup(const struct host *host, const struct pod *pod, struct err *err)
{
        char *directory CLEANUP_FREE = container_log_directory(host->log_dir, pod);
        char *prefix CLEANUP_FREE = xasprintf("%s/", directory);

        remove_links(host->links_dir, leads_below, prefix);
        return file_remove_tree(directory, err);
}
