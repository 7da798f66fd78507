/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs below certs and kubeconfig, made of the lists of the phases.
 */
#include <stddef.h>

#include "genphase.h"
#include "phase/certs.h"
#include "phase/kubeconfig_phase.h"
#include "pki.h"

static int run_certs(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        return pki_certs(g, g->verb->name);
}

static int run_kubeconfig(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        return pki_kubeconfig(g, g->verb->name);
}

/* clang-format off */
#define OPTIONS_CERTS OPTION_CONFIG, OPTION_CERT_DIR, OPTION_KUBERNETES_VERSION, OPTION_DRY_RUN
#define OPTIONS_NAMES \
        OPTION_ADVERTISE_ADDRESS, OPTION_CONTROL_PLANE_ENDPOINT, OPTION_SERVICE_CIDR, OPTION_SERVICE_DNS_DOMAIN, \
        {"apiserver-cert-extra-sans", 0, CLI_LIST, offsetof(struct genphase, flags.apiserver_cert_extra_sans), "NAME,...", \
         "more names and addresses for the certificate of the API server"}

static const struct cli_option certs_options[] = {OPTIONS_CERTS, {0}};
static const struct cli_option certs_names_options[] = {OPTIONS_CERTS, OPTIONS_NAMES, {0}};

/* Which certificates take the flags about names: kubeadm gives them to the API server's alone. */
#define OPTIONS_FOR_NONE certs_options
#define OPTIONS_FOR_APISERVER certs_names_options
#define OPTIONS_FOR_ETCD_SERVER certs_options
#define OPTIONS_FOR_ETCD_PEER certs_options

const struct cli_verb certs_verbs[] = {
        {.name = "all", .help = "Generate all certificates", .options = certs_names_options, .run = run_certs},
#define X(verb, long_name, base_name, ca, common_name, organization_row, usage, names) \
        {.name = verb, .help = "Generate the " long_name, .options = OPTIONS_FOR_##names, .run = run_certs, \
         .text = "Saves it into " base_name ".crt and " base_name ".key. Files that are there are checked and used."},
        CERTS_LIST(X)
#undef X
        {.name = "sa", .help = "Generate a private key for signing service account tokens along with its public key",
         .options = certs_options, .run = run_certs,
         .text = "Saves them into sa.key and sa.pub. A key that is there is used."},
        {0}
};

#define OPTIONS_KUBECONFIG \
        OPTION_CONFIG, OPTION_CERT_DIR, OPTION_KUBERNETES_VERSION, OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT, \
        OPTION_CONTROL_PLANE_ENDPOINT, OPTION_NODE_NAME, OPTION_DRY_RUN, \
        OPTION_TEXT("kubeconfig-dir", kubeconfig_dir, "DIR", "where the files are put (default /etc/kubernetes)")

static const struct cli_option kubeconfig_options[] = {OPTIONS_KUBECONFIG, {0}};

const struct cli_verb kubeconfig_verbs[] = {
        {.name = "all", .help = "Generate all kubeconfig files", .options = kubeconfig_options, .run = run_kubeconfig},
#define X(verb, verb_help, user, organization, organization_row, exists_row, server, origin) \
        {.name = verb, .help = verb_help, .options = kubeconfig_options, .run = run_kubeconfig, \
         .text = "Saves it into " verb ".conf. A file that is there is kept where its cluster trusts the CA."},
        KUBECONFIG_LIST(X)
#undef X
        {0}
};
/* clang-format on */
