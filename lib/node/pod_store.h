#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * All pods of this node: what sources want, one view a pod name, which of them are to be looked at again and when. The
 * only way to change a view outside of tests: each function here makes the change by pod_apply.h, marks the pod dirty,
 * and tells the recorder (journal), so that neither can be forgotten.
 *
 * A claim is what one file (or another source) says: this pod is wanted. Several may claim one name: the one with the
 * lowest rank and then the first by name has it, the others are shadowed, which status reports. Taking a claim away
 * gives the name to the next.
 */
#include "node/pod_apply.h"

struct buf;
struct docker_container;
struct pod_store;

/* A pod name that is claimed, or of which something is left. */
struct pod_entry {
        struct pod_view *view;
        struct pod_plan plan; /* of its last step: waits for status, deadline */
        void *userdata;       /* of the daemon; freed by it when hook gone is called */
        struct pod_entry_private *p;
};

struct pod_claim {
        int rank;         /* source: 0 the manifest directory; lower wins */
        const char *name; /* file name */
        struct pod *pod;
        unsigned revision;
        bool shadowed; /* another claim has the pod's name */
};

struct pod_store_hooks {
        /* Carry out an action that was taken up. OP, PROBE, GARBAGE: generation is to be named by the outcome; the
         * outcome must not come before act has returned. Edges (STOP to DROP) are done already and only told; EVENT is
         * to be posted. */
        void (*act)(void *userdata, struct pod_entry *entry, const struct pod_action *action, uint32_t generation);
        /* Why the wanted version must not start yet: writes into text (size bytes), "" for nothing. Asked before each
         * step of a pod that has not started. May be NULL. */
        void (*hold)(void *userdata, const struct pod_entry *entry, char *text, size_t size);
        /* The node is emptied and it is this pod's turn. Asked before each step. May be NULL. */
        bool (*drain)(void *userdata, const struct pod_entry *entry);
        /* entry was stepped: view and plan may be new. May be NULL. */
        void (*stepped)(void *userdata, struct pod_entry *entry);
        /* Nothing is wanted of this name and nothing is left: it is about to be freed. May be NULL. */
        void (*gone)(void *userdata, struct pod_entry *entry);
        void *userdata;
};

/* Takes one JSON object a record, without a newline. */
typedef void (*pod_record_fn)(void *userdata, const char *record, size_t len);

/* backoff_max: cap of the crash backoff, 0: the default. hooks are copied. */
struct pod_store *pod_store_new(const struct pod_store_hooks *hooks, usec_t backoff_max);
/* Trial of new versions whose pods say nothing of it; 0: none. Of entries that are made from now on. */
void pod_store_set_revert(struct pod_store *store, usec_t revert_default);
struct pod_store *pod_store_free(struct pod_store *store);
/* NULL: off. See pod_record.h for what is told. */
void pod_store_set_recorder(struct pod_store *store, pod_record_fn record, void *userdata);
/* Tells the recorder every view as it is now: the head of a journal segment. */
void pod_store_snapshot(struct pod_store *store, usec_t now, usec_t now_wall);

/* --- what is wanted --- */

/* Claim (rank, name) wants pod (a reference is taken); it may have wanted another before. 0 done; 1 it is shadowed.
 * -ERR_LIMIT: more than LIMIT_PODS names. */
int pod_store_claim(struct pod_store *store, int rank, const char *name, struct pod *pod, unsigned revision, usec_t now,
                    usec_t now_wall, struct err *err);
/* It wants nothing any more; fine where it wanted nothing. */
void pod_store_unclaim(struct pod_store *store, int rank, const char *name, usec_t now, usec_t now_wall);
/* Every source has been read once. Until then what nobody wants is neither stopped nor removed: whoever wants it may
 * not have spoken yet. */
void pod_store_sources_ready(struct pod_store *store);
/* The claims, in no order: pass NULL first, NULL at the end. Strings are borrowed until the next change. */
const struct pod_claim *pod_store_next_claim(const struct pod_store *store, const struct pod_claim *previous);
/* Claim of the pod that entry wants, NULL without. */
const struct pod_claim *pod_store_winner(const struct pod_entry *entry);

/* --- looking up --- */

struct pod_entry *pod_store_find(const struct pod_store *store, const char *key);
struct pod_entry *pod_store_find_id(const struct pod_store *store, const char *docker_id);
/* In the order of keys: pass NULL first, NULL at the end. */
struct pod_entry *pod_store_next(const struct pod_store *store, const struct pod_entry *previous);
size_t pod_store_count(const struct pod_store *store);
/* A pod of another name uses the directories of this UID, which stands in both manifests: it is wanted or has not
 * ended. */
bool pod_store_uses_uid(const struct pod_store *store, const char *uid, const char *but_key);

/* --- what was seen; see pod_apply.h for the meaning --- */

/* Finds the entry by the labels for namespace and name; where there is none, POD_OBSERVED_ORPHAN for what runs, and
 * for what does not an entry that only removes it. */
enum pod_observed pod_store_observe(struct pod_store *store, const struct docker_container *container, usec_t now,
                                    usec_t now_wall);
void pod_store_gone(struct pod_store *store, const char *docker_id, usec_t now);
/* Makes or finds the entry of pod's name and inserts the incarnation; false: see pod_insert_orphan. */
bool pod_store_insert_orphan(struct pod_store *store, struct pod *pod, unsigned revision, usec_t now, usec_t now_wall);
/* For one pod (its containers were observed), or for all with entry NULL. */
void pod_store_runtime(struct pod_store *store, struct pod_entry *entry, bool ready, usec_t now);
int pod_store_outcome(struct pod_store *store, struct pod_entry *entry, const struct pod_outcome *outcome, usec_t now);
int pod_store_probe(struct pod_store *store, struct pod_entry *entry, uint32_t generation, bool success, bool error,
                    const char *output, usec_t now);
int pod_store_garbage_outcome(struct pod_store *store, struct pod_entry *entry, const char *docker_id,
                              uint32_t generation, bool success, const char *message, usec_t now);
/* A container that runs and that the view does not take: it is removed by force. */
void pod_store_garbage(struct pod_store *store, struct pod_entry *entry, const char *docker_id, usec_t now);
void pod_store_restart(struct pod_store *store, struct pod_entry *entry, int container, const char *reason, usec_t now);
void pod_store_retry(struct pod_store *store, struct pod_entry *entry, int container, usec_t now);
/* See pod_fallback. */
void pod_store_fallback(struct pod_store *store, struct pod_entry *entry, struct pod *pod, unsigned revision,
                        usec_t now);
/* Puts back what survived a restart of podwatch: pod_persist.h says when to call it with which observed. */
int pod_store_restore(struct pod_store *store, struct pod_entry *entry, const char *data, size_t len,
                      const char *boot_id, bool observed, usec_t now, usec_t now_wall, struct err *err);

/* --- looking again --- */

/* Look at it again (something that hold goes by has changed, say). All with entry NULL. */
void pod_store_mark(struct pod_store *store, struct pod_entry *entry);
/* Steps every dirty pod and every pod whose deadline has come, until none is dirty; then frees entries of which nothing
 * is left. Not to be called from a hook. */
void pod_store_step(struct pod_store *store, usec_t now);
/* When to call pod_store_step again though nothing happened; USEC_INFINITY: no need. */
usec_t pod_store_deadline(const struct pod_store *store);
