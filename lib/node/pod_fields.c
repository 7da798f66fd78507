/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/value_diff.h"
#include "kube/pod.h"
#include "node/pod_fields.h"

/* Of each version. */
static const char *const own_fields[] = {
        "metadata.uid",
        "metadata.annotations[kubernetes.io/config.hash]",
        "metadata.annotations[kubernetes.io/config.seen]",
};

static void add_field(void *userdata, const char *path, const struct value *before, const struct value *after)
{
        cJSON *item;

        for (size_t i = 0; i < ARRAY_SIZE(own_fields); i++)
                if (str_eq(path, own_fields[i]))
                        return;
        item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "field", path);
        if (before)
                cJSON_AddItemToObject(item, "before", json_to_cjson(before));
        if (after)
                cJSON_AddItemToObject(item, "after", json_to_cjson(after));
        cJSON_AddItemToArray(userdata, item);
}

cJSON *pod_fields_diff(const struct pod *before, const struct pod *after)
{
        struct value *a CLEANUP_VALUE = NULL, *b CLEANUP_VALUE = NULL;
        cJSON *list = cJSON_CreateArray();

        /* Both were written by json_write: they can be read. */
        if (json_load("pod", before->json, before->json_len, &a, NULL) == 0 &&
            json_load("pod", after->json, after->json_len, &b, NULL) == 0)
                value_diff(a, b, add_field, list);
        return list;
}
