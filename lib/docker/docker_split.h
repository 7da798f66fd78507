#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker's byte streams taken apart as they come, in pieces of any size. Pure.
 *
 *  - Lines: events and progress are one JSON object a line.
 *  - Output: what a container or an exec writes without a terminal comes in frames, each behind a header of 8 bytes
 * (the stream, three zeros, the length in big endian). With a terminal there are no frames. (Docker Engine API, "Attach
 * to a container", "Stream format")
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

/* A callback returns false to stop: the rest of what was given is dropped. */
typedef bool (*docker_line_fn)(void *userdata, const char *line, size_t len);
typedef bool (*docker_output_fn)(void *userdata, int stream, const char *data, size_t len);

struct docker_lines {
        struct buf rest; /* of a line that has not ended */
        docker_line_fn fn;
        void *userdata;
};

/* max: bytes of the longest line. */
void docker_lines_init(struct docker_lines *lines, size_t max, docker_line_fn fn, void *userdata);
void docker_lines_release(struct docker_lines *lines);
/* fn gets each line that is complete (NUL-terminated, without its end, empty ones left out). 0, 1 when fn stopped it,
 * or -ERR_LIMIT. */
int docker_lines_feed(struct docker_lines *lines, const char *data, size_t len, struct err *err);
/* The stream has ended: a last line without an end counts. As docker_lines_feed. */
int docker_lines_end(struct docker_lines *lines, struct err *err);

enum docker_output_format {
        DOCKER_OUTPUT_UNKNOWN, /* the first bytes tell: a frame's header has three zeros there, text has not */
        DOCKER_OUTPUT_FRAMES,
        DOCKER_OUTPUT_RAW, /* all of it is stdout */
};

struct docker_output {
        enum docker_output_format format;
        unsigned char header[8];
        size_t header_len; /* of what is there of it */
        uint32_t left;     /* of the frame's content */
        docker_output_fn fn;
        void *userdata;
};

void docker_output_init(struct docker_output *output, docker_output_fn fn, void *userdata);
/* Content is passed on in pieces as it comes. 0, 1 when fn stopped it, -ERR_PROTOCOL for a header that is none. */
int docker_output_feed(struct docker_output *output, const char *data, size_t len, struct err *err);
/* The stream has ended: -ERR_PROTOCOL where it did so within a frame. */
int docker_output_end(struct docker_output *output, struct err *err);
