#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What needs a Docker client: as with pki.h it is linked into a program of its own, genphase-images (images_here.c);
 * in genphase each of these functions replaces the process by it (images_exec.c).
 */
#include "base/strv.h"

struct genphase;

/* The exit code. */
int images_pull(struct genphase *g, const struct strv *args);
int images_build(struct genphase *g, const struct strv *args);
/* reset where this machine has containers of pods: the exit code. */
int images_reset(struct genphase *g);
/* preflight with the pull of the images: the exit code. */
int images_preflight(struct genphase *g);
int images_load(struct genphase *g, const struct strv *args);
