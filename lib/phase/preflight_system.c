/* SPDX-License-Identifier: Apache-2.0
 *
 * SystemVerification (k8s.io/system-validators): the kernel's release, its configuration and its cgroups; and the
 * kubelet's version.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/version.h"
#include "phase/kubernetes_version.h"
#include "phase/preflight.h"
#include "phase/service.h"

#define CHECK "SystemVerification"
#define CGROUPS_V1_FAILS_MINOR 35
#define CGROUP_CONTROLLERS "/sys/fs/cgroup/cgroup.controllers"

/* Of each pair one is enough. */
static const char *const required[][2] = {
        {"NAMESPACES", NULL},
        {"NET_NS", NULL},
        {"PID_NS", NULL},
        {"IPC_NS", NULL},
        {"UTS_NS", NULL},
        {"CPUSETS", NULL},
        {"MEMCG", NULL},
        {"INET", NULL},
        {"EXT4_FS", NULL},
        {"PROC_FS", NULL},
        {"NETFILTER_XT_TARGET_REDIRECT", "IP_NF_TARGET_REDIRECT"},
        {"NETFILTER_XT_MATCH_COMMENT", NULL},
        {"FAIR_GROUP_SCHED", NULL},
        {"CGROUPS", NULL},
        {"CGROUP_PIDS", NULL},
        {"CGROUP_SCHED", NULL},
};

/* 0: text is the kernel's configuration; 1: there is none to be found. */
static int read_config(const char *release, struct buf *text)
{
        static const char *const places[] = {"/boot/config-%s",
                                             "/usr/src/linux-%s/.config",
                                             "/usr/src/linux/.config",
                                             "/usr/lib/modules/%s/config",
                                             "/usr/lib/ostree-boot/config-%s",
                                             "/usr/lib/kernel/config-%s",
                                             "/usr/src/linux-headers-%s/.config",
                                             "/lib/modules/%s/build/.config"};
        struct strv argv CLEANUP_STRV = STRV_INIT;

        if (file_exists("/proc/config.gz")) {
                strv_add(&argv, "gzip");
                strv_add(&argv, "-dc");
                strv_add(&argv, "/proc/config.gz");
                if (service_run(&argv, text, false, NULL) == 0 && text->len > 0)
                        return 0;
                buf_clear(text);
        }
        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                const char *hole = strstr(places[i], "%s");
                char *path CLEANUP_FREE =
                        hole ? xasprintf("%.*s%s%s", (int)(hole - places[i]), places[i], release, hole + 2)
                             : xstrdup(places[i]);
                if (file_exists(path) && file_read(path, text, NULL) == 0)
                        return 0;
                buf_clear(text);
        }
        return 1;
}

/* line: behind the end of another */
static bool has_line(const char *text, const char *line)
{
        return str_starts(text, line + 1) || strstr(text, line);
}

static bool is_set(const char *config, const char *option)
{
        char *yes CLEANUP_FREE = xasprintf("\nCONFIG_%s=y", option),
                  *module CLEANUP_FREE = xasprintf("\nCONFIG_%s=m", option);

        return has_line(config, yes) || has_line(config, module);
}

static void check_config(struct preflight_report *report, const char *release)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv missing CLEANUP_STRV = STRV_INIT;

        if (read_config(release, &text) > 0) {
                preflight_error(report, CHECK,
                                "failed to parse kernel config: no config path in [/proc/config.gz /boot/config-%s "
                                "...] is available%s",
                                release, file_exists("/proc/config.gz") ? " (gzip is not in PATH)" : "");
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(required); i++)
                if (!is_set(buf_str(&text), required[i][0]) &&
                    !(required[i][1] && is_set(buf_str(&text), required[i][1])))
                        strv_addf(&missing, "CONFIG_%s", required[i][0]);
        char *names CLEANUP_FREE = strv_join(&missing, " ");
        if (missing.len > 0)
                preflight_error(report, CHECK, "unexpected kernel config: %s", names);
}

/* 5.4, 5.10, 5.15, and 6 and above. */
static bool is_supported(const char *release)
{
        static const char *const series[] = {"5.4", "5.10", "5.15"};

        for (size_t i = 0; i < ARRAY_SIZE(series); i++)
                if (str_starts(release, series[i]))
                        return true;
        /* One digit is followed by a dot: a release of two digits is newer than 9. */
        return release[0] >= '6' || (isdigit((unsigned char)release[0]) && isdigit((unsigned char)release[1]));
}

/* fails: the kubelet does not run on cgroups v1 any more. */
static void check_cgroups(struct preflight_report *report, bool fails)
{
        static const char *const wanted[] = {"cpu", "cpuset", "memory", "pids"};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct strv have CLEANUP_STRV = STRV_INIT, missing CLEANUP_STRV = STRV_INIT;

        /* Without that file it is the first version of cgroups. */
        if (file_read(CGROUP_CONTROLLERS, &text, NULL) < 0) {
                const char *told = era_text(report->phase->era, "preflight", "cgroupsV1Text", "");
                if (*told && fails)
                        preflight_error(report, CHECK, "%s", told);
                else if (*told)
                        preflight_warning(report, CHECK, "%s", told);
                return;
        }
        char *line CLEANUP_FREE = xstrndup(buf_str(&text), strcspn(buf_str(&text), "\n"));
        strv_split(&have, line, ' ');
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
                if (!strv_contains(&have, wanted[i]))
                        strv_add(&missing, wanted[i]);
        char *names CLEANUP_FREE = strv_join(&missing, " ");
        if (missing.len > 0)
                preflight_error(report, CHECK, "missing required cgroups: %s", names);
}

/* preflight.GetKubeletVersion */
static int kubelet_version(struct kube_version *ret, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        char *path CLEANUP_FREE = service_look_path("kubelet");

        if (!path)
                return err_set(err, ENOENT, "cannot execute 'kubelet --version': executable file not found in $PATH");
        strv_add(&argv, path);
        strv_add(&argv, "--version");
        int r = service_run(&argv, &out, false, err);
        if (r > 0)
                r = err_set(err, EIO, "exit status %d", r);
        if (r < 0)
                return err_wrap(err, "cannot execute 'kubelet --version'");
        char *line CLEANUP_FREE = xstrndup(buf_str(&out), strcspn(buf_str(&out), "\n"));
        const char *version = str_after(line, "Kubernetes ");
        if (!version || kube_version_parse(version, false, ret, NULL) < 0)
                return err_set(err, ERR_INVALID, "Unable to parse output from Kubelet: \"%s\"", line);
        return 0;
}

void preflight_check_system(struct preflight_report *report, bool kubelet)
{
        bool asks = era_flag(report->phase->era, "preflight", "systemWantsKubelet");
        struct kube_version version = {.minor = 0};
        struct utsname name;
        struct err why = ERR_INIT;

        if (kubelet && asks && kubelet_version(&version, &why) < 0) {
                preflight_error(report, CHECK, "couldn't get kubelet version: %s", why.msg);
                return;
        }
        if (uname(&name) < 0) {
                preflight_error(report, CHECK, "failed to get kernel release: %s", strerrordesc_np(errno));
                return;
        }
        if (!is_supported(name.release))
                preflight_warning(
                        report, CHECK,
                        "kernel release %s is unsupported. Supported LTS versions from the 5.x series are 5.4, "
                        "5.10 and 5.15. Any 6.x version is also supported. For cgroups v2 support, the "
                        "recommended version is 5.10 or newer",
                        name.release);
        check_config(report, name.release);
        check_cgroups(report, kubelet && asks && version.minor >= CGROUPS_V1_FAILS_MINOR);
}

void preflight_check_kubelet_version(struct preflight_report *report)
{
        const struct kube_version *kubeadm = era_version(report->phase->era);
        const char *wanted = report->phase->config->cluster.kubernetes_version.text;
        struct kube_version version, control_plane;
        char text[KUBE_VERSION_MAX];
        struct err why = ERR_INIT;

        if (kubelet_version(&version, &why) < 0) {
                preflight_error(report, "KubeletVersion", "couldn't get kubelet version: %s", why.msg);
                return;
        }
        kube_version_text(&version, text);
        const char *shown = text[0] == 'v' ? text + 1 : text;
        int behind = (int)era_number(report->phase->era, "preflight", "kubeletBehind", 1);
        if (version.major < kubeadm->major || version.minor < kubeadm->minor - behind)
                preflight_error(report, "KubeletVersion",
                                "Kubelet version \"%s\" is lower than kubeadm can support. Please upgrade kubelet",
                                shown);
        else if (kube_version_parse(wanted, false, &control_plane, NULL) == 0 &&
                 (version.major > control_plane.major || version.minor > control_plane.minor))
                preflight_error(report, "KubeletVersion",
                                "the kubelet version is higher than the control plane version. This is not a supported "
                                "version skew and may lead to a malfunctional cluster. Kubelet version: \"%s\" Control "
                                "plane version: \"%s\"",
                                shown, wanted[0] == 'v' ? wanted + 1 : wanted);
}
