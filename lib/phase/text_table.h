#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as Go's text/tabwriter aligns them with the settings that kubeadm uses: columns at least 10 wide, 3 spaces
 * between them, the last one as it is.
 */
#include <stddef.h>

#include "base/strv.h"

struct buf;

/* Appends one line a row; all rows have as many cells. Widths are counted in bytes: cells are ASCII. */
void text_table_write(const struct strv *rows, size_t count, struct buf *out);
