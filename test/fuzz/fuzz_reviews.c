/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks at the HTTPS port: the header that a stranger sends, and what the API server answers about a token. The
 * first line of the input is the header, the rest the answer.
 */
#include <cjson/cJSON.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "fuzz.h"
#include "node/port_user.h"
#include "pki/trust.h"

/* Reads a text of our own: it must be JSON. */
static cJSON *read_own(const char *text)
{
        cJSON *object = cJSON_ParseWithLength(text, strlen(text));

        MUST(object);
        return object;
}

static void check_token(const char *header)
{
        char *token CLEANUP_FREE = port_bearer_token(header);

        if (!token)
                return;
        char *text CLEANUP_FREE = port_token_review(token);
        cJSON *review CLEANUP_CJSON = NULL;

        MUST(*token && !strpbrk(token, " \t") && strstr(header, token));
        review = read_own(text);
        MUST(strcmp(cjson_text(cjson_get(review, "spec", NULL), "token", ""), token) == 0 ||
             utf8_valid_prefix(token, strlen(token)) < strlen(token));
}

/* A user is authenticated once, and what is asked about him names him and nothing that is no text. */
static void check_user(const cJSON *user)
{
        char *text CLEANUP_FREE = port_access_review(user, "n1", "get", "proxy");
        cJSON *review CLEANUP_CJSON = read_own(text);
        const cJSON *spec = cjson_get(review, "spec", NULL), *groups = cjson_get(spec, "groups", NULL), *group, *one;
        size_t authenticated = 0;

        MUST(strcmp(cjson_text(spec, "user", "?"), port_user_name(user)) == 0 ||
             utf8_valid_prefix(port_user_name(user), strlen(port_user_name(user))) < strlen(port_user_name(user)));
        cJSON_ArrayForEach (group, groups) {
                MUST(cJSON_IsString(group));
                authenticated += strcmp(group->valuestring, "system:authenticated") == 0;
        }
        MUST(authenticated >= 1);
        cJSON_ArrayForEach (group, cjson_get(spec, "extra", NULL))
                cJSON_ArrayForEach (one, group)
                        MUST(cJSON_IsString(one));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
        size_t head = newline ? (size_t)(newline - data) : size, skip = newline ? head + 1 : head;
        char *header CLEANUP_FREE = xstrndup((const char *)data, head);
        cJSON *review CLEANUP_CJSON = cJSON_ParseWithLength((const char *)data + skip, size - skip);
        cJSON *user CLEANUP_CJSON = review ? port_user_of_review(review) : NULL;
        struct pki_client client = {.common_name = header};
        cJSON *owner CLEANUP_CJSON = port_user_of_certificate(&client), *nobody CLEANUP_CJSON = port_user_anonymous();

        check_token(header);
        MUST(!user || cjson_bool(cjson_get(review, "status", NULL), "authenticated"));
        if (user)
                check_user(user);
        MUST(!owner == !*header);
        if (owner)
                check_user(owner);
        MUST(nobody && strcmp(port_user_name(nobody), "system:anonymous") == 0);
        return 0;
}
