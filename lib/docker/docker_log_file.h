#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The log of a container as Docker's json-file driver leaves it on disk, read without Docker: for when the daemon is
 * away. One JSON object a line, {"log": "...", "stream": "...", "time": "..."}; older files are PATH.1, PATH.2 ...
 * (daemon/logger/jsonfilelog, daemon/logger/loggerutils). What Docker has compressed (PATH.N.gz) is not read, nor what
 * is older than that.
 *
 * Each step reads at most DOCKER_LOG_STEP bytes, so a loop can take turns; the last lines are found from the end, so a
 * large log costs no more than what is wanted of it. What is written after the opening is not seen.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "docker/docker_record.h"

struct buf;
struct docker_log_file;
struct err;

#define DOCKER_LOG_STEP (64 * 1024)

struct docker_log_wanted {
        int64_t tail;    /* lines from the end, -1: all; as Docker counts them, records */
        usec_t since;    /* wall clock, 0: all; of those lines */
        bool timestamps; /* nine digits of a second and a space in front of each record, as Docker writes them */
        docker_record_fn record; /* NULL, or called for each record in the place of adding its text to a step's out */
        void *userdata;
};

/* path: the newest file. Codes: errno of open (ENOENT), ERR_INVALID where it is no regular file. */
int docker_log_file_open(const char *path, const struct docker_log_wanted *wanted, struct docker_log_file **ret,
                         struct err *err);
struct docker_log_file *docker_log_file_free(struct docker_log_file *file); /* takes NULL, returns NULL */

/* One step: appends what it found to out, perhaps nothing. 1: there may be more; 0: that was the end. A line that is no
 * record (the machine went down while it was written) is left out. -ERR_LIMIT: a line longer than any that Docker
 * writes. */
int docker_log_file_step(struct docker_log_file *file, struct buf *out, struct err *err);
