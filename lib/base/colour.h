#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Colour for what a person reads on a terminal, and nowhere else: not in a file or a pipe, not where NO_COLOR is set to
 * anything (https://no-color.org), not on a terminal that says it is dumb.
 */
#include <stdbool.h>
#include <stdio.h>

enum colour { COLOUR_ERROR, COLOUR_WARNING, COLOUR_MAX };

bool colour_wanted(FILE *f);

/* The sequence that begins a colour, and the one that ends it; "" where f takes none. */
const char *colour_begin(FILE *f, enum colour colour);
const char *colour_end(FILE *f);
