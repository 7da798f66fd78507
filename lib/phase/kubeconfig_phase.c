/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "kube/kubeconfig.h"
#include "phase/external_ca_check.h"
#include "phase/key_pool.h"
#include "phase/kubeconfig_phase.h"
#include "phase/phase.h"
#include "phase/pki_files.h"
#include "pki/csr.h"
#include "pki/verify.h"

enum server { SERVER_LOCAL, SERVER_CONTROL_PLANE, SERVER_ERA };
enum origin { ORIGIN_KUBEADM, ORIGIN_EXTRA };

struct entry {
        const char *name, *file;
        const char *user;
        const char *organization, *organization_row;
        const char *exists_row;
        enum server server;
        enum origin origin;
};

static const struct entry entries[] = {
#define X(name, help, user, organization, organization_row, exists_row, server, origin) \
        {name, name ".conf", user, organization, organization_row, exists_row, SERVER_##server, ORIGIN_##origin},
        KUBECONFIG_LIST(X)
#undef X
                {0}};

static const struct entry *entry_find(const char *name)
{
        for (const struct entry *e = entries; e->name; e++)
                if (str_eq(e->name, name))
                        return e;
        return NULL;
}

static bool exists_in_era(const struct phase *phase, const struct entry *e)
{
        return !e->exists_row || era_flag(phase->era, "certificates", e->exists_row);
}

static char *user_of(const struct phase *phase, const struct entry *e)
{
        const char *node = phase->config->init.node_registration.name.text, *hole = strstr(e->user, "%s");

        return hole ? xasprintf("%.*s%s", (int)(hole - e->user), e->user, node) : xstrdup(e->user);
}

static const char *group_of(const struct phase *phase, const struct entry *e)
{
        return e->organization_row ? era_text(phase->era, "certificates", e->organization_row, NULL) : e->organization;
}

static char *server_of(const struct phase *phase, const struct entry *e)
{
        bool local = e->server == SERVER_LOCAL;

        if (e->server == SERVER_ERA)
                local = str_eq(era_text(phase->era, "certificates", "kubeletServer", ""), "local");
        return local ? config_local_endpoint(phase->config) : config_control_plane_endpoint(phase->config);
}

/* What an existing file is compared with. */
struct expected {
        const char *server;
        struct pki_cert *const *cas;
        size_t ca_count;
};

/* The CA as it is written there, against the first of those expected. */
static int check_ca_bytes(const char *path, const struct kubeconfig *found, const struct expected *expected,
                          struct err *err)
{
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = pki_cert_write(expected->cas[0], &pem, err);

        if (r < 0)
                return r;
        char *have CLEANUP_FREE = str_trimmed(found->ca_pem ?: ""), *want CLEANUP_FREE = str_trimmed(buf_str(&pem));
        if (str_eq(have, want))
                return 0;
        return err_set(err, ERR_INVALID, "a kubeconfig file \"%s\" exists already but has got the wrong CA cert", path);
}

/* A common trust anchor: the first certificate there is one of those expected. */
static int check_ca_anchor(const char *path, const struct kubeconfig *found, const struct expected *expected,
                           struct err *err)
{
        struct pki_certs cas CLEANUP_PKI_CERTS = {.items = NULL};

        if (!found->ca_pem || pki_certs_load(found->ca_pem, strlen(found->ca_pem), &cas, NULL) < 0)
                return err_set(err, ERR_INVALID, "the kubeconfig file \"%s\" contains an invalid CA cert", path);
        for (size_t i = 0; i < expected->ca_count; i++)
                if (pki_cert_equal(cas.items[0], expected->cas[i]))
                        return 0;
        return err_set(err, ERR_INVALID,
                       "a kubeconfig file \"%s\" exists but does not contain a trusted CA in its current context's "
                       "cluster. Total CA certificates found: %zu",
                       path, cas.count);
}

/* A CA that is given as a file. What cannot be read is as if there were none. */
static void read_ca_file(const struct phase *phase, const char *path, struct kubeconfig *found)
{
        struct err why = ERR_INIT;
        size_t len;

        if (!found->ca_path || !era_flag(phase->era, "certificates", "kubeconfigCAFile"))
                return;
        if (phase_require_file(phase, found->ca_path, LIMIT_PKI_FILE, &found->ca_pem, &len, &why) < 0)
                phase_warn(phase, "failed to load CA cert from \"%s\" for kubeconfig \"%s\", %s", found->ca_path, path,
                           why.msg);
}

/* validateKubeConfig. 0: it can be used; 1: there is none, err says so. */
static int check_existing(const struct pki_files *files, const char *path, const struct expected *expected,
                          struct err *err)
{
        struct kubeconfig found CLEANUP_KUBECONFIG = {.cluster = NULL};
        struct phase *phase = files->phase;
        char *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_read_file(phase, path, LIMIT_PKI_FILE, &text, &len, err);
        if (r > 0) {
                (void)err_set(err, ENOENT, "stat %s: no such file or directory", path);
                return 1;
        }
        if (r == 0 && text[strspn(text, " \t\r\n")] == '\0')
                return err_set(err, ERR_INVALID, "failed to find CurrentContext in Contexts of the kubeconfig file %s",
                               path);
        if (r == 0) {
                r = kubeconfig_parse_cluster(path, text, len, &found, err);
                explicit_bzero(text, len);
        }
        if (r < 0)
                return err_wrap(err, "failed to load kubeconfig file %s that already exists on disk", path);
        read_ca_file(phase, path, &found);
        r = str_eq(era_text(phase->era, "certificates", "kubeconfigCA", ""), "bytes")
                    ? check_ca_bytes(path, &found, expected, err)
                    : check_ca_anchor(path, &found, expected, err);
        if (r < 0)
                return r;
        if (!str_eq(found.server, expected->server))
                phase_warn(phase,
                           "a kubeconfig file \"%s\" exists already but has an unexpected API Server URL: expected: "
                           "%s, got: %s",
                           path, expected->server, found.server);
        return 0;
}

struct run {
        struct pki_files files;
        struct key_pool pool;
        const char *dir;
        struct pki_certs ca; /* loaded when the first file needs it */
        struct pki_key *ca_key;
        bool external_ca;
};

static void run_release(struct run *run)
{
        pki_certs_release(&run->ca);
        (void)pki_key_free(run->ca_key);
        key_pool_release(&run->pool);
        pki_files_release(&run->files);
}

static int load_ca(struct run *run, struct err *err)
{
        if (run->ca_key)
                return 0;
        int r = pki_files_load_pair(&run->files, "ca", &run->ca, &run->ca_key, err);
        if (r == -ENOENT && era_flag(run->files.phase->era, "messages", "missingCA"))
                return err_wrap(err,
                                "the CA files do not exist, please run `kubeadm init phase certs ca` to generate it");
        if (r < 0)
                return err_wrap(err, "couldn't create a kubeconfig; the CA files couldn't be loaded");
        pki_files_check_period(&run->files, "ca", run->ca.items[0]);
        return 0;
}

/* Client certificate and key as PEM. */
static int make_identity(struct run *run, const struct entry *e, const char *user, struct buf *cert,
                         struct buf *key_pem, struct err *err)
{
        struct strv organizations CLEANUP_STRV = STRV_INIT;
        struct pki_cert *made CLEANUP_PKI_CERT = NULL;
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        const char *group = group_of(run->files.phase, e);
        /* In all eras these begin when the CA does. */
        struct pki_cert_spec spec = {.common_name = user,
                                     .organizations = &organizations,
                                     .usages = PKI_USAGE_CLIENT,
                                     .not_before = pki_cert_facts(run->ca.items[0])->not_before};

        if (!str_empty(group))
                strv_add(&organizations, group);
        int r = key_pool_take(&run->pool, &key, err);
        if (r == 0)
                r = pki_files_issue(&run->files, &spec, key, run->ca.items[0], run->ca_key, "ca", &made, err);
        if (r == 0)
                r = pki_cert_write(made, cert, err);
        if (r == 0)
                r = pki_key_write_private(key, key_pem, err);
        return r < 0 ? err_wrap(err, "failure while creating %s client certificate", user) : 0;
}

static int make_file(struct run *run, const struct entry *e, const char *path, const char *server, struct err *err)
{
        struct buf ca CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), cert CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                      key CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct phase *phase = run->files.phase;
        char *user CLEANUP_FREE = user_of(phase, e);
        const char *cluster = phase->config->cluster.cluster_name.text;
        char *context CLEANUP_FREE = xasprintf("%s@%s", user, cluster);
        int r = make_identity(run, e, user, &cert, &key, err);

        if (r == 0)
                r = pki_cert_write(run->ca.items[0], &ca, err);
        if (r < 0)
                return r;
        const struct kubeconfig config = {.cluster = (char *)cluster,
                                          .user = user,
                                          .context = context,
                                          .server = (char *)server,
                                          .ca_pem = ca.data,
                                          .cert_pem = cert.data,
                                          .key_pem = key.data};
        kubeconfig_write(&config, era_flag(phase->era, "certificates", "kubeconfigPreferences"), &out);
        r = buf_check(&out, path, err);
        if (r == 0) {
                phase_say(phase, "[kubeconfig] Writing \"%s\" kubeconfig file", e->file);
                phase_add_file(phase, path, out.data, out.len, 0600, 0755, PHASE_FILE_SECRET);
                phase_file_context(phase,
                                   "error execution phase kubeconfig/%s: failed to save kubeconfig file \"%s\" on disk",
                                   e->name, path);
        }
        explicit_bzero(key.data, key.len);
        explicit_bzero(out.data, out.len);
        return r;
}

static int run_entry(struct run *run, const struct entry *e, struct err *err)
{
        struct phase *phase = run->files.phase;
        char *path CLEANUP_FREE = file_join(run->dir, e->file), *server CLEANUP_FREE = server_of(phase, e);

        if (run->external_ca && e->origin == ORIGIN_KUBEADM) {
                phase_say(phase, "[kubeconfig] External CA mode: Using user provided %s", e->file);
                return 0;
        }
        phase_detail(phase, 1, "creating kubeconfig file for %s", e->file);
        int r = load_ca(run, err);
        if (r < 0)
                return r;
        phase_warn_endpoint_port(phase);
        const struct expected expected = {.server = server, .cas = run->ca.items, .ca_count = 1};
        r = check_existing(&run->files, path, &expected, err);
        if (r < 0)
                return r;
        if (r == 0) {
                phase_say(phase, "[kubeconfig] Using existing kubeconfig file: \"%s\"", path);
                return 0;
        }
        err_clear(err);
        return make_file(run, e, path, server, err);
}

static bool is_wanted(const struct run *run, const char *name, const struct entry *e)
{
        if (str_eq(name, e->name))
                return true;
        return str_eq(name, "all") && e->origin == ORIGIN_KUBEADM && exists_in_era(run->files.phase, e);
}

static size_t keys_wanted(const struct run *run, const char *name)
{
        size_t n = 0;

        for (const struct entry *e = entries; e->name; e++) {
                char *path CLEANUP_FREE = file_join(run->dir, e->file);
                n += is_wanted(run, name, e) && !(run->external_ca && e->origin == ORIGIN_KUBEADM) &&
                     !phase_exists(run->files.phase, path);
        }
        return n;
}

static int client_key_algorithm(const struct pki_files *files, enum pki_algorithm *ret, struct err *err)
{
        const char *fixed = era_text(files->phase->era, "certificates", "kubeconfigAlgorithm", NULL);

        return fixed ? pki_algorithm_parse(fixed, ret, err) : pki_files_algorithm(files, ret, err);
}

int kubeconfig_phase_run(struct phase *phase, const char *name, const char *dir, struct err *err)
{
        struct run run CLEANUP(run_release) = {.dir = dir ? dir : KUBECONFIG_PHASE_DIR};
        const struct entry *only = entry_find(name);
        enum pki_algorithm algorithm = PKI_ALGORITHM_MAX;

        if (!only && !str_eq(name, "all"))
                return err_set(err, ERR_USAGE, "there is no kubeconfig file \"%s\"", name);
        if (only && !exists_in_era(phase, only))
                return err_set(err, ERR_UNSUPPORTED, "this version of kubeadm has no %s", only->file);
        pki_files_init(&run.files, phase);
        int r = external_ca_check(&run.files, run.dir, &run.external_ca, err);
        if (r == 0)
                r = client_key_algorithm(&run.files, &algorithm, err);
        if (r < 0)
                return r;
        if (!only)
                phase_say(phase, "[kubeconfig] Using kubeconfig folder \"%s\"", run.dir);
        r = key_pool_init(&run.pool, algorithm, keys_wanted(&run, name), err);
        for (const struct entry *e = entries; e->name && r == 0; e++) {
                if (!is_wanted(&run, name, e))
                        continue;
                r = run_entry(&run, e, err);
                if (r < 0)
                        (void)err_wrap(err, "error execution phase kubeconfig/%s", e->name);
        }
        return pki_files_finish(&run.files, r, NULL, err);
}

int kubeconfig_phase_check_external(struct pki_files *files, const char *dir, struct err *err)
{
        static const char *const order[] = {"controller-manager", "scheduler", "admin", "super-admin", "kubelet"};
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        struct phase *phase = files->phase;
        char *local CLEANUP_FREE = config_local_endpoint(phase->config);
        char *control_plane CLEANUP_FREE = config_control_plane_endpoint(phase->config);
        int r = pki_files_load_certs(files, "ca", &ca, err);

        if (r < 0)
                return err_wrap(err, "the CA file couldn't be loaded");
        for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
                const struct entry *e = entry_find(order[i]);
                char *path CLEANUP_FREE = file_join(dir ? dir : KUBECONFIG_PHASE_DIR, e->file);
                const struct expected expected = {.server = e->server == SERVER_LOCAL ? local : control_plane,
                                                  .cas = ca.items,
                                                  .ca_count = ca.count};
                if (!exists_in_era(phase, e))
                        continue;
                if (str_eq(e->name, "admin")) /* the first that is not for this node's API server */
                        phase_warn_endpoint_port(phase);
                r = check_existing(files, path, &expected, err);
                if (r != 0) {
                        (void)err_wrap(err, "the %s file does not exists or it is not valid", e->file);
                        return r < 0 ? r : -ENOENT;
                }
        }
        return 0;
}

size_t kubeconfig_phase_count(const struct phase *phase)
{
        size_t n = 0;

        for (const struct entry *e = entries; e->name; e++)
                n += e->origin == ORIGIN_KUBEADM && exists_in_era(phase, e);
        return n;
}

static int refuse_existing(const struct phase *phase, const char *path, const char *csr_path, struct err *err)
{
        char *key_path CLEANUP_FREE = xasprintf("%s.key", path);

        if (phase_exists(phase, path))
                return err_set(err, EEXIST, "file already exists: kube config: %s", path);
        if (phase_exists(phase, csr_path) || phase_exists(phase, key_path))
                return err_set(err, EEXIST, "file already exists: csr: %s", path);
        return 0;
}

/* createKubeConfigAndCSR */
static int make_request(struct pki_files *files, const struct entry *e, const char *path, const struct pki_key *key,
                        struct err *err)
{
        struct buf csr CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), key_pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE),
                       out CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE * 2);
        struct phase *phase = files->phase;
        char *user CLEANUP_FREE = user_of(phase, e), *server CLEANUP_FREE = server_of(phase, e);
        char *csr_path CLEANUP_FREE = xasprintf("%s.csr", path);
        const char *cluster = phase->config->cluster.cluster_name.text;
        char *context CLEANUP_FREE = xasprintf("%s@%s", user, cluster);
        struct strv organizations CLEANUP_STRV = STRV_INIT;
        const char *group = group_of(phase, e);

        if (!str_empty(group))
                strv_add(&organizations, group);
        const struct pki_cert_spec spec = {.common_name = user, .organizations = &organizations};
        int r = refuse_existing(phase, path, csr_path, err);
        if (r == 0)
                r = pki_csr_write(&spec, key, &csr, err);
        if (r == 0)
                r = pki_key_write_private(key, &key_pem, err);
        if (r < 0)
                return r;
        const struct kubeconfig config = {.cluster = (char *)cluster,
                                          .user = user,
                                          .context = context,
                                          .server = server,
                                          .key_pem = key_pem.data};
        kubeconfig_write(&config, era_flag(phase->era, "certificates", "kubeconfigPreferences"), &out);
        r = buf_check(&out, path, err);
        if (r < 0)
                return r;
        phase_add_file(phase, path, out.data, out.len, 0600, 0755, PHASE_FILE_SECRET);
        phase_add_file(phase, csr_path, csr.data, csr.len, 0600, 0755, 0);
        phase_file_context(phase, "unable to write CSR to file %s", csr_path);
        explicit_bzero(key_pem.data, key_pem.len);
        explicit_bzero(out.data, out.len);
        return 0;
}

int kubeconfig_phase_csr(struct pki_files *files, struct key_pool *pool, const char *dir, struct err *err)
{
        int r = 0;

        dir = dir ? dir : KUBECONFIG_PHASE_DIR;
        phase_warn_endpoint_port(files->phase);
        phase_say(files->phase, "generating keys and CSRs in %s", dir);
        for (const struct entry *e = entries; e->name && r == 0; e++) {
                char *path CLEANUP_FREE = file_join(dir, e->file);
                struct pki_key *key CLEANUP_PKI_KEY = NULL;
                if (e->origin != ORIGIN_KUBEADM || !exists_in_era(files->phase, e))
                        continue;
                r = key_pool_take(pool, &key, err);
                if (r == 0)
                        r = make_request(files, e, path, key, err);
                if (r == 0)
                        phase_say(files->phase, "  %s", e->file);
        }
        return r;
}
