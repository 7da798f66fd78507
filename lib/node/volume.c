/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/mount_point.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/host.h"
#include "node/host_mount.h"
#include "node/pod_net.h"
#include "node/trash.h"
#include "node/volume.h"
#include "node/volume_files.h"

#define POD_DIRECTORY_MODE 0750
#define EMPTY_DIR_MODE 0777
#define HOST_PATH_DIRECTORY_MODE 0755
#define HOST_PATH_FILE_MODE 0644
#define HOSTS_MODE 0644

char *volume_pod_directory(const struct host *host, const char *uid)
{
        return xasprintf("%s/pods/%s", host->root_dir, uid);
}

/* On the file system of what is put there, whatever is mounted on pods/. No UID begins with a dot. */
char *volume_trash_directory(const struct host *host)
{
        return volume_pod_directory(host, ".trash");
}

char *volume_path(const struct host *host, const struct pod *pod, const struct pod_volume *volume)
{
        static const char *const plugins[POD_VOLUME_MAX] = {
                [POD_VOLUME_EMPTY_DIR] = "empty-dir", [POD_VOLUME_DOWNWARD_API] = "downward-api",
                [POD_VOLUME_PROJECTED] = "projected", [POD_VOLUME_CONFIG_MAP] = "configmap",
                [POD_VOLUME_SECRET] = "secret",
        };

        if (volume->type == POD_VOLUME_HOST_PATH)
                return xstrdup(volume->host_path);
        return xasprintf("%s/pods/%s/volumes/kubernetes.io~%s/%s", host->root_dir, pod->uid, plugins[volume->type],
                         volume->name);
}

static int set_mode(const char *path, mode_t mode, gid_t gid, struct err *err)
{
        if (gid != (gid_t)-1 && lchown(path, (uid_t)-1, gid) < 0)
                return err_set_errno(err, errno, "changing the group of %s", path);
        if (chmod(path, mode) < 0)
                return err_set_errno(err, errno, "changing the mode of %s", path);
        return 0;
}

static int mount_tmpfs(const char *path, const struct pod_volume *volume, struct err *err)
{
        char options[64] = "";
        int r;

        r = mount_point_at(path, err);
        if (r != 0)
                return r < 0 ? r : 0;
        if (volume->has_size_limit)
                (void)snprintf(options, sizeof(options), "size=%" PRId64, quantity_value(&volume->size_limit));
        if (mount("tmpfs", path, "tmpfs", 0, options) < 0)
                return err_set_errno(err, errno, "mounting a tmpfs on %s", path);
        return 0;
}

static mode_t empty_dir_mode(gid_t gid)
{
        return gid == (gid_t)-1 ? EMPTY_DIR_MODE : EMPTY_DIR_MODE | S_ISGID;
}

/* With its name it has its mode and group, which are the containers' to change from then on: one that was begun and not
 * finished is made under another name, which no volume has. */
static int make_disk_empty_dir(const char *path, gid_t gid, struct err *err)
{
        char *parent CLEANUP_FREE = file_dirname(path);
        char *fresh CLEANUP_FREE = xasprintf("%s/..%s", parent, file_basename(path));
        int r;

        if (file_exists(path))
                return 0;
        r = file_mkdir_p(fresh, POD_DIRECTORY_MODE, err);
        if (r >= 0)
                r = set_mode(fresh, empty_dir_mode(gid), gid, err);
        if (r < 0)
                return r;
        if (rename(fresh, path) < 0)
                return err_set_errno(err, errno, "making %s", path);
        return 0;
}

static int setup_empty_dir(const struct host *host, const struct pod *pod, const struct pod_volume *volume,
                           struct err *err)
{
        char *path CLEANUP_FREE = volume_path(host, pod, volume);
        gid_t gid = pod->security.has_fs_group ? (gid_t)pod->security.fs_group : (gid_t)-1;
        int r;

        if (!volume->memory)
                return make_disk_empty_dir(path, gid, err);
        r = file_mkdir_p(path, POD_DIRECTORY_MODE, err);
        if (r >= 0)
                r = mount_tmpfs(path, volume, err);
        return r < 0 ? r : set_mode(path, empty_dir_mode(gid), gid, err);
}

/* Made of the pod itself, on a tmpfs as the kubelet has them. */
static int setup_files(const struct host *host, const struct pod *pod, const struct pod_volume *volume, struct err *err)
{
        char *path CLEANUP_FREE = volume_path(host, pod, volume);
        gid_t gid = pod->security.has_fs_group ? (gid_t)pod->security.fs_group : (gid_t)-1;
        int r = file_mkdir_p(path, POD_DIRECTORY_MODE, err);

        if (r >= 0)
                r = mount_tmpfs(path, volume, err);
        if (r >= 0)
                r = volume_files_of_pod(host, pod, volume, path, gid, err);
        if (r < 0)
                return r;
        return set_mode(path, empty_dir_mode(gid), gid, err);
}

static int create_file(const char *path, mode_t mode, struct err *err)
{
        int fd CLEANUP_FD = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, mode);

        if (fd < 0)
                return err_set_errno(err, errno, "hostPath: creating the file %s", path);
        return 0;
}

/* What each type asks of an existing path, and how a missing one is made (pkg/volume/hostpath/host_path.go). */
static const struct host_path_rule {
        mode_t format; /* S_IF..., 0: anything */
        const char *what;
        bool make_directory, make_file;
} host_path_rules[POD_HOST_PATH_MAX] = {
        /* With no type Docker makes a missing directory; its mount API does not, so it is done here. */
        [POD_HOST_PATH_UNSET] = {0, "", true, false},
        [POD_HOST_PATH_DIRECTORY_OR_CREATE] = {S_IFDIR, "a directory", true, false},
        [POD_HOST_PATH_DIRECTORY] = {S_IFDIR, "a directory", false, false},
        [POD_HOST_PATH_FILE_OR_CREATE] = {S_IFREG, "a file", false, true},
        [POD_HOST_PATH_FILE] = {S_IFREG, "a file", false, false},
        [POD_HOST_PATH_SOCKET] = {S_IFSOCK, "a socket", false, false},
        [POD_HOST_PATH_CHAR_DEVICE] = {S_IFCHR, "a character device", false, false},
        [POD_HOST_PATH_BLOCK_DEVICE] = {S_IFBLK, "a block device", false, false},
};

static int setup_host_path(const struct pod_volume *volume, struct err *err)
{
        const struct host_path_rule *rule = &host_path_rules[volume->host_path_type];
        struct stat st;

        if (stat(volume->host_path, &st) == 0) {
                if (rule->format && (st.st_mode & S_IFMT) != rule->format)
                        return err_set(err, ERR_INVALID, "hostPath type check failed: %s is not %s", volume->host_path,
                                       rule->what);
                return 0;
        }
        if (errno != ENOENT)
                return err_set_errno(err, errno, "hostPath %s", volume->host_path);
        if (rule->make_directory) {
                int r = file_mkdir_p(volume->host_path, HOST_PATH_DIRECTORY_MODE, err);
                return r < 0 ? r : 0;
        }
        if (rule->make_file)
                return create_file(volume->host_path, HOST_PATH_FILE_MODE, err);
        return err_set(err, ENOENT, "hostPath type check failed: %s is not %s: there is nothing by that name",
                       volume->host_path, rule->what);
}

static char *hosts_path(const struct host *host, const struct pod *pod)
{
        return xasprintf("%s/pods/%s/etc-hosts", host->root_dir, pod->uid);
}

int volume_write_hosts(const struct host *host, const struct pod *pod, const char *ip, struct err *err)
{
        char *path CLEANUP_FREE = hosts_path(host, pod);
        struct buf node_hosts CLEANUP_BUF = BUF_INIT(LIMIT_HOSTS_FILE);
        struct buf text CLEANUP_BUF = BUF_INIT(2 * LIMIT_HOSTS_FILE);
        int fd CLEANUP_FD = -1;
        int r;

        if (pod->host_network) {
                r = file_read("/etc/hosts", &node_hosts, err);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
        pod_net_hosts(host, pod, ip, buf_str(&node_hosts), &text);
        r = buf_check(&text, path, err);
        if (r < 0)
                return r;
        /* In place: containers that run have this very file mounted. */
        fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, HOSTS_MODE);
        if (fd < 0)
                return err_set_errno(err, errno, "writing %s", path);
        (void)fchmod(fd, HOSTS_MODE);
        r = fd_write_all(fd, buf_str(&text), text.len);
        if (r < 0)
                return err_set_errno(err, -r, "writing %s", path);
        return 0;
}

static int setup_one(const struct host *host, const struct pod *pod, const struct pod_volume *volume, struct err *err)
{
        switch (volume->type) {
        case POD_VOLUME_EMPTY_DIR:
                return setup_empty_dir(host, pod, volume, err);
        case POD_VOLUME_HOST_PATH:
                return setup_host_path(volume, err);
        case POD_VOLUME_DOWNWARD_API:
        case POD_VOLUME_PROJECTED:
        case POD_VOLUME_CONFIG_MAP:
        case POD_VOLUME_SECRET:
                return setup_files(host, pod, volume, err);
        case POD_VOLUME_MAX:
                break;
        }
        return err_set(err, ERR_UNSUPPORTED, "volumes of this type are not known");
}

int volume_setup(const struct host *host, const struct pod *pod, struct err *err)
{
        static const char *const parts[] = {"volumes", "plugins", "containers"};
        int r;

        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                char *path CLEANUP_FREE = xasprintf("%s/pods/%s/%s", host->root_dir, pod->uid, parts[i]);
                r = file_mkdir_p(path, POD_DIRECTORY_MODE, err);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < pod->volume_count; i++) {
                const struct pod_volume *v = &pod->volumes[i];

                r = setup_one(host, pod, v, err);
                if (r < 0)
                        return err_wrap(err, "volume %s", v->name);
        }
        return volume_write_hosts(host, pod, pod->host_network ? host->node_ip : "", err);
}

int volume_check(const struct host *host, const struct pod *pod, struct err *err)
{
        for (size_t i = 0; i < pod->volume_count; i++) {
                const struct pod_volume *v = &pod->volumes[i];
                int r = 0;

                if (v->type == POD_VOLUME_HOST_PATH)
                        r = setup_host_path(v, err);
                else if (v->type != POD_VOLUME_EMPTY_DIR)
                        r = volume_files_check(host, pod, v, err);
                if (r < 0)
                        return err_wrap(err, "volume %s", v->name);
        }
        return 0;
}

int volume_refresh(const struct host *host, const struct pod *pod, struct err *err)
{
        gid_t gid = pod->security.has_fs_group ? (gid_t)pod->security.fs_group : (gid_t)-1;

        for (size_t i = 0; i < pod->volume_count; i++) {
                const struct pod_volume *v = &pod->volumes[i];
                char *path CLEANUP_FREE = NULL;
                int r;

                if (v->source_count == 0)
                        continue;
                path = volume_path(host, pod, v);
                r = volume_files_of_pod(host, pod, v, path, gid, err);
                if (r < 0)
                        return err_wrap(err, "volume %s", v->name);
        }
        return 0;
}

int volume_cleanup(const struct host *host, const char *uid, struct err *err)
{
        char *path CLEANUP_FREE = NULL, *trash CLEANUP_FREE = volume_trash_directory(host);
        int r;

        /* The name decides what is removed: nothing but one directory below pods/. */
        if (str_empty(uid) || strchr(uid, '/') || uid[0] == '.')
                return err_set(err, ERR_INVALID, "%s cannot be the directory of a pod", uid);
        path = volume_pod_directory(host, uid);
        if (!file_exists(path))
                return 0;
        r = host_mount_detach_below(path, err);
        if (r < 0)
                return r;
        /* A full disk has no room for another name, and this may be what fills it. */
        r = trash_put(trash, path, NULL);
        return r < 0 ? file_remove_tree(path, err) : r;
}
