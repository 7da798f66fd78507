/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/pod_view.h"
#include "world_private.h"

static void add_handler(struct pod_handler *handler)
{
        handler->type = POD_HANDLER_EXEC;
        strv_add(&handler->command, "check");
}

static void add_probe(struct rng *rng, struct pod_container *c, enum pod_probe_kind kind)
{
        struct pod_probe *probe = &c->probes[kind];

        add_handler(&probe->handler);
        probe->initial_delay_seconds = (int)rng_below(rng, 4);
        probe->timeout_seconds = 1;
        probe->period_seconds = (int)rng_between(rng, 1, 10);
        probe->success_threshold = kind == POD_PROBE_READINESS ? (int)rng_between(rng, 1, 2) : 1;
        probe->failure_threshold = (int)rng_between(rng, 1, 3);
        if (kind != POD_PROBE_READINESS && rng_chance(rng, 300))
                probe->termination_grace_seconds = (int64_t)rng_below(rng, 10);
}

static enum pod_restart_policy some_policy(struct rng *rng)
{
        return rng_chance(rng, 500) ? POD_RESTART_ON_FAILURE : POD_RESTART_NEVER;
}

/* restartPolicy and restartPolicyRules of one app container. */
static void add_rule(struct rng *rng, struct version *v, size_t i)
{
        struct pod_container *c = &v->pod->containers[i];
        struct restart_rule *rule = &v->rules[i];

        if (!rng_chance(rng, 250))
                return;
        rule->own = true;
        rule->policy = rng_chance(rng, 300) ? POD_RESTART_ALWAYS : some_policy(rng);
        c->has_restart_policy = true;
        c->restart_policy = rule->policy;
        if (!rng_chance(rng, 500))
                return;
        rule->code = CODE_NAMED;
        memset(c->restart_codes, '0', sizeof(c->restart_codes) - 1);
        c->restart_codes[CODE_NAMED / 4] = "1248"[CODE_NAMED % 4];
}

static enum pod_restart_policy policy_of(const struct version *v, size_t i)
{
        return v->rules[i].own ? v->rules[i].policy : v->pod->restart_policy;
}

bool world_runs_again(const struct version *v, size_t i, int code)
{
        if (v->rules[i].code && code == v->rules[i].code)
                return true;
        return policy_of(v, i) == POD_RESTART_ALWAYS || (policy_of(v, i) == POD_RESTART_ON_FAILURE && code != 0);
}

bool world_may_complete(const struct version *v)
{
        for (size_t i = 0; i < v->pod->init_count; i++)
                if (!v->pod->containers[i].sidecar && v->pod->restart_policy == POD_RESTART_NEVER)
                        return true; /* one that fails is the end of all */
        for (size_t i = v->pod->init_count; i < v->pod->container_count; i++)
                if (policy_of(v, i) == POD_RESTART_ALWAYS)
                        return false;
        return true;
}

bool world_may_end(const struct version *v)
{
        for (size_t i = v->pod->init_count; i < v->pod->container_count; i++)
                if (policy_of(v, i) != POD_RESTART_ALWAYS)
                        return true;
        return world_may_complete(v);
}

static void make_container(struct world *w, struct version *v, size_t i, bool init)
{
        struct rng *rng = &w->rng;
        struct pod_container *c = &v->pod->containers[i];
        bool lasts;

        for (size_t k = 0; k < POD_PROBE_KIND_MAX; k++)
                c->probes[k].termination_grace_seconds = -1;
        c->init = init;
        c->sidecar = init && rng_chance(rng, 400);
        c->name = xasprintf("%s%zu", init ? "init" : "app", i);
        c->image = xstrdup(rng_chance(rng, 200) ? "image/missing" : "image/there");
        c->pull_policy = rng_chance(rng, 100) ? POD_PULL_ALWAYS : POD_PULL_IF_NOT_PRESENT;
        c->termination_message_path = xstrdup("/dev/termination-log");
        lasts = !init || c->sidecar;
        for (int k = 0; lasts && k < POD_PROBE_KIND_MAX; k++)
                if (rng_chance(rng, 300))
                        add_probe(rng, c, k);
        if (lasts && rng_chance(rng, 150))
                add_handler(&c->post_start);
        if (lasts && rng_chance(rng, 200))
                add_handler(&c->pre_stop);
        if (!v->pod->host_network && rng_chance(rng, 200)) {
                c->env = xcalloc(1, sizeof(*c->env));
                c->env_count = 1;
                c->env[0].name = xstrdup("IP");
                c->env[0].field_path = xstrdup("status.podIP");
        }
        if (!init)
                add_rule(rng, v, i);
        if (!init && policy_of(v, i) != POD_RESTART_ALWAYS)
                v->programs[i] = rng_chance(rng, 600) ? PROGRAM_FINISHES : PROGRAM_STEADY;
        else
                v->programs[i] = rng_chance(rng, 250) ? PROGRAM_CRASHY : PROGRAM_STEADY;
        v->deaf[i] = rng_chance(rng, 50);
}

/* podwatch.io/after: mostly of a pod before it by number, so that few are in circles. */
static void add_order(struct rng *rng, struct version *v)
{
        struct pod_map *annotations = &v->pod->annotations;

        v->after = -1;
        if (!rng_chance(rng, 200))
                return;
        v->after = (int)rng_below(rng, v->index && rng_chance(rng, 800) ? v->index : WORLD_PODS_MAX);
        if (v->after == (int)v->index) {
                v->after = -1;
                return;
        }
        v->after_ready = rng_chance(rng, 600);
        annotations->items = xcalloc(1, sizeof(*annotations->items));
        annotations->count = 1;
        annotations->items[0].key = xstrdup("podwatch.io/after");
        annotations->items[0].value = xasprintf("pod%d%s", v->after, v->after_ready ? "" : ":started");
}

/* What a mirror is made of: as pod_config.c leaves it. */
static void write_json(struct pod *pod, size_t version)
{
        pod->json = xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"annotations\":{"
                              "\"kubernetes.io/config.hash\":\"%s\",\"kubernetes.io/config.source\":\"file\"},"
                              "\"name\":\"%s\",\"namespace\":\"%s\",\"uid\":\"%s\"},"
                              "\"spec\":{\"nodeName\":\"node\",\"hostname\":\"version%zu\"}}",
                              pod->uid, pod->name, pod->namespace, pod->uid, version);
        pod->json_len = strlen(pod->json);
}

/* Some names have a UID of their own in the file: an edit keeps it. */
static bool keeps_uid(const struct world *w, unsigned index)
{
        return (w->options->brief ? w->options->seed / 64 + index : index) % 4 == 3;
}

struct version *world_version_new(struct world *w, unsigned index)
{
        struct rng *rng = &w->rng;
        struct version *v;
        struct pod *pod;
        size_t init, app;

        if (w->version_count == WORLD_VERSIONS_MAX)
                return NULL;
        v = xcalloc(1, sizeof(*v));
        pod = xcalloc(1, sizeof(*pod));
        v->pod = pod;
        v->index = index;
        pod->refs = 1;
        pod->name = xasprintf("pod%u", index);
        pod->namespace = xstrdup("default");
        pod->uid = keeps_uid(w, index) ? xasprintf("uid%u", index) : xasprintf("uid%u-%zu", index, w->version_count);
        (void)snprintf(pod->spec_hash, sizeof(pod->spec_hash), "hash%zu", w->version_count);
        pod->restart_policy = rng_chance(rng, 750) ? POD_RESTART_ALWAYS : some_policy(rng);
        pod->termination_grace_seconds = (int64_t)rng_below(rng, 15);
        pod->host_network = rng_chance(rng, 500);
        init = rng_chance(rng, 400) ? rng_between(rng, 1, w->options->brief ? 1 : 2) : 0;
        app = rng_between(rng, 1, w->options->brief ? 2 : 3);
        pod->init_count = init;
        pod->container_count = init + app;
        pod->containers = xcalloc(pod->container_count, sizeof(*pod->containers));
        for (size_t i = 0; i < pod->container_count; i++)
                make_container(w, v, i, i < init);
        add_order(rng, v);
        docs_use(w, v);
        trial_choose(w, v);
        write_json(v->pod, w->version_count);
        w->versions[w->version_count++] = v;
        return v;
}

struct version *world_version_find(const struct world *w, const char *uid, const char *hash)
{
        for (size_t i = 0; i < w->version_count; i++)
                if (str_eq(w->versions[i]->pod->uid, uid) && str_eq(w->versions[i]->pod->spec_hash, hash))
                        return w->versions[i];
        return NULL;
}

void world_versions_free(struct world *w)
{
        for (size_t i = 0; i < w->version_count; i++) {
                pod_unref(w->versions[i]->pod);
                free(w->versions[i]);
        }
}

const struct pod_container *world_spec(const struct version *v, const char *container, size_t *ret_index)
{
        for (size_t i = 0; i < v->pod->container_count; i++) {
                if (!str_eq(v->pod->containers[i].name, container))
                        continue;
                *ret_index = i;
                return &v->pod->containers[i];
        }
        return NULL;
}
