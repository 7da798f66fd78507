/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/cert_names.h"
#include "phase/certs.h"
#include "phase/certs_entry.h"
#include "phase/external_ca_check.h"
#include "phase/key_pool.h"
#include "phase/phase.h"
#include "phase/pki_files.h"
#include "pki/verify.h"

/* A certificate authority that this run made: it is not on disk before phase_commit. */
struct made {
        struct pki_cert *cert;
        struct pki_key *key;
};

struct certs {
        struct pki_files files;
        struct key_pool pool;
        struct made made[CERTS_ENTRIES_MAX];
        bool external_ca;
};

static void certs_release(struct certs *certs)
{
        for (size_t i = 0; i < CERTS_ENTRIES_MAX; i++) {
                (void)pki_cert_free(certs->made[i].cert);
                (void)pki_key_free(certs->made[i].key);
        }
        key_pool_release(&certs->pool);
        pki_files_release(&certs->files);
}

static bool external_etcd(const struct certs *certs)
{
        return certs->files.phase->config->cluster.etcd.external.set;
}

/* Who signs: from disk, or made by this run (then cert and key are borrowed). */
struct authority {
        struct pki_certs loaded;
        struct pki_key *loaded_key;
        const struct pki_cert *cert;
        const struct pki_key *key;
};

static void authority_release(struct authority *authority)
{
        pki_certs_release(&authority->loaded);
        (void)pki_key_free(authority->loaded_key);
}

/* Makes key and certificate of an entry; names may be NULL, by is for leaves. */
static int make(struct certs *certs, const struct certs_entry *e, const struct cert_names *names,
                const struct authority *by, struct pki_cert **ret, struct pki_key **ret_key, struct err *err)
{
        struct certs_entry_lists lists CLEANUP(certs_entry_lists_release) = {.organizations = STRV_INIT};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct pki_cert_spec spec;
        int r = key_pool_take(&certs->pool, &key, err);

        if (r < 0)
                return err_wrap(err, e->ca ? "unable to create private key"
                                           : "unable to create private key while generating CA certificate");
        certs_entry_spec(certs->files.phase, e, names, &lists, &spec);
        const struct certs_entry *signer = e->ca ? certs_entry_find(e->ca) : e;
        r = pki_files_issue(&certs->files, &spec, key, by ? by->cert : NULL, by ? by->key : NULL, signer->base_name,
                            ret, err);
        if (r < 0)
                return r;
        *ret_key = TAKE_PTR(key);
        return 0;
}

/* What is there is used, with or without its key. 0: used; 1: there is none. */
static int use_ca(struct certs *certs, const struct certs_entry *e)
{
        struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct phase *phase = certs->files.phase;
        struct err why = ERR_INIT;

        if (pki_files_load_certs(&certs->files, e->base_name, &found, NULL) < 0)
                return 1;
        pki_files_check_period(&certs->files, e->base_name, found.items[0]);
        if (!pki_cert_facts(found.items[0])->is_ca)
                phase_warn(phase, "the certificate %s is no certificate authority", e->base_name);
        if (pki_files_load_key(&certs->files, e->base_name, &key, &why) < 0) {
                if (why.code != ENOENT)
                        phase_warn(phase, "%s", why.msg);
                phase_say(phase, "[certs] Using existing %s keyless certificate authority", e->base_name);
                return 0;
        }
        if (pki_verify_key(found.items[0], key, &why) < 0)
                phase_warn(phase, "certificate authority %s: %s", e->base_name, why.msg);
        phase_say(phase, "[certs] Using existing %s certificate authority", e->base_name);
        return 0;
}

static int create_ca(struct certs *certs, const struct certs_entry *e, struct err *err)
{
        struct made *made = &certs->made[e - certs_entries];
        int r;

        phase_detail(certs->files.phase, 1, "creating a new certificate authority for %s", e->name);
        if (pki_files_any(&certs->files, e->base_name)) {
                /* One of the two, or a certificate that cannot be read: this says what is wrong with it. */
                struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
                struct pki_key *key CLEANUP_PKI_KEY = NULL;
                r = pki_files_load_pair(&certs->files, e->base_name, &found, &key, err);
                return r < 0 ? err_wrap(err, "failure loading %s certificate", e->base_name) : 0;
        }
        r = make(certs, e, NULL, NULL, &made->cert, &made->key, err);
        if (r < 0)
                return r;
        phase_say(certs->files.phase, "[certs] Generating \"%s\" certificate and key", e->base_name);
        char *context CLEANUP_FREE = xasprintf("error execution phase certs/%s", e->name);
        return pki_files_add_pair(&certs->files, e->base_name, made->cert, made->key, context, err);
}

static int run_ca(struct certs *certs, const struct certs_entry *e, struct err *err)
{
        if (external_etcd(certs) && certs_entry_is_etcd(e)) {
                phase_say(certs->files.phase,
                          "[certs] External etcd mode: Skipping %s certificate authority generation", e->base_name);
                return 0;
        }
        return use_ca(certs, e) == 0 ? 0 : create_ca(certs, e, err);
}

/* kubeadm keeps a certificate whatever names it holds and whether or not its key fits: components then fail with it. */
static void warn_unusable(struct certs *certs, const struct certs_entry *e, const struct pki_cert *cert)
{
        struct phase *phase = certs->files.phase;
        struct cert_names names CLEANUP_CERT_NAMES = {.dns = STRV_INIT};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct err why = ERR_INIT;
        char *name;

        if (pki_files_load_key(&certs->files, e->base_name, &key, &why) < 0 || pki_verify_key(cert, key, &why) < 0)
                phase_warn(phase, "certificate %s cannot be used: %s", e->base_name, why.msg);
        if (!e->names || e->names(phase, &names, NULL) < 0)
                return;
        STRV_FOREACH (name, &names.addresses)
                strv_add(&names.dns, name);
        STRV_FOREACH (name, &names.dns)
                if (pki_verify_name(cert, name, &why) < 0)
                        phase_warn(phase, "certificate %s lacks a name that the configuration asks for: %s",
                                   e->base_name, why.msg);
}

/* 0: what is there is used; 1: there is none that can be read. */
static int use_leaf(struct certs *certs, const struct certs_entry *e, const struct certs_entry *ca, struct err *err)
{
        struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL}, authority CLEANUP_PKI_CERTS = {.items = NULL};
        const struct pki_cert *root = certs->made[ca - certs_entries].cert;

        if (pki_files_load_certs(&certs->files, e->base_name, &found, NULL) < 0)
                return 1;
        pki_files_check_period(&certs->files, e->base_name, found.items[0]);
        if (!root) {
                int r = pki_files_load_certs(&certs->files, ca->base_name, &authority, err);
                if (r < 0)
                        return err_wrap(err, "couldn't load CA certificate %s", ca->name);
                root = authority.items[0];
        }
        pki_files_check_period(&certs->files, ca->base_name, root);
        int r = pki_verify_chain(found.items[0], found.items + 1, found.count - 1, root, certs->files.now, err);
        if (r < 0)
                return err_wrap(err, "[certs] certificate %s not signed by CA certificate %s", e->base_name,
                                ca->base_name);
        warn_unusable(certs, e, found.items[0]);
        phase_say(certs->files.phase, "[certs] Using existing %s certificate and key on disk", e->base_name);
        return 0;
}

/* One that this run has made is not on disk yet. */
static int load_authority(struct certs *certs, const struct certs_entry *ca, struct authority *ret, struct err *err)
{
        const struct made *made = &certs->made[ca - certs_entries];

        if (made->cert) {
                ret->cert = made->cert;
                ret->key = made->key;
                return 0;
        }
        int r = pki_files_load_authority(&certs->files, ca->base_name, &ret->loaded, &ret->loaded_key, err);
        if (r < 0)
                return r;
        ret->cert = ret->loaded.items[0];
        ret->key = ret->loaded_key;
        return 0;
}

/* A key without its certificate, or a certificate that cannot be read. */
static int refuse_half(struct certs *certs, const struct certs_entry *e, struct err *err)
{
        struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = pki_files_load_key(&certs->files, e->base_name, &key, err);

        if (r < 0) {
                (void)err_wrap(err, "failure loading %s key", e->base_name);
        } else {
                r = pki_files_load_certs(&certs->files, e->base_name, &found, err);
                if (r == 0)
                        return 0;
                (void)err_wrap(err, "failure loading %s certificate", e->base_name);
        }
        return err_wrap(err, "failed to write or validate certificate \"%s\"", e->name);
}

static void say_names(const struct phase *phase, const struct certs_entry *e, const struct pki_cert *cert)
{
        const struct pki_cert_facts *f = pki_cert_facts(cert);
        char *text CLEANUP_FREE = cert_names_text(&f->dns_names, &f->addresses);

        if (e->usages & PKI_USAGE_SERVER)
                phase_say(phase, "[certs] %s serving cert is signed for %s", e->base_name, text);
}

static int create_leaf(struct certs *certs, const struct certs_entry *e, const struct certs_entry *ca, struct err *err)
{
        char *context CLEANUP_FREE = xasprintf(
                "error execution phase certs/%s: failed to write or validate certificate \"%s\"", e->name, e->name);
        struct authority authority CLEANUP(authority_release) = {.cert = NULL};
        struct cert_names names CLEANUP_CERT_NAMES = {.dns = STRV_INIT};
        struct pki_cert *cert CLEANUP_PKI_CERT = NULL;
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        int r = load_authority(certs, ca, &authority, err);

        if (r < 0)
                return err_wrap(err, "couldn't load CA certificate %s", ca->name);
        if (e->names && e->names(certs->files.phase, &names, err) < 0)
                return err_wrap(err, "couldn't create \"%s\" certificate", e->name);
        if (pki_files_any(&certs->files, e->base_name))
                return refuse_half(certs, e, err);
        r = make(certs, e, e->names ? &names : NULL, &authority, &cert, &key, err);
        if (r < 0)
                return r;
        phase_say(certs->files.phase, "[certs] Generating \"%s\" certificate and key", e->base_name);
        say_names(certs->files.phase, e, cert);
        return pki_files_add_pair(&certs->files, e->base_name, cert, key, context, err);
}

static int run_leaf(struct certs *certs, const struct certs_entry *e, struct err *err)
{
        const struct certs_entry *ca = certs_entry_find(e->ca);

        if (external_etcd(certs) && certs_entry_is_etcd(e)) {
                phase_say(certs->files.phase, "[certs] External etcd mode: Skipping %s certificate generation",
                          e->base_name);
                return 0;
        }
        int r = use_leaf(certs, e, ca, err);
        return r > 0 ? create_leaf(certs, e, ca, err) : r;
}

static void check_service_account_public(struct certs *certs, const struct pki_key *key)
{
        char *path CLEANUP_FREE = pki_files_path(&certs->files, "sa", ".pub"), *text CLEANUP_FREE = NULL;
        struct phase *phase = certs->files.phase;
        struct err why = ERR_INIT;
        size_t len;
        int r = phase_read_file(phase, path, LIMIT_PKI_FILE, &text, &len, &why);

        if (r > 0)
                phase_warn(phase, "%s is missing beside sa.key: kube-apiserver does not start without it", path);
        else if (r < 0 || pki_key_check_public(key, text, len, &why) < 0)
                phase_warn(phase, "%s: %s", path, why.msg);
}

static int create_service_account(struct certs *certs, struct err *err)
{
        struct buf private CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), public CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *key_path CLEANUP_FREE = pki_files_path(&certs->files, "sa", ".key");
        char *pub_path CLEANUP_FREE = pki_files_path(&certs->files, "sa", ".pub");
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct phase *phase = certs->files.phase;
        int r = key_pool_take(&certs->pool, &key, err);

        if (r == 0)
                r = pki_key_write_private(key, &private, err);
        if (r == 0)
                r = pki_key_write_public(key, &public, err);
        if (r < 0)
                return r;
        phase_say(phase, "[certs] Generating \"sa\" key and public key");
        phase_add_file(phase, key_path, private.data, private.len, 0600, 0755, PHASE_FILE_SECRET);
        phase_file_context(phase, "error execution phase certs/sa: unable to write private key to file %s", key_path);
        phase_add_file(phase, pub_path, public.data, public.len, 0600, 0755, 0);
        phase_file_context(phase, "error execution phase certs/sa: unable to write public key to file %s", pub_path);
        explicit_bzero(private.data, private.len);
        return 0;
}

static int run_service_account(struct certs *certs, struct err *err)
{
        char *path CLEANUP_FREE = pki_files_path(&certs->files, "sa", ".key");
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct phase *phase = certs->files.phase;

        if (certs->external_ca) {
                phase_say(phase, "[certs] Using existing sa keys");
                return 0;
        }
        phase_detail(phase, 1, "creating new public/private key files for signing service account users");
        int r = pki_files_read_key(&certs->files, path, &key, err);
        if (r > 0) {
                err_clear(err);
                return create_service_account(certs, err);
        }
        if (r < 0 && r != -ERR_UNSUPPORTED)
                return err_wrap(err, "file sa.key existed but it could not be loaded properly");
        if (key)
                check_service_account_public(certs, key);
        phase_say(phase, "[certs] Using the existing \"sa\" key");
        return 0;
}

static int run_one(struct certs *certs, const char *name, struct err *err)
{
        const struct certs_entry *e = certs_entry_find(name);
        int r;

        if (!e)
                r = run_service_account(certs, err);
        else
                r = e->ca ? run_leaf(certs, e, err) : run_ca(certs, e, err);
        return r < 0 ? err_wrap(err, "error execution phase certs/%s", name) : 0;
}

/* How many keys the run will ask for: those of pairs of which nothing is there. */
static size_t keys_wanted(const struct certs *certs, const char *name)
{
        bool all = str_eq(name, "all");
        size_t n = 0;

        for (const struct certs_entry *e = certs_entries; e->name; e++)
                n += (all || str_eq(name, e->name)) && !(external_etcd(certs) && certs_entry_is_etcd(e)) &&
                     !pki_files_any(&certs->files, e->base_name);
        char *sa CLEANUP_FREE = pki_files_path(&certs->files, "sa", ".key");
        return n + ((all || str_eq(name, "sa")) && !certs->external_ca && !phase_exists(certs->files.phase, sa));
}

static int run_all(struct certs *certs, struct err *err)
{
        int r = 0;

        for (const struct certs_entry *e = certs_entries; e->name && r == 0; e++)
                r = run_one(certs, e->name, err);
        return r < 0 ? r : run_one(certs, "sa", err);
}

int certs_run(struct phase *phase, const char *name, const char *kubeconfig_dir, struct err *err)
{
        struct certs certs CLEANUP(certs_release) = {.external_ca = false};
        bool all = str_eq(name, "all");
        enum pki_algorithm algorithm = PKI_ALGORITHM_MAX;

        if (!all && !str_eq(name, "sa") && !certs_entry_find(name))
                return err_set(err, ERR_USAGE, "there is no certificate \"%s\"", name);
        pki_files_init(&certs.files, phase);
        int r = external_ca_check(&certs.files, kubeconfig_dir, &certs.external_ca, err);
        if (r == 0)
                r = pki_files_algorithm(&certs.files, &algorithm, err);
        if (r < 0)
                return r;
        if (all)
                phase_say(phase, "[certs] Using certificateDir folder \"%s\"",
                          phase->config->cluster.certificates_dir.text);
        r = key_pool_init(&certs.pool, algorithm, keys_wanted(&certs, name), err);
        if (r == 0)
                r = all ? run_all(&certs, err) : run_one(&certs, name, err);
        return pki_files_finish(&certs.files, r, NULL, err);
}
