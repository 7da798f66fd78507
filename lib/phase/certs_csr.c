/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/certs.h"
#include "phase/certs_entry.h"
#include "phase/key_pool.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"
#include "phase/pki_files.h"
#include "pki/csr.h"

struct run {
        struct pki_files files;
        struct key_pool pool;
};

static void run_release(struct run *run)
{
        key_pool_release(&run->pool);
        pki_files_release(&run->files);
}

static int refuse_existing(const struct run *run, const struct certs_entry *e, struct err *err)
{
        char *key CLEANUP_FREE = pki_files_path(&run->files, e->base_name, ".key");
        char *csr CLEANUP_FREE = pki_files_path(&run->files, e->base_name, ".csr");
        const struct phase *phase = run->files.phase;

        if (phase_exists(phase, key) || phase_exists(phase, csr))
                return err_set(err, EEXIST, "file already exists: key or CSR %s/%s",
                               phase->config->cluster.certificates_dir.text, e->base_name);
        return 0;
}

/* createKeyAndCSR */
static int request(struct run *run, const struct certs_entry *e, struct err *err)
{
        struct certs_entry_lists lists CLEANUP(certs_entry_lists_release) = {.organizations = STRV_INIT};
        struct buf key_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), csr CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *key_path CLEANUP_FREE = pki_files_path(&run->files, e->base_name, ".key");
        char *csr_path CLEANUP_FREE = pki_files_path(&run->files, e->base_name, ".csr");
        struct cert_names names CLEANUP_CERT_NAMES = {.dns = STRV_INIT};
        struct phase *phase = run->files.phase;
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct pki_cert_spec spec;
        int r = refuse_existing(run, e, err);

        if (r == 0 && e->names && e->names(phase, &names, err) < 0)
                return err_wrap(err, "couldn't create \"%s\" certificate", e->name);
        if (r == 0)
                r = key_pool_take(&run->pool, &key, err);
        if (r < 0)
                return r;
        certs_entry_spec(phase, e, e->names ? &names : NULL, &lists, &spec);
        r = pki_csr_write(&spec, key, &csr, err);
        if (r == 0)
                r = pki_key_write_private(key, &key_pem, err);
        if (r < 0)
                return err_wrap(err, "unable to generate CSR");
        phase_add_file(phase, key_path, key_pem.data, key_pem.len, 0600, 0755, PHASE_FILE_SECRET);
        phase_file_context(phase, "unable to write private key to file %s", key_path);
        phase_add_file(phase, csr_path, csr.data, csr.len, 0600, 0700, 0);
        phase_file_context(phase, "unable to write CSR to file %s", csr_path);
        explicit_bzero(key_pem.data, key_pem.len);
        phase_say(phase, "  %s", e->base_name);
        return 0;
}

int certs_csr(struct phase *phase, const char *kubeconfig_dir, struct err *err)
{
        struct run run CLEANUP(run_release) = {.pool = {.keys = NULL}};
        enum pki_algorithm algorithm = PKI_ALGORITHM_MAX;
        size_t count = 0;

        for (const struct certs_entry *e = certs_entries; e->name; e++)
                count += e->ca != NULL;
        pki_files_init(&run.files, phase);
        int r = pki_files_algorithm(&run.files, &algorithm, err);
        if (r == 0)
                r = key_pool_init(&run.pool, algorithm, count + kubeconfig_phase_count(phase), err);
        if (r < 0)
                return r;
        phase_say(phase, "generating keys and CSRs in %s", phase->config->cluster.certificates_dir.text);
        for (const struct certs_entry *e = certs_entries; e->name && r == 0; e++)
                if (e->ca)
                        r = request(&run, e, err);
        if (r == 0)
                r = kubeconfig_phase_csr(&run.files, &run.pool, kubeconfig_dir, err);
        return pki_files_finish(&run.files, r, NULL, err);
}
