/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever yaml_load takes can be written, and what was written reads as it was written.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fuzz.h"

/* Flaws of go-yaml are ours as well, since the bytes are: a string with one of the Unicode line breaks may read
 * otherwise than it was, and the key "<<" gets no quotes. */
static bool is_flawed(const struct buf *text)
{
        return strstr(buf_str(text), "\xe2\x80\xa8") || strstr(buf_str(text), "\xe2\x80\xa9") ||
               strstr(buf_str(text), "<<:");
}

static void check_again(const struct buf *text, unsigned flags)
{
        struct buf again CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *v CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;
        int r = yaml_load_one("written", buf_str(text), text->len, 0, &v, &err);

        if (r == -ERR_LIMIT)
                return;
        if (r < 0)
                (void)fprintf(stderr, "%s\n%s\n", err.msg, buf_str(text));
        MUST(r == 0);
        yaml_write(v, flags, &again);
        MUST(again.failed || (again.len == text->len && memcmp(again.data, text->data, text->len) == 0));
}

static void check_value(const struct value *v, unsigned flags)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        yaml_write(v, flags, &text);
        if (!text.failed && !is_flawed(&text))
                check_again(&text, flags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct yaml_documents strict CLEANUP_YAML_DOCUMENTS = {0}, lax CLEANUP_YAML_DOCUMENTS = {0};
        struct err err = ERR_INIT;
        int r = yaml_load("input", (const char *)data, size, 0, &strict, &err);

        MUST((r < 0) == (err.code != 0) && (r == 0 || strncmp(err.msg, "input", 5) == 0));
        int lax_r = yaml_load("input", (const char *)data, size, YAML_DUPLICATE_LAST_WINS, &lax, NULL);
        MUST(r < 0 || lax_r == 0);
        MUST(r < 0 || strict.count == lax.count);
        for (size_t i = 0; i < lax.count; i++) {
                MUST(r < 0 || value_equal(strict.items[i], lax.items[i]));
                check_value(lax.items[i], 0);
                check_value(lax.items[i], YAML_WRITE_KEEP_ORDER | YAML_WRITE_NO_FOLD);
        }
        return 0;
}
