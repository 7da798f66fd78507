#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A change of a view as a value: which of the functions of pod_apply.h, with which arguments. The store makes every
 * change through here and the journal keeps it as JSON, so what is replayed is what was done.
 */
#include "node/pod_apply.h"

struct buf;
struct docker_container;
struct err;
struct value;

enum pod_change_kind {
        POD_CHANGE_WANT,            /* pod, revision */
        POD_CHANGE_UNWANT,          /* */
        POD_CHANGE_HOLD,            /* text */
        POD_CHANGE_RUNTIME,         /* flag: ready */
        POD_CHANGE_OBSERVE,         /* docker */
        POD_CHANGE_GONE,            /* id */
        POD_CHANGE_ORPHAN,          /* pod, revision */
        POD_CHANGE_OUTCOME,         /* op, generation, flag: success, id, sandbox, reason, text */
        POD_CHANGE_PROBE,           /* generation, flag: success, error, text */
        POD_CHANGE_GARBAGE,         /* id: it runs and is nothing's */
        POD_CHANGE_GARBAGE_OUTCOME, /* id, generation, flag: success, text */
        POD_CHANGE_RESTART,         /* container, text */
        POD_CHANGE_RETRY,           /* container */
        POD_CHANGE_RESTORE,         /* text: of pod_persist.h; id: boot id; flag: observed */
        POD_CHANGE_DRAIN,           /* flag */
        POD_CHANGE_FALLBACK,        /* pod, revision */
        POD_CHANGE_MAX
};

/* Strings and objects are borrowed where it was made by hand, owned where it was read (pod_change_release). */
struct pod_change {
        enum pod_change_kind kind;
        usec_t now, now_wall;
        int container;
        enum pod_op op;
        uint32_t generation;
        unsigned revision;
        bool flag, error;
        char *id, *sandbox, *reason, *text;
        struct pod *pod;
        struct docker_container *docker;
};

/* What the function returned: enum pod_observed, 0/1, or whether something changed. Negative only for RESTORE. */
int pod_change_apply(struct pod_view *view, const struct pod_change *change, struct err *err);

/* Appends one object; key is of the view. */
void pod_change_write(const char *key, const struct pod_change *change, struct buf *out);
/* Of a change's fields no more than its kind uses. */
int pod_change_read(const struct value *v, struct pod_change *ret, struct err *err);
void pod_change_release(struct pod_change *change); /* of one that was read */

/* What was decided in a step, as one object; equal plans give equal bytes. */
void pod_plan_write(const char *key, usec_t now, const struct pod_plan *plan, struct buf *out);

const char *pod_change_kind_name(enum pod_change_kind kind);
