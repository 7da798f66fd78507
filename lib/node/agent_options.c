/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/str.h"
#include "kube/kubelet_config.h"
#include "node/agent_options.h"

#define RESOLV_CONF "/etc/resolv.conf"
/* Where systemd-resolved runs, the usual file names its stub, which pods cannot reach. */
#define RESOLVED_CONF "/run/systemd/resolve/resolv.conf"
#define LINKS_DIRECTORY "/var/log/containers"

static char *node_name(const struct kubelet_config *kubelet)
{
        char host[256] = "";
        char *name;

        if (kubelet->hostname_override)
                return xstrdup(kubelet->hostname_override);
        (void)gethostname(host, sizeof(host) - 1);
        name = xstrdup(host);
        str_lower(name);
        return name;
}

static const char *text(const char *s)
{
        return s ? s : "";
}

static const char *resolv_conf(const struct kubelet_config *kubelet)
{
        if (str_eq(kubelet->resolv_conf, RESOLV_CONF) && file_exists(RESOLVED_CONF))
                return RESOLVED_CONF;
        return text(kubelet->resolv_conf);
}

void agent_options_from(const struct kubelet_config *kubelet, struct agent_options *ret)
{
        *ret = (struct agent_options){.node_name = node_name(kubelet)};
        ret->config = (struct agent_config){
                .node_name = ret->node_name,
                .node_ip = text(kubelet->node_ip),
                .manifest_path = text(kubelet->static_pod_path),
                .root_dir = kubelet->root_dir,
                .state_dir = kubelet->state_directory,
                .run_dir = kubelet->run_directory,
                .socket_group = kubelet->socket_group,
                .log_dir = kubelet->pod_logs_dir,
                .links_dir = LINKS_DIRECTORY,
                .docker_host = kubelet->docker_endpoint,
                .kubeconfig = kubelet->kubeconfig,
                .pause_image = text(kubelet->sandbox_image),
                .network_mode = "default",
                .healthz_address = kubelet->healthz_bind_address,
                .healthz_port = kubelet->healthz_port,
                .read_only_port = kubelet->read_only_port,
                .read_only_address = "127.0.0.1",
                .kubelet = kubelet,
                .scan_interval = kubelet->file_check_frequency,
                .strict = kubelet->strict,
                .each_removal = kubelet->each_removal_counts,
                .cgroups_per_qos = true,
                .cgroup_root = text(kubelet->cgroup_root),
                .cpu_cfs_quota = true,
                .pod_pids_limit = kubelet->pod_pids_limit,
                .max_pods = kubelet->max_pods,
                .unschedulable = true,
                .allowed_sysctls = kubelet->allowed_unsafe_sysctls,
                .image_gc = {kubelet->image_gc_high_percent, kubelet->image_gc_low_percent,
                             kubelet->image_minimum_gc_age, kubelet->image_maximum_gc_age},
                .cluster_dns = kubelet->cluster_dns,
                .cluster_domain = text(kubelet->cluster_domain),
                .resolv_conf = resolv_conf(kubelet),
                .node_labels = kubelet->node_labels,
                .journal_bytes = kubelet->journal_bytes,
                .revisions_kept = (unsigned)kubelet->revision_history_limit,
                .removed_kept = (unsigned)kubelet->removed_history_limit,
                .revert_after = kubelet->revert_after,
                .backoff_max = kubelet->max_container_restart_period,
                .lease_seconds = kubelet->node_lease_duration_seconds,
                .status_interval = kubelet->node_status_update_frequency,
                .report_interval = kubelet->node_status_report_frequency,
        };
}

void agent_options_release(struct agent_options *options)
{
        free(options->node_name);
        *options = (struct agent_options){0};
}
