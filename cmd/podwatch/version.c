/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "podwatch.h"

int verb_version(void *userdata, const struct strv *args)
{
        (void)userdata;
        (void)args;
        (void)printf("podwatch %s\n", GENPHASE_PROJECT_VERSION);
        return 0;
}
