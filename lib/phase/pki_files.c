/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "phase/phase.h"
#include "phase/pki_files.h"
#include "pki/verify.h"

void pki_files_init(struct pki_files *files, struct phase *phase)
{
        *files = (struct pki_files){.phase = phase, .now = (int64_t)(clock_realtime() / USEC_PER_SEC)};
}

void pki_files_release(struct pki_files *files)
{
        strv_release(&files->checked);
}

char *pki_files_path(const struct pki_files *files, const char *base_name, const char *suffix)
{
        char *name CLEANUP_FREE = xasprintf("%s%s", base_name, suffix);

        return config_certificate_path(files->phase->config, name);
}

bool pki_files_any(const struct pki_files *files, const char *base_name)
{
        char *crt CLEANUP_FREE = pki_files_path(files, base_name, ".crt");
        char *key CLEANUP_FREE = pki_files_path(files, base_name, ".key");

        return phase_exists(files->phase, crt) || phase_exists(files->phase, key);
}

int pki_files_load_certs(const struct pki_files *files, const char *base_name, struct pki_certs *ret, struct err *err)
{
        char *path CLEANUP_FREE = pki_files_path(files, base_name, ".crt"), *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(files->phase, path, LIMIT_PKI_FILE, &text, &len, err);

        if (r == 0) {
                r = pki_certs_load(text, len, ret, err);
                if (r < 0)
                        (void)err_wrap(err, "error reading %s", path);
        }
        if (r < 0)
                (void)err_wrap(err, "couldn't load the certificate file %s", path);
        return r;
}

int pki_files_read_key(const struct pki_files *files, const char *path, struct pki_key **ret, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(files->phase, path, LIMIT_PKI_FILE, &text, &len, err);

        if (r < 0)
                return r == -ENOENT ? 1 : r;
        r = pki_key_load(text, len, ret, err);
        explicit_bzero(text, len);
        if (r < 0 && r != -ERR_UNSUPPORTED)
                (void)err_wrap(err, "error reading private key file %s", path);
        return r;
}

int pki_files_load_key(const struct pki_files *files, const char *base_name, struct pki_key **ret, struct err *err)
{
        char *path CLEANUP_FREE = pki_files_path(files, base_name, ".key");
        int r = pki_files_read_key(files, path, ret, err);

        if (r == -ERR_UNSUPPORTED)
                return err_set(err, ERR_UNSUPPORTED, "the private key file %s is neither in RSA nor ECDSA format",
                               path);
        if (r != 0)
                (void)err_wrap(err, "couldn't load the private key file %s", path);
        return r > 0 ? -ENOENT : r;
}

int pki_files_load_pair(const struct pki_files *files, const char *base_name, struct pki_certs *ret_certs,
                        struct pki_key **ret_key, struct err *err)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {.items = NULL};
        int r = pki_files_load_certs(files, base_name, &certs, err);

        if (r < 0)
                return err_wrap(err, "failed to load certificate");
        r = pki_files_load_key(files, base_name, ret_key, err);
        if (r < 0)
                return err_wrap(err, "failed to load key");
        *ret_certs = certs;
        certs = (struct pki_certs){.items = NULL};
        return 0;
}

int pki_files_load_authority(struct pki_files *files, const char *base_name, struct pki_certs *ret_certs,
                             struct pki_key **ret_key, struct err *err)
{
        if (!pki_files_any(files, base_name))
                return err_set(err, ENOENT, "couldn't load %s certificate authority from %s", base_name,
                               files->phase->config->cluster.certificates_dir.text);
        int r = pki_files_load_pair(files, base_name, ret_certs, ret_key, err);
        if (r < 0)
                return err_wrap(err, "failure loading %s certificate authority", base_name);
        pki_files_check_period(files, base_name, ret_certs->items[0]);
        if (!pki_cert_facts(ret_certs->items[0])->is_ca)
                return err_set(err, ERR_INVALID, "%s certificate is not a certificate authority", base_name);
        return 0;
}

void pki_files_check_period(struct pki_files *files, const char *name, const struct pki_cert *cert)
{
        struct err why = ERR_INIT;

        if (strv_contains(&files->checked, name))
                return;
        strv_add(&files->checked, name);
        phase_detail(files->phase, 5, "validating certificate period for %s certificate", name);
        if (pki_verify_period(cert, files->now, &why) < 0)
                phase_warn(files->phase, "WARNING: could not validate bounds for certificate %s: %s", name, why.msg);
}

int pki_files_add_pair(const struct pki_files *files, const char *base_name, const struct pki_cert *cert,
                       const struct pki_key *key, const char *context, struct err *err)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), key_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *crt_path CLEANUP_FREE = pki_files_path(files, base_name, ".crt");
        char *key_path CLEANUP_FREE = pki_files_path(files, base_name, ".key");
        int r = pki_key_write_private(key, &key_pem, err);

        if (r == 0)
                r = pki_cert_write(cert, &pem, err);
        if (r < 0)
                return r;
        phase_add_file(files->phase, key_path, key_pem.data, key_pem.len, 0600, 0755, PHASE_FILE_SECRET);
        phase_file_context(
                files->phase,
                "%s: failure while saving %s certificate and key: couldn't write key: unable to write private "
                "key to file %s",
                context, base_name, key_path);
        phase_add_file(files->phase, crt_path, pem.data, pem.len, 0644, 0755, 0);
        phase_file_context(files->phase,
                           "%s: failure while saving %s certificate and key: unable to write certificate to file %s",
                           context, base_name, crt_path);
        explicit_bzero(key_pem.data, key_pem.len);
        return 0;
}

int pki_files_finish(const struct pki_files *files, int r, bool *ret_written, struct err *err)
{
        bool written = false;

        if (r >= 0) {
                r = phase_commit(files->phase, err);
                written = r >= 0;
        } else if (files->phase->as_kubeadm) {
                written = phase_commit(files->phase, NULL) >= 0;
        } else {
                phase_discard(files->phase);
        }
        if (ret_written)
                *ret_written = written;
        return r;
}

/* "ca": a leaf begins when its CA does; else a duration before now. */
static int set_validity(const struct pki_files *files, struct pki_cert_spec *spec, const struct pki_cert *ca,
                        struct err *err)
{
        const struct config_cluster *cluster = &files->phase->config->cluster;
        const char *row = spec->ca ? "caNotBefore" : "notBefore";
        const char *rule = era_text(files->phase->era, "certificates", row, "0s");
        const struct config_duration *period =
                spec->ca ? &cluster->ca_certificate_validity_period : &cluster->certificate_validity_period;
        int64_t back = 0, valid = period->nsec;

        if (spec->not_before == 0) {
                if (!str_eq(rule, "ca") && duration_parse(rule, &back, err) < 0)
                        return err_wrap(err, "era row %s", row);
                spec->not_before =
                        str_eq(rule, "ca") && ca ? pki_cert_facts(ca)->not_before : files->now - back / 1000000000;
        }
        /* A period that was written down counts, though it be none at all. */
        if (!period->set && valid <= 0)
                valid = (spec->ca ? 3650LL : 365LL) * 86400 * 1000000000;
        spec->not_after = files->now + valid / 1000000000;
        return 0;
}

int pki_files_issue(const struct pki_files *files, struct pki_cert_spec *spec, const struct pki_key *key,
                    const struct pki_cert *ca, const struct pki_key *ca_key, const char *ca_base_name,
                    struct pki_cert **ret, struct err *err)
{
        const struct era *era = files->phase->era;
        int r = set_validity(files, spec, ca, err);

        if (r < 0)
                return r;
        spec->basic_constraints = era_flag(era, "certificates", "leafBasicConstraints");
        spec->key_id = str_eq(era_text(era, "certificates", "keyIdentifier", "sha1"), "sha256") ? PKI_KEY_ID_SHA256
                                                                                                : PKI_KEY_ID_SHA1;
        if (ca && pki_verify_key(ca, ca_key, NULL) < 0) {
                char *crt CLEANUP_FREE = pki_files_path(files, ca_base_name, ".crt");
                char *file CLEANUP_FREE = pki_files_path(files, ca_base_name, ".key");
                return err_set(err, ERR_INVALID,
                               "unable to sign certificate: x509: provided PrivateKey doesn't match parent's PublicKey "
                               "(%s is not the key of %s)",
                               file, crt);
        }
        r = pki_cert_create(spec, key, ca, ca_key, ret, err);
        return r < 0 ? err_wrap(err, ca ? "unable to sign certificate" : "unable to create self-signed CA certificate")
                     : 0;
}

int pki_files_algorithm(const struct pki_files *files, enum pki_algorithm *ret, struct err *err)
{
        const struct config_gates *gates = &files->phase->config->cluster.feature_gates;

        /* The older gate decides where it was given, on or off. */
        for (size_t i = 0; i < gates->count; i++)
                if (str_eq(gates->items[i].name, "PublicKeysECDSA")) {
                        *ret = gates->items[i].enabled ? PKI_ALGORITHM_ECDSA_P256 : PKI_ALGORITHM_RSA_2048;
                        return 0;
                }
        /* The default is the same in all kubeadms, whatever they call it. */
        const char *name = files->phase->config->cluster.encryption_algorithm.text;
        bool given = !str_eq(name, era_text(files->phase->era, "config", "encryptionAlgorithm", ""));
        return pki_algorithm_parse(given ? name : "", ret, err);
}
