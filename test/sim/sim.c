/* SPDX-License-Identifier: Apache-2.0
 *
 * sim: random schedules against the decisions of podwatch, its store, executor and observer. Each schedule follows from
 * its seed; a failure prints the seed that shows it again.
 *
 *      sim --seed 1 --schedules 1000     those with the seeds 1 to 1000
 *      sim ... --brief                   the many: of 64 schedules 63 are small and short
 *      sim --seed 17 --verbose           the course of one
 *      sim --seed 17 --records           what its journal would hold
 *      sim ... --until-failure           no further than the first that fails, of which there must be one: for a sim
 * with a planted defect
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "world.h"

/* Every n-th schedule is replayed as well: it costs as much as the schedule itself. */
#define REPLAY_EVERY 5
/* Every n-th waits for all of the calm: most of that is spent with nothing but probes that go on succeeding. */
#define WHOLE_CALM_EVERY 5
/* With an API server; and such that are run without as well, to see that it makes no difference. */
#define API_EVERY 2
#define COMPARE_EVERY 8
/* With --brief: every n-th is as it is without; of the brief ones fewer pay for more than the rules. */
#define WHOLE_EVERY 64
#define BRIEF_API_EVERY 4
#define BRIEF_COMPARE_EVERY 32
#define BRIEF_REPLAY_EVERY 11

/* So many schedules meet everything that is counted; a run of them that does not has failed. */
#define MEETS_ALL 1000
#define BRIEF_MEETS_ALL 20000

struct arguments {
        uint64_t seed, schedules;
        bool verbose, records, until_failure, brief;
};

static int usage(void)
{
        (void)fprintf(stderr,
                      "usage: sim [--seed N] [--schedules M] [--verbose] [--records] [--brief] [--until-failure]\n");
        return 2;
}

static bool parse(int argc, char **argv, struct arguments *a)
{
        for (int i = 1; i < argc; i++) {
                if (str_eq(argv[i], "--verbose"))
                        a->verbose = true;
                else if (str_eq(argv[i], "--records"))
                        a->records = true;
                else if (str_eq(argv[i], "--until-failure"))
                        a->until_failure = true;
                else if (str_eq(argv[i], "--brief"))
                        a->brief = true;
                else if (str_eq(argv[i], "--seed") && i + 1 < argc && str_to_u64(argv[i + 1], &a->seed) == 0)
                        i++;
                else if (str_eq(argv[i], "--schedules") && i + 1 < argc && str_to_u64(argv[i + 1], &a->schedules) == 0)
                        i++;
                else
                        return false;
        }
        return true;
}

/* Structs of counts, which are all of one type. */
static void add_counts(void *sum, const void *counts, size_t size)
{
        uint64_t *to = sum;
        const uint64_t *from = counts;

        for (size_t i = 0; i < size / sizeof(*from); i++)
                to[i] += from[i];
}

static void add(struct world_result *sum, const struct world_result *r)
{
        sum->events += r->events;
        sum->starts += r->starts;
        sum->edits += r->edits;
        sum->kills += r->kills;
        sum->node_restarts += r->node_restarts;
        sum->daemon_restarts += r->daemon_restarts;
        sum->records += r->records;
        sum->reboots += r->reboots;
        sum->clock_jumps += r->clock_jumps;
        sum->holds += r->holds;
        sum->volume_failures += r->volume_failures;
        sum->probe_failures += r->probe_failures;
        sum->disk_failures += r->disk_failures;
        sum->doc_edits += r->doc_edits;
        sum->refused += r->refused;
        sum->doc_containers += r->doc_containers;
        sum->doc_shows += r->doc_shows;
        sum->trials += r->trials;
        sum->accepted += r->accepted;
        sum->reverted += r->reverted;
        add_counts(&sum->met, &r->met, sizeof(r->met));
        add_counts(&sum->dir, &r->dir, sizeof(r->dir));
        add_counts(&sum->api, &r->api, sizeof(r->api));
}

/* What was met, so that one sees that every kind of fault was; how many were not. */
static unsigned show(const struct world_result *r)
{
        unsigned missing = 0;
        const struct {
                const char *name;
                uint64_t count;
        } rows[] = {
                {"events", r->events},
                {"calls", r->met.calls},
                {"starts", r->starts},
                {"stops", r->kills},
                {"edits", r->edits},
                {"records replayed", r->records},
                {"restarts of podwatch", r->node_restarts},
                {"restarts of Docker", r->met.daemon_down},
                {"reboots", r->reboots},
                {"clock jumps", r->clock_jumps},
                {"holds", r->holds},
                {"requests lost", r->met.lost_request},
                {"answers lost", r->met.lost_answer},
                {"calls refused", r->met.refused},
                {"calls refused though done", r->met.refused_done},
                {"calls slow", r->met.slow},
                {"answers late", r->met.late_answer},
                {"events lost", r->met.lost_event},
                {"events late", r->met.late_event},
                {"events twice", r->met.double_event},
                {"images missing", r->met.missing_image},
                {"volumes failed", r->volume_failures},
                {"probes failed", r->probe_failures},
                {"writes failed", r->disk_failures},
                {"files written in place", r->dir.in_place},
                {"files written in pieces", r->dir.pieces},
                {"files renamed over", r->dir.renamed},
                {"files removed and made again", r->dir.again},
                {"files open when read", r->dir.busy},
                {"files changed while read", r->dir.changed},
                {"files that cannot be opened", r->dir.refused},
                {"inotify events lost", r->dir.lost},
                {"inotify events twice", r->dir.twice},
                {"inotify events late", r->dir.late},
                {"inotify events swapped", r->dir.swapped},
                {"inotify queues full", r->dir.overflow},
                {"directory away", r->dir.away},
                {"directory made anew", r->dir.refilled},
                {"documents edited", r->doc_edits},
                {"pods refused for want of a document", r->refused},
                {"containers made of a document", r->doc_containers},
                {"volumes changed under a pod", r->doc_shows},
                {"versions on trial", r->trials},
                {"versions accepted", r->accepted},
                {"versions reverted", r->reverted},
                {"requests to the API server", r->api.requests},
                {"API requests lost", r->api.lost_request},
                {"API answers lost", r->api.lost_answer},
                {"API requests that hang", r->api.hangs},
                {"API requests slow", r->api.slow},
                {"API requests refused", r->api.refused},
                {"mirrors forbidden", r->api.forbidden},
                {"API server away", r->api.outages},
                {"etcd emptied", r->api.wipes},
                {"etcd put back", r->api.restores},
                {"versions too old (410)", r->api.gone},
                {"watches cut", r->api.cut_watch},
                {"watch events lost", r->api.lost_event},
                {"watch events twice", r->api.double_event},
                {"watch events late", r->api.late_event},
                {"watch events swapped", r->api.swapped_event},
                {"objects changed by hand", r->api.hands},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                (void)printf("%12" PRIu64 " %s\n", rows[i].count, rows[i].name);
                missing += rows[i].count == 0;
        }
        return missing;
}

/* The same schedule without an API server: not a container may start, end or be stopped at another time. */
static void compare_courses(struct world_options options, struct world_result *r)
{
        struct world_result alone;

        options.api = options.verbose = options.records = false;
        world_run(&options, &alone);
        if (alone.course == r->course || r->problems || alone.problems)
                return;
        r->problems = 1;
        (void)snprintf(r->problem, sizeof(r->problem), "the API server has changed the course of the containers");
}

static struct world_options options_of(const struct arguments *a, uint64_t seed)
{
        bool brief = a->brief && seed % WHOLE_EVERY != 0;

        return (struct world_options){.seed = seed,
                                      .verbose = a->verbose,
                                      .records = a->records,
                                      .brief = brief,
                                      .api = seed % (brief ? BRIEF_API_EVERY : API_EVERY) == 0,
                                      .replay = seed % (brief ? BRIEF_REPLAY_EVERY : REPLAY_EVERY) == 1,
                                      .whole_calm = !brief && seed % WHOLE_CALM_EVERY == 2};
}

/* Of those with an API server. */
static bool is_compared(const struct world_options *options)
{
        return options->api && options->seed % (options->brief ? BRIEF_COMPARE_EVERY : COMPARE_EVERY) ==
                                       (options->brief ? BRIEF_API_EVERY : 0);
}

int main(int argc, char **argv)
{
        struct arguments a = {.seed = 1, .schedules = 1};
        struct world_result sum = {0};
        uint64_t failed = 0;
        unsigned missing;
        clock_t began = clock();

        if (!parse(argc, argv, &a))
                return usage();
        for (uint64_t i = 0; i < a.schedules && !(failed && a.until_failure); i++) {
                const struct world_options options = options_of(&a, a.seed + i);
                struct world_result r;

                world_run(&options, &r);
                if (is_compared(&options))
                        compare_courses(options, &r);
                add(&sum, &r);
                if (!r.problems)
                        continue;
                failed++;
                (void)printf("seed %" PRIu64 ": %s\n", options.seed, r.problem);
                (void)fflush(stdout); /* for runs of hours */
        }
        missing = show(&sum);
        (void)printf("%" PRIu64 " schedules from seed %" PRIu64 ": %" PRIu64 " failed; %.1f s\n", a.schedules, a.seed,
                     failed, (double)(clock() - began) / CLOCKS_PER_SEC);
        if (missing && a.schedules >= (a.brief ? BRIEF_MEETS_ALL : MEETS_ALL) && !a.until_failure) {
                (void)printf(
                        "%u kinds of what is counted were not met: the faults of the models are not what they were\n",
                        missing);
                return 1;
        }
        return a.until_failure ? failed == 0 : failed > 0;
}
