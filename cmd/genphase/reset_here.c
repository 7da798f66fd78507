/* SPDX-License-Identifier: Apache-2.0
 *
 * reset in genphase-images: with the containers of pods, which carry the kubelet's labels.
 */
#include "base/err.h"
#include "docker/docker_wait.h"
#include "genphase.h"
#include "images.h"
#include "phase/reset.h"

#define POD_LABEL "io.kubernetes.pod.uid"

static int count(void *userdata, size_t *ret, struct err *err)
{
        struct strv ids CLEANUP_STRV = STRV_INIT;
        int r = docker_wait_list(userdata, POD_LABEL, &ids, err);

        *ret = ids.len;
        return r;
}

static int remove_all(void *userdata, struct err *err)
{
        struct strv ids CLEANUP_STRV = STRV_INIT;
        const char *id;
        int r = docker_wait_list(userdata, POD_LABEL, &ids, err);

        STRV_FOREACH (id, &ids)
                if (r == 0)
                        r = docker_wait_remove(userdata, id, err);
        return r;
}

int images_reset(struct genphase *g)
{
        struct docker_wait *docker CLEANUP_DOCKER_WAIT = NULL;
        struct err err = ERR_INIT;

        if (docker_wait_new(g->docker_host, &docker, &err) < 0)
                return genphase_fail(&err, 1);
        const struct reset_runtime run = {count, remove_all, docker};
        return reset_with(g, &run);
}
