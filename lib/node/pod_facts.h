#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a view says, in words: the predicates that the decision (pod_step), the edges (pod_apply) and status share.
 * Pure.
 */
#include "node/pod_view.h"

static inline bool slot_free(const struct pod_slot *slot)
{
        return slot->op == POD_OP_NONE;
}

/* An init container that runs to its end, as opposed to a sidecar or an app container. */
static inline bool container_is_step(const struct pod_container *c)
{
        return c->init && !c->sidecar;
}
static inline bool container_is_app(const struct pod_container *c)
{
        return !c->init;
}
static inline bool container_has_probe(const struct pod_container *c, enum pod_probe_kind kind)
{
        return c->probes[kind].handler.type != POD_HANDLER_NONE;
}

/* As opposed to one that is created ahead of its start. */
static inline bool instance_ran(const struct pod_instance *instance)
{
        return instance->state == INSTANCE_RUNNING || instance->state == INSTANCE_EXITED;
}

/* The newest instance that ever ran, and the one before it: a container that is created ahead of its start does not
 * count yet. */
struct pod_runs {
        const struct pod_instance *newest, *before; /* NULL without */
};
struct pod_runs fact_container_runs(const struct pod_container_view *c);

/* The instance joins the sandbox that is there now. */
bool fact_in_sandbox(const struct pod_incarnation *inc, const struct pod_instance *instance);
/* Something of it runs, as far as is known. */
bool fact_runs(const struct pod_incarnation *inc);
bool fact_contains_running(const struct pod_incarnation *inc); /* beside the sandbox */
/* A request is under way that may start or create something, so its end is not known yet. */
bool fact_unsettled(const struct pod_incarnation *inc);
/* What has ended is run again, by restartPolicy and the rest. Of an instance that has exited. */
bool fact_restarts(const struct pod *pod, const struct pod_container *spec, const struct pod_container_view *c);
/* The container has ended for good. */
bool fact_done(const struct pod_incarnation *inc, size_t index);
/* Index of the first init container or sidecar that holds up what is behind it; container_count where none does. */
size_t fact_init_position(const struct pod_incarnation *inc);
/* It is this container's turn: the ones before it have done their part. */
bool fact_turn(const struct pod_incarnation *inc, size_t index);
/* Its environment names the pod's address, so the sandbox must run before it can be created. */
bool fact_needs_pod_ip(const struct pod *pod, const struct pod_container *spec);
/* Nothing runs again: all app containers have ended for good, or an init container has failed for good. Never true of
 * an orphan: its labels tell no restartPolicy, and its manifest may come back. */
bool fact_completed(const struct pod_incarnation *inc, bool *ret_failed);
/* The replacement has the UID, and so the directories, of what it replaces, which has not ended. Volumes, hosts file
 * and control group are the other's until then: VOLUMES of the replacement only checks that they can be made
 * (volumes_ready), and they and what mounts them are made once it has taken its place. */
bool fact_next_shares(const struct pod_view *view);
/* Everything that can be made of the replacement before its start is made. False without one. */
bool fact_prepared(const struct pod_view *view);
/* Something of this name is to be removed that runs, or that may yet: Docker may still have a start before it that
 * podwatch sent before it was killed or gave up. Until it has gone nothing else may start, and directories stay. */
bool fact_stray_lives(const struct pod_view *view);
/* A container of the pod could ever be run again; sidecars follow the others. */
bool fact_may_restart(const struct pod *pod);
/* A container of it was started at least once, in whatever sandbox. */
bool fact_ever_started(const struct pod_incarnation *inc);
/* Every container that is to run is ready, and what has ended well for good counts as ready. */
bool fact_ready(const struct pod_incarnation *inc);
/* Its containers have been started (by their startup probes), or have ended well for good. */
bool fact_started(const struct pod_incarnation *inc);
/* Grace of a stop that podwatch begins, at least 0. */
usec_t fact_grace(const struct pod *pod);
