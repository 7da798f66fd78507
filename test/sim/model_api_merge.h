#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What a strategic merge patch does to an object, as far as the types at hand need it: members merge, null deletes,
 * conditions merge by type, a list that begins with {"$patch":"replace"} or has no merge key is replaced.
 */
struct cJSON;

void model_api_merge(struct cJSON *object, const struct cJSON *patch);
