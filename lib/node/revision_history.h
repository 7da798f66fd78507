#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking back: the numbered versions that revision.c keeps of each pod, for people. Reads the disk alone, so it needs
 * no running podwatch.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

struct buf;
struct cJSON;
struct err;
struct revisions;

/* A pod of which there are versions. */
struct revision_pod {
        char *namespace, *name, *node_name;
        char *file;        /* manifest that is in force; NULL: none is (the pod was removed) */
        unsigned current;  /* version in force, 0: none */
        unsigned *numbers; /* ascending */
        size_t count;
};
void revision_pod_release(struct revision_pod *pod);
#define CLEANUP_REVISION_POD __attribute__((cleanup(revision_pod_release)))

/* Finds a pod by what a person calls it (pod_find.h). Codes as there. */
int revision_history_find(struct revisions *revisions, const char *word, struct revision_pod *ret, struct err *err);
/* Keys namespace/name of all, sorted, one a line. */
void revision_history_keys(struct revisions *revisions, struct buf *out);

/* Manifest of one version as it was written, and when that was. -ENOENT: this version is not kept (any more). */
int revision_history_raw(struct revisions *revisions, const struct revision_pod *pod, unsigned number, struct buf *out,
                         usec_t *ret_wall, struct err *err);

/* {"pod":..., "file":..., "revisions":[{"revision","time","current","changed":[paths]}]}, and the same as a table. */
int revision_history_json(struct revisions *revisions, const struct revision_pod *pod, struct cJSON **ret,
                          struct err *err);
void revision_history_table(const struct cJSON *history, usec_t now_wall, struct buf *out);

/* Version `to` against `from`: lines of the manifests, and as JSON the fields of the pods. to 0: the file as it is now
 * (lines only). */
int revision_history_diff(struct revisions *revisions, const struct revision_pod *pod, unsigned from, unsigned to,
                          struct buf *out, struct err *err);
int revision_history_fields(struct revisions *revisions, const struct revision_pod *pod, unsigned from, unsigned to,
                            struct cJSON **ret, struct err *err);
/* The version before `number`, 0 where there is none. */
unsigned revision_history_before(const struct revision_pod *pod, unsigned number);
