#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `token create`, `list` and `delete` (cmd/kubeadm/app/cmd/token.go).
 */
#include <stdbool.h>
#include <stdio.h>

#include "base/strv.h"

struct cluster;
struct err;

struct token_create {
        const char *kubeconfig_path; /* for messages */
        bool print_join_command;
        const char *certificate_key; /* NULL without */
};

/* Makes the tokens of the configuration, which must not be there yet, and prints the first or its join command. */
int token_create(struct cluster *cluster, const struct token_create *options, struct err *err);

/* output: "text", "json", "yaml". Secrets that are no right tokens are told on the phase's log. */
int token_list(struct cluster *cluster, const char *output, struct err *err);

/* Each a token or its id. */
int token_delete(struct cluster *cluster, const struct strv *tokens, struct err *err);
