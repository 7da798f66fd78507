/* SPDX-License-Identifier: Apache-2.0
 *
 * What a mirror should be, what to do about it, and the patch that makes its status true: pure.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "api/mirror.h"
#include "base/str.h"
#include "codec/cjson_get.h"

#define ANNOTATION_MIRROR "kubernetes.io/config.mirror"
#define ANNOTATION_HASH "kubernetes.io/config.hash"

static const char *annotation(const struct cJSON *pod, const char *name)
{
        return cjson_text(cjson_get(pod, "metadata", "annotations", NULL), name, "");
}

/* The hash that ties mirror and pod together is the static pod's UID. */
static const char *config_hash(const struct cJSON *pod)
{
        const char *hash = annotation(pod, ANNOTATION_HASH);

        return *hash ? hash : cjson_text(cjson_get(pod, "metadata", NULL), "uid", "");
}

/* The owner's UID, "" without one: an object whose Node was deleted and made again is the garbage collector's. */
static const char *owner_uid(const struct cJSON *observed)
{
        const struct cJSON *owners = cjson_get(observed, "metadata", "ownerReferences", NULL);

        return cjson_text(cJSON_GetArrayItem(owners, 0), "uid", "");
}

static bool is_ours(const struct cJSON *desired_pod, const struct cJSON *observed, const char *node_uid)
{
        return str_eq(annotation(observed, ANNOTATION_MIRROR), config_hash(desired_pod)) &&
               (str_empty(node_uid) || str_eq(owner_uid(observed), node_uid)) &&
               !cjson_get(observed, "metadata", "deletionTimestamp", NULL);
}

bool mirror_is_foreign(const struct cJSON *desired_pod, const struct cJSON *observed)
{
        return desired_pod && observed && !*annotation(observed, ANNOTATION_MIRROR);
}

enum mirror_step mirror_decide(const struct cJSON *desired_pod, const struct cJSON *desired_status, bool create,
                               const struct cJSON *observed, const char *node_uid)
{
        if (!desired_pod)
                return observed && *annotation(observed, ANNOTATION_MIRROR) ? MIRROR_DELETE : MIRROR_NOTHING;
        if (!observed)
                return create && !str_empty(node_uid) ? MIRROR_CREATE : MIRROR_NOTHING;
        if (mirror_is_foreign(desired_pod, observed))
                return MIRROR_NOTHING;
        if (!is_ours(desired_pod, observed, node_uid))
                return MIRROR_DELETE;
        struct cJSON *patch CLEANUP_CJSON = mirror_status_patch(desired_status, observed);
        return patch ? MIRROR_PATCH : MIRROR_NOTHING;
}

static struct cJSON *owner_reference(const char *node_name, const char *node_uid)
{
        struct cJSON *owner = cJSON_CreateObject();

        cJSON_AddStringToObject(owner, "apiVersion", "v1");
        cJSON_AddStringToObject(owner, "kind", "Node");
        cJSON_AddStringToObject(owner, "name", node_name);
        cJSON_AddStringToObject(owner, "uid", node_uid);
        cJSON_AddTrueToObject(owner, "controller");
        return owner;
}

struct cJSON *mirror_body(const struct cJSON *pod, const char *node_name, const char *node_uid)
{
        struct cJSON *body = cJSON_Duplicate(pod, true);
        struct cJSON *metadata = cjson_get(body, "metadata", NULL);
        struct cJSON *annotations = cjson_get(metadata, "annotations", NULL);
        struct cJSON *owners = cJSON_CreateArray();

        cJSON_DeleteItemFromObjectCaseSensitive(body, "status");
        if (!metadata)
                metadata = cJSON_AddObjectToObject(body, "metadata");
        if (!annotations)
                annotations = cJSON_AddObjectToObject(metadata, "annotations");
        cJSON_DeleteItemFromObjectCaseSensitive(annotations, ANNOTATION_MIRROR);
        cJSON_AddStringToObject(annotations, ANNOTATION_MIRROR, config_hash(pod));
        /* The API server gives UIDs and versions itself; what a user wrote of them would be refused or lie. */
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "uid");
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "resourceVersion");
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "creationTimestamp");
        cJSON_DeleteItemFromObjectCaseSensitive(metadata, "ownerReferences");
        cJSON_AddItemToArray(owners, owner_reference(node_name, node_uid));
        cJSON_AddItemToObject(metadata, "ownerReferences", owners);
        return body;
}

static const struct cJSON *condition_of_type(const struct cJSON *status, const char *type)
{
        const struct cJSON *condition;

        cJSON_ArrayForEach (condition, cJSON_GetObjectItemCaseSensitive(status, "conditions")) {
                if (str_eq(cjson_text(condition, "type", ""), type))
                        return condition;
        }
        return NULL;
}

/* Our conditions that the object does not show as they are; NULL where all are. Others' conditions are left alone,
 * since the list is merged by type. */
static struct cJSON *conditions_patch(const struct cJSON *desired, const struct cJSON *observed)
{
        struct cJSON *list = NULL;
        const struct cJSON *condition;

        cJSON_ArrayForEach (condition, cJSON_GetObjectItemCaseSensitive(desired, "conditions")) {
                const struct cJSON *shown = condition_of_type(observed, cjson_text(condition, "type", ""));
                if (cjson_same(condition, shown))
                        continue;
                struct cJSON *entry = cJSON_Duplicate(condition, true);
                /* A member that only the object has must go: the merge would keep it. */
                const struct cJSON *member;
                cJSON_ArrayForEach (member, shown) {
                        if (!cJSON_GetObjectItemCaseSensitive(entry, member->string))
                                cJSON_AddNullToObject(entry, member->string);
                }
                if (!list)
                        list = cJSON_CreateArray();
                cJSON_AddItemToArray(list, entry);
        }
        return list;
}

/* Lists that are merged by key need the word that they are replaced. */
static struct cJSON *replacing(const struct cJSON *value, const char *key)
{
        struct cJSON *copy = cJSON_Duplicate(value, true);

        if (cJSON_IsArray(copy) && (str_eq(key, "podIPs") || str_eq(key, "hostIPs"))) {
                struct cJSON *directive = cJSON_CreateObject();
                cJSON_AddStringToObject(directive, "$patch", "replace");
                cJSON_InsertItemInArray(copy, 0, directive);
        }
        return copy;
}

struct cJSON *mirror_status_patch(const struct cJSON *desired_status, const struct cJSON *observed)
{
        /* What a kubelet owns and may have to take back. */
        static const char *const owned[] = {"reason",
                                            "message",
                                            "podIP",
                                            "podIPs",
                                            "hostIP",
                                            "hostIPs",
                                            "startTime",
                                            "containerStatuses",
                                            "initContainerStatuses"};
        const struct cJSON *shown = cjson_get(observed, "status", NULL), *member;
        struct cJSON *status = cJSON_CreateObject();

        cJSON_ArrayForEach (member, desired_status) {
                const struct cJSON *other = cJSON_GetObjectItemCaseSensitive(shown, member->string);
                if (!str_eq(member->string, "conditions") && !cjson_same(member, other))
                        cJSON_AddItemToObject(status, member->string, replacing(member, member->string));
        }
        for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
                if (!cJSON_GetObjectItemCaseSensitive(desired_status, owned[i]) &&
                    cJSON_GetObjectItemCaseSensitive(shown, owned[i]))
                        cJSON_AddNullToObject(status, owned[i]);
        }
        struct cJSON *conditions = conditions_patch(desired_status, shown);
        if (conditions)
                cJSON_AddItemToObject(status, "conditions", conditions);
        if (!status->child || !desired_status) {
                cJSON_Delete(status);
                return NULL;
        }
        struct cJSON *patch = cJSON_CreateObject(), *metadata = cJSON_AddObjectToObject(patch, "metadata");
        /* A precondition: not onto another object that has taken the name meanwhile. */
        cJSON_AddStringToObject(metadata, "uid", cjson_text(cjson_get(observed, "metadata", NULL), "uid", ""));
        cJSON_AddItemToObject(patch, "status", status);
        return patch;
}
