/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/base64.h"
#include "codec/cjson_get.h"
#include "docker/docker_auth.h"
#include "docker/docker_image_ref.h"

#define HUB "docker.io"
#define HUB_KEY "index.docker.io" /* as `docker login` writes it: https://index.docker.io/v1/ */

/* Host with port, and the path below it without a slash at either end. */
struct location {
        char *host;
        char *path;
};

static void location_release(struct location *l)
{
        free(l->host);
        free(l->path);
}
#define CLEANUP_LOCATION CLEANUP(location_release)

static struct location location_of_key(const char *key)
{
        const char *rest = str_after(key, "https://");
        rest = rest ? rest : str_after(key, "http://");
        rest = rest ? rest : key;
        size_t host_len = strcspn(rest, "/");
        struct location l = {.host = xstrndup(rest, host_len)};
        const char *path = rest[host_len] ? rest + host_len + 1 : "";
        /* What `docker login` of the first registry protocol left there. */
        const char *behind = str_after(path, "v1");
        behind = behind ? behind : str_after(path, "v2");
        if (behind && (*behind == '\0' || *behind == '/'))
                path = behind + (*behind == '/');
        size_t len = strlen(path);
        l.path = xstrndup(path, len && path[len - 1] == '/' ? len - 1 : len);
        if (str_eq(l.host, HUB_KEY)) {
                free(l.host);
                l.host = xstrdup(HUB);
        }
        return l;
}

static struct location location_of_image(const char *image)
{
        struct docker_image_ref ref = docker_image_ref_split(image);
        struct location l = {.host = docker_image_ref_registry(image)};
        const char *path = str_after(ref.repository, l.host);
        if (!path || *path != '/')
                path = str_after(ref.repository, HUB_KEY "/");
        else
                path++;
        l.path = xstrdup(path ? path : ref.repository);
        docker_image_ref_release(&ref);
        return l;
}

/* Part by part, so that a star does not reach over a dot. */
static bool host_fits(const char *pattern, const char *host)
{
        struct strv p CLEANUP_STRV = STRV_INIT, h CLEANUP_STRV = STRV_INIT;
        strv_split(&p, pattern, '.');
        strv_split(&h, host, '.');
        if (p.len != h.len)
                return false;
        for (size_t i = 0; i < p.len; i++)
                if (fnmatch(p.items[i], h.items[i], FNM_NOESCAPE) != 0)
                        return false;
        return true;
}

/* How well a key fits an image: 0 not at all; a longer path is better, then a host without globs. */
static size_t fit(const char *key, const struct location *image)
{
        struct location l CLEANUP_LOCATION = location_of_key(key);
        size_t len = strlen(l.path);
        if (!host_fits(l.host, image->host))
                return 0;
        if (len && (strncmp(l.path, image->path, len) != 0 || (image->path[len] && image->path[len] != '/')))
                return 0;
        return 2 * len + 1 + str_eq(l.host, image->host);
}

static const struct cJSON *best(const struct cJSON *map, const struct location *image)
{
        const struct cJSON *item, *found = NULL;
        size_t found_fit = 0;
        if (!cJSON_IsObject(map))
                return NULL;
        cJSON_ArrayForEach (item, map) {
                size_t f = fit(item->string, image);
                if (f > found_fit) {
                        found = item;
                        found_fit = f;
                }
        }
        return found;
}

static void add_member(struct buf *out, const char *key, const char *value)
{
        buf_addch(out, out->len ? ',' : '{');
        buf_add_json_string(out, key, strlen(key));
        buf_addch(out, ':');
        buf_add_json_string(out, value, strlen(value));
}

/* "auth" is base64 of user:password. */
static int split_auth(const char *auth, char **ret_user, char **ret_password)
{
        struct buf plain CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        struct err err;
        if (base64_decode(auth, strlen(auth), &plain, &err) < 0)
                return -EINVAL;
        const char *text = buf_str(&plain), *colon = strchr(text, ':');
        if (!colon)
                return -EINVAL;
        *ret_user = xstrndup(text, (size_t)(colon - text));
        *ret_password = xstrdup(colon + 1);
        return 0;
}

static int entry_to_auth(const char *file_name, const struct cJSON *entry, const struct location *image,
                         char **ret_auth, struct err *err)
{
        struct buf json CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE), out = BUF_INIT(LIMIT_PKI_FILE);
        const char *auth = cjson_text(entry, "auth", ""), *token = cjson_text(entry, "identitytoken", "");
        char *user CLEANUP_FREE = NULL, *password CLEANUP_FREE = NULL;

        if (*token) {
                add_member(&json, "identitytoken", token);
        } else {
                if (*auth && split_auth(auth, &user, &password) < 0)
                        return err_set(err, ERR_INVALID, "%s: auths: '%s': auth is not base64 of USER:PASSWORD",
                                       file_name, entry->string);
                add_member(&json, "username", user ? user : cjson_text(entry, "username", ""));
                add_member(&json, "password", password ? password : cjson_text(entry, "password", ""));
        }
        add_member(&json, "serveraddress", str_eq(image->host, HUB) ? "https://" HUB_KEY "/v1/" : image->host);
        buf_addch(&json, '}');
        base64_encode_url(json.data, json.len, &out);
        *ret_auth = buf_steal(&out, &(size_t){0});
        return 0;
}

int docker_auth_lookup(const char *file_name, const char *json, size_t len, const char *image_ref, char **ret_auth,
                       struct err *err)
{
        struct cJSON *c CLEANUP_CJSON = cJSON_ParseWithLength(json, len);
        struct location image CLEANUP_LOCATION = location_of_image(image_ref);

        if (!cJSON_IsObject(c))
                return err_set(err, ERR_INVALID, "%s: no JSON object", file_name);
        const struct cJSON *entry = best(cjson_get(c, "auths", NULL), &image);
        bool has_secret = entry && (*cjson_text(entry, "auth", "") || *cjson_text(entry, "identitytoken", "") ||
                                    *cjson_text(entry, "username", ""));
        if (has_secret)
                return entry_to_auth(file_name, entry, &image, ret_auth, err);
        const struct cJSON *helper = best(cjson_get(c, "credHelpers", NULL), &image);
        const char *store = cjson_text(c, "credsStore", "");
        /* A login through a helper leaves an empty entry. */
        if (helper || (entry && *store))
                return err_set(err, ERR_UNSUPPORTED,
                               "%s: the credentials for %s are with a credential helper (%s), which is not run here; "
                               "write them into \"auths\"",
                               file_name, image.host, cJSON_IsString(helper) ? helper->valuestring : store);
        return 1;
}

int docker_auth_lookup_file(const char *path, const char *image, char **ret_auth, struct err *err)
{
        struct buf b CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);
        int r = file_read(path, &b, err);
        if (r == -ENOENT || r == -ENOTDIR)
                return 1;
        if (r < 0)
                return r;
        return docker_auth_lookup(path, buf_str(&b), b.len, image, ret_auth, err);
}
