/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "kube/kubeconfig.h"
#include "node/client_cert.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define CURRENT_NAME "kubelet-client-current.pem"
#define NEW_LINK_NAME "kubelet-client-updated.pem"
#define DIRECTORY_MODE 0755
#define PAIR_MODE 0600

char *client_cert_path(const char *cert_dir)
{
        return file_join(cert_dir, CURRENT_NAME);
}

char *client_cert_name(const char *node_name)
{
        return xasprintf("system:node:%s", node_name);
}

/* It leads to one of the CAs. */
static bool leads_to(const struct pki_certs *chain, const char *ca_pem, int64_t now)
{
        struct pki_certs cas CLEANUP_PKI_CERTS = {0};

        if (!ca_pem || pki_certs_load(ca_pem, strlen(ca_pem), &cas, NULL) < 0)
                return false;
        for (size_t i = 0; i < cas.count; i++)
                if (pki_verify_chain(chain->items[0], chain->items + 1, chain->count - 1, cas.items[i], now, NULL) == 0)
                        return true;
        return false;
}

static bool of_another_cluster(const struct pki_certs *found, const struct kubeconfig *config, int64_t now)
{
        struct pki_certs own CLEANUP_PKI_CERTS = {0};

        if (leads_to(found, config->ca_pem, now))
                return false;
        return pki_certs_load(config->cert_pem, strlen(config->cert_pem), &own, NULL) == 0 &&
               leads_to(&own, config->ca_pem, now);
}

int client_cert_check(const struct pki_cert *cert, const struct pki_key *key, const char *node_name, int64_t now,
                      struct err *err)
{
        const struct pki_cert_facts *facts = pki_cert_facts(cert);
        char *name CLEANUP_FREE = client_cert_name(node_name);
        int r = pki_verify_key(cert, key, err);

        if (r < 0)
                return r;
        if (!str_eq(facts->common_name, name))
                return err_set(err, ERR_INVALID, "it is for %s", facts->common_name);
        if (facts->not_after <= now)
                return err_set(err, ERR_INVALID, "it has expired");
        return 0;
}

static int check(const struct pki_certs *found, const char *pem, const char *node_name, const struct kubeconfig *config,
                 int64_t now, struct err *err)
{
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = pki_key_load(pem, strlen(pem), &key, err);

        if (r == 0)
                r = client_cert_check(found->items[0], key, node_name, now, err);
        if (r < 0)
                return r;
        if (of_another_cluster(found, config, now))
                return err_set(err, ERR_INVALID, "it is of another cluster");
        return 0;
}

int client_cert_take(const char *path, const char *node_name, int64_t now, struct kubeconfig *config)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct pki_certs found CLEANUP_PKI_CERTS = {0};
        struct err err = ERR_INIT;

        /* Read already where the kubeconfig names it. */
        if (!config->cert_pem || str_eq(config->cert_path, path))
                return 0;
        int r = file_read(path, &text, &err);
        if (r == -ENOENT)
                return 0;
        if (r == 0)
                r = pki_certs_load(buf_str(&text), text.len, &found, &err);
        if (r == 0)
                r = check(&found, buf_str(&text), node_name, config, now, &err);
        if (r < 0) {
                log_debug("%s is not used: %s", path, err.msg);
                return 0;
        }
        free(config->cert_pem);
        free(config->key_pem);
        free(config->cert_path);
        free(config->key_path);
        config->cert_pem = xstrdup(buf_str(&text));
        config->key_pem = buf_steal(&text, NULL);
        config->cert_path = xstrdup(path);
        config->key_path = xstrdup(path);
        return 1;
}

static int turn_link(const char *cert_dir, const char *name, struct err *err)
{
        char *link CLEANUP_FREE = client_cert_path(cert_dir), *fresh CLEANUP_FREE = file_join(cert_dir, NEW_LINK_NAME);
        struct strv directories CLEANUP_STRV = STRV_INIT;
        size_t failed;

        if (unlink(fresh) < 0 && errno != ENOENT)
                return err_set_errno(err, errno, "removing %s", fresh);
        if (symlink(name, fresh) < 0)
                return err_set_errno(err, errno, "making the link %s", fresh);
        if (rename(fresh, link) < 0) {
                int error = errno;

                (void)unlink(fresh);
                return err_set_errno(err, error, "replacing %s", link);
        }
        strv_add(&directories, cert_dir);
        int r = file_sync_directories(&directories, &failed);
        return r < 0 ? err_set_errno(err, -r, "syncing %s", cert_dir) : 0;
}

int client_cert_store(const char *cert_dir, const char *cert_pem, const struct pki_key *key, usec_t now_wall,
                      struct err *err)
{
        struct buf pair CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        time_t now = (time_t)(now_wall / USEC_PER_SEC);
        struct tm local;
        char name[64];

        /* The local time, as the kubelet's names have it. */
        if (!localtime_r(&now, &local) ||
            strftime(name, sizeof(name), "kubelet-client-%Y-%m-%d-%H-%M-%S.pem", &local) == 0)
                return err_set(err, ERR_INVALID, "the clock shows no time");
        buf_addstr(&pair, cert_pem);
        if (pair.len > 0 && pair.data[pair.len - 1] != '\n')
                buf_addch(&pair, '\n');
        int r = pki_key_write_private(key, &pair, err);
        if (r == 0)
                r = buf_check(&pair, "the client certificate", err);
        if (r == 0)
                r = file_mkdir_p(cert_dir, DIRECTORY_MODE, err);
        if (r < 0)
                return r;
        char *path CLEANUP_FREE = file_join(cert_dir, name);
        r = file_write_atomic(path, pair.data, pair.len, PAIR_MODE, 0, err);
        return r < 0 ? r : turn_link(cert_dir, name, err);
}
