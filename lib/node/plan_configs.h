#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What an edit of ConfigMaps and Secrets of the manifest directory means to a pod that takes from them: which of its
 * fields, by which keys, and when the new content gets there. Names keys, never values. Pure.
 */
struct cJSON;
struct config_objects;
struct pod;

/* When it gets there. */
#define PLAN_CONFIG_AT_ONCE "at once"     /* files of a volume */
#define PLAN_CONFIG_RESTART "restart"     /* variables, subPath mounts: with the container's next start */
#define PLAN_CONFIG_WITHDRAWN "withdrawn" /* nothing serves it any more: what runs keeps it, a next start waits */

/* Array of {"field","from","keys":[...],"takes"}, empty where nothing of it differs. cJSON_Delete it. */
struct cJSON *plan_configs(const struct pod *pod, const struct config_objects *before,
                           const struct config_objects *after);
