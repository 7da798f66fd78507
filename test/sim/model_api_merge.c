/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>

#include "base/str.h"
#include "codec/cjson_get.h"
#include "model_api_merge.h"

static cJSON *of_type(cJSON *list, const char *type)
{
        cJSON *item;

        cJSON_ArrayForEach (item, list) {
                if (str_eq(cjson_text(item, "type", ""), type))
                        return item;
        }
        return NULL;
}

static void merge_conditions(cJSON *list, const cJSON *patch)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, patch) {
                cJSON *to = of_type(list, cjson_text(item, "type", ""));

                if (!to) {
                        to = cJSON_CreateObject();
                        cJSON_AddItemToArray(list, to);
                }
                model_api_merge(to, item);
        }
}

static cJSON *without_directive(const cJSON *list)
{
        cJSON *copy = cJSON_Duplicate(list, true);

        if (cjson_get(cJSON_GetArrayItem(copy, 0), "$patch", NULL))
                cJSON_DeleteItemFromArray(copy, 0);
        return copy;
}

void model_api_merge(cJSON *object, const cJSON *patch)
{
        const cJSON *member;

        cJSON_ArrayForEach (member, patch) {
                cJSON *to = cJSON_GetObjectItemCaseSensitive(object, member->string);

                if (cJSON_IsObject(member) && cJSON_IsObject(to)) {
                        model_api_merge(to, member);
                        continue;
                }
                if (cJSON_IsArray(member) && cJSON_IsArray(to) && str_eq(member->string, "conditions")) {
                        merge_conditions(to, member);
                        continue;
                }
                cJSON_DeleteItemFromObjectCaseSensitive(object, member->string);
                if (cJSON_IsArray(member))
                        cJSON_AddItemToObject(object, member->string, without_directive(member));
                else if (!cJSON_IsNull(member))
                        cJSON_AddItemToObject(object, member->string, cJSON_Duplicate(member, true));
        }
}
