#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of SystemVerification write into: the report, and the table that is shown where one of them failed.
 */
#include <stdbool.h>

#include "base/buf.h"

struct preflight_report;

enum verification_result { VERIFICATION_GOOD, VERIFICATION_BAD, VERIFICATION_WARN, VERIFICATION_MAX };

struct verification {
        struct preflight_report *report;
        struct buf table;
        bool failed;
};

/* A line of the table, with kubeadm's colours. */
void verification_show(struct verification *v, enum verification_result result, const char *key, const char *text);
/* An error of the check. */
void verification_fail(struct verification *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Whether an extended regular expression is found in text. */
bool verification_matches(const char *pattern, const char *text);

/* preflight_docker.c: version and graph driver of Docker behind the dockershim. */
void verification_check_docker(struct verification *v);
