#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Field errors in the form of apimachinery/pkg/util/validation/field: `path: Invalid value: "x": reason`.
 */
#include <stdint.h>

#include "phase/config.h"
#include "phase/problems.h"

void field_invalid_text(struct config_problems *problems, const struct config_text *value, const char *path,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The bad value as it stands: a number, or a list or map already written out. */
void field_invalid_raw(struct config_problems *problems, const struct value_place *place, const char *path,
                       const char *value, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
