/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kube/pod.h"
#include "kube/pod_own.h"
#include "node/order_hold.h"
#include "node/pod_facts.h"
#include "node/pod_store.h"
#include "node/start_order.h"

/* What a hold by order says, in front of what it waits for. */
#define STARTS_AFTER "starts after pod "

const struct pod *order_wanted(const struct pod_entry *e)
{
        const struct pod_view *view = e->view;

        if (!view->wanted)
                return NULL;
        return view->next ? view->next->pod : view->current ? view->current->pod : NULL;
}

static struct pod_entry *find_dependency(const struct pod_store *store, const struct pod_after *after, const char *node)
{
        for (struct pod_entry *e = pod_store_next(store, NULL); e; e = pod_store_next(store, e)) {
                const struct pod *pod = order_wanted(e);

                if (pod && pod_after_names(after, pod->namespace, pod->name, node))
                        return e;
        }
        return NULL;
}

static bool satisfied(const struct pod_entry *e, const struct pod_after *after)
{
        const struct pod_incarnation *inc = e->view->current;

        if (!inc || inc->phase == POD_PREPARING || inc->phase == POD_STOPPING)
                return false;
        if (inc->revision == 0) /* an orphan: what it should have beside what is there nobody knows */
                return false;
        if (inc->phase == POD_ENDED) /* what runs once has run */
                return inc->terminal && !inc->terminal_failed;
        return after->ready ? fact_ready(inc) : fact_started(inc);
}

/* The way back from `on` leads to entry: as text, NULL where it does not. */
static char *circle_through(const struct pod_store *store, const struct pod_entry *entry, const struct pod_entry *on,
                            const char *node)
{
        const struct pod **pods = xcalloc(pod_store_count(store) + 1, sizeof(*pods));
        size_t count = 0, from = 0, via = (size_t)-1;
        char *circle;

        for (struct pod_entry *e = pod_store_next(store, NULL); e; e = pod_store_next(store, e)) {
                if (!order_wanted(e))
                        continue;
                if (e == entry)
                        from = count;
                if (e == on)
                        via = count;
                pods[count++] = order_wanted(e);
        }
        circle = start_order_circle(pods, count, from, via, node);
        free(pods);
        return circle;
}

void order_hold(const struct pod_store *store, const struct pod_entry *entry, const char *node, char *text, size_t size,
                char **ret_circle)
{
        const struct pod *pod = order_wanted(entry);
        const char *order = pod ? pod_map_get(&pod->annotations, POD_OWN_AFTER) : NULL;
        struct pod_after_list list CLEANUP_POD_AFTER = {0};

        if (!order || pod_after_parse(order, pod->namespace, &list, NULL) < 0)
                return;
        for (size_t i = 0; i < list.count; i++) {
                const struct pod_after *after = &list.items[i];
                struct pod_entry *on = find_dependency(store, after, node);
                char *circle;

                if (on && satisfied(on, after))
                        continue;
                circle = on ? circle_through(store, entry, on, node) : NULL;
                if (circle) {
                        free(*ret_circle);
                        *ret_circle = circle;
                        continue;
                }
                (void)snprintf(text, size, STARTS_AFTER "%s/%s is %s, which %s", after->namespace, after->name,
                               after->ready ? "Ready" : "started", on ? "it is not yet" : "no manifest describes");
                return;
        }
}

static bool is_held_by_order(const struct pod_entry *entry)
{
        return strncmp(entry->view->hold, STARTS_AFTER, strlen(STARTS_AFTER)) == 0;
}

struct place {
        const struct pod_store *store;
        const struct pod_entry *asks;
        const char *node;
        const struct pod_entry **seen; /* as many as the store has at most */
        size_t count;
};

/* False: it waits for who asks, for what is held otherwise, or for what no manifest describes. */
static bool waits_for_what_starts(struct place *place, const struct pod_entry *entry)
{
        bool described = false;

        for (size_t i = 0; i < place->count; i++)
                if (place->seen[i] == entry)
                        return true;
        place->seen[place->count++] = entry;
        if (!entry->view->hold[0])
                return true;
        if (!is_held_by_order(entry))
                return false;
        for (struct pod_entry *e = pod_store_next(place->store, NULL); e; e = pod_store_next(place->store, e)) {
                if (e == entry || !order_wanted(e) ||
                    !start_order_waits(order_wanted(entry), order_wanted(e), place->node))
                        continue;
                described = true;
                if (e == place->asks || !waits_for_what_starts(place, e))
                        return false;
        }
        return described;
}

bool order_keeps_place(const struct pod_store *store, const struct pod_entry *held, const struct pod_entry *asks,
                       const char *node)
{
        struct place place = {.store = store, .asks = asks, .node = node};

        if (!order_wanted(held) || !is_held_by_order(held))
                return false;
        place.seen = xcalloc(pod_store_count(store) + 1, sizeof(*place.seen));
        bool keeps = waits_for_what_starts(&place, held);
        free(place.seen);
        return keeps;
}

bool order_is_held(const struct pod_entry *entry)
{
        const struct pod *pod = order_wanted(entry);

        return entry->view->hold[0] && pod && pod_map_get(&pod->annotations, POD_OWN_AFTER);
}
