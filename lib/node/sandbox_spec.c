/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/pod.h"
#include "node/container_name.h"
#include "node/container_resources.h"
#include "node/container_spec.h"
#include "node/host.h"
#include "node/pod_net.h"
#include "node/sandbox_spec.h"

#define SHM_BYTES ((int64_t)64 * 1024 * 1024)

static cJSON *sandbox_labels(const struct pod *pod)
{
        cJSON *labels = cJSON_CreateObject();

        for (size_t i = 0; i < pod->labels.count; i++)
                spec_add_string(labels, pod->labels.items[i].key, pod->labels.items[i].value);
        for (size_t i = 0; i < pod->annotations.count; i++) {
                char *key CLEANUP_FREE = xasprintf(LABEL_ANNOTATION "%s", pod->annotations.items[i].key);
                spec_add_string(labels, key, pod->annotations.items[i].value);
        }
        spec_add_identity(labels, pod, SANDBOX_CONTAINER_NAME, LABEL_TYPE_SANDBOX);
        return labels;
}

/* Host ports are published by Docker; with hostNetwork they are the node's anyway. */
static void add_ports(const struct pod *pod, cJSON *exposed, cJSON *bindings)
{
        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *c = &pod->containers[i];

                for (size_t k = 0; k < c->port_count; k++) {
                        const struct pod_port *port = &c->ports[k];
                        char key[32], number[8];
                        cJSON *list, *binding;

                        if (port->host_port == 0)
                                continue;
                        (void)snprintf(key, sizeof(key), "%d/%s", port->container_port,
                                       port->protocol == POD_PROTOCOL_UDP    ? "udp"
                                       : port->protocol == POD_PROTOCOL_SCTP ? "sctp"
                                                                             : "tcp");
                        (void)snprintf(number, sizeof(number), "%d", port->host_port);
                        if (!cJSON_GetObjectItemCaseSensitive(exposed, key))
                                cJSON_AddItemToObject(exposed, key, cJSON_CreateObject());
                        list = cJSON_GetObjectItemCaseSensitive(bindings, key);
                        if (!list) {
                                list = cJSON_CreateArray();
                                cJSON_AddItemToObject(bindings, key, list);
                        }
                        binding = cJSON_CreateObject();
                        spec_add_string(binding, "HostIp", port->host_ip ? port->host_ip : "");
                        spec_add_string(binding, "HostPort", number);
                        cJSON_AddItemToArray(list, binding);
                }
        }
}

static cJSON *sandbox_host_config(const struct host *host, const struct pod *pod)
{
        char *parent CLEANUP_FREE = pod_cgroup_parent(host, pod);
        cJSON *config = cJSON_CreateObject();
        cJSON *security = cJSON_CreateArray();

        spec_add_string(config, "NetworkMode", pod->host_network ? "host" : host->network_mode);
        spec_add_string(config, "IpcMode", pod->host_ipc ? "host" : "shareable");
        if (pod->host_pid)
                spec_add_string(config, "PidMode", "host");
        spec_add_int(config, "CpuShares", CPU_SHARES_MIN);
        spec_add_int(config, "ShmSize", SHM_BYTES);
        spec_add_int(config, "OomScoreAdj", host->refuses_oom_score ? 0 : OOM_SCORE_SANDBOX);
        if (parent)
                spec_add_string(config, "CgroupParent", parent);
        cJSON_AddItemToArray(security, cJSON_CreateString("no-new-privileges"));
        spec_add_selinux(security, &pod->security);
        cJSON_AddItemToObject(config, "SecurityOpt", security);
        cJSON_AddBoolToObject(config, "ReadonlyRootfs", true);
        spec_add_restart_never(config);
        spec_add_groups(config, pod);
        if (pod->security.sysctls.count > 0) {
                cJSON *sysctls = cJSON_AddObjectToObject(config, "Sysctls");

                for (size_t i = 0; i < pod->security.sysctls.count; i++)
                        spec_add_string(sysctls, pod->security.sysctls.items[i].key,
                                        pod->security.sysctls.items[i].value);
        }
        return config;
}

int sandbox_spec(const struct host *host, const struct pod *pod, unsigned attempt, char **ret_body, struct err *err)
{
        char *hostname CLEANUP_FREE = NULL;
        cJSON *body, *config;
        char user[48];
        int r;

        r = pod_net_hostname(host, pod, &hostname, err);
        if (r < 0)
                return r;
        body = cJSON_CreateObject();
        spec_add_string(body, "Image", host->pause_image);
        if (!str_empty(hostname))
                spec_add_string(body, "Hostname", hostname);
        if (pod->security.has_run_as_user) {
                spec_user_text(&pod->security, NULL, user, sizeof(user));
                spec_add_string(body, "User", user);
        }
        cJSON *labels = sandbox_labels(pod);
        spec_add_attempt(labels, attempt);
        cJSON_AddItemToObject(body, "Labels", labels);
        config = sandbox_host_config(host, pod);
        if (!pod->host_network) {
                cJSON *exposed = cJSON_AddObjectToObject(body, "ExposedPorts");
                cJSON *bindings = cJSON_AddObjectToObject(config, "PortBindings");
                add_ports(pod, exposed, bindings);
        }
        cJSON_AddItemToObject(body, "HostConfig", config);
        return spec_print(body, ret_body, err);
}
