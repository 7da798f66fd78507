/* SPDX-License-Identifier: Apache-2.0
 *
 * online.h in genphase-api.
 */
#include "online.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "cluster/addon.h"
#include "cluster/cluster.h"
#include "cluster/fetch_config.h"
#include "cluster/join_command.h"
#include "cluster/phases.h"
#include "cluster/token.h"
#include "cluster/token_verbs.h"
#include "codec/timefmt.h"
#include "genphase.h"
#include "online_here.h"
#include "phase/config_flags.h"
#include "phase/config_validate.h"
#include "phase/external_ca_check.h"
#include "phase/names.h"
#include "phase/printer.h"
#include "phase/problems.h"
#include "pki.h"

int online_if_kubeconfig(const struct genphase *g, struct err *err)
{
        (void)g;
        (void)err;
        return 0;
}

int online_cluster_config(struct genphase *g, const char *prefix, char **ret_text, struct err *err)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        const char *path = g->online.kubeconfig ? g->online.kubeconfig : CLUSTER_ADMIN_CONF;
        struct phase_options options = g->options;
        struct phase *phase CLEANUP_PHASE = NULL;

        if (kubeconfig_load(g->options.rootfs, path, &config, NULL) < 0)
                return 1;
        options.config_file = NULL;
        options.no_config = true;
        int r = phase_open(&options, &phase, err);
        return r < 0 ? r : fetch_config(phase, &config, prefix, ret_text, err);
}

/* ---- the phases: each opens its own connection, as kubeadm's do in a run of their own ---- */

/* Runs fn with a connection; what fails is said to be of phase `name`. */
static int with_cluster(struct online_work *work, const char *name, unsigned flags,
                        int (*fn)(struct online_work *work, struct cluster *cluster, struct err *err), struct err *err)
{
        struct cluster *cluster CLEANUP_CLUSTER = NULL;
        int r = cluster_open(work->phase, work->g->online.kubeconfig, flags, &cluster, err);

        if (r == 0)
                r = fn(work, cluster, err);
        if (cluster) {
                work->made += cluster->made;
                work->changed += cluster->changed;
                work->same += cluster->same;
        }
        return r < 0 ? err_wrap(err, "error execution phase %s", name) : 0;
}

static int do_wait(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_wait_control_plane(cluster, err);
}

static int do_upload_kubeadm(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_upload_kubeadm_config(cluster, err);
}

static int do_upload_kubelet(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_upload_kubelet_config(cluster, err);
}

static int do_upload_certs(struct online_work *work, struct cluster *cluster, struct err *err)
{
        const struct online_options *o = &work->g->online;
        struct cluster_upload_certs options = {.key = o->certificate_key,
                                               .skip_key_print = o->skip_certificate_key_print};

        return cluster_upload_certificates(cluster, &options, err);
}

static int do_mark(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_mark_control_plane(cluster, err);
}

static int do_bootstrap_token(struct online_work *work, struct cluster *cluster, struct err *err)
{
        return cluster_bootstrap_token(cluster, work->g->online.skip_token_print, err);
}

static int do_coredns(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_addon(cluster, "coredns", err);
}

static int do_kube_proxy(struct online_work *work, struct cluster *cluster, struct err *err)
{
        (void)work;
        return cluster_addon(cluster, "kube-proxy", err);
}

int online_wait_control_plane(struct online_work *work, struct err *err)
{
        return with_cluster(work, "wait-control-plane", CLUSTER_NO_BOOTSTRAP, do_wait, err);
}

int online_upload_kubeadm(struct online_work *work, struct err *err)
{
        return with_cluster(work, "upload-config/kubeadm", 0, do_upload_kubeadm, err);
}

int online_upload_kubelet(struct online_work *work, struct err *err)
{
        return with_cluster(work, "upload-config/kubelet", 0, do_upload_kubelet, err);
}

int online_upload_certs(struct online_work *work, struct err *err)
{
        if (!work->g->online.upload_certs) {
                phase_say(work->phase, "[upload-certs] Skipping phase. Please see --upload-certs");
                return 0;
        }
        return with_cluster(work, "upload-certs", 0, do_upload_certs, err);
}

int online_mark_control_plane(struct online_work *work, struct err *err)
{
        return with_cluster(work, "mark-control-plane", 0, do_mark, err);
}

int online_bootstrap_token(struct online_work *work, struct err *err)
{
        return with_cluster(work, "bootstrap-token", 0, do_bootstrap_token, err);
}

int online_addon_coredns(struct online_work *work, struct err *err)
{
        return with_cluster(work, "addon/coredns", 0, do_coredns, err);
}

int online_addon_kube_proxy(struct online_work *work, struct err *err)
{
        return with_cluster(work, "addon/kube-proxy", 0, do_kube_proxy, err);
}

int online_show_join_command(struct online_work *work, struct err *err)
{
        const struct online_options *o = &work->g->online;
        const char *path = work->g->online.kubeconfig ? work->g->online.kubeconfig : CLUSTER_ADMIN_CONF;
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};

        int r = token_fill_in(work->phase, err);
        if (r == 0)
                r = kubeconfig_load(work->phase->options.rootfs, path, &config, err);
        if (r < 0)
                (void)err_wrap(err, "failed to print join command: failed to load kubeconfig");
        else
                r = join_show(work->phase, &config, path, o->upload_certs, o->skip_token_print,
                              o->skip_certificate_key_print, err);
        return r < 0 ? err_wrap(err, "error execution phase show-join-command") : 0;
}

/* ---- the phases as verbs ---- */

int online_open(struct genphase *g, struct phase **ret, int *ret_code, struct err *err)
{
        *ret_code = 1;
        int r = phase_open(&g->options, ret, err);
        if (*ret)
                *ret_code = (*ret)->exit_code;
        if (r == 0)
                r = online_apply_token_flags(g, *ret, ret_code, err);
        return r;
}

/* result: what they say is what the verb is for, so it is said with --quiet too. */
static int run_phases(struct genphase *g, int (*const *fns)(struct online_work *work, struct err *err), bool result)
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        int code;
        int r = online_open(g, &phase, &code, &err);

        if (r < 0)
                return genphase_fail(&err, code);
        if (external_ca_possible(phase))
                r = pki_external_ca(g, phase, &err);
        struct online_work work = {.g = g, .phase = phase};
        phase->options.quiet &= !result;
        for (; r == 0 && *fns; fns++)
                r = (*fns)(&work, &err);
        if (r == 0 && work.same > 0)
                phase_detail(phase, 1, "%u objects were there already as they should be, %u made, %u changed",
                             work.same, work.made, work.changed);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

typedef int (*const phase_fn)(struct online_work *work, struct err *err);

#define PHASES(name, result, ...)                                    \
        static int name(struct genphase *g, const struct strv *args) \
        {                                                            \
                static phase_fn fns[] = {__VA_ARGS__, NULL};         \
                                                                     \
                (void)args;                                          \
                return run_phases(g, fns, result);                   \
        }
PHASES(wait_control_plane, false, online_wait_control_plane)
PHASES(upload_kubeadm, false, online_upload_kubeadm)
PHASES(upload_kubelet, false, online_upload_kubelet)
PHASES(upload_all, false, online_upload_kubeadm, online_upload_kubelet)
PHASES(upload_certs, false, online_upload_certs)
PHASES(mark_control_plane, false, online_mark_control_plane)
PHASES(bootstrap_token, false, online_bootstrap_token)
PHASES(addon_all, false, online_addon_coredns, online_addon_kube_proxy)
PHASES(addon_coredns, false, online_addon_coredns)
PHASES(addon_kube_proxy, false, online_addon_kube_proxy)
PHASES(show_join_command, true, online_show_join_command)

/* ---- token ---- */

static struct config_texts texts_of(struct phase *phase, const struct strv *v, const char *origin)
{
        struct config_texts texts = {.items = config_alloc(phase->config, v->len, sizeof(*texts.items)),
                                     .count = v->len,
                                     .set = true,
                                     .place = {.origin = origin}};

        for (size_t i = 0; i < v->len; i++)
                texts.items[i] =
                        (struct config_text){config_keepf(phase->config, "%s", v->items[i]), {.origin = origin}};
        return texts;
}

static int set_token(struct phase *phase, const struct online_options *o, struct config_token *token, struct err *err)
{
        if (o->token) {
                if (!name_is_bootstrap_token(o->token))
                        return err_set(err, ERR_INVALID,
                                       "the bootstrap token \"%s\" was not of the form "
                                       "\"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\"",
                                       o->token);
                token->token = (struct config_text){o->token, {.origin = "token"}};
        }
        if (o->token_ttl) {
                int r = config_flag_duration("ttl", o->token_ttl, &token->ttl.nsec, err);
                if (r < 0)
                        return r;
                token->ttl.set = true;
        }
        if (o->token_description)
                token->description = (struct config_text){o->token_description, {.origin = "description"}};
        if (o->token_usages.len > 0)
                token->usages = texts_of(phase, &o->token_usages, "usages");
        if (o->token_groups.len > 0)
                token->groups = texts_of(phase, &o->token_groups, "groups");
        return 0;
}

int online_apply_token_flags(struct genphase *g, struct phase *phase, int *ret_code, struct err *err)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;

        if (g->options.config_file || tokens->count == 0)
                return 0;
        int r = set_token(phase, &g->online, &tokens->items[0], err);
        if (r < 0)
                return r;
        config_validate(phase->config, phase->era, &problems);
        r = config_problems_aggregate(&problems, err);
        if (r < 0)
                *ret_code = phase_validation_exit_code(phase);
        return r;
}

static int run_token(struct genphase *g, const struct strv *args,
                     int (*fn)(struct genphase *g, struct cluster *cluster, const struct strv *args, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct cluster *cluster CLEANUP_CLUSTER = NULL;
        char *path CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        int code;
        int r = online_open(g, &phase, &code, &err);

        if (r < 0)
                return genphase_fail(&err, code);
        path = g->online.kubeconfig ? xstrdup(g->online.kubeconfig) : cluster_usual_kubeconfig(phase);
        phase_detail(phase, 1, "Using kubeconfig file: %s", path);
        r = cluster_open_as_given(phase, path, &cluster, &err);
        if (r == 0)
                r = fn(g, cluster, args, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

static int create(struct genphase *g, struct cluster *cluster, const struct strv *args, struct err *err)
{
        struct token_create options = {
                .kubeconfig_path = cluster->kubeconfig_path,
                .print_join_command = g->online.print_join_command,
                .certificate_key = g->online.certificate_key,
        };

        (void)args;
        return token_create(cluster, &options, err);
}

static int list(struct genphase *g, struct cluster *cluster, const struct strv *args, struct err *err)
{
        const char *format;
        int r = printer_format(g->online.output, &format, err);

        (void)args;
        return r < 0 ? r : token_list(cluster, format, err);
}

static int delete (struct genphase *g, struct cluster *cluster, const struct strv *args, struct err *err)
{
        (void)g;
        return token_delete(cluster, args, err);
}

static int token_create_verb(struct genphase *g, const struct strv *args)
{
        if (args->len > 0)
                g->online.token = args->items[0];
        return run_token(g, args, create);
}

static int token_list_verb(struct genphase *g, const struct strv *args)
{
        return run_token(g, args, list);
}

static int token_delete_verb(struct genphase *g, const struct strv *args)
{
        struct err err = ERR_INIT;

        if (args->len == 0) {
                (void)err_set(&err, ERR_USAGE,
                              "missing argument; 'token delete' is missing token of form "
                              "\"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\" or \"\\\\A([a-z0-9]{6})\\\\z\"");
                return genphase_fail(&err, 1);
        }
        return run_token(g, args, delete);
}

/* ---- dispatch ---- */

int online_run(struct genphase *g, enum online_verb verb, const struct strv *args)
{
        static int (*const functions[ONLINE_MAX])(struct genphase * g, const struct strv *args) = {
#define X(symbol, function) [ONLINE_##symbol] = (function),
                ONLINE_VERBS(X)
#undef X
        };

        return functions[verb](g, args);
}
