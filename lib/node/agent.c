/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "docker/docker_http.h"
#include "kube/kubelet_config.h"
#include "net/curl_glue.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/journal.h"
#include "node/local_api.h"
#include "node/machine.h"
#include "node/manifest_source.h"
#include "node/node_lock.h"
#include "node/node_port.h"
#include "node/observer.h"
#include "node/oom_score.h"
#include "node/pod_exec.h"
#include "node/pod_net.h"
#include "node/probe.h"
#include "node/revision.h"
#include "node/slices.h"
#include "node/trash.h"

#define ROOT_DIR_MODE 0750
#define CGROUP_MOUNT "/sys/fs/cgroup"
/* Directories below that of our state: pods/<namespace>_<name> */
#define STATE_LEVELS 2

/* --- the store's turn --------------------------------------------------------------------------------------------- */

static void on_step(void *userdata)
{
        struct agent *agent = userdata;

        pod_store_step(agent->store, loop_now(agent->loop));
        agent_take_reverts(agent);
        container_logs_changed(agent->logs);
        loop_timer_set(agent->step_timer, pod_store_deadline(agent->store));
        agent_publish_soon(agent);
}

static void on_step_timer(void *userdata, usec_t now)
{
        (void)now;
        on_step(userdata);
}

void agent_kick(struct agent *agent)
{
        loop_defer_schedule(agent->step);
}

/* --- what it waits for -------------------------------------------------------------------------------------------- */

char *agent_waits(const struct agent *agent)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_LOG_LINE);
        const char *missing = agent->source ? manifest_source_missing(agent->source) : NULL;

        if (missing)
                buf_addf(&text, "the manifest directory (%s)", missing);
        if (agent->runtime_why)
                buf_addf(&text, "%sDocker (%s)", text.len ? "; " : "", agent->runtime_why);
        return buf_steal(&text, NULL);
}

void agent_say_waits(struct agent *agent)
{
        char *waits CLEANUP_FREE = agent_waits(agent);

        if (*waits)
                (void)sd_notifyf(0, "STATUS=waits for %s", waits);
        else
                (void)sd_notifyf(0, "STATUS=%zu pods", pod_store_count(agent->store));
}

/* --- the host ----------------------------------------------------------------------------------------------------- */

static void read_resolv_conf(struct agent *agent)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_RESOLV_CONF);
        struct host *host = &agent->host;
        struct err err = ERR_INIT;

        if (str_empty(agent->config->resolv_conf))
                return;
        if (file_read(agent->config->resolv_conf, &text, &err) < 0) {
                log_warning("pods with the node's DNS get none: %s", err.msg);
                return;
        }
        pod_net_parse_resolv_conf(buf_str(&text), &host->dns_servers, &host->dns_searches, &host->dns_options);
}

/* What the machine has, less what is reserved and what evictions keep free: as the Node says it (api_side.c). */
static int init_allocatable(struct agent *agent, const struct machine *machine, struct err *err)
{
        const struct kubelet_config *kubelet = agent->config->kubelet;
        int64_t capacity[POD_RESOURCE_MAX] = {0};
        struct machine_load load = {0};

        machine_load_read(agent->root_dir, &load);
        capacity[POD_RESOURCE_CPU] = machine->cpus * 1000;
        capacity[POD_RESOURCE_MEMORY] = machine->memory_bytes;
        capacity[POD_RESOURCE_EPHEMERAL_STORAGE] = load.disk_bytes;
        for (enum pod_resource i = 0; i < POD_RESOURCE_MAX; i++) {
                bool known = capacity[i] > 0;
                int r = known ? kubelet_config_check_reserved(kubelet, i, capacity[i], err) : 0;

                if (r < 0)
                        return r;
                agent->host.allocatable[i] = known ? kubelet_config_allocatable(kubelet, i, capacity[i]) : -1;
        }
        return 0;
}

/* Made where it is missing. Mounts below it are found by the kernel's spelling of it. */
static int init_root_dir(struct agent *agent, struct err *err)
{
        const char *path = agent->config->root_dir;
        int r = file_mkdir_p(path, ROOT_DIR_MODE, err);

        if (r < 0)
                return err_wrap(err, "making --root-dir");
        agent->root_dir = realpath(path, NULL);
        return agent->root_dir ? 0 : err_set_errno(err, errno, "--root-dir: resolving %s", path);
}

static int init_host(struct agent *agent, struct err *err)
{
        const struct agent_config *config = agent->config;
        struct machine machine;
        char address[MACHINE_ADDRESS_MAX];
        int r;

        machine_read(&machine);
        if (str_empty(config->node_ip))
                machine_address(address);
        agent->node_ip = xstrdup(str_empty(config->node_ip) ? address : config->node_ip);
        agent->host = (struct host){
                .node_name = config->node_name,
                .node_ip = agent->node_ip,
                .root_dir = agent->root_dir,
                .log_dir = config->log_dir,
                .links_dir = config->links_dir,
                .pause_image = config->pause_image,
                .cgroup_version = 1,
                .docker_root = "",
                .cgroups_per_qos = config->cgroups_per_qos,
                .cgroup_mount = CGROUP_MOUNT,
                .cgroup_root = config->cgroup_root,
                .cpu_cfs_quota = config->cpu_cfs_quota,
                .seccomp_default = config->seccomp_default,
                .pod_pids_limit = config->pod_pids_limit,
                .memory_capacity = machine.memory_bytes,
                .cpu_milli = machine.cpus * 1000,
                .network_mode = config->network_mode,
                .cluster_domain = config->cluster_domain,
        };
        r = init_allocatable(agent, &machine, err);
        strv_copy(&agent->host.cluster_dns, &config->cluster_dns);
        read_resolv_conf(agent);
        machine_release(&machine);
        return r;
}

/* --- the API side ------------------------------------------------------------------------------------------------- */

static void on_refused(void *userdata, const char *key, const char *message)
{
        struct agent *agent = userdata;
        const struct pod_entry *entry = pod_store_find(agent->store, key);
        const struct pod_incarnation *inc = entry ? agent_shown(entry) : NULL;

        if (!*message)
                log_info("the API server takes the mirror of %s again", key);
        else if (inc)
                agent_post_event(agent, key, inc->pod, "", true, "FailedMirrorPod", message);
        else
                log_warning("the API server refuses the mirror of %s: %s", key, message);
}

static void on_api_changed(void *userdata, const char *message)
{
        agent_publish_soon(userdata);
        log_info("%s", message);
}

static int init_api(struct agent *agent, struct err *err)
{
        const struct agent_config *c = agent->config;
        const struct api_side_config config = {
                .kubeconfig = c->kubeconfig,
                .node_name = c->node_name,
                .node_ip = agent->node_ip,
                .root_dir = agent->root_dir,
                .node_labels = (const char *const *)c->node_labels.items,
                .max_pods = c->max_pods,
                .unschedulable = c->unschedulable,
                .kubelet = c->kubelet,
                .lease_seconds = c->lease_seconds,
                .status_interval = c->status_interval,
                .report_interval = c->report_interval,
        };

        return api_side_new(agent->loop, &config, on_refused, on_api_changed, agent, &agent->api, err);
}

static int init_local(struct agent *agent, struct err *err)
{
        char *path CLEANUP_FREE = file_join(agent->config->run_dir, "podwatch.sock");
        const struct local_api_options options = {
                .socket_path = path,
                .socket_group = agent->config->socket_group,
                .healthz_address = agent->config->healthz_address,
                .healthz_port = agent->config->healthz_port,
                .read_only_address = agent->config->read_only_address,
                .read_only_port = agent->config->read_only_port,
                .pods = agent_show_pods,
                .running_pods = agent_show_running_pods,
                .configz = agent_show_configz,
                .metrics = agent_show_metrics,
                .probe_metrics = agent_show_probe_metrics,
                .resource_metrics = agent_show_resource_metrics,
                .stats = agent_show_stats,
                .debugging_handlers = agent->config->kubelet->enable_debugging_handlers,
                .status = agent_show_status,
                .events = agent_show_events,
                .logs = agent_logs,
                .port_logs = agent_port_logs,
                .describe = agent_describe,
                .act = agent_act,
                .userdata = agent,
        };

        return local_api_new(agent->loop, &options, &agent->local, err);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void on_signal(void *userdata, const struct signalfd_siginfo *info)
{
        struct agent *agent = userdata;

        log_info("ends on %s; containers are left as they are", info->ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT");
        (void)sd_notify(0, "STOPPING=1");
        loop_exit(agent->loop, 0);
}

/* The allocator gives back what is free at the end of the heap alone; a pod that stayed is enough to keep the memory of
 * a hundred that have gone. */
static void on_trim(void *userdata, usec_t now)
{
        (void)userdata;
        (void)now;
        (void)malloc_trim(0);
}

static int init_loop(struct agent *agent, struct err *err)
{
        int r = loop_new(&agent->loop, err);

        if (r < 0)
                return r;
        agent->step = loop_defer_new(agent->loop, "pod step", on_step, agent);
        agent->step_timer = loop_timer_new(agent->loop, "pod deadline", on_step_timer, agent);
        agent->trim = loop_timer_new(agent->loop, "memory", on_trim, agent);
        agent->publish = loop_timer_new(agent->loop, "pod status", agent_publish, agent);
        r = loop_signal_new(agent->loop, "signal", SIGTERM, on_signal, agent, &agent->sigterm, err);
        if (r >= 0)
                r = loop_signal_new(agent->loop, "signal", SIGINT, on_signal, agent, &agent->sigint, err);
        if (r >= 0)
                r = loop_watchdog(agent->loop, err);
        return r;
}

static void init_journal(struct agent *agent)
{
        char *directory CLEANUP_FREE = file_join(agent->config->state_dir, "journal");
        const struct journal_options options = {
                .directory = directory,
                .segment_bytes = (size_t)agent->config->journal_bytes / LIMIT_JOURNAL_SEGMENTS,
                .boot_id = agent->boot_id,
        };

        agent->journal = journal_new(&options, agent->started_wall);
}

static int init(struct agent *agent, struct err *err)
{
        const struct curl_glue_options probe_options = {.name = "probe", .user_agent = "kube-probe/1.36"};
        int r;

        clock_boot_id(agent->boot_id);
        agent->started_wall = clock_realtime();
        agent->runtime_why = xstrdup("not asked yet");
        agent->docker_version = xstrdup("");
        r = node_lock_new(agent->config->run_dir, &agent->lock, err);
        if (r >= 0)
                r = init_loop(agent, err);
        if (r >= 0)
                r = init_root_dir(agent, err);
        if (r < 0)
                return r;
        /* Nobody else writes here while we have the lock. */
        file_remove_temporary(agent->config->state_dir, STATE_LEVELS);
        r = init_host(agent, err);
        if (r < 0)
                return r;
        init_journal(agent);
        agent_watch_init(agent);
        agent->revisions = revisions_new(agent->config->state_dir, agent->config->revisions_kept);
        r = curl_glue_new(agent->loop, &probe_options, &agent->glue, err);
        if (r >= 0)
                r = docker_http_new(agent->loop, agent->config->docker_host, &agent->docker, err);
        if (r < 0)
                return r;
        agent->host.refuses_oom_score = oom_score_refused(agent->config->docker_host) == 1;
        agent->logs = container_logs_new(agent->loop, agent->docker, agent_log_next, agent);
        agent->probes = probes_new(agent->loop, agent->glue, agent->docker);
        r = init_api(agent, err);
        if (r >= 0)
                r = agent_pods_new(agent, err);
        if (r >= 0)
                r = init_local(agent, err);
        if (r >= 0)
                r = agent_port_new(agent, err);
        return r;
}

int agent_new(const struct agent_config *config, struct agent **ret, struct err *err)
{
        struct agent *agent = xcalloc(1, sizeof(*agent));
        int r;

        agent->config = config;
        agent->class_milli = -1;
        r = init(agent, err);
        if (r < 0) {
                (void)agent_free(agent);
                return r;
        }
        *ret = agent;
        return 0;
}

int agent_run(struct agent *agent, int *ret_code, struct err *err)
{
        int r;

        if (agent->host.refuses_oom_score)
                log_warning("Docker may not lower oom_score_adj on this machine (no CAP_SYS_RESOURCE): containers run "
                            "without a protected score");
        (void)sd_notify(0, "READY=1");
        agent_say_waits(agent);
        r = loop_run(agent->loop, ret_code, err);
        agent_publish(agent, clock_boottime());
        return r;
}

static void free_pods(struct agent *agent)
{
        for (struct pod_entry *e = agent->store ? pod_store_next(agent->store, NULL) : NULL; e;
             e = pod_store_next(agent->store, e))
                agent_pod_free(agent, e);
        agent->store = pod_store_free(agent->store);
}

struct agent *agent_free(struct agent *agent)
{
        if (!agent)
                return NULL;
        agent->port = node_port_free(agent->port);
        agent->local = local_api_free(agent->local);
        /* First who calls back, then who is called. */
        agent->probes = probes_free(agent->probes);
        if (agent->docker)
                agent->docker = agent->docker->ops->free(agent->docker);
        agent->logs = container_logs_free(agent->logs);
        agent->glue = curl_glue_free(agent->glue);
        agent->slices = slices_free(agent->slices);
        agent->exec = pod_exec_free(agent->exec);
        agent->observer = observer_free(agent->observer);
        agent->source = manifest_source_free(agent->source);
        agent->journal = journal_free(agent->journal);
        free_pods(agent);
        agent->trash = trash_free(agent->trash);
        agent->api = api_side_free(agent->api);
        agent->revisions = revisions_free(agent->revisions);
        agent_watch_free(agent);
        agent_images_free(agent);
        (void)loop_source_free(agent->step);
        (void)loop_source_free(agent->step_timer);
        (void)loop_source_free(agent->publish);
        (void)loop_source_free(agent->trim);
        (void)loop_source_free(agent->sigterm);
        (void)loop_source_free(agent->sigint);
        agent->loop = loop_free(agent->loop);
        agent->lock = node_lock_free(agent->lock);
        strv_release(&agent->host.cluster_dns);
        strv_release(&agent->host.dns_servers);
        strv_release(&agent->host.dns_searches);
        strv_release(&agent->host.dns_options);
        free(agent->runtime_why);
        free(agent->docker_version);
        free(agent->docker_root);
        free(agent->node_ip);
        free(agent->root_dir);
        free(agent->disk_problem);
        free(agent);
        return NULL;
}
