/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/err.h"
#include "genphase.h"

int verb_version(void *userdata, const struct strv *args)
{
        const struct genphase *g = userdata;
        struct era *era CLEANUP_ERA = NULL;
        struct kube_version newest;
        struct err err = ERR_INIT;

        (void)args;
        if (era_new(g->options.templates_dir, &era, &err) < 0 || era_newest(era, -1, &newest, &err) < 0)
                return genphase_fail(&err, 1);
        (void)printf("genphase %s (as kubeadm %d.%d to %d.%d)\n", GENPHASE_PROJECT_VERSION, era_oldest(era)->major,
                     era_oldest(era)->minor, newest.major, newest.minor);
        return 0;
}
