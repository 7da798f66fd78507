/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "codec/base64.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "phase/names.h"
#include "phase/phase.h"
#include "phase/secret_text.h"

#define SECRET_PREFIX "bootstrap-token-"
#define USAGE_PREFIX "usage-bootstrap-"
#define DATA_MAX (64 * 1024)
#define NSEC_PER_USEC 1000
#define LOOK_TIMEOUT (5 * USEC_PER_SEC) /* for whether a token is there, where looks fail */

bool token_is_id(const char *text)
{
        return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789") == TOKEN_ID_LEN && !text[TOKEN_ID_LEN];
}

int token_fill_in(struct phase *phase, struct err *err)
{
        struct config_tokens *tokens = &phase->config->init.bootstrap_tokens;
        char text[SECRET_TOKEN_MAX];

        for (size_t i = 0; i < tokens->count; i++) {
                if (*tokens->items[i].token.text)
                        continue;
                int r = secret_token(text, err);
                if (r < 0)
                        return r;
                tokens->items[i].token.text = config_keepf(phase->config, "%s", text);
        }
        return 0;
}

void token_facts_release(struct token_facts *facts)
{
        explicit_bzero(facts->secret, sizeof(facts->secret));
        free(facts->description);
        free(facts->expires_text);
        strv_release(&facts->usages);
        strv_release(&facts->groups);
        *facts = (struct token_facts){0};
}

static void set_data(struct value *data, const char *key, const char *text)
{
        char *encoded CLEANUP_FREE = base64_text(text, strlen(text));

        value_map_set(data, key, value_new_string(encoded));
}

static void set_expiration(struct value *data, const struct config_token *token, usec_t now)
{
        char text[TIMEFMT_MAX];
        usec_t at;

        if (*token->expires.text && timefmt_parse(token->expires.text, &at) == 0)
                timefmt_seconds(at, text);
        else if (token->ttl.nsec > 0)
                timefmt_seconds(now + (usec_t)(token->ttl.nsec / NSEC_PER_USEC), text);
        else
                return;
        set_data(data, "expiration", text);
}

struct value *token_secret(const struct config_token *token, usec_t now)
{
        struct value *secret = value_new_map();
        char *id CLEANUP_FREE = xstrndup(token->token.text, TOKEN_ID_LEN);
        struct strv groups CLEANUP_STRV = STRV_INIT;

        value_map_set(secret, "apiVersion", value_new_string("v1"));
        value_map_set(secret, "kind", value_new_string("Secret"));
        struct value *metadata = value_map_set(secret, "metadata", value_new_map());
        value_map_set(metadata, "name", value_new_stringf(SECRET_PREFIX "%s", id));
        value_map_set(metadata, "namespace", value_new_string("kube-system"));
        value_map_set(secret, "type", value_new_string("bootstrap.kubernetes.io/token"));
        struct value *data = value_map_set(secret, "data", value_new_map());
        set_data(data, "token-id", id);
        set_data(data, "token-secret", token->token.text + TOKEN_ID_LEN + 1);
        if (*token->description.text)
                set_data(data, "description", token->description.text);
        set_expiration(data, token, now);
        for (size_t i = 0; i < token->usages.count; i++) {
                char *key CLEANUP_FREE = xasprintf(USAGE_PREFIX "%s", token->usages.items[i].text);
                set_data(data, key, "true");
        }
        for (size_t i = 0; i < token->groups.count; i++)
                strv_add(&groups, token->groups.items[i].text);
        if (groups.len > 0) {
                char *all CLEANUP_FREE = strv_join(&groups, ",");
                set_data(data, "auth-extra-groups", all);
        }
        return secret;
}

/* The fields of a Secret's data as text; what is no base64 or longer than DATA_MAX is left out. */
static int decode_data(const struct value *secret, struct value **ret, struct err *err)
{
        const struct value *data = value_map_get(secret, "data");
        struct value *texts CLEANUP_VALUE = value_new_map();

        for (size_t i = 0; value_is(data, VALUE_MAP) && i < data->map.count; i++) {
                struct buf b CLEANUP_BUF = BUF_INIT(DATA_MAX);
                const char *key = data->map.entries[i].key, *text = value_string(data->map.entries[i].value, "");

                int r = base64_decode(text, strlen(text), &b, NULL);
                if (b.no_memory)
                        return buf_check(&b, key, err);
                if (r == 0)
                        value_map_set(texts, key, value_new_string(buf_str(&b)));
        }
        *ret = TAKE_PTR(texts);
        return 0;
}

static const char *text_of(const struct value *texts, const char *key)
{
        return value_string(value_map_get(texts, key), "");
}

static void read_usages(const struct value *texts, struct strv *usages)
{
        for (size_t i = 0; i < texts->map.count; i++) {
                const char *usage = str_after(texts->map.entries[i].key, USAGE_PREFIX);

                if (usage && str_eq(value_string(texts->map.entries[i].value, ""), "true"))
                        strv_add(usages, usage);
        }
        strv_sort(usages);
}

static int read_identity(const struct value *texts, const char *name, struct token_facts *facts, struct err *err)
{
        const char *id = text_of(texts, "token-id"), *key = text_of(texts, "token-secret");
        char *wanted CLEANUP_FREE = xasprintf(SECRET_PREFIX "%s", id), *both CLEANUP_FREE = xasprintf("%s.%s", id, key);

        if (!*id)
                return err_set(err, ERR_INVALID, "bootstrap Token Secret has no token-id data: %s", name);
        if (!str_eq(name, wanted))
                return err_set(err, ERR_INVALID,
                               "bootstrap token name is not of the form '" SECRET_PREFIX
                               "(token-id)'. Actual: \"%s\". Expected: \"%s\"",
                               name, wanted);
        if (!*key)
                return err_set(err, ERR_INVALID, "bootstrap Token Secret has no token-secret data: %s", name);
        if (!name_is_bootstrap_token(both))
                return err_set(
                        err, ERR_INVALID,
                        "bootstrap Token Secret is invalid and couldn't be parsed: the bootstrap token \"%s\" was "
                        "not of the form \"\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z\"",
                        both);
        str_copy(facts->id, sizeof(facts->id), id);
        str_copy(facts->secret, sizeof(facts->secret), key);
        return 0;
}

int token_from_secret(const struct value *secret, struct token_facts *ret, struct err *err)
{
        struct token_facts facts CLEANUP_TOKEN_FACTS = {0};
        const char *name = value_string(value_get(secret, "metadata", "name", NULL), "");
        struct value *texts CLEANUP_VALUE = NULL;
        int r = decode_data(secret, &texts, err);

        if (r == 0)
                r = read_identity(texts, name, &facts, err);
        if (r < 0)
                return r;
        const char *expires = text_of(texts, "expiration"), *groups = text_of(texts, "auth-extra-groups");
        facts.description = xstrdup(text_of(texts, "description"));
        if (*expires) {
                if (timefmt_parse(expires, &facts.expires) < 0)
                        return err_set(err, ERR_INVALID,
                                       "can't parse expiration time of bootstrap token \"%s\": parsing time \"%s\"",
                                       name, expires);
                facts.expires_text = xstrdup(expires);
        }
        read_usages(texts, &facts.usages);
        if (*groups && *groups != ',')
                strv_split(&facts.groups, groups, ',');
        *ret = facts;
        facts = (struct token_facts){0};
        return 0;
}

struct look {
        const struct value *secret;
        bool there;
};

/* For cluster_poll: a look that fails is no answer, and the next one may be. */
static int look_for(struct cluster *cluster, void *userdata, struct err *err)
{
        struct look *look = userdata;
        struct value *there CLEANUP_VALUE = NULL;
        int r = object_get(cluster, look->secret, &there, err);

        look->there = r == 0;
        return r >= 0;
}

/* 0: there is none. kubeadm takes any failure of the look for that, and overwrites a token of this name then. */
static int check_new(struct cluster *cluster, const struct config_token *token, const struct value *secret,
                     struct err *err)
{
        struct look look = {.secret = secret};
        int r = cluster_poll(cluster, LOOK_TIMEOUT, look_for, &look, err);

        if (r == 0 && look.there)
                return err_set(err, ERR_CONFLICT, "a token with id \"%.*s\" already exists", TOKEN_ID_LEN,
                               token->token.text);
        return r < 0 ? r : 0;
}

int token_write(struct cluster *cluster, const struct config_token *tokens, size_t count, bool new_only,
                struct err *err)
{
        for (size_t i = 0; i < count; i++) {
                struct value *secret CLEANUP_VALUE = token_secret(&tokens[i], clock_realtime());
                const char *name = value_string(value_get(secret, "metadata", "name", NULL), "");
                int r = new_only && !cluster->dry_run ? check_new(cluster, &tokens[i], secret, err) : 0;

                if (r < 0)
                        return r;
                if (object_create_or_update(cluster, secret, err) < 0)
                        return err_wrap(err, "failed to create or update bootstrap token with name %s", name);
        }
        return 0;
}
