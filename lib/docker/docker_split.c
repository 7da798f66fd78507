/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/err.h"
#include "docker/docker_split.h"

/* ---- lines ---- */

void docker_lines_init(struct docker_lines *lines, size_t max, docker_line_fn fn, void *userdata)
{
        *lines = (struct docker_lines){.rest = BUF_INIT(max), .fn = fn, .userdata = userdata};
}

void docker_lines_release(struct docker_lines *lines)
{
        buf_release(&lines->rest);
}

static int line_done(struct docker_lines *lines)
{
        struct buf *line = &lines->rest;
        if (line->len && line->data[line->len - 1] == '\r')
                line->data[--line->len] = '\0';
        bool more = line->len == 0 || lines->fn(lines->userdata, line->data, line->len);
        buf_clear(line);
        return more ? 0 : 1;
}

int docker_lines_feed(struct docker_lines *lines, const char *data, size_t len, struct err *err)
{
        while (len > 0) {
                const char *end = memchr(data, '\n', len);
                size_t part = end ? (size_t)(end - data) : len;
                buf_add(&lines->rest, data, part);
                int r = buf_check(&lines->rest, "a line of Docker's answer", err);
                if (r < 0)
                        return r;
                if (!end)
                        return 0;
                r = line_done(lines);
                if (r != 0)
                        return r;
                data += part + 1;
                len -= part + 1;
        }
        return 0;
}

int docker_lines_end(struct docker_lines *lines, struct err *err)
{
        (void)err;
        return line_done(lines);
}

/* ---- output ---- */

void docker_output_init(struct docker_output *output, docker_output_fn fn, void *userdata)
{
        *output = (struct docker_output){.fn = fn, .userdata = userdata};
}

static bool could_be_header(const unsigned char *h, size_t len)
{
        return len < 1 || (h[0] <= 3 && (len < 2 || h[1] == 0) && (len < 3 || h[2] == 0) && (len < 4 || h[3] == 0));
}

/* Adds to the header until it is whole; gives how many bytes it took. */
static size_t take_header(struct docker_output *output, const char *data, size_t len)
{
        size_t want = sizeof(output->header) - output->header_len, part = len < want ? len : want;
        memcpy(output->header + output->header_len, data, part);
        output->header_len += part;
        return part;
}

static void frame_begin(struct docker_output *output)
{
        const unsigned char *h = output->header;
        output->format = DOCKER_OUTPUT_FRAMES;
        output->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
        if (output->left == 0)
                output->header_len = 0;
}

/* The first bytes show that there are no frames: what was taken for a header is content. */
static int turn_raw(struct docker_output *output)
{
        output->format = DOCKER_OUTPUT_RAW;
        size_t len = output->header_len;
        output->header_len = 0;
        return len == 0 || output->fn(output->userdata, 1, (const char *)output->header, len) ? 0 : 1;
}

static int feed_header(struct docker_output *output, const char **data, size_t *len, struct err *err)
{
        size_t part = take_header(output, *data, *len);
        *data += part;
        *len -= part;
        if (!could_be_header(output->header, output->header_len)) {
                if (output->format == DOCKER_OUTPUT_UNKNOWN)
                        return turn_raw(output);
                return err_set(err, ERR_PROTOCOL, "Docker's output stream is broken: no frame where one should begin");
        }
        if (output->header_len == sizeof(output->header))
                frame_begin(output);
        return 0;
}

static int feed_content(struct docker_output *output, const char **data, size_t *len)
{
        const char *content = *data;
        size_t part = *len < output->left ? *len : output->left;
        /* 0 is the echo of stdin, 3 what the daemon itself has to say. */
        int stream = output->header[0] >= 2 ? 2 : 1;

        *data += part;
        *len -= part;
        output->left -= (uint32_t)part;
        if (output->left == 0)
                output->header_len = 0;
        return output->fn(output->userdata, stream, content, part) ? 0 : 1;
}

int docker_output_feed(struct docker_output *output, const char *data, size_t len, struct err *err)
{
        int r = 0;
        while (r == 0 && len > 0) {
                if (output->format == DOCKER_OUTPUT_RAW)
                        return output->fn(output->userdata, 1, data, len) ? 0 : 1;
                if (output->header_len < sizeof(output->header))
                        r = feed_header(output, &data, &len, err);
                else
                        r = feed_content(output, &data, &len);
        }
        return r;
}

int docker_output_end(struct docker_output *output, struct err *err)
{
        if (output->format == DOCKER_OUTPUT_UNKNOWN)
                return turn_raw(output);
        if (output->format == DOCKER_OUTPUT_FRAMES && (output->header_len > 0 || output->left > 0))
                return err_set(err, ERR_PROTOCOL, "Docker's output stream ended within a frame");
        return 0;
}
