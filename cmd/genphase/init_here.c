/* SPDX-License-Identifier: Apache-2.0
 *
 * `init`: all phases in the order of the version (cmd/kubeadm/app/cmd/init.go, phases/workflow/runner.go). They share
 * one phase, so a token or certificate key that one makes is the one that another shows. What an earlier run has done
 * is found by each and kept.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/token.h"
#include "codec/value.h"
#include "genphase.h"
#include "images.h"
#include "init_dry_run.h"
#include "online_here.h"
#include "phase/certs.h"
#include "phase/component_parts.h"
#include "phase/control_plane.h"
#include "phase/external_ca_check.h"
#include "phase/kubeconfig_phase.h"
#include "phase/kubelet_finalize.h"
#include "phase/kubelet_start.h"
#include "pki.h"

struct init_run {
        struct online_work work;
        struct genphase *g;
        struct phase *phase;
        struct strv skip;
        bool preflight_failed;
        bool dry_run_begun;
};

struct init_step {
        const char *parent, *child; /* child NULL: the parent itself is what runs */
        int (*run)(struct init_run *run, const char *child, struct err *err);
};

/* ---- what each runs ---- */

/* Before anything is pointed at the directory of a dry run. */
static int run_preflight(struct init_run *run, const char *child, struct err *err)
{
        (void)child;
        int r = images_preflight_phase(run->g, run->phase, err);
        run->preflight_failed = r < 0;
        return r;
}

static int run_certs(struct init_run *run, const char *child, struct err *err)
{
        return certs_run(run->phase, child ? child : "all", run->g->kubeconfig_dir, err);
}

static int run_kubeconfig(struct init_run *run, const char *child, struct err *err)
{
        return kubeconfig_phase_run(run->phase, child ? child : "all", run->g->kubeconfig_dir, err);
}

static int run_etcd(struct init_run *run, const char *child, struct err *err)
{
        (void)child;
        int r = phase_etcd_local(run->phase, err);
        return r == 0 && run->phase->options.dry_run ? init_dry_run_show_etcd(run->phase, err) : r;
}

static int run_control_plane(struct init_run *run, const char *child, struct err *err)
{
        const struct component *component = !child                                ? NULL
                                            : str_eq(child, "apiserver")          ? &component_apiserver
                                            : str_eq(child, "controller-manager") ? &component_controller_manager
                                                                                  : &component_scheduler;

        int r = phase_control_plane(run->phase, component, err);

        if (r == 0 && (!component || component == &component_apiserver))
                component_keep_authorization_mode(run->phase);
        return r;
}

static int run_kubelet_start(struct init_run *run, const char *child, struct err *err)
{
        (void)child;
        return phase_kubelet_start(run->phase, err);
}

static int run_kubelet_finalize(struct init_run *run, const char *child, struct err *err)
{
        (void)child;
        return phase_kubelet_finalize(run->phase, err);
}

static int run_wait(struct init_run *run, const char *child, struct err *err)
{
        (void)child;
        int r = run->phase->options.dry_run ? init_dry_run_show(run->phase, err) : 0;
        return r < 0 ? r : online_wait_control_plane(&run->work, err);
}

#define ONLINE(name, function)                                                    \
        static int name(struct init_run *run, const char *child, struct err *err) \
        {                                                                         \
                (void)child;                                                      \
                return function(&run->work, err);                                 \
        }
ONLINE(run_upload_kubeadm, online_upload_kubeadm)
ONLINE(run_upload_kubelet, online_upload_kubelet)
ONLINE(run_upload_certs, online_upload_certs)
ONLINE(run_mark, online_mark_control_plane)
ONLINE(run_bootstrap_token, online_bootstrap_token)
ONLINE(run_coredns, online_addon_coredns)
ONLINE(run_kube_proxy, online_addon_kube_proxy)
ONLINE(run_join_command, online_show_join_command)

/* clang-format off */
static const struct init_step steps[] = {
        {"preflight", NULL, run_preflight},
#define X(verb, long_name, base_name, ca, common_name, organization_row, usage, names) {"certs", verb, run_certs},
        CERTS_LIST(X)
#undef X
        {"certs", "sa", run_certs},
        {"kubeconfig", "admin", run_kubeconfig},
        {"kubeconfig", "super-admin", run_kubeconfig},
        {"kubeconfig", "kubelet", run_kubeconfig},
        {"kubeconfig", "controller-manager", run_kubeconfig},
        {"kubeconfig", "scheduler", run_kubeconfig},
        {"etcd", "local", run_etcd},
        {"control-plane", "apiserver", run_control_plane},
        {"control-plane", "controller-manager", run_control_plane},
        {"control-plane", "scheduler", run_control_plane},
        {"kubelet-start", NULL, run_kubelet_start},
        {"wait-control-plane", NULL, run_wait},
        {"upload-config", "kubeadm", run_upload_kubeadm},
        {"upload-config", "kubelet", run_upload_kubelet},
        {"upload-certs", NULL, run_upload_certs},
        {"mark-control-plane", NULL, run_mark},
        {"bootstrap-token", NULL, run_bootstrap_token},
        {"kubelet-finalize", NULL, run_kubelet_finalize},
        {"addon", "coredns", run_coredns},
        {"addon", "kube-proxy", run_kube_proxy},
        {"show-join-command", NULL, run_join_command},
};
/* clang-format on */

/* Phases whose children run together where none is left out: they say their folder first, and write all or nothing. */
static bool runs_whole(const char *parent)
{
        return str_eq(parent, "certs") || str_eq(parent, "kubeconfig") || str_eq(parent, "control-plane");
}

/* ---- which are left out ---- */

static bool is_skipped(const struct init_run *run, const struct init_step *step)
{
        char *both CLEANUP_FREE = step->child ? xasprintf("%s/%s", step->parent, step->child) : NULL;

        return strv_contains(&run->skip, step->parent) || (both && strv_contains(&run->skip, both));
}

/* Row joinPhase: show-join-command is a phase; before, it was what `init` ends with. */
static bool has_name(const struct init_run *run, const char *parent)
{
        return era_lists(run->phase->era, "init", "phases", parent) &&
               (!str_eq(parent, "show-join-command") || era_flag(run->phase->era, "init", "joinPhase"));
}

static int check_name(const struct init_run *run, const char *name, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
                char *both CLEANUP_FREE =
                        steps[i].child ? xasprintf("%s/%s", steps[i].parent, steps[i].child) : xstrdup(steps[i].parent);
                if ((str_eq(name, both) || str_eq(name, steps[i].parent)) && has_name(run, steps[i].parent))
                        return 0;
        }
        return err_set(err, ERR_USAGE, "invalid phase name: %s", name);
}

/* --skip-phases, else those of the configuration; an addon that it disables is left out too. */
static int choose_skipped(struct init_run *run, struct err *err)
{
        struct config_cluster *cluster = &run->phase->config->cluster;
        const struct config_texts *configured = &run->phase->config->init.skip_phases;
        bool given = run->g->reset.skipped.len > 0;
        const char *name;
        int r = 0;

        strv_copy(&run->skip, &run->g->reset.skipped);
        for (size_t i = 0; !given && i < configured->count; i++)
                strv_add(&run->skip, configured->items[i].text);
        bool all = strv_contains(&run->skip, "addon");
        if (all || strv_contains(&run->skip, "addon/coredns"))
                cluster->dns.disabled.value = true;
        else if (cluster->dns.disabled.value)
                strv_add(&run->skip, "addon/coredns");
        if (all || strv_contains(&run->skip, "addon/kube-proxy"))
                cluster->proxy_disabled.value = true;
        else if (cluster->proxy_disabled.value)
                strv_add(&run->skip, "addon/kube-proxy");
        STRV_FOREACH (name, &run->skip)
                if (r == 0)
                        r = check_name(run, name, err);
        return r;
}

/* show-join-command needs what two others make. */
static int check_dependencies(const struct init_run *run, struct err *err)
{
        bool token = strv_contains(&run->skip, "bootstrap-token"), certs = strv_contains(&run->skip, "upload-certs");

        if (strv_contains(&run->skip, "show-join-command") || (!token && !certs) ||
            !era_flag(run->phase->era, "init", "joinPhase"))
                return 0;
        return err_set(err, ERR_USAGE,
                       "unresolved dependencies:\n\tmissing [%s%s%s] phase(s) needed by \"show-join-command\" phase",
                       token ? "bootstrap-token" : "", token && certs ? " " : "", certs ? "upload-certs" : "");
}

/* ---- the run ---- */

/* "certs/ca", or "certs" where all of its children run together. */
static void name_step(struct phase *phase, const struct init_step *step, bool whole)
{
        phase->step =
                whole || !step->child ? step->parent : config_keepf(phase->config, "%s/%s", step->parent, step->child);
}

static int run_parent(struct init_run *run, const char *parent, struct err *err)
{
        bool whole = runs_whole(parent);
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
                if (str_eq(steps[i].parent, parent) && is_skipped(run, &steps[i]))
                        whole = false;
        for (size_t i = 0; i < ARRAY_SIZE(steps) && r == 0; i++) {
                if (!str_eq(steps[i].parent, parent) || is_skipped(run, &steps[i]))
                        continue;
                name_step(run->phase, &steps[i], whole);
                r = steps[i].run(run, whole ? NULL : steps[i].child, err);
                (void)fflush(run->g->options.out);
                if (whole)
                        break;
        }
        run->phase->step = NULL;
        return r;
}

/* preflight looks at what is there; all that follows writes. */
static int begin_dry_run(struct init_run *run, struct err *err)
{
        if (!run->phase->options.dry_run || run->dry_run_begun)
                return 0;
        run->dry_run_begun = true;
        return init_dry_run_begin(run->phase, err);
}

static int run_all(struct init_run *run, struct err *err)
{
        const struct value *order = era_value(run->phase->era, "init", "phases");
        int r = token_fill_in(run->phase, err);

        if (r == 0 && external_ca_possible(run->phase))
                r = pki_external_ca(run->g, run->phase, err);
        if (r < 0)
                return r;
        phase_say(run->phase, "[init] Using Kubernetes version: %s",
                  run->phase->config->cluster.kubernetes_version.text);
        r = choose_skipped(run, err);
        if (r == 0)
                r = check_dependencies(run, err);
        for (size_t i = 0; r == 0 && value_is(order, VALUE_LIST) && i < order->list.count; i++) {
                const char *parent = value_string(order->list.items[i], "");

                if (!str_eq(parent, "preflight"))
                        r = begin_dry_run(run, err);
                if (r == 0)
                        r = run_parent(run, parent, err);
        }
        return r;
}

static void say_what_was_there(const struct init_run *run)
{
        const struct online_work *work = &run->work;

        if (work->same > 0 && !run->g->options.quiet)
                (void)fprintf(run->g->options.log,
                              "of the cluster's objects %u were there already as they should be, %u made, %u changed\n",
                              work->same, work->made, work->changed);
}

int online_init(struct genphase *g, const struct strv *args)
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        int code;
        int r = online_open(g, &phase, &code, &err);

        (void)args;
        if (r < 0)
                return genphase_fail(&err, code);
        g->options.dry_run = phase->options.dry_run;
        struct init_run run = {.work = {.g = g, .phase = phase}, .g = g, .phase = phase};
        r = run_all(&run, &err);
        strv_release(&run.skip);
        if (r == 0)
                say_what_was_there(&run);
        if (r == 0)
                return 0;
        code = genphase_fail(&err, 1);
        if (run.preflight_failed && !g->options.quiet)
                (void)fprintf(g->options.log, "Where an earlier run has made what is in the way, --skip-phases "
                                              "preflight goes on.\n");
        return code;
}
