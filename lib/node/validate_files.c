/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that command lines name, and what is behind them on this node: most control planes that do not come up have a
 * path that no volume mounts, or a certificate that has run out.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/kubeconfig.h"
#include "node/validate.h"
#include "pki/cert.h"

/* What a program reads: it must be there before it starts. */
static const char *const read_endings[] = {".crt",  ".cert", ".pem",  ".key",        ".pub",
                                           ".conf", ".yaml", ".json", ".kubeconfig", ".yml"};

struct look {
        usec_t now_wall;
};

static bool is_read(const char *path)
{
        for (size_t i = 0; i < ARRAY_SIZE(read_endings); i++)
                if (str_ends(path, read_endings[i]))
                        return true;
        return false;
}

/* The part of path below mount_path, NULL where it is not below it. */
static const char *below(const char *path, const char *mount_path)
{
        size_t len = strlen(mount_path);

        while (len > 1 && mount_path[len - 1] == '/')
                len--;
        if (len == 1 && mount_path[0] == '/')
                return path;
        if (strncmp(path, mount_path, len) != 0 || (path[len] && path[len] != '/'))
                return NULL;
        return path + len;
}

static const struct pod_mount *find_mount(const struct pod_container *c, const char *path, const char **ret_rest)
{
        const struct pod_mount *best = NULL;

        for (size_t i = 0; i < c->mount_count; i++) {
                const char *rest = below(path, c->mounts[i].mount_path);

                if (!rest || (best && strlen(c->mounts[i].mount_path) <= strlen(best->mount_path)))
                        continue;
                best = &c->mounts[i];
                *ret_rest = rest;
        }
        return best;
}

static const struct pod_volume *find_volume(const struct pod *pod, const char *name)
{
        for (size_t i = 0; i < pod->volume_count; i++)
                if (str_eq(pod->volumes[i].name, name))
                        return &pod->volumes[i];
        return NULL;
}

static void check_certificates(struct validate_file *f, const struct field_path *at, const char *file, const char *text,
                               size_t len, usec_t now_wall)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        struct err err = ERR_INIT;
        char when[TIMEFMT_MAX];

        if (pki_certs_load(text, len, &certs, &err) < 0)
                return; /* a key, say */
        for (size_t i = 0; i < certs.count; i++) {
                const struct pki_cert_facts *facts = pki_cert_facts(certs.items[i]);
                int64_t now = (int64_t)(now_wall / USEC_PER_SEC);

                if (facts->not_after >= now && facts->not_before <= now)
                        continue;
                timefmt_seconds((usec_t)(facts->not_after < now ? facts->not_after : facts->not_before) * USEC_PER_SEC,
                                when);
                field_finding(&f->findings, true, at, "the certificate %s in %s %s %s", facts->subject, file,
                              facts->not_after < now ? "expired at" : "is not valid before", when);
        }
}

static void check_content(struct validate_file *f, const struct field_path *at, const char *file, usec_t now_wall)
{
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        struct err err = ERR_INIT;

        if (str_ends(file, ".key") || file_read(file, &data, &err) < 0)
                return;
        if (strstr(buf_str(&data), "-----BEGIN CERTIFICATE"))
                check_certificates(f, at, file, buf_str(&data), data.len, now_wall);
        else if (strstr(buf_str(&data), "client-certificate") && kubeconfig_load("", file, &config, &err) == 0 &&
                 config.cert_pem)
                check_certificates(f, at, file, config.cert_pem, strlen(config.cert_pem), now_wall);
}

/* path: in the container. */
static void check_path(struct validate_file *f, const struct pod_container *c, const struct field_path *at,
                       const char *path, const struct look *look)
{
        const char *rest = "";
        const struct pod_mount *mount = find_mount(c, path, &rest);
        const struct pod_volume *volume = mount ? find_volume(f->pod, mount->name) : NULL;
        char *file CLEANUP_FREE = NULL;
        struct stat st;

        if (!mount) {
                if (is_read(path))
                        field_finding(&f->findings, true, at, "%s is on no volume of container %s", path, c->name);
                return;
        }
        if (!volume || volume->type != POD_VOLUME_HOST_PATH || mount->sub_path_expr)
                return;
        file = xasprintf("%s%s%s%s", volume->host_path, mount->sub_path ? "/" : "",
                         mount->sub_path ? mount->sub_path : "", rest);
        if (stat(file, &st) < 0) {
                if (errno == ENOENT && is_read(path))
                        field_finding(&f->findings, true, at, "%s (%s on this node) is missing", path, file);
                return;
        }
        if (S_ISREG(st.st_mode))
                check_content(f, at, file, look->now_wall);
}

/* Of "--flag=a,b", or a word that is a path. */
static void check_word(struct validate_file *f, const struct pod_container *c, const struct field_path *at,
                       const char *word, const struct look *look)
{
        struct strv paths CLEANUP_STRV = STRV_INIT;
        const char *value = word, *path;

        if (word[0] == '-') {
                value = strchr(word, '=');
                if (!value)
                        return;
                value++;
        }
        strv_split(&paths, value, ',');
        STRV_FOREACH (path, &paths)
                if (path[0] == '/' && !strpbrk(path, " \t\n$*"))
                        check_path(f, c, at, path, look);
}

static void look_at(struct validate_file *f, size_t index, const struct field_path *container, void *userdata)
{
        static const char *const lists[] = {"command", "args"};
        const struct pod_container *c = &f->pod->containers[index];

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                struct field_path list = field_child(container, lists[l]);

                /* The first word of a command is in the image. */
                for (size_t i = l == 0 ? 1 : 0; i < field_count(list.value); i++) {
                        struct field_path word = field_index(&list, i);

                        check_word(f, c, &word, value_string(word.value, ""), userdata);
                }
        }
}

void validate_command_files(struct validation *v, usec_t now_wall)
{
        struct look look = {.now_wall = now_wall};

        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod)
                        validate_each_container(&v->files[i], look_at, &look);
}
