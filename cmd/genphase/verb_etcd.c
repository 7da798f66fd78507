/* SPDX-License-Identifier: Apache-2.0 */
#include "genphase.h"
#include "phase/control_plane.h"

int verb_etcd_local(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, phase_etcd_local);
}
