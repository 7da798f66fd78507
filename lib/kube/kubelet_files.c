/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_env.h"
#include "kube/kubelet_files.h"

static const char *const configs[] = {
        "/var/lib/kubelet/config.yaml",  /* kubelet-start's */
        "/etc/kubernetes/podwatch.yaml", /* the user's */
        NULL,
};
static const char *const env_files[] = {
        "/var/lib/kubelet/kubeadm-flags.env", /* kubelet-start's */
        "/etc/default/kubelet",               /* the user's, of the Debian package of kubeadm */
        "/etc/sysconfig/kubelet",             /* and of the RPM */
        NULL,
};
const struct kubelet_file_defaults kubelet_file_defaults = {configs, env_files};

/* Takes "NAME FILE" and "NAME=FILE" out of the flags. 1: the name was there, 0: not. */
static int take_flag(struct strv *flags, const char *name, struct strv *ret, struct err *err)
{
        int given = 0;

        for (size_t i = 0; i < flags->len;) {
                const char *rest = str_after(flags->items[i], name);
                bool next = rest && *rest == '\0';

                if (!rest || (!next && *rest != '=')) {
                        i++;
                        continue;
                }
                if (next && i + 1 == flags->len)
                        return err_set(err, ERR_INVALID, "%s: needs a value", name);
                given = 1;
                rest = next ? flags->items[i + 1] : rest + 1;
                if (*rest)
                        strv_add(ret, rest);
                strv_remove(flags, i);
                if (next)
                        strv_remove(flags, i);
        }
        return given;
}

/* The files of one flag: named, or those of the defaults that are there. */
static int find_files(struct strv *flags, const char *name, const char *const *defaults, struct strv *ret,
                      struct err *err)
{
        int given = take_flag(flags, name, ret, err);

        if (given < 0)
                return given;
        for (size_t i = 0; !given && defaults[i]; i++)
                if (file_exists(defaults[i]))
                        strv_add(ret, defaults[i]);
        return 0;
}

static int read_env(const struct strv *files, struct kubelet_env *env, struct err *err)
{
        for (size_t i = 0; i < files->len; i++) {
                struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
                int r = file_read(files->items[i], &data, err);

                if (r >= 0)
                        r = kubelet_env_read(files->items[i], buf_str(&data), data.len, env, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* data: as many buffers as there are files. */
static int read_configs(const struct strv *names, struct buf *data, struct kubelet_config_file *files, struct err *err)
{
        for (size_t i = 0; i < names->len; i++) {
                int r = file_read(names->items[i], &data[i], err);

                if (r < 0)
                        return r;
                files[i] = (struct kubelet_config_file){names->items[i], buf_str(&data[i]), data[i].len};
        }
        return 0;
}

int kubelet_files_load(struct strv *flags, const struct kubelet_file_defaults *defaults, struct kubelet_config *ret,
                       struct strv *ret_read, struct pod_findings *findings, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT, env_names CLEANUP_STRV = STRV_INIT;
        struct kubelet_env env CLEANUP_KUBELET_ENV = {0};
        struct kubelet_config_file *files CLEANUP_FREE = NULL;
        struct buf *data CLEANUP_FREE = NULL;
        int r = find_files(flags, "--config", defaults->configs, &names, err);

        if (r == 0)
                r = find_files(flags, "--env-file", defaults->env_files, &env_names, err);
        if (r == 0)
                r = read_env(&env_names, &env, err);
        if (r < 0)
                return r;
        files = xcalloc(names.len + 1, sizeof(*files));
        data = xcalloc(names.len + 1, sizeof(*data));
        for (size_t i = 0; i < names.len; i++)
                data[i] = BUF_INIT(LIMIT_MANIFEST_BYTES);
        r = read_configs(&names, data, files, err);
        if (r == 0) {
                const struct kubelet_config_sources sources = {files, names.len, &env, flags};

                r = kubelet_config_load(&sources, ret, findings, err);
        }
        for (size_t i = 0; i < names.len; i++)
                buf_release(&data[i]);
        for (size_t i = 0; i < names.len; i++)
                strv_add(ret_read, names.items[i]);
        for (size_t i = 0; i < env_names.len; i++)
                strv_add(ret_read, env_names.items[i]);
        return r;
}
