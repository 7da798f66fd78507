/* SPDX-License-Identifier: Apache-2.0
 *
 * The kubelet's version, and what SystemVerification makes of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/version.h"
#include "phase/kubernetes_version.h"
#include "phase/preflight.h"
#include "phase/service.h"

#define CGROUPS_V1_FAILS_MINOR 35

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
        struct err why = ERR_INIT;
        char *path CLEANUP_FREE = service_look_path("docker");
        bool docker = kubelet && path && preflight_runtime_is_docker(report);

        if (kubelet && asks && kubelet_version(&version, &why) < 0)
                preflight_error(report, PREFLIGHT_SYSTEM, "couldn't get kubelet version: %s", why.msg);
        else
                preflight_verify_system(report, docker, kubelet && asks && version.minor >= CGROUPS_V1_FAILS_MINOR);
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
