/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/kubeconfig_tree.h"
#include "phase/kubelet_finalize.h"
#include "phase/kubelet_start.h"
#include "phase/service.h"

#define CURRENT "kubelet-client-current.pem"

static char *current_path(const struct phase *phase)
{
        const struct config_arg *dir =
                config_args_last(&phase->config->init.node_registration.kubelet_extra_args, "cert-dir");

        return file_join(dir ? dir->value : KUBELET_DIRECTORY "/pki", CURRENT);
}

/* kubeadm's dry run has an empty kubelet directory of its own, so it finds nothing there. */
static bool looks_elsewhere(const struct phase *phase)
{
        return phase->options.dry_run && phase->as_kubeadm &&
               !config_args_last(&phase->config->init.node_registration.kubelet_extra_args, "cert-dir");
}

/* Whose certificate it is: the current context's user, or up to 1.29 the node by name. */
static int find_user(const struct phase *phase, const struct value *tree, struct value **ret, struct err *err)
{
        bool by_node = str_eq(era_text(phase->era, "kubelet", "finalizedUser", ""), "node");
        const char *node = phase->config->init.node_registration.name.text;
        const char *name = value_string(value_map_get(tree, "current-context"), "");
        const struct value *context = kubeconfig_tree_find(tree, "contexts", "context", name);
        const char *user = value_string(value_map_get(context, "user"), "");
        char *node_user CLEANUP_FREE = xasprintf("system:node:%s", node);

        if (!by_node && !*name)
                return err_set(err, ERR_INVALID,
                               "the file \"" KUBELET_KUBECONFIG "\" does not have current context set");
        if (!by_node && !context)
                return err_set(err, ERR_INVALID,
                               "the file \"" KUBELET_KUBECONFIG "\" is not a valid kubeconfig: \"%s\" set as "
                               "current-context, but not found in context list",
                               name);
        if (!by_node && !*user)
                return err_set(err, ERR_INVALID,
                               "the file \"" KUBELET_KUBECONFIG "\" is not a valid kubeconfig: empty username for "
                               "current context");
        *ret = kubeconfig_tree_find(tree, "users", "user", by_node ? node_user : user);
        if (!*ret)
                return err_set(err, ERR_INVALID,
                               "the file \"" KUBELET_KUBECONFIG "\" does not contain authentication for user \"%s\"",
                               node);
        return 0;
}

static int update(struct phase *phase, const char *pem_path, struct err *err)
{
        struct value *tree CLEANUP_VALUE = NULL, *user = NULL;
        int r = kubeconfig_tree_load(phase, KUBELET_KUBECONFIG, &tree, err);

        if (r < 0)
                return err_wrap(err, "could not load \"" KUBELET_KUBECONFIG "\"");
        r = find_user(phase, tree, &user, err);
        if (r < 0)
                return r;
        kubeconfig_tree_set_data(user, "client-certificate", NULL);
        kubeconfig_tree_set_data(user, "client-key", NULL);
        value_map_set(user, "client-certificate", value_new_string(pem_path));
        value_map_set(user, "client-key", value_new_string(pem_path));
        r = kubeconfig_tree_add(phase, KUBELET_KUBECONFIG, tree, err);
        if (r == 0)
                r = phase_commit(phase, err);
        return r < 0 ? err_wrap(err, "failed to serialize \"" KUBELET_KUBECONFIG "\"") : 0;
}

int phase_kubelet_finalize(struct phase *phase, struct err *err)
{
        char *pem_path CLEANUP_FREE = current_path(phase);

        if (looks_elsewhere(phase) || !phase_exists_on_host(phase, pem_path)) {
                phase_detail(phase, 1,
                             "[kubelet-finalize] Assuming that kubelet client certificate rotation is disabled: stat "
                             "%s: no such file or directory",
                             pem_path);
                return 0;
        }
        phase_detail(phase, 1,
                     "[kubelet-finalize] Assuming that kubelet client certificate rotation is enabled: found \"%s\"",
                     pem_path);
        phase_say(phase, "[kubelet-finalize] Updating \"" KUBELET_KUBECONFIG
                         "\" to point to a rotatable kubelet client certificate and key");
        /* kubeadm's dry run does not look into the file, and that of `init` has it in a directory that stays. */
        if (phase->options.dry_run && (!phase_tells_actions(phase) || phase->options.host_root))
                return 0;
        int r = update(phase, pem_path, err);
        if (r < 0)
                return err_wrap(err, "error execution phase kubelet-finalize/%s",
                                era_text(phase->era, "kubelet", "finalizePhase", "enable-client-cert-rotation"));
        phase_detail(phase, 1, "[kubelet-finalize] Restarting the kubelet to enable client certificate rotation");
        kubelet_service_act(phase, SERVICE_RESTART);
        return 0;
}
