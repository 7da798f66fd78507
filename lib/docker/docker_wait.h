#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker operations for programs that do one thing after another: each waits for its end on a loop of its own.
 */
#include "docker/docker.h"

struct err;
struct docker_wait;

/* host as for docker_http_new. */
int docker_wait_new(const char *host, struct docker_wait **ret, struct err *err);
struct docker_wait *docker_wait_free(struct docker_wait *wait); /* takes NULL, returns NULL */

/* The image's id (free it). 0; 1: there is no such image. */
int docker_wait_image_id(struct docker_wait *wait, const char *ref, char **ret_id, struct err *err);
/* auth as for image_pull; progress (may be NULL) gets userdata. */
int docker_wait_pull(struct docker_wait *wait, const char *ref, const char *auth, docker_progress_fn progress,
                     void *userdata, struct err *err);
/* Loads the archive in a regular file (not closed). */
int docker_wait_load(struct docker_wait *wait, int fd, struct err *err);

/* The ids of all containers, stopped ones too, that carry the label. */
int docker_wait_list(struct docker_wait *wait, const char *label, struct strv *ret_ids, struct err *err);
/* By force; one that is gone is fine. */
int docker_wait_remove(struct docker_wait *wait, const char *id, struct err *err);
/* The daemon's version (free it): whether it answers. */
int docker_wait_version(struct docker_wait *wait, char **ret_version, struct err *err);

static inline void cleanup_docker_wait(struct docker_wait **wait)
{
        *wait = docker_wait_free(*wait);
}
#define CLEANUP_DOCKER_WAIT __attribute__((cleanup(cleanup_docker_wait)))
