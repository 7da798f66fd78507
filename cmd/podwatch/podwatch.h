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
};

extern const struct cli_program podwatch_program;

#define PODWATCH_SOCKET "/run/podwatch/podwatch.sock"
#define PODWATCH_JOURNAL "/var/lib/podwatch/journal"

int verb_completion(void *userdata, const struct strv *args);
int verb_replay(void *userdata, const struct strv *args);
int verb_run(void *userdata, const struct strv *args);
int verb_status(void *userdata, const struct strv *args);
int verb_version(void *userdata, const struct strv *args);

/* Prints "error: ..." and returns 1. */
int podwatch_fail(const struct err *err);

/* Answer of a running podwatch to GET path. Errors say when none runs. */
int podwatch_get(const struct podwatch *p, const char *path, struct buf *out, struct err *err);
