#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs of containers as answers to HTTP requests: what Docker keeps of a container's output, passed on as it comes. The
 * local API (`podwatch logs`) and the node's HTTPS port (/containerLogs, `kubectl logs`) answer by this module.
 *
 * Docker reads the log, so every log driver that can be read works, rotated files too, and a container that has ended
 * has its log for as long as it is there itself (podwatch keeps the run before the newest one). A reader that is slower
 * than the log makes Docker wait: what is kept here of one stream is bounded, and the loop never waits. Followed logs
 * of a quiet container wake nobody.
 *
 * While Docker does not answer, its json-file log is read from disk (docker/docker_log_file.h), with a note; a followed
 * log is then cut behind what is there.
 *
 * As JSON each record (docker/docker_record.h) is {"time", "pod": "namespace/name", "container", "attempt": the
 * restarts before this run, "stream": "stdout" or "stderr", "log": the text with the end of its line}. Time and attempt
 * are left out where they are not known. Bytes that are not UTF-8 become U+FFFD.
 *
 * A stream that could not be read to its end is cut (the client sees an HTTP body without its end), never ended as if
 * it were whole.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "node/pod_view.h"

struct container_logs;
struct docker;
struct err;
struct http_server_request;
struct loop;

/* core/v1 PodLogOptions, and `restarts`. */
struct container_log_query {
        bool follow;         /* until the container ends */
        bool previous;       /* of the run before: for the caller of container_logs_serve to choose the instance by */
        bool timestamps;     /* RFC 3339 with nanoseconds and a space in front of each line */
        bool restarts;       /* followed: go on with the container's next run, until none comes any more */
        bool json;           /* a JSON object a line for each record of the log, see below */
        int64_t tail;        /* lines from the end, -1: all */
        usec_t since;        /* wall clock, 0: all */
        int64_t limit_bytes; /* of the log's text; -1: no limit */
};

/* Value of a query parameter, NULL where it is not there (http_server_query is one). */
typedef const char *(*container_log_param_fn)(const struct http_server_request *request, const char *name);
/* Reads follow, previous, timestamps, tailLines, sinceSeconds, sinceTime (RFC 3339), limitBytes as the API server
 * passes them on (pkg/apis/core/validation, ValidatePodLogOptions), and of our own restarts and format ("json").
 * -ERR_INVALID names the parameter. */
int container_log_query_read(const struct http_server_request *request, container_log_param_fn param, usec_t now_wall,
                             struct container_log_query *ret, struct err *err);

/* Header of an answer: something to tell the person who asked (which container was taken where none was named). */
#define CONTAINER_LOG_NOTE "Podwatch-Note"
/* And what the log lacks. */
#define CONTAINER_LOG_WARNING "Podwatch-Warning"

/* One run of a container. */
struct container_log_run {
        char id[POD_VIEW_ID_MAX]; /* of the Docker container */
        int64_t attempt;          /* restarts before it; -1: not known */
};

/* What follows the instance `after` ("": the first) of a container whose log is followed over restarts. */
enum container_log_next {
        CONTAINER_LOG_NEXT, /* *ret is the run to go on with */
        CONTAINER_LOG_WAIT, /* none yet; container_logs_changed will ask again */
        CONTAINER_LOG_END,  /* none will come */
};
typedef enum container_log_next (*container_log_next_fn)(void *userdata, const char *key, const char *container,
                                                         const char *after, struct container_log_run *ret);

/* What is to be read. */
struct container_log_source {
        const char *key, *container, *id;
        int64_t attempt; /* of the instance; -1: not known */
        const char *path;
        bool away; /* Docker is known not to answer */
};

/* All logs that are being read. loop and docker are borrowed. */
struct container_logs *container_logs_new(struct loop *loop, struct docker *docker, container_log_next_fn next,
                                          void *userdata);
/* After the HTTP servers and Docker were freed. Takes NULL, returns NULL. */
struct container_logs *container_logs_free(struct container_logs *logs);
/* Answers the request, now or later: 200 and the log; 404: Docker has no such container (any more); 429: too many are
 * being read; 500: Docker's own words (a log driver that cannot be read, say); 503: Docker does not answer. key
 * ("namespace/name") and container are for `next`; id is the Docker container, "" with follow and restarts where the
 * first is still to come. Strings are copied.
 * path: the file of the json-file driver, or a link to it, NULL where none is known; it is read where Docker does not
 * answer, and at once with `away`. */
void container_logs_serve(struct container_logs *logs, struct http_server_request *request,
                          const struct container_log_source *source, const struct container_log_query *query);
/* A container was started, has ended for good, or its pod has gone: streams that wait for the next run ask again. */
void container_logs_changed(struct container_logs *logs);
