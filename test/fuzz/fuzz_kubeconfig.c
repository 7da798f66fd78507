/* SPDX-License-Identifier: Apache-2.0
 *
 * A kubeconfig that is read names all of its parts, and what is written of it reads back as the same.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "fuzz.h"
#include "kube/kubeconfig.h"
#include "scratch.h"

/* Files that it names are looked for below a directory with one of each kind. */
static const char *files(void)
{
        static bool written;

        if (!written)
                MUST(scratch_write("ca.crt", "-----BEGIN CERTIFICATE-----\n", 28) &&
                     scratch_write("token", "secret\n", 7));
        written = true;
        return scratch();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {.cluster = NULL}, cluster CLEANUP_KUBECONFIG = {.cluster = NULL},
                                 again CLEANUP_KUBECONFIG = {.cluster = NULL};
        struct buf out CLEANUP_BUF = BUF_INIT(8 * LIMIT_PKI_FILE);
        struct err err = ERR_INIT;

        if (size > LIMIT_PKI_FILE)
                return 0;
        int only = kubeconfig_parse_cluster("/k.conf", (const char *)data, size, &cluster, NULL);
        if (kubeconfig_parse(files(), "/k.conf", (const char *)data, size, &config, &err) < 0) {
                MUST(err.code != 0 && !config.cluster);
                return 0;
        }
        MUST(only == 0 && str_eq(cluster.server, config.server));
        MUST(cluster.ca_path || str_eq(cluster.ca_pem, config.ca_pem));
        MUST(config.context && config.user && config.server);
        MUST(!config.cert_pem == !config.key_pem);
        kubeconfig_write(&config, false, &out);
        if (out.failed)
                return 0;
        MUST(kubeconfig_parse(files(), "/k.conf", buf_str(&out), out.len, &again, NULL) == 0);
        MUST(str_eq(again.user, config.user) && str_eq(again.server, config.server));
        MUST(str_eq(again.cluster, config.cluster) && str_eq(again.context, config.context));
        return 0;
}
