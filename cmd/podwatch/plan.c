/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/image_look.h"
#include "node/plan.h"
#include "node/validate.h"
#include "podwatch.h"

/* 1 is for problems. */
#define CANNOT_PLAN 2

static int get_json(const struct podwatch *p, const char *path, cJSON **ret, struct err *err)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        int r = podwatch_get(p, path, &answer, err);

        if (r < 0)
                return r;
        *ret = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        return *ret ? 0 : err_set(err, ERR_PROTOCOL, "podwatch's answer to %s is no JSON", path);
}

static bool is_directory(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int make(const struct podwatch *p, const char *given, cJSON **ret, struct err *err)
{
        struct validation v CLEANUP_VALIDATION = {0}, now CLEANUP_VALIDATION = {0};
        cJSON *status CLEANUP_CJSON = NULL, *pods CLEANUP_CJSON = NULL;
        char *socket CLEANUP_FREE = image_look_socket(p->docker), *directory CLEANUP_FREE = NULL;
        struct plan_input in = {.files = &v, .docker_socket = socket};
        const char *manifests;
        int r = get_json(p, "/status", &status, err);

        if (r >= 0)
                r = get_json(p, "/pods", &pods, err);
        if (r < 0)
                return r;
        manifests = cjson_text(cjson_get(status, "manifests", NULL), "path", "");
        directory = is_directory(manifests) ? xstrdup(manifests) : file_dirname(manifests);
        v.node_name = xstrdup(cjson_text(status, "node", ""));
        in.status = status;
        in.pods = pods;
        in.whole = !given || is_directory(given);
        r = validate_read(&v, given ? given : manifests, directory, err);
        if (r >= 0 && given) {
                /* What ConfigMaps and Secrets are in force is what the directory has: podwatch does not show them. */
                now.node_name = xstrdup(v.node_name);
                r = validate_read(&now, directory, directory, err);
                in.configs = &now.configs;
        }
        return r < 0 ? r : plan_make(&in, ret, err);
}

int verb_plan(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *plan CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        if (make(p, args->len > 0 ? args->items[0] : NULL, &plan, &err) < 0) {
                (void)podwatch_fail(&err);
                return CANNOT_PLAN;
        }
        if (str_eq(p->output, "json")) {
                char *json = cJSON_Print(plan);
                (void)printf("%s\n", json ? json : "{}");
                cJSON_free(json);
        } else {
                plan_text(plan, &text);
                (void)fputs(buf_str(&text), stdout);
        }
        return cjson_int(plan, "problems", 0) > 0;
}
