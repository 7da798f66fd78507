/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "node/serving_cert.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define CERT_NAME "kubelet.crt"
#define KEY_NAME "kubelet.key"
#define DIRECTORY_MODE 0755
#define CERT_MODE 0644
#define KEY_MODE 0600
#define HOUR 3600
#define YEAR (365 * 24 * HOUR)

static int read_file(const char *path, char **ret, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = file_read(path, &text, err);

        if (r == 0)
                *ret = buf_steal(&text, NULL);
        return r;
}

static int read_pair(const char *cert_file, const char *key_file, char **ret_cert, char **ret_key, struct err *err)
{
        char *cert CLEANUP_FREE = NULL;
        int r = read_file(cert_file, &cert, err);

        if (r == 0)
                r = read_file(key_file, ret_key, err);
        if (r == 0)
                *ret_cert = TAKE_PTR(cert);
        return r;
}

static int check_pair(const char *cert_pem, const char *key_pem, int64_t now, struct err *err)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = pki_certs_load(cert_pem, strlen(cert_pem), &certs, err);

        if (r == 0)
                r = pki_key_load(key_pem, strlen(key_pem), &key, err);
        if (r == 0)
                r = pki_verify_key(certs.items[0], key, err);
        return r < 0 ? r : pki_verify_period(certs.items[0], now, err);
}

static int make_ca(const struct serving_cert_options *options, int64_t now, struct pki_cert **ret,
                   struct pki_key **ret_key, struct err *err)
{
        char *name CLEANUP_FREE = xasprintf("%s-ca@%lld", options->host, (long long)now);
        const struct pki_cert_spec spec = {
                .common_name = name, .ca = true, .not_before = now - HOUR, .not_after = now - HOUR + YEAR};
        int r = pki_key_generate(PKI_ALGORITHM_ECDSA_P256, ret_key, err);

        return r < 0 ? r : pki_cert_create(&spec, *ret_key, NULL, NULL, ret, err);
}

static int make_leaf(const struct serving_cert_options *options, int64_t now, const struct pki_cert *ca,
                     const struct pki_key *ca_key, const struct pki_key *key, struct pki_cert **ret, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT, addresses CLEANUP_STRV = STRV_INIT;
        char *name CLEANUP_FREE = xasprintf("%s@%lld", options->host, (long long)now);
        const struct pki_cert_spec spec = {
                .common_name = name,
                .dns_names = &names,
                .addresses = &addresses,
                .usages = PKI_USAGE_SERVER,
                .basic_constraints = true,
                .not_before = now - HOUR,
                .not_after = now - HOUR + YEAR,
        };

        /* A node may be called by an address. */
        strv_add(&addresses, options->host);
        if (pki_names_tidy(&names, &addresses, NULL) < 0) {
                strv_release(&addresses);
                strv_add(&names, options->host);
        }
        if (!str_empty(options->address) && !strv_contains(&addresses, options->address))
                strv_add(&addresses, options->address);
        int r = pki_names_tidy(&names, &addresses, err);
        return r < 0 ? r : pki_cert_create(&spec, key, ca, ca_key, ret, err);
}

static int make(const struct serving_cert_options *options, int64_t now, struct buf *cert_pem, struct buf *key_pem,
                struct err *err)
{
        struct pki_key *ca_key CLEANUP_PKI_KEY = NULL, *key CLEANUP_PKI_KEY = NULL;
        struct pki_cert *ca CLEANUP_PKI_CERT = NULL, *cert CLEANUP_PKI_CERT = NULL;
        int r = make_ca(options, now, &ca, &ca_key, err);

        if (r == 0)
                r = pki_key_generate(PKI_ALGORITHM_ECDSA_P256, &key, err);
        if (r == 0)
                r = make_leaf(options, now, ca, ca_key, key, &cert, err);
        if (r == 0)
                r = pki_cert_write(cert, cert_pem, err);
        if (r == 0)
                r = pki_cert_write(ca, cert_pem, err);
        return r < 0 ? r : pki_key_write_private(key, key_pem, err);
}

static int make_files(const struct serving_cert_options *options, const char *cert_file, const char *key_file,
                      int64_t now, char **ret_cert, char **ret_key, struct err *err)
{
        struct buf cert CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), key CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = file_mkdir_p(options->cert_dir, DIRECTORY_MODE, err);

        if (r >= 0)
                r = make(options, now, &cert, &key, err);
        if (r >= 0)
                r = file_write_atomic(key_file, key.data, key.len, KEY_MODE, 0, err);
        if (r >= 0)
                r = file_write_atomic(cert_file, cert.data, cert.len, CERT_MODE, 0, err);
        if (r < 0)
                return err_wrap(err, "cannot make a serving certificate");
        *ret_cert = buf_steal(&cert, NULL);
        *ret_key = buf_steal(&key, NULL);
        return 0;
}

int serving_cert_load(const struct serving_cert_options *options, int64_t now, char **ret_cert, char **ret_key,
                      struct err *err)
{
        char *cert_file CLEANUP_FREE = NULL, *key_file CLEANUP_FREE = NULL;
        char *cert CLEANUP_FREE = NULL, *key CLEANUP_FREE = NULL;
        struct err why = ERR_INIT;

        if (options->cert_file)
                return read_pair(options->cert_file, options->key_file, ret_cert, ret_key, err);
        cert_file = file_join(options->cert_dir, CERT_NAME);
        key_file = file_join(options->cert_dir, KEY_NAME);
        int r = read_pair(cert_file, key_file, &cert, &key, &why);
        if (r == 0)
                r = check_pair(cert, key, now, &why);
        if (r < 0) {
                log_debug("a new serving certificate is made: %s", why.msg);
                return make_files(options, cert_file, key_file, now, ret_cert, ret_key, err);
        }
        *ret_cert = TAKE_PTR(cert);
        *ret_key = TAKE_PTR(key);
        return 0;
}
