#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch's command line: what the options fill in, and one function a verb.
 */
#include <stdbool.h>

#include "base/cli.h"
#include "base/strv.h"
#include "docker/docker_split.h"
#include "net/unix_ask.h"

struct buf;
struct err;

struct podwatch {
        struct strv run_flags; /* of `run`, as given: they are the kubelet's, kubelet_config knows them */
        const char *socket;    /* of a running podwatch */
        const char *output;    /* -o */
        const char *container; /* -c; NULL: all, or the pod's default */
        bool watch;            /* -w */
        bool follow, previous, timestamps;
        int tail;               /* lines; -1: all */
        int limit_bytes;        /* 0: none */
        const char *since;      /* a duration */
        const char *since_time; /* RFC 3339 */
        int timeout;            /* seconds */
        const char *node_name;  /* NULL: this machine's */
        const char *docker;     /* dockerEndpoint; NULL: DOCKER_HOST, else the default socket */
        bool no_host;           /* the manifests alone, nothing of this machine */
        const char *state;      /* directory of podwatch's state */
};

extern const struct cli_program podwatch_program;

#define PODWATCH_SOCKET "/run/podwatch/podwatch.sock"
#define PODWATCH_STATE "/var/lib/podwatch"
#define PODWATCH_JOURNAL PODWATCH_STATE "/journal"

int verb_completion(void *userdata, const struct strv *args);
int verb_describe(void *userdata, const struct strv *args);
int verb_diff(void *userdata, const struct strv *args);
int verb_drain(void *userdata, const struct strv *args);
int verb_events(void *userdata, const struct strv *args);
int verb_history(void *userdata, const struct strv *args);
int verb_logs(void *userdata, const struct strv *args);
int verb_plan(void *userdata, const struct strv *args);
int verb_replay(void *userdata, const struct strv *args);
int verb_restart(void *userdata, const struct strv *args);
int verb_resume(void *userdata, const struct strv *args);
int verb_retry(void *userdata, const struct strv *args);
int verb_rollback(void *userdata, const struct strv *args);
int verb_run(void *userdata, const struct strv *args);
int verb_status(void *userdata, const struct strv *args);
int verb_validate(void *userdata, const struct strv *args);
int verb_version(void *userdata, const struct strv *args);

/* Prints "error: ..." and returns 1. */
int podwatch_fail(const struct err *err);

/* Answer of a running podwatch to GET path. Errors say when none runs. */
int podwatch_get(const struct podwatch *p, const char *path, struct buf *out, struct err *err);
/* The same for POST. 1: what was asked for goes on still (202). Another answer than 200 is an error with the answer's
 * own words. */
int podwatch_post(const struct podwatch *p, const char *path, struct buf *out, struct err *err);
/* Answer of a running podwatch to GET path as it comes. Errors as of podwatch_get; data and head are called for status
 * 200 alone. */
struct podwatch_stream {
        http_answer_head_fn head; /* may be NULL */
        http_answer_data_fn data;
        void (*tick)(void *userdata); /* nothing came for a second; may be NULL */
        void *userdata;
};
int podwatch_follow(const struct podwatch *p, const char *path, const struct podwatch_stream *stream, struct err *err);
/* The same for lines (without their end); one that broke off is left out. */
struct podwatch_lines {
        http_answer_head_fn head; /* may be NULL */
        docker_line_fn line;      /* false: enough */
        void (*tick)(void *userdata);
        void *userdata;
};
int podwatch_follow_lines(const struct podwatch *p, const char *path, const struct podwatch_lines *lines,
                          struct err *err);
/* A docker_line_fn: prints the line as it is. */
bool podwatch_print_line(void *userdata, const char *line, size_t len);
/* A revision's number on the command line. */
int podwatch_revision(const char *word, unsigned *ret, struct err *err);
/* Lower case; free it. */
char *podwatch_node_name(const struct podwatch *p);
