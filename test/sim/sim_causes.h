#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * That no pod is looked at without a cause: read from the journal's records.
 */
#include <stdbool.h>

struct pod_store;

#define SIM_CAUSES_MAX 32 /* pods whose causes are known */

struct sim_causes {
        struct sim_cause {
                char key[64];
                bool changed; /* since its last step */
        } of[SIM_CAUSES_MAX];
};

/* There is a cause to look at this pod that no record tells. */
void sim_causes_changed(struct sim_causes *causes, const char *key);
/* Takes in one record. Returns the pod that was looked at for nothing, NULL without. */
const char *sim_causes_check(struct sim_causes *causes, const struct pod_store *store, const char *record);
