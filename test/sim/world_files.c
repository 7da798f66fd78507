/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest directory: what files say, when podwatch reads them, and which version of each pod is in force then.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "model_files.h"
#include "sim_loop.h"
#include "world_api.h"
#include "world_private.h"

#define PREFIX "version "

/* --- what is in force, in this file's own words ------------------------------------------------------------------- */

/* The first of the files by name that gave a good version has the pod. */
static int winner_of(const struct world_pod *p)
{
        for (int k = 0; k < WORLD_FILES; k++)
                if (p->force[k])
                        return k;
        return -1;
}

static void settle(struct world *w, struct world_pod *p)
{
        struct version *before = p->wanted;
        int winner = winner_of(p);

        p->wanted = winner < 0 ? NULL : p->force[winner];
        if (winner != p->winner)
                p->rejected = NULL;
        p->winner = winner;
        if (p->wanted == before)
                return;
        p->changed = sim_loop_elapsed(w->loop);
        if (!p->wanted)
                trial_unwanted(w, p);
}

/* podwatch reads that the file says v; NULL: it is gone. What wants a document that is not there changes nothing; what
 * has failed its trial is not taken again before its file has said something else. */
static void take(struct world *w, struct world_pod *p, int k, struct version *v)
{
        bool in_force = winner_of(p) == k;

        if (v && !docs_serve(w, v)) {
                p->refused[k] = true;
                w->result->refused++;
        } else if (v && in_force && v == p->rejected) {
                p->refused[k] = true;
        } else {
                p->refused[k] = false;
                p->force[k] = v;
                if (in_force)
                        p->rejected = NULL;
        }
        if (!w->starting)
                settle(w, p);
}

void world_files_again(struct world *w)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                for (int k = 0; k < WORLD_FILES; k++)
                        if (w->pods[i].refused[k] && w->pods[i].says[k])
                                take(w, &w->pods[i], k, w->pods[i].says[k]);
}

void world_files_reverted(struct world *w, struct world_pod *p, struct version *from, struct version *to)
{
        int k = winner_of(p);

        if (k < 0 || p->force[k] != from)
                world_problem(w, "%s goes back from %s, which is not in force", p->key, from->pod->spec_hash);
        if (k < 0)
                return;
        p->force[k] = to;
        p->refused[k] = true;
        p->rejected = from;
        settle(w, p);
}

void world_files_retried(struct world *w, struct world_pod *p)
{
        int k = winner_of(p);

        if (k < 0 || !p->refused[k])
                return;
        p->rejected = NULL;
        if (p->says[k])
                take(w, p, k, p->says[k]);
}

/* What stands on podwatch's disk of the versions that were in force. */
static void recall(struct world *w, struct world_pod *p)
{
        struct revision revision = {0};
        struct err err = ERR_INIT;

        for (int k = 0; k < WORLD_FILES; k++) {
                p->force[k] = NULL;
                p->refused[k] = false;
        }
        if (revision_current(model_files_revisions(w->files), "default", p->name, &revision, &err) == 0)
                for (int k = 0; k < WORLD_FILES; k++)
                        if (str_eq(file_basename(revision.file), p->files[k]))
                                p->force[k] = world_version_find(w, revision.pod->uid, revision.pod->spec_hash);
        revision_release(&revision);
}

void world_files_begin(struct world *w)
{
        w->starting = true;
        docs_unknown(w);
        for (unsigned i = 0; i < w->pod_count; i++)
                recall(w, &w->pods[i]);
}

void world_files_begun(struct world *w)
{
        w->starting = false;
        for (unsigned i = 0; i < w->pod_count; i++)
                settle(w, &w->pods[i]);
}

/* --- hooks of the model ------------------------------------------------------------------------------------------ */

static struct version *version_of(const struct world *w, const char *text)
{
        const char *hash = text ? str_after(text, PREFIX) : NULL;

        for (size_t i = 0; hash && i < w->version_count; i++)
                if (str_eq(w->versions[i]->pod->spec_hash, hash))
                        return w->versions[i];
        return NULL;
}

struct pod *world_files_decode(void *world, const char *text, const struct pod_source *source, struct err *err)
{
        struct world *w = world;
        const struct version *v = version_of(w, text);

        if (!v) {
                (void)err_set(err, ERR_INVALID, "model: no manifest: %s", text);
                return NULL;
        }
        return docs_admit(v, source->configs, err) ? pod_ref(v->pod) : NULL;
}

void world_files_told(void *world, const char *name, const char *text)
{
        struct world *w = world;

        if (docs_told(w, name))
                return;
        for (unsigned i = 0; i < w->pod_count; i++)
                for (int k = 0; k < WORLD_FILES; k++)
                        if (str_eq(w->pods[i].files[k], name))
                                take(w, &w->pods[i], k, version_of(w, text));
}

/* --- edits -------------------------------------------------------------------------------------------------------- */

static void read_files(void *world)
{
        struct world *w = world;

        if (w->node && !w->over)
                model_files_look(w->files);
}

void world_files_changed(struct world *w, const char *name, const char *text)
{
        model_files_write(w->files, name, text);
        w->result->edits++;
        (void)sim_after(w->loop, rng_between(&w->rng, 0, 300) * USEC_PER_MSEC, read_files, w);
}

void world_file_write(struct world *w, struct world_pod *p, unsigned file, struct version *v)
{
        char *text CLEANUP_FREE = v ? xasprintf(PREFIX "%s", v->pod->spec_hash) : NULL;

        if (p->says[file] == v)
                return;
        world_say(w, "--- %s is now %s", p->files[file], v ? v->pod->spec_hash : "removed");
        p->says[file] = v;
        if (w->api)
                world_api_anew(w->api, p->key);
        world_files_changed(w, p->files[file], text);
}
