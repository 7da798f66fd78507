/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "net/unix_ask.h"
#include "node/image_look.h"

#define DOCKER_SOCKET "/var/run/docker.sock"
#define TIMEOUT_SEC 20
#define PATH_BYTES (16 * 1024)

char *image_look_socket(const char *endpoint)
{
        const char *host = endpoint ? endpoint : getenv("DOCKER_HOST");

        if (str_empty(host))
                return xstrdup(DOCKER_SOCKET);
        return str_starts(host, "unix://") ? xstrdup(str_after(host, "unix://")) : NULL;
}

static int ask(const struct image_look *look, const char *method, const char *path, const char *body, int *ret_status,
               struct buf *out, struct err *err)
{
        const struct unix_ask request = {
                .socket = look->socket, .method = method, .path = path, .body = body, .timeout_seconds = TIMEOUT_SEC};

        return unix_ask(&request, ret_status, out, err);
}

int image_look_ping(const struct image_look *look, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);
        int status = 0;
        int r = ask(look, "GET", "/_ping", NULL, &status, &out, err);

        if (r == 0 && status != 200)
                return err_set(err, ERR_REMOTE, "%s answers with status %d", look->socket, status);
        return r;
}

/* Docker's own words of a refusal. */
static int refused(const struct buf *answer, int status, const char *what, struct err *err)
{
        cJSON *object CLEANUP_CJSON = cJSON_ParseWithLength(buf_str(answer), answer->len);

        return err_set(err, ERR_REMOTE, "%s: %s (status %d)", what, cjson_text(object, "message", "Docker refuses"),
                       status);
}

static char *path_of(const cJSON *image)
{
        const cJSON *env;

        cJSON_ArrayForEach (env, cjson_get(image, "Config", "Env", NULL)) {
                const char *value = str_after(cJSON_GetStringValue(env) ? cJSON_GetStringValue(env) : "", "PATH=");

                if (value)
                        return xstrdup(value);
        }
        return xstrdup("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

int image_look_find(const struct image_look *look, const char *image, char **ret_path, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);
        char *path CLEANUP_FREE = xasprintf("/images/%s/json", image);
        int status = 0;
        int r = ask(look, "GET", path, NULL, &status, &out, err);

        if (r < 0)
                return r;
        if (status == 404)
                return 1;
        if (status != 200)
                return refused(&out, status, image, err);
        if (ret_path) {
                cJSON *object CLEANUP_CJSON = cJSON_ParseWithLength(buf_str(&out), out.len);
                *ret_path = path_of(object);
        }
        return 0;
}

static int create(const struct image_look *look, const char *image, char **ret_id, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY), body CLEANUP_BUF = BUF_INIT(PATH_BYTES);
        cJSON *object CLEANUP_CJSON = NULL;
        int status = 0, r;

        buf_addstr(&body, "{\"Image\":");
        buf_add_json_string(&body, image, strlen(image));
        buf_addstr(&body, ",\"Entrypoint\":[\"/podwatch-validate\"],\"HostConfig\":{\"NetworkMode\":\"none\"}}");
        r = ask(look, "POST", "/containers/create", buf_str(&body), &status, &out, err);
        if (r < 0)
                return r;
        if (status != 201)
                return refused(&out, status, image, err);
        object = cJSON_ParseWithLength(buf_str(&out), out.len);
        if (!cjson_text(object, "Id", NULL))
                return err_set(err, ERR_PROTOCOL, "Docker made a container without an id");
        *ret_id = xstrdup(cjson_text(object, "Id", ""));
        return 0;
}

static int is_in(const struct image_look *look, const char *id, const char *file, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY), path CLEANUP_BUF = BUF_INIT(PATH_BYTES);
        int status = 0, r;

        buf_addf(&path, "/containers/%s/archive", id);
        unix_ask_query(&path, "path", file);
        r = ask(look, "HEAD", buf_str(&path), NULL, &status, &out, err);
        if (r < 0)
                return r;
        if (status != 200 && status != 404)
                return refused(&out, status, file, err);
        return status == 200 ? 0 : 1;
}

int image_look_file(const struct image_look *look, const char *image, const struct strv *paths, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);
        struct err ignored = ERR_INIT;
        char *id CLEANUP_FREE = NULL, *removal CLEANUP_FREE = NULL;
        int status = 0, r = create(look, image, &id, err);

        if (r < 0)
                return r;
        r = 1;
        for (size_t i = 0; r == 1 && i < paths->len; i++)
                r = is_in(look, id, paths->items[i], err);
        removal = xasprintf("/containers/%s?force=1&v=1", id);
        (void)ask(look, "DELETE", removal, NULL, &status, &out, &ignored);
        return r;
}
