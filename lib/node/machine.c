/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/go_arch.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "node/machine.h"

/* The whole of a small file without white space at its end; "" where it cannot be read. */
static char *read_line(const char *path)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_LOG_LINE);

        if (file_read(path, &b, NULL) < 0)
                return xstrdup("");
        while (b.len > 0 && strchr(" \n\r\t", b.data[b.len - 1]))
                b.data[--b.len] = '\0';
        return buf_steal(&b, NULL);
}

/* PRETTY_NAME of os-release(5), unquoted. */
static char *read_os_image(void)
{
        struct strv lines CLEANUP_STRV = STRV_INIT;
        char *text CLEANUP_FREE = read_line("/etc/os-release"), *line;

        strv_split(&lines, text, '\n');
        STRV_FOREACH (line, &lines) {
                const char *value = str_after(line, "PRETTY_NAME=");
                if (!value)
                        continue;
                size_t len = strlen(value);
                if (len >= 2 && (*value == '"' || *value == '\'') && value[len - 1] == *value)
                        return xstrndup(value + 1, len - 2);
                return xstrdup(value);
        }
        return xstrdup("Linux");
}

/* Numbers of /proc/meminfo, which are in KiB. */
struct meminfo_row {
        const char *name;
        int64_t *ret_bytes; /* as it was where the line is not there */
};

static void read_meminfo(const struct meminfo_row *rows, size_t count)
{
        struct strv lines CLEANUP_STRV = STRV_INIT;
        char *text CLEANUP_FREE = read_line("/proc/meminfo"), *line;
        int64_t kib;

        strv_split(&lines, text, '\n');
        STRV_FOREACH (line, &lines)
                for (size_t i = 0; i < count; i++) {
                        const char *rest = str_after(line, rows[i].name);
                        if (rest && *rest == ':' && sscanf(rest + 1, "%" SCNd64, &kib) == 1)
                                *rows[i].ret_bytes = kib * 1024;
                }
}

void machine_read(struct machine *ret)
{
        struct utsname uts;
        char boot_id[37];

        clock_boot_id(boot_id);
        *ret = (struct machine){
                .machine_id = read_line("/etc/machine-id"),
                .system_uuid = read_line("/sys/class/dmi/id/product_uuid"),
                .boot_id = xstrdup(boot_id),
                .os_image = read_os_image(),
                .cpus = get_nprocs(),
        };
        read_meminfo(&(struct meminfo_row){"MemTotal", &ret->memory_bytes}, 1);
        if (uname(&uts) < 0)
                memset(&uts, 0, sizeof(uts));
        ret->kernel_version = xstrdup(uts.release);
        ret->architecture = xstrdup(go_architecture(uts.machine));
        ret->hostname = xstrdup(uts.nodename);
        str_lower(ret->hostname);
        /* Virtual machines without DMI: the kubelet falls back to the machine id as well. */
        if (!*ret->system_uuid) {
                free(ret->system_uuid);
                ret->system_uuid = xstrdup(ret->machine_id);
        }
}

void machine_release(struct machine *machine)
{
        free(machine->machine_id);
        free(machine->system_uuid);
        free(machine->boot_id);
        free(machine->kernel_version);
        free(machine->os_image);
        free(machine->architecture);
        free(machine->hostname);
        *machine = (struct machine){0};
}

/* Interface of the IPv4 default route, "" without one. */
static void default_interface(char ret_name[IF_NAMESIZE])
{
        struct strv lines CLEANUP_STRV = STRV_INIT;
        char *text CLEANUP_FREE = read_line("/proc/net/route"), *line;

        ret_name[0] = '\0';
        strv_split(&lines, text, '\n');
        STRV_FOREACH (line, &lines) {
                char name[IF_NAMESIZE];
                unsigned destination, mask;
                if (sscanf(line, "%15s %x %*x %*x %*u %*u %*u %x", name, &destination, &mask) == 3 &&
                    destination == 0 && mask == 0) {
                        str_copy(ret_name, IF_NAMESIZE, name);
                        return;
                }
        }
}

/* How good an address is to be reached by; 0: not at all. */
static int address_rank(const struct ifaddrs *ifa, const char *default_name)
{
        bool on_default = str_eq(ifa->ifa_name, default_name);

        if (!ifa->ifa_addr || !(ifa->ifa_flags & IFF_UP) || (ifa->ifa_flags & IFF_LOOPBACK))
                return 0;
        if (ifa->ifa_addr->sa_family == AF_INET) {
                const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)ifa->ifa_addr;
                bool link_local = (ntohl(in->sin_addr.s_addr) & 0xffff0000U) == 0xa9fe0000U;
                /* Docker's own bridge reaches this machine from its containers only. */
                bool docker = str_eq(ifa->ifa_name, "docker0");
                return link_local ? 0 : on_default ? 5 : docker ? 1 : 4;
        }
        if (ifa->ifa_addr->sa_family == AF_INET6) {
                const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)ifa->ifa_addr;
                return IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) ? 0 : on_default ? 3 : 2;
        }
        return 0;
}

static void address_text(const struct sockaddr *address, char ret_text[MACHINE_ADDRESS_MAX])
{
        const void *raw = address->sa_family == AF_INET
                                  ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
                                  : (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

        if (!inet_ntop(address->sa_family, raw, ret_text, MACHINE_ADDRESS_MAX))
                ret_text[0] = '\0';
}

void machine_address(char ret_text[MACHINE_ADDRESS_MAX])
{
        struct ifaddrs *list = NULL;
        char default_name[IF_NAMESIZE];
        int best = 0;

        ret_text[0] = '\0';
        default_interface(default_name);
        if (getifaddrs(&list) < 0)
                return;
        for (const struct ifaddrs *ifa = list; ifa; ifa = ifa->ifa_next) {
                int rank = address_rank(ifa, default_name);
                if (rank > best) {
                        best = rank;
                        address_text(ifa->ifa_addr, ret_text);
                }
        }
        freeifaddrs(list);
}

void machine_load_read(const char *path, struct machine_load *ret)
{
        char *loadavg CLEANUP_FREE = read_line("/proc/loadavg"),
                      *pid_max CLEANUP_FREE = read_line("/proc/sys/kernel/pid_max");
        struct statvfs vfs;
        int64_t n;

        const struct meminfo_row memory[] = {
                {"MemAvailable", &ret->memory_available_bytes},
                {"MemTotal", &ret->memory_bytes},
                {"MemFree", &ret->memory_free_bytes},
                {"Inactive(file)", &ret->memory_inactive_file_bytes},
        };

        *ret = (struct machine_load){0};
        read_meminfo(memory, ARRAY_SIZE(memory));
        if (statvfs(path, &vfs) == 0) {
                ret->disk_bytes = (int64_t)(vfs.f_blocks * vfs.f_frsize);
                ret->disk_available_bytes = (int64_t)(vfs.f_bavail * vfs.f_frsize);
                ret->disk_free_bytes = (int64_t)(vfs.f_bfree * vfs.f_frsize);
                ret->inodes = (int64_t)vfs.f_files;
                ret->inodes_free = (int64_t)vfs.f_ffree;
        }
        /* "0.20 0.18 0.12 1/80 11206": the fourth is running/total of scheduling entities. */
        if (sscanf(loadavg, "%*f %*f %*f %*d/%" SCNd64, &n) == 1)
                ret->pids = n;
        if (str_to_i64(pid_max, &n) == 0)
                ret->pids_max = n;
}
