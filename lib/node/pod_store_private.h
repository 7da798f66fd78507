#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of pod_store: entries and stepping (pod_store.c), claims (pod_store_claim.c), what was seen
 * (pod_store_seen.c).
 */
#include <uthash.h>

#include "base/buf.h"
#include "node/pod_change.h"
#include "node/pod_store.h"

struct pod_entry_private {
        struct pod_entry entry;
        struct claim *winner; /* whose pod is wanted; NULL: nobody's */
        bool dirty;
        UT_hash_handle hh; /* by view->key */
};

struct claim {
        struct pod_claim public;
        struct pod_entry_private *entry; /* of its pod's name */
        char *key;                       /* "rank name" */
        UT_hash_handle hh;
};

struct pod_store {
        struct pod_store_hooks hooks;
        usec_t backoff_max, revert_default;
        bool runtime_ready; /* what new entries start with */
        bool sources_ready; /* every source was read once */
        struct pod_entry_private *entries;
        struct claim *claims;
        pod_record_fn record;
        void *record_userdata;
        struct buf text; /* record under construction */
};

/* The entry of this name; NULL without. */
struct pod_entry_private *pod_store_lookup(const struct pod_store *store, const char *key);
/* The same; it is made where there is none. */
struct pod_entry_private *pod_store_obtain(struct pod_store *store, const char *key, usec_t now, usec_t now_wall);
/* The only way to change a view: applies, marks dirty, records. Returns what pod_change_apply does. */
int pod_store_change(struct pod_store *store, struct pod_entry_private *p, const struct pod_change *c, struct err *err);
void pod_store_claim_free(struct pod_store *store, struct claim *claim);
