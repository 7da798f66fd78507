#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What -o json of a verb that acts prints: each thing done is a line of its own, a JSON object whose first key is
 * "action". docs/ACTIONS.md has them all. Everything else that a verb would print is left out then (phase_say).
 */
#include <stddef.h>
#include <sys/types.h>

struct err;
struct phase;
struct value;

/* {"action": NAME} and, in the second, "path" and "mode", to which the caller adds what there is to say. NULL where
 * actions are not told: each function here takes that and does nothing. Free them, or give them to action_tell. */
struct value *action_new(const struct phase *phase, const char *name);
struct value *action_new_path(const struct phase *phase, const char *name, const char *path, mode_t mode);
/* Adds key; text NULL: nothing. */
void action_set(struct value *action, const char *key, const char *text);
/* Adds "bytes" and "sha256" of data; of what an open file has, from where it is read. A negative error where it cannot
 * be read. */
void action_set_content(struct value *action, const void *data, size_t len);
int action_set_file(struct value *action, int fd, struct err *err);

/* What a person would be shown that is no action: {"action": "show", KEY: TEXT}. */
int action_show(const struct phase *phase, const char *key, const char *text, struct err *err);

/* Prints the line, with the phase of `init` or `reset` (phase->step) and with dryRun where nothing is really done, and
 * frees action. -ERR_LIMIT where it has more than LIMIT_ACTION_LINE bytes. */
int action_tell(const struct phase *phase, struct value *action, struct err *err);
