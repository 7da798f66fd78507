#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The little of DER (X.690) that certificates need beyond what GnuTLS writes: extensions and EC keys are laid out here
 * so that their bytes are those of Go's crypto/x509, which kubeadm uses.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum der_tag {
        DER_INTEGER = 0x02,
        DER_BIT_STRING = 0x03,
        DER_OCTET_STRING = 0x04,
        DER_NULL = 0x05,
        DER_OID = 0x06,
        DER_UTF8_STRING = 0x0c,
        DER_PRINTABLE_STRING = 0x13,
        DER_SEQUENCE = 0x30,
        DER_SET = 0x31,
        DER_CONTEXT_0 = 0xa0, /* [0], constructed */
        DER_CONTEXT_1 = 0xa1,
        DER_CONTEXT_0_PRIMITIVE = 0x80,
        DER_CONTEXT_2_PRIMITIVE = 0x82, /* dNSName of a GeneralName */
        DER_CONTEXT_7_PRIMITIVE = 0x87, /* iPAddress of a GeneralName */
};

/* Appends tag, length and content. */
void der_add(struct buf *out, uint8_t tag, const void *content, size_t len);

/* A stretch of DER that is being read. */
struct der {
        const uint8_t *data;
        size_t len;
};

/* Takes the next element off `from`; false where there is none that is whole, or the tag has more than one byte. */
bool der_next(struct der *from, uint8_t *ret_tag, struct der *ret_content);
