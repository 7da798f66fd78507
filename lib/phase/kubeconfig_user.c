/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/kubeconfig.h"
#include "phase/config_flags.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"
#include "phase/pki_files.h"

#define NSEC_PER_SEC INT64_C(1000000000)
#define USUAL_VALIDITY_NSEC (INT64_C(365) * 24 * 3600 * NSEC_PER_SEC)

struct loaded_ca {
        struct pki_certs certs;
        struct pki_key *key;
};

static void loaded_ca_release(struct loaded_ca *ca)
{
        pki_certs_release(&ca->certs);
        (void)pki_key_free(ca->key);
}

/* Client certificate and key as PEM. */
static int make_identity(struct pki_files *files, const struct kubeconfig_user *user, const struct loaded_ca *ca,
                         int64_t validity_nsec, struct buf *cert, struct buf *key_pem, struct err *err)
{
        enum pki_algorithm algorithm = PKI_ALGORITHM_MAX;
        struct pki_cert *made CLEANUP_PKI_CERT = NULL;
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct pki_cert_spec spec = {.common_name = user->client_name,
                                     .organizations = &user->organizations,
                                     .usages = PKI_USAGE_CLIENT,
                                     .not_before = pki_cert_facts(ca->certs.items[0])->not_before};
        int r = pki_files_algorithm(files, &algorithm, err);

        files->phase->config->cluster.certificate_validity_period.nsec = validity_nsec;
        if (r == 0)
                r = pki_key_generate(algorithm, &key, err);
        if (r == 0)
                r = pki_files_issue(files, &spec, key, ca->certs.items[0], ca->key, "ca", &made, err);
        if (r == 0)
                r = pki_cert_write(made, cert, err);
        if (r == 0)
                r = pki_key_write_private(key, key_pem, err);
        return r < 0 ? err_wrap(err, "failure while creating %s client certificate", user->client_name) : 0;
}

static int parse_validity(const struct kubeconfig_user *user, int64_t *ret, struct err *err)
{
        *ret = USUAL_VALIDITY_NSEC;
        return user->validity_period ? config_flag_duration("validity-period", user->validity_period, ret, err) : 0;
}

static int check_validity(const struct phase *phase, const struct kubeconfig_user *user, int64_t nsec, struct err *err)
{
        if (nsec <= 0)
                return err_set(err, ERR_USAGE, "--validity-period: %s is over before it begins", user->validity_period);
        if (nsec > USUAL_VALIDITY_NSEC)
                phase_warn(phase,
                           "WARNING: the specified certificate validity period %s is longer than the default duration "
                           "8760h0m0s, this may increase security risks.",
                           user->validity_period);
        return 0;
}

static int print(const struct phase *phase, const struct kubeconfig *config, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE * 2);

        kubeconfig_write(config, era_flag(phase->era, "certificates", "kubeconfigPreferences"), &out);
        int r = buf_check(&out, "kubeconfig", err);
        if (r == 0)
                (void)fprintf(phase->options.out, "%s\n", buf_str(&out));
        if (out.data)
                explicit_bzero(out.data, out.len);
        return r;
}

int kubeconfig_user_print(struct phase *phase, const struct kubeconfig_user *user, struct err *err)
{
        struct buf ca_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), cert CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                          key CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct loaded_ca ca CLEANUP(loaded_ca_release) = {.key = NULL};
        struct pki_files files CLEANUP_PKI_FILES = {.phase = phase};
        char *server CLEANUP_FREE = config_control_plane_endpoint(phase->config);
        const char *cluster = phase->config->cluster.cluster_name.text;
        const char *token = str_empty(user->token) ? NULL : user->token;
        int64_t validity_nsec;
        int r = parse_validity(user, &validity_nsec, err);

        if (r < 0)
                return r;
        pki_files_init(&files, phase);
        r = pki_files_load_pair(&files, "ca", &ca.certs, &ca.key, err);
        if (r < 0)
                return err_wrap(err, "couldn't create a kubeconfig; the CA files couldn't be loaded");
        r = check_validity(phase, user, validity_nsec, err);
        if (r < 0)
                return r;
        pki_files_check_period(&files, "ca", ca.certs.items[0]);
        phase_warn_endpoint_port(phase);
        if (!token)
                r = make_identity(&files, user, &ca, validity_nsec, &cert, &key, err);
        if (r == 0)
                r = pki_cert_write(ca.certs.items[0], &ca_pem, err);
        if (r < 0)
                return r;
        char *context CLEANUP_FREE = xasprintf("%s@%s", user->client_name, cluster);
        const struct kubeconfig config = {.cluster = (char *)cluster,
                                          .user = (char *)user->client_name,
                                          .context = context,
                                          .server = server,
                                          .ca_pem = ca_pem.data,
                                          .cert_pem = token ? NULL : cert.data,
                                          .key_pem = token ? NULL : key.data,
                                          .token = (char *)token};
        r = print(phase, &config, err);
        if (key.data)
                explicit_bzero(key.data, key.len);
        return r;
}
