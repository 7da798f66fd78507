#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One random schedule: pods that people want, edit and take away, processes that crash, a daemon and a podwatch that
 * fail; then calm, in which all must become as it is wanted. What is true is known here, independent of podwatch, and
 * checked at every start and stop of a container.
 */
#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "model_api.h"
#include "model_dir.h"

struct world_options {
        uint64_t seed;
        bool verbose;    /* the course of events to stdout */
        bool records;    /* what the journal would hold, too */
        bool api;        /* with an API server */
        bool replay;     /* compare with a replay of what was recorded */
        bool brief;      /* a small world: one or two pods, a minute of faults, a calm that is looked at more often */
        bool whole_calm; /* wait for all of the time that the longest wait may take, though all is settled before */
};

struct world_result {
        char problem[1024]; /* the first thing that must not be; "" for none */
        uint64_t problems;
        uint64_t events, starts, edits, kills, node_restarts, daemon_restarts, reboots, clock_jumps, holds, records;
        uint64_t volume_failures, probe_failures, disk_failures;
        uint64_t doc_edits, refused, doc_containers, doc_shows;
        uint64_t trials, accepted, reverted;
        struct model_met met;
        struct model_dir_met dir;
        struct model_api_met api;
        uint64_t course; /* a digest of what happened to containers, and when */
};

void world_run(const struct world_options *options, struct world_result *ret);
