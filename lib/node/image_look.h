#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Questions about images to Docker, waited for: for commands that look before something is done.
 */
#include "base/strv.h"

struct err;

struct image_look {
        const char *socket; /* Docker's */
};

/* Path of Docker's socket by dockerEndpoint (NULL: DOCKER_HOST, else the default). Free it; NULL where it is no unix
 * socket. */
char *image_look_socket(const char *endpoint);

/* Docker answers: 0, else why not. */
int image_look_ping(const struct image_look *look, struct err *err);
/* 0: it is here; 1: it is not. *ret_path (may be NULL): PATH of its environment. */
int image_look_find(const struct image_look *look, const char *image, char **ret_path, struct err *err);
/* Whether a file is in the image: 0 yes, 1 none of the paths is there. Makes a container that is never started, and
 * removes it. */
int image_look_file(const struct image_look *look, const char *image, const struct strv *paths, struct err *err);
