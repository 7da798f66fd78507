/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories and volumes of a pod on a real file system. Mounts are made in a mount namespace of this test's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/mount_point.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/container_spec.h"
#include "node/host.h"
#include "node/host_mount.h"
#include "node/log_links.h"
#include "node/volume.h"
#include "node/volume_files.h"

#include "../pod_of_text.h"

#define TMPFS_ID 0x01021994

static char root[] = "/tmp/test-volume-XXXXXX";
static struct host host = {.node_name = "n1", .node_ip = "10.0.0.1"};

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(root) || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -1;
        host.root_dir = xasprintf("%s/kubelet", root);
        host.log_dir = xasprintf("%s/log/pods", root);
        host.links_dir = xasprintf("%s/log/containers", root);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        (void)host_mount_detach_below(root, NULL);
        (void)file_remove_tree(root, NULL);
        free((char *)host.root_dir);
        free((char *)host.log_dir);
        free((char *)host.links_dir);
        return 0;
}

/* volumes and mounts: flow YAML; %s in them is the test's directory. */
static struct pod *pod_of(const char *uid, const char *volumes, const char *mounts)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web, uid: %s}\n"
                                            "spec:\n  volumes: %s\n  containers:\n  - name: c\n    image: i\n"
                                            "    volumeMounts: %s\n",
                                            uid, volumes, mounts);

        return test_pod(text, &source);
}

static mode_t mode_of(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                fail_msg("%s: %s", path, strerror(errno));
        return st.st_mode;
}

static void test_empty_dirs(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD =
                pod_of("u-empty", "[{name: d, emptyDir: {}}, {name: m, emptyDir: {medium: Memory, sizeLimit: 1Mi}}]",
                       "[{name: d, mountPath: /d}, {name: m, mountPath: /m, readOnly: true}]");
        char *disk CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[0]);
        char *memory CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[1]);
        char *inside CLEANUP_FREE = xasprintf("%s/kept", disk);
        char *directory CLEANUP_FREE = volume_pod_directory(&host, "u-empty");
        struct err err = ERR_INIT;
        struct statfs fs;

        if (volume_setup(&host, pod, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(mode_of(disk) & 07777, 0777);
        assert_int_equal(mode_of(memory) & 07777, 0777);
        assert_int_equal(statfs(memory, &fs), 0);
        assert_int_equal(fs.f_type, TMPFS_ID);
        assert_int_equal(fs.f_blocks * (uint64_t)fs.f_bsize, 1024 * 1024);
        assert_int_equal(file_write_atomic(inside, "x", 1, 0600, 0, NULL), 0);
        /* Again: nothing is lost and nothing is mounted twice. */
        assert_int_equal(volume_setup(&host, pod, &err), 0);
        assert_true(file_exists(inside));
        assert_int_equal(volume_cleanup(&host, "u-empty", &err), 0);
        assert_false(file_exists(directory));
        assert_int_equal(volume_cleanup(&host, "u-empty", &err), 0);
}

/* Its group cannot be given to it yet: the next try finishes what the first one began. */
static void test_empty_dir_of_two_tries(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("u-tries", "[{name: d, emptyDir: {}}]", "[{name: d, mountPath: /d}]");
        char *path CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[0]), *above CLEANUP_FREE = file_dirname(path);
        struct err err = ERR_INIT;
        struct stat st;
        int r;

        pod->security.has_fs_group = true;
        pod->security.fs_group = 1234;
        /* The directories above, which somebody who may not give groups can write to. */
        assert_true(file_mkdir_p(above, 0777, &err) >= 0);
        for (size_t slash = strlen(root); above[slash]; slash++) {
                char *part CLEANUP_FREE = xstrndup(above, slash);

                if (above[slash] == '/')
                        assert_int_equal(chmod(part, 0777), 0);
        }
        assert_int_equal(chmod(above, 0777), 0);
        assert_int_equal(seteuid(65534), 0);
        r = volume_setup(&host, pod, &err);
        assert_int_equal(seteuid(0), 0);
        assert_true(r < 0);
        if (volume_setup(&host, pod, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(mode_of(path) & 07777, 02777);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_gid, 1234);
        assert_int_equal(chmod(path, 0700), 0); /* a container's own business */
        assert_int_equal(volume_setup(&host, pod, &err), 0);
        assert_int_equal(mode_of(path) & 07777, 0700);
        assert_int_equal(volume_cleanup(&host, "u-tries", &err), 0);
}

static void test_cleanup_stays_inside(void **state)
{
        (void)state;
        struct err err = ERR_INIT;

        assert_true(volume_cleanup(&host, "../other", &err) < 0);
        assert_true(volume_cleanup(&host, "", &err) < 0);
        assert_true(volume_cleanup(&host, "..", &err) < 0);
}

static int try_host_path(const char *type, const char *name, struct err *err)
{
        char *volumes CLEANUP_FREE = xasprintf("[{name: h, hostPath: {path: %s/%s, type: %s}}]", root, name, type);
        struct pod *pod CLEANUP_POD = pod_of("u-host", volumes, "[{name: h, mountPath: /h}]");

        err_clear(err);
        return volume_setup(&host, pod, err);
}

/* What cannot be made shows, and nothing is made below pods/. */
static void test_check(void **state)
{
        (void)state;
        char *present CLEANUP_FREE = xasprintf("%s/made-by-a-check", root);
        char *volumes CLEANUP_FREE = xasprintf(
                "[{name: e, emptyDir: {}}, {name: h, hostPath: {path: %s, type: DirectoryOrCreate}}, {name: d, "
                "downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}}]",
                present);
        char *missing CLEANUP_FREE =
                xasprintf("[{name: h, hostPath: {path: %s/nothing-there, type: Directory}}]", root);
        struct pod *good CLEANUP_POD = pod_of("u-good", volumes, "[]"),
                         *bad CLEANUP_POD = pod_of("u-bad", missing, "[]");
        char *directory CLEANUP_FREE = volume_pod_directory(&host, "u-good");
        struct err err = ERR_INIT;

        assert_int_equal(volume_check(&host, good, &err), 0);
        assert_true(file_exists(present));
        assert_false(file_exists(directory));
        assert_int_equal(volume_check(&host, bad, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "volume h: hostPath type check failed"));
}

/* The pod itself has taken the last inode: the trash cannot be made. */
static void test_cleanup_on_a_full_disk(void **state)
{
        (void)state;
        char *pods CLEANUP_FREE = file_join(host.root_dir, "pods");
        char *directory CLEANUP_FREE = volume_pod_directory(&host, "u-full");
        char *trash CLEANUP_FREE = volume_trash_directory(&host);
        struct pod *pod CLEANUP_POD = pod_of("u-full", "[{name: d, emptyDir: {}}]", "[{name: d, mountPath: /d}]");
        char *path CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[0]);
        struct err err = ERR_INIT;
        int r = 0;

        assert_true(file_mkdir_p(pods, 0755, NULL) >= 0);
        assert_int_equal(mount("none", pods, "tmpfs", 0, "nr_inodes=50"), 0);
        assert_int_equal(volume_setup(&host, pod, &err), 0);
        for (int i = 0; i < 50 && r == 0; i++) {
                char *file CLEANUP_FREE = xasprintf("%s/%d", path, i);
                r = mknod(file, S_IFREG, 0);
        }
        assert_int_equal(errno, ENOSPC);
        assert_int_equal(volume_cleanup(&host, "u-full", &err), 0);
        assert_false(file_exists(directory));
        assert_false(file_exists(trash));
        assert_int_equal(umount(pods), 0);
}

static void test_host_paths(void **state)
{
        (void)state;
        struct err err = ERR_INIT;
        char *made CLEANUP_FREE = xasprintf("%s/a/b", root);
        char *file CLEANUP_FREE = xasprintf("%s/f", root);

        assert_true(try_host_path("Directory", "a/b", &err) < 0);
        assert_non_null(strstr(err.msg, "volume h: hostPath type check failed"));
        assert_int_equal(try_host_path("DirectoryOrCreate", "a/b", &err), 0);
        assert_int_equal(mode_of(made) & 0777, 0755);
        assert_int_equal(try_host_path("Directory", "a/b", &err), 0);
        assert_true(try_host_path("File", "a/b", &err) < 0);
        assert_true(try_host_path("File", "f", &err) < 0);
        assert_int_equal(try_host_path("FileOrCreate", "f", &err), 0);
        assert_int_equal(mode_of(file) & 0777, 0644);
        assert_int_equal(try_host_path("File", "f", &err), 0);
        assert_true(try_host_path("FileOrCreate", "none/f", &err) < 0);
        assert_true(try_host_path("Socket", "f", &err) < 0);
        assert_true(try_host_path("CharDevice", "f", &err) < 0);
        assert_true(try_host_path("BlockDevice", "f", &err) < 0);
        assert_int_equal(try_host_path("''", "new", &err), 0);
}

static void test_mounts_of_a_container(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD =
                pod_of("u-mounts", "[{name: d, emptyDir: {}}]", "[{name: d, mountPath: /d, readOnly: true}]");
        struct volume_mounts mounts CLEANUP_VOLUME_MOUNTS = {0};
        struct err err = ERR_INIT;

        assert_int_equal(volume_setup(&host, pod, &err), 0);
        assert_int_equal(volume_mounts(&host, pod, &pod->containers[0], 2, "1.2.3.4", &mounts, &err), 0);
        assert_int_equal(mounts.count, 3);
        assert_string_equal(mounts.items[0].container_path, "/d");
        assert_true(mounts.items[0].read_only);
        assert_string_equal(mounts.items[1].container_path, "/etc/hosts");
        assert_true(file_exists(mounts.items[1].host_path));
        assert_string_equal(mounts.items[2].container_path, "/dev/termination-log");
        assert_true(str_ends(mounts.items[2].host_path, "/u-mounts/containers/c/00000002"));
        assert_int_equal(mode_of(mounts.items[2].host_path) & 0777, 0666);
        char *none CLEANUP_FREE = volume_read_message(&host, pod, "c", 2, 100);
        assert_string_equal(none, "");
        int fd = open(mounts.items[2].host_path, O_WRONLY | O_CLOEXEC);
        assert_int_equal(write(fd, "it broke", 8), 8);
        (void)close(fd);
        char *cut CLEANUP_FREE = volume_read_message(&host, pod, "c", 2, 2);
        assert_string_equal(cut, "it");
}

static void test_hosts_file_is_written_in_place(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("u-hosts", "[]", "[]");
        char *path CLEANUP_FREE = xasprintf("%s/pods/u-hosts/etc-hosts", host.root_dir);
        struct buf text CLEANUP_BUF = BUF_INIT(65536);
        struct err err = ERR_INIT;
        struct stat before, after;

        assert_int_equal(volume_setup(&host, pod, &err), 0);
        assert_int_equal(stat(path, &before), 0);
        assert_int_equal(volume_write_hosts(&host, pod, "1.2.3.4", &err), 0);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(file_read(path, &text, &err), 0);
        assert_non_null(strstr(buf_str(&text), "1.2.3.4\tweb-n1\n"));
}

static void make_volume(const char *name, char **ret)
{
        char *path = xasprintf("%s/%s", root, name);
        char *inner CLEANUP_FREE = xasprintf("%s/inner", path);

        assert_true(file_mkdir_p(inner, 0755, NULL) >= 0);
        *ret = path;
}

static void test_sub_path(void **state)
{
        (void)state;
        char *volume CLEANUP_FREE = NULL;
        char *target CLEANUP_FREE = xasprintf("%s/target", root);
        char *seen CLEANUP_FREE = xasprintf("%s/f", target);
        char *file CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        make_volume("vol", &volume);
        file = xasprintf("%s/inner/f", volume);
        assert_int_equal(file_write_atomic(file, "x", 1, 0600, 0, NULL), 0);
        assert_int_equal(host_mount_bind_inside(volume, "inner", target, &err), 0);
        assert_true(file_exists(seen));
        assert_int_equal(mount_point_at(target, &err), 1);
        /* Again, and for another directory, which is made. */
        assert_int_equal(host_mount_bind_inside(volume, "inner", target, &err), 0);
        assert_int_equal(host_mount_bind_inside(volume, "deep/er", target, &err), 0);
        assert_false(file_exists(seen));
        assert_int_equal(host_mount_detach_below(target, &err), 0);
        assert_int_equal(mount_point_at(target, &err), 0);
        /* A file is bound to a file. */
        char *one CLEANUP_FREE = xasprintf("%s/one", root);
        assert_int_equal(host_mount_bind_inside(volume, "inner/f", one, &err), 0);
        assert_true(S_ISREG(mode_of(one)));
        assert_int_equal(host_mount_detach_below(one, &err), 0);
}

/* A pod with a directory of the host bound into it by subPath, made twice and removed: the directory stays whole. */
static void removes_no_source(const char *root_dir, const char *uid)
{
        struct host other = host;
        char *source CLEANUP_FREE = xasprintf("%s/source-%s", root, uid);
        char *kept CLEANUP_FREE = xasprintf("%s/data/kept", source), *data CLEANUP_FREE = xasprintf("%s/data", source);
        char *volumes CLEANUP_FREE = xasprintf("[{name: h, hostPath: {path: %s}}]", source);
        struct pod *pod CLEANUP_POD = pod_of(uid, volumes, "[{name: h, mountPath: /h, subPath: data}]");
        struct err err = ERR_INIT;

        other.root_dir = root_dir;
        char *directory CLEANUP_FREE = volume_pod_directory(&other, uid);
        assert_true(file_mkdir_p(data, 0755, &err) >= 0);
        assert_int_equal(file_write_atomic(kept, "x", 1, 0600, 0, &err), 0);
        assert_int_equal(volume_setup(&other, pod, &err), 0);
        for (unsigned attempt = 0; attempt < 2; attempt++) {
                struct volume_mounts mounts CLEANUP_VOLUME_MOUNTS = {0};

                if (volume_mounts(&other, pod, &pod->containers[0], attempt, "", &mounts, &err) < 0)
                        fail_msg("%s: %s", root_dir, err.msg);
                if (!file_exists(kept))
                        fail_msg("%s: what was mounted was removed when it was mounted again", root_dir);
        }
        if (volume_cleanup(&other, uid, &err) < 0)
                fail_msg("%s: %s", root_dir, err.msg);
        if (!file_exists(kept))
                fail_msg("%s: what was mounted was removed with the pod", root_dir);
        assert_false(file_exists(directory));
}

static void test_root_spelled_otherwise(void **state)
{
        (void)state;
        char *slash CLEANUP_FREE = xasprintf("%s//kubelet/", root), *link CLEANUP_FREE = xasprintf("%s/link", root);
        char *dots CLEANUP_FREE = xasprintf("%s/kubelet/../kubelet/.", root);

        assert_true(file_mkdir_p(host.root_dir, 0750, NULL) >= 0);
        assert_int_equal(symlink("kubelet", link), 0);
        removes_no_source(host.root_dir, "u-plain");
        removes_no_source(slash, "u-slash");
        removes_no_source(link, "u-link");
        removes_no_source(dots, "u-dots");
}

static void test_sub_path_cannot_leave(void **state)
{
        (void)state;
        char *volume CLEANUP_FREE = NULL;
        char *target CLEANUP_FREE = xasprintf("%s/escape", root);
        char *link CLEANUP_FREE = NULL;
        char *up CLEANUP_FREE = NULL;
        char *fine CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        make_volume("jail", &volume);
        link = xasprintf("%s/out", volume);
        up = xasprintf("%s/up", volume);
        fine = xasprintf("%s/fine", volume);
        assert_int_equal(symlink("/etc", link), 0);
        assert_int_equal(symlink("../..", up), 0);
        assert_int_equal(symlink("inner", fine), 0);
        assert_true(host_mount_bind_inside(volume, "out", target, &err) < 0);
        assert_non_null(strstr(err.msg, "leads out of the volume"));
        assert_true(host_mount_bind_inside(volume, "up", target, &err) < 0);
        assert_true(host_mount_bind_inside(volume, "out/new", target, &err) < 0);
        assert_true(host_mount_bind_inside(volume, "inner/../../x", target, &err) < 0);
        assert_true(host_mount_bind_inside(volume, "/etc", target, &err) < 0);
        assert_false(file_exists(target));
        assert_int_equal(host_mount_bind_inside(volume, "fine", target, &err), 0);
        assert_int_equal(host_mount_detach_below(target, &err), 0);
}

static void test_mountinfo(void **state)
{
        (void)state;
        static const char text[] = "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
                                   "30 22 0:5 / /a rw - tmpfs tmpfs rw\n"
                                   "31 30 0:6 / /a/b\\040c rw - tmpfs tmpfs rw\n"
                                   "32 22 0:7 / /ab rw - tmpfs tmpfs rw\n"
                                   "broken\n";
        struct strv points CLEANUP_STRV = STRV_INIT;

        host_mount_points_below(text, "/a", &points);
        assert_int_equal(points.len, 2);
        assert_string_equal(points.items[0], "/a");
        assert_string_equal(points.items[1], "/a/b c");
}

static void test_log_links(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of("u-logs", "[]", "[]");
        char *docker CLEANUP_FREE = xasprintf("%s/json.log", root);
        char *path CLEANUP_FREE = xasprintf("%s/default_web-n1_u-logs/c/0.log", host.log_dir);
        char *link CLEANUP_FREE = xasprintf("%s/web-n1_default_c-abc.log", host.links_dir);
        struct err err = ERR_INIT;
        struct stat st;

        assert_int_equal(file_write_atomic(docker, "x", 1, 0600, 0, NULL), 0);
        assert_int_equal(log_links_make(&host, pod, "c", 0, "abc", docker, &err), 0);
        assert_int_equal(log_links_make(&host, pod, "c", 0, "abc", docker, &err), 0);
        assert_true(file_exists(link));
        assert_int_equal(unlink(docker), 0);
        log_links_remove(&host, pod, "abc");
        assert_true(lstat(link, &st) < 0);
        assert_true(lstat(path, &st) < 0);
        assert_int_equal(log_links_make(&host, pod, "c", 1, "def", "/gone", &err), 0);
        assert_int_equal(log_links_cleanup(&host, pod, &err), 0);
        free(TAKE_PTR(link));
        link = xasprintf("%s/web-n1_default_c-def.log", host.links_dir);
        assert_true(lstat(link, &st) < 0);
        /* No log file, no links. */
        assert_int_equal(log_links_make(&host, pod, "c", 1, "def", "", &err), 0);
        assert_true(lstat(link, &st) < 0);
}

static char *text_of(const char *path)
{
        struct buf b CLEANUP_BUF = BUF_INIT(4096);

        if (file_read(path, &b, NULL) < 0)
                fail_msg("%s cannot be read", path);
        return buf_steal(&b, NULL);
}

/* A set of files takes the place of another at once, leaves nothing of it, and is left alone when it is there. */
static void test_files(void **state)
{
        (void)state;
        const struct volume_file first[] = {{"a", "1", 1, 0644}, {"dir/sub/b", "two", 3, 0400}};
        const struct volume_file second[] = {{"a", "other", 5, 0640}, {"c", "", 0, 0600}};
        char *directory CLEANUP_FREE = xasprintf("%s/files", root);
        char *a CLEANUP_FREE = xasprintf("%s/a", directory), *b CLEANUP_FREE = xasprintf("%s/dir/sub/b", directory);
        char *c CLEANUP_FREE = xasprintf("%s/c", directory), *dir CLEANUP_FREE = xasprintf("%s/dir", directory);
        char *data CLEANUP_FREE = xasprintf("%s/..data", directory);
        char before[256] = "", after[256] = "";
        struct err err = ERR_INIT;

        assert_true(file_mkdir_p(directory, 0755, &err) >= 0);
        assert_int_equal(volume_files_write(directory, first, 2, (gid_t)-1, &err), 0);
        char *one CLEANUP_FREE = text_of(a), *two CLEANUP_FREE = text_of(b);
        assert_string_equal(one, "1");
        assert_string_equal(two, "two");
        assert_int_equal(mode_of(b) & 07777, 0400);
        assert_true(readlink(data, before, sizeof(before) - 1) > 0);
        assert_int_equal(volume_files_write(directory, first, 2, (gid_t)-1, &err), 0);
        assert_true(readlink(data, after, sizeof(after) - 1) > 0);
        assert_string_equal(before, after);
        assert_int_equal(volume_files_write(directory, second, 2, 77, &err), 0);
        char *three CLEANUP_FREE = text_of(a);
        assert_string_equal(three, "other");
        assert_int_equal(mode_of(c) & 07777, 0640);
        assert_false(file_exists(dir));
        char *old CLEANUP_FREE = xasprintf("%s/%s", directory, before);
        assert_false(file_exists(old));
        struct stat st;
        assert_int_equal(stat(c, &st), 0);
        assert_int_equal(st.st_gid, 77);
}

static void test_files_below_a_directory(void **state)
{
        const struct volume_file files[] = {
                {.path = "d/a", .data = "a", .len = 1, .mode = 0644},
                {.path = "d/e/b", .data = "b", .len = 1, .mode = 0644},
        };
        char *directory CLEANUP_FREE = NULL, *gone CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        (void)state;
        directory = xasprintf("%s/below", root);
        assert_true(file_mkdir_p(directory, 0755, &err) >= 0);
        gone = file_join(directory, "d/e/b");
        assert_int_equal(volume_files_write(directory, files, 2, (gid_t)-1, &err), 0);
        assert_true(file_exists(gone));
        assert_int_equal(volume_files_write(directory, files, 1, (gid_t)-1, &err), 0);
        assert_false(file_exists(gone));
}

/* Killed when the version was shown, before its names and before the version before went. */
static void test_files_of_a_write_that_was_cut_short(void **state)
{
        const struct volume_file file = {.path = "a", .data = "x", .len = 1, .mode = 0644};
        char *directory CLEANUP_FREE = NULL, *name CLEANUP_FREE = NULL, *before CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        (void)state;
        directory = xasprintf("%s/cut", root);
        assert_true(file_mkdir_p(directory, 0755, &err) >= 0);
        name = file_join(directory, "a");
        before = file_join(directory, "..2024_01_01_00_00_00.000000001");
        assert_int_equal(volume_files_write(directory, &file, 1, (gid_t)-1, &err), 0);
        assert_int_equal(unlink(name), 0);
        assert_int_equal(mkdir(before, 0755), 0);
        assert_int_equal(volume_files_write(directory, &file, 1, (gid_t)-1, &err), 0);
        assert_true(file_exists(name));
        assert_false(file_exists(before));
}

static void test_downward_api(void **state)
{
        (void)state;
        struct pod *pod CLEANUP_POD = pod_of(
                "u-down",
                "[{name: d, downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}, {path: l/all, "
                "mode: "
                "256, fieldRef: {fieldPath: metadata.annotations}}]}}, {name: p, projected: {defaultMode: 292, "
                "sources: "
                "[{downwardAPI: {items: [{path: m, resourceFieldRef: {containerName: c, resource: limits.cpu, divisor: "
                "1m}}]}}]}}]",
                "[{name: d, mountPath: /d}, {name: p, mountPath: /p}]");
        char *d CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[0]);
        char *p CLEANUP_FREE = volume_path(&host, pod, &pod->volumes[1]);
        char *name CLEANUP_FREE = xasprintf("%s/name", d), *all CLEANUP_FREE = xasprintf("%s/l/all", d);
        char *m CLEANUP_FREE = xasprintf("%s/m", p);
        struct volume_mounts mounts CLEANUP_VOLUME_MOUNTS = {0};
        struct err err = ERR_INIT;
        struct statfs fs;

        host.allocatable[POD_RESOURCE_CPU] = 2500;
        if (volume_setup(&host, pod, &err) < 0 ||
            volume_mounts(&host, pod, &pod->containers[0], 0, "", &mounts, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(statfs(d, &fs), 0);
        assert_int_equal(fs.f_type, TMPFS_ID);
        char *name_text CLEANUP_FREE = text_of(name), *all_text CLEANUP_FREE = text_of(all);
        char *m_text CLEANUP_FREE = text_of(m);
        assert_string_equal(name_text, "web-n1");
        assert_non_null(strstr(all_text, "kubernetes.io/config.source=\"file\""));
        assert_string_equal(m_text, "2500");
        assert_int_equal(mode_of(all) & 07777, 0400);
        assert_int_equal(mode_of(m) & 07777, 0444);
        assert_true(mounts.items[0].read_only && mounts.items[1].read_only);
        assert_int_equal(volume_cleanup(&host, "u-down", &err), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty_dirs),
                cmocka_unit_test(test_empty_dir_of_two_tries),
                cmocka_unit_test(test_files),
                cmocka_unit_test(test_files_below_a_directory),
                cmocka_unit_test(test_files_of_a_write_that_was_cut_short),
                cmocka_unit_test(test_downward_api),
                cmocka_unit_test(test_cleanup_stays_inside),
                cmocka_unit_test(test_check),
                cmocka_unit_test(test_cleanup_on_a_full_disk),
                cmocka_unit_test(test_host_paths),
                cmocka_unit_test(test_mounts_of_a_container),
                cmocka_unit_test(test_hosts_file_is_written_in_place),
                cmocka_unit_test(test_sub_path),
                cmocka_unit_test(test_root_spelled_otherwise),
                cmocka_unit_test(test_sub_path_cannot_leave),
                cmocka_unit_test(test_mountinfo),
                cmocka_unit_test(test_log_links),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
