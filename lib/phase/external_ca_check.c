/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "phase/external_ca_check.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"
#include "phase/pki_files.h"
#include "pki/verify.h"

struct signed_cert {
        const char *base_name, *shown; /* shown: kubeadm's uxName */
};

static int load_key_first(struct pki_files *files, const struct signed_cert *signed_cert, struct pki_certs *ret,
                          struct err *err)
{
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = pki_files_load_key(files, signed_cert->base_name, &key, err);

        if (r < 0)
                return err_wrap(err, "failure loading key for %s", signed_cert->base_name);
        r = pki_files_load_certs(files, signed_cert->base_name, ret, err);
        return r < 0 ? err_wrap(err, "failure loading certificate for %s", signed_cert->shown) : 0;
}

static int load_pair(struct pki_files *files, const struct signed_cert *signed_cert, struct pki_certs *ret,
                     struct err *err)
{
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = pki_files_load_pair(files, signed_cert->base_name, ret, &key, err);

        return r < 0 ? err_wrap(err, "failure loading certificate for %s", signed_cert->shown) : 0;
}

/* validateSignedCert */
static int check_signed(struct pki_files *files, const char *ca_base_name, const struct signed_cert *signed_cert,
                        struct err *err)
{
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL}, found CLEANUP_PKI_CERTS = {.items = NULL};
        int r = pki_files_load_certs(files, ca_base_name, &ca, err);

        if (r < 0)
                return err_wrap(err, "failure loading certificate authority for %s", signed_cert->shown);
        pki_files_check_period(files, signed_cert->shown, ca.items[0]);
        r = era_flag(files->phase->era, "certificates", "certificateBeforeKey")
                    ? load_pair(files, signed_cert, &found, err)
                    : load_key_first(files, signed_cert, &found, err);
        if (r < 0)
                return r;
        pki_files_check_period(files, signed_cert->shown, found.items[0]);
        r = pki_verify_chain(found.items[0], found.items + 1, found.count - 1, ca.items[0], files->now, err);
        return r < 0 ? err_wrap(err, "certificate %s is not signed by corresponding CA", signed_cert->shown) : 0;
}

/* UsingExternalCA: a certificate that is a CA, and no key. */
static bool is_external(struct pki_files *files, const char *base_name, const char *shown)
{
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        char *key CLEANUP_FREE = pki_files_path(files, base_name, ".key");

        if (pki_files_load_certs(files, base_name, &ca, NULL) < 0)
                return false;
        pki_files_check_period(files, shown, ca.items[0]);
        return pki_cert_facts(ca.items[0])->is_ca && !phase_exists(files->phase, key);
}

int external_ca_is(struct pki_files *files, const char *ca_base_name, bool *ret, struct err *err)
{
        static const struct {
                const char *base_name, *shown;
                struct signed_cert leaves[5];
        } cas[] = {
                {"ca", "CA", {{"apiserver", "API server"}, {"apiserver-kubelet-client", "API server kubelet client"}}},
                {"front-proxy-ca", "front-proxy CA", {{"front-proxy-client", "front-proxy client"}}},
                {"etcd/ca",
                 "etcd CA",
                 {{"apiserver-etcd-client", "apiserver etcd client"},
                  {"etcd/server", "etcd server"},
                  {"etcd/peer", "etcd peer"},
                  {"etcd/healthcheck-client", "etcd health-check client"}}},
        };
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        char *key CLEANUP_FREE = pki_files_path(files, ca_base_name, ".key");
        size_t i = 0;

        while (i + 1 < ARRAY_SIZE(cas) && !str_eq(cas[i].base_name, ca_base_name))
                i++;
        int r = pki_files_load_certs(files, ca_base_name, &ca, err);
        if (r < 0)
                return err_wrap(err, "failure loading certificate for %s", cas[i].shown);
        pki_files_check_period(files, cas[i].shown, ca.items[0]);
        if (!pki_cert_facts(ca.items[0])->is_ca)
                return err_set(err, ERR_INVALID, "certificate %s is not a CA", cas[i].shown);
        *ret = !phase_exists(files->phase, key);
        for (const struct signed_cert *leaf = cas[i].leaves; *ret && leaf->base_name && r == 0; leaf++)
                r = check_signed(files, ca_base_name, leaf, err);
        return r;
}

int external_ca_check(struct pki_files *files, const char *kubeconfig_dir, bool *ret, struct err *err)
{
        static const struct signed_cert by_ca[] = {{"apiserver", "API server"},
                                                   {"apiserver-kubelet-client", "API server kubelet client"}};
        static const struct signed_cert by_front_proxy_ca = {"front-proxy-client", "front-proxy client"};
        bool external = false;
        int r = 0;

        if (!external_ca_possible(files->phase)) {
                *ret = false;
                return 0;
        }
        if (is_external(files, "ca", "CA")) {
                external = true;
                for (size_t i = 0; i < ARRAY_SIZE(by_ca) && r == 0; i++)
                        r = check_signed(files, "ca", &by_ca[i], err);
                if (r < 0)
                        return err_wrap(err, "invalid or incomplete external CA");
                r = kubeconfig_phase_check_external(files, kubeconfig_dir, err);
                if (r < 0)
                        return r;
        }
        if (is_external(files, "front-proxy-ca", "front-proxy CA") &&
            check_signed(files, "front-proxy-ca", &by_front_proxy_ca, err) < 0)
                return err_wrap(err, "invalid or incomplete external front-proxy CA");
        *ret = external;
        return 0;
}
