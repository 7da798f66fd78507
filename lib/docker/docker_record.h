#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of a log, taken out of what Docker sends of it with timestamps. A record is what the log driver keeps as one:
 * a line with its end, or a piece of 16 KiB of a longer one without (daemon/logger/copier.go). Docker sends each in a
 * frame of its own, its time and a space in front. Of a container with a terminal there are no frames; there a record
 * ends with its line, or where a piece of that size is followed by the time of the next. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct err;

struct docker_record {
        int stream; /* 1 stdout, 2 stderr */
        const char
                *time; /* RFC 3339 with nine digits of a second; "" where there is none: Docker's own words, an error */
        const char *text; /* with the end of its line, where it has one; any bytes, not terminated */
        size_t len;
};
typedef void (*docker_record_fn)(void *userdata, const struct docker_record *record);

struct docker_records {
        struct buf held; /* of a record that has not ended, with its time */
        int stream;
        docker_record_fn fn;
        void *userdata;
};

void docker_records_init(struct docker_records *records, docker_record_fn fn, void *userdata);
void docker_records_release(struct docker_records *records);
/* A piece of a frame's content; ends: it is the last one. A record longer than LIMIT_DOCKER_LOG_RECORD comes in pieces
 * with the same time. 0 or -ENOMEM. */
int docker_records_frame(struct docker_records *records, int stream, const char *data, size_t len, bool ends,
                         struct err *err);
/* A piece of what comes without frames. The same. */
int docker_records_raw(struct docker_records *records, const char *data, size_t len, struct err *err);
/* The stream has ended: what is left is a record. */
void docker_records_end(struct docker_records *records);
