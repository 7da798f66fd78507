/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/image_look.h"
#include "node/validate.h"
#include "podwatch.h"

/* 1 is for findings. */
#define CANNOT_LOOK 2

char *podwatch_node_name(const struct podwatch *p)
{
        char host[256] = "";
        char *name;

        if (!p->node_name)
                (void)gethostname(host, sizeof(host) - 1);
        name = xstrdup(p->node_name ? p->node_name : host);
        str_lower(name);
        return name;
}

static void look_at_images(const struct podwatch *p, struct validation *v)
{
        char *socket CLEANUP_FREE = image_look_socket(p->docker);
        struct err err = ERR_INIT;

        if (!socket)
                (void)fputs("images were not looked at: Docker is not on a unix socket\n", stderr);
        else if (validate_images(v, socket, &err) == 1)
                (void)fprintf(stderr, "images were not looked at, Docker does not answer: %s\n", err.msg);
}

static void print(const struct podwatch *p, const struct validation *v)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *object CLEANUP_CJSON = NULL;
        char *json;

        if (!str_eq(p->output, "json")) {
                validate_text(v, &text);
                (void)fputs(buf_str(&text), stdout);
                return;
        }
        object = validate_json(v);
        json = cJSON_Print(object);
        (void)printf("%s\n", json ? json : "{}");
        cJSON_free(json);
}

int verb_validate(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct validation v CLEANUP_VALIDATION = {.node_name = podwatch_node_name(p), .strict = true};
        struct err err = ERR_INIT;
        const char *path;

        STRV_FOREACH (path, args)
                if (validate_read(&v, path, NULL, &err) < 0) {
                        (void)podwatch_fail(&err);
                        return CANNOT_LOOK;
                }
        validate_between(&v);
        if (!p->no_host) {
                validate_command_files(&v, clock_realtime());
                look_at_images(p, &v);
        }
        print(p, &v);
        return validate_errors(&v) > 0;
}
