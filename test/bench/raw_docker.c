/* SPDX-License-Identifier: Apache-2.0
 *
 * The bare Docker calls that running pods takes, with nothing around them: what podwatch is measured beside.
 * Connections are kept, the calls of one pod may overlap, and several pods run side by side.
 *
 *   raw_docker pods COUNT bridge|host serial|overlap CONCURRENCY PAUSE_IMAGE APP_IMAGE PREFIX
 *       starts COUNT pods (sandbox and one container) named PREFIX-sandbox-N, PREFIX-app-N
 *   raw_docker restart SANDBOX_ID APP_IMAGE PREFIX
 *       creates and starts one container in a sandbox that runs
 *
 * Prints one JSON object: {"began": wall clock of the first call, "seconds": from it to the last answer, "ids": [...]}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "docker/docker.h"
#include "docker/docker_http.h"
#include "net/loop.h"

struct bench {
        struct loop *loop;
        struct docker *docker;
        bool host_network, overlap;
        int count, next, under_way, done;
        const char *pause_image, *app_image, *prefix;
        struct strv ids;
        struct err failure;
        usec_t finished;
};

struct pod_run {
        struct bench *bench;
        int number;
        char *sandbox, *app;
        bool sandbox_up;
};

static void start_pods(struct bench *bench);

static bool failed(struct bench *bench, const struct err *err)
{
        if (err && bench->failure.code == 0) {
                bench->failure = *err;
                loop_exit(bench->loop, 1);
        }
        return err != NULL;
}

static void app_started(void *userdata, const struct err *err)
{
        struct pod_run *run = userdata;
        struct bench *bench = run->bench;

        if (failed(bench, err))
                return;
        bench->finished = clock_boottime();
        bench->under_way--;
        bench->done++;
        free(run->sandbox);
        free(run->app);
        free(run);
        if (bench->done == bench->count)
                loop_exit(bench->loop, 0);
        else
                start_pods(bench);
}

static void start_app(struct pod_run *run)
{
        struct docker *docker = run->bench->docker;

        docker->ops->start(docker, run->app, app_started, run);
}

static void app_created(void *userdata, const char *id, const struct err *err)
{
        struct pod_run *run = userdata;

        if (failed(run->bench, err))
                return;
        run->app = xstrdup(id);
        strv_add(&run->bench->ids, id);
        if (run->sandbox_up)
                start_app(run);
}

static void create_app(struct pod_run *run)
{
        struct bench *bench = run->bench;
        char *name CLEANUP_FREE = xasprintf("%s-app-%d", bench->prefix, run->number);
        char *body CLEANUP_FREE = xasprintf("{\"Image\":\"%s\",\"Entrypoint\":[\"sleep\",\"1000000\"],\"Labels\":{"
                                            "\"bench\":\"app\"},\"HostConfig\":{"
                                            "\"NetworkMode\":\"container:%s\",\"IpcMode\":\"container:%s\"%s}}",
                                            bench->app_image, run->sandbox, run->sandbox,
                                            bench->host_network ? ",\"UTSMode\":\"host\"" : "");

        bench->docker->ops->create(bench->docker, name, body, app_created, run);
}

static void sandbox_started(void *userdata, const struct err *err)
{
        struct pod_run *run = userdata;

        if (failed(run->bench, err))
                return;
        run->sandbox_up = true;
        if (!run->bench->overlap)
                create_app(run);
        else if (run->app)
                start_app(run);
}

static void sandbox_created(void *userdata, const char *id, const struct err *err)
{
        struct pod_run *run = userdata;
        struct docker *docker = run->bench->docker;

        if (failed(run->bench, err))
                return;
        run->sandbox = xstrdup(id);
        strv_add(&run->bench->ids, id);
        docker->ops->start(docker, id, sandbox_started, run);
        if (run->bench->overlap)
                create_app(run);
}

static void start_one(struct bench *bench)
{
        struct pod_run *run = xcalloc(1, sizeof(*run));
        char *name CLEANUP_FREE = xasprintf("%s-sandbox-%d", bench->prefix, bench->next);
        char *body CLEANUP_FREE =
                xasprintf("{\"Image\":\"%s\",\"Labels\":{\"bench\":\"sandbox\"},\"HostConfig\":{\"NetworkMode\":\"%s\","
                          "\"IpcMode\":\"shareable\"}}",
                          bench->pause_image, bench->host_network ? "host" : "default");

        run->bench = bench;
        run->number = bench->next++;
        bench->under_way++;
        bench->docker->ops->create(bench->docker, name, body, sandbox_created, run);
}

/* The rest is started as pods come up: `under_way` is bounded by what main started. */
static void start_pods(struct bench *bench)
{
        if (bench->next < bench->count)
                start_one(bench);
}

static void restart(struct bench *bench, const char *sandbox)
{
        struct pod_run *run = xcalloc(1, sizeof(*run));

        run->bench = bench;
        run->sandbox = xstrdup(sandbox);
        run->sandbox_up = true;
        bench->count = 1;
        create_app(run);
}

/* The first request negotiates the version and opens a connection: not part of what is measured. */
static void connected(void *userdata, const struct docker_version *version, const struct err *err)
{
        struct bench *bench = userdata;

        (void)version;
        bench->done = failed(bench, err) ? -1 : 1;
}

static int prepare(struct bench *bench, struct err *err)
{
        int r = loop_new(&bench->loop, err);
        if (r == 0)
                r = docker_http_new(bench->loop, NULL, &bench->docker, err);
        if (r < 0)
                return r;
        bench->docker->ops->version(bench->docker, connected, bench);
        while (bench->done == 0)
                if ((r = loop_step(bench->loop, USEC_INFINITY, err)) < 0)
                        return r;
        if (bench->done < 0) {
                *err = bench->failure;
                return -err->code;
        }
        bench->done = 0;
        return 0;
}

static void print_result(const struct bench *bench, usec_t began, usec_t began_wall)
{
        (void)printf("{\"began\": %.6f, \"seconds\": %.6f, \"ids\": [", (double)began_wall / USEC_PER_SEC,
                     (double)(bench->finished - began) / USEC_PER_SEC);
        for (size_t i = 0; i < bench->ids.len; i++)
                (void)printf("%s\"%s\"", i ? ", " : "", bench->ids.items[i]);
        (void)printf("]}\n");
}

int main(int argc, char **argv)
{
        struct bench bench = {0};
        struct err err = ERR_INIT;
        int concurrency = 1, code = 1;
        bool pods = argc == 9 && str_eq(argv[1], "pods"), again = argc == 5 && str_eq(argv[1], "restart");

        if (!pods && !again) {
                (void)fputs("usage: see the head of raw_docker.c\n", stderr);
                return 2;
        }
        if (prepare(&bench, &err) < 0) {
                (void)fprintf(stderr, "raw_docker: %s\n", err.msg);
                return 1;
        }
        usec_t began = clock_boottime(), began_wall = clock_realtime();
        if (pods) {
                if (str_to_int(argv[2], 1, 1000, &bench.count) < 0 || str_to_int(argv[5], 1, 1000, &concurrency) < 0)
                        return 2;
                bench.host_network = str_eq(argv[3], "host");
                bench.overlap = str_eq(argv[4], "overlap");
                bench.pause_image = argv[6];
                bench.app_image = argv[7];
                bench.prefix = argv[8];
                for (int i = 0; i < concurrency; i++)
                        start_pods(&bench);
        } else {
                bench.app_image = argv[3];
                bench.prefix = argv[4];
                restart(&bench, argv[2]);
        }
        if (loop_run(bench.loop, &code, &err) < 0 || bench.failure.code) {
                (void)fprintf(stderr, "raw_docker: %s\n", bench.failure.code ? bench.failure.msg : err.msg);
                return 1;
        }
        print_result(&bench, began, began_wall);
        strv_release(&bench.ids);
        bench.docker->ops->free(bench.docker);
        loop_free(bench.loop);
        return code;
}
