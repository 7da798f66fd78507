#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of the Engine API to structs. Pure. What Docker may leave out is "" or 0; what makes no sense (no JSON, no id,
 * a state that does not exist) is ERR_PROTOCOL. Results are untouched on failure and must be released.
 */
#include "docker/docker.h"

struct buf;
struct err;

int docker_decode_version(const char *json, size_t len, struct docker_version *ret, struct err *err);
void docker_version_release(struct docker_version *version);
/* MinAPIVersion of the same body goes into *ret_min ("" without); free it. */
int docker_decode_version_min(const char *json, size_t len, char **ret_min, struct err *err);

int docker_decode_info(const char *json, size_t len, struct docker_info *ret, struct err *err);
void docker_info_release(struct docker_info *info);

int docker_decode_containers(const char *json, size_t len, struct docker_containers *ret, struct err *err);
void docker_containers_release(struct docker_containers *containers);
int docker_decode_container(const char *json, size_t len, struct docker_container *ret, struct err *err);

int docker_decode_image(const char *json, size_t len, struct docker_image *ret, struct err *err);
int docker_decode_images(const char *json, size_t len, struct docker_images *ret, struct err *err);
void docker_images_release(struct docker_images *images);

/* Member Id of an answer to a create. Free the result. */
int docker_decode_id(const char *json, size_t len, char **ret_id, struct err *err);

/* ExitCode of /exec/ID/json; -EAGAIN (err untouched) where it still runs. */
int docker_decode_exec(const char *json, size_t len, int *ret_exit_code, struct err *err);

/* One line of /events. The event is of strings that *ret_owned keeps: release it with docker_event_owned_release. */
struct docker_event_owned {
        struct docker_event event;
        struct docker_labels attributes;
        char *type, *action, *id, *name;
};
int docker_decode_event(const char *json, size_t len, struct docker_event_owned *ret, struct err *err);
void docker_event_owned_release(struct docker_event_owned *event);

/* One line of a pull's or a load's progress. Appends what a person wants to read ("7c600e5642cb: Downloading
 * 32.77kB/1.031MB"), perhaps nothing. A failure that the line tells is returned as -ERR_REMOTE with the daemon's text
 * and status. */
int docker_decode_progress(const char *json, size_t len, struct buf *text, struct err *err);

/* The daemon's own words in an answer of status 400 and above: member "message", else the text itself, without
 * white space at its end. Appends to out as much as it has room for, in whole characters. */
void docker_decode_message(const char *body, size_t len, struct buf *out);
