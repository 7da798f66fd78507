/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_default.h"
#include "phase/config_encode.h"
#include "phase/config_node.h"
#include "phase/config_print.h"
#include "phase/host.h"
#include "phase/kube_proxy_config.h"
#include "phase/kubelet_configuration.h"

#define MINUTE (INT64_C(60) * 1000 * 1000 * 1000)

/* A document of `printed` as a user would have written it. */
static int printed_document(const struct phase *phase, const char *kind, struct value **ret, struct err *err)
{
        const char *version = config_written_version_of(phase->era, kind);
        int r = config_node_template(phase, "printed", kind, ret, err);

        if (r < 0)
                return r;
        value_map_set(*ret, "apiVersion", value_new_stringf("kubeadm.k8s.io/%s", version));
        value_map_set(*ret, "kind", value_new_string(kind));
        return 0;
}

/* Decodes both documents of `kubeadm init` and fills them up: the static defaults alone, or what depends on the host
 * too where the row says so. */
static int load_init(struct phase *phase, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {xcalloc(2, sizeof(struct value *)), 0};
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct phase_config *config = phase->config;
        int r = printed_document(phase, "InitConfiguration", &documents.items[0], err);

        documents.count = r == 0 ? 1 : 0;
        if (r == 0)
                r = printed_document(phase, "ClusterConfiguration", &documents.items[1], err);
        documents.count = r == 0 ? 2 : documents.count;
        if (r == 0)
                r = config_decode(config, &documents, phase->era, 0, &problems, err);
        if (r < 0)
                return r;
        config_default_static(config, phase->era);
        config->cluster.api_server.timeout_for_control_plane = (struct config_duration){4 * MINUTE, true, {0}};
        config->cluster.dns.type.text = "CoreDNS";
        if (str_eq(era_text(phase->era, "config", "printedDefaults", ""), "dynamic"))
                r = config_default_dynamic(phase, &problems, err);
        return r;
}

static int add_init(struct phase *phase, struct buf *out, struct err *err)
{
        static const char *const kinds[] = {"InitConfiguration", "ClusterConfiguration"};
        const char *version = config_written_version(phase->era);
        int r = load_init(phase, err);

        for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++) {
                struct value *v CLEANUP_VALUE = NULL;

                r = config_encode(phase->config, phase->era, version, kinds[i], &v, err);
                if (r == 0)
                        r = config_add_document(v, out, err);
        }
        return r;
}

static int add_node(struct phase *phase, const char *kind, struct buf *out, struct err *err)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct value *printed CLEANUP_VALUE = NULL, *v CLEANUP_VALUE = NULL;
        const char *version = config_written_version_of(phase->era, kind);
        int r = printed_document(phase, kind, &printed, err);
        const struct config_node_document document = {kind, version, printed};

        if (r == 0)
                r = config_node_render(phase, &document, version, CONFIG_NODE_STRICT, &problems, &v, &phase->exit_code,
                                       err);
        return r < 0 ? r : config_add_document(v, out, err);
}

static int add_kube_proxy(struct phase *phase, struct buf *out, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        int r = kube_proxy_config_render(phase, "/var/lib/kube-proxy/kubeconfig.conf", &v, err);

        return r < 0 ? r : config_add_document(v, out, err);
}

static int add_kubelet(struct phase *phase, struct buf *out, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        int r = kubelet_configuration_render(phase, false, false, &v, err);

        return r < 0 ? r : config_add_document(v, out, err);
}

static const struct {
        const char *kind;
        int (*add)(struct phase *phase, struct buf *out, struct err *err);
} components[] = {
        {"KubeProxyConfiguration", add_kube_proxy},
        {"KubeletConfiguration", add_kubelet},
};

static int add_component(struct phase *phase, const char *kind, struct buf *out, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(components); i++)
                if (str_eq(components[i].kind, kind))
                        return components[i].add(phase, out, err);
        return err_set(err, ERR_USAGE,
                       "--component-configs needs to contain some of [KubeProxyConfiguration KubeletConfiguration]");
}

int phase_config_print(struct phase *phase, const char *action, const struct strv *component_configs, struct err *err)
{
        static const struct {
                const char *action, *kind;
        } actions[] = {
                {"join", "JoinConfiguration"},
                {"reset", "ResetConfiguration"},
                {"upgrade", "UpgradeConfiguration"},
        };
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r = str_eq(action, "init") ? add_init(phase, &out, err) : 0;
        char *kind;

        /* What the components are rendered for. */
        if (!str_eq(action, "init") && component_configs->len > 0)
                r = load_init(phase, err);

        for (size_t i = 0; i < ARRAY_SIZE(actions) && r == 0; i++)
                if (str_eq(actions[i].action, action))
                        r = add_node(phase, actions[i].kind, &out, err);
        STRV_FOREACH (kind, component_configs)
                if (r == 0)
                        r = add_component(phase, kind, &out, err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}
