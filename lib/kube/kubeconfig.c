/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rootfs.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/base64.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/kubeconfig.h"

void kubeconfig_release(struct kubeconfig *config)
{
        if (config->key_pem)
                explicit_bzero(config->key_pem, strlen(config->key_pem));
        if (config->token)
                explicit_bzero(config->token, strlen(config->token));
        free(config->cluster);
        free(config->user);
        free(config->context);
        free(config->server);
        free(config->ca_pem);
        free(config->ca_path);
        free(config->cert_pem);
        free(config->key_pem);
        free(config->token);
        free(config->cert_path);
        free(config->key_path);
        *config = (struct kubeconfig){0};
}

/* What a look-up needs to open files and to name places. */
struct reader {
        const char *rootfs, *path;
        struct strv *files; /* names of files that are read are added; NULL: nobody wants them */
};

/* Entry of a named list: clusters, contexts, users. */
static int find_named(const struct value *root, const char *list_key, const char *member, const char *name,
                      const struct value **ret, struct err *err)
{
        const struct value *list = value_map_get(root, list_key);

        for (size_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count; i++) {
                const struct value *entry = list->list.items[i];
                if (!str_eq(value_string(value_map_get(entry, "name"), NULL), name))
                        continue;
                *ret = value_map_get(entry, member);
                if (value_is(*ret, VALUE_MAP))
                        return 0;
                return value_error(&entry->place, err, ERR_INVALID, "%s \"%s\" has no %s", list_key, name, member);
        }
        return value_error(list ? &list->place : &root->place, err, ERR_INVALID, "no entry \"%s\" in %s", name,
                           list_key);
}

static char *absolute(const char *kubeconfig, const char *name)
{
        char *dir CLEANUP_FREE = file_dirname(kubeconfig);

        return name[0] == '/' ? xstrdup(name) : file_join(dir, name);
}

static int read_file(const struct reader *reader, const struct value *v, char **ret_path, char **ret_text,
                     struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        char *path CLEANUP_FREE = absolute(reader->path, value_string(v, ""));

        if (reader->files)
                strv_add(reader->files, path);
        int r = rootfs_read(reader->rootfs, path, &b, err);
        /* ENOENT is that of the kubeconfig itself. */
        if (r < 0)
                return value_error(&v->place, err, ERR_INVALID, "%s: %s", path,
                                   strerrordesc_np(-r) ?: "cannot be read");
        *ret_text = buf_steal(&b, NULL);
        if (ret_path)
                *ret_path = TAKE_PTR(path);
        return 0;
}

/* KEY-data, base64. Leaves *ret_text NULL where it is not given. */
static int read_data(const struct value *map, const char *key, char **ret_text, struct err *err)
{
        char *data_key CLEANUP_FREE = xasprintf("%s-data", key);
        const struct value *data = value_map_get(map, data_key);
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        if (str_empty(value_string(data, "")))
                return 0;
        if (base64_decode(data->text, data->len, &b, NULL) < 0 || b.failed)
                return value_error(&data->place, err, ERR_INVALID, "%s: not base64", data_key);
        *ret_text = buf_steal(&b, NULL);
        return 0;
}

/* KEY-data before KEY (a file), as clientcmd has it. Leaves *ret_text NULL where neither is given. */
static int read_material(const struct reader *reader, const struct value *map, const char *key, char **ret_path,
                         char **ret_text, struct err *err)
{
        const struct value *file = value_map_get(map, key);
        int r = read_data(map, key, ret_text, err);

        if (r < 0 || *ret_text || str_empty(value_string(file, "")))
                return r;
        return read_file(reader, file, ret_path, ret_text, err);
}

static int refuse(const struct value *map, const char *const *keys, struct err *err)
{
        for (size_t i = 0; keys[i]; i++) {
                const struct value *v = value_map_get(map, keys[i]);
                if (v && !value_is(v, VALUE_NULL) && !(value_is(v, VALUE_BOOL) && !v->boolean))
                        return value_error(&v->place, err, ERR_UNSUPPORTED, "%s is not supported", keys[i]);
        }
        return 0;
}

static int take_cluster(const struct reader *reader, const struct value *cluster, struct kubeconfig *config,
                        struct err *err)
{
        static const char *const refused[] = {"insecure-skip-tls-verify", "tls-server-name", "proxy-url", NULL};
        const char *server = value_string(value_map_get(cluster, "server"), "");

        if (!str_starts(server, "https://") && !str_starts(server, "http://"))
                return value_error(&cluster->place, err, ERR_INVALID, "cluster \"%s\": server \"%s\" is no http(s) URL",
                                   config->cluster, server);
        config->server = xstrdup(server);
        int r = refuse(cluster, refused, err);
        return r < 0 ? r : read_material(reader, cluster, "certificate-authority", NULL, &config->ca_pem, err);
}

static int take_user(const struct reader *reader, const struct value *user, struct kubeconfig *config, struct err *err)
{
        static const char *const refused[] = {"exec", "auth-provider", "username", "password", "as", NULL};
        const struct value *token = value_map_get(user, "token"), *token_file = value_map_get(user, "tokenFile");

        int r = refuse(user, refused, err);
        if (r == 0)
                r = read_material(reader, user, "client-certificate", &config->cert_path, &config->cert_pem, err);
        if (r == 0)
                r = read_material(reader, user, "client-key", &config->key_path, &config->key_pem, err);
        if (r < 0)
                return r;
        if (!config->cert_pem != !config->key_pem)
                return value_error(&user->place, err, ERR_INVALID, "user \"%s\" has a client %s without its %s",
                                   config->user, config->cert_pem ? "certificate" : "key",
                                   config->cert_pem ? "key" : "certificate");
        if (!str_empty(value_string(token, ""))) {
                config->token = xstrdup(token->text);
        } else if (!str_empty(value_string(token_file, ""))) {
                r = read_file(reader, token_file, NULL, &config->token, err);
                if (r < 0)
                        return r;
                config->token[strcspn(config->token, "\r\n")] = '\0';
        }
        return 0;
}

/* The current context's names, and its cluster. */
static int take_context(const struct value *root, struct kubeconfig *config, const struct value **ret_cluster,
                        struct err *err)
{
        const struct value *context;
        const char *name = value_string(value_map_get(root, "current-context"), "");

        if (!str_eq(value_string(value_map_get(root, "kind"), "Config"), "Config"))
                return value_error(&root->place, err, ERR_INVALID, "kind \"%s\" is no kubeconfig (\"Config\")",
                                   value_string(value_map_get(root, "kind"), ""));
        if (!*name)
                return value_error(&root->place, err, ERR_INVALID, "no current-context");
        int r = find_named(root, "contexts", "context", name, &context, err);
        if (r < 0)
                return r;
        config->context = xstrdup(name);
        config->cluster = xstrdup(value_string(value_map_get(context, "cluster"), ""));
        config->user = xstrdup(value_string(value_map_get(context, "user"), ""));
        return find_named(root, "clusters", "cluster", config->cluster, ret_cluster, err);
}

static int parse(const struct reader *reader, const char *data, size_t len, struct kubeconfig *ret, struct err *err)
{
        struct value *root CLEANUP_VALUE = NULL;
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        const struct value *cluster, *user;

        int r = yaml_load_one(reader->path, data, len, 0, &root, err);
        if (r == 0)
                r = take_context(root, &config, &cluster, err);
        if (r == 0)
                r = find_named(root, "users", "user", config.user, &user, err);
        if (r == 0)
                r = take_cluster(reader, cluster, &config, err);
        if (r == 0)
                r = take_user(reader, user, &config, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct kubeconfig){0};
        return 0;
}

int kubeconfig_parse(const char *rootfs, const char *path, const char *data, size_t len, struct kubeconfig *ret,
                     struct err *err)
{
        const struct reader reader = {rootfs, path, NULL};

        return parse(&reader, data, len, ret, err);
}

int kubeconfig_parse_cluster(const char *path, const char *data, size_t len, struct kubeconfig *ret, struct err *err)
{
        struct value *root CLEANUP_VALUE = NULL;
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        const struct value *cluster;

        int r = yaml_load_one(path, data, len, 0, &root, err);
        if (r == 0)
                r = take_context(root, &config, &cluster, err);
        if (r == 0)
                r = read_data(cluster, "certificate-authority", &config.ca_pem, err);
        if (r < 0)
                return r;
        const char *file = value_string(value_map_get(cluster, "certificate-authority"), "");
        if (!config.ca_pem && *file)
                config.ca_path = absolute(path, file);
        config.server = xstrdup(value_string(value_map_get(cluster, "server"), ""));
        *ret = config;
        config = (struct kubeconfig){0};
        return 0;
}

static int load(const struct reader *reader, struct kubeconfig *ret, struct err *err)
{
        const char *path = reader->path;
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct err cause = ERR_INIT;

        int r = rootfs_read(reader->rootfs, path, &b, &cause);
        /* client-go's words. */
        if (r == -ENOENT)
                return err_set(err, ENOENT, "open %s: no such file or directory", path);
        if (r < 0)
                return err_set(err, -r, "%s: %s", path,
                               r == -ERR_LIMIT ? "too large" : strerrordesc_np(-r) ?: "cannot be read");
        r = parse(reader, buf_str(&b), b.len, ret, err);
        /* It holds a key. */
        if (b.data)
                explicit_bzero(b.data, b.len);
        return r;
}

int kubeconfig_load(const char *rootfs, const char *path, struct kubeconfig *ret, struct err *err)
{
        const struct reader reader = {rootfs, path, NULL};

        return load(&reader, ret, err);
}

int kubeconfig_load_files(const char *path, struct kubeconfig *ret, struct strv *ret_files, struct err *err)
{
        const struct reader reader = {"", path, ret_files};

        strv_add(ret_files, path);
        return load(&reader, ret, err);
}

static void set_data(struct value *map, const char *key, const char *pem)
{
        char *text CLEANUP_FREE = pem ? base64_text(pem, strlen(pem)) : NULL;

        if (!text)
                return;
        value_map_set(map, key, value_new_string(text));
        explicit_bzero(text, strlen(text));
}

/* {name: NAME, MEMBER: body} in a list of one */
static void add_named(struct value *root, const char *list_key, const char *member, const char *name,
                      struct value *body)
{
        struct value *list = value_map_set(root, list_key, value_new_list()), *entry = value_new_map();

        value_map_set(entry, "name", value_new_string(name));
        value_map_set(entry, member, body);
        value_list_add(list, entry);
}

void kubeconfig_write(const struct kubeconfig *config, bool preferences, struct buf *out)
{
        struct value *root CLEANUP_VALUE = value_new_map();
        struct value *cluster = value_new_map(), *context = value_new_map(), *user = value_new_map();

        value_map_set(root, "apiVersion", value_new_string("v1"));
        value_map_set(root, "kind", value_new_string("Config"));
        set_data(cluster, "certificate-authority-data", config->ca_pem);
        value_map_set(cluster, "server", value_new_string(config->server));
        add_named(root, "clusters", "cluster", config->cluster, cluster);
        value_map_set(context, "cluster", value_new_string(config->cluster));
        value_map_set(context, "user", value_new_string(config->user));
        add_named(root, "contexts", "context", config->context, context);
        value_map_set(root, "current-context", value_new_string(config->context));
        if (preferences)
                value_map_set(root, "preferences", value_new_map());
        set_data(user, "client-certificate-data", config->cert_pem);
        set_data(user, "client-key-data", config->key_pem);
        if (config->token)
                value_map_set(user, "token", value_new_string(config->token));
        add_named(root, "users", "user", config->user, user);
        yaml_write(root, 0, out);
}
