#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The pause image that the program carries: our own pause (cmd/pause) and nothing else, so that a node with no registry
 * still starts pods. The same bytes, and so the same image id, for the same version of this project.
 */
#include <stddef.h>
#include <stdint.h>

struct err;

extern const unsigned char pause_binary[]; /* static ELF program of this architecture */
extern const size_t pause_binary_size;

/* An archive for `docker load` (docker_ops.image_load) with the image under the name ref, in a memory file. Close
 * *ret_fd. */
int pause_image_make(const char *ref, int *ret_fd, uint64_t *ret_size, struct err *err);
