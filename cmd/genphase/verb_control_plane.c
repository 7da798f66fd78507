/* SPDX-License-Identifier: Apache-2.0 */
#include "genphase.h"
#include "phase/control_plane.h"

static int all(struct phase *phase, struct err *err)
{
        return phase_control_plane(phase, NULL, err);
}

static int apiserver(struct phase *phase, struct err *err)
{
        return phase_control_plane(phase, &component_apiserver, err);
}

static int controller_manager(struct phase *phase, struct err *err)
{
        return phase_control_plane(phase, &component_controller_manager, err);
}

static int scheduler(struct phase *phase, struct err *err)
{
        return phase_control_plane(phase, &component_scheduler, err);
}

int verb_control_plane_all(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, all);
}

int verb_control_plane_apiserver(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, apiserver);
}

int verb_control_plane_controller_manager(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, controller_manager);
}

int verb_control_plane_scheduler(void *userdata, const struct strv *args)
{
        (void)args;
        return genphase_run_init(userdata, scheduler);
}
