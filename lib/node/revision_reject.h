#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The version of a pod that failed its trial (pod_gate.h), remembered on disk beside the others:
 *
 *      <state>/pods/<namespace>_<name>/rejected    which version, and why
 *
 * so that neither a restart of podwatch nor another look at the file tries it again. One a pod: the next edit ends it.
 */
#include <stdbool.h>

struct err;
struct pod;
struct revisions;

/* pod (version number) is not to be taken again; fallback is the current version from now on. */
int revision_reject(struct revisions *revisions, const struct pod *pod, unsigned number, const char *why,
                    const struct pod *fallback, unsigned fallback_number, const char *file, struct err *err);
/* *ret_why: free it. */
bool revision_is_rejected(struct revisions *revisions, const struct pod *pod, char **ret_why);
void revision_unreject(struct revisions *revisions, const char *namespace, const char *name);
