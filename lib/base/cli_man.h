#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A manual page in section 8 from the tables of cli.h.
 */
struct buf;
struct cli_program;

/* Appends the page as roff (man macros). Hidden verbs and options are left out. */
void cli_man(const struct cli_program *program, struct buf *out);
