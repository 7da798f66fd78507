/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to the modelled daemon: each travels, is carried out at once when it arrives, and its answer travels back.
 */
#include <errno.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "model.h"
#include "sim_loop.h"

enum call_kind {
        CALL_VERSION,
        CALL_INFO,
        CALL_LIST,
        CALL_INSPECT,
        CALL_CREATE,
        CALL_START,
        CALL_KILL,
        CALL_REMOVE,
        CALL_IMAGE,
        CALL_PULL,
        CALL_EVENTS,
};

union done {
        docker_version_fn version;
        docker_info_fn info;
        docker_list_fn list;
        docker_inspect_fn inspect;
        docker_create_fn create;
        docker_image_fn image;
        docker_done_fn plain;
};

struct docker_call {
        struct model_client *client; /* NULL: it is gone, the request may still arrive */
        struct model *model;
        enum call_kind kind;
        char *id, *text; /* container or image; body or signal */
        bool force;
        union done done;
        docker_done_fn connected;
        docker_event_fn event;
        void *userdata;
        struct loop_source *timer;
        bool arrived, lose_answer, cancelled;
        uint64_t stream; /* number of an event stream */
        uint64_t downs;  /* client NULL: how often the daemon had gone away when it was sent */
        struct err *err; /* NULL: none */
        /* result */
        char *made;
        struct docker_container shown;
        struct docker_containers list;
        struct docker_call *prev, *next;
};

struct model_client {
        struct docker docker;
        struct model *model;
        struct docker_call *calls;
        uint64_t told;    /* events under way */
        uint64_t streams; /* event streams so far */
};

struct told_event {
        struct model_client *client;
        uint64_t stream;
        struct docker_container shown;
        const char *action; /* a literal */
};

/* --- ends ----------------------------------------------------------------------------------------------------- */

static void call_free(struct docker_call *call)
{
        if (call->client)
                DL_DELETE(call->client->calls, call);
        (void)loop_source_free(call->timer);
        free(call->err);
        free(call->list.items);
        free(call->id);
        free(call->text);
        free(call->made);
        free(call);
}

/* The client knows from now on that these run, or have run. A start that went well does not say so: where the look
 * behind it is lost, the container may have been somebody else's to remove before it was ever seen. */
static void mark_told(struct docker_call *call)
{
        struct model_container *c;

        DL_FOREACH (model_containers(call->model), c) {
                bool shown = call->kind == CALL_INSPECT && str_eq(c->id, call->shown.id) &&
                             call->shown.state != DOCKER_STATE_CREATED;

                for (size_t i = 0; call->kind == CALL_LIST && i < call->list.count && !shown; i++)
                        shown = str_eq(c->id, call->list.items[i].id) &&
                                call->list.items[i].state == DOCKER_STATE_RUNNING;
                c->told |= shown;
        }
}

static void answer(struct docker_call *call)
{
        const struct err *err = call->err;
        const struct docker_version version = {
                .version = (char[]){"20.10.24"}, .api_version = (char[]){"1.41"}, .api_used = (char[]){"1.41"}};
        const struct docker_info info = {.cgroup_driver = (char[]){"cgroupfs"}, .cgroup_version = 1};
        const struct docker_image image = {.id = (char[]){"sha256:image"}};

        if (!err)
                mark_told(call);

        switch (call->kind) {
        case CALL_VERSION:
                call->done.version(call->userdata, err ? NULL : &version, err);
                break;
        case CALL_INFO:
                call->done.info(call->userdata, err ? NULL : &info, err);
                break;
        case CALL_LIST:
                call->done.list(call->userdata, err ? NULL : &call->list, err);
                break;
        case CALL_INSPECT:
                call->done.inspect(call->userdata, err ? NULL : &call->shown, err);
                break;
        case CALL_CREATE:
                call->done.create(call->userdata, err ? NULL : call->made, err);
                break;
        case CALL_IMAGE:
                call->done.image(call->userdata, err ? NULL : &image, err);
                break;
        case CALL_START:
        case CALL_KILL:
        case CALL_REMOVE:
        case CALL_PULL:
        case CALL_EVENTS:
                call->done.plain(call->userdata, err);
                break;
        }
}

static void on_answer(void *userdata)
{
        struct docker_call *call = userdata;

        call->timer = NULL;
        if (call->client)
                answer(call);
        call_free(call);
}

static void fail(struct docker_call *call, int code, int status, const char *what)
{
        if (!call->err)
                call->err = xcalloc(1, sizeof(*call->err));
        (void)err_set(call->err, code, "model: %s", what);
        call->err->status = status;
}

/* --- what the daemon does --------------------------------------------------------------------------------------- */

static void do_list(struct docker_call *call)
{
        struct model_container *c;

        DL_FOREACH (model_containers(call->model), c) {
                call->list.items = xrealloc(call->list.items, call->list.count + 1, sizeof(*call->list.items));
                model_show(c, false, &call->list.items[call->list.count++]);
        }
}

static void do_create(struct docker_call *call)
{
        if (model_find_name(call->model, call->id))
                fail(call, ERR_REMOTE, 409, "the name is in use");
        else
                call->made = xstrdup(model_create(call->model, call->id, call->text)->id);
}

/* A container joins the network of its sandbox, which must run. */
static bool sandbox_runs(struct docker_call *call, const struct model_container *c)
{
        const struct model_container *sandbox = c->is_sandbox ? NULL : model_find(call->model, c->sandbox);

        return c->is_sandbox || (sandbox && sandbox->state == DOCKER_STATE_RUNNING);
}

static void do_start(struct docker_call *call, struct model_container *c)
{
        /* The daemon takes the starts of a container in turn: with a later one this one was carried out too. */
        bool late = !call->client && c->state != DOCKER_STATE_CREATED;

        if (late)
                return;
        if (!sandbox_runs(call, c))
                fail(call, ERR_REMOTE, 409, "cannot join network of a non running container");
        else
                model_start(call->model, c);
}

static void do_kill(struct docker_call *call, struct model_container *c)
{
        if (c->state != DOCKER_STATE_RUNNING)
                fail(call, ERR_REMOTE, 409, "is not running");
        else
                model_signal(call->model, c, call->text);
}

static void do_remove(struct docker_call *call, struct model_container *c)
{
        if (c->state == DOCKER_STATE_RUNNING && !call->force)
                fail(call, ERR_REMOTE, 409, "is running");
        else
                model_destroy(call->model, c);
}

static void carry_out(struct docker_call *call)
{
        struct model_container *c = call->id ? model_find_name(call->model, call->id) : NULL;
        bool about_one = call->kind == CALL_INSPECT || call->kind == CALL_START || call->kind == CALL_KILL ||
                         call->kind == CALL_REMOVE;

        if (about_one && !c) {
                if (call->kind != CALL_REMOVE)
                        fail(call, ERR_REMOTE, 404, "no such container");
                return;
        }
        switch (call->kind) {
        case CALL_LIST:
                do_list(call);
                break;
        case CALL_INSPECT:
                model_show(c, true, &call->shown);
                break;
        case CALL_CREATE:
                do_create(call);
                break;
        case CALL_START:
                do_start(call, c);
                break;
        case CALL_KILL:
                do_kill(call, c);
                break;
        case CALL_REMOVE:
                do_remove(call, c);
                break;
        case CALL_PULL:
        case CALL_IMAGE:
                if (strstr(call->id, "missing") &&
                    rng_chance(model_rng(call->model), model_faults(call->model)->missing_image)) {
                        model_count(call->model)->missing_image++;
                        fail(call, ERR_REMOTE, call->kind == CALL_PULL ? 500 : 404, "no such image");
                }
                break;
        case CALL_VERSION:
        case CALL_INFO:
        case CALL_EVENTS:
                break;
        }
}

/* --- travel ----------------------------------------------------------------------------------------------------- */

static usec_t work_time(struct docker_call *call)
{
        struct rng *rng = model_rng(call->model);
        usec_t ms = call->kind == CALL_START    ? rng_between(rng, 20, 150)
                    : call->kind == CALL_CREATE ? rng_between(rng, 5, 40)
                    : call->kind == CALL_PULL   ? rng_between(rng, 100, 5000)
                                                : rng_between(rng, 0, 5);

        if (!rng_chance(rng, model_faults(call->model)->slow))
                return ms * USEC_PER_MSEC;
        model_count(call->model)->slow++;
        return ms * USEC_PER_MSEC + rng_between(rng, 0, 20) * USEC_PER_SEC;
}

static void send_answer(struct docker_call *call, usec_t delay)
{
        if (call->lose_answer && !call->err) {
                model_count(call->model)->lost_answer++;
                fail(call, rng_chance(model_rng(call->model), 500) ? ECONNRESET : ETIMEDOUT, 0, "the answer was lost");
        }
        call->timer = sim_after(model_loop(call->model), delay, on_answer, call);
}

static usec_t answer_time(struct docker_call *call)
{
        struct rng *rng = model_rng(call->model);

        if (!rng_chance(rng, model_faults(call->model)->late_answer))
                return rng_between(rng, 0, 2) * USEC_PER_MSEC;
        model_count(call->model)->late_answer++;
        return rng_between(rng, 0, 5000) * USEC_PER_MSEC;
}

static void on_arrival(void *userdata)
{
        struct docker_call *call = userdata;

        call->timer = NULL;
        call->arrived = true;
        if (!call->client && call->downs != model_count(call->model)->daemon_down) {
                call_free(call);
                return;
        }
        if (!model_is_up(call->model)) {
                fail(call, ECONNREFUSED, 0, "connection refused");
                send_answer(call, 0);
                return;
        }
        if (call->kind == CALL_EVENTS) { /* the stream is there until somebody ends it */
                if (call->connected)
                        call->connected(call->userdata, NULL);
                return;
        }
        carry_out(call);
        if (!call->err && rng_chance(model_rng(call->model), model_faults(call->model)->refused_done)) {
                model_count(call->model)->refused_done++;
                fail(call, ERR_REMOTE, 500, "something went wrong afterwards");
        }
        send_answer(call, answer_time(call));
}

static struct docker_call *send(struct docker *d, enum call_kind kind, const char *id, const char *text,
                                union done done, void *userdata)
{
        struct model_client *client = (struct model_client *)(void *)d;
        struct model *model = client->model;
        struct model_faults *faults = model_faults(model);
        struct rng *rng = model_rng(model);
        struct docker_call *call = xcalloc(1, sizeof(*call));

        call->client = client;
        call->model = model;
        call->kind = kind;
        call->id = id ? xstrdup(id) : NULL;
        call->text = text ? xstrdup(text) : NULL;
        call->done = done;
        call->userdata = userdata;
        DL_APPEND(client->calls, call);
        model_count(model)->calls++;
        if (rng_chance(rng, faults->lost_request) || rng_chance(rng, faults->refused)) {
                bool refused = rng_chance(rng, 500);

                *(refused ? &model_count(model)->refused : &model_count(model)->lost_request) += 1;
                fail(call, refused ? ERR_REMOTE : ECONNRESET, refused ? 500 : 0, "the request failed");
                call->timer = sim_after(model_loop(model), USEC_PER_MSEC, on_answer, call);
                return call;
        }
        call->lose_answer = kind != CALL_EVENTS && rng_chance(rng, faults->lost_answer);
        call->timer = sim_after(model_loop(model), work_time(call), on_arrival, call);
        return call;
}

static void on_cancelled(void *userdata)
{
        struct docker_call *call = userdata;

        call->timer = NULL;
        fail(call, ECANCELED, 0, "cancelled");
        answer(call);
        call_free(call);
}

/* A daemon under load gets to what it was sent when nobody waits for it any more; most of all to a start, which takes
 * the longest, and after the next podwatch has looked. */
static usec_t ghost_time(struct docker_call *ghost)
{
        struct rng *rng = model_rng(ghost->model);

        return ghost->kind == CALL_START ? rng_between(rng, 1, 3000) * USEC_PER_MSEC : USEC_PER_MSEC;
}

/* What was sent may be carried out all the same. */
static void abandon(struct docker_call *call)
{
        if (!call->arrived && call->timer && rng_chance(model_rng(call->model), 500)) {
                struct docker_call *ghost = xcalloc(1, sizeof(*ghost));

                ghost->model = call->model;
                ghost->kind = call->kind;
                ghost->id = call->id ? xstrdup(call->id) : NULL;
                ghost->text = call->text ? xstrdup(call->text) : NULL;
                ghost->force = call->force;
                ghost->downs = model_count(call->model)->daemon_down;
                if (ghost->kind == CALL_EVENTS)
                        call_free(ghost);
                else
                        ghost->timer = sim_after(model_loop(call->model), ghost_time(ghost), on_arrival, ghost);
        }
        call->timer = loop_source_free(call->timer);
}

static void op_cancel(struct docker *d, struct docker_call *call)
{
        (void)d;
        if (call->cancelled)
                return;
        call->cancelled = true;
        abandon(call);
        call->timer = sim_after(model_loop(call->model), 0, on_cancelled, call);
}

/* --- the table -------------------------------------------------------------------------------------------------- */

#define DONE(member) ((union done){.member = done})

static struct docker_call *op_version(struct docker *d, docker_version_fn done, void *userdata)
{
        return send(d, CALL_VERSION, NULL, NULL, DONE(version), userdata);
}

static struct docker_call *op_info(struct docker *d, docker_info_fn done, void *userdata)
{
        return send(d, CALL_INFO, NULL, NULL, DONE(info), userdata);
}

static struct docker_call *op_list(struct docker *d, const char *label, docker_list_fn done, void *userdata)
{
        (void)label;
        return send(d, CALL_LIST, NULL, NULL, DONE(list), userdata);
}

static struct docker_call *op_inspect(struct docker *d, const char *id, docker_inspect_fn done, void *userdata)
{
        return send(d, CALL_INSPECT, id, NULL, DONE(inspect), userdata);
}

static struct docker_call *op_create(struct docker *d, const char *name, const char *body, docker_create_fn done,
                                     void *userdata)
{
        return send(d, CALL_CREATE, name, body, DONE(create), userdata);
}

static struct docker_call *op_start(struct docker *d, const char *id, docker_done_fn done, void *userdata)
{
        return send(d, CALL_START, id, NULL, DONE(plain), userdata);
}

static struct docker_call *op_kill(struct docker *d, const char *id, const char *signal, docker_done_fn done,
                                   void *userdata)
{
        return send(d, CALL_KILL, id, signal, DONE(plain), userdata);
}

static struct docker_call *op_remove(struct docker *d, const char *id, bool force, docker_done_fn done, void *userdata)
{
        struct docker_call *call = send(d, CALL_REMOVE, id, NULL, DONE(plain), userdata);

        call->force = force;
        return call;
}

static struct docker_call *op_image_inspect(struct docker *d, const char *ref, docker_image_fn done, void *userdata)
{
        return send(d, CALL_IMAGE, ref, NULL, DONE(image), userdata);
}

static struct docker_call *op_image_pull(struct docker *d, const char *ref, const char *auth,
                                         docker_progress_fn progress, docker_done_fn done, void *userdata)
{
        (void)auth;
        (void)progress;
        return send(d, CALL_PULL, ref, NULL, DONE(plain), userdata);
}

static struct docker_call *op_events(struct docker *d, usec_t since, docker_done_fn connected, docker_event_fn event,
                                     docker_done_fn done, void *userdata)
{
        struct docker_call *call = send(d, CALL_EVENTS, NULL, NULL, DONE(plain), userdata);

        (void)since;
        call->stream = ++((struct model_client *)(void *)d)->streams;
        call->connected = connected;
        call->event = event;
        return call;
}

static struct docker *op_free(struct docker *d)
{
        struct model_client *client = (struct model_client *)(void *)d;
        struct docker_call *call, *next;

        if (!d)
                return NULL;
        model_client_gone(client->model, client);
        DL_FOREACH_SAFE (client->calls, call, next) {
                abandon(call);
                call_free(call);
        }
        /* Events under way look for their stream by the client; it goes when the last of them has. */
        client->docker.ops = NULL;
        if (!client->told)
                free(client);
        return NULL;
}

static const struct docker_ops ops = {
        .version = op_version,
        .info = op_info,
        .list = op_list,
        .inspect = op_inspect,
        .create = op_create,
        .start = op_start,
        .kill = op_kill,
        .remove = op_remove,
        .image_inspect = op_image_inspect,
        .image_pull = op_image_pull,
        .events = op_events,
        .cancel = op_cancel,
        .free = op_free,
};

struct docker *model_client_new(struct model *model)
{
        struct model_client *client = xcalloc(1, sizeof(*client));

        client->docker.ops = &ops;
        client->model = model;
        model_client_added(model, client);
        return &client->docker;
}

/* --- events ----------------------------------------------------------------------------------------------------- */

static void on_told(void *userdata)
{
        struct told_event *t = userdata;
        struct model_client *client = t->client;
        struct docker_call *call;

        client->told--;
        if (!client->docker.ops) {
                if (!client->told)
                        free(client);
        } else {
                DL_FOREACH (client->calls, call) {
                        const struct docker_event event = {.type = "container",
                                                           .action = t->action,
                                                           .id = t->shown.id,
                                                           .name = t->shown.name,
                                                           .attributes = &t->shown.labels};

                        if (call->stream != t->stream || call->cancelled || call->err)
                                continue;
                        call->event(call->userdata, &event);
                        break;
                }
        }
        free(t);
}

static void tell_one(struct model_client *client, uint64_t stream, const struct model_container *c, const char *action)
{
        struct rng *rng = model_rng(client->model);
        struct told_event *t = xcalloc(1, sizeof(*t));
        usec_t delay = rng_between(rng, 0, 20) * USEC_PER_MSEC;

        if (rng_chance(rng, model_faults(client->model)->late_event)) {
                delay += rng_between(rng, 0, 5000) * USEC_PER_MSEC;
                model_count(client->model)->late_event++;
        }
        t->client = client;
        t->stream = stream;
        t->action = action;
        model_show(c, false, &t->shown);
        client->told++;
        (void)sim_after(model_loop(client->model), delay, on_told, t);
}

void model_client_event(struct model_client *client, const struct model_container *c, const char *action)
{
        struct rng *rng = model_rng(client->model);
        struct docker_call *call;

        DL_FOREACH (client->calls, call) {
                if (call->kind != CALL_EVENTS || !call->arrived || call->cancelled || call->err)
                        continue;
                if (rng_chance(rng, model_faults(client->model)->lost_event)) {
                        model_count(client->model)->lost_event++;
                        continue;
                }
                tell_one(client, call->stream, c, action);
                if (rng_chance(rng, model_faults(client->model)->double_event)) {
                        model_count(client->model)->double_event++;
                        tell_one(client, call->stream, c, action);
                }
        }
}

/* Everything under way ends; what has not arrived never will, what was carried out has lost its answer. */
void model_client_down(struct model_client *client)
{
        struct docker_call *call;

        DL_FOREACH (client->calls, call) {
                if (call->cancelled)
                        continue;
                call->timer = loop_source_free(call->timer);
                if (!call->err)
                        fail(call, ECONNRESET, 0, "the daemon went away");
                call->timer = sim_after(model_loop(client->model), USEC_PER_MSEC, on_answer, call);
        }
}
