#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigMaps and Secrets are new, changed or gone: the volumes of what runs show the new content. Variables are those
 * of a container's start, so nothing else has to be done.
 */
struct host;
struct pod_store;

/* failed: a volume that keeps the content that it has, and why. */
void config_refresh(const struct pod_store *store, const struct host *host,
                    void (*failed)(void *userdata, const char *key, const char *message), void *userdata);
