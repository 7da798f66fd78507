/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "pki/internal.h"

/* Attributes of one subject that are looked at. */
#define ATTRIBUTES_MAX 1000
#define VALUE_BYTES_MAX 1024

/* The ASN.1 string types whose bytes are the text itself. */
static bool is_plain(unsigned long tag)
{
        enum { UTF8 = 12, NUMERIC = 18, PRINTABLE = 19, TELETEX = 20, IA5 = 22 };

        return tag == UTF8 || tag == NUMERIC || tag == PRINTABLE || tag == TELETEX || tag == IA5;
}

static int add(const gnutls_x509_ava_st *attribute, struct strv *ret, struct err *err)
{
        const gnutls_datum_t *value = &attribute->value;

        if (!is_plain(attribute->value_tag))
                return err_set(err, ERR_INVALID, "the subject holds a text of ASN.1 type %lu", attribute->value_tag);
        if (value->size > VALUE_BYTES_MAX)
                return err_set(err, ERR_INVALID, "the subject holds a text of %u bytes", value->size);
        /* It would be read as another name. */
        if (value->size > 0 && memchr(value->data, '\0', value->size))
                return err_set(err, ERR_INVALID, "the subject holds a NUL byte");
        strv_take(ret, xstrndup((const char *)value->data, value->size));
        return 0;
}

int pki_subject_texts(gnutls_x509_crt_t crt, const char *oid, struct strv *ret, struct err *err)
{
        gnutls_x509_dn_t dn;
        unsigned seen = 0;
        int r = gnutls_x509_crt_get_subject(crt, &dn);

        if (r < 0)
                return err_set(err, ERR_INVALID, "the subject cannot be read: %s", gnutls_strerror(r));
        for (int rdn = 0;; rdn++) {
                gnutls_x509_ava_st attribute;
                int at = 0;

                for (; gnutls_x509_dn_get_rdn_ava(dn, rdn, at, &attribute) == 0; at++) {
                        const size_t len = strlen(oid);

                        if (++seen > ATTRIBUTES_MAX)
                                return err_set(err, ERR_INVALID, "the subject has more than %d attributes",
                                               ATTRIBUTES_MAX);
                        if (attribute.oid.size < len || memcmp(attribute.oid.data, oid, len) != 0 ||
                            (attribute.oid.size > len && attribute.oid.data[len] != '\0'))
                                continue;
                        r = add(&attribute, ret, err);
                        if (r < 0)
                                return r;
                }
                if (at == 0)
                        return 0;
        }
}
