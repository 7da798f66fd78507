/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/colour.h"
#include "base/str.h"

static const char *const sequences[COLOUR_MAX] = {
        [COLOUR_ERROR] = "\033[31m",
        [COLOUR_WARNING] = "\033[33m",
};

bool colour_wanted(FILE *f)
{
        const char *no_colour = getenv("NO_COLOR");
        int fd = fileno(f);

        return fd >= 0 && str_empty(no_colour) && !str_eq(getenv("TERM"), "dumb") && isatty(fd) == 1;
}

const char *colour_begin(FILE *f, enum colour colour)
{
        return colour_wanted(f) ? sequences[colour] : "";
}

const char *colour_end(FILE *f)
{
        return colour_wanted(f) ? "\033[0m" : "";
}
