/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>

#include "api/client.h"
#include "api/mirror.h"
#include "api/node.h"
#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "docker/docker.h"
#include "kube/kubeconfig.h"
#include "kube/kubelet_config.h"
#include "net/loop.h"
#include "node/api_side.h"
#include "node/client_cert.h"
#include "node/client_rotation.h"
#include "node/kubeconfig_watch.h"
#include "node/machine.h"

/* Below this many free process ids in a hundred: PIDPressure. */
#define PID_PRESSURE_PERCENT 2
/* What of evictionHard is about the disk that images are on. */
#define IMAGES_AVAILABLE "imagefs.available"
#define IMAGES_INODES "imagefs.inodesFree"

struct api_side {
        struct loop *loop;
        struct api_side_config config;
        char *kubeconfig, *node_name, *node_ip, *root_dir;
        api_side_refused_fn refused;
        api_side_changed_fn changed;
        void *userdata;
        struct machine machine;
        char *runtime_version, *not_ready;
        char *docker_root; /* "" while unknown */
        int port;          /* the node's HTTPS port, 0: none */
        struct api_client *client;
        struct node_object *node;
        struct mirrors *mirrors;
        struct events *events;
        struct kubeconfig_watch *watch;
        struct client_rotation *rotation; /* NULL without rotateCertificates */
        char *rotated;                    /* where its certificate is */
        char *server;
        bool told_up;
};

static bool disk_pressure(const struct kubelet_config *kubelet, const struct machine_load *load, const char *space,
                          const char *inodes)
{
        return kubelet_config_under_threshold(kubelet, space, load->disk_available_bytes, load->disk_bytes) ||
               kubelet_config_under_threshold(kubelet, inodes, load->inodes_free, load->inodes);
}

static void add_pressure(const struct api_side *side, const struct machine_load *load, struct node_facts *facts)
{
        const struct kubelet_config *kubelet = side->config.kubelet;
        struct machine_load images = {0};

        if (!str_empty(side->docker_root))
                machine_load_read(side->docker_root, &images);
        facts->memory_pressure = kubelet_config_under_threshold(kubelet, "memory.available",
                                                                load->memory_available_bytes, load->memory_bytes);
        facts->disk_pressure = disk_pressure(kubelet, load, "nodefs.available", "nodefs.inodesFree") ||
                               disk_pressure(kubelet, &images, IMAGES_AVAILABLE, IMAGES_INODES);
        if (kubelet_config_has_threshold(kubelet, "pid.available"))
                facts->pid_pressure = kubelet_config_under_threshold(kubelet, "pid.available",
                                                                     load->pids_max - load->pids, load->pids_max);
        else
                facts->pid_pressure =
                        load->pids_max > 0 && load->pids_max - load->pids < load->pids_max / 100 * PID_PRESSURE_PERCENT;
}

static void give_facts(void *userdata, struct node_facts *facts)
{
        const struct api_side *side = userdata;
        const struct api_side_config *config = &side->config;
        struct machine_load load;

        *facts = (struct node_facts){
                .internal_ip = side->node_ip,
                .hostname = side->node_name,
                .cpu_milli = side->machine.cpus * 1000,
                .memory_bytes = side->machine.memory_bytes,
                .max_pods = config->max_pods,
                .machine_id = side->machine.machine_id,
                .system_uuid = side->machine.system_uuid,
                .boot_id = side->machine.boot_id,
                .kernel_version = side->machine.kernel_version,
                .os_image = side->machine.os_image,
                .runtime_version = side->runtime_version,
                .kubelet_version = API_SIDE_KUBELET_VERSION,
                .architecture = side->machine.architecture,
                .kubelet_port = side->port,
                .unschedulable = config->unschedulable,
                .not_ready = side->not_ready,
        };
        machine_load_read(side->root_dir, &load);
        facts->ephemeral_bytes = load.disk_bytes;
        add_pressure(side, &load, facts);
        facts->allocatable_cpu_milli = kubelet_config_allocatable(config->kubelet, POD_RESOURCE_CPU, facts->cpu_milli);
        facts->allocatable_memory_bytes =
                kubelet_config_allocatable(config->kubelet, POD_RESOURCE_MEMORY, facts->memory_bytes);
        facts->allocatable_ephemeral_bytes =
                kubelet_config_allocatable(config->kubelet, POD_RESOURCE_EPHEMERAL_STORAGE, facts->ephemeral_bytes);
}

static void node_registered(void *userdata, const char *uid)
{
        struct api_side *side = userdata;

        if (uid)
                side->changed(side->userdata, "node registered");
        mirrors_set_node(side->mirrors, uid);
}

static void mirror_refused(void *userdata, const char *key, const char *message)
{
        struct api_side *side = userdata;

        side->refused(side->userdata, key, message);
}

static void link_changed(void *userdata, bool up)
{
        struct api_side *side = userdata;
        char *text CLEANUP_FREE = up ? xasprintf("API server %s is reachable", side->server ? side->server : "")
                                     : xasprintf("API server is not reachable: %s", api_client_reason(side->client));

        if (up == side->told_up)
                return;
        side->told_up = up;
        side->changed(side->userdata, text);
}

static int take_kubeconfig(void *userdata, const struct kubeconfig *config, struct err *err)
{
        struct api_side *side = userdata;
        const struct api_credentials credentials = {.server = config->server,
                                                    .ca_pem = config->ca_pem,
                                                    .cert_pem = config->cert_pem,
                                                    .key_pem = config->key_pem,
                                                    .token = config->token};
        int r = api_client_set_credentials(side->client, &credentials, err);

        if (r < 0)
                return r;
        free(side->server);
        side->server = xstrdup(config->server);
        if (side->rotation)
                client_rotation_use(side->rotation, config->cert_pem, str_eq(config->cert_path, side->rotated));
        return 0;
}

static void certificates_changed(void *userdata, const char *message)
{
        struct api_side *side = userdata;

        side->changed(side->userdata, message);
}

/* The log hears it for those who have no API server any more, and the Node's events while there is one. */
static void certificate_expires(void *userdata, const char *message)
{
        struct api_side *side = userdata;
        const struct event event = {.kind = "Node",
                                    .name = side->node_name,
                                    .uid = side->node_name,
                                    .warning = true,
                                    .reason = "ClientCertificateExpires",
                                    .message = message};

        log_warning("%s", message);
        events_post(side->events, &event);
}

static int start(struct api_side *side, struct err *err)
{
        const struct kubelet_config *kubelet = side->config.kubelet;
        static const struct kubeconfig_watch_handlers handlers = {
                .take = take_kubeconfig,
                .trouble = certificates_changed,
                .expires = certificate_expires,
        };
        struct api_client_options client_options = {.user_agent = "podwatch/" GENPHASE_PROJECT_VERSION};
        struct node_options node_options = {
                .node_name = side->node_name,
                .labels = side->config.node_labels,
                .taints = kubelet->register_with_taints,
                .taint_count = kubelet->register_with_taint_count,
                .provider_id = kubelet->provider_id,
                .unregistered = !kubelet->register_node,
                .lease_seconds = side->config.lease_seconds,
                .status_interval = side->config.status_interval,
                .report_interval = side->config.report_interval,
        };

        int r = api_client_new(side->loop, &client_options, &side->client, err);
        if (r < 0)
                return r;
        api_client_subscribe(side->client, link_changed, side);
        side->mirrors = mirrors_new(side->loop, side->client, side->node_name, mirror_refused, side);
        side->node = node_new(side->loop, side->client, &node_options, give_facts, node_registered, side);
        side->events = events_new(side->loop, side->client, "kubelet", side->node_name);
        if (kubelet->rotate_certificates) {
                side->rotated = client_cert_path(kubelet->cert_dir);
                side->rotation = client_rotation_new(side->loop, side->client, kubelet->cert_dir, side->node_name,
                                                     certificates_changed, side);
        }
        const struct kubeconfig_watch_options watch_options = {
                .path = side->kubeconfig, .rotated = side->rotated, .node_name = side->node_name};
        return kubeconfig_watch_new(side->loop, &watch_options, &handlers, side, &side->watch, err);
}

int api_side_new(struct loop *loop, const struct api_side_config *config, api_side_refused_fn refused,
                 api_side_changed_fn changed, void *userdata, struct api_side **ret, struct err *err)
{
        struct api_side *side = xcalloc(1, sizeof(*side));
        char address[MACHINE_ADDRESS_MAX];

        machine_address(address);
        side->loop = loop;
        side->config = *config;
        side->kubeconfig = config->kubeconfig ? xstrdup(config->kubeconfig) : NULL;
        side->node_name = xstrdup(config->node_name);
        side->node_ip = xstrdup(str_empty(config->node_ip) ? address : config->node_ip);
        side->root_dir = xstrdup(config->root_dir);
        side->refused = refused;
        side->changed = changed;
        side->userdata = userdata;
        side->not_ready = xstrdup("container runtime is not known yet");
        side->runtime_version = xstrdup("docker://");
        machine_read(&side->machine);
        int r = side->kubeconfig ? start(side, err) : 0;
        if (r < 0) {
                (void)api_side_free(side);
                return r;
        }
        *ret = side;
        return 0;
}

struct api_side *api_side_free(struct api_side *side)
{
        if (!side)
                return NULL;
        kubeconfig_watch_free(side->watch);
        client_rotation_free(side->rotation);
        events_free(side->events);
        node_free(side->node);
        mirrors_free(side->mirrors);
        if (side->client)
                api_client_unsubscribe(side->client, link_changed, side);
        api_client_free(side->client);
        machine_release(&side->machine);
        free(side->kubeconfig);
        free(side->node_name);
        free(side->node_ip);
        free(side->root_dir);
        free(side->runtime_version);
        free(side->docker_root);
        free(side->not_ready);
        free(side->rotated);
        free(side->server);
        free(side);
        return NULL;
}

void api_side_runtime(struct api_side *side, const struct docker_version *version, const struct docker_info *info,
                      const char *not_ready)
{
        if (info) {
                free(side->docker_root);
                side->docker_root = xstrdup(info->root_dir ? info->root_dir : "");
        }
        if (version) {
                free(side->runtime_version);
                side->runtime_version = xasprintf("docker://%s", version->version);
        }
        free(side->not_ready);
        side->not_ready = xstrdup(not_ready ? not_ready : "");
        if (side->node)
                node_changed(side->node);
}

void api_side_pod(struct api_side *side, const char *key, const char *pod_json, const char *status_json, bool create)
{
        struct err err = ERR_INIT;

        if (side->mirrors && mirrors_set(side->mirrors, key, pod_json, status_json, create, &err) < 0)
                side->refused(side->userdata, key, err.msg);
}

void api_side_pod_gone(struct api_side *side, const char *key)
{
        if (side->mirrors)
                mirrors_remove(side->mirrors, key);
}

void api_side_complete(struct api_side *side)
{
        if (side->mirrors)
                mirrors_complete(side->mirrors);
}

void api_side_poke(struct api_side *side)
{
        if (side->client)
                api_client_poke(side->client);
}

void api_side_port(struct api_side *side, int port)
{
        side->port = port;
        if (side->node)
                node_changed(side->node);
}

struct api_client *api_side_client(const struct api_side *side)
{
        return side->client;
}

void api_side_event(struct api_side *side, const struct event *event)
{
        if (side->events)
                events_post(side->events, event);
}

const char *api_side_node_ip(const struct api_side *side)
{
        return side->node_ip;
}

static void add_node_status(const struct api_side *side, struct cJSON *status)
{
        struct cJSON *node = cJSON_AddObjectToObject(status, "node");
        char renewed[TIMEFMT_MAX] = "";

        if (node_lease_renewed(side->node) > 0)
                timefmt_seconds(node_lease_renewed(side->node), renewed);
        cJSON_AddStringToObject(node, "name", side->node_name);
        cJSON_AddStringToObject(node, "reason", node_reason(side->node));
        cJSON_AddStringToObject(node, "notReady", side->not_ready);
        cJSON_AddStringToObject(node, "leaseRenewed", renewed);
}

struct cJSON *api_side_status(const struct api_side *side)
{
        struct cJSON *status = cJSON_CreateObject();

        if (!side->client) {
                cJSON_AddStringToObject(status, "reason", "standalone: no kubeconfig is configured");
                cJSON_AddFalseToObject(status, "up");
                return status;
        }
        bool up = api_client_up(side->client);
        const char *problem = kubeconfig_watch_problem(side->watch);
        usec_t next = api_client_next_try(side->client), now = loop_now(side->loop);
        cJSON_AddStringToObject(status, "kubeconfig", side->kubeconfig);
        cJSON_AddStringToObject(status, "server", side->server ? side->server : "");
        cJSON_AddBoolToObject(status, "up", up);
        cJSON_AddStringToObject(status, "reason", *problem ? problem : api_client_reason(side->client));
        if (!up && next != USEC_INFINITY)
                cJSON_AddNumberToObject(status, "nextTrySeconds", (double)usec_sub(next, now) / (double)USEC_PER_SEC);
        kubeconfig_watch_status(side->watch, status);
        struct cJSON *certificate = cjson_get(status, "clientCertificate", NULL);
        if (side->rotation && certificate)
                client_rotation_status(side->rotation, certificate);
        add_node_status(side, status);
        struct cJSON *events = cJSON_AddObjectToObject(status, "events");
        cJSON_AddNumberToObject(events, "waiting", (double)events_waiting(side->events));
        cJSON_AddNumberToObject(events, "dropped", (double)events_dropped(side->events));
        return status;
}

void api_side_mirror_status(const struct api_side *side, const char *key, struct cJSON *object)
{
        struct mirror_state state;

        if (!side->mirrors || !mirrors_state(side->mirrors, key, &state))
                return;
        struct cJSON *mirror = cJSON_AddObjectToObject(object, "mirror");
        cJSON_AddStringToObject(mirror, "uid", state.uid);
        cJSON_AddBoolToObject(mirror, "exists", state.exists);
        cJSON_AddBoolToObject(mirror, "current", state.status_current);
        cJSON_AddStringToObject(mirror, "refusal", state.refusal);
}
