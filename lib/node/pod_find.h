#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pod a person means by a word: NAMESPACE/NAME, NAME, or the name in the manifest, without the node's name that a
 * static pod gets behind it.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;

/* How well the word names the pod; the best counts, and two that are equally good are ambiguous. */
enum pod_find { POD_FIND_NO, POD_FIND_SHORT, POD_FIND_NAME, POD_FIND_KEY };

/* node may be NULL: then POD_FIND_SHORT is never the answer. */
enum pod_find pod_find_match(const char *word, const char *namespace, const char *name, const char *node);

/* The search over many, one call a candidate. */
struct pod_search {
        const char *word;
        enum pod_find best;
        size_t index;   /* of the best candidate, as given */
        unsigned equal; /* candidates as good as it, itself included */
        char *names;    /* of those, for the message; NULL while there is none */
};
void pod_search_offer(struct pod_search *search, const char *namespace, const char *name, const char *node,
                      size_t index);
/* 0 and the index; -ENOENT: no such pod; -ERR_USAGE: several. Releases the search. */
int pod_search_end(struct pod_search *search, size_t *ret_index, struct err *err);
