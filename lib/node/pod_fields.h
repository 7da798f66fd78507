#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * In which fields two versions of a pod differ, less what every version has of its own (UID, hash, time seen).
 */
struct cJSON;
struct pod;

/* Array of {"field","before","after"}; before or after is left out where the field is not there. Values of what may be
 * secret (env of a container) are not shown by callers that log. cJSON_Delete it. */
struct cJSON *pod_fields_diff(const struct pod *before, const struct pod *after);
