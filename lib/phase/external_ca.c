/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether the cluster's CA is kept elsewhere: its certificate is here, its key is not (kubeadm: phases/certs/certs.go,
 * UsingExternalCA). Looked at without a TLS library, which the phases that only ask this question should not load: PEM,
 * and the one extension that makes a certificate a CA's.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "codec/base64.h"
#include "phase/component.h"

static const char begin_mark[] = "-----BEGIN CERTIFICATE-----", end_mark[] = "-----END CERTIFICATE-----";

/* basicConstraints (2.5.29.19) with cA TRUE, critical or not. */
static bool is_ca(const char *der, size_t len)
{
        static const char oid[] = "\x06\x03\x55\x1d\x13", critical[] = "\x01\x01\xff", ca[] = "\x01\x01\xff";
        const char *p = memmem(der, len, oid, sizeof(oid) - 1), *end = der + len;

        if (!p)
                return false;
        p += sizeof(oid) - 1;
        if (end - p >= 3 && memcmp(p, critical, 3) == 0)
                p += 3;
        /* OCTET STRING { SEQUENCE { BOOLEAN TRUE, pathLen? } } */
        return end - p >= 7 && p[0] == 0x04 && p[2] == 0x30 && memcmp(p + 4, ca, 3) == 0;
}

bool component_external_ca(const struct phase *phase)
{
        char *cert CLEANUP_FREE = config_certificate_path(phase->config, "ca.crt");
        char *key CLEANUP_FREE = config_certificate_path(phase->config, "ca.key");
        struct buf der CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        char *pem CLEANUP_FREE = NULL;
        size_t len;

        if (phase_read_file(phase, cert, LIMIT_MANIFEST_BYTES, &pem, &len, NULL) != 0 || phase_exists(phase, key))
                return false;
        const char *start = strstr(pem, begin_mark), *end = start ? strstr(start, end_mark) : NULL;
        if (!end)
                return false;
        start += sizeof(begin_mark) - 1;
        return base64_decode(start, (size_t)(end - start), &der, NULL) == 0 && is_ca(buf_str(&der), der.len);
}
