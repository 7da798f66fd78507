#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch's command line: what the options fill in, and one function a verb.
 */
#include <stdbool.h>

#include "base/cli.h"
#include "base/strv.h"

struct buf;
struct err;

struct podwatch {
        struct strv run_flags; /* of `run`, as given: they are the kubelet's, kubelet_config knows them */
        const char *socket;    /* of a running podwatch */
        const char *output;    /* -o */
        const char *container; /* -c; NULL: all */
        int timeout;           /* seconds */
        const char *node_name; /* NULL: this machine's */
        const char *docker;    /* dockerEndpoint; NULL: DOCKER_HOST, else the default socket */
        bool no_host;          /* the manifests alone, nothing of this machine */
        const char *state;     /* directory of podwatch's state */
};

extern const struct cli_program podwatch_program;

#define PODWATCH_SOCKET "/run/podwatch/podwatch.sock"
#define PODWATCH_STATE "/var/lib/podwatch"
#define PODWATCH_JOURNAL PODWATCH_STATE "/journal"

int verb_completion(void *userdata, const struct strv *args);
int verb_diff(void *userdata, const struct strv *args);
int verb_drain(void *userdata, const struct strv *args);
int verb_history(void *userdata, const struct strv *args);
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
/* A revision's number on the command line. */
int podwatch_revision(const char *word, unsigned *ret, struct err *err);
/* Lower case; free it. */
char *podwatch_node_name(const struct podwatch *p);
