/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "pki/internal.h"
#include "pki/verify.h"

/* root, intermediates, leaf: kubeadm's chains have two or three. */
#define CHAIN_MAX 8

/* Go's time.Time as %v in UTC, or in RFC 3339. */
static void time_text(int64_t t, bool rfc3339, char ret[40])
{
        time_t seconds = (time_t)t;
        struct tm tm;

        if (!gmtime_r(&seconds, &tm) ||
            strftime(ret, 40, rfc3339 ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S +0000 UTC", &tm) == 0)
                (void)snprintf(ret, 40, "%lld", (long long)t);
}

int pki_verify_period(const struct pki_cert *cert, int64_t now, struct err *err)
{
        char before[40], after[40];

        time_text(cert->facts.not_before, false, before);
        time_text(cert->facts.not_after, false, after);
        if (now < cert->facts.not_before)
                return err_set(err, ERR_INVALID, "the certificate is not valid yet: NotBefore: %s, NotAfter: %s",
                               before, after);
        if (now > cert->facts.not_after)
                return err_set(err, ERR_INVALID, "the certificate has expired: NotBefore: %s, NotAfter: %s", before,
                               after);
        return 0;
}

static int check_time(const struct pki_cert *cert, int64_t now, struct err *err)
{
        const struct pki_cert_facts *f = &cert->facts;
        char at[40], bound[40];

        if (now >= f->not_before && now <= f->not_after)
                return 0;
        time_text(now, true, at);
        time_text(now < f->not_before ? f->not_before : f->not_after, true, bound);
        return err_set(err, ERR_INVALID, "x509: certificate has expired or is not yet valid: current time %s is %s %s",
                       at, now < f->not_before ? "before" : "after", bound);
}

bool pki_cert_equal(const struct pki_cert *a, const struct pki_cert *b)
{
        return gnutls_x509_crt_equals(a->crt, b->crt);
}

static int refuse_signature(const struct pki_cert *cert, const struct pki_cert *parent, struct err *err)
{
        gnutls_sign_algorithm_t algorithm = (gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(cert->crt);
        bool by_rsa = gnutls_sign_get_pk_algorithm(algorithm) == GNUTLS_PK_RSA;
        bool has_rsa = gnutls_x509_crt_get_pk_algorithm(parent->crt, NULL) == GNUTLS_PK_RSA;

        if (by_rsa != has_rsa)
                return err_set(err, ERR_INVALID,
                               "x509: signature algorithm specifies an %s public key, but have public key of type %s",
                               by_rsa ? "RSA" : "ECDSA", has_rsa ? "*rsa.PublicKey" : "*ecdsa.PublicKey");
        return err_set(err, ERR_INVALID,
                       has_rsa ? "crypto/rsa: verification error" : "x509: ECDSA verification failure");
}

/* Whether parent signed cert; the text is that of Certificate.CheckSignatureFrom. */
static int check_signature(const struct pki_cert *cert, const struct pki_cert *parent, struct err *err)
{
        const struct pki_cert_facts *f = &parent->facts;
        gnutls_x509_crt_t cas[] = {parent->crt};
        unsigned status = 0;

        if ((f->version == 3 && !f->has_constraints) || (f->has_constraints && !f->is_ca) ||
            (f->has_key_usage && !f->may_sign_certs))
                return err_set(err, ERR_INVALID,
                               "x509: invalid signature: parent certificate cannot sign this kind of certificate");
        /* Only the signature: times and extensions are looked at here, in Go's order. */
        int r = gnutls_x509_crt_verify(cert->crt, cas, 1,
                                       GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
                                               GNUTLS_VERIFY_ALLOW_ANY_X509_V1_CA_CRT | GNUTLS_VERIFY_DO_NOT_ALLOW_SAME,
                                       &status);
        if (r >= 0 && status == 0)
                return 0;
        if (r >= 0 && (status & GNUTLS_CERT_INSECURE_ALGORITHM))
                return err_set(err, ERR_INVALID, "x509: cannot verify signature: insecure algorithm %s",
                               gnutls_sign_get_name(
                                       (gnutls_sign_algorithm_t)gnutls_x509_crt_get_signature_algorithm(cert->crt)));
        return refuse_signature(cert, parent, err);
}

struct search {
        struct pki_cert *const *intermediates;
        size_t count;
        const struct pki_cert *root;
        int64_t now;
        const struct pki_cert *chain[CHAIN_MAX];
        size_t depth;
};

static int find_chain(struct search *s, struct err *err);

/* Tries one candidate for the parent of the chain's end. The first refusal is kept as the hint. */
static int try_parent(struct search *s, const struct pki_cert *parent, struct err *ret_hint,
                      const struct pki_cert **ret_hint_cert, struct err *err)
{
        const struct pki_cert *cert = s->chain[s->depth - 1];
        struct err why = ERR_INIT;

        for (size_t i = 0; i < s->depth; i++)
                if (pki_cert_equal(s->chain[i], parent))
                        return -ENOENT;
        if (!gnutls_x509_crt_check_issuer(cert->crt, parent->crt) && !str_eq(cert->facts.issuer, parent->facts.subject))
                return -ENOENT;
        int r = check_signature(cert, parent, &why);
        if (r == 0) {
                r = check_time(parent, s->now, &why);
                if (r < 0)
                        (void)err_set(err, why.code, "%s", why.msg);
        }
        if (r < 0) {
                if (!*ret_hint_cert) {
                        *ret_hint = why;
                        *ret_hint_cert = parent;
                }
                return r;
        }
        if (parent == s->root)
                return 0;
        if (s->depth >= CHAIN_MAX)
                return err_set(err, ERR_INVALID, "x509: too many intermediates for path length constraint");
        s->chain[s->depth++] = parent;
        r = find_chain(s, err);
        s->depth--;
        return r;
}

static int find_chain(struct search *s, struct err *err)
{
        struct err last = ERR_INIT, hint = ERR_INIT;
        const struct pki_cert *hint_cert = NULL;
        int r = try_parent(s, s->root, &hint, &hint_cert, &last);

        for (size_t i = 0; i < s->count && r < 0; i++)
                r = try_parent(s, s->intermediates[i], &hint, &hint_cert, &last);
        if (r >= 0)
                return 0;
        if (last.code)
                return err_set(err, last.code, "%s", last.msg);
        if (!hint_cert)
                return err_set(err, ERR_INVALID, "x509: certificate signed by unknown authority");
        const char *name = hint_cert->facts.common_name;
        if (!*name && hint_cert->facts.organizations.len > 0)
                name = hint_cert->facts.organizations.items[0];
        return err_set(err, ERR_INVALID,
                       "x509: certificate signed by unknown authority (possibly because of \"%s\" while trying to "
                       "verify candidate authority certificate \"%s\")",
                       hint.msg, name);
}

int pki_verify_chain(const struct pki_cert *cert, struct pki_cert *const *intermediates, size_t count,
                     const struct pki_cert *root, int64_t now, struct err *err)
{
        struct search s = {
                .intermediates = intermediates, .count = count, .root = root, .now = now, .chain = {cert}, .depth = 1};
        int r = check_time(cert, now, err);

        if (r < 0)
                return r;
        if (pki_cert_equal(cert, root))
                return 0;
        return find_chain(&s, err);
}

/* Labels of letters, digits, '_' and '-' (not first); in a pattern the first label may be "*". */
static bool valid_hostname(const char *name, size_t len, bool pattern)
{
        size_t label = 0;

        if (pattern && len > 2 && name[0] == '*' && name[1] == '.') {
                name += 2;
                len -= 2;
        }
        for (size_t i = 0; i < len; i++) {
                char c = name[i];
                if (c == '.' && label == 0)
                        return false;
                if (c != '.' && !isalnum((unsigned char)c) && c != '_' && !(c == '-' && label > 0))
                        return false;
                label = c == '.' ? 0 : label + 1;
        }
        return label > 0;
}

/* host without its last dot */
static bool match_hostname(const char *pattern, const char *host, size_t host_len)
{
        if (pattern[0] == '*' && pattern[1] == '.') {
                const char *dot = memchr(host, '.', host_len);
                if (!dot || dot == host)
                        return false;
                pattern++;
                host_len -= (size_t)(dot - host);
                host = dot;
        }
        return strlen(pattern) == host_len && strncasecmp(pattern, host, host_len) == 0;
}

static bool dns_name_covers(const char *pattern, const char *name)
{
        size_t len = strlen(name);

        if (len > 0 && name[len - 1] == '.')
                len--;
        if (valid_hostname(name, len, false) && valid_hostname(pattern, strlen(pattern), true))
                return match_hostname(pattern, name, len);
        return *name && *pattern && !str_eq(name, ".") && strcasecmp(pattern, name) == 0;
}

static int name_error(const struct strv *valid, const char *name, const char *kind, struct err *err)
{
        if (valid->len >= 100)
                return err_set(err, ERR_INVALID, "x509: certificate is valid for %zu %s, but none matched %s",
                               valid->len, kind, name);
        char *list CLEANUP_FREE = strv_join(valid, ", ");
        return err_set(err, ERR_INVALID, "x509: certificate is valid for %s, not %s", list, name);
}

int pki_verify_name(const struct pki_cert *cert, const char *name, struct err *err)
{
        const struct pki_cert_facts *f = &cert->facts;
        struct strv address CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
        char *pattern;

        strv_add(&address, name);
        if (pki_names_tidy(&none, &address, NULL) == 0) {
                if (strv_contains(&f->addresses, address.items[0]))
                        return 0;
                if (f->addresses.len == 0)
                        return err_set(
                                err, ERR_INVALID,
                                "x509: cannot validate certificate for %s because it doesn't contain any IP SANs",
                                name);
                return name_error(&f->addresses, name, "IP SANs", err);
        }
        STRV_FOREACH (pattern, &f->dns_names)
                if (dns_name_covers(pattern, name))
                        return 0;
        if (f->dns_names.len == 0 && f->addresses.len == 0 && dns_name_covers(f->common_name, name))
                return err_set(err, ERR_INVALID,
                               "x509: certificate relies on legacy Common Name field, use SANs instead");
        if (f->dns_names.len == 0)
                return err_set(err, ERR_INVALID, "x509: certificate is not valid for any names, but wanted to match %s",
                               name);
        return name_error(&f->dns_names, name, "names", err);
}

int pki_verify_key(const struct pki_cert *cert, const struct pki_key *key, struct err *err)
{
        struct buf a CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = pki_cert_spki(cert, &a, err);

        if (r == 0)
                r = pki_key_spki(key, &b, err);
        if (r == 0 && (a.len != b.len || memcmp(a.data, b.data, a.len) != 0))
                r = err_set(err, ERR_INVALID, "the private key does not belong to the certificate");
        return r;
}
