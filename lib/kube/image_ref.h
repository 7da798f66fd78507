#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of images as Docker reads them (github.com/distribution/reference): [DOMAIN/]PATH[:TAG][@DIGEST], where a short
 * name means docker.io/library.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

#define IMAGE_NAME_MAX 272 /* 255 characters, and room for the "library/" that is put in front */
#define IMAGE_TAG_MAX 129
#define IMAGE_DIGEST_MAX 160

struct image_ref {
        char domain[IMAGE_NAME_MAX];   /* "docker.io" where none is written */
        char path[IMAGE_NAME_MAX];     /* "library/busybox" */
        char tag[IMAGE_TAG_MAX];       /* "latest" where neither tag nor digest is written; "" with a digest alone */
        char digest[IMAGE_DIGEST_MAX]; /* "sha256:...", or "" */
};

/* 0, or -ERR_INVALID with what is wrong ("invalid reference format: ..."). */
int image_ref_parse(const char *text, struct image_ref *ret, struct err *err);
