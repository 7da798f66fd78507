#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Which images to remove when the disk fills, by the kubelet's thresholds (pkg/kubelet/images/image_gc_manager.go):
 * from the high one on, those used longest ago, until the low one is reached; and whatever nobody used for the maximum
 * age. Never what a pod or any container uses, nothing younger than the minimum age, and, unlike the kubelet, nothing
 * that no registry gave: it could not be had again. Decides only; time is given.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strv.h"

struct docker_images;
struct image_gc;

struct image_gc_policy {
        int high_percent, low_percent; /* of the disk in use; high 100: never for want of room */
        usec_t min_age;
        usec_t max_age; /* 0: none */
};

struct image_gc *image_gc_new(void);
struct image_gc *image_gc_free(struct image_gc *gc); /* takes NULL, returns NULL */

/* A pod uses the image with this id (sha256:...). */
void image_gc_used(struct image_gc *gc, const char *id, usec_t now);

/* Bytes to free, 0 below the high threshold. */
int64_t image_gc_excess(const struct image_gc_policy *policy, int64_t disk_bytes, int64_t available_bytes);

/* Appends what to remove, in order: references where an image has some (the last of them takes it away), else its id.
 * in_use: ids and references. to_free: see image_gc_excess. Returns when an image that was too young will be old
 * enough, USEC_INFINITY where there is none and something is wanted of it. */
usec_t image_gc_plan(struct image_gc *gc, const struct image_gc_policy *policy, const struct docker_images *images,
                     const struct strv *in_use, int64_t to_free, usec_t now, struct strv *ret_remove);
