/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions that failed their trial: not taken again until their file gives something else, or somebody asks.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "node/manifest_dir.h"
#include "node/manifest_source_private.h"
#include "node/revision.h"
#include "node/revision_reject.h"

void manifest_trial_forget(struct manifest_source *s, const struct manifest *m)
{
        for (size_t i = 0; i < s->count; i++) {
                struct manifest *f = s->files[i];

                if (!f->rejected || !pod_same_name(f->rejected, m->pod))
                        continue;
                f->rejected = pod_unref(f->rejected);
                free(TAKE_PTR(f->rejection));
        }
        revision_unreject(s->revisions, m->pod->namespace, m->pod->name);
}

bool manifest_trial_failed(struct manifest_source *s, struct manifest *m, struct pod *pod)
{
        char *why CLEANUP_FREE = NULL;

        if (manifest_source_in_force(s, pod->namespace, pod->name) != m)
                return false; /* a file that is not in force says nothing of that which is */
        if (m->rejected && pod_same_version(m->rejected, pod)) {
                why = xstrdup(m->rejection); /* a disk that took nothing does not know */
        } else if (revision_is_rejected(s->revisions, pod, &why)) {
                pod_unref(m->rejected);
                m->rejected = pod_ref(pod);
                free(m->rejection);
                m->rejection = xstrdup(why);
        } else {
                manifest_trial_forget(s, m);
                return false;
        }
        manifest_source_refuse(s, m, why);
        return true;
}

void manifest_source_reject(struct manifest_source *s, const struct pod *pod, struct pod *fallback,
                            unsigned fallback_revision)
{
        struct manifest *m = manifest_source_in_force(s, pod->namespace, pod->name);
        struct err err = ERR_INIT;

        if (!m || !pod_same_version(m->pod, pod))
                return;
        free(m->rejection);
        m->rejection = xasprintf("%s: version %u was not Ready in its time (`podwatch retry` tries it again)", m->path,
                                 m->revision);
        if (revision_reject(s->revisions, pod, m->revision, m->rejection, fallback, fallback_revision, m->path, &err) <
            0)
                s->handlers.notice(s->userdata, err.msg);
        free(TAKE_PTR(m->raw)); /* a version that was not stored yet is not worth it */
        m->unsynced = false;
        pod_unref(m->rejected);
        m->rejected = m->pod;
        m->pod = pod_ref(fallback);
        m->revision = fallback_revision;
        manifest_source_refuse(s, m, m->rejection);
        manifest_source_settle(s);
}

void manifest_source_retry(struct manifest_source *s, const char *namespace, const char *name)
{
        struct manifest *m = manifest_source_in_force(s, namespace, name);

        if (!m || m->valid)
                return;
        manifest_trial_forget(s, m);
        manifest_dir_again(s->dir, m->name);
}
