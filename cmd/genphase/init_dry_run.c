/* SPDX-License-Identifier: Apache-2.0 */
#include "init_dry_run.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/action.h"
#include "phase/certs.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"

#define USUAL_DIRECTORY "/etc/kubernetes/tmp"

static int copy_file(const struct phase *phase, const char *root, const char *path, struct err *err)
{
        char *to CLEANUP_FREE = xasprintf("%s%s", root, path), *dir CLEANUP_FREE = file_dirname(to);
        char *data CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_read_file(phase, path, LIMIT_PKI_FILE, &data, &len, err);

        if (r != 0)
                return r < 0 ? r : 0;
        r = file_mkdir_p(dir, 0700, err);
        return r < 0 ? r : file_write_atomic(to, data, len, 0600, FILE_WRITE_NO_SYNC, err);
}

static int copy_pki(const struct phase *phase, const char *root, struct err *err)
{
        static const char *const names[] = {
#define X(verb, long_name, base_name, ca, common_name, organization_row, usage, names) \
        base_name ".crt", base_name ".key",
                CERTS_LIST(X)
#undef X
                        "sa.key",
                "sa.pub"};
        static const char *const configs[] = {"admin", "super-admin", "kubelet", "controller-manager", "scheduler"};
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
                char *path CLEANUP_FREE = config_certificate_path(phase->config, names[i]);
                r = copy_file(phase, root, path, err);
        }
        for (size_t i = 0; i < ARRAY_SIZE(configs) && r == 0; i++) {
                char *path CLEANUP_FREE = xasprintf(KUBECONFIG_PHASE_DIR "/%s.conf", configs[i]);
                r = copy_file(phase, root, path, err);
        }
        return r;
}

int init_dry_run_begin(struct phase *phase, struct err *err)
{
        const char *given = getenv("KUBEADM_INIT_DRYRUN_DIR");
        char *parent CLEANUP_FREE = str_empty(given) ? phase_path(phase, USUAL_DIRECTORY) : xstrdup(given);
        char *root CLEANUP_FREE = xasprintf("%s/kubeadm-init-dryrunXXXXXX", parent ? parent : "");
        int r = parent ? file_mkdir_p(parent, 0700, err) : err_set_errno(err, errno, "%s", USUAL_DIRECTORY);

        if (r >= 0 && !mkdtemp(root))
                r = err_set_errno(err, errno, "%s", root);
        if (r < 0)
                return err_wrap(err, "could not create a temporary directory on dryrun");
        r = copy_pki(phase, root, err);
        phase->options.host_root = phase->options.rootfs ? phase->options.rootfs : "";
        phase->options.rootfs = config_keepf(phase->config, "%s", root);
        return r < 0 ? r : action_show(phase, "directory", root, err);
}

static int show_file(const struct phase *phase, const char *path, struct err *err)
{
        char *data CLEANUP_FREE = NULL;
        size_t len;

        if (phase->options.quiet || phase_tells_actions(phase))
                return 0;
        int r = phase_read_file(phase, path, LIMIT_MANIFEST_BYTES, &data, &len, err);
        if (r != 0)
                return r < 0 ? r : 0;
        phase_say(phase, "[dryrun] Would write file \"%s\" with content:", path);
        (void)fputs(data, phase->options.out);
        return 0;
}

int init_dry_run_show_etcd(const struct phase *phase, struct err *err)
{
        return show_file(phase, "/etc/kubernetes/manifests/etcd.yaml", err);
}

int init_dry_run_show(const struct phase *phase, struct err *err)
{
        static const char *const paths[] = {
                "/etc/kubernetes/manifests/kube-apiserver.yaml",
                "/etc/kubernetes/manifests/kube-controller-manager.yaml",
                "/etc/kubernetes/manifests/kube-scheduler.yaml",
                "/var/lib/kubelet/config.yaml",
                "/var/lib/kubelet/kubeadm-flags.env",
        };
        const char *root = phase->options.rootfs;
        int r = 0;

        phase_say(phase,
                  "[dryrun] Wrote certificates, kubeconfig files and control plane manifests to the \"%s\" directory",
                  root);
        phase_say(phase,
                  "[dryrun] The certificates or kubeconfig files would not be printed due to their sensitive nature");
        phase_say(phase, "[dryrun] Please examine the \"%s\" directory for details about what would be written", root);
        for (size_t i = 0; i < ARRAY_SIZE(paths) && r == 0; i++)
                r = show_file(phase, paths[i], err);
        return r;
}
