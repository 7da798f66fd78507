/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "kube/pod_names.h"
#include "node/admission.h"

/* --- room ----------------------------------------------------------------------------------------------------- */

static int64_t request_of(const struct pod_container *c, enum pod_resource resource)
{
        const struct pod_resources *r = &c->resources;
        const struct quantity *q = r->has_request[resource] ? &r->request[resource]
                                   : r->has_limit[resource] ? &r->limit[resource]
                                                            : NULL;

        if (!q)
                return 0;
        return resource == POD_RESOURCE_CPU ? quantity_milli(q) : quantity_value(q);
}

static int64_t sum_clamped(int64_t a, int64_t b)
{
        int64_t sum;

        return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static int64_t request_of_pod(const struct pod *pod, enum pod_resource resource)
{
        int64_t run = 0, init = 0;

        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *c = &pod->containers[i];
                int64_t with = sum_clamped(run, request_of(c, resource));

                if (!c->init || c->sidecar)
                        run = with;
                else if (with > init)
                        init = with;
        }
        return run > init ? run : init;
}

void admission_add(struct admission_sum *sum, const struct pod *pod)
{
        sum->pods++;
        for (enum pod_resource i = 0; i < POD_RESOURCE_MAX; i++)
                sum->resources[i] = sum_clamped(sum->resources[i], request_of_pod(pod, i));
}

static bool lacks(const char *what, int64_t requested, int64_t used, int64_t limit, char *ret_text, size_t size)
{
        if (limit < 0 || requested <= 0 || requested <= limit - used)
                return false;
        (void)snprintf(ret_text, size,
                       "OutOf%s: Node didn't have enough resource: %s, requested: %" PRId64 ", used: %" PRId64
                       ", capacity: %" PRId64,
                       what, what, requested, used, limit);
        return true;
}

bool admission_lacks_room(const struct pod *pod, const struct admission_sum *used, const struct admission_sum *limit,
                          char *ret_text, size_t size)
{
        if (lacks("pods", 1, used->pods, limit->pods, ret_text, size))
                return true;
        for (enum pod_resource i = 0; i < POD_RESOURCE_MAX; i++)
                if (lacks(pod_resource_names.names[i], request_of_pod(pod, i), used->resources[i], limit->resources[i],
                          ret_text, size))
                        return true;
        return false;
}

/* --- sysctls -------------------------------------------------------------------------------------------------- */

static const char *const safe_sysctls[] = {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.ping_group_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_wmem",
};

/* The first separator says which it is: with a slash in front, slashes separate and dots belong to names. Free it. */
static char *normal_name(const char *name)
{
        char *normal = xstrdup(name);

        if (name[strcspn(name, "./")] != '/')
                return normal;
        for (char *c = normal; *c; c++)
                *c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
        return normal;
}

static bool is_allowed(const char *name, const struct strv *allowed)
{
        const char *pattern;

        for (size_t i = 0; i < ARRAY_SIZE(safe_sysctls); i++)
                if (str_eq(name, safe_sysctls[i]))
                        return true;
        STRV_FOREACH (pattern, allowed) {
                char *normal CLEANUP_FREE = normal_name(pattern);
                size_t len = strlen(normal);

                if (str_eq(name, normal) || (len > 0 && normal[len - 1] == '*' && strncmp(name, normal, len - 1) == 0))
                        return true;
        }
        return false;
}

bool admission_forbids_sysctl(const struct pod *pod, const struct strv *allowed, char *ret_text, size_t size)
{
        for (size_t i = 0; i < pod->security.sysctls.count; i++) {
                char *name CLEANUP_FREE = normal_name(pod->security.sysctls.items[i].key);

                if (is_allowed(name, allowed))
                        continue;
                (void)snprintf(ret_text, size, "SysctlForbidden: forbidden sysctl: \"%s\" not allowlisted", name);
                return true;
        }
        return false;
}

/* --- AppArmor ------------------------------------------------------------------------------------------------- */

bool admission_lacks_app_armor(const struct pod *pod, char *ret_text, size_t size)
{
        for (size_t i = 0; i < pod->container_count; i++) {
                struct pod_security s = pod_container_security(pod, &pod->containers[i]);

                if (s.app_armor != POD_APP_ARMOR_RUNTIME_DEFAULT && s.app_armor != POD_APP_ARMOR_LOCALHOST)
                        continue;
                (void)snprintf(ret_text, size,
                               "AppArmor: Cannot enforce AppArmor: AppArmor is not enabled on the host");
                return true;
        }
        return false;
}

/* --- words ---------------------------------------------------------------------------------------------------- */

static bool of_reason(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

const char *admission_reason(const char *text, char ret_reason[ADMISSION_REASON_MAX])
{
        size_t len = 0;

        while (of_reason(text[len]))
                len++;
        bool has = text[0] >= 'A' && text[0] <= 'Z' && len < ADMISSION_REASON_MAX && str_starts(text + len, ": ");
        (void)snprintf(ret_reason, ADMISSION_REASON_MAX, "%.*s", has ? (int)len : 4, has ? text : "Held");
        return has ? text + len + 2 : text;
}
