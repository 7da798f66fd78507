/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "base/cli_completion.h"
#include "base/cli_man.h"
#include "base/err.h"
#include "base/str.h"
#include "podwatch.h"

#define SCRIPT_MAX (1024 * 1024)

int verb_completion(void *userdata, const struct strv *args)
{
        struct buf out CLEANUP_BUF = BUF_INIT(SCRIPT_MAX);
        struct err err = ERR_INIT;

        (void)userdata;
        /* The manual page comes from the same tables; the build asks for it. */
        if (str_eq(args->items[0], "man"))
                cli_man(&podwatch_program, &out);
        else if (cli_completion(&podwatch_program, args->items[0], &out, &err) < 0)
                return podwatch_fail(&err);
        if (buf_check(&out, "the completion script", &err) < 0)
                return podwatch_fail(&err);
        (void)fputs(buf_str(&out), stdout);
        return 0;
}
