/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/phases.h"
#include "cluster/step.h"
#include "cluster/token.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/action.h"
#include "phase/phase.h"

#define TEXT_MAX (64 * 1024)

static int say_tokens(const struct phase *phase, struct err *err)
{
        const struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;
        struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);
        int r = 0;

        for (size_t i = 0; i < tokens->count && r == 0; i++) {
                buf_addf(&text, "%s%s", i ? " " : "", tokens->items[i].token.text);
                r = action_show(phase, "token", tokens->items[i].token.text, err);
        }
        if (tokens->count == 1)
                phase_say(phase, "[bootstrap-token] Using token: %s", buf_str(&text));
        else if (tokens->count > 1)
                phase_say(phase, "[bootstrap-token] Using tokens: [%s]", buf_str(&text));
        return r;
}

/* A kubeconfig with nothing but the cluster of admin.conf, without a name. */
static int cluster_info(const struct cluster *cluster, struct buf *out, struct err *err)
{
        const struct kubeconfig *config = &cluster->kubeconfig;
        struct value *root CLEANUP_VALUE = value_new_map(), *entry = value_new_map(), *inner = value_new_map();

        value_map_set(root, "apiVersion", value_new_string("v1"));
        value_map_set(root, "kind", value_new_string("Config"));
        if (config->ca_pem) {
                char *ca CLEANUP_FREE = base64_text(config->ca_pem, strlen(config->ca_pem));
                value_map_set(inner, "certificate-authority-data", value_new_string(ca));
        }
        value_map_set(inner, "server", value_new_string(config->server ? config->server : ""));
        value_map_set(entry, "cluster", inner);
        value_map_set(entry, "name", value_new_string(""));
        value_list_add(value_map_set(root, "clusters", value_new_list()), entry);
        value_map_set(root, "contexts", value_new_null());
        value_map_set(root, "current-context", value_new_string(""));
        if (era_flag(cluster->phase->era, "certificates", "kubeconfigPreferences"))
                value_map_set(root, "preferences", value_new_map());
        value_map_set(root, "users", value_new_null());
        yaml_write(root, 0, out);
        return buf_check(out, "cluster-info", err);
}

int cluster_bootstrap_token(struct cluster *cluster, bool skip_token_print, struct err *err)
{
        struct phase *phase = cluster->phase;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct buf info CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        const struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;
        int r = cluster_info(cluster, &info, err);

        if (r == 0)
                r = token_fill_in(phase, err);
        if (r == 0 && !skip_token_print)
                r = say_tokens(phase, err);
        if (r < 0)
                return r;
        phase_say(phase, "[bootstrap-token] Configuring bootstrap tokens, cluster-info ConfigMap, RBAC Roles");
        if (token_write(cluster, tokens->items, tokens->count, false, err) < 0)
                return err_wrap(err, "error updating or creating token");
        template_set_text(&variables, "clusterInfo", buf_str(&info), NULL);
        return step_run(cluster, "bootstrap-token", &variables, err);
}
