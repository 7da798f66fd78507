#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootstrap tokens: their text, and the Secret that holds one (cmd/kubeadm/app/apis/bootstraptoken/v1/utils.go,
 * phases/bootstraptoken/node/token.go).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/strv.h"

struct cluster;
struct config_token;
struct err;
struct phase;
struct value;

#define TOKEN_ID_LEN 6
#define TOKEN_SECRET_LEN 16
#define TOKEN_LEN (TOKEN_ID_LEN + 1 + TOKEN_SECRET_LEN)

bool token_is_id(const char *text);

/* Tokens of the configuration that have no text yet get one. They keep it for the life of the configuration. */
int token_fill_in(struct phase *phase, struct err *err);

/* A token as it is in the cluster. */
struct token_facts {
        char id[TOKEN_ID_LEN + 1], secret[TOKEN_SECRET_LEN + 1];
        char *description;  /* "" without */
        usec_t expires;     /* CLOCK_REALTIME, 0: never */
        char *expires_text; /* as it is written there; NULL: never */
        struct strv usages, groups;
};
void token_facts_release(struct token_facts *facts);
#define CLEANUP_TOKEN_FACTS __attribute__((cleanup(token_facts_release)))

/* The Secret of a token whose text is set; expires counts before ttl, which counts from now (CLOCK_REALTIME). */
struct value *token_secret(const struct config_token *token, usec_t now);
/* Reads a Secret; -ERR_INVALID with kubeadm's text, -ENOMEM. */
int token_from_secret(const struct value *secret, struct token_facts *ret, struct err *err);

/* nodebootstraptoken.UpdateOrCreateTokens: all tokens of the configuration. new_only: one that is there already is an
 * error. */
int token_write(struct cluster *cluster, const struct config_token *tokens, size_t count, bool new_only,
                struct err *err);
