/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/yaml.h"
#include "phase/component.h"
#include "phase/control_plane.h"
#include "phase/kube_proxy_config.h"
#include "phase/proxy.h"

static void set_variables(const struct phase *phase, struct template_variables *variables)
{
        const struct config_text *name = &phase->config->init.node_registration.name;

        template_set_text(variables, "configDir", PROXY_CONFIG_DIRECTORY, NULL);
        template_set_text(variables, "configFile", PROXY_CONFIG_FILE, NULL);
        template_set_text(variables, "kubeconfig", PROXY_KUBECONFIG, NULL);
        template_set_text(variables, "nodeName", name->text, &name->place);
}

/* kubeadm's configuration has no arguments, volumes or environment for kube-proxy. */
static struct config_component settings(const struct phase *phase)
{
        (void)phase;
        return (struct config_component){0};
}

const struct component component_proxy = {
        .name = "kube-proxy",
        .phase = "proxy",
        .variables = set_variables,
        .settings = settings,
        .proxies = true,
};

static int add_config(struct phase *phase, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *config CLEANUP_VALUE = NULL;

        int r = kube_proxy_config_render(phase, PROXY_KUBECONFIG, &config, err);
        if (r < 0)
                return r;
        yaml_write(config, 0, &out);
        r = buf_check(&out, PROXY_CONFIG_FILE, err);
        if (r < 0)
                return r;
        phase_add_file(phase, PROXY_CONFIG_FILE, buf_str(&out), out.len, 0600, 0700, PHASE_FILE_DRY_RUN_SHOW);
        phase_file_context(phase, "error execution phase proxy: failed to write the configuration of kube-proxy");
        return 0;
}

int phase_proxy(struct phase *phase, struct err *err)
{
        int r;

        if (phase->config->cluster.proxy_disabled.value) {
                phase_say(phase, "[proxy] kube-proxy is disabled (proxy.disabled): nothing to do");
                return 0;
        }
        phase_say(phase, "[proxy] Writing kube-proxy configuration to file \"" PROXY_CONFIG_FILE "\"");
        r = add_config(phase, err);
        if (r == 0) {
                phase_say(phase, "[proxy] Creating static Pod manifest for \"kube-proxy\"");
                r = phase_add_manifest(phase, &component_proxy, err);
        }
        if (r < 0) {
                phase_discard(phase);
                return err_wrap(err, "error execution phase proxy");
        }
        return phase_commit(phase, err);
}
