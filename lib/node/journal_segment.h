#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of journal segments, for writer and reader.
 */
#include <stddef.h>

struct err;

#define JOURNAL_VERSION 1

struct journal_segments {
        unsigned long long *numbers; /* ascending; free it */
        size_t count;
};

/* Free it. */
char *journal_segment_path(const char *directory, unsigned long long number);
int journal_segments_list(const char *directory, struct journal_segments *ret, struct err *err);
