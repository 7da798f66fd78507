#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs a Docker client: as with pki.h it is linked into a program of its own, genphase-images (images_here.c);
 * in genphase each of these functions replaces the process by it (images_exec.c). genphase-api has it too: `init` runs
 * preflight.
 */
#include "base/strv.h"

struct err;
struct genphase;
struct phase;

/* The exit code. */
int images_pull(struct genphase *g, const struct strv *args);
int images_build(struct genphase *g, const struct strv *args);
/* reset where this machine has containers of pods: the exit code. */
int images_reset(struct genphase *g);
/* preflight with the pull of the images: the exit code. */
int images_preflight(struct genphase *g);
/* The same of a phase that is open, for `init`: in images_here.c alone. Pulls nothing with --dry-run or --rootfs. */
int images_preflight_phase(struct genphase *g, struct phase *phase, struct err *err);
int images_load(struct genphase *g, const struct strv *args);
