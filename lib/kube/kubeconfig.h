#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubeconfig files (client-go clientcmd/api/v1): one cluster, one user, and the context that joins them. Reading takes
 * the current context and resolves what it names, files included; writing gives the bytes of kubeadm.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct strv;

struct kubeconfig {
        char *cluster, *user, *context; /* names */
        char *server;
        char *ca_pem;  /* NULL: none given */
        char *ca_path; /* of kubeconfig_parse_cluster alone: the file that it was given as, absolute, else NULL */
        char *cert_pem, *key_pem; /* both or neither */
        char *token;              /* NULL without */
        char *cert_path,
                *key_path; /* where they were given as files (absolute), else NULL: such files may be renewed */
};

#define CLEANUP_KUBECONFIG __attribute__((cleanup(kubeconfig_release)))
void kubeconfig_release(struct kubeconfig *config);

/* Reads the file's current context. Relative paths in it are relative to it. rootfs: below which every path is opened
 * (base/rootfs.h), NULL or "" without; messages show paths without it. Errors: file:line:column and what is missing or
 * not supported (exec plugins, auth providers, passwords, tls-server-name, insecure-skip-tls-verify). ENOENT where the
 * file itself is not there. Release *ret. */
int kubeconfig_load(const char *rootfs, const char *path, struct kubeconfig *ret, struct err *err);
int kubeconfig_parse(const char *rootfs, const char *path, const char *data, size_t len, struct kubeconfig *ret,
                     struct err *err);

/* kubeconfig_load that adds the names of all files that it read or looked for, the kubeconfig first, also where it
 * fails. */
int kubeconfig_load_files(const char *path, struct kubeconfig *ret, struct strv *ret_files, struct err *err);

/* As kubeconfig_parse, but takes the current context's cluster alone, and opens no other file: the user may
 * authenticate in any way, and where the CA is a file ca_path has its name. This is what kubeadm looks at when the file
 * is there already. */
int kubeconfig_parse_cluster(const char *path, const char *data, size_t len, struct kubeconfig *ret, struct err *err);

/* Appends the file as kubeadm writes it, credentials embedded as base64. preferences: with the line "preferences: {}",
 * as client-go had it until Kubernetes 1.33. */
void kubeconfig_write(const struct kubeconfig *config, bool preferences, struct buf *out);
