#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A rig to drive pod_step by hand: pods made field by field, a view, and the requests under way. What was planned is
 * kept as text, one word a request, so that a test reads as the course of events.
 */
#include "base/buf.h"
#include "node/pod_apply.h"
#include "node/pod_step.h"

struct docker_container;

#define RIG_OPS_MAX 128
#define SEC USEC_PER_SEC

struct rig_op {
        enum pod_op op;
        uint32_t generation;
        struct pod_incarnation *inc; /* when it was planned */
        int container;               /* -1: the pod */
        enum pod_probe_kind probe;
        char garbage[POD_VIEW_ID_MAX];
        bool taken; /* in use */
};

struct rig {
        struct pod_view *view;
        struct pod_plan plan;
        struct rig_op ops[RIG_OPS_MAX];
        usec_t now, wall;                   /* both move by rig_at */
        unsigned ids;                       /* last id given */
        struct buf log;                     /* since rig_take */
        char event[POD_VIEW_TEXT_MAX + 64]; /* the last one, "Reason: message" */
};

/* A pod with containers init0... and app0...; UID and spec hash are given. */
struct pod *rig_pod(const char *uid, const char *hash, size_t init_count, size_t app_count);
struct pod_container *rig_container(struct pod *pod, const char *name);
void rig_handler_exec(struct pod_handler *handler);
void rig_probe(struct pod *pod, const char *container, enum pod_probe_kind kind, int period, int failures);

void rig_init(struct rig *rig);
void rig_release(struct rig *rig);
/* Consumes the reference. */
void rig_want(struct rig *rig, struct pod *pod);
/* A rig with this pod, consumed, that runs already; nothing of it is left to take. */
void rig_up(struct rig *rig, struct pod *pod);
/* This pod, consumed, is found by the labels of its sandbox "sandbox", which runs, and by no manifest. */
void rig_orphan(struct rig *rig, struct pod *pod);
/* Steps and takes up what is planned, again while there are edges. */
void rig_step(struct rig *rig);
/* Moves time to `at` after rig_init, then steps. */
void rig_at(struct rig *rig, usec_t at);
/* Ends one request; container "" is the pod, "next/app0" the one of next. Fails the test where there is none. */
void rig_done(struct rig *rig, enum pod_op op, const char *container);
void rig_fail(struct rig *rig, enum pod_op op, const char *container, const char *reason);
void rig_probed(struct rig *rig, const char *container, enum pod_probe_kind kind, bool success);
/* Ends everything well, and steps, until nothing is left but hooks, stops and probes. */
void rig_settle(struct rig *rig);
/* The container (or "" the sandbox) of current ends by itself or by what was asked for. */
void rig_exits(struct rig *rig, const char *container, int code);
/* Docker shows the address of the sandbox of current. */
void rig_address(struct rig *rig, const char *ip);
/* All that was planned since the last call, "a b c". */
const char *rig_take(struct rig *rig);
struct pod_container_view *rig_view(struct rig *rig, const char *container);
/* The reason of the wait of a container ("" the pod), "" without. */
const char *rig_wait(struct rig *rig, const char *container);

/* What Docker would show of it. inspected decides how much. Release it by docker_container_release. */
void rig_show(struct rig *rig, struct docker_container *ret, const char *id, const char *uid, const char *hash,
              const char *container, unsigned attempt, const char *sandbox, bool inspected);
