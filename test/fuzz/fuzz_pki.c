/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys and certificates in PEM: what is read can be written and read back as the same; checks of a certificate that
 * came from anywhere end.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "fuzz.h"
#include "pki/cert.h"
#include "pki/der.h"
#include "pki/key.h"
#include "pki/verify.h"

static void try_key(const char *text, size_t len)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), pub CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct pki_key *key CLEANUP_PKI_KEY = NULL, *again CLEANUP_PKI_KEY = NULL;
        struct err err = ERR_INIT;

        if (pki_key_load(text, len, &key, &err) < 0) {
                MUST(err.code != 0 && !key);
                return;
        }
        MUST(pki_key_check_public(key, text, len, NULL) <= 0);
        /* Curves that kubeadm does not make are read but not written. */
        if (pki_key_write_private(key, &out, NULL) < 0)
                return;
        MUST(pki_key_load(buf_str(&out), out.len, &again, NULL) == 0);
        MUST(pki_key_equal(key, again));
        if (pki_key_write_public(key, &pub, NULL) == 0)
                MUST(pki_key_check_public(again, buf_str(&pub), pub.len, NULL) == 0);
}

static void try_certs(const char *text, size_t len)
{
        static const char *const names[] = {
                "a.b.example.org", "10.0.0.1", "kubernetes", "kubernetes.", "a..b", "", "[::1]"};
        struct pki_certs certs CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct err err = ERR_INIT;

        (void)pki_key_load(text, len, &key, NULL);
        if (pki_certs_load(text, len, &certs, &err) < 0) {
                MUST(err.code != 0 && certs.count == 0);
                return;
        }
        MUST(certs.count > 0);
        for (size_t i = 0; i < certs.count; i++) {
                struct pki_certs again CLEANUP_PKI_CERTS = {.items = NULL};
                struct buf out CLEANUP_BUF = BUF_INIT(2 * LIMIT_PKI_FILE);
                const struct pki_cert_facts *facts = pki_cert_facts(certs.items[i]);
                MUST(facts->subject && facts->issuer && facts->common_name);
                MUST(pki_cert_write(certs.items[i], &out, NULL) == 0);
                MUST(pki_certs_load(buf_str(&out), out.len, &again, NULL) == 0);
                MUST(again.count == 1 && pki_cert_equal(again.items[0], certs.items[i]));
                (void)pki_verify_chain(certs.items[i], certs.items, certs.count, certs.items[0], facts->not_after,
                                       NULL);
                (void)pki_verify_chain(certs.items[i], NULL, 0, certs.items[certs.count - 1], facts->not_before, NULL);
                (void)pki_verify_chain(certs.items[i], certs.items, certs.count, certs.items[0], facts->not_after + 1,
                                       NULL);
                (void)pki_verify_period(certs.items[i], facts->not_after + 1, NULL);
                MUST(facts->not_before > facts->not_after ||
                     pki_verify_period(certs.items[i], facts->not_before, NULL) == 0);
                for (size_t k = 0; k < ARRAY_SIZE(names); k++)
                        (void)pki_verify_name(certs.items[i], names[k], NULL);
                if (key)
                        MUST(pki_verify_key(certs.items[i], key, NULL) <= 0);
                (void)pki_verify_period(certs.items[i], 0, NULL);
        }
}

/* All elements, and what is in those that hold others. */
static void walk(struct der from, int depth)
{
        struct der content;
        uint8_t tag;

        while (depth < 20 && der_next(&from, &tag, &content)) {
                MUST(content.len <= from.len + content.len && (content.len == 0 || content.data));
                walk(content, depth + 1);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size > LIMIT_PKI_FILE)
                return 0;
        walk((struct der){data, size}, 0);
        try_key((const char *)data, size);
        try_certs((const char *)data, size);
        return 0;
}
