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

static int run_expiration(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        g->options.prints = true;
        return pki_certs_expiration(g);
}

static int run_renew(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        return pki_certs_renew(g, g->verb->name);
}

static int run_csr(void *userdata, const struct strv *args)
{
        (void)args;
        return pki_certs_csr(userdata);
}

static int run_user(void *userdata, const struct strv *args)
{
        (void)args;
        return pki_kubeconfig_user(userdata);
}

/* clang-format off */
#define OPTION_CERTS_DIR OPTION_TEXT("cert-dir", certs_dir, "DIR", "where certificates are (default /etc/kubernetes/pki)")
static const struct cli_option expiration_options[] = {
        OPTION_CONFIG, OPTION_CERTS_DIR, OPTION_KUBECONFIG,
        OPTIONS_PRINTER(options.output),
        {0}
};

/* --csr-only and --csr-dir were kubeadm's up to 1.22. */
static const struct cli_option renew_options[] = {
        OPTION_CONFIG, OPTION_CERTS_DIR, OPTION_KUBECONFIG,
        {"csr-only", 0, CLI_FLAG, offsetof(struct genphase, csr_only), NULL, "make keys and requests in --csr-dir, renew nothing"},
        OPTION_TEXT("csr-dir", csr_dir, "DIR", "where --csr-only puts keys and requests"),
        OPTION_ACTIONS_OUTPUT,
        {0}
};

#define RENEW_TEXT \
        "The key is a new one; subject, names and usages are those of the certificate that is there, whenever it expires. What " \
        "an external CA has signed is left alone. Restart the components afterwards."
/* A CA is not renewed: its row is for the list's sake. */
#define RENEW_HIDDEN_NONE true
#define RENEW_HIDDEN_SERVER false
#define RENEW_HIDDEN_CLIENT false
#define RENEW_HIDDEN_BOTH false
static const struct cli_verb renew_verbs[] = {
        {.name = "all", .help = "Renew all available certificates", .options = renew_options, .run = run_renew, .text = RENEW_TEXT},
#define X(verb, long_name, base_name, ca, common_name, organization_row, usage, names) \
        {.name = verb, .help = "Renew the " long_name, .options = renew_options, .run = run_renew, .text = RENEW_TEXT, \
         .hidden = RENEW_HIDDEN_##usage},
        CERTS_LIST(X)
#undef X
#define X(file, long_name, exists_row) \
        {.name = file, .help = "Renew the " long_name, .options = renew_options, .run = run_renew, .text = RENEW_TEXT},
        CERTS_KUBECONFIG_LIST(X)
#undef X
        {0}
};

static const struct cli_option csr_options[] = {
        OPTION_CONFIG, OPTION_CERTS_DIR,
        OPTION_TEXT("kubeconfig-dir", kubeconfig_dir, "DIR", "where the kubeconfig files are put (default /etc/kubernetes)"),
        OPTION_ACTIONS_OUTPUT, {0}
};

#define OPTIONS_CERTS OPTION_CONFIG, OPTION_CERT_DIR, OPTION_KUBERNETES_VERSION, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT
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
        {.name = "check-expiration", .help = "Check certificates expiration for a Kubernetes cluster", .options = expiration_options,
         .run = run_expiration},
        {.name = "renew", .help = "Renew certificates for a Kubernetes cluster", .verbs = renew_verbs},
        {.name = "generate-csr", .help = "Generate keys and certificate signing requests", .options = csr_options, .run = run_csr,
         .text = "For a CA that is kept elsewhere: NAME.csr beside each key, and kubeconfig files that lack the certificate alone."},
        {.name = "certificate-key", .help = "Generate certificate keys", .run = verb_certificate_key,
         .text = "Prints a random key for --certificate-key."},
        {0}
};

#define OPTIONS_KUBECONFIG \
        OPTION_CONFIG, OPTION_CERT_DIR, OPTION_KUBERNETES_VERSION, OPTION_ADVERTISE_ADDRESS, OPTION_BIND_PORT, \
        OPTION_CONTROL_PLANE_ENDPOINT, OPTION_NODE_NAME, OPTION_DRY_RUN, OPTION_ACTIONS_OUTPUT, \
        OPTION_TEXT("kubeconfig-dir", kubeconfig_dir, "DIR", "where the files are put (default /etc/kubernetes)")

static const struct cli_option kubeconfig_options[] = {OPTIONS_KUBECONFIG, {0}};

static const struct cli_option user_options[] = {
        OPTION_CONFIG,
        OPTION_TEXT("client-name", kubeconfig_user.client_name, "NAME", "name of the user: the CN of the certificate"),
        {"org", 0, CLI_LIST, offsetof(struct genphase, kubeconfig_user.organizations), "NAME,...", "groups of the user: O of the certificate"},
        OPTION_TEXT("token", kubeconfig_user.token, "TOKEN", "authenticate by it and not by a certificate"),
        OPTION_TEXT("validity-period", kubeconfig_user.validity_period, "DURATION", "how long the certificate is valid (default 8760h0m0s)"),
        {0}
};

const struct cli_verb kubeconfig_verbs[] = {
        {.name = "all", .help = "Generate all kubeconfig files", .options = kubeconfig_options, .run = run_kubeconfig},
#define X(verb, verb_help, user, organization, organization_row, exists_row, server, origin) \
        {.name = verb, .help = verb_help, .options = kubeconfig_options, .run = run_kubeconfig, \
         .text = "Saves it into " verb ".conf. A file that is there is kept where its cluster trusts the CA."},
        KUBECONFIG_LIST(X)
#undef X
        {.name = "user", .help = "Output a kubeconfig file for an additional user", .options = user_options, .run = run_user,
         .text = "Prints it; nothing is written."},
        {0}
};
/* clang-format on */
