/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "genphase.h"
#include "images.h"
#include "phase/preflight.h"

#define DOCKER_SOCKET "/var/run/docker.sock"

static const char *docker_socket(const struct genphase *g)
{
        const char *host = g->docker_host ? g->docker_host : getenv("DOCKER_HOST");
        const char *path = host ? str_after(host, "unix://") : NULL;

        return str_empty(path) ? DOCKER_SOCKET : path;
}

int preflight_with(struct genphase *g, const struct preflight_runtime *runtime)
{
        struct preflight_options options = {.docker_socket = docker_socket(g)};
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        if (runtime)
                options.runtime = *runtime;
        int r = phase_open(&g->options, &phase, &err);
        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = phase_preflight(phase, &options, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

int verb_preflight(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        /* Images are this machine's: another root has none, and a dry run pulls none. */
        return g->options.dry_run || !str_empty(g->options.rootfs) ? preflight_with(g, NULL) : images_preflight(g);
}
