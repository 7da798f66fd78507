/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions on trial (podwatch.io/revert-after), in the simulator's own words: one that may be followed by the version
 * before it is tried, once and for its time, and stays or goes back; what went back is not started again until its file
 * says something else or somebody asks; and each going back is said.
 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "model_files.h"
#include "node/pod_store.h"
#include "node/revision_reject.h"
#include "sim_loop.h"
#include "world_private.h"

/* What has run for so long is seen to run, in any weather. */
#define SEEN (180 * USEC_PER_SEC)
/* A trial that began shortly before a kill may not have been written. */
#define UNWRITTEN (1 * USEC_PER_SEC)

static usec_t period_of(const struct world *w, const struct version *v)
{
        if (v->pod->revert_seconds < 0)
                return 0;
        return v->pod->revert_seconds ? (usec_t)v->pod->revert_seconds * USEC_PER_SEC : w->revert_after;
}

void trial_over(struct world_pod *p)
{
        p->trial = p->good = NULL;
        p->trial_from = pod_unref(p->trial_from);
        p->trial_lost = false;
}

/* --- versions ----------------------------------------------------------------------------------------------------- */

static bool has_other(const struct world *w, const struct version *v)
{
        for (size_t i = 0; i < w->version_count; i++)
                if (w->versions[i]->index == v->index)
                        return true;
        return false;
}

void trial_choose(struct world *w, struct version *v)
{
        struct rng *rng = &w->rng;
        struct pod_probe *probe = &v->pod->containers[v->pod->init_count].probes[POD_PROBE_READINESS];

        if (!rng_chance(rng, 250))
                return;
        v->pod->revert_seconds =
                rng_chance(rng, 50) ? -1 : (int64_t)rng_between(rng, 1, rng_chance(rng, 500) ? 10 : 90);
        if (v->pod->revert_seconds < 0 || !has_other(w, v) || !rng_chance(rng, 500))
                return;
        /* It will never be Ready, also in the calm. */
        v->never_ready = true;
        strv_release(&probe->handler.command);
        *probe = (struct pod_probe){.timeout_seconds = 1,
                                    .period_seconds = (int)rng_between(rng, 1, 10),
                                    .success_threshold = 1,
                                    .failure_threshold = 1,
                                    .termination_grace_seconds = -1};
        probe->handler.type = POD_HANDLER_EXEC;
        strv_add(&probe->handler.command, MODEL_HOST_NEVER);
}

/* --- its course --------------------------------------------------------------------------------------------------- */

/* It has run for long in fair and foul weather, so podwatch knows that it was Ready. */
static bool is_proven(const struct world *w, const struct version *v)
{
        usec_t now = sim_loop_elapsed(w->loop);

        for (size_t i = v->pod->init_count; i < v->pod->container_count; i++) {
                const struct pod_container *spec = &v->pod->containers[i];
                const struct model_container *c;

                if (spec->probes[POD_PROBE_STARTUP].handler.type || spec->probes[POD_PROBE_READINESS].handler.type ||
                    spec->post_start.type)
                        return false;
                for (c = model_containers(w->model); c; c = c->next)
                        if (str_eq(c->uid, v->pod->uid) && str_eq(c->hash, v->pod->spec_hash) &&
                            str_eq(c->container, spec->name) && c->state == DOCKER_STATE_RUNNING && !c->by_somebody &&
                            c->started + SEEN < now)
                                break;
                if (!c)
                        return false;
        }
        return v->pod->init_count == 0 && w->killed + SEEN < now;
}

void trial_stopped(struct world *w, struct world_pod *p, const struct version *v)
{
        p->good = !p->trial && is_proven(w, v) ? v : NULL;
        p->good_since = sim_loop_elapsed(w->loop);
}

void trial_activated(struct world *w, struct world_pod *p, const struct version *v, bool gated, struct pod *from)
{
        if (v == p->rejected)
                world_problem(w, "%s starts %s though that has failed its trial", p->key, v->pod->spec_hash);
        if (gated && p->trial == v)
                return; /* its sandbox had ended: the time goes on */
        if (gated && !period_of(w, v))
                world_problem(w, "%s is on trial and is not to be", v->pod->spec_hash);
        if (!gated && p->good && p->good != v && period_of(w, v) && w->killed < p->good_since)
                world_problem(w, "%s takes the place of %s without a trial", v->pod->spec_hash,
                              p->good->pod->spec_hash);
        trial_over(p);
        p->tried = NULL;
        if (!gated)
                return;
        w->result->trials++;
        p->trial = v;
        p->trial_from = from ? pod_ref(from) : NULL;
        p->trial_since = sim_loop_elapsed(w->loop);
}

static bool may_be_ready(const struct world *w, const struct version *v)
{
        (void)w;
        return !v->never_ready || world_may_end(v);
}

static void note_end(struct world *w, struct world_pod *p, const struct version *v)
{
        p->tried = v;
        p->tried_since = p->trial_since;
        p->tried_until = sim_loop_elapsed(w->loop);
}

void trial_accepted(struct world *w, struct world_pod *p, const struct version *v)
{
        w->result->accepted++;
        /* What it was to go back to was not stored, or under another number than the one that was given to it. */
        if (w->files_failed && (p->trial != v || p->trial_lost || w->killed > p->trial_since)) {
                note_end(w, p, v);
                trial_over(p);
                return;
        }
        if (p->trial != v)
                world_problem(w, "%s is accepted and was not on trial", v->pod->spec_hash);
        if (!may_be_ready(w, v))
                world_problem(w, "%s is accepted though it was never Ready", v->pod->spec_hash);
        note_end(w, p, v);
        trial_over(p);
}

void trial_reverted(struct world *w, struct world_pod *p, struct version *from, struct version *to)
{
        usec_t now = sim_loop_elapsed(w->loop);

        w->result->reverted++;
        world_say(w, "--- %s goes back from %s to %s", p->key, from->pod->spec_hash, to->pod->spec_hash);
        /* That it had passed was not written, and a podwatch that was killed does not know of it. */
        bool forgotten = w->files_failed && p->tried == from && w->killed > p->tried_until;

        if (p->trial != from && !forgotten)
                world_problem(w, "%s goes back from %s, which is not on trial", p->key, from->pod->spec_hash);
        else if (!forgotten && now + 2 < p->trial_since + period_of(w, from))
                world_problem(w, "%s goes back %llu us early", p->key,
                              (unsigned long long)(p->trial_since + period_of(w, from) - now));
        if (to == from || !to->ran)
                world_problem(w, "%s goes back to %s, which never ran", p->key, to->pod->spec_hash);
        note_end(w, p, from);
        trial_over(p);
        p->untold = true;
        /* Which versions failed is written; a disk that takes nothing forgets. */
        p->reject_unsure = w->files_failed;
        world_files_reverted(w, p, from, to);
}

void trial_event(struct world *w, struct world_pod *p, const char *reason)
{
        if (p->untold && !str_eq(reason, "RevisionReverted"))
                world_problem(w, "%s goes back and does not say so", p->key);
        p->untold = false;
}

/* That ends a trial; where podwatch has not seen yet what there is, it finds the trial later, should the file be back.
 */
void trial_unwanted(struct world *w, struct world_pod *p)
{
        if (!w->node || !sim_node_observed(w->node)) {
                p->trial_lost = true;
                return;
        }
        if (p->trial)
                note_end(w, p, p->trial);
        trial_over(p);
}

/* Another podwatch can know of it. */
static bool is_kept(struct world *w, const struct world_pod *p)
{
        struct revisions *revisions = model_files_revisions(w->files);
        struct revision revision = {0};
        struct err err = ERR_INIT;
        char *why CLEANUP_FREE = NULL;
        bool kept = revision_current(revisions, "default", p->name, &revision, &err) == 0 &&
                    revision_is_rejected(revisions, p->rejected->pod, &why);

        revision_release(&revision);
        return kept;
}

/* Its end may not have been written: then it stays or goes back once more. */
static void trial_goes_on(struct world *w, struct world_pod *p, bool stale)
{
        if (p->trial || !p->tried || (!stale && p->tried_until + UNWRITTEN < sim_loop_elapsed(w->loop)))
                return;
        p->trial = p->tried;
        p->trial_since = p->tried_since;
        p->trial_lost = true;
}

void trial_killed(struct world *w, struct world_pod *p, bool stale)
{
        trial_goes_on(w, p, stale);
        p->trial_lost |= stale || (p->trial && p->trial_since + UNWRITTEN >= sim_loop_elapsed(w->loop)) ||
                         (p->trial_from && !model_files_number(w->files, p->trial_from));
        p->good = NULL;
        if (p->reject_unsure && p->rejected && !is_kept(w, p))
                p->rejected = NULL;
        p->reject_unsure = false;
}

/* Once it is calm, a trial ends, and what is never Ready has not stayed. */
void trial_check_over(struct world *w, const struct world_pod *p, const struct pod_view *view)
{
        if (view && view->current && view->current->gated)
                world_problem(w, "%s is still on trial", p->key);
        else if (p->trial && p->trial == p->wanted && !p->trial_lost)
                world_problem(w, "the trial of %s is forgotten", p->trial->pod->spec_hash);
}
