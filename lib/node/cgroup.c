/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "node/cgroup.h"
#include "node/container_resources.h"
#include "node/host.h"

#define CGROUP_MODE 0755
/* Names looked at in one directory; what is beyond is seen when these are gone. */
#define CGROUP_NAMES_MAX 10000
/* Below a pod: its containers, and what these make (a container with systemd has some levels). */
#define CGROUP_DEPTH_MAX 8

static int write_value(const char *directory, const char *file, const char *text, struct err *err)
{
        char *path CLEANUP_FREE = xasprintf("%s/%s", directory, file);
        int fd CLEANUP_FD = open(path, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
                return err_set_errno(err, errno, "opening %s", path);
        if (write(fd, text, strlen(text)) < 0)
                return err_set_errno(err, errno, "writing %s to %s", text, path);
        return 0;
}

static int write_int(const char *directory, const char *file, int64_t value, struct err *err)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRId64, value);
        return write_value(directory, file, text, err);
}

/* One hierarchy of cgroup v1. Returns 1 where the machine does not have the controller. */
static int make_v1(const struct host *host, const char *controller, const char *path, char **ret_directory,
                   struct err *err)
{
        char *mount CLEANUP_FREE = xasprintf("%s/%s", host->cgroup_mount, controller);
        char *directory CLEANUP_FREE = xasprintf("%s%s", mount, path);
        int r;

        if (!file_exists(mount))
                return 1;
        r = file_mkdir_p(directory, CGROUP_MODE, err);
        if (r < 0)
                return r;
        *ret_directory = TAKE_PTR(directory);
        return 0;
}

static int setup_v1_cpu(const struct host *host, const char *path, const struct pod_cgroup_limits *limits,
                        struct err *err)
{
        char *directory CLEANUP_FREE = NULL;
        int r;

        r = make_v1(host, "cpu", path, &directory, err);
        if (r != 0)
                return r < 0 ? r : 0;
        r = write_int(directory, "cpu.shares", limits->cpu_shares, err);
        if (r < 0 || limits->cpu_quota_usec <= 0)
                return r;
        r = write_int(directory, "cpu.cfs_period_us", CPU_PERIOD_USEC, err);
        if (r < 0)
                return r;
        return write_int(directory, "cpu.cfs_quota_us", limits->cpu_quota_usec, err);
}

static int setup_v1(const struct host *host, const char *path, const struct pod_cgroup_limits *limits, struct err *err)
{
        const struct {
                const char *controller, *file;
                int64_t value;
        } rows[] = {
                {"memory", "memory.limit_in_bytes", limits->memory_bytes},
                {"pids", "pids.max", limits->pids},
        };
        int r;

        r = setup_v1_cpu(host, path, limits, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *directory CLEANUP_FREE = NULL;

                if (rows[i].value < 0)
                        continue;
                r = make_v1(host, rows[i].controller, path, &directory, err);
                if (r == 0)
                        r = write_int(directory, rows[i].file, rows[i].value, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Each level must hand its controllers down before the next can use them. */
static int make_v2(const struct host *host, const char *path, char **ret_directory, struct err *err)
{
        char *directory CLEANUP_FREE = xstrdup(host->cgroup_mount);

        for (const char *p = path; *p;) {
                size_t len;

                p += strspn(p, "/");
                len = strcspn(p, "/");
                if (len == 0)
                        break;
                /* What a kernel lacks shows when the value itself cannot be written. */
                (void)write_value(directory, "cgroup.subtree_control", "+cpu", NULL);
                (void)write_value(directory, "cgroup.subtree_control", "+memory", NULL);
                (void)write_value(directory, "cgroup.subtree_control", "+pids", NULL);
                char *next = xasprintf("%s/%.*s", directory, (int)len, p);
                free(directory);
                directory = next;
                if (mkdir(directory, CGROUP_MODE) < 0 && errno != EEXIST)
                        return err_set_errno(err, errno, "making the cgroup %s", directory);
                p += len;
        }
        *ret_directory = TAKE_PTR(directory);
        return 0;
}

static int setup_v2(const struct host *host, const char *path, const struct pod_cgroup_limits *limits, struct err *err)
{
        char *directory CLEANUP_FREE = NULL;
        int r;

        r = make_v2(host, path, &directory, err);
        if (r < 0)
                return r;
        r = write_int(directory, "cpu.weight", cpu_weight_from_shares(limits->cpu_shares), err);
        if (r < 0)
                return r;
        if (limits->cpu_quota_usec > 0) {
                char text[48];

                (void)snprintf(text, sizeof(text), "%" PRId64 " %d", limits->cpu_quota_usec, CPU_PERIOD_USEC);
                r = write_value(directory, "cpu.max", text, err);
                if (r < 0)
                        return r;
        }
        if (limits->memory_bytes > 0) {
                r = write_int(directory, "memory.max", limits->memory_bytes, err);
                if (r < 0)
                        return r;
        }
        return limits->pids > 0 ? write_int(directory, "pids.max", limits->pids, err) : 0;
}

int cgroup_setup(const struct host *host, const struct pod *pod, struct err *err)
{
        char *path CLEANUP_FREE = NULL;
        struct pod_cgroup_limits limits;
        int r;

        if (!host->cgroups_per_qos || host->cgroup_systemd)
                return 0;
        path = pod_cgroup_path(host, pod);
        pod_cgroup_limits(host, pod, &limits);
        r = host->cgroup_version == 2 ? setup_v2(host, path, &limits, err) : setup_v1(host, path, &limits, err);
        if (r < 0)
                return err_wrap(err, "cgroup of the pod");
        return 0;
}

static int set_class(const struct host *host, enum pod_qos class, int64_t shares, struct err *err)
{
        char *path CLEANUP_FREE = pod_cgroup_above(host, class), *directory CLEANUP_FREE = NULL;
        bool v2 = host->cgroup_version == 2;
        int r = v2 ? make_v2(host, path, &directory, err) : make_v1(host, "cpu", path, &directory, err);

        if (r != 0)
                return r < 0 ? r : 0;
        return v2 ? write_int(directory, "cpu.weight", cpu_weight_from_shares(shares), err)
                  : write_int(directory, "cpu.shares", shares, err);
}

int cgroup_classes(const struct host *host, int64_t burstable_milli, struct err *err)
{
        if (!host->cgroups_per_qos || host->cgroup_systemd)
                return 0;
        int r = set_class(host, POD_QOS_BEST_EFFORT, CPU_SHARES_MIN, err);
        if (r == 0)
                r = set_class(host, POD_QOS_BURSTABLE, cpu_shares_from_milli(burstable_milli), err);
        return r < 0 ? err_wrap(err, "cgroup of a class of pods") : 0;
}

/* Where cgroups of pods of a class may lie: in every hierarchy. Docker makes the parent of a container in all of them,
 * not only in those that are set here. */
static void list_places(const struct host *host, enum pod_qos class, struct strv *places)
{
        char *above CLEANUP_FREE = pod_cgroup_above(host, class);
        struct strv mounts CLEANUP_STRV = STRV_INIT;
        const char *mount;

        if (!host->cgroups_per_qos)
                return;
        if (host->cgroup_systemd) {
                char *slice CLEANUP_FREE = cgroup_slice_name(above);

                free(above);
                above = cgroup_slice_path(slice);
        }
        if (host->cgroup_version == 2) {
                strv_addf(places, "%s%s", host->cgroup_mount, above);
                return;
        }
        file_list(host->cgroup_mount, CGROUP_NAMES_MAX, &mounts);
        STRV_FOREACH (mount, &mounts)
                strv_addf(places, "%s/%s%s", host->cgroup_mount, mount, above);
}

/* What the cgroup of a pod is called in these places. Free it. */
static char *name_of(const struct host *host, enum pod_qos class, const char *uid)
{
        char *above CLEANUP_FREE = pod_cgroup_above(host, class);
        char *path CLEANUP_FREE = xasprintf("%s/pod%s", above, uid);

        return host->cgroup_systemd ? cgroup_slice_name(path) : xstrdup(strrchr(path, '/') + 1);
}

/* The UID of the pod whose cgroup is called so; NULL: of no pod. Free it. */
static char *uid_of(const struct host *host, enum pod_qos class, const char *name)
{
        char *nobody CLEANUP_FREE = name_of(host, class, "");
        const char *suffix = host->cgroup_systemd ? strrchr(nobody, '.') : "";
        size_t before = strlen(nobody) - strlen(suffix), len = strlen(name);

        if (len <= strlen(nobody) || strncmp(name, nobody, before) != 0 || !str_eq(name + len - strlen(suffix), suffix))
                return NULL;
        char *uid = xstrndup(name + before, len - before - strlen(suffix));
        for (char *c = uid; host->cgroup_systemd && *c; c++)
                *c = (char)(*c == '_' ? '-' : *c);
        return uid;
}

static void kill_processes(const char *directory)
{
        char *path CLEANUP_FREE = file_join(directory, "cgroup.procs");
        FILE *procs = fopen(path, "re");
        int pid;

        if (!procs)
                return;
        /* One of another pid namespace is shown as 0. */
        while (fscanf(procs, "%d", &pid) == 1)
                if (pid > 1)
                        (void)kill(pid, SIGKILL);
        (void)fclose(procs);
}

/* A killed process leaves its cgroup a moment later: then the next try removes it. */
static int remove_with_processes(const char *path, int depth)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        if (rmdir(path) == 0 || errno == ENOENT || errno == ENOTDIR)
                return 0;
        if (errno != EBUSY || depth == 0)
                return -errno;
        file_list(path, CGROUP_NAMES_MAX, &names);
        STRV_FOREACH (name, &names) {
                char *below CLEANUP_FREE = file_join(path, name);
                struct stat st;

                if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
                        (void)remove_with_processes(below, depth - 1);
        }
        kill_processes(path);
        return rmdir(path) == 0 || errno == ENOENT ? 0 : -errno;
}

int cgroup_remove(const struct host *host, const char *uid, struct err *err)
{
        int r = 0;

        for (enum pod_qos class = 0; class < POD_QOS_MAX; class ++) {
                char *name CLEANUP_FREE = name_of(host, class, uid);
                struct strv places CLEANUP_STRV = STRV_INIT;
                const char *place;

                list_places(host, class, &places);
                STRV_FOREACH (place, &places) {
                        char *path CLEANUP_FREE = file_join(place, name);
                        int failed = remove_with_processes(path, CGROUP_DEPTH_MAX);

                        if (failed < 0 && r == 0)
                                r = err_set_errno(err, -failed, "removing the cgroup %s", path);
                }
        }
        return r;
}

void cgroup_list(const struct host *host, struct strv *uids)
{
        for (enum pod_qos class = 0; class < POD_QOS_MAX; class ++) {
                struct strv places CLEANUP_STRV = STRV_INIT;
                const char *place, *name;

                list_places(host, class, &places);
                STRV_FOREACH (place, &places) {
                        struct strv names CLEANUP_STRV = STRV_INIT;

                        file_list(place, CGROUP_NAMES_MAX, &names);
                        STRV_FOREACH (name, &names) {
                                char *uid CLEANUP_FREE = uid_of(host, class, name);

                                if (uid && !strv_contains(uids, uid))
                                        strv_add(uids, uid);
                        }
                }
        }
}

void cgroup_slices(const struct host *host, const char *uid, struct strv *names)
{
        for (enum pod_qos class = 0; host->cgroup_systemd && class < POD_QOS_MAX; class ++) {
                char *name CLEANUP_FREE = name_of(host, class, uid);
                struct strv places CLEANUP_STRV = STRV_INIT;
                const char *place;

                list_places(host, class, &places);
                STRV_FOREACH (place, &places) {
                        char *path CLEANUP_FREE = file_join(place, name);

                        if (file_exists(path) && !strv_contains(names, name))
                                strv_add(names, name);
                }
        }
}
