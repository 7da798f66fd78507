#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What fuzz programs share: libFuzzer's entry, and an assertion that stays in every build.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                                  \
        do {                                                                                             \
                if (!(condition)) {                                                                      \
                        (void)fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
                        abort();                                                                         \
                }                                                                                        \
        } while (0)
