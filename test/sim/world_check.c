/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold, at every start and stop of a container.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "sim_loop.h"
#include "world_private.h"

/* The rules, once more in this file's own words: a check by the code that it checks would pass whatever that says. */
#define FIRST_WAIT (10 * USEC_PER_SEC)
#define LONGEST_WAIT (300 * USEC_PER_SEC)
#define LONG_RUN (600 * USEC_PER_SEC)
#define LEAST_GRACE (2 * USEC_PER_SEC)

static struct world_pod *pod_of(struct world *w, const struct model_container *c)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                if (str_eq(w->pods[i].key, c->key))
                        return &w->pods[i];
        return NULL;
}

/* It runs by podwatch's doing, or podwatch could know by now that somebody started it: where the event of that was
 * lost, a list is still to come. */
static bool is_known(const struct world *w, const struct model_container *c)
{
        return !c->by_somebody || (c->told && c->by_somebody + SLACK < sim_loop_elapsed(w->loop));
}

/* --- two at once ------------------------------------------------------------------------------------------------ */

static void check_alone(struct world *w, const struct model_container *c)
{
        const struct model_container *other;

        for (other = model_containers(w->model); other; other = other->next)
                if (other != c && other->state == DOCKER_STATE_RUNNING && str_eq(other->key, c->key) &&
                    str_eq(other->container, c->container) && is_known(w, other))
                        world_problem(w, "two running: %s beside %s", c->name, other->name);
}

/* --- directories ----------------------------------------------------------------------------------------------------
 */

struct directories *world_directories(struct world *w, const char *uid)
{
        struct directories *d;

        for (d = w->directories; d; d = d->next)
                if (str_eq(d->uid, uid))
                        return d;
        d = xcalloc(1, sizeof(*d));
        d->uid = xstrdup(uid);
        d->next = w->directories;
        w->directories = d;
        return d;
}

/* A sandbox mounts nothing of them, and what a podwatch that was killed was to start may come late. */
static void check_directories(struct world *w, const struct model_container *c)
{
        if (!str_eq(world_directories(w, c->uid)->hash, c->hash) &&
            (!w->killed || w->killed + UNSEEN < sim_loop_elapsed(w->loop)))
                world_problem(w, "%s starts with the directories of another version", c->name);
}

/* --- backoff ----------------------------------------------------------------------------------------------------- */

static struct run_track *track_of(struct world *w, const struct model_container *c)
{
        char *name CLEANUP_FREE = xasprintf("%s/%s/%s", c->uid, c->hash, c->container);
        struct run_track *t;

        for (t = w->tracks; t; t = t->next)
                if (str_eq(t->name, name))
                        return t;
        t = xcalloc(1, sizeof(*t));
        t->name = TAKE_PTR(name);
        t->next = w->tracks;
        w->tracks = t;
        return t;
}

/* Before restart number count + 1. */
static usec_t wait_before(unsigned count)
{
        usec_t wait = FIRST_WAIT;

        for (unsigned i = 1; i < count && wait < LONGEST_WAIT; i++)
                wait *= 2;
        return count == 0 ? 0 : wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

/* What has ended for good, by restartPolicy, is not run again. */
static void check_rule(struct world *w, const struct model_container *c, const struct run_track *t)
{
        const struct version *v = world_version_find(w, c->uid, c->hash);
        size_t i;
        const struct pod_container *spec = v ? world_spec(v, c->container, &i) : NULL;

        if (!spec || spec->init || t->lost)
                return;
        if (!world_runs_again(v, i, t->exit_code))
                world_problem(w, "%s runs again though it ended with %d", c->name, t->exit_code);
}

/* An app container starts after every init container has done its work in this sandbox. */
static void check_order(struct world *w, const struct model_container *c)
{
        const struct version *v = world_version_find(w, c->uid, c->hash);
        size_t index;
        const struct pod_container *spec = v ? world_spec(v, c->container, &index) : NULL;

        for (size_t i = 0; spec && i < v->pod->init_count && i < index; i++) {
                const struct pod_container *before = &v->pod->containers[i];
                struct model_container like = {.uid = c->uid, .hash = c->hash, .container = before->name};

                if (!before->sidecar && !str_eq(track_of(w, &like)->went_well, c->sandbox))
                        world_problem(w, "%s starts before %s has ended well", c->name, before->name);
        }
}

void world_forget(struct world *w, unsigned index)
{
        for (size_t i = 0; i < w->version_count; i++) {
                const struct version *v = w->versions[i];

                for (size_t k = 0; v->index == index && k < v->pod->container_count; k++) {
                        struct run_track *t =
                                track_of(w, &(struct model_container){.uid = v->pod->uid,
                                                                      .hash = v->pod->spec_hash,
                                                                      .container = v->pod->containers[k].name});

                        t->count = 0;
                        t->finished = 0;
                }
        }
}

static void check_backoff(struct world *w, const struct model_container *c)
{
        struct run_track *t = track_of(w, c);
        const struct world_pod *p = pod_of(w, c);
        const struct model_container *sandbox = model_find(w->model, c->sandbox);
        usec_t now = sim_loop_elapsed(w->loop), wait;

        if (t->finished) {
                /* Somebody changed the file or asked for it: all is forgiven. */
                bool anew = p->changed + SLACK >= t->sandbox || p->asked + SLACK >= t->started ||
                            (w->rebooted && w->rebooted >= t->started);
                /* When it ended is known by the wall clock, where podwatch was not there to see it. */
                bool unknown = w->jumped && w->jumped + UNSEEN >= t->finished;

                /* Nor is a run that began as podwatch was killed and that somebody removed before it came back, or
                 * before any answer told of it. */
                unknown |= t->lost && w->killed && w->killed + UNSEEN >= t->started;
                unknown |= t->lost && t->untold;

                if (!anew)
                        check_rule(w, c, t);
                wait = anew ? 0 : wait_before(t->count);
                if (now + 2 < t->finished + wait && !unknown)
                        world_problem(w, "%s starts %llu us early: run %u ended at %llu", c->name,
                                      (unsigned long long)(t->finished + wait - now), t->count,
                                      (unsigned long long)t->finished);
                /* A run that the clock was set in may have been taken for a long one. */
                t->count = anew || unknown ? 0 : t->count + 1;
        }
        t->started = now;
        t->finished = 0;
        t->lost = t->untold = false;
        t->sandbox = sandbox ? sandbox->created : now;
}

static void track_end(struct world *w, const struct model_container *c)
{
        struct run_track *t = track_of(w, c);

        t->finished = sim_loop_elapsed(w->loop);
        t->exit_code = c->exit_code;
        if (c->exit_code == 0)
                (void)snprintf(t->went_well, sizeof(t->went_well), "%s", c->sandbox);
        if (t->finished - t->started >= LONG_RUN)
                t->count = 0;
}

/* --- programs ----------------------------------------------------------------------------------------------------- */

static usec_t milliseconds(struct world *w, unsigned low, unsigned high)
{
        return rng_between(&w->rng, low, high) * USEC_PER_MSEC;
}

/* A bad end, which may be the one that a rule names. */
static int bad_end(struct world *w, const struct version *v, size_t i)
{
        return v->rules[i].code && rng_chance(&w->rng, 500) ? v->rules[i].code : 1;
}

static void set_program(struct world *w, struct model_container *c, usec_t *ret_lives)
{
        const struct version *v = world_version_find(w, c->uid, c->hash);
        const struct pod_container *spec;
        size_t i;

        c->term_delay = rng_chance(&w->rng, 100) ? milliseconds(w, 0, 20000) : milliseconds(w, 0, 1500);
        *ret_lives = USEC_INFINITY;
        c->end_code = 0;
        spec = c->is_sandbox || !v ? NULL : world_spec(v, c->container, &i);
        if (!spec)
                return;
        if (v->deaf[i])
                c->term_delay = USEC_INFINITY;
        if (spec->init && !spec->sidecar) {
                *ret_lives = milliseconds(w, 100, 3000);
                c->end_code = !w->calm && rng_chance(&w->rng, 150);
        } else if (v->programs[i] == PROGRAM_FINISHES) {
                *ret_lives = milliseconds(w, 1000, 60000);
                c->end_code = !w->calm && rng_chance(&w->rng, 200) ? bad_end(w, v, i) : 0;
        } else if (v->programs[i] == PROGRAM_CRASHY && !w->calm) {
                *ret_lives = rng_chance(&w->rng, 200) ? milliseconds(w, 1, 900000) : milliseconds(w, 1, 20000);
                c->end_code = bad_end(w, v, i);
        }
}

/* A version that is held does not begin; what has begun goes on. */
static void check_held(struct world *w, const struct model_container *c)
{
        const struct world_pod *p = pod_of(w, c);

        if (c->is_sandbox && p && p->held && c->created > p->held_since + UNSEEN)
                world_problem(w, "%s starts though it is held", c->name);
}

/* --- hooks of the model ------------------------------------------------------------------------------------------- */

void check_created(void *world, struct model_container *c)
{
        struct world *w = world;
        const struct version *v = world_version_find(w, c->uid, c->hash);
        const struct model_container *other;
        unsigned count = 0;

        for (other = model_containers(w->model); other; other = other->next)
                count += str_eq(other->key, c->key);
        /* Three incarnations of a sandbox and six containers with two instances each, and some on their way out. */
        if (count > 60)
                world_problem(w, "%u containers of %s", count, c->key);
        if (v)
                docs_check_created(w, v, c);
}

static void note_run(struct world *w, const struct model_container *c)
{
        struct version *v = world_version_find(w, c->uid, c->hash);

        if (v)
                v->ran |= !c->is_sandbox;
}

void check_started(void *world, struct model_container *c, usec_t *ret_lives)
{
        struct world *w = world;

        world_say(w, "  start  %s", c->name);
        world_course(w, "start", c);
        w->result->starts++;
        note_run(w, c);
        set_program(w, c, ret_lives);
        if (w->by_somebody) {
                c->by_somebody = sim_loop_elapsed(w->loop);
                track_of(w, c)->finished = 0;
                return;
        }
        c->stop_asked = c->signal_asked = c->kill_least = 0;
        check_alone(w, c);
        check_held(w, c);
        if (!world_directories(w, c->uid)->made)
                world_problem(w, "%s starts without its directories", c->name);
        if (!c->is_sandbox) {
                check_directories(w, c);
                check_order(w, c);
                check_backoff(w, c);
        }
        if (w->quiet)
                world_problem(w, "%s starts though all is settled", c->name);
}

void check_ended(void *world, struct model_container *c)
{
        struct world *w = world;

        world_say(w, "  end    %s (%d)", c->name, c->exit_code);
        world_course(w, "end", c);
        if (!c->is_sandbox)
                track_end(w, c);
}

static bool newer_exists(struct world *w, const struct model_container *c)
{
        const struct model_container *other;

        for (other = model_containers(w->model); other; other = other->next)
                if (str_eq(other->key, c->key) && str_eq(other->container, c->container) &&
                    str_eq(other->uid, c->uid) && other->attempt > c->attempt)
                        return true;
        return false;
}

/* All app containers of the sandbox have ended, in a pod that does not run them again. */
static bool completed(struct world *w, const struct version *v, const char *sandbox)
{
        const struct model_container *other;

        if (!world_may_complete(v))
                return false;
        for (other = model_containers(w->model); other; other = other->next) {
                size_t i;
                const struct pod_container *spec =
                        str_eq(other->sandbox, sandbox) ? world_spec(v, other->container, &i) : NULL;

                if (spec && !spec->init && other->state == DOCKER_STATE_RUNNING)
                        return false;
        }
        return true;
}

/* Why podwatch may stop what runs; NULL: for nothing. */
static const char *reason_to_stop(struct world *w, const struct model_container *c)
{
        const struct world_pod *p = pod_of(w, c);
        const struct version *v = world_version_find(w, c->uid, c->hash);
        const struct model_container *sandbox = c->is_sandbox ? c : model_find(w->model, c->sandbox);

        if (!p || !v || p->wanted != v)
                return "not wanted";
        if (!sandbox || sandbox->state != DOCKER_STATE_RUNNING)
                return "its sandbox is dead";
        if (p->changed + SLACK >= sandbox->created)
                return "the file changed since";
        if (p->asked + SLACK >= c->created)
                return "somebody asked for it";
        if (c->probe_failed || c->hook_failed)
                return "a probe or hook failed";
        if (newer_exists(w, c))
                return "it is not the newest";
        if (sandbox->given_up)
                return "it was given up when its sandbox was dead";
        if (completed(w, v, sandbox->id))
                return "the pod has completed";
        return NULL;
}

/* The sandbox goes last. */
static void check_nobody_left(struct world *w, const struct model_container *sandbox)
{
        const struct model_container *c;

        for (c = model_containers(w->model); c; c = c->next)
                if (c->state == DOCKER_STATE_RUNNING && str_eq(c->sandbox, sandbox->id) &&
                    c->started + UNSEEN < sim_loop_elapsed(w->loop))
                        world_problem(w, "%s is taken from under %s", sandbox->name, c->name);
}

void check_stopping(void *world, struct model_container *c, const char *how)
{
        struct world *w = world;
        const char *reason = reason_to_stop(w, c);

        world_say(w, "  %s %s: %s", how, c->name, reason ? reason : "NO REASON");
        world_course(w, how, c);
        w->result->kills++;
        if (!reason)
                world_problem(w, "%s of %s without a reason", how, c->name);
        if (w->quiet)
                world_problem(w, "%s of %s though all is settled", how, c->name);
        if (c->is_sandbox && str_eq(how, "SIGKILL"))
                check_nobody_left(w, c);
}

void check_lost(struct world *w, const struct model_container *c)
{
        w->removed = sim_loop_elapsed(w->loop);
        if (c->is_sandbox)
                return;
        track_of(w, c)->lost = true;
        track_of(w, c)->untold |= !c->told;
}

/* What replaces it is there, as far as it can be made before it starts. */
static void check_replacement(struct world *w, const struct pod *pod)
{
        bool steps = false;

        if (w->removed && w->removed + UNSEEN >= sim_loop_elapsed(w->loop))
                return; /* and podwatch may not know yet */
        for (size_t i = 0; i < pod->container_count; i++) {
                const struct pod_container *spec = &pod->containers[i];
                const struct model_container *c;
                bool found = spec->env_count > 0; /* it names the pod's address */

                if (steps)
                        return; /* what comes after the first init container */
                for (c = model_containers(w->model); c && !found; c = c->next)
                        found = str_eq(c->uid, pod->uid) && str_eq(c->hash, pod->spec_hash) &&
                                str_eq(c->container, spec->name);
                if (!found)
                        world_problem(w, "%s stops for a version whose %s is not made", pod->name, spec->name);
                steps = spec->init;
        }
}

/* Its stop has begun already, with a deadline of its own. */
static bool being_restarted(const struct pod_view *view, enum pod_which which, const struct model_container *c)
{
        const struct pod_incarnation *inc = pod_view_incarnation(view, which);

        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (str_eq(inc->containers[i].now.id, c->id))
                        return inc->containers[i].restart_wanted;
        return false;
}

void check_stop(struct world *w, const struct pod_view *view, const struct pod_action *action)
{
        const struct pod *pod = pod_view_incarnation(view, action->which)->pod;
        struct model_container *c;

        /* With the same UID its containers would be made of the directories of what runs: they are made afterwards. */
        if (action->stop_reason == POD_STOP_REPLACED && view->next && !str_eq(view->next->pod->uid, pod->uid))
                check_replacement(w, view->next->pod);
        for (c = model_containers(w->model); c; c = c->next)
                if (str_eq(c->uid, pod->uid) && str_eq(c->hash, pod->spec_hash) &&
                    !being_restarted(view, action->which, c)) {
                        c->stop_asked = sim_loop_elapsed(w->loop);
                        /* A start that was on its way when it died may have come since. */
                        c->given_up |= c->is_sandbox && (c->state != DOCKER_STATE_RUNNING ||
                                                         (action->stop_reason == POD_STOP_SANDBOX && c->ended));
                }
}

/* Between signal and kill lies the grace: what is left of the pod's where all of it stops, two seconds at least (a
 * probe may bring a shorter one of its own than the pod's). */
void check_signal(struct world *w, const char *id, bool kill)
{
        struct model_container *c = model_find(w->model, id);
        const struct version *v = c ? world_version_find(w, c->uid, c->hash) : NULL;
        usec_t now = sim_loop_elapsed(w->loop), pods;

        if (!c || !v || c->is_sandbox || c->state != DOCKER_STATE_RUNNING)
                return;
        if (kill && !c->signal_asked)
                world_problem(w, "%s is killed without a signal before", c->name);
        else if (kill && now + 2 < c->kill_least)
                world_problem(w, "%s is killed %llu us early", c->name, (unsigned long long)(c->kill_least - now));
        if (kill || c->signal_asked)
                return;
        pods = (usec_t)v->pod->termination_grace_seconds * USEC_PER_SEC;
        c->signal_asked = now;
        c->kill_least = now + LEAST_GRACE;
        if (c->stop_asked && c->kill_least < c->stop_asked + pods)
                c->kill_least = c->stop_asked + pods;
}

/* Those of a UID that stands in the file are those of the version before as well. What has lost its sandbox is on its
 * way out, whoever started it. */
void check_made(void *world, const struct pod *pod)
{
        struct world *w = world;
        const struct model_container *c;

        world_directories(w, pod->uid)->made = true;
        (void)snprintf(world_directories(w, pod->uid)->hash, sizeof(pod->spec_hash), "%s", pod->spec_hash);
        for (c = model_containers(w->model); c; c = c->next) {
                const struct model_container *sandbox = c->is_sandbox ? NULL : model_find(w->model, c->sandbox);

                if (sandbox && sandbox->state == DOCKER_STATE_RUNNING && c->state == DOCKER_STATE_RUNNING &&
                    str_eq(c->uid, pod->uid) && !str_eq(c->hash, pod->spec_hash) && is_known(w, c))
                        world_problem(w, "the directories of %s are made over under it", c->name);
        }
}

void check_shows(void *world, const char *uid, int number)
{
        struct world *w = world;
        struct directories *d = world_directories(w, uid);

        w->result->doc_shows += d->made && d->shown != number;
        d->shown = number;
}

void check_cleanup(void *world, const char *uid)
{
        struct world *w = world;
        const struct model_container *c;

        world_directories(w, uid)->made = false;
        world_directories(w, uid)->shown = 0;
        for (c = model_containers(w->model); c; c = c->next)
                if (c->state == DOCKER_STATE_RUNNING && str_eq(c->uid, uid) && is_known(w, c))
                        world_problem(w, "the directories of %s are removed under it", c->name);
}

void world_directories_lost(struct world *w)
{
        for (struct directories *d = w->directories; d; d = d->next)
                d->made = false;
}
