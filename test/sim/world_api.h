#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The API server's part of a schedule: what happens to it, by random numbers of its own, and what must hold of the
 * mirrors in it.
 */
#include <stdint.h>

struct world;
struct world_api;

struct world_api *world_api_new(struct world *w, uint64_t seed);
struct world_api *world_api_free(struct world_api *api); /* takes NULL, returns NULL */
/* This pod was edited ("namespace/name"), or podwatch started anew (NULL): what was refused before counts no more. */
void world_api_anew(struct world_api *api, const char *key);
/* From now on it is up, well and untouched. */
void world_api_calm(struct world_api *api);
struct model_api_met;
const struct model_api_met *world_api_met(const struct world_api *api);
/* Complains of what is not as it must be, once it is calm. */
void world_api_check(struct world_api *api);
