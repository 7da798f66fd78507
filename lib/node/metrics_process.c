/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process takes, from /proc/self.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "node/metrics_text.h"

#define STAT_MAX 4096

struct process {
        unsigned long long user_ticks, system_ticks, start_ticks, virtual_bytes;
        long long resident_pages;
};

/* /proc/self/stat, proc(5); a program's name may hold anything, so it is read from its last parenthesis on. */
static bool read_stat(struct process *ret)
{
        char text[STAT_MAX];
        FILE *file = fopen("/proc/self/stat", "re");
        size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
        const char *rest;

        if (file)
                (void)fclose(file);
        text[len] = '\0';
        rest = strrchr(text, ')');
        return rest &&
               sscanf(rest + 1,
                      " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d %*d %llu %llu "
                      "%lld",
                      &ret->user_ticks, &ret->system_ticks, &ret->start_ticks, &ret->virtual_bytes,
                      &ret->resident_pages) == 5;
}

static int count_descriptors(void)
{
        DIR *dir = opendir("/proc/self/fd");
        int count = -3; /* ".", "..", and that of dir */

        if (!dir)
                return -1;
        while (readdir(dir))
                count++;
        (void)closedir(dir);
        return count;
}

static void one(struct buf *out, const char *name, const char *type, const char *help, double value)
{
        metrics_family(out, name, type, help);
        metrics_sample1(out, name, NULL, NULL, value);
}

void metrics_process(struct buf *out)
{
        double tick = (double)sysconf(_SC_CLK_TCK), page = (double)sysconf(_SC_PAGESIZE);
        struct process p = {0};
        struct rlimit files;
        int descriptors = count_descriptors();

        if (read_stat(&p)) {
                double booted = (double)(clock_realtime() - clock_boottime()) / (double)USEC_PER_SEC;

                one(out, "process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.",
                    (double)(p.user_ticks + p.system_ticks) / tick);
                one(out, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.",
                    (double)p.resident_pages * page);
                one(out, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.",
                    (double)p.virtual_bytes);
                one(out, "process_start_time_seconds", "gauge",
                    "Start time of the process since unix epoch in seconds.", booted + (double)p.start_ticks / tick);
        }
        if (descriptors >= 0)
                one(out, "process_open_fds", "gauge", "Number of open file descriptors.", descriptors);
        if (getrlimit(RLIMIT_NOFILE, &files) == 0)
                one(out, "process_max_fds", "gauge", "Maximum number of open file descriptors.",
                    (double)files.rlim_cur);
}
