#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Users and groups of the system that components run as: looked up in /etc/passwd and /etc/group below --rootfs, and
 * added there where they are missing, with numbers of the system's range in /etc/login.defs
 * (util/users/users_linux.go).
 */
#include <stdint.h>

struct err;
struct phase;
struct strv;
struct users;
struct value;

/* Reads the files and gives a number to each of the users ([NAME]) and groups ([{name, users: [NAME]}]) that is not
 * there yet. One that is there must be as it would be made. Nothing is written. Errors are kubeadm's: of a file that
 * is missing or cannot be read, -ERR_INVALID of a line or user, -ERR_LIMIT. */
int users_load(const struct phase *phase, const struct value *user_names, const struct value *groups,
               struct users **ret, struct err *err);
struct users *users_free(struct users *users); /* takes NULL, returns NULL */

/* -1: not among the names given. */
int64_t users_uid(const struct users *users, const char *name);
int64_t users_gid(const struct users *users, const char *name);

/* Takes both files with the missing ones for phase_commit, which writes each whole; once. Where they are this machine's
 * they stay locked for other programs (lckpwdf) until users_unlock. -ERR_CONFLICT: one of them is not any more as
 * users_load has read it; another negative error where it cannot be read or locked. context: what a failure to write
 * them is wrapped in. */
int users_add_files(struct users *users, struct phase *phase, const char *context, struct err *err);
/* Behind the commit; nothing where none is held. */
void users_unlock(struct users *users);

/* The number of a user by /etc/passwd alone; -1: there is none, or its line cannot be read. */
int64_t users_find(const struct phase *phase, const char *name);
/* Takes them out of both files under the same lock, and commits (RemoveUsersAndGroups). Those that are not there are
 * fine; a file that is missing or cannot be read is an error, and then neither is written. */
int users_remove(struct phase *phase, const struct strv *user_names, const struct strv *groups, struct err *err);
