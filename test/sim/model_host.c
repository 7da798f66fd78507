/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "model.h"
#include "model_host.h"
#include "node/cgroup.h"
#include "node/config_values.h"
#include "node/host.h"
#include "node/log_links.h"
#include "node/probe.h"
#include "node/slices.h"
#include "node/volume.h"
#include "node/volume_files.h"
#include "sim_loop.h"

/* The modules replaced have no handle to hang this on. */
static struct model_host *host;

void model_host_set(struct model_host *to)
{
        host = to;
}

/* --- volumes, cgroups, links --------------------------------------------------------------------------------- */

static int sometimes(struct err *err, const char *what)
{
        if (!rng_chance(host->rng, host->volumes_fail))
                return 0;
        host->volume_failures++;
        return err_set(err, ERR_INVALID, "model: %s failed", what);
}

/* What documents give to a pod, by the real rules: the only file of each is a number. */
static int read_documents(const struct host *h, const struct pod *pod, bool show, struct err *err)
{
        for (size_t i = 0; i < pod->volume_count; i++) {
                struct volume_file *files = NULL;
                size_t count = 0;
                int number = 0;
                int r = config_files(h, pod, &pod->volumes[i], &files, &count, err);

                if (r == 0 && count > 0)
                        (void)str_to_int(files[0].data, 0, INT_MAX, &number);
                free(files);
                if (r < 0)
                        return err_wrap(err, "volume %s", pod->volumes[i].name);
                if (show)
                        host->shows(host->userdata, pod->uid, number);
        }
        return 0;
}

int volume_setup(const struct host *h, const struct pod *pod, struct err *err)
{
        int r = sometimes(err, "volume setup");

        if (r == 0)
                r = read_documents(h, pod, true, err);
        if (r == 0)
                host->made(host->userdata, pod);
        return r;
}

int volume_check(const struct host *h, const struct pod *pod, struct err *err)
{
        int r = sometimes(err, "volume check");

        return r == 0 ? read_documents(h, pod, false, err) : r;
}

int volume_refresh(const struct host *h, const struct pod *pod, struct err *err)
{
        return read_documents(h, pod, true, err);
}

int volume_cleanup(const struct host *h, const char *uid, struct err *err)
{
        (void)h;
        host->cleaning(host->userdata, uid);
        return sometimes(err, "volume clean-up");
}

int volume_write_hosts(const struct host *h, const struct pod *pod, const char *ip, struct err *err)
{
        (void)h;
        (void)pod;
        (void)ip;
        return sometimes(err, "writing the hosts file");
}

int volume_mounts(const struct host *h, const struct pod *pod, const struct pod_container *container, unsigned attempt,
                  const char *pod_ip, struct volume_mounts *ret, struct err *err)
{
        (void)h;
        (void)pod;
        (void)container;
        (void)attempt;
        (void)pod_ip;
        *ret = (struct volume_mounts){0};
        return sometimes(err, "preparing mounts");
}

/* Nothing of these pods is on disk. */
char *volume_path(const struct host *h, const struct pod *pod, const struct pod_volume *volume)
{
        (void)h;
        (void)pod;
        (void)volume;
        return xstrdup("/nonexistent");
}

void volume_mounts_release(struct volume_mounts *mounts)
{
        (void)mounts;
}

int cgroup_setup(const struct host *h, const struct pod *pod, struct err *err)
{
        (void)h;
        (void)pod;
        (void)err;
        return 0;
}

int cgroup_classes(const struct host *h, int64_t burstable_milli, struct err *err)
{
        (void)h;
        (void)burstable_milli;
        (void)err;
        return 0;
}

void slices_pod(struct slices *slices, const struct host *h, const struct pod *pod, slices_fn done, void *userdata)
{
        (void)slices;
        (void)h;
        (void)pod;
        done(userdata, true);
}

void slices_stop(struct slices *slices, const struct host *h, const char *uid)
{
        (void)slices;
        (void)h;
        (void)uid;
}

int cgroup_remove(const struct host *h, const char *uid, struct err *err)
{
        (void)h;
        (void)uid;
        (void)err;
        return 0;
}

int log_links_make(const struct host *h, const struct pod *pod, const char *container, unsigned attempt, const char *id,
                   const char *log_path, struct err *err)
{
        (void)h;
        (void)pod;
        (void)container;
        (void)attempt;
        (void)id;
        (void)log_path;
        (void)err;
        return 0;
}

void log_links_remove(const struct host *h, const struct pod *pod, const char *id)
{
        (void)h;
        (void)pod;
        (void)id;
}

int log_links_cleanup(const struct host *h, const struct pod *pod, struct err *err)
{
        (void)h;
        (void)pod;
        (void)err;
        return 0;
}

/* --- probes and hooks ------------------------------------------------------------------------------------------ */

struct probe {
        struct probes *probes;
        char id[65];
        const char *container; /* name of, borrowed until done */
        enum { STARTUP, LIVENESS, READINESS, HOOK } kind;
        int threshold; /* failures in a row that count */
        bool never;    /* succeeds */
        probe_done_fn done;
        void *userdata;
        struct loop_source *timer;
        struct probe *prev, *next;
};

struct probes {
        struct probe *list;
};

struct probes *probes_new(struct loop *loop, struct curl_glue *glue, struct docker *docker)
{
        (void)loop;
        (void)glue;
        (void)docker;
        return xcalloc(1, sizeof(struct probes));
}

static void probe_free(struct probe *probe)
{
        (void)loop_source_free(probe->timer);
        DL_DELETE(probe->probes->list, probe);
        free(probe);
}

struct probes *probes_free(struct probes *probes)
{
        if (!probes)
                return NULL;
        while (probes->list)
                probe_free(probes->list);
        free(probes);
        return NULL;
}

void probe_cancel(struct probe *probe)
{
        probe_free(probe);
}

/* Only so many failures in a row are a reason to stop what runs. */
static void count_failure(const struct probe *probe, struct model_container *c, bool failed)
{
        unsigned *failures = &c->failures[probe->kind];

        *failures = failed ? *failures + 1 : 0;
        if (*failures >= (unsigned)probe->threshold)
                c->probe_failed = true;
}

static bool fails(struct probe *probe, struct model_container *c)
{
        unsigned chance = probe->kind == HOOK        ? host->hook_fails
                          : probe->kind == READINESS ? host->unready
                                                     : host->probe_fails;
        bool failed = !c || c->state != DOCKER_STATE_RUNNING || probe->never || rng_chance(host->rng, chance);

        if (failed && c && probe->kind == HOOK)
                c->hook_failed = true;
        else if (c && (probe->kind == STARTUP || probe->kind == LIVENESS))
                count_failure(probe, c, failed);
        if (c && probe->kind == READINESS)
                c->was_ready |= !failed;
        host->probe_failures += failed;
        return failed;
}

static void on_done(void *userdata)
{
        struct probe *probe = userdata;
        probe_done_fn done = probe->done;
        void *to = probe->userdata;
        struct probe_result result = {.output = "model"};

        probe->timer = NULL;
        result.error = probe->kind != HOOK && rng_chance(host->rng, host->probe_errors);
        result.success = !result.error && !fails(probe, model_find(host->model, probe->id));
        probe_free(probe);
        done(to, &result);
}

struct probe *probe_start(struct probes *probes, const struct probe_request *request, probe_done_fn done,
                          void *userdata)
{
        struct probe *probe = xcalloc(1, sizeof(*probe));
        const struct pod_container *c = request->container;

        probe->probes = probes;
        probe->done = done;
        probe->userdata = userdata;
        probe->kind = request->handler == &c->probes[POD_PROBE_STARTUP].handler     ? STARTUP
                      : request->handler == &c->probes[POD_PROBE_LIVENESS].handler  ? LIVENESS
                      : request->handler == &c->probes[POD_PROBE_READINESS].handler ? READINESS
                                                                                    : HOOK;
        probe->never =
                request->handler->command.len > 0 && str_eq(request->handler->command.items[0], MODEL_HOST_NEVER);
        probe->threshold = probe->kind == HOOK ? 1 : c->probes[probe->kind].failure_threshold;
        (void)snprintf(probe->id, sizeof(probe->id), "%s", request->container_id);
        host->probes += probe->kind != HOOK;
        host->hooks += probe->kind == HOOK;
        /* A hook may take long, also longer than any grace. */
        probe->timer = sim_after(host->loop,
                                 probe->kind == HOOK && rng_chance(host->rng, 200)
                                         ? rng_between(host->rng, 1, 40) * USEC_PER_SEC
                                         : rng_between(host->rng, 1, 50) * USEC_PER_MSEC,
                                 on_done, probe);
        DL_APPEND(probes->list, probe);
        return probe;
}
