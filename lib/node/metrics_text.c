/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "node/metrics_text.h"

#define NUMBER_MAX 40

void metrics_family(struct buf *out, const char *name, const char *type, const char *help)
{
        buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The shortest text that is the same number again. */
static void number_text(double value, char ret_text[NUMBER_MAX])
{
        for (int digits = 6; digits <= 17; digits++) {
                double again = 0;

                (void)snprintf(ret_text, NUMBER_MAX, "%.*g", digits, value);
                if (sscanf(ret_text, "%lf", &again) == 1 && again <= value && again >= value)
                        return;
        }
}

static void add_value(struct buf *out, const char *text)
{
        for (; *text; text++) {
                if (*text == '\\' || *text == '"')
                        buf_addch(out, '\\');
                if (*text == '\n')
                        buf_addstr(out, "\\n");
                else
                        buf_addch(out, *text);
        }
}

void metrics_sample_at(struct buf *out, const char *name, const struct metrics_label *labels, size_t label_count,
                       double value, usec_t wall)
{
        char number[NUMBER_MAX];

        buf_addstr(out, name);
        for (size_t i = 0; i < label_count; i++) {
                buf_addf(out, "%s%s=\"", i ? "," : "{", labels[i].name);
                add_value(out, labels[i].value);
                buf_addch(out, '"');
        }
        number_text(value, number);
        buf_addf(out, "%s %s", label_count > 0 ? "}" : "", number);
        if (wall)
                buf_addf(out, " %" PRIu64, wall / USEC_PER_MSEC);
        buf_addch(out, '\n');
}

void metrics_sample(struct buf *out, const char *name, const struct metrics_label *labels, size_t label_count,
                    double value)
{
        metrics_sample_at(out, name, labels, label_count, value, 0);
}

void metrics_sample1(struct buf *out, const char *name, const char *label, const char *label_value, double value)
{
        const struct metrics_label one = {label, label_value};

        metrics_sample(out, name, &one, label ? 1 : 0, value);
}

void metrics_histogram_add(struct metrics_histogram *h, const double *bounds, size_t bound_count, double value)
{
        h->count++;
        h->sum += value;
        for (size_t i = 0; i < bound_count; i++) {
                if (value <= bounds[i]) {
                        h->buckets[i]++;
                        return;
                }
        }
}

void metrics_histogram_write(struct buf *out, const char *name, const struct metrics_label *label,
                             const struct metrics_histogram *h, const double *bounds, size_t bound_count)
{
        char *bucket CLEANUP_FREE = xasprintf("%s_bucket", name), *sum CLEANUP_FREE = xasprintf("%s_sum", name);
        char *count CLEANUP_FREE = xasprintf("%s_count", name), bound[NUMBER_MAX];
        struct metrics_label labels[2] = {label ? *label : (struct metrics_label){0}};
        size_t own = label ? 1 : 0;
        uint64_t below = 0;

        for (size_t i = 0; i < bound_count; i++) {
                below += h->buckets[i];
                number_text(bounds[i], bound);
                labels[own] = (struct metrics_label){"le", bound};
                metrics_sample(out, bucket, labels, own + 1, (double)below);
        }
        labels[own] = (struct metrics_label){"le", "+Inf"};
        metrics_sample(out, bucket, labels, own + 1, (double)h->count);
        metrics_sample(out, sum, labels, own, h->sum);
        metrics_sample(out, count, labels, own, (double)h->count);
}
