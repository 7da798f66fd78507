/* SPDX-License-Identifier: Apache-2.0
 *
 * What must hold, at every start and stop of a container, and once it is calm.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "node/pod_store.h"
#include "sim_loop.h"
#include "world_private.h"

#define SLACK (1 * USEC_PER_SEC)
/* The rules, once more in this file's own words: a check by the code that it checks would pass whatever that says. */
#define FIRST_WAIT (10 * USEC_PER_SEC)
#define LONGEST_WAIT (300 * USEC_PER_SEC)
#define LONG_RUN (600 * USEC_PER_SEC)
#define LEAST_GRACE (2 * USEC_PER_SEC)
/* Within this what has ended is seen in any weather. */
#define UNSEEN (180 * USEC_PER_SEC)

static struct world_pod *pod_of(struct world *w, const struct model_container *c)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                if (str_eq(w->pods[i].key, c->key))
                        return &w->pods[i];
        return NULL;
}

static const char *short_name(const struct model_container *c)
{
        return c->name;
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
                        world_problem(w, "two running: %s beside %s", short_name(c), short_name(other));
}

/* --- directories ----------------------------------------------------------------------------------------------------
 */

static struct directories *directories_of(struct world *w, const char *uid)
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
                world_problem(w, "%s runs again though it ended with %d", short_name(c), t->exit_code);
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
                        world_problem(w, "%s starts before %s has ended well", short_name(c), before->name);
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
                        world_problem(w, "%s starts %llu us early: run %u ended at %llu", short_name(c),
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
                world_problem(w, "%s starts though it is held", short_name(c));
}

/* --- start order -------------------------------------------------------------------------------------------------- */

/* A container of this version ran a moment ago, and was Ready where that is asked for. */
static bool ran(struct world *w, const struct version *v, const struct pod_container *spec, bool ready)
{
        const struct model_container *c;
        bool probed = spec->probes[POD_PROBE_READINESS].handler.type != POD_HANDLER_NONE;

        for (c = model_containers(w->model); c; c = c->next)
                if (str_eq(c->uid, v->pod->uid) && str_eq(c->hash, v->pod->spec_hash) &&
                    str_eq(c->container, spec->name) && (!ready || !probed || c->was_ready) &&
                    (c->state == DOCKER_STATE_RUNNING || (c->ended && c->ended + UNSEEN >= sim_loop_elapsed(w->loop))))
                        return true;
        return false;
}

static bool came_up(struct world *w, const struct version *v, bool ready)
{
        for (size_t i = v->pod->init_count; i < v->pod->container_count; i++)
                if (!ran(w, v, &v->pod->containers[i], ready))
                        return false;
        return true;
}

/* Its way leads back to it, by what the files say. */
static bool in_circle(const struct world *w, const struct version *v)
{
        const struct version *at = v;

        for (unsigned i = 0; at && at->after >= 0 && i < WORLD_PODS_MAX; i++) {
                if (at->after == (int)v->index)
                        return true;
                at = w->pods[at->after].wanted;
        }
        return false;
}

void check_activated(struct world *w, const struct pod *pod)
{
        const struct version *v = world_version_find(w, pod->uid, pod->spec_hash);
        usec_t now = sim_loop_elapsed(w->loop);
        bool satisfied = false;

        if (!v || v->after < 0 || in_circle(w, v) || (w->removed && w->removed + UNSEEN >= now))
                return;
        for (size_t i = 0; i < w->version_count && !satisfied; i++)
                satisfied = w->versions[i]->index == (unsigned)v->after &&
                            (came_up(w, w->versions[i], v->after_ready) || world_may_end(w->versions[i]));
        /* A file that was just written may have been in a circle. */
        for (unsigned i = 0; i < w->pod_count && !satisfied; i++)
                satisfied = w->pods[i].changed + SLACK >= now;
        if (!satisfied)
                world_problem(w, "%s starts though pod%d is not %s", pod->name, v->after,
                              v->after_ready ? "Ready" : "started");
}

/* It runs, or has ended for good. */
static bool is_up(const struct version *v, size_t i, const struct pod_container_view *c)
{
        return c->now.state == INSTANCE_RUNNING || (!v->pod->containers[i].sidecar && c->now.state == INSTANCE_EXITED &&
                                                    !world_runs_again(v, i, c->now.exit_code));
}

/* The version that the pod wants is its current one, and nothing of it is still to be made: what may lack now is
 * needed by nothing. */
static bool is_made(const struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = pod_store_find(sim_node_store(w->node), p->key);
        const struct pod_incarnation *inc = entry ? entry->view->current : NULL;

        if (!inc || !pod_incarnation_same_version(inc, p->wanted->pod))
                return false;
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if ((!inc->pod->containers[i].init || inc->pod->containers[i].sidecar) &&
                    !is_up(p->wanted, i, &inc->containers[i]))
                        return false;
        return true;
}

/* It waits for a pod that is not there, or that waits itself, or has failed. */
static bool is_blocked(const struct world *w, const struct version *v)
{
        const struct world_pod *p = v->after >= 0 ? &w->pods[v->after] : NULL;
        const struct version *on = p ? p->wanted : NULL;

        if (v->after < 0 || in_circle(w, v))
                return false;
        return !on || is_blocked(w, on) || world_may_end(on) || on->never_ready || (docs_lack(w, on) && !is_made(w, p));
}

bool world_waits(struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = p->wanted ? pod_store_find(sim_node_store(w->node), p->key) : NULL;

        return entry && ((entry->view->hold[0] && is_blocked(w, p->wanted)) || docs_lack(w, p->wanted));
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

        world_say(w, "  start  %s", short_name(c));
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
        if (!directories_of(w, c->uid)->made)
                world_problem(w, "%s starts without its directories", short_name(c));
        if (!c->is_sandbox) {
                check_order(w, c);
                check_backoff(w, c);
        }
        if (w->quiet)
                world_problem(w, "%s starts though all is settled", short_name(c));
}

void check_ended(void *world, struct model_container *c)
{
        struct world *w = world;

        world_say(w, "  end    %s (%d)", short_name(c), c->exit_code);
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
                        world_problem(w, "%s is taken from under %s", short_name(sandbox), short_name(c));
}

void check_stopping(void *world, struct model_container *c, const char *how)
{
        struct world *w = world;
        const char *reason = reason_to_stop(w, c);

        world_say(w, "  %s %s: %s", how, short_name(c), reason ? reason : "NO REASON");
        world_course(w, how, c);
        w->result->kills++;
        if (!reason)
                world_problem(w, "%s of %s without a reason", how, short_name(c));
        if (w->quiet)
                world_problem(w, "%s of %s though all is settled", how, short_name(c));
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

        if (action->stop_reason == POD_STOP_REPLACED && view->next)
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
                world_problem(w, "%s is killed without a signal before", short_name(c));
        else if (kill && now + 2 < c->kill_least)
                world_problem(w, "%s is killed %llu us early", short_name(c),
                              (unsigned long long)(c->kill_least - now));
        if (kill || c->signal_asked)
                return;
        pods = (usec_t)v->pod->termination_grace_seconds * USEC_PER_SEC;
        c->signal_asked = now;
        c->kill_least = now + LEAST_GRACE;
        if (c->stop_asked && c->kill_least < c->stop_asked + pods)
                c->kill_least = c->stop_asked + pods;
}

void check_made(void *world, const char *uid)
{
        directories_of(world, uid)->made = true;
}

void check_shows(void *world, const char *uid, int number)
{
        struct world *w = world;
        struct directories *d = directories_of(w, uid);

        w->result->doc_shows += d->made && d->shown != number;
        d->shown = number;
}

void check_cleanup(void *world, const char *uid)
{
        struct world *w = world;
        const struct model_container *c;

        directories_of(w, uid)->made = false;
        directories_of(w, uid)->shown = 0;
        for (c = model_containers(w->model); c; c = c->next)
                if (c->state == DOCKER_STATE_RUNNING && str_eq(c->uid, uid) && is_known(w, c))
                        world_problem(w, "the directories of %s are removed under it", short_name(c));
}

void world_directories_lost(struct world *w)
{
        for (struct directories *d = w->directories; d; d = d->next)
                d->made = false;
}

/* --- the calm ----------------------------------------------------------------------------------------------------- */

/* The instance of the view that is this container; NULL: it is garbage, or not known. */
static const struct pod_instance *instance_of(const struct pod_view *view, const struct model_container *c)
{
        struct pod_incarnation *inc;
        int i;

        return view ? pod_view_find_id(view, c->id, &inc, &i) : NULL;
}

static void check_there(struct world *w, const struct world_pod *p, const struct pod_instance *instance)
{
        const struct model_container *c = model_find(w->model, instance->id);

        if (instance->state == INSTANCE_RUNNING && (!c || c->state != DOCKER_STATE_RUNNING))
                world_problem(w, "%.12s of %s is taken for running", instance->id, p->key);
}

/* What podwatch takes for running does run, also of a version before that goes on while another may not start yet: an
 * event that was lost is still to come, and stops the rest of it. */
static void check_not_missed(struct world *w, const struct world_pod *p, const struct pod_incarnation *inc)
{
        check_there(w, p, &inc->sandbox);
        for (size_t i = 0; i < inc->pod->container_count; i++)
                check_there(w, p, &inc->containers[i].now);
}

/* Nothing is left over, and what podwatch knows of what is there is true: an event that was lost is still to come. */
static void check_containers(struct world *w, const struct world_pod *p, const struct pod_view *view)
{
        const struct model_container *c;

        for (c = model_containers(w->model); c; c = c->next) {
                const struct pod_instance *instance = str_eq(c->key, p->key) ? instance_of(view, c) : NULL;

                if (!str_eq(c->key, p->key))
                        continue;
                if (!instance)
                        world_problem(w, "%s is left over", short_name(c));
                else if ((instance->state == INSTANCE_RUNNING) != (c->state == DOCKER_STATE_RUNNING))
                        world_problem(w, "%s is taken for %s", short_name(c), instance_state_name(instance->state));
                else if (view->current->terminal && c->state == DOCKER_STATE_RUNNING)
                        world_problem(w, "%s runs in a completed pod", short_name(c));
        }
        if (view && view->current)
                check_not_missed(w, p, view->current);
}

static void check_running(struct world *w, const struct world_pod *p, const struct version *v,
                          const struct pod_incarnation *inc)
{
        const struct model_container *sandbox = model_find(w->model, inc->sandbox.id);

        docs_check_shown(w, v, directories_of(w, v->pod->uid)->shown);
        /* Its end may still be to be seen. */
        if (!sandbox || sandbox->state != DOCKER_STATE_RUNNING)
                world_problem(w, "the sandbox of %s does not run", p->key);
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                const struct pod_container *spec = &inc->pod->containers[i];
                const struct pod_container_view *cv = &inc->containers[i];
                const struct model_container *c = model_find(w->model, cv->now.id);

                if ((spec->init && !spec->sidecar) || (cv->now.state == INSTANCE_EXITED && is_up(v, i, cv)))
                        continue;
                if (cv->now.state != INSTANCE_RUNNING || !c || c->state != DOCKER_STATE_RUNNING)
                        world_problem(w, "%s %s does not run: %s", p->key, spec->name,
                                      instance_state_name(cv->now.state));
                else if (!cv->started || (!cv->ready && !v->never_ready))
                        world_problem(w, "%s %s is not ready", p->key, spec->name);
        }
}

/* What has been made runs on, also where the rest waits for a document. */
static void check_no_backoff(struct world *w, const struct world_pod *p, const struct pod_incarnation *inc)
{
        for (size_t i = 0; i < inc->pod->container_count; i++)
                if (inc->containers[i].backoff.until > loop_now(w->loop))
                        world_problem(w, "%s %s waits for its time", p->key, inc->pod->containers[i].name);
}

/* A version is at rest: it runs, has run for good, or has not begun where it may not. */
static void check_rest(struct world *w, const struct world_pod *p, const struct version *v,
                       const struct pod_incarnation *inc, bool may_wait)
{
        if (may_wait && docs_lack(w, v)) { /* it may run or not */
                check_no_backoff(w, p, inc);
                return;
        }
        if (inc->phase == POD_ACTIVE && inc->revision)
                check_running(w, p, v, inc);
        else if (inc->phase == POD_ENDED && inc->terminal && world_may_complete(v))
                return;
        else if (!may_wait || inc->phase == POD_STOPPING || inc->phase == POD_ENDED)
                world_problem(w, "%s is %s", p->key, pod_incarnation_phase_name(inc->phase));
}

/* It runs, or its version of before does until it may start, or nothing of it. */
static void check_waiting(struct world *w, const struct world_pod *p, const struct pod_view *view,
                          const struct pod_plan *plan)
{
        const struct pod *pod = view->current ? view->current->pod : NULL;
        const struct version *v = pod ? world_version_find(w, pod->uid, pod->spec_hash) : NULL;

        if (!v || view->old || view->garbage_count) {
                world_problem(w, "%s waits and is not settled: current %d, old %d, garbage %zu", p->key,
                              view->current != NULL, view->old != NULL, view->garbage_count);
                return;
        }
        check_rest(w, p, v, view->current, true);
        check_containers(w, p, view);
        /* What has begun has its end, also where it waits; unless an edit is what counts. */
        if (view->current->gated && view->current->gate_until && !view->next)
                world_problem(w, "%s waits and is still on trial", p->key);
        if (view->current->terminal && v == p->wanted && world_may_complete(v))
                return; /* it waits for nothing any more */
        if (docs_lack(w, p->wanted) && !view->hold[0] && !is_made(w, p) && !docs_said(plan, p->wanted))
                world_problem(w, "%s waits for its document and does not say so", p->key);
}

static void check_pod(struct world *w, const struct world_pod *p)
{
        const struct pod_entry *entry = pod_store_find(sim_node_store(w->node), p->key);
        const struct pod_view *view = entry ? entry->view : NULL;

        if (!p->wanted) {
                if (view)
                        world_problem(w, "%s is not wanted and still known", p->key);
                check_containers(w, p, NULL);
                return;
        }
        if (world_waits(w, p)) {
                check_waiting(w, p, view, &entry->plan);
                return;
        }
        trial_check_over(w, p, view);
        if (!view || !view->current || view->next || view->old || view->garbage_count) {
                world_problem(w, "%s is not settled: current %d, next %d, old %d, garbage %zu", p->key,
                              view && view->current, view && view->next, view && view->old,
                              view ? view->garbage_count : 0);
                return;
        }
        if (!pod_incarnation_same_version(view->current, p->wanted->pod))
                world_problem(w, "%s runs %s instead of %s", p->key, view->current->pod->spec_hash,
                              p->wanted->pod->spec_hash);
        else
                check_rest(w, p, p->wanted, view->current, false);
        check_containers(w, p, view);
}

void check_converged(struct world *w)
{
        for (unsigned i = 0; i < w->pod_count; i++)
                check_pod(w, &w->pods[i]);
        if (sim_node_pending(w->node) > 4 * WORLD_PODS_MAX)
                world_problem(w, "%zu requests under way though all is settled", sim_node_pending(w->node));
}

void check_nothing_pending(struct world *w)
{
        const struct pod_entry *e;
        const struct model_container *c;

        for (c = model_containers(w->model); c; c = c->next)
                if (c->state == DOCKER_STATE_RUNNING && c->end)
                        world_problem(w, "%s is going to end", short_name(c));
        for (e = pod_store_next(sim_node_store(w->node), NULL); e; e = pod_store_next(sim_node_store(w->node), e))
                for (size_t i = 0; e->view->current && i < e->view->current->pod->container_count; i++)
                        if (e->view->current->containers[i].restart_wanted)
                                world_problem(w, "%s is being restarted", e->view->key);
}

void check_bounds(struct world *w)
{
        const struct pod_entry *e;

        if (!w->node)
                return;
        for (e = pod_store_next(sim_node_store(w->node), NULL); e; e = pod_store_next(sim_node_store(w->node), e))
                if (e->view->garbage_count > 60)
                        world_problem(w, "%zu to be removed of %s", e->view->garbage_count, e->view->key);
        if (sim_node_pending(w->node) > 200)
                world_problem(w, "%zu requests under way", sim_node_pending(w->node));
}

void check_free(struct world *w)
{
        struct run_track *t, *next;
        struct directories *d, *next_d;

        for (t = w->tracks; t; t = next) {
                next = t->next;
                free(t->name);
                free(t);
        }
        for (d = w->directories; d; d = next_d) {
                next_d = d->next;
                free(d->uid);
                free(d);
        }
}
