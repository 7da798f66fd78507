#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Slices of pods, with Docker's systemd driver: systemd is asked over D-Bus to make them with their weights and limits
 * before the first container is there, to change them and to stop them, as the kubelet does. With the cgroupfs driver,
 * or without cgroups of pods, nothing is asked and no connection is made.
 *
 * A pod never waits for systemd longer than SLICES_TIMEOUT a call, and runs without what could not be set: one warning
 * tells, until something succeeds.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct bus_peer;
struct host;
struct loop;
struct pod;
struct slices;

/* An answer takes systemd some milliseconds; what it cannot do within this time it will not do before the container is
 * started either, which asks it too. A slice takes at most four calls. */
#define SLICES_TIMEOUT (5 * USEC_PER_SEC)

/* Called once, perhaps before the function has returned. success: all is as asked for, or there was nothing to ask, or
 * something was asked for later. */
typedef void (*slices_fn)(void *userdata, bool success);

/* peers NULL: where systemd is reached, the system bus or its own socket, as the kubelet looks for it. */
struct slices *slices_new(struct loop *loop, const struct bus_peer *peers, size_t peer_count);
/* What is under way ends without a word. Takes NULL, returns NULL. */
struct slices *slices_free(struct slices *slices);

/* slices NULL everywhere: as with the cgroupfs driver. host is read while the function runs alone. */

/* Makes the pod's slice, or changes the one that is there. */
void slices_pod(struct slices *slices, const struct host *host, const struct pod *pod, slices_fn done, void *userdata);
/* As cgroup_classes. */
void slices_classes(struct slices *slices, const struct host *host, int64_t burstable_milli, slices_fn done,
                    void *userdata);
/* Stops those that the pod with this UID has, whatever its class, with all that runs in them. Nobody has to wait: what
 * is asked for later comes later. */
void slices_stop(struct slices *slices, const struct host *host, const char *uid);
