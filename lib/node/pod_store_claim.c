/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "node/pod_store_private.h"

void pod_store_claim_free(struct pod_store *store, struct claim *claim)
{
        HASH_DEL(store->claims, claim);
        pod_unref(claim->public.pod);
        free((char *)claim->public.name);
        free(claim->key);
        free(claim);
}

static bool claim_before(const struct claim *a, const struct claim *b)
{
        if (a->public.rank != b->public.rank)
                return a->public.rank < b->public.rank;
        return strcmp(a->public.name, b->public.name) < 0;
}

/* Finds out who has the name now, and tells the view what is wanted. */
static void settle_claims(struct pod_store *store, struct pod_entry_private *p, usec_t now, usec_t now_wall)
{
        struct claim *c, *next, *winner = NULL;

        HASH_ITER (hh, store->claims, c, next)
                if (c->entry == p && (!winner || claim_before(c, winner)))
                        winner = c;
        HASH_ITER (hh, store->claims, c, next)
                if (c->entry == p)
                        c->public.shadowed = c != winner;
        p->winner = winner;
        if (winner)
                (void)pod_store_change(store, p,
                                       &(struct pod_change){.kind = POD_CHANGE_WANT,
                                                            .now = now,
                                                            .now_wall = now_wall,
                                                            .pod = winner->public.pod,
                                                            .revision = winner->public.revision},
                                       NULL);
        else
                (void)pod_store_change(
                        store, p, &(struct pod_change){.kind = POD_CHANGE_UNWANT, .now = now, .now_wall = now_wall},
                        NULL);
}

static struct claim *find_claim(const struct pod_store *store, int rank, const char *name)
{
        char *key CLEANUP_FREE = xasprintf("%d %s", rank, name);
        struct claim *c;

        HASH_FIND_STR(store->claims, key, c);
        return c;
}

static struct claim *claim_new(struct pod_store *store, int rank, const char *name)
{
        struct claim *c = xcalloc(1, sizeof(*c));

        c->public.rank = rank;
        c->public.name = xstrdup(name);
        c->key = xasprintf("%d %s", rank, name);
        HASH_ADD_KEYPTR(hh, store->claims, c->key, strlen(c->key), c);
        return c;
}

int pod_store_claim(struct pod_store *store, int rank, const char *name, struct pod *pod, unsigned revision, usec_t now,
                    usec_t now_wall, struct err *err)
{
        char *key CLEANUP_FREE = xasprintf("%s/%s", pod->namespace, pod->name);
        struct claim *c = find_claim(store, rank, name);
        struct pod_entry_private *before = c ? c->entry : NULL, *p = pod_store_lookup(store, key);

        if (!p && HASH_COUNT(store->entries) >= LIMIT_PODS)
                return err_set(err, ERR_LIMIT, "%s: more than %d pods", name, LIMIT_PODS);
        p = pod_store_obtain(store, key, now, now_wall);
        if (!c)
                c = claim_new(store, rank, name);
        (void)pod_ref(pod);
        pod_unref(c->public.pod);
        c->public.pod = pod;
        c->public.revision = revision;
        c->entry = p;
        /* What the file wanted under another name goes to whom it belongs next. */
        if (before && before != p)
                settle_claims(store, before, now, now_wall);
        settle_claims(store, p, now, now_wall);
        return c->public.shadowed;
}

void pod_store_unclaim(struct pod_store *store, int rank, const char *name, usec_t now, usec_t now_wall)
{
        struct claim *c = find_claim(store, rank, name);
        struct pod_entry_private *p = c ? c->entry : NULL;

        if (!c)
                return;
        pod_store_claim_free(store, c);
        settle_claims(store, p, now, now_wall);
}

void pod_store_sources_ready(struct pod_store *store)
{
        store->sources_ready = true;
}

const struct pod_claim *pod_store_next_claim(const struct pod_store *store, const struct pod_claim *previous)
{
        const struct claim *c = store->claims;

        if (previous)
                c = ((const struct claim *)(const void *)((const char *)previous - offsetof(struct claim, public)))
                            ->hh.next;
        return c ? &c->public : NULL;
}

const struct pod_claim *pod_store_winner(const struct pod_entry *entry)
{
        return entry->p->winner ? &entry->p->winner->public : NULL;
}
