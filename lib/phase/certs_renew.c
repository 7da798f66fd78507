/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/certs.h"
#include "phase/certs_managed.h"
#include "phase/key_pool.h"
#include "phase/kubeconfig_tree.h"
#include "phase/phase.h"
#include "pki/csr.h"

enum renewal_outcome { RENEWAL_NONE, RENEWAL_MISSING, RENEWAL_EXTERNAL, RENEWAL_DONE };

struct renewal {
        struct pki_files files;
        struct key_pool pool;
        const char *csr_dir;                              /* NULL: certificates are made */
        enum renewal_outcome outcomes[CERTS_MANAGED_MAX]; /* in the order of the list */
};

static void renewal_release(struct renewal *renewal)
{
        key_pool_release(&renewal->pool);
        pki_files_release(&renewal->files);
}

/* kubeadm 1.29 moved what it renewed from system:masters to a group of less power. */
static void move_groups(const struct phase *phase, const struct certs_managed *m, struct strv *organizations)
{
        const struct value *rows = era_value(phase->era, "certificates", "renewedGroups");
        const struct value *groups = value_map_get(rows, m->name);
        const char *gone = value_string(value_map_get(groups, "remove"), NULL);
        const char *added = value_string(value_map_get(groups, "add"), NULL);

        for (size_t i = organizations->len; gone && i-- > 0;)
                if (str_eq(organizations->items[i], gone))
                        strv_remove(organizations, i);
        if (added && !strv_contains(organizations, added))
                strv_add(organizations, added);
}

/* What the old certificate says stays: subject, names, usages. */
static void spec_of(const struct renewal *renewal, const struct certs_managed *m, const struct pki_cert *old,
                    struct strv *organizations, struct pki_cert_spec *ret)
{
        const struct pki_cert_facts *facts = pki_cert_facts(old);

        strv_copy(organizations, &facts->organizations);
        move_groups(renewal->files.phase, m, organizations);
        *ret = (struct pki_cert_spec){.common_name = facts->common_name,
                                      .organizations = organizations,
                                      .dns_names = &facts->dns_names,
                                      .addresses = &facts->addresses,
                                      .usages = facts->usages};
}

static int write_kubeconfig(struct renewal *renewal, const struct certs_managed *m, struct value *tree,
                            const struct pki_cert *ca, const struct pki_cert *cert, const struct pki_key *key,
                            struct err *err)
{
        struct buf ca_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                          key_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *path CLEANUP_FREE = certs_managed_path(&renewal->files, m);
        int r = pki_cert_write(ca, &ca_pem, err);

        if (r == 0)
                r = pki_cert_write(cert, &pem, err);
        if (r == 0)
                r = pki_key_write_private(key, &key_pem, err);
        if (r < 0)
                return r;
        kubeconfig_tree_set_data(certs_managed_cluster(tree), "certificate-authority", buf_str(&ca_pem));
        kubeconfig_tree_set_data(certs_managed_user(tree), "client-certificate", buf_str(&pem));
        kubeconfig_tree_set_data(certs_managed_user(tree), "client-key", buf_str(&key_pem));
        explicit_bzero(key_pem.data, key_pem.len);
        r = kubeconfig_tree_add(renewal->files.phase, path, tree, err);
        if (r == 0)
                phase_file_context(renewal->files.phase, "failed to renew certificate %s", m->name);
        return r;
}

static int make(struct renewal *renewal, const struct certs_managed *m, const struct pki_cert *old, struct value *tree,
                struct err *err)
{
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_key *ca_key CLEANUP_PKI_KEY = NULL, *key CLEANUP_PKI_KEY = NULL;
        struct strv organizations CLEANUP_STRV = STRV_INIT;
        struct pki_cert *cert CLEANUP_PKI_CERT = NULL;
        struct pki_cert_spec spec;
        int r = pki_files_load_authority(&renewal->files, m->ca_base_name, &ca, &ca_key, err);

        if (r < 0)
                return r;
        spec_of(renewal, m, old, &organizations, &spec);
        r = key_pool_take(&renewal->pool, &key, err);
        if (r == 0)
                r = pki_files_issue(&renewal->files, &spec, key, ca.items[0], ca_key, m->ca_base_name, &cert, err);
        if (r < 0)
                return err_wrap(err, "failed to renew certificate %s", m->name);
        if (tree)
                return write_kubeconfig(renewal, m, tree, ca.items[0], cert, key, err);
        char *context CLEANUP_FREE = xasprintf("failed to write new certificate %s", m->base_name);
        return pki_files_add_pair(&renewal->files, m->base_name, cert, key, context, err);
}

static int renew(struct renewal *renewal, const struct certs_managed *m, enum renewal_outcome *ret, struct err *err)
{
        struct pki_certs old CLEANUP_PKI_CERTS = {.items = NULL};
        struct value *tree CLEANUP_VALUE = NULL;
        bool external = false;

        if (!certs_managed_exists(&renewal->files, m)) {
                *ret = RENEWAL_MISSING;
                return 0;
        }
        int r = certs_managed_external(&renewal->files, m->ca_base_name, &external, err);
        if (r < 0)
                return r;
        if (external) {
                *ret = RENEWAL_EXTERNAL;
                return 0;
        }
        r = certs_managed_read(&renewal->files, m, &old, &tree, err);
        if (r == 0)
                r = make(renewal, m, old.items[0], tree, err);
        if (r == 0)
                *ret = RENEWAL_DONE;
        return r;
}

/* What became of each; "renewed" only where the certificates are on disk. */
static void tell(const struct renewal *renewal, const struct certs_managed *list, size_t count, bool written)
{
        const struct phase *phase = renewal->files.phase;

        for (size_t i = 0; i < count; i++)
                switch (renewal->outcomes[i]) {
                case RENEWAL_NONE:
                        break;
                case RENEWAL_MISSING:
                        phase_say(phase, "MISSING! %s", list[i].long_name);
                        break;
                case RENEWAL_EXTERNAL:
                        phase_say(phase, "Detected external %s, %s can't be renewed", list[i].ca_base_name,
                                  list[i].long_name);
                        break;
                case RENEWAL_DONE:
                        if (written)
                                phase_say(phase, "%s renewed", list[i].long_name);
                        break;
                }
}

/* CreateRenewCSR: NAME.key and NAME.csr in the directory, the certificate stays. */
static int request(struct renewal *renewal, const struct certs_managed *m, struct err *err)
{
        struct buf key_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), csr CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *key_path CLEANUP_FREE = xasprintf("%s/%s.key", renewal->csr_dir, m->name);
        char *csr_path CLEANUP_FREE = xasprintf("%s/%s.csr", renewal->csr_dir, m->name);
        struct pki_certs old CLEANUP_PKI_CERTS = {.items = NULL};
        struct strv organizations CLEANUP_STRV = STRV_INIT;
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct value *tree CLEANUP_VALUE = NULL;
        struct pki_cert_spec spec;
        int r = certs_managed_read(&renewal->files, m, &old, &tree, err);

        if (r < 0)
                return r;
        spec_of(renewal, m, old.items[0], &organizations, &spec);
        r = key_pool_take(&renewal->pool, &key, err);
        if (r == 0)
                r = pki_csr_write(&spec, key, &csr, err);
        if (r == 0)
                r = pki_key_write_private(key, &key_pem, err);
        if (r < 0)
                return err_wrap(err, "failure while generating %s CSR and key", m->name);
        phase_add_file(renewal->files.phase, key_path, key_pem.data, key_pem.len, 0600, 0755, PHASE_FILE_SECRET);
        phase_file_context(renewal->files.phase, "failure while saving %s key", m->name);
        phase_add_file(renewal->files.phase, csr_path, csr.data, csr.len, 0600, 0700, 0);
        phase_file_context(renewal->files.phase, "failure while saving %s CSR", m->name);
        explicit_bzero(key_pem.data, key_pem.len);
        return 0;
}

static size_t keys_wanted(const struct renewal *renewal, const struct certs_managed *list, size_t count)
{
        size_t n = 0;

        for (size_t i = 0; i < count; i++)
                n += certs_managed_exists(&renewal->files, &list[i]);
        return n;
}

static int renew_each(struct renewal *renewal, const struct certs_managed *list, size_t count, struct err *err)
{
        enum pki_algorithm algorithm = PKI_ALGORITHM_MAX;
        bool written;
        int r = pki_files_algorithm(&renewal->files, &algorithm, err);

        if (r == 0)
                r = key_pool_init(&renewal->pool, algorithm, keys_wanted(renewal, list, count), err);
        for (size_t i = 0; i < count && r == 0; i++)
                r = renewal->csr_dir ? request(renewal, &list[i], err)
                                     : renew(renewal, &list[i], &renewal->outcomes[i], err);
        r = pki_files_finish(&renewal->files, r, &written, err);
        tell(renewal, list, count, written);
        return r;
}

int certs_renew(struct phase *phase, const char *name, const char *csr_dir, struct err *err)
{
        struct renewal renewal CLEANUP(renewal_release) = {.csr_dir = csr_dir};
        struct certs_managed list[CERTS_MANAGED_MAX];
        size_t count = certs_managed_list(phase, list), first = 0;
        bool all = str_eq(name, "all");

        while (!all && first < count && !str_eq(list[first].name, name))
                first++;
        if (first == count)
                return err_set(err, ERR_INVALID, "%s is not a valid certificate for this cluster", name);
        pki_files_init(&renewal.files, phase);
        int r = renew_each(&renewal, list + first, all ? count : 1, err);
        if (r == 0 && all && !csr_dir)
                phase_say(phase, "\nDone renewing certificates. You must restart the kube-apiserver, "
                                 "kube-controller-manager, kube-scheduler and etcd, so that they can use the new "
                                 "certificates.");
        return r < 0 ? r : 0;
}
