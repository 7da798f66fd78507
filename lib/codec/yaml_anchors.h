#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The anchors of one YAML document: what *name stands for. Inside the codec only.
 */
#include <stddef.h>
#include <sys/types.h>

struct err;
struct value;
struct value_place;

struct yaml_anchor {
        char *name;
        const struct value *value; /* borrowed; NULL while its node is still being read */
        char *key;                 /* what a scalar is as a key; NULL: it cannot be one */
};

struct yaml_anchors {
        struct yaml_anchor *items;
        size_t count;
        size_t cap;
};

void yaml_anchors_release(struct yaml_anchors *a);
/* Forgets all; keeps the memory. */
void yaml_anchors_clear(struct yaml_anchors *a);

/* A node with that anchor begins; name may be NULL: none. *ret_number is for yaml_anchors_end. Bounded by
 * LIMIT_YAML_ANCHORS. */
int yaml_anchors_begin(struct yaml_anchors *a, const char *name, const struct value_place *place, ssize_t *ret_number,
                       struct err *err);
/* The node is complete: v stays where it is until the anchors are cleared. key is copied, and may be NULL. */
void yaml_anchors_end(struct yaml_anchors *a, ssize_t number, const struct value *v, const char *key);
/* The last anchor of that name. An unknown one and one whose node is not complete are errors at place. */
int yaml_anchors_find(const struct yaml_anchors *a, const char *name, const struct value_place *place,
                      const struct yaml_anchor **ret, struct err *err);
