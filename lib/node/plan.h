#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What would become of the pods of this node with other manifests: which are made, replaced, removed, by which field,
 * and what stands in the way. Compares with what a running podwatch shows; touches nothing.
 */
#include <stdbool.h>

struct buf;
struct cJSON;
struct config_objects;
struct err;
struct validation;

struct plan_input {
        struct validation
                *files; /* read with their place in the manifest directory; not strict, as podwatch reads them */
        bool whole;     /* they are all there is: pods of other files go */
        const struct cJSON *status;           /* of podwatch: GET /status */
        const struct cJSON *pods;             /* GET /pods */
        const struct config_objects *configs; /* that are in force, to compare those of `files` with; NULL: the same */
        const char *docker_socket;            /* NULL: images are not looked at */
};

/* {"pods":[{"pod","file","action","fields","missingImages","clashes","gap":{"expectedMs","measured"},"configs"}],"problems":N,
 * "notes":[...]}; action: create, replace, remove, keep (the file is wrong, or failed its trial: what runs stays),
 * shadowed (another file, "by", has the name and counts), refresh (ConfigMaps or Secrets that it takes from differ,
 * "configs" as of plan_configs.h), unchanged. */
int plan_make(const struct plan_input *in, struct cJSON **ret, struct err *err);
void plan_text(const struct cJSON *plan, struct buf *out);
