#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A string as Go quotes it.
 */
struct buf;

/* Appends s as fmt's %q does (strconv.Quote): in double quotes, with escapes for quotes, backslashes and what cannot be
 * printed; a byte that is not UTF-8 as \xNN. Which characters can be printed is Go's table but for unassigned ones. */
void go_quote(const char *s, struct buf *out);
