/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/address.h"
#include "phase/kubernetes_version.h"
#include "phase/preflight.h"
#include "phase/service.h"

#define PROCESSORS_MIN 2
#define MEMORY_MIN_MB 1700
#define KUBELET_PORT 10250
#define SWAPS_FILE "/proc/swaps"

void preflight_check_processors(struct preflight_report *report)
{
        cpu_set_t set;
        int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

        if (n < PROCESSORS_MIN)
                preflight_error(report, "NumCPU", "the number of available CPUs %d is less than the required %d", n,
                                PROCESSORS_MIN);
}

void preflight_check_memory(struct preflight_report *report)
{
        struct sysinfo info;

        if (sysinfo(&info) < 0) {
                preflight_error(report, "Mem", "failed to get system info: %s", strerrordesc_np(errno));
                return;
        }
        uint64_t mb = (uint64_t)info.totalram * info.mem_unit / 1024 / 1024;
        if (mb < MEMORY_MIN_MB)
                preflight_error(report, "Mem", "the system RAM (%llu MB) is less than the minimum %d MB",
                                (unsigned long long)mb, MEMORY_MIN_MB);
}

static bool listen_on(int family, const struct sockaddr *address, socklen_t len)
{
        int fd CLEANUP_FD = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

        if (fd < 0)
                return false;
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (family == AF_INET6)
                (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
        return bind(fd, address, len) == 0 && listen(fd, 1) == 0;
}

/* net.Listen("tcp", "ADDRESS:PORT"); without an address on both families where there are both. */
static bool can_listen(const char *address, int port)
{
        struct sockaddr_in6 v6 = {
                .sin6_family = AF_INET6, .sin6_addr = in6addr_any, .sin6_port = htons((uint16_t)port)};
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        struct ip_address ip = {.v4 = false};
        int fd CLEANUP_FD = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool has_v6 = fd >= 0;

        if (!str_empty(address) && ip_parse(address, &ip) < 0)
                return true;
        if (str_empty(address))
                ip.v4 = !has_v6;
        else if (ip.v4)
                memcpy(&v4.sin_addr, ip.bytes, 4);
        else
                memcpy(&v6.sin6_addr, ip.bytes, 16);
        return ip.v4 ? listen_on(AF_INET, (const void *)&v4, sizeof(v4))
                     : listen_on(AF_INET6, (const void *)&v6, sizeof(v6));
}

void preflight_check_port(struct preflight_report *report, const char *address, int port)
{
        char *check CLEANUP_FREE = xasprintf("Port-%d", port);

        if (!can_listen(address, port))
                preflight_error(report, check, "Port %d is in use", port);
}

#define NO_INIT_SYSTEM "no supported init system detected, skipping checking for services"

void preflight_check_firewalld(struct preflight_report *report, int bind_port)
{
        if (!service_init_system(report->phase))
                preflight_warning(report, "Firewalld", NO_INIT_SYSTEM);
        else if (service_exists(report->phase, "firewalld") && service_is_active(report->phase, "firewalld"))
                preflight_warning(report, "Firewalld",
                                  "firewalld is active, please ensure ports [%d %d] are open or your cluster may not "
                                  "function correctly",
                                  bind_port, KUBELET_PORT);
}

void preflight_check_service(struct preflight_report *report, const char *service, bool active)
{
        const struct phase *phase = report->phase;
        bool capital = era_flag(phase->era, "preflight", "serviceNameCapital");
        char *check CLEANUP_FREE = xasprintf("Service-%s", service);
        size_t at = strlen("Service-");

        if (capital && check[at] >= 'a' && check[at] <= 'z')
                check[at] = (char)(check[at] - 'a' + 'A');
        if (!service_init_system(phase)) {
                preflight_warning(report, check, NO_INIT_SYSTEM);
                return;
        }
        if (!service_exists(phase, service)) {
                preflight_warning(report, check, "%s service does not exist", service);
                return;
        }
        if (!service_is_enabled(phase, service)) {
                char *command CLEANUP_FREE = service_enable_command(phase, service);
                preflight_warning(report, check, "%s service is not enabled, please run '%s'", service, command);
        }
        if (active && !service_is_active(phase, service))
                preflight_error(report, check, "%s service is not active, please run 'systemctl start %s.service'",
                                service, service);
}

void preflight_check_swap(struct preflight_report *report)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        const char *found = era_text(report->phase->era, "preflight", "swapText", "");

        if (file_read(SWAPS_FILE, &text, NULL) < 0)
                return;
        const char *first = strchr(buf_str(&text), '\n');
        if (!first || !first[1])
                return;
        if (era_flag(report->phase->era, "preflight", "swapIsError"))
                preflight_error(report, "Swap", "%s", found);
        else
                preflight_warning(report, "Swap", "%s", found);
}

void preflight_check_program(struct preflight_report *report, const char *program, bool mandatory)
{
        char *check CLEANUP_FREE = xasprintf("FileExisting-%s", program);
        char *path CLEANUP_FREE = service_look_path(program);

        if (path)
                return;
        if (mandatory)
                preflight_error(report, check, "%s not found in system path", program);
        else
                preflight_warning(report, check, "%s not found in system path", program);
}

void preflight_check_programs(struct preflight_report *report)
{
        static const char *const rows[] = {"optionalPrograms", "mandatoryPrograms"};
        const struct phase *phase = report->phase;
        int conntrack = (int)era_number(phase->era, "preflight", "conntrackUntilMinor", 0);

        if (conntrack > 0 && kubernetes_version_minor(phase->config->cluster.kubernetes_version.text) < conntrack)
                preflight_check_program(report, "conntrack", true);
        if (era_flag(phase->era, "preflight", "optionalCrictl"))
                preflight_check_program(report, "crictl", false);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct value *list = era_value(phase->era, "preflight", rows[i]);
                for (size_t n = 0; value_is(list, VALUE_LIST) && n < list->list.count; n++)
                        preflight_check_program(report, value_string(list->list.items[n], ""), i == 1);
        }
}

void preflight_check_content(struct preflight_report *report, const char *path, const char *content)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        char *check CLEANUP_FREE = xasprintf("FileContent-%s", path);

        for (char *c = check; *c; c++)
                if (*c == '/')
                        *c = '-';
        if (file_read(path, &text, NULL) < 0)
                preflight_error(report, check, "%s does not exist", path);
        else if (!str_starts(buf_str(&text), content))
                preflight_error(report, check, "%s contents are not set to %s", path, content);
}

void preflight_check_node_name(struct preflight_report *report, const char *name)
{
        struct addrinfo *found = NULL;
        int r = getaddrinfo(name, NULL, &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found);

        if (r == 0) {
                freeaddrinfo(found);
                return;
        }
        preflight_warning(report, "Hostname", "hostname \"%s\" could not be reached", name);
        preflight_warning(report, "Hostname", "hostname \"%s\": lookup %s: %s", name, name,
                          r == EAI_NONAME ? "no such host" : gai_strerror(r));
}

int preflight_try_socket(const char *path, struct err *err)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char text[128];

        if (strlen(path) >= sizeof(address.sun_path))
                return err_set(err, ENAMETOOLONG, "dial unix %s: the path is too long for a socket", path);
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        if (fd >= 0 && connect(fd, (const void *)&address, sizeof(address)) == 0)
                return 0;
        int code = errno;
        return err_set(err, code, "dial unix %s: connect: %s", path, phase_errno_text(code, text, sizeof(text)));
}
