/* SPDX-License-Identifier: Apache-2.0
 *
 * The manifest directory: what files say, what podwatch is told of them, and which version of each pod is in force
 * then. Nothing that is half-written is ever told, and in the end everything that is whole.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "model_dir.h"
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

        p->told[k] = v;
        p->lacks[k] = v && !docs_serve(w, v);
        p->retried[k] = false;
        if (p->lacks[k]) {
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

void world_files_retried(struct world_pod *p)
{
        int k = winner_of(p);

        if (k < 0 || (p->told[k] && !p->refused[k]))
                return;
        p->rejected = NULL;
        p->retried[k] = p->told[k] != NULL;
}

/* What stands on podwatch's disk of the versions that were in force. */
static void recall(struct world *w, struct world_pod *p)
{
        struct revision revision = {0};
        struct err err = ERR_INIT;

        for (int k = 0; k < WORLD_FILES; k++) {
                p->force[k] = p->told[k] = NULL;
                p->refused[k] = p->lacks[k] = p->retried[k] = false;
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

void world_files_begun(void *world)
{
        struct world *w = world;

        w->starting = false;
        for (unsigned i = 0; i < w->pod_count; i++)
                settle(w, &w->pods[i]);
}

/* --- what must hold ----------------------------------------------------------------------------------------------- */

/* What podwatch is told stands in the file, all of it; what it takes for gone is. A podwatch that starts has nothing
 * but the wall clock to tell for how long a file has been as it is. */
static void check_told(struct world *w, const char *name, const char *text)
{
        usec_t now = sim_loop_elapsed(w->loop);
        bool unknown = w->jumped && w->jumped + SLACK >= w->node_started && w->node_started + SLACK >= now;

        if (text && !unknown && !model_dir_holds(w->dir, name, text))
                world_problem(w, "%s is taken half-written: %.200s", name, text);
        if (!text && !model_dir_is_gone(w->dir, name) && !model_dir_seems_gone(w->dir, name))
                world_problem(w, "%s is taken for gone and is not", name);
}

/* By now podwatch was told what each file says, whatever it was not told of. */
static void check_file(struct world *w, const struct world_pod *p, int k)
{
        const struct version *says = p->says[k], *told = p->told[k];

        if (told != says)
                world_problem(w, "%s says %s, and podwatch was told %s", p->files[k],
                              says ? says->pod->spec_hash : "nothing", told ? told->pod->spec_hash : "nothing");
        else if (!says && p->force[k])
                world_problem(w, "%s is gone, and what it said is in force", p->files[k]);
        else if (p->lacks[k] && docs_serve(w, told))
                world_problem(w, "%s is served now and is not looked at again", p->files[k]);
        else if (p->retried[k])
                world_problem(w, "%s is to be tried again and is not", p->files[k]);
}

void world_files_check(struct world *w)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                for (int k = 0; k < WORLD_FILES; k++)
                        check_file(w, &w->pods[i], k);
        docs_check_told(w);
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

        world_say(w, "podwatch is told %s: %s", name, text ? text : "gone");
        check_told(w, name, text);
        if (docs_told(w, name, text))
                return;
        for (unsigned i = 0; i < w->pod_count; i++)
                for (int k = 0; k < WORLD_FILES; k++)
                        if (str_eq(w->pods[i].files[k], name))
                                take(w, &w->pods[i], k, version_of(w, text));
}

/* --- edits -------------------------------------------------------------------------------------------------------- */

void world_files_changed(struct world *w, const char *name, const char *text)
{
        model_dir_write(w->dir, name, text);
        w->result->edits++;
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
