/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/object.h"
#include "cluster/step.h"
#include "codec/value.h"
#include "phase/phase.h"

#define NSEC_PER_USEC 1000
#define STATUS_CONFLICT 409
#define STATUS_FORBIDDEN 403

int cluster_connect(const struct kubeconfig *config, const char *server, struct api_wait **ret, struct err *err)
{
        struct api_credentials credentials = {
                .server = server ? server : config->server,
                .ca_pem = config->ca_pem,
                .cert_pem = config->cert_pem,
                .key_pem = config->key_pem,
                .token = config->token,
        };

        return api_wait_new(&credentials, "genphase/" GENPHASE_PROJECT_VERSION, ret, err);
}

static usec_t era_seconds(const struct phase *phase, const char *path, const struct config_duration *setting)
{
        long seconds = era_number(phase->era, "cluster", path, 0);

        return seconds > 0 ? (usec_t)seconds * USEC_PER_SEC : (usec_t)setting->nsec / NSEC_PER_USEC;
}

int cluster_poll(struct cluster *cluster, usec_t timeout, cluster_try_fn fn, void *userdata, struct err *err)
{
        usec_t end = usec_add(clock_boottime(), timeout);
        struct err why = ERR_INIT;

        for (;;) {
                err_clear(&why);
                int r = fn(cluster, userdata, &why);
                if (r > 0)
                        return 0;
                usec_t now = clock_boottime();
                if (r < 0 || now >= end) {
                        if (err)
                                *err = why;
                        return r < 0 ? r : -why.code;
                }
                phase_detail(cluster->phase, 5, "%s; trying again", why.msg);
                usec_t left = usec_sub(end, now);
                r = api_wait_pause(cluster->api, left < CLUSTER_RETRY_INTERVAL ? left : CLUSTER_RETRY_INTERVAL, err);
                if (r < 0)
                        return r;
        }
}

/* ---- kubeadm:cluster-admins ---- */

struct binding {
        struct api_wait *api;
        const struct value *object;
        bool forbidden;
};

static int try_binding(struct cluster *cluster, void *userdata, struct err *err)
{
        struct binding *binding = userdata;
        char *path CLEANUP_FREE = object_path(binding->object, false);
        int r = api_wait_request(binding->api, "POST", 0, path, binding->object, NULL, err);

        if (r == 0)
                object_tell(cluster, "create", binding->object, binding->object);
        if (r == 0 || err->status == STATUS_CONFLICT)
                return 1;
        binding->forbidden = err->status == STATUS_FORBIDDEN;
        return 0;
}

static int try_admin_binding(struct cluster *cluster, void *userdata, struct err *err)
{
        struct binding *binding = userdata;
        int r = try_binding(cluster, userdata, err);

        if (r > 0 || binding->forbidden)
                return 1;
        (void)err_wrap(err, "unable to create ClusterRoleBinding");
        return 0;
}

static int bind_as_super_admin(struct cluster *cluster, const char *server, const struct value *object, struct err *err)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        struct api_wait *api CLEANUP_API_WAIT = NULL;
        struct phase *phase = cluster->phase;

        if (!phase_exists(phase, CLUSTER_SUPER_ADMIN_CONF))
                return err_set(err, ERR_INVALID,
                               "the ClusterRoleBinding for the kubeadm:cluster-admins Group is missing but there is no "
                               "super-admin.conf to create it");
        int r = kubeconfig_load(phase->options.rootfs, CLUSTER_SUPER_ADMIN_CONF, &config, err);
        if (r == 0)
                r = cluster_connect(&config, server, &api, err);
        if (r < 0)
                return r;
        phase_detail(phase, 1,
                     "creating the ClusterRoleBinding for the kubeadm:cluster-admins Group by using super-admin.conf");
        struct binding binding = {.api = api, .object = object};
        r = cluster_poll(cluster, cluster->call_timeout, try_binding, &binding, err);
        if (r < 0)
                return err_wrap(err, "unable to create the kubeadm:cluster-admins ClusterRoleBinding by using "
                                     "super-admin.conf");
        /* The server's authorizer sees a new binding a moment later; until then the first request of a phase would be
         * forbidden. */
        struct binding admin = {.api = cluster->api, .object = object};
        return cluster_poll(cluster, cluster->call_timeout, try_binding, &admin, err);
}

/* EnsureAdminClusterRoleBinding: admin.conf's user can give itself the role only where it has it already. */
static int bootstrap_admin(struct cluster *cluster, const char *server, struct err *err)
{
        struct template_variables none CLEANUP_VARIABLES = {0};
        struct value *items CLEANUP_VALUE = NULL;
        int r = step_load(cluster->phase, "admins", &none, &items, err);

        if (r < 0 || items->list.count == 0)
                return r;
        phase_detail(cluster->phase, 1,
                     "ensuring that the ClusterRoleBinding for the kubeadm:cluster-admins Group exists");
        struct binding binding = {.api = cluster->api, .object = value_map_get(items->list.items[0], "object")};
        r = cluster_poll(cluster, cluster->call_timeout, try_admin_binding, &binding, err);
        if (r == 0 && binding.forbidden)
                r = bind_as_super_admin(cluster, server, binding.object, err);
        return r < 0 ? err_wrap(err, "could not bootstrap the admin user in file admin.conf") : 0;
}

/* Row localServer: "always" with admin.conf, "wait" where it is waited for, whatever the kubeconfig. */
static bool asks_this_node(const struct cluster *cluster, bool usual, unsigned flags)
{
        const char *rule = era_text(cluster->phase->era, "cluster", "localServer", "");

        return str_eq(rule, "wait") ? (flags & CLUSTER_NO_BOOTSTRAP) != 0 : usual && str_eq(rule, "always");
}

static int connect_to(struct cluster *cluster, bool usual, unsigned flags, struct err *err)
{
        char *local CLEANUP_FREE = config_local_endpoint(cluster->phase->config);
        const char *server = asks_this_node(cluster, usual, flags) ? local : NULL;
        int r = cluster_connect(&cluster->kubeconfig, server, &cluster->api, err);

        if (r == 0 && usual && !(flags & CLUSTER_NO_BOOTSTRAP) &&
            era_flag(cluster->phase->era, "cluster", "bootstrapsAdmin"))
                r = bootstrap_admin(cluster, server, err);
        return r;
}

int cluster_open(struct phase *phase, const char *kubeconfig_path, unsigned flags, struct cluster **ret,
                 struct err *err)
{
        const struct config_duration *call = &phase->config->init.timeouts.kubernetes_api_call;
        struct cluster *cluster = xcalloc(1, sizeof(*cluster));
        bool usual = !kubeconfig_path || str_eq(kubeconfig_path, CLUSTER_ADMIN_CONF);

        cluster->phase = phase;
        cluster->dry_run = phase->options.dry_run;
        cluster->kubeconfig_path = xstrdup(kubeconfig_path ? kubeconfig_path : CLUSTER_ADMIN_CONF);
        cluster->call_timeout = era_seconds(phase, "callTimeoutSeconds", call);
        cluster->node_timeout = era_seconds(phase, "nodeTimeoutSeconds", call);
        int r = kubeconfig_load(phase->options.rootfs, cluster->kubeconfig_path, &cluster->kubeconfig, err);
        /* A dry run may come before there is a kubeconfig. */
        if (r == -ENOENT && cluster->dry_run)
                r = 0;
        else if (r == 0 && !cluster->dry_run)
                r = connect_to(cluster, usual, flags, err);
        if (r < 0) {
                (void)cluster_free(cluster);
                return r;
        }
        *ret = cluster;
        return 0;
}

char *cluster_usual_kubeconfig(const struct phase *phase)
{
        const char *given = getenv("KUBECONFIG"), *home = getenv("HOME") ?: "";
        struct strv paths CLEANUP_STRV = STRV_INIT;
        const char *path;

        if (str_empty(given)) {
                char *below CLEANUP_FREE = xasprintf("%s%s.kube/config", home, *home ? "/" : "");
                char *usual CLEANUP_FREE = file_clean(below);
                strv_add(&paths, usual);
        } else {
                strv_split(&paths, given, ':');
        }
        STRV_FOREACH (path, &paths)
                if (*path && file_exists(path))
                        return xstrdup(path);
        return xstrdup(phase_exists(phase, CLUSTER_ADMIN_CONF) ? CLUSTER_ADMIN_CONF : paths.items[0]);
}

int cluster_open_as_given(struct phase *phase, const char *path, struct cluster **ret, struct err *err)
{
        struct cluster *cluster CLEANUP_CLUSTER = xcalloc(1, sizeof(*cluster));
        /* --rootfs is for what the program looks up by itself. */
        const char *rootfs = str_eq(path, CLUSTER_ADMIN_CONF) ? phase->options.rootfs : NULL;
        const struct config_duration *call = &phase->config->init.timeouts.kubernetes_api_call;

        cluster->phase = phase;
        cluster->dry_run = phase->options.dry_run;
        cluster->kubeconfig_path = xstrdup(path);
        cluster->call_timeout = (usec_t)call->nsec / NSEC_PER_USEC;
        int r = kubeconfig_load(rootfs, path, &cluster->kubeconfig, err);
        if (r < 0)
                return err_wrap(err, "failed to load %skubeconfig", cluster->dry_run ? "" : "admin ");
        r = cluster_connect(&cluster->kubeconfig, NULL, &cluster->api, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(cluster);
        return 0;
}

struct cluster *cluster_free(struct cluster *cluster)
{
        if (!cluster)
                return NULL;
        (void)api_wait_free(cluster->api);
        kubeconfig_release(&cluster->kubeconfig);
        free(cluster->kubeconfig_path);
        free(cluster);
        return NULL;
}
