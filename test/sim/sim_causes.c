/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/pod_store.h"
#include "sim_causes.h"

void sim_causes_changed(struct sim_causes *causes, const char *key)
{
        for (size_t i = 0; i < SIM_CAUSES_MAX; i++)
                if (str_eq(causes->of[i].key, key))
                        causes->of[i].changed = true;
}

static struct sim_cause *cause_of(struct sim_causes *causes, const char *key, size_t len)
{
        for (size_t i = 0; len < sizeof(causes->of[0].key) && i < SIM_CAUSES_MAX; i++) {
                struct sim_cause *c = &causes->of[i];

                if (!c->key[0])
                        memcpy(c->key, key, len);
                if (strncmp(c->key, key, len) == 0 && !c->key[len])
                        return c;
        }
        return NULL;
}

/* What is held is looked at whenever another pod has moved on; and where two versions share a UID, one may be creating
 * what the other was to create now. */
static bool needs_no_cause(const struct pod_store *store, const char *key)
{
        const struct pod_entry *entry = pod_store_find(store, key);

        return entry && (entry->view->hold[0] || (entry->view->next && entry->view->current &&
                                                  str_eq(entry->view->next->pod->uid, entry->view->current->pod->uid)));
}

/* An edit is followed by another step of the same cause. */
static bool has_edge(const char *actions)
{
        static const char *const edges[] = {"\"stop\"",   "\"activate\"", "\"end\"",    "\"promote\"",
                                            "\"revive\"", "\"drop\"",     "\"accept\"", "\"revert\""};

        for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
                if (strstr(actions, edges[i]))
                        return true;
        return false;
}

/* A step that decides nothing must have had a cause: a change of that pod since its last one. */
const char *sim_causes_check(struct sim_causes *causes, const struct pod_store *store, const char *record)
{
        const char *rest = str_after(record, "{\"key\":\""), *what, *actions;
        size_t len = rest ? strcspn(rest, "\"") : 0;
        struct sim_cause *cause = rest ? cause_of(causes, rest, len) : NULL;
        bool idle;

        if (!cause)
                return NULL;
        what = rest + len;
        actions = str_after(what, "\",\"step\":[");
        if (str_starts(what, "\",\"change\":") || needs_no_cause(store, cause->key)) {
                cause->changed = true;
                return NULL;
        }
        if (!actions)
                return NULL;
        idle = actions[0] == ']' && !cause->changed;
        cause->changed = actions[0] != ']' && has_edge(actions);
        return idle ? cause->key : NULL;
}
