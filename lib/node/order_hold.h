#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The start order (start_order.h) among the pods of a store: whether one must wait for another now.
 */
#include <stdbool.h>
#include <stddef.h>

struct pod;
struct pod_entry;
struct pod_store;

/* Writes into text (size bytes) what the wanted version of entry waits for; leaves text alone where it waits for
 * nothing. node: the node's name. *ret_circle, free it: the circle in which it is and which it does not wait for; left
 * alone without one. */
void order_hold(const struct pod_store *store, const struct pod_entry *entry, const char *node, char *text, size_t size,
                char **ret_circle);
/* `held` is held by its start order alone, and what it waits for, by way of others too, is neither `asks` nor held for
 * another reason: it starts sooner or later, and keeps what it needs from one that comes behind it. */
bool order_keeps_place(const struct pod_store *store, const struct pod_entry *held, const struct pod_entry *asks,
                       const char *node);
/* What is wanted of an entry, which keeps it; NULL where nothing is. */
const struct pod *order_wanted(const struct pod_entry *entry);
/* It is held and has an order: to be looked at when another pod has moved on. */
bool order_is_held(const struct pod_entry *entry);
