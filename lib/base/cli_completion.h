#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Shell completion from the tables of cli.h: a script that knows every verb, option, choice, and which values are
 * paths. The script runs the program only for the words of
 * verbs that say so (cli_verb.complete).
 */
struct buf;
struct cli_program;
struct err;

/* Appends the script for shell "bash", "zsh" or "fish"; -ERR_USAGE for another. Hidden verbs and options are left
 * out. */
int cli_completion(const struct cli_program *program, const char *shell, struct buf *out, struct err *err);
