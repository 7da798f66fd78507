/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "net/http_answer.h"

#define CHUNKED "HTTP/1.1 200 OK\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n"

struct got {
        struct buf body;
        int heads;
        size_t enough; /* bytes; 0: never */
};

static void on_head(void *userdata, const struct http_answer *answer)
{
        struct got *got = userdata;
        got->heads++;
        assert_true(answer->status > 0);
}

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct got *got = userdata;
        assert_int_equal(got->heads, 1);
        buf_add(&got->body, data, len);
        return got->enough == 0 || got->body.len < got->enough;
}

/* Fed in pieces of `piece` bytes; what the last feed and, where that was 0, the end gave. */
static int feed(const char *text, size_t piece, struct http_answer *answer, struct got *got)
{
        size_t len = strlen(text);
        struct err err = ERR_INIT;
        int r = 0;

        got->body = BUF_INIT(4096);
        got->heads = 0;
        http_answer_init(answer, on_head, on_data, got);
        for (size_t at = 0; r == 0 && at < len; at += piece)
                r = http_answer_feed(answer, text + at, at + piece > len ? len - at : piece, &err);
        return r == 0 ? http_answer_end(answer, &err) : r;
}

static void test_answers(void **state)
{
        static const struct {
                const char *text;
                int result, status;
                const char *body;
        } cases[] = {
                {CHUNKED "3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n", 1, 200, "one two"},
                {CHUNKED "3\r\none\r\n0\r\nTrailer: x\r\n\r\n", 1, 200, "one"},
                {CHUNKED "A\r\n0123456789\r\n0\r\n\r\n", 1, 200, "0123456789"},
                {CHUNKED, -ECONNRESET, 200, ""},
                {CHUNKED "3\r\non", -ECONNRESET, 200, "on"},
                {CHUNKED "3\r\none\r\n", -ECONNRESET, 200, "one"},
                {CHUNKED "3\r\none\r\n0\r\n", -ECONNRESET, 200, "one"},
                {CHUNKED "3\r\nones\r\n", -ERR_PROTOCOL, 200, "one"},
                {CHUNKED "x\r\n", -ERR_PROTOCOL, 200, ""},
                {CHUNKED "fffffffffffffffff\r\n", -ERR_PROTOCOL, 200, ""},
                {"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", 1, 404, "no\n"},
                {"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nno\n", -ECONNRESET, 404, "no\n"},
                {"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 1, 200, ""},
                {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", -ERR_PROTOCOL, 200, ""},
                {"HTTP/1.0 200 OK\r\n\r\nto the end", 0, 200, "to the end"},
                {"HTTP/1.1 2x0 OK\r\n\r\n", -ERR_PROTOCOL, 0, ""},
                {"SSH-2.0-x\r\n\r\n", -ERR_PROTOCOL, 0, ""},
                {"HTTP/1.1 200", -ECONNRESET, 0, ""},
                {"", -ECONNRESET, 0, ""},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                for (size_t piece = 1; piece < 100; piece += 7) {
                        struct http_answer answer;
                        struct got got = {0};
                        assert_int_equal(feed(cases[i].text, piece, &answer, &got), cases[i].result);
                        assert_int_equal(answer.status, cases[i].status);
                        assert_string_equal(buf_str(&got.body), cases[i].body);
                        buf_release(&got.body);
                        http_answer_release(&answer);
                }
        }
}

static void test_header(void **state)
{
        struct http_answer answer;
        struct got got = {0};
        (void)state;
        (void)feed(CHUNKED "0\r\n\r\n", 1000, &answer, &got);
        char *value CLEANUP_FREE = http_answer_header(&answer, "x-a");
        assert_string_equal(value, "b");
        assert_null(http_answer_header(&answer, "x"));
        assert_null(http_answer_header(&answer, "b"));
        http_answer_release(&answer);
        buf_release(&got.body);
}

static void test_enough_and_limits(void **state)
{
        struct http_answer answer;
        struct got got = {.enough = 3};
        struct err err = ERR_INIT;
        char line[1000];
        int r = 0;
        (void)state;
        assert_int_equal(feed(CHUNKED "3\r\none\r\n3\r\ntwo\r\n", 1000, &answer, &got), 1);
        assert_string_equal(buf_str(&got.body), "one");
        http_answer_release(&answer);
        buf_release(&got.body);

        /* A head without an end, and a chunk's size without one. */
        memset(line, 'a', sizeof(line));
        http_answer_init(&answer, on_head, on_data, &got);
        for (int i = 0; r == 0 && i < 10000; i++)
                r = http_answer_feed(&answer, line, sizeof(line), &err);
        assert_int_equal(r, -ERR_LIMIT);
        http_answer_release(&answer);
        http_answer_init(&answer, NULL, on_data, &got);
        memset(line, '0', sizeof(line));
        assert_int_equal(http_answer_feed(&answer, CHUNKED, strlen(CHUNKED), &err), 0);
        assert_int_equal(http_answer_feed(&answer, line, sizeof(line), &err), -ERR_PROTOCOL);
        http_answer_release(&answer);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_enough_and_limits),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
