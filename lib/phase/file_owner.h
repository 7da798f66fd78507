#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose files are to be: changed by phase_commit, before the files that it writes take their names, so that nothing is
 * written where it fails. What was changed before a failure stays so; the next run does it again.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;
struct phase;

#define FILE_OWNER_WHOLE_TREE ((mode_t)-1)

struct file_owner {
        char *path; /* without --rootfs */
        uid_t uid;
        gid_t gid;
        mode_t mode;   /* FILE_OWNER_WHOLE_TREE: a directory with all below it, whose modes stay */
        char *context; /* what a failure is wrapped in */
        bool changed;  /* by file_owners_apply: it was not so already */
};

struct file_owners {
        struct file_owner *items;
        size_t count;
};

void file_owners_release(struct file_owners *owners);
/* Copies the texts. */
void file_owners_add(struct file_owners *owners, const struct file_owner *owner);
/* What file_owners_apply fails with where the file is missing, for who wants to say so before anything is changed. */
int file_owner_check(const struct file_owner *owner, const struct phase *phase, struct err *err);
/* chown and chmod of each below --rootfs; a link in a tree is given away itself, not what it leads to. Errors are
 * kubeadm's (users.UpdatePathOwnerAndPermissions, UpdatePathOwner); -ERR_LIMIT of a tree too deep. */
int file_owners_apply(struct file_owners *owners, const struct phase *phase, struct err *err);
/* Tells action "own", or "keep" where nothing was changed (action.h). */
int file_owner_tell(const struct file_owner *owner, const struct phase *phase, struct err *err);
