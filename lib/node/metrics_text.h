#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus' text format (version 0.0.4): families, samples, histograms. Pure.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct buf;

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_BUCKETS_MAX 32

/* # HELP and # TYPE of a family whose samples follow. type: "counter", "gauge", "histogram". */
void metrics_family(struct buf *out, const char *name, const char *type, const char *help);

struct metrics_label {
        const char *name, *value; /* any bytes: escaped */
};
/* NAME{a="b",...} VALUE */
void metrics_sample(struct buf *out, const char *name, const struct metrics_label *labels, size_t label_count,
                    double value);
/* The same with the time of measuring behind it (milliseconds of the wall clock); 0: without. */
void metrics_sample_at(struct buf *out, const char *name, const struct metrics_label *labels, size_t label_count,
                       double value, usec_t wall);
/* The same for what has one label or none (label NULL). */
void metrics_sample1(struct buf *out, const char *name, const char *label, const char *label_value, double value);

struct metrics_histogram {
        uint64_t
                buckets[METRICS_BUCKETS_MAX]; /* not cumulative; what is above the last bound counts in `count` alone */
        uint64_t count;
        double sum;
};
/* bounds: ascending, at most METRICS_BUCKETS_MAX; the same ones for both. */
void metrics_histogram_add(struct metrics_histogram *h, const double *bounds, size_t bound_count, double value);
/* NAME_bucket, NAME_sum and NAME_count; label NULL: no labels but le. */
void metrics_histogram_write(struct buf *out, const char *name, const struct metrics_label *label,
                             const struct metrics_histogram *h, const double *bounds, size_t bound_count);

/* process_*: what this process takes, by the names of Prometheus' client libraries. What cannot be read is left out. */
void metrics_process(struct buf *out);
