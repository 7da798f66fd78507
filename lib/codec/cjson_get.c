/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"

struct cJSON *cjson_get(const struct cJSON *object, ...)
{
        const struct cJSON *c = object;
        const char *key;
        va_list ap;

        va_start(ap, object);
        while (c && (key = va_arg(ap, const char *)))
                c = cJSON_GetObjectItemCaseSensitive(c, key);
        va_end(ap);
        return (struct cJSON *)c;
}

const char *cjson_text(const struct cJSON *object, const char *key, const char *fallback)
{
        const struct cJSON *c = cJSON_GetObjectItemCaseSensitive(object, key);

        return cJSON_IsString(c) ? c->valuestring : fallback;
}

bool cjson_bool(const struct cJSON *object, const char *key)
{
        return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}

int64_t cjson_int(const struct cJSON *object, const char *key, int64_t fallback)
{
        const struct cJSON *c = cJSON_GetObjectItemCaseSensitive(object, key);

        /* Beyond 2^53 a double no longer holds each integer. */
        if (!cJSON_IsNumber(c) || fabs(c->valuedouble) > 9007199254740992.0 || c->valuedouble != trunc(c->valuedouble))
                return fallback;
        return (int64_t)c->valuedouble;
}

static bool is_empty(const struct cJSON *c)
{
        const struct cJSON *member;

        if (!c || cJSON_IsNull(c) || cJSON_IsFalse(c))
                return true;
        if (cJSON_IsString(c))
                return c->valuestring[0] == '\0';
        if (cJSON_IsNumber(c))
                return fpclassify(c->valuedouble) == FP_ZERO;
        if (cJSON_IsArray(c))
                return c->child == NULL;
        if (!cJSON_IsObject(c))
                return false;
        cJSON_ArrayForEach (member, c) {
                if (!is_empty(member))
                        return false;
        }
        return true;
}

/* Each member of a that is not empty is the same in b. */
static bool members_in(const struct cJSON *a, const struct cJSON *b)
{
        const struct cJSON *member;

        cJSON_ArrayForEach (member, a) {
                const struct cJSON *other = cJSON_GetObjectItemCaseSensitive(b, member->string);
                if (is_empty(member) ? !is_empty(other) : !cjson_same(member, other))
                        return false;
        }
        return true;
}

bool cjson_same(const struct cJSON *a, const struct cJSON *b)
{
        if (is_empty(a) || is_empty(b))
                return is_empty(a) && is_empty(b);
        if (cJSON_IsObject(a) && cJSON_IsObject(b))
                return members_in(a, b) && members_in(b, a);
        if (!cJSON_IsArray(a) || !cJSON_IsArray(b))
                return cJSON_Compare(a, b, true);
        const struct cJSON *x = a->child, *y = b->child;
        while (x && y && cjson_same(x, y)) {
                x = x->next;
                y = y->next;
        }
        return !x && !y;
}

void cjson_add_time(struct cJSON *object, const char *key, usec_t realtime)
{
        char text[TIMEFMT_MAX];

        if (realtime == 0)
                return;
        timefmt_seconds(realtime, text);
        cJSON_AddStringToObject(object, key, text);
}

void cjson_write(const struct cJSON *c, struct buf *out)
{
        char *text = cJSON_PrintUnformatted(c);

        if (text)
                buf_addstr(out, text);
        else
                out->failed = true;
        cJSON_free(text);
}

void cleanup_cjson(struct cJSON **c)
{
        cJSON_Delete(*c);
        *c = NULL;
}
