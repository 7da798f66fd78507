/* SPDX-License-Identifier: Apache-2.0 */
#include "node/manifest_source.h"
#include "node/pod_view.h"
#include "node/revert.h"

void revert_release(struct revert *revert)
{
        pod_unref(revert->pod);
        pod_unref(revert->to);
        *revert = (struct revert){0};
}

void revert_note(struct revert *revert, const struct pod_view *view)
{
        revert_release(revert);
        revert->pod = pod_ref(view->current->pod);
        revert->to = pod_ref(view->next->pod);
        revert->to_revision = view->next->revision;
}

void revert_tell(struct revert *revert, struct manifest_source *source)
{
        if (revert->pod && source)
                manifest_source_reject(source, revert->pod, revert->to, revert->to_revision);
        revert_release(revert);
}
