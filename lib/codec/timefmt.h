#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as the API writes them: RFC 3339 in UTC, with seconds (metav1.Time), microseconds (metav1.MicroTime) or
 * nanoseconds (Docker); and Go durations ("1h2m3s", "90s", "4m0s").
 */
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct err;

#define TIMEFMT_MAX 40

void timefmt_seconds(usec_t realtime, char ret_text[TIMEFMT_MAX]); /* 2024-05-01T12:00:00Z */
void timefmt_micro(usec_t realtime, char ret_text[TIMEFMT_MAX]);   /* 2024-05-01T12:00:00.123456Z */
/* RFC 3339 with any fraction and offset. Docker's zero time 0001-01-01T00:00:00Z gives 0. 0 or -EINVAL. */
int timefmt_parse(const char *s, usec_t *ret_realtime);

/* Go's time.ParseDuration, sign included; result in nanoseconds. 0 or -EINVAL with Go's message
 * (`time: invalid duration "x"`). */
int duration_parse(const char *s, int64_t *ret_nsec, struct err *err);
/* Go's Duration.String(). */
void duration_text(int64_t nsec, char ret_text[TIMEFMT_MAX]);
/* As kubectl's ages: 45s, 5m, 2m30s, 3h, 4d2h (duration.HumanDuration). */
void duration_human(usec_t d, char ret_text[TIMEFMT_MAX]);
