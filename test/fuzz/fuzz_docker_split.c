/* SPDX-License-Identifier: Apache-2.0
 *
 * The splitters give the same for the same bytes however they are cut: the first byte is the size of the pieces, the
 * rest comes once in one piece and once in those.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "docker/docker_split.h"
#include "fuzz.h"

#define LINE_MAX_BYTES 64
#define OUT_MAX (16 * 1024 * 1024)

struct seen {
        struct buf lines;
        struct buf stream[3];
        int code;
};

static bool on_line(void *userdata, const char *line, size_t len)
{
        struct seen *seen = userdata;
        MUST(len > 0 && len <= LINE_MAX_BYTES && line[len] == '\0' && !memchr(line, '\n', len));
        buf_addf(&seen->lines, "%zu:", len);
        buf_add(&seen->lines, line, len);
        return true;
}

static bool on_output(void *userdata, int stream, const char *data, size_t len)
{
        struct seen *seen = userdata;
        MUST(len > 0 && (stream == 1 || stream == 2));
        buf_add(&seen->stream[stream], data, len);
        return true;
}

static int lines(struct seen *seen, const char *data, size_t size, size_t piece)
{
        struct docker_lines split;
        struct err err = ERR_INIT;
        int r = 0;

        docker_lines_init(&split, LINE_MAX_BYTES, on_line, seen);
        for (size_t at = 0; r == 0 && at < size; at += piece)
                r = docker_lines_feed(&split, data + at, size - at < piece ? size - at : piece, &err);
        if (r == 0)
                r = docker_lines_end(&split, &err);
        MUST(r <= 0 && (r < 0) == (err.code != 0));
        docker_lines_release(&split);
        return r;
}

static int output(struct seen *seen, const char *data, size_t size, size_t piece)
{
        struct docker_output split;
        struct err err = ERR_INIT;
        int r = 0;

        docker_output_init(&split, on_output, seen);
        for (size_t at = 0; r == 0 && at < size; at += piece)
                r = docker_output_feed(&split, data + at, size - at < piece ? size - at : piece, &err);
        if (r == 0)
                r = docker_output_end(&split, &err);
        MUST(r <= 0 && (r < 0) == (err.code != 0));
        return r;
}

static bool same(const struct buf *a, const struct buf *b)
{
        return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen whole = {.lines = BUF_INIT(OUT_MAX),
                             .stream = {BUF_INIT(OUT_MAX), BUF_INIT(OUT_MAX), BUF_INIT(OUT_MAX)}};
        struct seen cut = whole;
        if (size < 2)
                return 0;
        size_t piece = (size_t)data[0] + 1;
        const char *text = (const char *)data + 1;

        size--;
        MUST(lines(&whole, text, size, size) == lines(&cut, text, size, piece));
        MUST(same(&whole.lines, &cut.lines));
        MUST(output(&whole, text, size, size) == output(&cut, text, size, piece));
        for (int i = 0; i < 3; i++) {
                MUST(same(&whole.stream[i], &cut.stream[i]));
                buf_release(&whole.stream[i]);
                buf_release(&cut.stream[i]);
        }
        buf_release(&whole.lines);
        buf_release(&cut.lines);
        return 0;
}
