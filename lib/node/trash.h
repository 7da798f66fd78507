#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories of pods that are gone, on their way out. A tree is put into the trash directory by a rename, whatever its
 * size, and is removed there in slices of a few milliseconds between the turns of the loop: a million files hold up
 * nobody. The file system alone says what is left to do, so a run of podwatch goes on where the last one was killed;
 * while nothing is there nothing wakes.
 *
 * One directory is worked on at a time. What is a directory in it and not empty is moved up into the trash, to have its
 * turn there: the work needs no stack, however deep containers have nested. A directory on which something is mounted
 * can be neither moved nor removed, so what is mounted in a tree is never looked into.
 */
struct err;
struct loop;
struct trash;

/* Renames `path` into the trash directory, which is made where it is missing; both must be on one file system. What is
 * mounted below path is to be unmounted before: it would stay, and the tree with it. A missing path is fine. Codes:
 * errno, and then it stays where it is. The removal is trash_empty's. */
int trash_put(const char *directory, const char *path, struct err *err);

/* directory is copied and need not be there; removed once it is empty. failed is told of what cannot be removed, once
 * for each trash_empty: it stays until the next one. */
struct trash *trash_new(struct loop *loop, const char *directory, void (*failed)(void *userdata, const char *message),
                        void *userdata);
struct trash *trash_free(struct trash *trash); /* takes NULL, returns NULL */

/* Removes what is there and what is put there meanwhile, from the loop. */
void trash_empty(struct trash *trash);
