/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "phase/certs.h"
#include "phase/certs_entry.h"
#include "phase/certs_managed.h"
#include "phase/external_ca_check.h"
#include "phase/kubeconfig_phase.h"
#include "phase/kubeconfig_tree.h"
#include "phase/phase.h"

static const struct {
        const char *name, *long_name, *exists_row;
} kubeconfigs[] = {
#define X(name, long_name, exists_row) {name, long_name, exists_row},
        CERTS_KUBECONFIG_LIST(X)
#undef X
};

static int compare_names(const void *a, const void *b)
{
        const struct certs_managed *x = a, *y = b;

        return strcmp(x->name, y->name);
}

static size_t list_entries(const struct phase *phase, bool cas, struct certs_managed *ret)
{
        size_t n = 0;

        for (const struct certs_entry *e = certs_entries; e->name; e++) {
                const struct certs_entry *ca = e->ca ? certs_entry_find(e->ca) : e;
                if (cas != !e->ca || (phase->config->cluster.etcd.external.set && certs_entry_is_etcd(e)))
                        continue;
                ret[n++] = (struct certs_managed){e->name, e->long_name, e->base_name, e->ca, ca->base_name};
        }
        return n;
}

size_t certs_managed_list(const struct phase *phase, struct certs_managed ret[CERTS_MANAGED_MAX])
{
        size_t n = list_entries(phase, false, ret);

        for (size_t i = 0; i < ARRAY_SIZE(kubeconfigs); i++)
                if (!kubeconfigs[i].exists_row || era_flag(phase->era, "certificates", kubeconfigs[i].exists_row))
                        ret[n++] =
                                (struct certs_managed){kubeconfigs[i].name, kubeconfigs[i].long_name, NULL, "ca", "ca"};
        qsort(ret, n, sizeof(*ret), compare_names);
        return n;
}

size_t certs_managed_cas(const struct phase *phase, struct certs_managed ret[CERTS_MANAGED_MAX])
{
        size_t n = list_entries(phase, true, ret);

        qsort(ret, n, sizeof(*ret), compare_names);
        return n;
}

char *certs_managed_path(const struct pki_files *files, const struct certs_managed *m)
{
        return m->base_name ? pki_files_path(files, m->base_name, ".crt") : file_join(KUBECONFIG_PHASE_DIR, m->name);
}

bool certs_managed_exists(const struct pki_files *files, const struct certs_managed *m)
{
        char *path CLEANUP_FREE = certs_managed_path(files, m), *real CLEANUP_FREE = phase_path(files->phase, path);
        struct stat st;

        return real && stat(real, &st) == 0 && !S_ISDIR(st.st_mode);
}

int certs_managed_external(struct pki_files *files, const char *ca_base_name, bool *ret, struct err *err)
{
        int r = external_ca_is(files, ca_base_name, ret, err);

        return r < 0 ? err_wrap(err, "Error checking external CA condition for %s certificate authority", ca_base_name)
                     : 0;
}

/* certutil.CertsFromFile */
static int read_certs(const struct pki_files *files, const char *base_name, struct pki_certs *ret, struct err *err)
{
        char *path CLEANUP_FREE = pki_files_path(files, base_name, ".crt"), *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(files->phase, path, LIMIT_PKI_FILE, &text, &len, err);

        if (r == 0) {
                r = pki_certs_load(text, len, ret, err);
                if (r < 0)
                        (void)err_wrap(err, "error reading %s", path);
        }
        return r < 0 ? err_wrap(err, "failed to load existing certificate %s", base_name) : 0;
}

static struct value *current(const struct value *tree, const char *list, const char *member, const char *key)
{
        const char *name = value_string(value_map_get(tree, "current-context"), "");
        const struct value *context = kubeconfig_tree_find(tree, "contexts", "context", name);

        return kubeconfig_tree_find(tree, list, member, value_string(value_map_get(context, key), ""));
}

struct value *certs_managed_cluster(const struct value *tree)
{
        return current(tree, "clusters", "cluster", "cluster");
}

struct value *certs_managed_user(const struct value *tree)
{
        return current(tree, "users", "user", "user");
}

/* The texts of newKubeconfigReadWriter's Read. */
static int check_tree(const struct value *tree, const char *path, struct err *err)
{
        const char *name = value_string(value_map_get(tree, "current-context"), "");
        const struct value *context = kubeconfig_tree_find(tree, "contexts", "context", name);
        const struct value *cluster = certs_managed_cluster(tree), *user = certs_managed_user(tree);

        if (!context)
                return err_set(err, ERR_INVALID, "invalid kubeConfig file %s: missing context %s", path, name);
        if (!cluster)
                return err_set(err, ERR_INVALID, "invalid kubeConfig file %s: missing cluster %s", path,
                               value_string(value_map_get(context, "cluster"), ""));
        if (str_empty(value_string(value_map_get(cluster, "certificate-authority-data"), "")))
                return err_set(err, ERR_INVALID, "kubeConfig file %s does not have an embedded server certificate",
                               path);
        if (!user)
                return err_set(err, ERR_INVALID, "invalid kubeConfig file %s: missing authInfo %s", path,
                               value_string(value_map_get(context, "user"), ""));
        if (str_empty(value_string(value_map_get(user, "client-certificate-data"), "")))
                return err_set(err, ERR_INVALID, "kubeConfig file %s does not have an embedded client certificate",
                               path);
        return 0;
}

static int read_kubeconfig(struct pki_files *files, const struct certs_managed *m, struct pki_certs *ret,
                           struct value **ret_tree, struct err *err)
{
        char *path CLEANUP_FREE = certs_managed_path(files, m);
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        struct buf pem CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct value *tree CLEANUP_VALUE = NULL;
        int r = kubeconfig_tree_load(files->phase, path, &tree, err);

        if (r < 0)
                return err_wrap(err, "failed to load kubeConfig file %s", path);
        r = read_certs(files, m->ca_base_name, &ca, err);
        if (r == 0)
                r = check_tree(tree, path, err);
        if (r < 0)
                return r;
        const struct value *data = value_map_get(certs_managed_user(tree), "client-certificate-data");
        r = base64_decode(data->text, data->len, &pem, err);
        if (r == 0)
                r = pki_certs_load(buf_str(&pem), pem.len, ret, err);
        if (r < 0)
                return err_wrap(err, "kubeConfig file %s does not contain a valid client certificate", path);
        *ret_tree = TAKE_PTR(tree);
        return 0;
}

int certs_managed_read(struct pki_files *files, const struct certs_managed *m, struct pki_certs *ret,
                       struct value **ret_tree, struct err *err)
{
        if (!m->base_name)
                return read_kubeconfig(files, m, ret, ret_tree, err);
        *ret_tree = NULL;
        return read_certs(files, m->base_name, ret, err);
}
