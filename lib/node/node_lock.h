#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One agent a node: a lock file against a second podwatch, and a look for a kubelet, which would run the same manifests
 * and fight over the same containers.
 */
struct err;
struct node_lock;

/* Errors: ERR_CONFLICT naming the process that is in the way. */
int node_lock_new(const char *run_dir, struct node_lock **ret, struct err *err);
struct node_lock *node_lock_free(struct node_lock *lock); /* takes NULL, returns NULL */

/* Process id of a kubelet in this process's network namespace below proc ("/proc"), 0 without. */
int node_lock_find_kubelet(const char *proc);
