/* SPDX-License-Identifier: Apache-2.0
 *
 * What pods and the node take: GET /metrics/resource (metrics-server, kubectl top) and GET /stats/summary, as the
 * kubelet has them (pkg/kubelet/metrics/collectors/resource_metrics.go, k8s.io/kubelet/pkg/apis/stats/v1alpha1). Read
 * from the kernel when somebody asks; in between nothing is measured, so rates (usageNanoCores) are left to who asks.
 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/cgroup_usage.h"
#include "node/machine.h"

/* A container that runs, and what it takes. */
struct taker {
        const struct pod *pod;
        const struct pod_container_view *view;
        const char *name;
        struct cgroup_usage usage;
};

static bool next_container(const struct agent *agent, const struct pod_incarnation *inc, size_t *index,
                           struct taker *ret)
{
        for (; *index < inc->pod->container_count; (*index)++) {
                const struct pod_container_view *c = &inc->containers[*index];
                char *path CLEANUP_FREE = NULL;

                if (c->now.state != INSTANCE_RUNNING)
                        continue;
                path = cgroup_usage_container_path(&agent->host, inc->pod, c->now.id);
                *ret = (struct taker){.pod = inc->pod, .view = c, .name = inc->pod->containers[*index].name};
                cgroup_usage_read(&agent->host, path, &ret->usage);
                (*index)++;
                return true;
        }
        return false;
}

static void read_pod(const struct agent *agent, const struct pod *pod, struct cgroup_usage *ret)
{
        char *path CLEANUP_FREE = cgroup_usage_pod_path(&agent->host, pod);

        *ret = (struct cgroup_usage){0};
        if (path)
                cgroup_usage_read(&agent->host, path, ret);
}

/* All of the machine: its processors' time as the root of the control groups has it, its memory as the kernel. */
static void read_node(const struct agent *agent, const struct machine_load *load, struct cgroup_usage *ret)
{
        cgroup_usage_read(&agent->host, "", ret);
        ret->has_memory = load->memory_bytes > 0;
        ret->memory_bytes = load->memory_bytes - load->memory_free_bytes;
        ret->working_set_bytes = ret->memory_bytes - load->memory_inactive_file_bytes;
        ret->limit_bytes = load->memory_bytes;
}

/* --- /metrics/resource -------------------------------------------------------------------------------------------- */

enum resource_family { NODE_CPU, NODE_MEMORY, CONTAINER_CPU, CONTAINER_MEMORY, CONTAINER_START, POD_CPU, POD_MEMORY };

static const struct {
        const char *name, *type, *help;
} resource_families[] = {
        [NODE_CPU] = {"node_cpu_usage_seconds_total", "counter",
                      "Cumulative cpu time consumed by the node in core-seconds"},
        [NODE_MEMORY] = {"node_memory_working_set_bytes", "gauge", "Current working set of the node in bytes"},
        [CONTAINER_CPU] = {"container_cpu_usage_seconds_total", "counter",
                           "Cumulative cpu time consumed by the container in core-seconds"},
        [CONTAINER_MEMORY] = {"container_memory_working_set_bytes", "gauge",
                              "Current working set of the container in bytes"},
        [CONTAINER_START] = {"container_start_time_seconds", "gauge",
                             "Start time of the container since unix epoch in seconds"},
        [POD_CPU] = {"pod_cpu_usage_seconds_total", "counter",
                     "Cumulative cpu time consumed by the pod in core-seconds"},
        [POD_MEMORY] = {"pod_memory_working_set_bytes", "gauge", "Current working set of the pod in bytes"},
};

struct families {
        struct buf of[ARRAY_SIZE(resource_families)];
        usec_t now_wall;
};

static void add(struct families *f, enum resource_family family, const struct metrics_label *labels, size_t count,
                double value)
{
        metrics_sample_at(&f->of[family], resource_families[family].name, labels, count, value, f->now_wall);
}

static void add_usage(struct families *f, enum resource_family cpu, enum resource_family memory,
                      const struct metrics_label *labels, size_t count, const struct cgroup_usage *usage)
{
        if (usage->has_cpu)
                add(f, cpu, labels, count, (double)usage->cpu_nsec / 1e9);
        if (usage->has_memory)
                add(f, memory, labels, count, (double)usage->working_set_bytes);
}

static void add_pod(struct agent *agent, const struct pod_incarnation *inc, struct families *f)
{
        const struct metrics_label pod[] = {{"namespace", inc->pod->namespace}, {"pod", inc->pod->name}};
        struct cgroup_usage usage;
        struct taker taker;

        for (size_t i = 0; next_container(agent, inc, &i, &taker);) {
                const struct metrics_label labels[] = {{"container", taker.name}, pod[0], pod[1]};

                add_usage(f, CONTAINER_CPU, CONTAINER_MEMORY, labels, ARRAY_SIZE(labels), &taker.usage);
                add(f, CONTAINER_START, labels, ARRAY_SIZE(labels),
                    (double)taker.view->now.started_wall / (double)USEC_PER_SEC);
        }
        read_pod(agent, inc->pod, &usage);
        add_usage(f, POD_CPU, POD_MEMORY, pod, ARRAY_SIZE(pod), &usage);
}

char *agent_show_resource_metrics(void *userdata)
{
        struct agent *agent = userdata;
        struct families f = {.now_wall = loop_now_realtime(agent->loop)};
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        struct machine_load load;
        struct cgroup_usage usage;

        for (size_t i = 0; i < ARRAY_SIZE(f.of); i++)
                f.of[i] = BUF_INIT(LIMIT_API_BODY);
        machine_load_read(agent->host.root_dir, &load);
        read_node(agent, &load, &usage);
        add_usage(&f, NODE_CPU, NODE_MEMORY, NULL, 0, &usage);
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (agent_shown(e))
                        add_pod(agent, agent_shown(e), &f);
        for (size_t i = 0; i < ARRAY_SIZE(f.of); i++) {
                if (f.of[i].len > 0) {
                        metrics_family(&out, resource_families[i].name, resource_families[i].type,
                                       resource_families[i].help);
                        buf_add(&out, f.of[i].data, f.of[i].len);
                }
                buf_release(&f.of[i]);
        }
        metrics_family(&out, "resource_scrape_error", "gauge",
                       "1 if there was an error while getting container metrics, 0 otherwise");
        metrics_sample1(&out, "resource_scrape_error", NULL, NULL, usage.has_cpu && usage.has_memory ? 0 : 1);
        return buf_steal(&out, NULL);
}

/* --- /stats/summary ----------------------------------------------------------------------------------------------- */

/* cJSON's numbers are doubles, which would cut nanoseconds of long lives. */
static void add_count(cJSON *object, const char *name, uint64_t value)
{
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        cJSON_AddRawToObject(object, name, text);
}

static void add_stats(cJSON *object, const struct cgroup_usage *usage, usec_t now_wall)
{
        cJSON *cpu = usage->has_cpu ? cJSON_AddObjectToObject(object, "cpu") : NULL;
        cJSON *memory = usage->has_memory ? cJSON_AddObjectToObject(object, "memory") : NULL;

        if (cpu) {
                cjson_add_time(cpu, "time", now_wall);
                add_count(cpu, "usageCoreNanoSeconds", usage->cpu_nsec);
        }
        if (!memory)
                return;
        cjson_add_time(memory, "time", now_wall);
        if (usage->limit_bytes > usage->working_set_bytes)
                add_count(memory, "availableBytes", (uint64_t)(usage->limit_bytes - usage->working_set_bytes));
        add_count(memory, "usageBytes", (uint64_t)usage->memory_bytes);
        add_count(memory, "workingSetBytes", (uint64_t)usage->working_set_bytes);
        add_count(memory, "rssBytes", (uint64_t)usage->rss_bytes);
        add_count(memory, "pageFaults", (uint64_t)usage->page_faults);
        add_count(memory, "majorPageFaults", (uint64_t)usage->major_page_faults);
}

static void add_disk(cJSON *object, const char *name, const struct machine_load *load, usec_t now_wall)
{
        cJSON *fs;

        if (load->disk_bytes <= 0)
                return;
        fs = cJSON_AddObjectToObject(object, name);
        cjson_add_time(fs, "time", now_wall);
        add_count(fs, "availableBytes", (uint64_t)load->disk_available_bytes);
        add_count(fs, "capacityBytes", (uint64_t)load->disk_bytes);
        add_count(fs, "usedBytes", (uint64_t)(load->disk_bytes - load->disk_free_bytes));
        add_count(fs, "inodesFree", (uint64_t)load->inodes_free);
        add_count(fs, "inodes", (uint64_t)load->inodes);
        add_count(fs, "inodesUsed", (uint64_t)(load->inodes - load->inodes_free));
}

static cJSON *node_stats(const struct agent *agent, usec_t now_wall)
{
        cJSON *node = cJSON_CreateObject(), *limits;
        struct machine_load load, images;
        struct cgroup_usage usage;

        machine_load_read(agent->host.root_dir, &load);
        read_node(agent, &load, &usage);
        cJSON_AddStringToObject(node, "nodeName", agent->config->node_name);
        cjson_add_time(node, "startTime", usec_sub(now_wall, loop_now(agent->loop))); /* of the machine */
        add_stats(node, &usage, now_wall);
        add_disk(node, "fs", &load, now_wall);
        if (!str_empty(agent->docker_root)) {
                machine_load_read(agent->docker_root, &images);
                add_disk(cJSON_AddObjectToObject(node, "runtime"), "imageFs", &images, now_wall);
        }
        limits = cJSON_AddObjectToObject(node, "rlimit");
        cjson_add_time(limits, "time", now_wall);
        add_count(limits, "maxpid", (uint64_t)load.pids_max);
        add_count(limits, "curproc", (uint64_t)load.pids);
        return node;
}

static cJSON *pod_stats(const struct agent *agent, const struct pod_incarnation *inc, usec_t now_wall)
{
        cJSON *object = cJSON_CreateObject(), *ref = cJSON_AddObjectToObject(object, "podRef"), *containers;
        struct cgroup_usage usage;
        struct taker taker;

        cJSON_AddStringToObject(ref, "name", inc->pod->name);
        cJSON_AddStringToObject(ref, "namespace", inc->pod->namespace);
        cJSON_AddStringToObject(ref, "uid", inc->pod->uid);
        cjson_add_time(object, "startTime", inc->first_seen_wall);
        containers = cJSON_AddArrayToObject(object, "containers");
        for (size_t i = 0; next_container(agent, inc, &i, &taker);) {
                cJSON *container = cJSON_CreateObject();

                cJSON_AddStringToObject(container, "name", taker.name);
                cjson_add_time(container, "startTime", taker.view->now.started_wall);
                add_stats(container, &taker.usage, now_wall);
                cJSON_AddItemToArray(containers, container);
        }
        read_pod(agent, inc->pod, &usage);
        add_stats(object, &usage, now_wall);
        return object;
}

char *agent_show_stats(void *userdata)
{
        struct agent *agent = userdata;
        usec_t now_wall = loop_now_realtime(agent->loop);
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *summary = cJSON_CreateObject(), *pods;

        cJSON_AddItemToObject(summary, "node", node_stats(agent, now_wall));
        pods = cJSON_AddArrayToObject(summary, "pods");
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (agent_shown(e) && agent_shown(e)->sandbox.state == INSTANCE_RUNNING)
                        cJSON_AddItemToArray(pods, pod_stats(agent, agent_shown(e), now_wall));
        char *text = cJSON_PrintUnformatted(summary);
        buf_addf(&out, "%s\n", text ? text : "{}");
        cJSON_free(text);
        cJSON_Delete(summary);
        return buf_steal(&out, NULL);
}
