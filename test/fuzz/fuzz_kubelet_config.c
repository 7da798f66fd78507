/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds, read as a configuration and as kubeadm-flags.env: it is taken or there is an error; what is
 * taken has its defaults, and what is left of a capacity is never below zero.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "fuzz.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_env.h"

static void check_config(const struct kubelet_config *c)
{
        const int64_t capacity = 1 << 30;

        for (int resource = 0; resource < POD_RESOURCE_MAX; resource++) {
                int64_t left = kubelet_config_allocatable(c, (enum pod_resource)resource, capacity);

                MUST(left >= 0 && left <= capacity);
        }
        for (size_t i = 0; i < c->eviction_hard_count; i++) {
                const struct kubelet_threshold *t = &c->eviction_hard[i];

                MUST(kubelet_config_has_threshold(c, t->signal));
                MUST(!t->percent || !kubelet_config_under_threshold(c, t->signal, capacity, capacity));
        }
        MUST(c->file_check_frequency > 0 && c->node_status_update_frequency > 0 && c->node_lease_duration_seconds > 0);
        MUST(c->max_container_restart_period >= USEC_PER_SEC && c->max_container_restart_period <= 300 * USEC_PER_SEC);
        MUST(c->state_directory[0] == '/' && c->run_directory[0] == '/' && c->root_dir[0] == '/');
        MUST(c->port > 0 && c->port <= 65535 && c->read_only_port >= 0 && c->healthz_port >= 0);
}

static void check_load(const struct kubelet_config_sources *sources)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct err err = ERR_INIT;
        int r = kubelet_config_load(sources, &c, &findings, &err);

        MUST((r < 0) == (err.code != 0));
        MUST(findings.count <= LIMIT_FINDINGS);
        for (size_t i = 0; i < findings.count; i++)
                MUST(r < 0 || !findings.items[i].fatal);
        if (r == 0)
                check_config(&c);
        else
                MUST(!c.state_directory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char base[] = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 1\n"
                                   "authentication: {webhook: {enabled: true}, x509: {clientCAFile: /ca}}\n";
        const struct kubelet_config_file files[] = {{"base", base, sizeof(base) - 1},
                                                    {"input", (const char *)data, size}};
        struct kubelet_env env CLEANUP_KUBELET_ENV = {0};

        check_load(&(struct kubelet_config_sources){.files = &files[1], .file_count = 1});
        check_load(&(struct kubelet_config_sources){.files = files, .file_count = 2});
        if (kubelet_env_read("input", (const char *)data, size, &env, NULL) == 0) {
                check_load(&(struct kubelet_config_sources){.env = &env});
                check_load(&(struct kubelet_config_sources){.flags = &env.words[KUBELET_ENV_KUBEADM_ARGS]});
        }
        return 0;
}
