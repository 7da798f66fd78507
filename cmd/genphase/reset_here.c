/* SPDX-License-Identifier: Apache-2.0
 *
 * reset in genphase-images: with the containers of pods, which carry the kubelet's labels, and a local etcd's cluster.
 */
#include "base/alloc.h"
#include "base/err.h"
#include "cluster/etcd_member.h"
#include "docker/docker_wait.h"
#include "genphase.h"
#include "images.h"
#include "phase/action.h"
#include "phase/reset.h"

#define POD_LABEL "io.kubernetes.pod.uid"
#define CONTAINER_LABEL "io.kubernetes.container.name"

static int count(void *userdata, const char *container, size_t *ret, struct err *err)
{
        struct strv ids CLEANUP_STRV = STRV_INIT;
        char *label CLEANUP_FREE = container ? xasprintf(CONTAINER_LABEL "=%s", container) : xstrdup(POD_LABEL);
        int r = docker_wait_list(userdata, label, &ids, err);

        *ret = ids.len;
        return r;
}

static int tell_removed(const struct phase *phase, const char *id, struct err *err)
{
        struct value *line = action_new(phase, "remove");

        action_set(line, "container", id);
        return action_tell(phase, line, err);
}

/* What one of them fails with keeps no other (RemoveContainers). */
static int remove_all(void *userdata, const struct phase *phase, struct err *err)
{
        struct strv ids CLEANUP_STRV = STRV_INIT, failed CLEANUP_STRV = STRV_INIT;
        const char *id;
        int r = docker_wait_list(userdata, POD_LABEL, &ids, err), last = 0;

        if (r < 0)
                return r;
        STRV_FOREACH (id, &ids) {
                struct err why = ERR_INIT;

                r = docker_wait_remove(userdata, id, &why);
                if (r == 0)
                        r = tell_removed(phase, id, &why);
                if (r < 0) {
                        strv_addf(&failed, "%s: %s", id, why.msg);
                        last = why.code;
                }
        }
        if (failed.len == 0)
                return 0;
        char *all CLEANUP_FREE = strv_join(&failed, ", ");
        return err_set(err, last, failed.len > 1 ? "[%s]" : "%s", all);
}

int images_reset(struct genphase *g)
{
        struct docker_wait *docker CLEANUP_DOCKER_WAIT = NULL;
        struct err err = ERR_INIT;

        if (docker_wait_new(g->docker_host, &docker, &err) < 0)
                return genphase_fail(&err, 1);
        const struct reset_runtime run = {count, remove_all, docker};
        g->reset.leave_etcd = etcd_member_leave;
        return reset_with(g, &run);
}
