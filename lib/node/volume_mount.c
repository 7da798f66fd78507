/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/container_env.h"
#include "node/container_spec.h"
#include "node/host.h"
#include "node/host_mount.h"
#include "node/volume.h"

#define CONTAINER_DIRECTORY_MODE 0750
#define MESSAGE_MODE 0666
#define HOSTS_TARGET "/etc/hosts"

char *volume_message_path(const struct host *host, const struct pod *pod, const char *container, unsigned attempt)
{
        return xasprintf("%s/pods/%s/containers/%s/%08x", host->root_dir, pod->uid, container, attempt);
}

char *volume_read_message(const struct host *host, const struct pod *pod, const char *container, unsigned attempt,
                          size_t max)
{
        char *path CLEANUP_FREE = volume_message_path(host, pod, container, attempt);
        /* The container wrote it: it may be anything by now. */
        int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        char *text = xcalloc(1, max + 1);
        struct stat st;
        size_t len = 0;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return text;
        while (len < max) {
                ssize_t n = read(fd, text + len, max - len);

                if (n <= 0)
                        break;
                len += (size_t)n;
        }
        return text;
}

/* A new empty file that the container may write whatever its user is. */
static int make_message_file(const char *path, struct err *err)
{
        char *directory CLEANUP_FREE = file_dirname(path);
        int fd CLEANUP_FD = -1;
        int r;

        r = file_mkdir_p(directory, CONTAINER_DIRECTORY_MODE, err);
        if (r < 0)
                return r;
        fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, MESSAGE_MODE);
        if (fd < 0)
                return err_set_errno(err, errno, "making the termination message file %s", path);
        if (fchmod(fd, MESSAGE_MODE) < 0)
                return err_set_errno(err, errno, "mode of %s", path);
        return 0;
}

static const char *propagation_name(enum pod_propagation propagation)
{
        switch (propagation) {
        case POD_PROPAGATION_HOST_TO_CONTAINER:
                return "rslave";
        case POD_PROPAGATION_BIDIRECTIONAL:
                return "rshared";
        case POD_PROPAGATION_NONE:
        case POD_PROPAGATION_MAX:
                break;
        }
        return "rprivate";
}

/* Takes ownership of host_path. */
static void add_mount(struct volume_mounts *m, char *host_path, const char *container_path, bool read_only,
                      const char *propagation)
{
        m->owned = xrealloc(m->owned, m->owned_count + 1, sizeof(*m->owned));
        m->owned[m->owned_count++] = host_path;
        m->items = xrealloc(m->items, m->count + 1, sizeof(*m->items));
        m->items[m->count++] = (struct spec_mount){
                .host_path = host_path,
                .container_path = container_path,
                .read_only = read_only,
                .propagation = propagation,
        };
}

static const struct pod_volume *find_volume(const struct pod *pod, const char *name)
{
        for (size_t i = 0; i < pod->volume_count; i++)
                if (str_eq(pod->volumes[i].name, name))
                        return &pod->volumes[i];
        return NULL;
}

/* Host path of one volumeMount. */
static int resolve_mount(const struct host *host, const struct pod *pod, const struct pod_container *container,
                         size_t index, const struct strv *env, char **ret_path, struct err *err)
{
        const struct pod_mount *mount = &container->mounts[index];
        const struct pod_volume *volume = find_volume(pod, mount->name);
        char *path CLEANUP_FREE = NULL;
        char *sub CLEANUP_FREE = NULL;
        int r;

        if (!volume)
                return err_set(err, ERR_INVALID, "the pod has no volume %s", mount->name);
        path = volume_path(host, pod, volume);
        if (!str_empty(mount->sub_path_expr))
                sub = container_env_expand(mount->sub_path_expr, env);
        else if (!str_empty(mount->sub_path))
                sub = xstrdup(mount->sub_path);
        if (sub) {
                char *target CLEANUP_FREE = xasprintf("%s/pods/%s/volume-subpaths/%s/%s/%zu", host->root_dir, pod->uid,
                                                      volume->name, container->name, index);
                r = host_mount_bind_inside(path, sub, target, err);
                if (r < 0)
                        return err_wrap(err, "volume %s", mount->name);
                free(path);
                path = TAKE_PTR(target);
        }
        *ret_path = TAKE_PTR(path);
        return 0;
}

int volume_mounts(const struct host *host, const struct pod *pod, const struct pod_container *container,
                  unsigned attempt, const char *pod_ip, struct volume_mounts *ret, struct err *err)
{
        struct volume_mounts m CLEANUP_VOLUME_MOUNTS = {0};
        struct strv env CLEANUP_STRV = STRV_INIT;
        bool hosts = true, message = !str_empty(container->termination_message_path);
        int r;

        r = container_env(host, pod, container, pod_ip, &env, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < container->mount_count; i++) {
                const struct pod_mount *mount = &container->mounts[i];
                char *path = NULL;

                r = resolve_mount(host, pod, container, i, &env, &path, err);
                if (r < 0)
                        return r;
                /* Files that podwatch makes are read only, whatever the mount says (mustMountRO). */
                const struct pod_volume *volume = find_volume(pod, mount->name);
                bool files = volume->type >= POD_VOLUME_DOWNWARD_API && volume->type <= POD_VOLUME_SECRET;
                add_mount(&m, path, mount->mount_path, mount->read_only || files, propagation_name(mount->propagation));
                hosts = hosts && !str_eq(mount->mount_path, HOSTS_TARGET);
                message = message && !str_eq(mount->mount_path, container->termination_message_path);
        }
        if (hosts)
                add_mount(&m, xasprintf("%s/pods/%s/etc-hosts", host->root_dir, pod->uid), HOSTS_TARGET, false,
                          "rprivate");
        if (message) {
                char *path CLEANUP_FREE = volume_message_path(host, pod, container->name, attempt);
                r = make_message_file(path, err);
                if (r < 0)
                        return r;
                add_mount(&m, TAKE_PTR(path), container->termination_message_path, false, "rprivate");
        }
        *ret = m;
        m = (struct volume_mounts){0};
        return 0;
}

void volume_mounts_release(struct volume_mounts *mounts)
{
        for (size_t i = 0; i < mounts->owned_count; i++)
                free(mounts->owned[i]);
        free(mounts->owned);
        free(mounts->items);
        *mounts = (struct volume_mounts){0};
}
