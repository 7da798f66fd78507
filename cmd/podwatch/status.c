/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/status_table.h"
#include "podwatch.h"

int verb_status(void *userdata, const struct strv *args)
{
        struct podwatch *p = userdata;
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        struct buf table CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *status CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        if (podwatch_get(p, "/status", &answer, &err) < 0)
                return podwatch_fail(&err);
        if (str_eq(p->output, "json")) {
                (void)fputs(buf_str(&answer), stdout);
                return 0;
        }
        status = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        if (!status) {
                (void)err_set(&err, ERR_PROTOCOL, "podwatch's answer is no JSON");
                return podwatch_fail(&err);
        }
        status_table(status, args, str_eq(p->output, "wide"), &table);
        (void)fputs(buf_str(&table), stdout);
        return 0;
}
