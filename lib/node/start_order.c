/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "kube/pod.h"
#include "kube/pod_own.h"
#include "node/start_order.h"

struct search {
        const struct pod *const *pods;
        size_t count, goal;
        const char *node;
        bool *seen;
        size_t *way; /* from the start, without it */
        size_t depth;
};

bool start_order_waits(const struct pod *a, const struct pod *b, const char *node)
{
        const char *text = pod_map_get(&a->annotations, POD_OWN_AFTER);
        struct pod_after_list list CLEANUP_POD_AFTER = {0};

        if (!text || pod_after_parse(text, a->namespace, &list, NULL) < 0)
                return false;
        for (size_t i = 0; i < list.count; i++)
                if (pod_after_names(&list.items[i], b->namespace, b->name, node))
                        return true;
        return false;
}

/* Each pod is entered once, so the depth is at most their number (LIMIT_PODS). */
static bool reach(struct search *s, size_t at)
{
        for (size_t i = 0; i < s->count; i++) {
                if (!start_order_waits(s->pods[at], s->pods[i], s->node))
                        continue;
                s->way[s->depth++] = i;
                if (i == s->goal)
                        return true;
                if (!s->seen[i]) {
                        s->seen[i] = true;
                        if (reach(s, i))
                                return true;
                }
                s->depth--;
        }
        return false;
}

char *start_order_circle(const struct pod *const *pods, size_t count, size_t from, size_t via, const char *node)
{
        struct search s = {.pods = pods, .count = count, .goal = from, .node = node};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        bool found;

        if (!pod_map_get(&pods[from]->annotations, POD_OWN_AFTER))
                return NULL;
        s.seen = xcalloc(count, sizeof(*s.seen));
        s.way = xcalloc(count + 2, sizeof(*s.way));
        if (via != (size_t)-1) {
                s.way[s.depth++] = via;
                s.seen[via] = true;
                found = via == from || reach(&s, via);
        } else {
                found = reach(&s, from);
        }
        if (found) {
                buf_addf(&text, "%s", pods[from]->name);
                for (size_t i = 0; i < s.depth; i++)
                        buf_addf(&text, " -> %s", pods[s.way[i]]->name);
        }
        free(s.seen);
        free(s.way);
        return found ? buf_steal(&text, NULL) : NULL;
}
