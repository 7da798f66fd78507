/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "codec/json.h"
#include "codec/map_index.h"
#include "codec/number.h"
#include "codec/value.h"

static void cleanup_tree(cJSON **c)
{
        cJSON_Delete(*c);
}

static cJSON *list_to_cjson(const struct value *v)
{
        cJSON *array CLEANUP(cleanup_tree) = cJSON_CreateArray();

        for (size_t i = 0; array && i < v->list.count; i++) {
                cJSON *item = json_to_cjson(v->list.items[i]);

                if (!item || !cJSON_AddItemToArray(array, item)) {
                        cJSON_Delete(item);
                        return NULL;
                }
        }
        return TAKE_PTR(array);
}

static cJSON *map_to_cjson(const struct value *v)
{
        cJSON *object CLEANUP(cleanup_tree) = cJSON_CreateObject();

        for (size_t i = 0; object && i < v->map.count; i++) {
                cJSON *item = json_to_cjson(v->map.entries[i].value);

                if (!item || !cJSON_AddItemToObject(object, v->map.entries[i].key, item)) {
                        cJSON_Delete(item);
                        return NULL;
                }
        }
        return TAKE_PTR(object);
}

struct cJSON *json_to_cjson(const struct value *v)
{
        switch (v->kind) {
        case VALUE_MAP:
                return map_to_cjson(v);
        case VALUE_LIST:
                return list_to_cjson(v);
        case VALUE_STRING:
                return cJSON_CreateString(v->text);
        case VALUE_NUMBER:
                return cJSON_CreateNumber(strtod(v->text, NULL));
        case VALUE_BOOL:
                return cJSON_CreateBool(v->boolean);
        case VALUE_NULL:
        case VALUE_KIND_MAX:
                break;
        }
        return cJSON_CreateNull();
}

static struct value *number_from_cjson(const cJSON *c)
{
        char text[NUMBER_TEXT_MAX];

        if (isnan(c->valuedouble) || isinf(c->valuedouble))
                return value_new_null();
        number_format_json(c->valuedouble, text);
        return value_new_number(text);
}

/* The last one of a name that is there twice. */
static struct value *map_from_cjson(const cJSON *c)
{
        struct value *v = value_new_map();
        struct map_index index CLEANUP_MAP_INDEX = MAP_INDEX_INIT(v);
        const cJSON *child;

        cJSON_ArrayForEach (child, c) {
                struct value_entry *old = map_index_find(&index, child->string);
                struct value *item = json_from_cjson(child);

                if (old) {
                        value_free(old->value);
                        old->value = item;
                } else {
                        map_index_append(&index, child->string, item);
                }
        }
        return v;
}

struct value *json_from_cjson(const struct cJSON *c)
{
        const cJSON *child;
        struct value *v;

        if (cJSON_IsObject(c))
                return map_from_cjson(c);
        if (cJSON_IsArray(c)) {
                v = value_new_list();
                cJSON_ArrayForEach (child, c)
                        value_list_add(v, json_from_cjson(child));
                return v;
        }
        if (cJSON_IsString(c))
                return value_new_string(c->valuestring);
        if (cJSON_IsNumber(c))
                return number_from_cjson(c);
        if (cJSON_IsBool(c))
                return value_new_bool(cJSON_IsTrue(c));
        return value_new_null();
}
