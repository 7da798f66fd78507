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

bool preflight_needs_runtime(const struct genphase *g)
{
        return !g->options.dry_run && str_empty(g->options.rootfs);
}

int preflight_phase(struct genphase *g, struct phase *phase, const struct preflight_runtime *runtime, struct err *err)
{
        struct preflight_options options = {.docker_socket = docker_socket(g)};

        if (runtime)
                options.runtime = *runtime;
        return phase_preflight(phase, &options, err);
}

int preflight_with(struct genphase *g, const struct preflight_runtime *runtime)
{
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        int r = phase_open(&g->options, &phase, &err);

        if (r < 0)
                return genphase_fail(&err, phase->exit_code);
        r = preflight_phase(g, phase, runtime, &err);
        return r < 0 ? genphase_fail(&err, 1) : 0;
}

int verb_preflight(void *userdata, const struct strv *args)
{
        struct genphase *g = userdata;

        (void)args;
        return preflight_needs_runtime(g) ? images_preflight(g) : preflight_with(g, NULL);
}
