#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory of a bounded buffer that is refused: each allocation of a run in its turn, from the first on, until a run has
 * been through. Every such run ends with ENOMEM, or went without what was refused; what it gives is never cut short,
 * and nothing half-written is left. To be linked with -Wl,--wrap=realloc.
 */
#include <stddef.h>

struct buf;
struct err;

/* What is tried: appends what it made to out by refuse_keep. */
typedef int (*refuse_attempt_fn)(void *userdata, struct buf *out, struct err *err);
void refuse_until_success(const char *what, refuse_attempt_fn attempt, void *userdata);

/* Appends without being refused. */
void refuse_keep(struct buf *out, const char *text, size_t len);
/* Nothing is refused in between; the result of the first is for the second. */
long refuse_pause(void);
void refuse_go_on(long at);
