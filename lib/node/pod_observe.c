/* SPDX-License-Identifier: Apache-2.0
 *
 * What Docker shows, written into the view. An instance only goes forward (created, running, exited), so hints may come
 * late, twice or in the wrong order; backward only where Docker's own times say that somebody else started it again.
 */
#include <string.h>

#include "base/str.h"
#include "docker/docker.h"
#include "node/backoff.h"
#include "node/container_name.h"
#include "node/pod_apply.h"
#include "node/pod_edge.h"
#include "node/pod_facts.h"

struct seen {
        const struct docker_container *d;
        usec_t now, now_wall;
        enum instance_state state;
        const char *uid, *spec_hash, *name, *sandbox; /* of labels */
        bool is_sandbox;
        unsigned attempt;
};

static enum instance_state state_of(enum docker_state state)
{
        switch (state) {
        case DOCKER_STATE_CREATED:
                return INSTANCE_CREATED;
        case DOCKER_STATE_RUNNING:
        case DOCKER_STATE_PAUSED:
        case DOCKER_STATE_RESTARTING:
                return INSTANCE_RUNNING;
        case DOCKER_STATE_REMOVING:
        case DOCKER_STATE_EXITED:
        case DOCKER_STATE_DEAD:
        case DOCKER_STATE_MAX:
                break;
        }
        return INSTANCE_EXITED;
}

/* The attempt stands in a label of containers and in the name of all. */
static unsigned attempt_of(const struct docker_container *d)
{
        const char *text = docker_label(&d->labels, LABEL_RESTART_COUNT);
        struct container_name_parts parts;
        unsigned attempt;
        int n;

        if (text && str_to_int(text, 0, 1000000000, &n) == 0)
                return (unsigned)n;
        if (!d->name || !container_name_parse(d->name, &parts))
                return 0;
        attempt = parts.attempt;
        container_name_release(&parts);
        return attempt;
}

static struct seen read_labels(const struct docker_container *d, usec_t now, usec_t now_wall)
{
        return (struct seen){
                .d = d,
                .now = now,
                .now_wall = now_wall,
                .state = state_of(d->state),
                .uid = docker_label(&d->labels, LABEL_POD_UID),
                .spec_hash = docker_label(&d->labels, POD_LABEL_SPEC_HASH),
                .name = docker_label(&d->labels, LABEL_CONTAINER_NAME),
                .sandbox = docker_label(&d->labels, LABEL_SANDBOX_ID),
                .is_sandbox = str_eq(docker_label(&d->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX),
                .attempt = attempt_of(d),
        };
}

/* Wall clock to boot time; never 0 for a time that is known. What Docker tells has happened: a time that is still to
 * come was taken before the clock was set back, and a wait that counts from it might last for years. */
static usec_t to_boot(const struct seen *seen, usec_t wall)
{
        usec_t t;

        if (!wall)
                return 0;
        t = wall > seen->now_wall ? seen->now : usec_sub(seen->now, seen->now_wall - wall);
        return t ? t : 1;
}

/* Times are moved once: doing it again would give them the jitter of two clocks. */
static void fill_times(struct pod_instance *instance, const struct seen *seen)
{
        const struct docker_container *d = seen->d;

        if (!d->inspected)
                return;
        if (d->started && d->started != instance->started_wall) {
                instance->started_wall = d->started;
                instance->started = to_boot(seen, d->started);
        }
        if (d->finished && seen->state == INSTANCE_EXITED && d->finished != instance->finished_wall) {
                instance->finished_wall = d->finished;
                instance->finished = to_boot(seen, d->finished);
        }
        if (seen->state != INSTANCE_RUNNING) {
                instance->exit_code = d->exit_code;
                instance->oom_killed = d->oom_killed;
        }
        pod_view_text(instance->error, sizeof(instance->error), d->error);
}

static enum pod_observed more_wanted(const struct seen *seen)
{
        return seen->d->inspected ? POD_OBSERVED : POD_OBSERVED_INSPECT;
}

static void now_running(struct pod_incarnation *inc, int i, const struct seen *seen, bool adopted)
{
        struct pod_instance *instance = i < 0 ? &inc->sandbox : &inc->containers[i].now;
        usec_t started = to_boot(seen, seen->d->inspected ? seen->d->started : 0);

        /* A list tells when it was created at best; the inspect that follows sets it right. */
        if (!started)
                started = adopted && seen->d->created ? to_boot(seen, seen->d->created) : seen->now;
        if (i < 0) {
                inc->sandbox_ready |= adopted; /* what it lacks, if anything, is saved: see pod_persist.c */
                instance->state = INSTANCE_RUNNING;
                instance->started = started;
                instance->started_wall = seen->d->inspected ? seen->d->started : 0;
                instance->finished = instance->finished_wall = 0;
        } else {
                edge_running(inc, (size_t)i, started, seen->d->inspected ? seen->d->started : 0, adopted, seen->now);
        }
        if (inc->phase == POD_PREPARING)
                inc->phase = POD_ACTIVE;
}

static void now_exited(struct pod_view *view, struct pod_incarnation *inc, int i, const struct seen *seen)
{
        struct pod_instance *instance = i < 0 ? &inc->sandbox : &inc->containers[i].now;

        fill_times(instance, seen);
        if (!instance->finished)
                instance->finished = seen->now;
        if (i < 0)
                edge_sandbox_exited(view, inc);
        else
                edge_exited(view, inc, (size_t)i, seen->now);
}

static void refresh(struct pod_incarnation *inc, struct pod_instance *instance, const struct seen *seen)
{
        fill_times(instance, seen);
        if (seen->is_sandbox && seen->d->inspected && seen->state == INSTANCE_RUNNING && !str_empty(seen->d->ip))
                pod_view_text(inc->ip, sizeof(inc->ip), seen->d->ip);
}

/* The instance went from one state to the other, by rows and columns of (known, seen). */
static enum pod_observed observe_known(struct pod_view *view, struct pod_incarnation *inc, int i,
                                       struct pod_instance *instance, const struct seen *seen)
{
        bool is_last = i >= 0 && instance == &inc->containers[i].last;

        if (seen->state == INSTANCE_RUNNING && (is_last || inc->phase == POD_ENDED)) {
                if (!seen->d->inspected)
                        return POD_OBSERVED_INSPECT; /* a list may be older than the end that is known */
                /* Somebody started what has ended. */
                instance->state = INSTANCE_RUNNING;
                edge_discard(view, instance);
                return POD_OBSERVED;
        }
        if (is_last || seen->state == INSTANCE_CREATED || inc->phase == POD_ENDED) {
                if (instance->state == INSTANCE_CREATED || is_last)
                        fill_times(instance, seen);
                return POD_OBSERVED;
        }
        if (seen->state == INSTANCE_RUNNING) {
                if (instance->state == INSTANCE_CREATED) {
                        now_running(inc, i, seen, false);
                } else if (instance->state == INSTANCE_EXITED) {
                        if (!seen->d->inspected)
                                return POD_OBSERVED_INSPECT;
                        /* Another run than the one that ended; by the wall clock it may lie before that. */
                        if (seen->d->started && seen->d->started != instance->started_wall)
                                now_running(inc, i, seen, true);
                }
                refresh(inc, instance, seen);
                return instance->started_wall ? POD_OBSERVED : more_wanted(seen);
        }
        if (instance->state == INSTANCE_EXITED) {
                fill_times(instance, seen);
                /* How it ended may be known only now, or be that of one more run. */
                if (i >= 0)
                        edge_step_done(inc, (size_t)i);
                return POD_OBSERVED;
        }
        if (!seen->d->inspected)
                return POD_OBSERVED_INSPECT;
        /* The end of another run than the one that is known: of an earlier one, told late, or of one that was over
         * before it was seen. Nothing is stopped for it before a second look has shown the same. */
        if (instance->started_wall && seen->d->started && seen->d->started != instance->started_wall) {
                instance->started_wall = seen->d->started;
                return POD_OBSERVED_INSPECT;
        }
        now_exited(view, inc, i, seen);
        return POD_OBSERVED;
}

static void settle_in_state(struct pod_view *view, struct pod_incarnation *inc, int i, const struct seen *seen)
{
        struct pod_instance *instance = i < 0 ? &inc->sandbox : &inc->containers[i].now;

        fill_times(instance, seen);
        if (seen->state == INSTANCE_RUNNING)
                now_running(inc, i, seen, true);
        else if (seen->state == INSTANCE_EXITED)
                now_exited(view, inc, i, seen);
        refresh(inc, instance, seen);
}

static enum pod_observed discard(struct pod_view *view, const struct seen *seen)
{
        pod_apply_garbage(view, seen->d->id, seen->state);
        return POD_OBSERVED;
}

/* The newest is the incarnation's. But attempts begin again where a version was forgotten: what is left of its life
 * before, and shown late, may have a higher one. It does not take the place of what runs (or in which a container
 * still does) or is being started, nor that which never ran the place of what Docker shows to run when podwatch first
 * looks. */
static bool sandbox_replaces(const struct pod_view *view, const struct pod_incarnation *inc, const struct seen *seen)
{
        bool runs = seen->state == INSTANCE_RUNNING;

        if (inc->sandbox.state == INSTANCE_ABSENT)
                return true;
        if (!runs && (fact_runs(inc) || inc->slot.op == POD_OP_SANDBOX_START))
                return false;
        if (runs && inc->sandbox.state == INSTANCE_CREATED && !view->runtime_ready)
                return true;
        return seen->attempt > inc->sandbox.attempt;
}

static enum pod_observed observe_sandbox(struct pod_view *view, struct pod_incarnation *inc, const struct seen *seen)
{
        edge_share_attempt(view, inc->pod->uid, NULL, seen->attempt);
        if (!sandbox_replaces(view, inc, seen))
                return discard(view, seen);
        edge_sandbox_created(view, inc, seen->d->id, seen->attempt);
        /* It is made after the volumes; one that does not run may be of an earlier boot, and what was in memory gone.
         */
        inc->volumes_ready |= seen->state == INSTANCE_RUNNING;
        settle_in_state(view, inc, -1, seen);
        return seen->state == INSTANCE_RUNNING ? more_wanted(seen) : POD_OBSERVED;
}

/* An instance older than `now`: it may be the one kept for its logs. */
static enum pod_observed observe_older(struct pod_view *view, struct pod_container_view *c, const struct seen *seen)
{
        if (seen->state != INSTANCE_EXITED || (c->last.state != INSTANCE_ABSENT && seen->attempt <= c->last.attempt))
                return discard(view, seen);
        edge_discard(view, &c->last);
        c->last.state = INSTANCE_EXITED;
        pod_view_text(c->last.id, sizeof(c->last.id), seen->d->id);
        pod_view_text(c->last.sandbox, sizeof(c->last.sandbox), seen->sandbox);
        c->last.attempt = seen->attempt;
        fill_times(&c->last, seen);
        return POD_OBSERVED;
}

static enum pod_observed observe_container(struct pod_view *view, struct pod_incarnation *inc, size_t i,
                                           const struct seen *seen)
{
        struct pod_container_view *c = &inc->containers[i];
        bool ours;

        /* It runs in a sandbox that Docker does not show (yet): that one is taken for dead, so that the container is
         * stopped in order, or comes to life when it is shown. */
        if (inc->sandbox.state == INSTANCE_ABSENT && seen->state == INSTANCE_RUNNING && !str_empty(seen->sandbox)) {
                inc->sandbox.state = INSTANCE_EXITED;
                pod_view_text(inc->sandbox.id, sizeof(inc->sandbox.id), seen->sandbox);
        }
        ours = str_eq(inc->sandbox.id, seen->sandbox);
        edge_share_attempt(view, inc->pod->uid, seen->name, seen->attempt);
        /* What is of another sandbox than now is older as well, whatever its attempt: see sandbox_replaces. */
        if ((c->now.state != INSTANCE_ABSENT &&
             (seen->attempt <= c->now.attempt || (!ours && fact_in_sandbox(inc, &c->now)))) ||
            (c->last.state != INSTANCE_ABSENT && seen->attempt <= c->last.attempt))
                return observe_older(view, c, seen);
        /* Made for a sandbox that is gone: of use only as the last one that ran. */
        if (!ours && seen->state != INSTANCE_EXITED)
                return discard(view, seen);
        edge_created(view, inc, i, seen->d->id, seen->sandbox, seen->attempt);
        pod_view_text(c->image_id, sizeof(c->image_id), seen->d->image_id);
        c->image_ready = c->image_id[0] != '\0';
        settle_in_state(view, inc, (int)i, seen);
        edge_settle(view, inc);
        return seen->state == INSTANCE_RUNNING ? more_wanted(seen) : POD_OBSERVED;
}

static struct pod_incarnation *find_version(const struct pod_view *view, const struct seen *seen)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
                if (all[k] && str_eq(all[k]->pod->uid, seen->uid) && str_eq(all[k]->pod->spec_hash, seen->spec_hash))
                        return all[k];
        return NULL;
}

bool pod_observe_is_news(const struct pod_view *view, const struct docker_container *d)
{
        struct pod_incarnation *inc;
        int i;
        const struct pod_instance *known = pod_view_find_id(view, d->id, &inc, &i);

        for (size_t k = 0; !known && k < view->garbage_count; k++)
                if (str_eq(view->garbage[k].id, d->id))
                        return view->garbage[k].state != state_of(d->state);
        if (!known || known->state != state_of(d->state))
                return true;
        if (!d->inspected)
                return known->state == INSTANCE_RUNNING && !known->started_wall;
        if (i < 0 && known->state == INSTANCE_RUNNING && !str_empty(d->ip) && !str_eq(d->ip, inc->ip))
                return true;
        return known->started_wall != d->started ||
               (known->state == INSTANCE_EXITED && known->finished_wall != d->finished);
}

enum pod_observed pod_observe_container(struct pod_view *view, const struct docker_container *d, usec_t now,
                                        usec_t now_wall)
{
        struct seen seen = read_labels(d, now, now_wall);
        struct pod_incarnation *inc;
        int i;
        struct pod_instance *known = pod_view_find_id(view, d->id, &inc, &i);

        if (known)
                return observe_known(view, inc, i, known, &seen);
        for (size_t k = 0; k < view->garbage_count; k++)
                if (str_eq(view->garbage[k].id, d->id))
                        return discard(view, &seen);
        inc = find_version(view, &seen);
        /* Also what was replaced before it was known to run: it is stopped in order, not removed by force. */
        if (!inc || inc->phase == POD_ENDED)
                return seen.state == INSTANCE_RUNNING ? POD_OBSERVED_ORPHAN : discard(view, &seen);
        if (seen.state == INSTANCE_EXITED && !d->inspected)
                return POD_OBSERVED_INSPECT;
        if (seen.is_sandbox)
                return observe_sandbox(view, inc, &seen);
        for (size_t k = 0; k < inc->pod->container_count; k++)
                if (str_eq(inc->pod->containers[k].name, seen.name))
                        return observe_container(view, inc, k, &seen);
        return discard(view, &seen);
}

void pod_observe_gone(struct pod_view *view, const char *id, usec_t now)
{
        struct pod_incarnation *inc;
        int i;
        struct pod_instance *instance;

        edge_not_garbage(view, id);
        instance = pod_view_find_id(view, id, &inc, &i);
        if (!instance)
                return;
        if (i >= 0 && instance == &inc->containers[i].last) {
                memset(instance, 0, sizeof(*instance));
        } else if (instance->state == INSTANCE_CREATED && !(i >= 0 && inc->containers[i].slot.op == POD_OP_START)) {
                memset(instance, 0, sizeof(*instance));
                edge_settle(view, inc);
        } else if (instance->state != INSTANCE_EXITED) { /* what was being started may have run */
                instance->exit_code = 137; /* as the kubelet for what it lost sight of: ContainerStatusUnknown */
                instance->finished = now;
                pod_view_text(instance->error, sizeof(instance->error), "removed from Docker by somebody else");
                if (i < 0)
                        edge_sandbox_exited(view, inc);
                else
                        edge_exited(view, inc, (size_t)i, now);
        }
}
