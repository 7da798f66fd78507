/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "node/pod_change.h"
#include "node/pod_store_private.h"
#include "node/pod_view_json.h"

/* Steps of one pod in one go. A plan leads to the next through edges, of which an incarnation has five; more than this
 * is a defect, which must not hang the node. */
#define STEP_ROUNDS_MAX 64

struct pod_store *pod_store_new(const struct pod_store_hooks *hooks, usec_t backoff_max)
{
        struct pod_store *store = xcalloc(1, sizeof(*store));

        store->hooks = *hooks;
        store->backoff_max = backoff_max;
        store->text = BUF_INIT(LIMIT_NODE_RECORD);
        return store;
}

void pod_store_set_revert(struct pod_store *store, usec_t revert_default)
{
        store->revert_default = revert_default;
}

static void entry_free(struct pod_store *store, struct pod_entry_private *p)
{
        HASH_DEL(store->entries, p);
        pod_plan_release(&p->entry.plan);
        pod_view_free(p->entry.view);
        free(p);
}

struct pod_store *pod_store_free(struct pod_store *store)
{
        struct pod_entry_private *p, *next_p;
        struct claim *c, *next_c;

        if (!store)
                return NULL;
        HASH_ITER (hh, store->claims, c, next_c)
                pod_store_claim_free(store, c);
        HASH_ITER (hh, store->entries, p, next_p)
                entry_free(store, p);
        buf_release(&store->text);
        free(store);
        return NULL;
}

/* --- records -------------------------------------------------------------------------------------------------- */

void pod_store_set_recorder(struct pod_store *store, pod_record_fn record, void *userdata)
{
        store->record = record;
        store->record_userdata = userdata;
}

/* A record that does not fit is left out: the journal sees the difference at its next snapshot. */
static void record_text(struct pod_store *store)
{
        if (!store->text.failed)
                store->record(store->record_userdata, buf_str(&store->text), store->text.len);
        buf_clear(&store->text);
}

static void record_view(struct pod_store *store, const struct pod_entry_private *p, usec_t now, usec_t now_wall)
{
        if (!store->record)
                return;
        buf_addf(&store->text, "{\"now\":%llu,\"now_wall\":%llu,\"view\":", (unsigned long long)now,
                 (unsigned long long)now_wall);
        pod_view_json_write(p->entry.view, &store->text);
        buf_addch(&store->text, '}');
        record_text(store);
}

void pod_store_snapshot(struct pod_store *store, usec_t now, usec_t now_wall)
{
        struct pod_entry_private *p, *next;

        HASH_ITER (hh, store->entries, p, next)
                record_view(store, p, now, now_wall);
}

int pod_store_change(struct pod_store *store, struct pod_entry_private *p, const struct pod_change *c, struct err *err)
{
        int r = pod_change_apply(p->entry.view, c, err);

        p->dirty = true;
        if (store->record) {
                pod_change_write(p->entry.view->key, c, &store->text);
                record_text(store);
        }
        return r;
}

/* --- entries -------------------------------------------------------------------------------------------------- */

struct pod_entry_private *pod_store_lookup(const struct pod_store *store, const char *key)
{
        struct pod_entry_private *p;

        HASH_FIND_STR(store->entries, key, p);
        return p;
}

static int by_key(const struct pod_entry_private *a, const struct pod_entry_private *b)
{
        return strcmp(a->entry.view->key, b->entry.view->key);
}

struct pod_entry_private *pod_store_obtain(struct pod_store *store, const char *key, usec_t now, usec_t now_wall)
{
        struct pod_entry_private *p = pod_store_lookup(store, key);

        if (p)
                return p;
        p = xcalloc(1, sizeof(*p));
        p->entry.p = p;
        p->entry.view = pod_view_new(key);
        p->entry.view->backoff_max = store->backoff_max;
        p->entry.view->revert_default = store->revert_default;
        p->entry.view->runtime_ready = store->runtime_ready;
        HASH_ADD_KEYPTR_INORDER(hh, store->entries, p->entry.view->key, strlen(key), p, by_key);
        record_view(store, p, now, now_wall);
        return p;
}

struct pod_entry *pod_store_find(const struct pod_store *store, const char *key)
{
        struct pod_entry_private *p = pod_store_lookup(store, key);

        return p ? &p->entry : NULL;
}

static bool uses_uid(const struct pod_view *view, const char *uid)
{
        const struct pod_incarnation *const all[] = {view->current, view->next};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (all[i] && str_eq(all[i]->pod->uid, uid) && (view->wanted || all[i]->phase != POD_ENDED))
                        return true;
        return false;
}

bool pod_store_uses_uid(const struct pod_store *store, const char *uid, const char *but_key)
{
        for (const struct pod_entry *e = pod_store_next(store, NULL); e; e = pod_store_next(store, e))
                if (!str_eq(e->view->key, but_key) && uses_uid(e->view, uid))
                        return true;
        return false;
}

struct pod_entry *pod_store_next(const struct pod_store *store, const struct pod_entry *previous)
{
        struct pod_entry_private *p = previous ? previous->p->hh.next : store->entries;

        return p ? &p->entry : NULL;
}

size_t pod_store_count(const struct pod_store *store)
{
        return HASH_COUNT(store->entries);
}

/* --- looking again -------------------------------------------------------------------------------------------- */

void pod_store_mark(struct pod_store *store, struct pod_entry *entry)
{
        struct pod_entry_private *p, *next;

        if (entry)
                entry->p->dirty = true;
        else
                HASH_ITER (hh, store->entries, p, next)
                        p->dirty = true;
}

static bool waits_to_start(const struct pod_view *view)
{
        return view->wanted && (view->next || (view->current && view->current->phase == POD_PREPARING));
}

/* What one pod's edge changes, or that it is held itself, may be what others are held for. */
static void mark_held(struct pod_store *store)
{
        struct pod_entry_private *p, *next;

        HASH_ITER (hh, store->entries, p, next)
                p->dirty |= p->entry.view->hold[0] != '\0';
}

static void ask_hold(struct pod_store *store, struct pod_entry_private *p, usec_t now)
{
        char text[POD_VIEW_TEXT_MAX] = "";

        if (!store->hooks.hold || !p->entry.view->runtime_ready || !waits_to_start(p->entry.view))
                return;
        store->hooks.hold(store->hooks.userdata, &p->entry, text, sizeof(text));
        if (str_eq(text, p->entry.view->hold))
                return;
        (void)pod_store_change(store, p, &(struct pod_change){.kind = POD_CHANGE_HOLD, .now = now, .text = text}, NULL);
        mark_held(store);
        p->dirty = false; /* the step that asked follows */
}

static void ask_drain(struct pod_store *store, struct pod_entry_private *p, usec_t now)
{
        bool drain;

        if (!store->hooks.drain)
                return;
        drain = store->hooks.drain(store->hooks.userdata, &p->entry);
        if (drain != p->entry.view->drain)
                (void)pod_store_change(store, p,
                                       &(struct pod_change){.kind = POD_CHANGE_DRAIN, .now = now, .flag = drain}, NULL);
}

/* One plan, taken up. True: it held an edge, so there may be more to do. */
static bool step_once(struct pod_store *store, struct pod_entry_private *p, usec_t now)
{
        struct pod_entry *entry = &p->entry;
        bool edge = false;

        ask_hold(store, p, now);
        ask_drain(store, p, now);
        pod_step(entry->view, now, &entry->plan);
        if (store->record) {
                pod_plan_write(entry->view->key, now, &entry->plan, &store->text);
                record_text(store);
        }
        for (size_t i = 0; i < entry->plan.count; i++) {
                const struct pod_action *a = &entry->plan.actions[i];
                uint32_t generation = pod_apply_action(entry->view, a, now);

                edge |= pod_action_is_edge(a->kind);
                if (store->hooks.act)
                        store->hooks.act(store->hooks.userdata, entry, a, generation);
        }
        return edge;
}

static void step_entry(struct pod_store *store, struct pod_entry_private *p, usec_t now)
{
        bool edge = false;

        p->dirty = false;
        for (int round = 0; round < STEP_ROUNDS_MAX; round++) {
                if (!step_once(store, p, now))
                        break;
                edge = true;
        }
        if (edge)
                mark_held(store);
        if (store->hooks.stepped)
                store->hooks.stepped(store->hooks.userdata, &p->entry);
}

/* Who wants it may not have been read yet. */
static bool is_left_alone(const struct pod_store *store, const struct pod_entry_private *p)
{
        return !store->sources_ready && !p->entry.view->wanted;
}

static bool is_left_over(const struct pod_entry_private *p)
{
        const struct pod_view *view = p->entry.view;

        return !p->winner && !view->wanted && !view->current && !view->next && !view->old && !view->garbage_count;
}

static void forget(struct pod_store *store, struct pod_entry_private *p, usec_t now)
{
        if (store->record) {
                buf_addf(&store->text, "{\"now\":%llu,\"forget\":", (unsigned long long)now);
                buf_add_json_string(&store->text, p->entry.view->key, strlen(p->entry.view->key));
                buf_addch(&store->text, '}');
                record_text(store);
        }
        if (store->hooks.gone)
                store->hooks.gone(store->hooks.userdata, &p->entry);
        entry_free(store, p);
}

void pod_store_step(struct pod_store *store, usec_t now)
{
        struct pod_entry_private *p, *next;
        bool again = true;

        for (int pass = 0; again && pass < STEP_ROUNDS_MAX; pass++) {
                again = false;
                HASH_ITER (hh, store->entries, p, next) {
                        if ((!p->dirty && p->entry.plan.deadline > now) || is_left_alone(store, p))
                                continue;
                        step_entry(store, p, now);
                        again = true;
                }
        }
        HASH_ITER (hh, store->entries, p, next)
                if (!p->dirty && is_left_over(p))
                        forget(store, p, now);
}

usec_t pod_store_deadline(const struct pod_store *store)
{
        const struct pod_entry_private *p;
        usec_t deadline = USEC_INFINITY;

        for (p = store->entries; p; p = p->hh.next) {
                if (is_left_alone(store, p))
                        continue;
                if (p->dirty)
                        return 0;
                if (p->entry.plan.deadline < deadline)
                        deadline = p->entry.plan.deadline;
        }
        return deadline;
}
