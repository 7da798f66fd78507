/* SPDX-License-Identifier: Apache-2.0
 *
 * The splitters give the same for the same bytes however they are cut: the first byte is the size of the pieces, the
 * rest comes once in one piece and once in those.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "docker/docker_record.h"
#include "docker/docker_split.h"
#include "fuzz.h"

#define LINE_MAX_BYTES 64
#define OUT_MAX (16 * 1024 * 1024)

struct seen {
        struct buf lines;
        struct buf stream[3];
        struct buf records;
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

struct recording {
        struct docker_output output;
        struct docker_records records;
        struct buf *out;
};

static void on_record(void *userdata, const struct docker_record *record)
{
        struct recording *r = userdata;
        MUST(record->len > 0 && (record->stream == 1 || record->stream == 2));
        buf_addf(r->out, "%d|%s|%zu:", record->stream, record->time, record->len);
        buf_add(r->out, record->text, record->len);
}

static bool on_recorded(void *userdata, int stream, const char *data, size_t len)
{
        struct recording *r = userdata;
        struct err err = ERR_INIT;
        if (r->output.format == DOCKER_OUTPUT_RAW)
                MUST(docker_records_raw(&r->records, data, len, &err) == 0);
        else
                MUST(docker_records_frame(&r->records, stream, data, len, r->output.left == 0, &err) == 0);
        return true;
}

static void records(struct buf *out, const char *data, size_t size, size_t piece)
{
        struct recording r = {.out = out};
        struct err err = ERR_INIT;
        int code = 0;

        docker_output_init(&r.output, on_recorded, &r);
        docker_records_init(&r.records, on_record, &r);
        for (size_t at = 0; code == 0 && at < size; at += piece)
                code = docker_output_feed(&r.output, data + at, size - at < piece ? size - at : piece, &err);
        if (code == 0 && docker_output_end(&r.output, &err) == 0)
                docker_records_end(&r.records);
        docker_records_release(&r.records);
}

static bool same(const struct buf *a, const struct buf *b)
{
        return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct seen whole = {.lines = BUF_INIT(OUT_MAX),
                             .records = BUF_INIT(OUT_MAX),
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
        records(&whole.records, text, size, size);
        records(&cut.records, text, size, piece);
        MUST(same(&whole.records, &cut.records));
        buf_release(&whole.records);
        buf_release(&cut.records);
        for (int i = 0; i < 3; i++) {
                MUST(same(&whole.stream[i], &cut.stream[i]));
                buf_release(&whole.stream[i]);
                buf_release(&cut.stream[i]);
        }
        buf_release(&whole.lines);
        buf_release(&cut.lines);
        return 0;
}
