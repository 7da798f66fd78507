/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/base64.h"
#include "codec/number.h"
#include "codec/value.h"
#include "codec/yaml_resolve.h"
#include "codec/yaml_scalar.h"

/* The type that a tag asks for. False for tags that are none of the resolved ones: their text is a string. */
static bool tag_type(const char *tag, enum yaml_type *ret)
{
        static const struct {
                const char *name;
                enum yaml_type type;
        } types[] = {
                {"str", YAML_TYPE_STRING},  {"bool", YAML_TYPE_BOOL}, {"int", YAML_TYPE_INT},
                {"float", YAML_TYPE_FLOAT}, {"null", YAML_TYPE_NULL}, {"timestamp", YAML_TYPE_TIMESTAMP},
        };
        const char *name = str_after(tag, YAML_TAG_PREFIX);

        for (size_t i = 0; name && i < ARRAY_SIZE(types); i++)
                if (strcmp(name, types[i].name) == 0) {
                        *ret = types[i].type;
                        return true;
                }
        return false;
}

static int load_binary(const struct yaml_scalar_text *text, const struct value_place *place, struct value **ret,
                       struct err *err)
{
        struct buf data CLEANUP_BUF = BUF_INIT(text->len);
        struct buf clean CLEANUP_BUF = BUF_INIT(text->len * 3);

        if (memchr(text->s, ' ', text->len) || memchr(text->s, '\t', text->len) ||
            base64_decode(text->s, text->len, &data, NULL) < 0)
                return value_error(place, err, EINVAL, "!!binary value contains invalid base64 data");
        const char *s = buf_str(&data);

        /* JSON holds text: encoding/json puts U+FFFD for what is none. */
        for (size_t i = 0; i < data.len;) {
                size_t n = utf8_sequence_length(s + i, data.len - i);

                if (n)
                        buf_add(&clean, s + i, n);
                else
                        buf_addstr(&clean, "\xef\xbf\xbd");
                i += n ? n : 1;
        }
        *ret = value_new_stringn(buf_str(&clean), clean.len);
        return buf_check(&clean, "!!binary value", err);
}

static bool fits(const struct yaml_scalar *is, enum yaml_type wish)
{
        return wish == YAML_TYPE_ANY || wish == YAML_TYPE_STRING || is->type == wish;
}

/* !!float 1 */
static void integer_to_float(struct yaml_scalar *is)
{
        if (!is->negative && is->magnitude > INT64_MAX)
                return;
        is->type = YAML_TYPE_FLOAT;
        is->number = is->negative ? -(double)is->magnitude : (double)is->magnitude;
}

static int number_value(const struct yaml_scalar_text *text, const struct yaml_scalar *is,
                        const struct value_place *place, struct value **ret, struct err *err)
{
        char number[NUMBER_TEXT_MAX];

        if (is->type == YAML_TYPE_INT) {
                (void)snprintf(number, sizeof(number), "%s%" PRIu64, is->negative ? "-" : "", is->magnitude);
        } else {
                if (isnan(is->number) || isinf(is->number))
                        return value_error(place, err, ERR_INVALID, "%.*s is a number that JSON does not have",
                                           (int)text->len, text->s);
                number_format_json(is->number, number);
        }
        *ret = value_new_number(number);
        return 0;
}

static char *string_key(const struct value *v)
{
        return memchr(v->text, '\0', v->len) ? NULL : xstrndup(v->text, v->len);
}

/* The text of a key: convertToJSONableObject in sigs.k8s.io/yaml. */
static char *key_of(const struct yaml_scalar *is, const struct value *v)
{
        char number[NUMBER_TEXT_MAX];

        switch (is->type) {
        case YAML_TYPE_BOOL:
                return xstrdup(is->boolean ? "true" : "false");
        case YAML_TYPE_INT:
                return !is->negative && is->magnitude > INT64_MAX ? NULL : xstrdup(v->text);
        case YAML_TYPE_FLOAT:
                number_format_g(is->number, true, number);
                if (isinf((float)is->number))
                        return xstrdup(is->number < 0 ? "-.inf" : ".inf");
                return xstrdup(isnan(is->number) ? ".nan" : number);
        case YAML_TYPE_STRING:
        case YAML_TYPE_TIMESTAMP:
                return string_key(v);
        case YAML_TYPE_NULL:
        case YAML_TYPE_ANY:
        case YAML_TYPE_MAX:
                break;
        }
        return NULL;
}

static int resolved_value(const struct yaml_scalar_text *text, const struct yaml_scalar *is,
                          const struct value_place *place, struct value **ret, struct err *err)
{
        switch (is->type) {
        case YAML_TYPE_NULL:
                *ret = value_new_null();
                return 0;
        case YAML_TYPE_BOOL:
                *ret = value_new_bool(is->boolean);
                return 0;
        case YAML_TYPE_INT:
        case YAML_TYPE_FLOAT:
                return number_value(text, is, place, ret, err);
        case YAML_TYPE_STRING:
        case YAML_TYPE_TIMESTAMP:
        case YAML_TYPE_ANY:
        case YAML_TYPE_MAX:
                break;
        }
        *ret = value_new_stringn(text->s, text->len);
        return 0;
}

int yaml_scalar_load(const struct yaml_scalar_text *text, const struct value_place *place, struct value **ret,
                     char **ret_key, struct err *err)
{
        struct yaml_scalar is = {.type = YAML_TYPE_STRING};
        enum yaml_type wish = YAML_TYPE_ANY;
        struct value *v CLEANUP_VALUE = NULL;
        int r;

        if (text->tag ? tag_type(text->tag, &wish) : text->implicit)
                yaml_resolve(text->s, text->len, wish, &is);
        if (wish == YAML_TYPE_FLOAT && is.type == YAML_TYPE_INT)
                integer_to_float(&is);
        if (!fits(&is, wish))
                return value_error(place, err, ERR_INVALID, "cannot decode %s `%.*s` as a %s", yaml_type_tag(is.type),
                                   (int)(text->len > 200 ? 200 : text->len), text->s, yaml_type_tag(wish));
        if (text->tag && strcmp(text->tag, YAML_TAG_PREFIX "binary") == 0)
                r = load_binary(text, place, &v, err);
        else if (text->is_key && is.type == YAML_TYPE_FLOAT && (isnan(is.number) || isinf(is.number)))
                r = (v = value_new_stringn(text->s, text->len), 0);
        else
                r = resolved_value(text, &is, place, &v, err);
        if (r < 0)
                return r;
        v->place = *place;
        if (ret_key)
                *ret_key = key_of(&is, v);
        *ret = TAKE_PTR(v);
        return 0;
}
