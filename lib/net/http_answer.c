/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/http_answer.h"

/* A size in hexadecimal, and extensions that nobody uses. */
#define CHUNK_LINE_MAX 256
/* Answers that never have a body. */
#define STATUS_NO_CONTENT 204
#define STATUS_NOT_MODIFIED 304

void http_answer_init(struct http_answer *answer, http_answer_head_fn on_head, http_answer_data_fn on_data,
                      void *userdata)
{
        *answer = (struct http_answer){.head = BUF_INIT(LIMIT_HTTP_HEADERS),
                                       .line = BUF_INIT(LIMIT_HTTP_HEADERS),
                                       .on_head = on_head,
                                       .on_data = on_data,
                                       .userdata = userdata};
}

void http_answer_release(struct http_answer *answer)
{
        buf_release(&answer->head);
        buf_release(&answer->line);
}

char *http_answer_header(const struct http_answer *answer, const char *name)
{
        const char *line = strstr(buf_str(&answer->head), "\r\n");
        size_t len = strlen(name);

        for (; line; line = strstr(line, "\r\n")) {
                line += 2;
                if (strncasecmp(line, name, len) != 0 || line[len] != ':')
                        continue;
                line += len + 1;
                line += strspn(line, " \t");
                return xstrndup(line, strcspn(line, "\r\n"));
        }
        return NULL;
}

/* "HTTP/1.1 200 OK" */
static int read_status(struct http_answer *answer, struct err *err)
{
        const char *line = buf_str(&answer->head);
        char digits[4] = "";

        if (str_starts(line, "HTTP/1.") && strlen(line) > 12 && line[8] == ' ')
                memcpy(digits, line + 9, 3);
        if (str_to_int(digits, 100, 999, &answer->status) < 0)
                return err_set(err, ERR_PROTOCOL, "no HTTP answer: %.*s", (int)strcspn(line, "\r\n"), line);
        return 0;
}

static int head_done(struct http_answer *answer, struct err *err)
{
        char *encoding CLEANUP_FREE = NULL, *length CLEANUP_FREE = NULL;
        int r = read_status(answer, err);

        if (r < 0)
                return r;
        encoding = http_answer_header(answer, "Transfer-Encoding");
        length = http_answer_header(answer, "Content-Length");
        if (answer->no_body || answer->status == STATUS_NO_CONTENT || answer->status == STATUS_NOT_MODIFIED) {
                answer->state = HTTP_ANSWER_DONE;
        } else if (encoding && strcasecmp(encoding, "chunked") == 0) {
                answer->state = HTTP_ANSWER_CHUNK_SIZE;
        } else if (length) {
                if (str_to_u64(length, &answer->left) < 0)
                        return err_set(err, ERR_PROTOCOL, "Content-Length: '%.32s' is no length", length);
                answer->state = answer->left ? HTTP_ANSWER_LENGTH : HTTP_ANSWER_DONE;
        } else {
                answer->state = HTTP_ANSWER_CLOSE;
        }
        if (answer->on_head)
                answer->on_head(answer->userdata, answer);
        return 0;
}

/* Takes up to the end of a line; true when it is there. */
static bool take_line(struct buf *line, const char **bytes, size_t *len)
{
        const char *end = memchr(*bytes, '\n', *len);
        size_t part = end ? (size_t)(end - *bytes) + 1 : *len;

        buf_add(line, *bytes, part);
        *bytes += part;
        *len -= part;
        return end != NULL;
}

static int feed_head(struct http_answer *answer, const char **bytes, size_t *len, struct err *err)
{
        bool line = take_line(&answer->head, bytes, len);
        int r = buf_check(&answer->head, "the head of the answer", err);

        if (r < 0 || !line)
                return r;
        return str_ends(buf_str(&answer->head), "\r\n\r\n") ? head_done(answer, err) : 0;
}

static int chunk_size(struct http_answer *answer, struct err *err)
{
        const char *text = buf_str(&answer->line);
        uint64_t size = 0;
        size_t digits = 0;

        for (; isxdigit((unsigned char)text[digits]); digits++) {
                char c = text[digits];
                unsigned value = isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;

                if (size > UINT64_MAX >> 8)
                        return err_set(err, ERR_PROTOCOL, "a chunk of impossible size");
                size = size << 4 | value;
        }
        if (digits == 0 || !strchr("\r\n; \t", text[digits]))
                return err_set(err, ERR_PROTOCOL, "no chunk where one should begin");
        answer->left = size;
        answer->state = size ? HTTP_ANSWER_CHUNK : HTTP_ANSWER_TRAILER;
        return 0;
}

/* The lines around chunks. */
static int feed_line(struct http_answer *answer, const char **bytes, size_t *len, struct err *err)
{
        struct buf *line = &answer->line;
        bool whole = take_line(line, bytes, len);
        bool empty = str_eq(buf_str(line), "\r\n") || str_eq(buf_str(line), "\n");
        int r = 0;

        if (line->failed || (answer->state == HTTP_ANSWER_CHUNK_SIZE && line->len > CHUNK_LINE_MAX))
                return err_set(err, ERR_PROTOCOL, "a line of the answer's chunks does not end");
        if (!whole)
                return 0;
        if (answer->state == HTTP_ANSWER_CHUNK_SIZE)
                r = chunk_size(answer, err);
        else if (answer->state == HTTP_ANSWER_TRAILER)
                answer->state = empty ? HTTP_ANSWER_DONE : HTTP_ANSWER_TRAILER;
        else if (empty)
                answer->state = HTTP_ANSWER_CHUNK_SIZE;
        else
                r = err_set(err, ERR_PROTOCOL, "a chunk is longer than it says");
        buf_clear(line);
        return r;
}

static int feed_content(struct http_answer *answer, const char **bytes, size_t *len)
{
        bool counted = answer->state != HTTP_ANSWER_CLOSE;
        size_t part = counted && *len > answer->left ? (size_t)answer->left : *len;
        const char *content = *bytes;

        *bytes += part;
        *len -= part;
        if (counted)
                answer->left -= part;
        if (counted && answer->left == 0)
                answer->state = answer->state == HTTP_ANSWER_CHUNK ? HTTP_ANSWER_CHUNK_END : HTTP_ANSWER_DONE;
        return answer->on_data(answer->userdata, content, part) ? 0 : 1;
}

int http_answer_feed(struct http_answer *answer, const char *bytes, size_t len, struct err *err)
{
        int r = 0;

        while (r == 0 && len > 0 && answer->state != HTTP_ANSWER_DONE) {
                switch (answer->state) {
                case HTTP_ANSWER_HEAD:
                        r = feed_head(answer, &bytes, &len, err);
                        break;
                case HTTP_ANSWER_CHUNK_SIZE:
                case HTTP_ANSWER_CHUNK_END:
                case HTTP_ANSWER_TRAILER:
                        r = feed_line(answer, &bytes, &len, err);
                        break;
                case HTTP_ANSWER_CHUNK:
                case HTTP_ANSWER_LENGTH:
                case HTTP_ANSWER_CLOSE:
                        r = feed_content(answer, &bytes, &len);
                        break;
                case HTTP_ANSWER_DONE:
                        break;
                }
        }
        return r == 0 && answer->state == HTTP_ANSWER_DONE ? 1 : r;
}

int http_answer_end(const struct http_answer *answer, struct err *err)
{
        if (answer->state == HTTP_ANSWER_DONE || answer->state == HTTP_ANSWER_CLOSE)
                return 0;
        return err_set(err, ECONNRESET,
                       answer->state == HTTP_ANSWER_HEAD ? "the connection ended without an answer"
                                                         : "the answer broke off");
}
