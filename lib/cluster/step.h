#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The objects of each phase, as data: templates/cluster.yaml holds, by step, a list of what is said and written, with
 * ${name} in it, as the newest kubeadm does it; rows of eras.yaml (group cluster, paths "objects.STEP[NAME]...") say
 * what another version did.
 */
#include "phase/template.h"

struct cluster;
struct err;
struct phase;
struct value;

/* Says and writes everything of a step in its order. */
int step_run(struct cluster *cluster, const char *step, const struct template_variables *variables, struct err *err);
/* The items of a step as this era has them, filled in. Free *ret. */
int step_load(const struct phase *phase, const char *step, const struct template_variables *variables,
              struct value **ret, struct err *err);
