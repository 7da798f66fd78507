/* SPDX-License-Identifier: Apache-2.0
 *
 * Apart from external_ca_check.c, so that programs which only ask do not link GnuTLS.
 */
#include "base/alloc.h"
#include "phase/external_ca_check.h"
#include "phase/phase.h"

static bool lacks_key(const struct phase *phase, const char *crt_name, const char *key_name)
{
        char *crt CLEANUP_FREE = config_certificate_path(phase->config, crt_name);
        char *key CLEANUP_FREE = config_certificate_path(phase->config, key_name);

        return phase_exists(phase, crt) && !phase_exists(phase, key);
}

bool external_ca_possible(const struct phase *phase)
{
        return lacks_key(phase, "ca.crt", "ca.key") || lacks_key(phase, "front-proxy-ca.crt", "front-proxy-ca.key");
}
