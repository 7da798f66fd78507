/* SPDX-License-Identifier: Apache-2.0
 *
 * What probes answered: the last few results of each, in memory, for `describe`.
 */
#include <cjson/cJSON.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/agent_private.h"
#include "node/pod_exec.h"
#include "node/pod_facts.h"

/* Of one probe. */
#define RESULTS_MAX 5
/* Of one answer: a line that says what was wrong, not a page. */
#define OUTPUT_MAX 256

struct result {
        usec_t at_wall, took;
        bool success, error;
        char *output; /* NULL: nothing */
};

struct agent_probe {
        char *container; /* name */
        enum pod_probe_kind kind;
        struct result results[RESULTS_MAX];
        size_t first, count;
        struct agent_probe *next;
};

static struct agent_probe *find(struct agent_pod *pod, const char *container, enum pod_probe_kind kind)
{
        struct agent_probe *probe;

        LL_FOREACH (pod->probes, probe) {
                if (probe->kind == kind && str_eq(probe->container, container))
                        return probe;
        }
        return NULL;
}

void agent_probe_answered(struct agent *agent, struct pod_entry *entry, const struct pod_exec_job *job, bool success,
                          bool error, const char *output)
{
        const char *name = job->pod->containers[job->container].name;
        struct agent_pod *pod = agent_pod_of(entry);
        struct agent_probe *probe = find(pod, name, job->probe);
        struct result *result;
        char text[OUTPUT_MAX];

        if (!probe) {
                probe = xcalloc(1, sizeof(*probe));
                probe->container = xstrdup(name);
                probe->kind = job->probe;
                LL_PREPEND(pod->probes, probe);
        }
        if (probe->count == RESULTS_MAX) {
                free(probe->results[probe->first].output);
                probe->first = (probe->first + 1) % RESULTS_MAX;
                probe->count--;
        }
        pod_view_text(text, sizeof(text), output);
        result = &probe->results[(probe->first + probe->count++) % RESULTS_MAX];
        *result = (struct result){
                .at_wall = loop_now_realtime(agent->loop),
                .took = job->took,
                .success = success,
                .error = error,
                .output = *text ? xstrdup(text) : NULL,
        };
}

static void probe_free(struct agent_probe *probe)
{
        for (size_t i = 0; i < probe->count; i++)
                free(probe->results[(probe->first + i) % RESULTS_MAX].output);
        free(probe->container);
        free(probe);
}

void agent_probes_free(struct agent_pod *pod)
{
        struct agent_probe *probe, *next;

        LL_FOREACH_SAFE (pod->probes, probe, next) {
                LL_DELETE(pod->probes, probe);
                probe_free(probe);
        }
}

static cJSON *show_result(const struct result *result)
{
        cJSON *object = cJSON_CreateObject();

        cjson_add_time(object, "time", result->at_wall);
        cJSON_AddStringToObject(object, "outcome", result->error ? "error" : result->success ? "success" : "failure");
        cJSON_AddNumberToObject(object, "tookMs", (double)(result->took / USEC_PER_MSEC));
        if (result->output)
                cJSON_AddStringToObject(object, "output", result->output);
        return object;
}

static const struct result *newest(const struct agent_probe *probe)
{
        return &probe->results[(probe->first + probe->count - 1) % RESULTS_MAX];
}

/* What was decided outlives podwatch, the answers that led to it do not. */
static void show_kept(const struct agent *agent, const struct pod_probe_state *state, cJSON *object)
{
        cJSON *kept = cJSON_AddObjectToObject(object, "kept");
        char before[TIMEFMT_MAX];

        timefmt_seconds(agent->started_wall, before);
        cJSON_AddStringToObject(kept, "outcome", state->success ? "success" : "failure");
        cJSON_AddStringToObject(kept, "before", before);
}

static cJSON *show_probe(struct agent *agent, const struct pod_incarnation *inc, size_t index, enum pod_probe_kind kind,
                         const struct agent_probe *probe, bool all)
{
        const struct pod_probe_state *state = &inc->containers[index].probes[kind];
        cJSON *object = cJSON_CreateObject(), *results = cJSON_CreateArray();

        cJSON_AddStringToObject(object, "container", inc->pod->containers[index].name);
        cJSON_AddStringToObject(object, "kind", pod_probe_kind_name(kind));
        cJSON_AddNumberToObject(object, "inARow", state->streak);
        for (size_t i = all || !probe ? 0 : probe->count - 1; probe && i < probe->count; i++)
                cJSON_AddItemToArray(results, show_result(&probe->results[(probe->first + i) % RESULTS_MAX]));
        cJSON_AddItemToObject(object, "results", results);
        if (!probe && state->known)
                show_kept(agent, state, object);
        if (inc->containers[index].now.state == INSTANCE_RUNNING && state->due) {
                usec_t in = usec_sub(state->due, loop_now(agent->loop));
                char next[TIMEFMT_MAX];

                timefmt_seconds(usec_add(loop_now_realtime(agent->loop), in), next);
                cJSON_AddStringToObject(object, "next", next);
        }
        return object;
}

struct cJSON *agent_show_probes(struct agent *agent, struct pod_entry *entry, bool all)
{
        const struct pod_incarnation *inc = agent_shown(entry);
        struct agent_pod *pod = agent_pod_of(entry);
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < inc->pod->container_count; i++) {
                for (enum pod_probe_kind kind = 0; kind < POD_PROBE_KIND_MAX; kind++) {
                        const struct agent_probe *probe = find(pod, inc->pod->containers[i].name, kind);
                        bool fails = probe && !newest(probe)->success;

                        if (!container_has_probe(&inc->pod->containers[i], kind))
                                continue;
                        if (all || (fails && inc->containers[i].now.state == INSTANCE_RUNNING))
                                cJSON_AddItemToArray(list, show_probe(agent, inc, i, kind, probe, all));
                }
        }
        return list;
}
