/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP answer gives the same however it is cut: the first byte is the size of the pieces, the rest comes once in one
 * piece and once in those.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "fuzz.h"
#include "net/http_answer.h"

#define OUT_MAX (16 * 1024 * 1024)

struct seen {
        struct buf body;
        int heads, status, code;
};

static void on_head(void *userdata, const struct http_answer *answer)
{
        struct seen *seen = userdata;
        MUST(seen->heads++ == 0 && answer->status >= 100 && answer->status <= 999);
        free(http_answer_header(answer, "Content-Type"));
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct seen *seen = userdata;
        MUST(seen->heads == 1 && len > 0);
        buf_add(&seen->body, data, len);
        return true;
}

static void feed(struct seen *seen, const char *data, size_t size, size_t piece)
{
        struct http_answer answer;
        struct err err = ERR_INIT;
        int r = 0;

        http_answer_init(&answer, on_head, on_data, seen);
        for (size_t at = 0; r == 0 && at < size; at += piece)
                r = http_answer_feed(&answer, data + at, size - at < piece ? size - at : piece, &err);
        if (r == 0)
                r = http_answer_end(&answer, &err);
        MUST((r < 0) == (err.code != 0));
        seen->code = r;
        seen->status = answer.status;
        http_answer_release(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen whole = {.body = BUF_INIT(OUT_MAX)}, cut = whole;
        if (size < 2)
                return 0;
        feed(&whole, (const char *)data + 1, size - 1, size - 1);
        feed(&cut, (const char *)data + 1, size - 1, (size_t)data[0] + 1);
        MUST(whole.code == cut.code && whole.status == cut.status && whole.heads == cut.heads);
        MUST(whole.body.len == cut.body.len);
        MUST(whole.body.len == 0 || memcmp(whole.body.data, cut.body.data, whole.body.len) == 0);
        buf_release(&whole.body);
        buf_release(&cut.body);
        return 0;
}
