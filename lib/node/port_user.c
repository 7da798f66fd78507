/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/port_user.h"
#include "pki/trust.h"

#define AUTHENTICATED "system:authenticated"
#define CREDENTIAL_ID "authentication.kubernetes.io/credential-id"

static cJSON *user_new(const char *name)
{
        cJSON *user = cJSON_CreateObject();

        cJSON_AddStringToObject(user, "username", name);
        return user;
}

static cJSON *list_in(cJSON *object, const char *key)
{
        cJSON *list = cJSON_GetObjectItemCaseSensitive(object, key);

        return cJSON_IsArray(list) ? list : cJSON_AddArrayToObject(object, key);
}

static void add_authenticated(cJSON *user)
{
        cJSON *groups = list_in(user, "groups"), *group;

        cJSON_ArrayForEach (group, groups)
                if (str_eq(cJSON_GetStringValue(group), AUTHENTICATED))
                        return;
        cJSON_AddItemToArray(groups, cJSON_CreateString(AUTHENTICATED));
}

struct cJSON *port_user_of_certificate(const struct pki_client *client)
{
        char *id CLEANUP_FREE = xasprintf("X509SHA256=%s", client->sha256);
        cJSON *user;
        char *group;

        if (str_empty(client->common_name))
                return NULL;
        user = user_new(client->common_name);
        STRV_FOREACH (group, &client->organizations)
                cJSON_AddItemToArray(list_in(user, "groups"), cJSON_CreateString(group));
        add_authenticated(user);
        cJSON_AddItemToArray(list_in(cJSON_AddObjectToObject(user, "extra"), CREDENTIAL_ID), cJSON_CreateString(id));
        return user;
}

struct cJSON *port_user_anonymous(void)
{
        cJSON *user = user_new("system:anonymous");

        cJSON_AddItemToArray(list_in(user, "groups"), cJSON_CreateString("system:unauthenticated"));
        return user;
}

static void copy(cJSON *to, const cJSON *from, const char *key, bool (*is)(const cJSON *item))
{
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(from, key);

        if (item && is(item))
                cJSON_AddItemToObject(to, key, cJSON_Duplicate(item, true));
}

static bool is_text(const cJSON *item)
{
        return cJSON_IsString(item) && *item->valuestring;
}

static bool is_texts(const cJSON *item)
{
        const cJSON *text;

        cJSON_ArrayForEach (text, item)
                if (!cJSON_IsString(text))
                        return false;
        return cJSON_IsArray(item);
}

static bool is_map_of_texts(const cJSON *item)
{
        const cJSON *texts;

        cJSON_ArrayForEach (texts, item)
                if (!is_texts(texts))
                        return false;
        return cJSON_IsObject(item);
}

struct cJSON *port_user_of_review(const struct cJSON *review)
{
        const cJSON *status = cjson_get(review, "status", NULL), *from = cjson_get(status, "user", NULL);
        cJSON *user;

        if (!cjson_bool(status, "authenticated"))
                return NULL;
        user = user_new(cjson_text(from, "username", ""));
        copy(user, from, "uid", is_text);
        copy(user, from, "groups", is_texts);
        copy(user, from, "extra", is_map_of_texts);
        add_authenticated(user);
        return user;
}

const char *port_user_name(const struct cJSON *user)
{
        return cjson_text(user, "username", "");
}

char *port_bearer_token(const char *header)
{
        size_t len;

        if (!header)
                return NULL;
        header += strspn(header, " \t");
        if (strncasecmp(header, "bearer ", 7) != 0)
                return NULL;
        header += 7;
        len = strcspn(header, " \t");
        return len > 0 ? xstrndup(header, len) : NULL;
}

static char *printed(const cJSON *object)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        cjson_write(object, &out);
        return buf_steal(&out, NULL);
}

char *port_token_review(const char *token)
{
        cJSON *review CLEANUP_CJSON = cJSON_CreateObject();

        cJSON_AddStringToObject(review, "kind", "TokenReview");
        cJSON_AddStringToObject(review, "apiVersion", "authentication.k8s.io/v1");
        cJSON_AddStringToObject(cJSON_AddObjectToObject(review, "spec"), "token", token);
        return printed(review);
}

char *port_access_review(const struct cJSON *user, const char *node_name, const char *verb, const char *subresource)
{
        cJSON *review CLEANUP_CJSON = cJSON_CreateObject(), *spec, *attributes;

        cJSON_AddStringToObject(review, "kind", "SubjectAccessReview");
        cJSON_AddStringToObject(review, "apiVersion", "authorization.k8s.io/v1");
        spec = cJSON_AddObjectToObject(review, "spec");
        attributes = cJSON_AddObjectToObject(spec, "resourceAttributes");
        cJSON_AddStringToObject(attributes, "verb", verb);
        cJSON_AddStringToObject(attributes, "version", "v1");
        cJSON_AddStringToObject(attributes, "resource", "nodes");
        cJSON_AddStringToObject(attributes, "subresource", subresource);
        cJSON_AddStringToObject(attributes, "name", node_name);
        cJSON_AddStringToObject(spec, "user", port_user_name(user));
        copy(spec, user, "uid", is_text);
        copy(spec, user, "groups", is_texts);
        copy(spec, user, "extra", is_map_of_texts);
        return printed(review);
}
