/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/err.h"
#include "node/revision.h"
#include "node/revision_history.h"
#include "node/rollback.h"
#include "podwatch.h"

int verb_rollback(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct revisions *revisions = revisions_new(p->state, 0);
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct err err = ERR_INIT;
        unsigned number = 0;
        int r = revision_history_find(revisions, args->items[0], &pod, &err);

        if (r >= 0 && args->len > 1)
                r = podwatch_revision(args->items[1], &number, &err);
        if (r >= 0)
                r = rollback(revisions, &pod, number, &number, &err);
        (void)revisions_free(revisions);
        if (r < 0)
                return podwatch_fail(&err);
        (void)printf("%s %s revision %u of %s/%s\n", pod.file, r == 0 ? "now holds" : "holds already", number,
                     pod.namespace, pod.name);
        return 0;
}
