/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "node/state_prune.h"

/* Names looked at in one directory; the rest waits for the next time. */
#define NAMES_MAX 100000
#define SUFFIX ".json"

struct gone {
        char *name;
        int64_t since_ns;
};

struct gone_list {
        struct gone *items;
        size_t count;
};

static void gone_list_release(struct gone_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i].name);
        free(list->items);
}

/* Latest first. */
static int by_time(const void *a, const void *b)
{
        const struct gone *x = a, *y = b;

        if (x->since_ns != y->since_ns)
                return x->since_ns > y->since_ns ? -1 : 1;
        return strcmp(x->name, y->name);
}

static void list_names(const char *directory, struct strv *names)
{
        DIR *stream = opendir(directory);

        if (!stream)
                return;
        for (struct dirent *e; (e = readdir(stream)) && names->len < NAMES_MAX;)
                if (e->d_name[0] != '.')
                        strv_add(names, e->d_name);
        (void)closedir(stream);
}

static bool is_in_force(const char *pods, const char *name)
{
        char *current CLEANUP_FREE = xasprintf("%s/%s/current", pods, name);

        return file_exists(current);
}

static void find_gone(const char *pods, const struct strv *live, struct gone_list *ret)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        list_names(pods, &names);
        STRV_FOREACH (name, &names) {
                char *path CLEANUP_FREE = file_join(pods, name);
                struct stat st;

                if (strv_contains(live, name) || is_in_force(pods, name) || lstat(path, &st) < 0)
                        continue;
                ret->items = xrealloc(ret->items, ret->count + 1, sizeof(*ret->items));
                ret->items[ret->count++] = (struct gone){
                        .name = xstrdup(name),
                        .since_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
                };
        }
        if (ret->count > 1)
                qsort(ret->items, ret->count, sizeof(*ret->items), by_time);
}

static int prune_pods(const char *pods, unsigned kept, const struct strv *live, struct err *err)
{
        struct gone_list gone CLEANUP(gone_list_release) = {0};
        int result = 0;

        find_gone(pods, live, &gone);
        for (size_t i = kept; i < gone.count; i++) {
                char *path CLEANUP_FREE = file_join(pods, gone.items[i].name);
                int r = file_remove_tree(path, err);

                if (r < 0)
                        result = r;
        }
        return result;
}

/* in_force: of pods that are in force alone; otherwise also of those of which versions are kept. */
static int prune_files(const char *state_dir, const char *kind, const char *pods, bool in_force,
                       const struct strv *live, struct err *err)
{
        char *directory CLEANUP_FREE = file_join(state_dir, kind);
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;
        int result = 0;

        list_names(directory, &names);
        STRV_FOREACH (name, &names) {
                char *pod CLEANUP_FREE = xstrndup(name, strlen(name) - (str_ends(name, SUFFIX) ? strlen(SUFFIX) : 0));
                char *versions CLEANUP_FREE = file_join(pods, pod);
                char *path CLEANUP_FREE = file_join(directory, name);

                if (strv_contains(live, pod) || (in_force ? is_in_force(pods, pod) : file_exists(versions)))
                        continue;
                if (unlink(path) < 0 && errno != ENOENT)
                        result = err_set_errno(err, errno, "removing %s", path);
        }
        return result;
}

int state_prune(const char *state_dir, unsigned kept, const struct strv *live, struct err *err)
{
        static const struct {
                const char *kind;
                bool in_force;
        } files[] = {{"state", false}, {"gaps", false}, {"ends", false}, {"status", true}};
        char *pods CLEANUP_FREE = file_join(state_dir, "pods");
        int result = prune_pods(pods, kept, live, err);

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                int r = prune_files(state_dir, files[i].kind, pods, files[i].in_force, live, err);

                if (r < 0)
                        result = r;
        }
        return result;
}
