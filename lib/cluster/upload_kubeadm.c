/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd/kubeadm/app/phases/uploadconfig/uploadconfig.go
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "cluster/phases.h"
#include "cluster/step.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config_encode.h"
#include "phase/phase.h"

#define STEP "upload-config-kubeadm"

/* The ClusterStatus that is in the cluster, or a new one. */
static int read_status(struct cluster *cluster, const struct value *config_map, const char *version, struct value **ret,
                       struct err *err)
{
        struct value *there CLEANUP_VALUE = NULL;
        int r = cluster->dry_run ? 1 : object_get(cluster, config_map, &there, err);

        if (r < 0)
                return r;
        const char *text = value_string(value_get(there, "data", "ClusterStatus", NULL), "");
        if (*text) {
                struct value *status CLEANUP_VALUE = NULL;

                r = yaml_load_one("ClusterStatus", text, strlen(text), 0, &status, err);
                if (r < 0)
                        return r;
                if (!value_is(status, VALUE_MAP))
                        return err_set(err, ERR_PROTOCOL,
                                       "ClusterStatus of ConfigMap kube-system/kubeadm-config is a "
                                       "%s, expected a map",
                                       value_kind_name(status->kind));
                *ret = TAKE_PTR(status);
                return 0;
        }
        *ret = value_new_map();
        value_map_set(*ret, "apiVersion", value_new_stringf("kubeadm.k8s.io/%s", version));
        value_map_set(*ret, "kind", value_new_string("ClusterStatus"));
        return 0;
}

/* Adds this node's endpoint to those of the others (kubeadm up to 1.21). */
static int status_text(struct cluster *cluster, const char *version, struct buf *out, struct err *err)
{
        const struct config_init *init = &cluster->phase->config->init;
        struct value *id CLEANUP_VALUE = value_new_map(), *status CLEANUP_VALUE = NULL;
        struct value *endpoint = value_new_map();

        value_map_set(id, "kind", value_new_string("ConfigMap"));
        struct value *metadata = value_map_set(id, "metadata", value_new_map());
        value_map_set(metadata, "namespace", value_new_string("kube-system"));
        value_map_set(metadata, "name", value_new_string("kubeadm-config"));
        value_map_set(endpoint, "advertiseAddress", value_new_string(init->local_api_endpoint.advertise_address.text));
        value_map_set(endpoint, "bindPort", value_new_int(init->local_api_endpoint.bind_port.value));
        int r = read_status(cluster, id, version, &status, err);
        if (r < 0) {
                (void)value_free(endpoint);
                return r;
        }
        if (!value_is(value_map_get(status, "apiEndpoints"), VALUE_MAP))
                value_map_set(status, "apiEndpoints", value_new_map());
        value_map_set(value_map_get(status, "apiEndpoints"), init->node_registration.name.text, endpoint);
        yaml_write(status, 0, out);
        return buf_check(out, "ClusterStatus", err);
}

int cluster_upload_kubeadm_config(struct cluster *cluster, struct err *err)
{
        struct phase *phase = cluster->phase;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT), status CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *config CLEANUP_VALUE = NULL;
        const char *version = config_written_version(phase->era);

        phase_detail(phase, 1, "[upload-config] Uploading the kubeadm ClusterConfiguration to a ConfigMap");
        (void)config_complete_cluster(phase->config, phase->era, &(struct config_duration){0});
        int r = config_encode(phase->config, phase->era, version, "ClusterConfiguration", &config, err);
        if (r == 0) {
                yaml_write(config, 0, &text);
                r = buf_check(&text, "ClusterConfiguration", err);
        }
        if (r == 0 && era_flag(phase->era, "cluster", "uploadsStatus"))
                r = status_text(cluster, version, &status, err);
        if (r == 0) {
                template_set_text(&variables, "clusterConfiguration", buf_str(&text), NULL);
                template_set_text(&variables, "clusterStatus", buf_str(&status), NULL);
                r = step_run(cluster, STEP, &variables, err);
        }
        return r < 0 ? err_wrap(err, "error uploading the kubeadm ClusterConfiguration") : 0;
}
