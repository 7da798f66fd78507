/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "node/cgroup_usage.h"
#include "node/container_resources.h"
#include "node/host.h"

#define FILE_BYTES_MAX (64 * 1024)
/* No limit is written as the largest multiple of a page. */
#define NO_LIMIT (INT64_C(1) << 60)

/* False: not there, or nothing in it. */
static bool read_text(const char *directory, const char *name, struct buf *text)
{
        char *path CLEANUP_FREE = file_join(directory, name);

        buf_clear(text);
        return file_read(path, text, NULL) >= 0 && text->len > 0;
}

/* A file of one number; -1: not there, or none ("max"). */
static int64_t read_number(const char *directory, const char *name)
{
        struct buf text CLEANUP_BUF = BUF_INIT(FILE_BYTES_MAX);
        int64_t number;

        if (!read_text(directory, name, &text))
                return -1;
        text.data[strcspn(text.data, "\n")] = '\0';
        return str_to_i64(text.data, &number) < 0 ? -1 : number;
}

/* A line "key number" of several; -1: not there. */
static int64_t find_number(const struct buf *text, const char *key)
{
        size_t len = strlen(key);

        for (const char *line = text->data; line && *line;) {
                const char *end = strchr(line, '\n');
                size_t size = end ? (size_t)(end - line) : strlen(line);

                if (size > len && strncmp(line, key, len) == 0 && line[len] == ' ') {
                        char *number CLEANUP_FREE = xstrndup(line + len + 1, size - len - 1);
                        int64_t n;

                        return str_to_i64(number, &n) < 0 ? -1 : n;
                }
                line = end ? end + 1 : NULL;
        }
        return -1;
}

static int64_t at_least_zero(int64_t n)
{
        return n > 0 ? n : 0;
}

static void set_memory(const char *directory, const char *usage, const char *limit, const char *const keys[4],
                       struct cgroup_usage *ret)
{
        struct buf stat CLEANUP_BUF = BUF_INIT(FILE_BYTES_MAX);
        int64_t used = read_number(directory, usage), most = read_number(directory, limit);

        if (used < 0 || !read_text(directory, "memory.stat", &stat))
                return;
        ret->has_memory = true;
        ret->memory_bytes = used;
        ret->working_set_bytes = at_least_zero(used - at_least_zero(find_number(&stat, keys[0])));
        ret->rss_bytes = at_least_zero(find_number(&stat, keys[1]));
        ret->page_faults = at_least_zero(find_number(&stat, keys[2]));
        ret->major_page_faults = at_least_zero(find_number(&stat, keys[3]));
        ret->limit_bytes = most > 0 && most < NO_LIMIT ? most : 0;
}

static void read_v1(const struct host *host, const char *path, struct cgroup_usage *ret)
{
        static const char *const keys[] = {"total_inactive_file", "total_rss", "total_pgfault", "total_pgmajfault"};
        char *cpu CLEANUP_FREE = xasprintf("%s/cpuacct%s", host->cgroup_mount, path);
        char *memory CLEANUP_FREE = xasprintf("%s/memory%s", host->cgroup_mount, path);
        int64_t nsec = read_number(cpu, "cpuacct.usage");

        ret->has_cpu = nsec >= 0;
        ret->cpu_nsec = (uint64_t)at_least_zero(nsec);
        set_memory(memory, "memory.usage_in_bytes", "memory.limit_in_bytes", keys, ret);
}

static void read_v2(const struct host *host, const char *path, struct cgroup_usage *ret)
{
        static const char *const keys[] = {"inactive_file", "anon", "pgfault", "pgmajfault"};
        char *directory CLEANUP_FREE = xasprintf("%s%s", host->cgroup_mount, path);
        struct buf stat CLEANUP_BUF = BUF_INIT(FILE_BYTES_MAX);
        int64_t usec = -1;

        if (read_text(directory, "cpu.stat", &stat))
                usec = find_number(&stat, "usage_usec");
        ret->has_cpu = usec >= 0;
        ret->cpu_nsec = (uint64_t)at_least_zero(usec) * 1000;
        set_memory(directory, "memory.current", "memory.max", keys, ret);
}

void cgroup_usage_read(const struct host *host, const char *path, struct cgroup_usage *ret)
{
        *ret = (struct cgroup_usage){0};
        if (host->cgroup_version == 2)
                read_v2(host, path, ret);
        else
                read_v1(host, path, ret);
}

char *cgroup_usage_pod_path(const struct host *host, const struct pod *pod)
{
        if (!host->cgroups_per_qos)
                return NULL;
        return host->cgroup_systemd ? pod_cgroup_slice_path(host, pod) : pod_cgroup_path(host, pod);
}

char *cgroup_usage_container_path(const struct host *host, const struct pod *pod, const char *id)
{
        char *above CLEANUP_FREE = cgroup_usage_pod_path(host, pod);

        if (host->cgroup_systemd)
                return xasprintf("%s/docker-%s.scope", above ? above : "/system.slice", id);
        return xasprintf("%s/%s", above ? above : "/docker", id);
}
