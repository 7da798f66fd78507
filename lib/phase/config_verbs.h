#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What `genphase config ...` prints of a configuration that has been loaded.
 */
#include "phase/phase.h"

struct err;

/* The images, one a line; with options.output json or yaml as kubeadm's Images object. */
int phase_config_images_list(struct phase *phase, struct err *err);
/* "ok": phase_open has found nothing wrong. */
int phase_config_validate(struct phase *phase, struct err *err);
