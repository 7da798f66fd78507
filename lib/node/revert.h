#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A version that failed its trial (pod_gate.h), from the step that found so to the source that must not give it again.
 * It is kept from the moment of the edge: in the same turn of the store the version before it may be current already.
 */
#include <stdbool.h>

struct manifest_source;
struct pod;
struct pod_view;

struct revert {
        struct pod *pod, *to; /* references; NULL: nothing is to be told */
        unsigned to_revision;
};

/* POD_ACTION_REVERT was applied to this view just now. */
void revert_note(struct revert *revert, const struct pod_view *view);
/* Tells the source, once; source NULL: nobody. To be called outside of the store's turn. */
void revert_tell(struct revert *revert, struct manifest_source *source);
void revert_release(struct revert *revert);
