/* SPDX-License-Identifier: Apache-2.0
 *
 * What an end at the wrong moment left on the host: directories, cgroups and log directories of pods that no manifest
 * wants and of which Docker has no container any more (pkg/kubelet/kubelet_volumes.go cleanupOrphanedPodDirs). Looked
 * for when Docker was first listed, and again until what is only Docker's then is gone as well: containers that never
 * ran are removed as garbage, of which nobody knows the pod. Afterwards every pod is cleaned up after itself, but for
 * versions that were edited in quick succession: a view has one place for those that have gone (edge_retire).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "node/agent_private.h"
#include "node/cgroup.h"
#include "node/container_name.h"
#include "node/log_links.h"
#include "node/slices.h"
#include "node/volume.h"

/* Names looked at; the rest is left for the next time. */
#define NAMES_MAX 10000

static void add_uids_of_views(const struct agent *agent, struct strv *uids)
{
        for (struct pod_entry *e = pod_store_next(agent->store, NULL); e; e = pod_store_next(agent->store, e)) {
                const struct pod_incarnation *all[] = {e->view->current, e->view->next, e->view->old};

                for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                        if (all[i])
                                strv_add(uids, all[i]->pod->uid);
        }
}

static void remove_pod_directories(const struct agent *agent, const struct strv *uids)
{
        char *directory CLEANUP_FREE = file_join(agent->host.root_dir, "pods");
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *uid;

        file_list(directory, NAMES_MAX, &names);
        STRV_FOREACH (uid, &names) {
                struct err err = ERR_INIT;

                if (strv_contains(uids, uid))
                        continue;
                if (volume_cleanup(&agent->host, uid, &err) < 0)
                        log_warning("the directory of pod %s, which is gone, stays: %s", uid, err.msg);
                else
                        log_info("removed the directory of pod %s, which is gone", uid);
        }
}

/* <namespace>_<name>_<uid> */
static void remove_log_directories(const struct agent *agent, const struct strv *uids)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        const char *name;

        file_list(agent->host.log_dir, NAMES_MAX, &names);
        STRV_FOREACH (name, &names) {
                const char *uid = strrchr(name, '_');
                char *path CLEANUP_FREE = file_join(agent->host.log_dir, name);
                struct err err = ERR_INIT;

                if (!uid || strv_contains(uids, uid + 1))
                        continue;
                if (file_remove_tree(path, &err) < 0)
                        log_warning("the logs of a pod that is gone stay: %s", err.msg);
        }
        log_links_leftovers(&agent->host);
}

static void remove_cgroups(const struct agent *agent, const struct strv *uids)
{
        struct strv found CLEANUP_STRV = STRV_INIT;
        const char *uid;

        cgroup_list(&agent->host, &found);
        STRV_FOREACH (uid, &found) {
                struct err err = ERR_INIT;

                if (strv_contains(uids, uid))
                        continue;
                slices_stop(agent->slices, &agent->host, uid);
                if (cgroup_remove(&agent->host, uid, &err) < 0)
                        log_warning("the cgroup of pod %s, which is gone, stays: %s", uid, err.msg);
        }
}

void agent_leftovers_stepped(struct agent *agent, struct pod_entry *entry)
{
        struct agent_pod *pod = agent_pod_of(entry);

        if (pod->leftovers == entry->view->leftovers)
                return;
        pod->leftovers = entry->view->leftovers;
        agent->leftovers_due = true;
}

bool agent_leftovers(const struct agent *agent, const struct docker_containers *list)
{
        struct strv uids CLEANUP_STRV = STRV_INIT;
        bool again = false;

        add_uids_of_views(agent, &uids);
        for (size_t i = 0; i < list->count; i++) {
                const char *uid = docker_label(&list->items[i].labels, LABEL_POD_UID);

                if (!uid || strv_contains(&uids, uid))
                        continue;
                strv_add(&uids, uid);
                again = true;
        }
        remove_pod_directories(agent, &uids);
        remove_cgroups(agent, &uids);
        remove_log_directories(agent, &uids);
        return again;
}
