#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What `podwatch status` prints: a table as kubectl's, and below it what a person should know, each with its reason:
 * what podwatch waits for, which manifest is not in force and why, why a pod is not further along and when the next try
 * comes, the last words of what crashed, and which files are not read. Pure: the JSON of GET /status in, text out.
 */
#include <stdbool.h>

#include "base/clock.h"

struct buf;
struct cJSON;
struct strv;

/* only: names of pods (with or without "namespace/") to show, empty: all. wide: more columns. */
void status_table(const struct cJSON *status, const struct strv *only, bool wide, struct buf *out);

/* What else there is to say of a pod of that JSON, below a title: waits, last words, who refused it; nothing where
 * there is none. */
void status_more(const struct cJSON *pod, usec_t now, struct buf *out);

/* A line for each pod that is not as it was in `before` (NULL: for all) and, where all are shown, for what podwatch
 * waits for and each file that has a problem by now: for a status that is followed by a program or into a file. */
void status_changes(const struct cJSON *status, const struct cJSON *before, const struct strv *only, struct buf *out);

/* kubectl's STATUS column of a v1 Pod status: "Running", "CrashLoopBackOff", "Init:0/1", ... ret_text at least 64
 * bytes. */
void status_word(const struct cJSON *pod_status, bool stopping, char *ret_text, unsigned long size);
