/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a pod may start on this node beside the others, asked before each start of an incarnation.
 */
#include <string.h>

#include "base/str.h"
#include "node/admission.h"
#include "node/agent_private.h"
#include "node/host_ports.h"
#include "node/order_hold.h"
#include "node/pod_store.h"

/* Who is there, or was wanted before it by name and may start, has the place: one that is held itself, perhaps for
 * ever, keeps nobody from it, unless only its start order holds it. Of two that have not started only the first by name
 * is asked about, so that no two hold each other. */
static bool comes_first(const struct agent *agent, const struct pod_entry *other, const struct pod_entry *entry)
{
        const struct pod_view *view = other->view;

        if (!view->current || view->current->phase == POD_ENDED)
                return false;
        if (view->current->phase != POD_PREPARING)
                return true;
        if (view->drain || strcmp(view->key, entry->view->key) > 0)
                return false;
        return !view->hold[0] || order_keeps_place(agent->store, other, entry, agent->config->node_name);
}

static bool clashes(const struct agent *agent, const struct pod_entry *entry, const struct pod *pod, char *text,
                    size_t size)
{
        char clash[POD_VIEW_TEXT_MAX];

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                if (e == entry || !comes_first(agent, e, entry) ||
                    !host_ports_clash(pod, e->view->current->pod, clash, sizeof(clash)))
                        continue;
                (void)snprintf(text, size, "HostPortConflict: %s", clash);
                return true;
        }
        return false;
}

static bool lacks_room(const struct agent *agent, const struct pod_entry *entry, const struct pod *pod, char *text,
                       size_t size)
{
        const struct admission_sum limit = {
                .resources = {[POD_RESOURCE_CPU] = agent->host.allocatable[POD_RESOURCE_CPU],
                              [POD_RESOURCE_MEMORY] = agent->host.allocatable[POD_RESOURCE_MEMORY],
                              [POD_RESOURCE_EPHEMERAL_STORAGE] =
                                      agent->host.allocatable[POD_RESOURCE_EPHEMERAL_STORAGE]},
                .pods = agent->config->max_pods,
        };
        struct admission_sum used = {0};

        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e))
                if (e != entry && comes_first(agent, e, entry))
                        admission_add(&used, e->view->current->pod);
        return admission_lacks_room(pod, &used, &limit, text, size);
}

void agent_admit(const struct agent *agent, const struct pod_entry *entry, char *text, size_t size)
{
        const struct pod_incarnation *inc = entry->view->next ? entry->view->next : entry->view->current;

        /* First what no other pod can change. */
        if (!inc || admission_forbids_sysctl(inc->pod, &agent->config->allowed_sysctls, text, size))
                return;
        if (!agent->host.has_app_armor && admission_lacks_app_armor(inc->pod, text, size))
                return;
        if (!clashes(agent, entry, inc->pod, text, size))
                (void)lacks_room(agent, entry, inc->pod, text, size);
}
