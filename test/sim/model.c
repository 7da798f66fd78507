/* SPDX-License-Identifier: Apache-2.0 */
#include <utlist.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "model.h"
#include "node/container_name.h"
#include "node/pod_apply.h"
#include "sim_loop.h"

#include <cjson/cJSON.h>
#include <limits.h>

#define CLIENTS_MAX 4

struct model {
        struct loop *loop;
        struct rng *rng;
        struct model_hooks hooks;
        struct model_faults faults;
        struct model_met met;
        struct model_container *containers, *gone;
        struct model_client *clients[CLIENTS_MAX];
        bool down;
        unsigned addresses;
};

struct model *model_new(struct loop *loop, struct rng *rng, const struct model_hooks *hooks)
{
        struct model *model = xcalloc(1, sizeof(*model));

        model->loop = loop;
        model->rng = rng;
        model->hooks = *hooks;
        return model;
}

static void container_free(struct model_container *c)
{
        (void)loop_source_free(c->end);
        docker_labels_release(&c->labels);
        free(c->name);
        free(c->key);
        free(c);
}

struct model *model_free(struct model *model)
{
        struct model_container *c, *next;

        DL_CONCAT(model->containers, model->gone);
        DL_FOREACH_SAFE (model->containers, c, next)
                container_free(c);
        free(model);
        return NULL;
}

struct model_faults *model_faults(struct model *model)
{
        return &model->faults;
}

const struct model_met *model_met(const struct model *model)
{
        return &model->met;
}

struct model_met *model_count(struct model *model)
{
        return &model->met;
}

struct loop *model_loop(struct model *model)
{
        return model->loop;
}

struct rng *model_rng(struct model *model)
{
        return model->rng;
}

struct model_container *model_containers(struct model *model)
{
        return model->containers;
}

bool model_is_up(const struct model *model)
{
        return !model->down;
}

struct model_container *model_find(struct model *model, const char *id)
{
        struct model_container *c;

        DL_FOREACH (model->containers, c) {
                if (str_eq(c->id, id))
                        return c;
        }
        return NULL;
}

struct model_container *model_find_name(struct model *model, const char *name)
{
        struct model_container *c;

        DL_FOREACH (model->containers, c) {
                if (str_eq(c->name, name) || str_eq(c->id, name))
                        return c;
        }
        return NULL;
}

/* --- clients -------------------------------------------------------------------------------------------------- */

void model_client_added(struct model *model, struct model_client *client)
{
        for (size_t i = 0; i < CLIENTS_MAX; i++) {
                if (model->clients[i])
                        continue;
                model->clients[i] = client;
                return;
        }
        abort();
}

void model_client_gone(struct model *model, struct model_client *client)
{
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (model->clients[i] == client)
                        model->clients[i] = NULL;
}

static void tell(struct model *model, const struct model_container *c, const char *action)
{
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (model->clients[i] && !model->down)
                        model_client_event(model->clients[i], c, action);
}

/* --- containers ----------------------------------------------------------------------------------------------- */

static void read_variable(struct model_container *c, const cJSON *body)
{
        const cJSON *entry;

        cJSON_ArrayForEach (entry, cjson_get(body, "Env", NULL)) {
                const char *value = str_after(cJSON_GetStringValue(entry), "DOC=");

                if (value)
                        (void)str_to_int(value, 0, INT_MAX, &c->doc);
        }
}

static void read_labels(struct model_container *c, const cJSON *body)
{
        const cJSON *label;
        struct container_name_parts parts;

        cJSON_ArrayForEach (label, cjson_get(body, "Labels", NULL))
                docker_labels_add(&c->labels, label->string, cJSON_GetStringValue(label));
        c->key = xasprintf("%s/%s", docker_label(&c->labels, LABEL_POD_NAMESPACE),
                           docker_label(&c->labels, LABEL_POD_NAME));
        c->uid = docker_label(&c->labels, LABEL_POD_UID);
        c->hash = docker_label(&c->labels, POD_LABEL_SPEC_HASH);
        c->container = docker_label(&c->labels, LABEL_CONTAINER_NAME);
        c->sandbox = docker_label(&c->labels, LABEL_SANDBOX_ID);
        c->is_sandbox = str_eq(docker_label(&c->labels, LABEL_TYPE), LABEL_TYPE_SANDBOX);
        if (container_name_parse(c->name, &parts)) {
                c->attempt = parts.attempt;
                container_name_release(&parts);
        }
}

struct model_container *model_create(struct model *model, const char *name, const char *body)
{
        struct model_container *c = xcalloc(1, sizeof(*c));
        cJSON *json = cJSON_Parse(body);

        c->model = model;
        for (size_t i = 0; i < 64; i += 16)
                (void)snprintf(c->id + i, sizeof(c->id) - i, "%016llx", (unsigned long long)rng_next(model->rng));
        c->name = xstrdup(name);
        c->state = DOCKER_STATE_CREATED;
        c->created = sim_loop_elapsed(model->loop);
        c->created_wall = loop_now_realtime(model->loop);
        read_labels(c, json);
        read_variable(c, json);
        cJSON_Delete(json);
        DL_APPEND(model->containers, c);
        model->met.creates++;
        tell(model, c, "create");
        model->hooks.created(model->hooks.userdata, c);
        return c;
}

static void on_end(void *userdata)
{
        struct model_container *c = userdata;

        c->end = NULL;
        model_end(c->model, c, c->end_code);
}

static void end_after(struct model_container *c, usec_t delay, int code)
{
        c->end = loop_source_free(c->end);
        c->end_code = code;
        if (delay != USEC_INFINITY)
                c->end = sim_after(c->model->loop, delay, on_end, c);
}

void model_start(struct model *model, struct model_container *c)
{
        usec_t lives = USEC_INFINITY;

        if (c->state == DOCKER_STATE_RUNNING)
                return;
        c->state = DOCKER_STATE_RUNNING;
        c->started = sim_loop_elapsed(model->loop);
        c->started_wall = loop_now_realtime(model->loop);
        c->finished_wall = 0;
        c->probe_failed = c->hook_failed = c->was_ready = c->told = false;
        c->failures[0] = c->failures[1] = 0;
        if (c->is_sandbox)
                (void)snprintf(c->ip, sizeof(c->ip), "172.17.%u.%u", model->addresses / 250 % 250,
                               model->addresses % 250 + 2);
        model->addresses += c->is_sandbox;
        model->met.starts++;
        model->hooks.started(model->hooks.userdata, c, &lives);
        end_after(c, lives, c->end_code);
        tell(model, c, "start");
}

void model_end(struct model *model, struct model_container *c, int code)
{
        if (c->state != DOCKER_STATE_RUNNING)
                return;
        c->end = loop_source_free(c->end);
        c->state = DOCKER_STATE_EXITED;
        c->ended = sim_loop_elapsed(model->loop);
        c->exit_code = code;
        c->finished_wall = loop_now_realtime(model->loop);
        model->met.ends++;
        model->hooks.ended(model->hooks.userdata, c);
        tell(model, c, "die");
}

void model_signal(struct model *model, struct model_container *c, const char *signal)
{
        bool kill = str_eq(signal, "SIGKILL");

        model->hooks.stopping(model->hooks.userdata, c, signal);
        if (kill || c->is_sandbox)
                end_after(c, rng_between(model->rng, 1, 30) * USEC_PER_MSEC, kill ? 137 : 0);
        else if (c->term_delay != USEC_INFINITY)
                end_after(c, c->term_delay + rng_between(model->rng, 1, 20) * USEC_PER_MSEC, 143);
}

/* What was under way when it went may be shown later; so what has gone is kept. */
static void put_aside(struct model *model, struct model_container *c)
{
        c->end = loop_source_free(c->end);
        DL_DELETE(model->containers, c);
        DL_APPEND(model->gone, c);
}

void model_destroy(struct model *model, struct model_container *c)
{
        if (c->state == DOCKER_STATE_RUNNING) {
                model->hooks.stopping(model->hooks.userdata, c, "remove");
                model_end(model, c, 137);
        }
        model->met.removes++;
        tell(model, c, "destroy");
        put_aside(model, c);
}

void model_crash(struct model *model, struct model_container *c, int code)
{
        model_end(model, c, code);
}

void model_remove(struct model *model, struct model_container *c)
{
        model_end(model, c, 137);
        model->met.removes++;
        tell(model, c, "destroy");
        put_aside(model, c);
}

void model_show(const struct model_container *c, bool inspected, struct docker_container *d)
{
        static char nothing[] = "", image[] = "image", image_id[] = "sha256:image", network_mode[] = "default";

        *d = (struct docker_container){.state = c->state, .inspected = inspected};
        d->id = (char *)(uintptr_t)c->id;
        d->name = c->name;
        d->image = image;
        d->image_id = image_id;
        d->created = c->created_wall;
        d->labels = c->labels;
        if (!inspected)
                return;
        d->pid = c->state == DOCKER_STATE_RUNNING ? 1 : 0;
        d->exit_code = c->exit_code;
        d->error = nothing;
        d->started = c->started_wall;
        d->finished = c->finished_wall;
        d->ip = c->state == DOCKER_STATE_RUNNING ? (char *)(uintptr_t)c->ip : nothing;
        d->log_path = d->resolv_conf = d->hosts_path = nothing;
        d->network_mode = network_mode;
}

/* --- the daemon ----------------------------------------------------------------------------------------------- */

void model_down(struct model *model, bool live_restore)
{
        struct model_container *c;

        model->met.daemon_down += !model->down;
        model->down = true;
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (model->clients[i])
                        model_client_down(model->clients[i]);
        if (live_restore)
                return;
        DL_FOREACH (model->containers, c)
                model_end(model, c, 137);
}

void model_up(struct model *model)
{
        model->down = false;
}
