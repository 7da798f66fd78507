/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd/kubeadm/app/phases/copycerts/copycerts.go
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "cluster/phases.h"
#include "cluster/step.h"
#include "cluster/token.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "phase/action.h"
#include "phase/phase.h"
#include "phase/secret_text.h"
#include "pki/seal.h"

#define KEY_BYTES_MAX 256
#define TOKEN_TTL_NSEC ((int64_t)2 * 3600 * 1000000000)

struct key {
        unsigned char bytes[KEY_BYTES_MAX];
        size_t len;
};

static int nibble(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* hex.DecodeString with its errors. */
static int decode_key(const char *text, struct key *ret, struct err *err)
{
        size_t len = strlen(text);

        for (size_t i = 0; i < len; i++)
                if (nibble(text[i]) < 0)
                        return err_set(err, ERR_INVALID,
                                       "error decoding certificate key: encoding/hex: invalid byte: U+%04X '%c'",
                                       (unsigned char)text[i], text[i]);
        if (len % 2)
                return err_set(err, ERR_INVALID, "error decoding certificate key: encoding/hex: odd length hex string");
        if (len / 2 > sizeof(ret->bytes))
                return err_set(err, ERR_LIMIT, "error decoding certificate key: longer than %zu bytes",
                               sizeof(ret->bytes));
        ret->len = len / 2;
        for (size_t i = 0; i < ret->len; i++)
                ret->bytes[i] = (unsigned char)(nibble(text[2 * i]) << 4 | nibble(text[2 * i + 1]));
        return 0;
}

static int choose_key(struct phase *phase, const char *given, struct err *err)
{
        struct config_text *key = &phase->config->init.certificate_key;
        char text[SECRET_CERTIFICATE_KEY_MAX];

        if (!str_empty(given))
                key->text = config_keepf(phase->config, "%s", given);
        if (*key->text)
                return 0;
        int r = secret_certificate_key(text, err);
        if (r == 0)
                key->text = config_keepf(phase->config, "%s", text);
        explicit_bzero(text, sizeof(text));
        return r;
}

/* Adds a file sealed, or empty where it is missing, as its name with '-' for each '/'. */
static int add_file(const struct phase *phase, const struct key *key, const char *name, const char *path,
                    struct value *data, struct err *err)
{
        struct buf sealed CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE + 64), text CLEANUP_BUF = BUF_INIT(2 * LIMIT_PKI_FILE);
        char *content CLEANUP_FREE = NULL, *entry CLEANUP_FREE = xstrdup(name);
        size_t len = 0;
        int r = *path ? phase_read_file(phase, path, LIMIT_PKI_FILE, &content, &len, err) : 1;

        if (r == 0)
                r = pki_seal(key->bytes, key->len, content, len, &sealed, err);
        if (content)
                explicit_bzero(content, len);
        if (r < 0)
                return r;
        base64_encode(buf_str(&sealed), sealed.len, &text);
        for (char *p = entry; *p; p++)
                if (*p == '/')
                        *p = '-';
        value_map_set(data, entry, value_new_string(buf_str(&text)));
        return buf_check(&text, name, err);
}

static int collect(const struct phase *phase, const struct key *key, struct value *data, struct err *err)
{
        static const char *const names[] = {"ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key",
                                            "sa.pub", "sa.key", "etcd/ca.crt",        "etcd/ca.key"};
        const struct config_etcd_external *external = &phase->config->cluster.etcd.external;
        const struct {
                const char *name, *path;
        } outside[] = {
                {"external-etcd-ca.crt", external->ca_file.text},
                {"external-etcd.crt", external->cert_file.text},
                {"external-etcd.key", external->key_file.text},
        };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
                char *path CLEANUP_FREE = config_certificate_path(phase->config, names[i]);
                if (!external->set || !str_starts(names[i], "etcd/"))
                        r = add_file(phase, key, names[i], path, data, err);
        }
        for (size_t i = 0; external->set && i < ARRAY_SIZE(outside) && r == 0; i++)
                r = add_file(phase, key, outside[i].name, outside[i].path, data, err);
        return r;
}

/* The token that takes the Secret with it when it expires; *ret_uid (free it) is that of its own Secret. */
static int make_owner(struct cluster *cluster, char **ret_name, char **ret_uid, struct err *err)
{
        char text[SECRET_TOKEN_MAX];
        struct config_token token = {
                .token = {.text = text},
                .description = {.text = "Proxy for managing TTL for the kubeadm-certs secret"},
                .expires = {.text = ""},
                .ttl = {.nsec = TOKEN_TTL_NSEC, .set = true},
        };
        struct value *secret CLEANUP_VALUE = NULL, *there CLEANUP_VALUE = NULL;

        int r = secret_token(text, err);
        if (r == 0)
                r = token_write(cluster, &token, 1, true, err);
        if (r < 0)
                return err_wrap(err, "error creating token");
        secret = token_secret(&token, 0);
        *ret_name = xstrdup(value_string(value_get(secret, "metadata", "name", NULL), ""));
        r = cluster->dry_run ? 0 : object_get(cluster, secret, &there, err);
        if (r > 0)
                r = err_set(err, ENOENT, "secrets \"%s\" not found", *ret_name);
        if (r < 0)
                return err_wrap(err, "error to get token reference");
        *ret_uid = xstrdup(value_string(value_get(there, "metadata", "uid", NULL), ""));
        return 0;
}

static int write_secret(struct cluster *cluster, const struct template_variables *variables, const struct value *data,
                        struct err *err)
{
        struct value *items CLEANUP_VALUE = NULL;
        int r = step_load(cluster->phase, "upload-certs", variables, &items, err);

        for (size_t i = 0; r == 0 && i < items->list.count; i++) {
                struct value *object = value_map_get(items->list.items[i], "object");
                if (str_eq(value_string(value_map_get(object, "kind"), ""), "Secret"))
                        value_map_set(object, "data", value_copy(data));
                r = object_create_or_update(cluster, object, err);
        }
        return r;
}

static int upload(struct cluster *cluster, const char *key_text, struct err *err)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *data CLEANUP_VALUE = value_new_map();
        char *name CLEANUP_FREE = NULL, *uid CLEANUP_FREE = NULL;
        struct key key;

        phase_say(cluster->phase,
                  "[upload-certs] Storing the certificates in Secret \"kubeadm-certs\" in the \"kube-system\" "
                  "Namespace");
        int r = decode_key(key_text, &key, err);
        if (r == 0)
                r = make_owner(cluster, &name, &uid, err);
        if (r == 0)
                r = collect(cluster->phase, &key, data, err);
        explicit_bzero(&key, sizeof(key));
        if (r < 0)
                return r;
        template_set_text(&variables, "tokenSecret", name, NULL);
        template_set_text(&variables, "tokenSecretUID", uid, NULL);
        return write_secret(cluster, &variables, data, err);
}

int cluster_upload_certificates(struct cluster *cluster, const struct cluster_upload_certs *options, struct err *err)
{
        struct phase *phase = cluster->phase;
        const struct config_text *key = &phase->config->init.certificate_key;

        if (choose_key(phase, options->key, err) < 0 || upload(cluster, key->text, err) < 0)
                return err_wrap(err, "error uploading certs");
        if (!options->skip_key_print)
                phase_say(phase, "[upload-certs] Using certificate key:\n%s", key->text);
        return options->skip_key_print ? 0 : action_show(phase, "certificateKey", key->text, err);
}
