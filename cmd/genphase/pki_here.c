/* SPDX-License-Identifier: Apache-2.0
 *
 * pki.h in genphase-pki.
 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "genphase.h"
#include "phase/certs.h"
#include "phase/external_ca_check.h"
#include "phase/kubeconfig_phase.h"
#include "phase/pki_files.h"
#include "phase/proxy.h"
#include "pki.h"

const bool pki_is_here = true;

static int run(struct genphase *g, const char *name,
               int (*fn)(struct phase *phase, const char *name, const char *kubeconfig_dir, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        int r = phase_open(&g->options, &phase, &err);
        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = fn(phase, name, g->kubeconfig_dir, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

int pki_certs(struct genphase *g, const char *name)
{
        return run(g, name, certs_run);
}

int pki_kubeconfig(struct genphase *g, const char *name)
{
        return run(g, name, kubeconfig_phase_run);
}

/* As kubeadm, --cert-dir stands in place of a configuration file, which has the last word. */
static int run_utility(struct genphase *g, int (*fn)(struct genphase *g, struct phase *phase, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        if (!g->options.config_file)
                g->flags.cert_dir = g->certs_dir;
        int r = phase_open(&g->options, &phase, &err);
        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = fn(g, phase, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

/* Whether what is printed is for people: a program that reads an object does not want lines before it. */
static bool prints_text(const struct genphase *g)
{
        return str_empty(g->options.output) || str_eq(g->options.output, "text");
}

/* getInternalCfg: without --config as the cluster was configured, where it answers; else by default. */
static int run_managed(struct genphase *g, const char *prefix,
                       int (*fn)(struct genphase *g, struct phase *phase, struct err *err))
{
        struct phase *phase CLEANUP_PHASE = NULL;
        char *text CLEANUP_FREE = NULL;
        bool says = prints_text(g) && !g->options.quiet;
        struct err err = ERR_INIT;
        int r = g->options.config_file ? 1 : online_cluster_config(g, says ? prefix : NULL, &text, &err);

        if (r == 0) {
                g->options.config_file = ONLINE_CLUSTER_CONFIG;
                g->options.config_text = text;
                g->options.lenient = true;
                g->options.seen = NULL;
                r = phase_open(&g->options, &phase, &err);
        }
        if (r < 0) {
                g->options.config_file = g->options.config_text = NULL;
                if (!g->options.quiet)
                        (void)fprintf(g->options.log, "warning: %s\n", err.msg);
                if (says)
                        (void)fprintf(g->options.out,
                                      "[%s] Error reading configuration from the Cluster. Falling back to default "
                                      "configuration\n\n",
                                      prefix);
        }
        if (r != 0)
                return run_utility(g, fn);
        if (says)
                phase_say(phase, "%s", "");
        /* kubeadm cannot tell its default from one that was given. */
        if (!era_flag(phase->era, "certificates", "clusterDirectory"))
                phase->config->cluster.certificates_dir = (struct config_text){
                        config_keepf(phase->config, "%s", g->certs_dir ? g->certs_dir : "/etc/kubernetes/pki"),
                        {.origin = "--cert-dir"}};
        r = fn(g, phase, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

static int expiration(struct genphase *g, struct phase *phase, struct err *err)
{
        (void)g;
        return certs_expiration(phase, err);
}

int pki_certs_expiration(struct genphase *g)
{
        return run_managed(g, "check-expiration", expiration);
}

static int renew(struct genphase *g, struct phase *phase, struct err *err)
{
        if (g->csr_only && !g->csr_dir)
                return err_set(err, ERR_USAGE, "please provide a path where CSR request should be stored");
        return certs_renew(phase, g->verb->name, g->csr_only ? g->csr_dir : NULL, err);
}

int pki_certs_renew(struct genphase *g, const char *name)
{
        (void)name;
        return run_managed(g, "renew", renew);
}

/* Here --cert-dir has the last word. */
static int csr(struct genphase *g, struct phase *phase, struct err *err)
{
        if (g->certs_dir)
                phase->config->cluster.certificates_dir =
                        (struct config_text){config_keepf(phase->config, "%s", g->certs_dir), {.origin = "--cert-dir"}};
        return certs_csr(phase, g->kubeconfig_dir, err);
}

int pki_certs_csr(struct genphase *g)
{
        return run_utility(g, csr);
}

static int user(struct genphase *g, struct phase *phase, struct err *err)
{
        return kubeconfig_user_print(phase, &g->kubeconfig_user, err);
}

int pki_kubeconfig_user(struct genphase *g)
{
        struct err err = ERR_INIT;

        if (!g->kubeconfig_user.client_name) {
                (void)err_set(&err, ERR_USAGE, "required flag(s) \"client-name\" not set");
                return genphase_fail(&err, 1);
        }
        return run_utility(g, user);
}

static int proxy_with_kubeconfig(struct phase *phase, const char *name, const char *kubeconfig_dir, struct err *err)
{
        char *ca CLEANUP_FREE = file_join(phase->config->cluster.certificates_dir.text, "ca.crt");

        /* The manifest names the file in its usual place, so --kubeconfig-dir has no say. */
        (void)kubeconfig_dir;
        if (!phase->config->cluster.proxy_disabled.value) {
                if (!phase_exists(phase, ca))
                        phase_warn(phase,
                                   "no %s to sign by, so no kubeconfig for kube-proxy is made; later: genphase "
                                   "kubeconfig %s",
                                   ca, name);
                else if (kubeconfig_phase_run(phase, name, KUBECONFIG_PHASE_DIR, err) < 0)
                        return err_wrap(err, "error execution phase proxy");
        }
        return phase_proxy(phase, err);
}

int pki_proxy(struct genphase *g)
{
        return run(g, "proxy", proxy_with_kubeconfig);
}

int pki_external_ca(struct genphase *g, struct phase *phase, struct err *err)
{
        struct pki_files files CLEANUP_PKI_FILES = {.phase = phase};
        bool external;

        pki_files_init(&files, phase);
        return external_ca_check(&files, g->kubeconfig_dir, &external, err);
}
