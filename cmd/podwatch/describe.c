/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/describe.h"
#include "podwatch.h"

static int describe(const struct podwatch *p, const char *pod, struct err *err)
{
        struct buf path CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY), text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *object CLEANUP_CJSON = NULL;
        int r;

        buf_addstr(&path, "/describe");
        unix_ask_query(&path, "pod", pod);
        r = podwatch_get(p, buf_str(&path), &answer, err);
        if (r < 0)
                return r;
        if (str_eq(p->output, "json")) {
                (void)fputs(buf_str(&answer), stdout);
                return 0;
        }
        object = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        if (!object)
                return err_set(err, ERR_PROTOCOL, "podwatch's answer is no JSON");
        describe_text(object, &text);
        (void)fputs(buf_str(&text), stdout);
        return 0;
}

int verb_describe(void *userdata, const struct strv *args)
{
        struct podwatch *p = userdata;
        struct err err = ERR_INIT;

        for (size_t i = 0; i < args->len; i++) {
                if (i > 0 && !str_eq(p->output, "json"))
                        (void)fputs("\n\n", stdout);
                if (describe(p, args->items[i], &err) < 0)
                        return podwatch_fail(&err);
        }
        return 0;
}
