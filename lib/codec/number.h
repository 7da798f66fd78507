#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Floating-point numbers as Go's strconv and encoding/json write them: the fewest digits that read back as the same
 * number. Inside the codec only. The C locale's decimal point is assumed; no program here calls setlocale.
 */
#include <stdbool.h>

#define NUMBER_TEXT_MAX 64

/* strconv.FormatFloat(v, 'g', -1, single ? 32 : 64): 1e+06, 0.001, 1.5; NaN and +Inf, -Inf as there. */
void number_format_g(double v, bool single, char ret_text[NUMBER_TEXT_MAX]);

/* As encoding/json writes a float64: 1000000, 1e+21, 1e-7. v is finite. */
void number_format_json(double v, char ret_text[NUMBER_TEXT_MAX]);
