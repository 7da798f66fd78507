/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever the file holds, read as a configuration and as kubeadm-flags.env: it is taken or there is an error; what is
 * taken has its defaults, and what is left of a capacity is never below zero.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/strv.h"
#include "fuzz.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_flags.h"

static void check_config(const struct kubelet_config *c)
{
        struct quantity capacity, left;

        MUST(quantity_parse("1Gi", &capacity, NULL) == 0);
        for (int resource = 0; resource < POD_RESOURCE_MAX; resource++) {
                left = kubelet_config_allocatable(c, (enum pod_resource)resource, &capacity);
                MUST(left.nano >= 0 && left.nano <= capacity.nano);
        }
        MUST(c->file_check_frequency > 0 && c->node_status_update_frequency > 0 && c->node_lease_duration_seconds > 0);
        MUST(c->max_container_restart_period >= USEC_PER_SEC && c->max_container_restart_period <= 300 * USEC_PER_SEC);
        MUST(c->state_directory[0] == '/' && c->run_directory[0] == '/' && c->root_dir[0] == '/');
        MUST(c->port > 0 && c->port <= 65535 && c->read_only_port >= 0 && c->healthz_port >= 0);
}

static void check_load(const char *data, size_t size, const struct strv *flags)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct kubelet_config c CLEANUP_KUBELET_CONFIG = {0};
        struct err err = ERR_INIT;
        int r = kubelet_config_load("input", data, size, flags, &c, &findings, &err);

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
        struct strv words CLEANUP_STRV = STRV_INIT;
        const char *text = (const char *)data;

        check_load(text, size, NULL);
        if (kubelet_flags_read_env("input", text, size, &words, NULL) == 0)
                check_load(NULL, 0, &words);
        return 0;
}
