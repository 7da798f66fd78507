/* SPDX-License-Identifier: Apache-2.0
 *
 * Bootstrap tokens, and secrets made of random bytes alone, printed: tokens and certificate keys.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "genphase.h"
#include "phase/secret_text.h"

int verb_certificate_key(void *userdata, const struct strv *args)
{
        char key[SECRET_CERTIFICATE_KEY_MAX];
        struct err err = ERR_INIT;

        (void)userdata;
        (void)args;
        if (secret_certificate_key(key, &err) < 0)
                return genphase_fail(&err, 1);
        (void)puts(key);
        explicit_bzero(key, sizeof(key));
        return 0;
}

static int run_generate(void *userdata, const struct strv *args)
{
        char token[SECRET_TOKEN_MAX];
        struct err err = ERR_INIT;

        (void)userdata;
        (void)args;
        if (secret_token(token, &err) < 0)
                return genphase_fail(&err, 1);
        (void)puts(token);
        explicit_bzero(token, sizeof(token));
        return 0;
}

/* clang-format off */
const struct cli_verb token_verbs[] = {
        {.name = "create", .help = "Create bootstrap tokens on the server", .usage = "[TOKEN]", .max_args = 1,
         .options = token_create_options, .run = verb_token_create},
        {.name = "delete", .help = "Delete bootstrap tokens on the server", .usage = "TOKEN...", .max_args = -1,
         .options = token_delete_options, .run = verb_token_delete},
        {.name = "generate", .help = "Generate and print a bootstrap token, but do not create it on the server", .run = run_generate},
        {.name = "list", .help = "List bootstrap tokens on the server", .options = token_list_options, .run = verb_token_list},
        {0}
};
/* clang-format on */
