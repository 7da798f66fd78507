/* SPDX-License-Identifier: Apache-2.0 */
#include "genphase.h"
#include "phase/kubelet_start.h"

int verb_kubelet_start(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, phase_kubelet_start);
}
