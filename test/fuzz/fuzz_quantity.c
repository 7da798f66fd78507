/* SPDX-License-Identifier: Apache-2.0
 *
 * A quantity's text means the same quantity, and is its own text.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/quantity.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *s CLEANUP_FREE = xstrndup((const char *)data, size);
        char text[QUANTITY_TEXT_MAX], again[QUANTITY_TEXT_MAX];
        struct quantity q, r;
        struct err err = ERR_INIT;

        if (quantity_parse(s, &q, &err) < 0) {
                MUST(err.code != 0);
                return 0;
        }
        q.kept[0] = '\0';
        quantity_text(&q, text);
        MUST(quantity_parse(text, &r, NULL) == 0);
        MUST(quantity_compare(&q, &r) == 0);
        r.kept[0] = '\0';
        quantity_text(&r, again);
        /* 312.5Ki is written 320000, as in Kubernetes, and that alone would be 320k. */
        bool plain = q.format == QUANTITY_BINARY_SI && isdigit((unsigned char)text[strlen(text) - 1]);
        MUST(plain || strcmp(text, again) == 0);
        MUST((quantity_milli(&q) >= quantity_value(&q)) || q.nano < 0);
        quantity_add(&q, &r);
        quantity_text(&q, text);
        return 0;
}
