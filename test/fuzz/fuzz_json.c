/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever json_load takes is written as the same value again, also through cJSON where nothing is lost there.
 */
#include <string.h>

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/json.h"
#include "codec/value.h"
#include "fuzz.h"

static void check_flags(const struct value *v, unsigned flags)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *again CLEANUP_VALUE = NULL;

        json_write(v, flags, &text);
        if (text.failed)
                return;
        MUST(json_load("written", buf_str(&text), text.len, &again, NULL) == 0);
        MUST(value_equal(v, again));
}

static void check_cjson(const struct value *v)
{
        cJSON *c = json_to_cjson(v);
        struct value *once CLEANUP_VALUE = json_from_cjson(c);
        cJSON *d = json_to_cjson(once);
        struct value *twice CLEANUP_VALUE = json_from_cjson(d);

        MUST(c && d && value_equal(once, twice));
        cJSON_Delete(c);
        cJSON_Delete(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct value *v CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;
        int r = json_load("input", (const char *)data, size, &v, &err);

        MUST((r < 0) == (err.code != 0) && (r < 0) == !v);
        if (r < 0)
                return 0;
        check_flags(v, 0);
        check_flags(v, JSON_INDENT | JSON_SORT_KEYS | JSON_ESCAPE_HTML);
        check_cjson(v);
        return 0;
}
