#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The order in which pods start, from the annotations podwatch.io/after (kube/pod_own.h), looked at as a whole: who
 * waits for whom, and which of it is a circle. Pure; for the running node and for `podwatch validate`.
 *
 * Pods of a circle do not wait for each other: a node that comes up in some order is better than one that stays down,
 * and the circle is reported.
 */
#include <stdbool.h>
#include <stddef.h>

struct pod;

/* a waits for b, directly. */
bool start_order_waits(const struct pod *a, const struct pod *b, const char *node);
/* "a -> b -> a" where pods[from] waits for itself by way of others (or directly), NULL where it does not. via: the
 * circle must go from `from` to this pod next, (size_t)-1: any. Free it. */
char *start_order_circle(const struct pod *const *pods, size_t count, size_t from, size_t via, const char *node);
