#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Kubernetes versions: vMAJOR.MINOR.PATCH with an optional pre-release ("-rc.1") and build ("+k3s1").
 */
#include <stdbool.h>
#include <stddef.h>

struct err;

#define KUBE_VERSION_MAX 96

struct kube_version {
        int major, minor, patch;
        char pre[40];   /* without the dash; "" for a release */
        char build[40]; /* without the plus */
};

/* Reads "v1.36.3", "1.36.3", "1.36.0-rc.1+build"; patch may be left out where `partial` ("1.36" is 1.36.0). 0, or
 * -ERR_INVALID with the reason. */
int kube_version_parse(const char *text, bool partial, struct kube_version *ret, struct err *err);
/* By semantic versioning: a pre-release is before its release, build does not count. <0, 0, >0. */
int kube_version_compare(const struct kube_version *a, const struct kube_version *b);
/* "v1.36.3-rc.1+build" */
void kube_version_text(const struct kube_version *v, char ret_text[KUBE_VERSION_MAX]);
