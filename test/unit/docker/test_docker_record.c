/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "docker/docker_record.h"

#define STAMP "2026-01-02T03:04:05.000000006Z"
#define PIECE (16 * 1024)

struct state {
        struct docker_records records;
        struct buf got; /* of each record: stream, time, length and the ends of its text */
        size_t bytes;
};

static void on_record(void *userdata, const struct docker_record *record)
{
        struct state *s = userdata;
        int shown = record->len < 20 ? (int)record->len : 5;

        buf_addf(&s->got, "%d %s %zu %.*s|", record->stream, record->time, record->len, shown, record->text);
        s->bytes += record->len;
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));

        s->got = BUF_INIT(4096);
        docker_records_init(&s->records, on_record, s);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        docker_records_release(&s->records);
        buf_release(&s->got);
        free(s);
        return 0;
}

static void frame(struct state *s, int stream, const char *text, size_t piece)
{
        size_t len = strlen(text);
        struct err err = ERR_INIT;

        for (size_t at = 0; at < len; at += piece) {
                size_t part = len - at < piece ? len - at : piece;

                assert_int_equal(docker_records_frame(&s->records, stream, text + at, part, at + part == len, &err), 0);
        }
}

static void test_frames(void **state)
{
        struct state *s = *state;

        for (size_t piece = 1; piece < 60; piece++) {
                buf_clear(&s->got);
                frame(s, 1, STAMP " one\n", piece);
                frame(s, 2, STAMP " two\nand three", piece); /* the frame says where it ends */
                frame(s, 1, STAMP " ", piece);               /* nothing */
                frame(s, 2, "Error grabbing logs: no time\n", piece);
                docker_records_end(&s->records);
                assert_string_equal(buf_str(&s->got), "1 " STAMP " 4 one\n|2 " STAMP " 13 two\nand three|2  29 Error|");
        }
}

static void raw(struct state *s, const struct buf *text, size_t piece)
{
        struct err err = ERR_INIT;

        buf_clear(&s->got);
        for (size_t at = 0; at < text->len; at += piece)
                assert_int_equal(docker_records_raw(&s->records, text->data + at,
                                                    text->len - at < piece ? text->len - at : piece, &err),
                                 0);
        docker_records_end(&s->records);
}

static void add_text(struct buf *out, char c, size_t count)
{
        for (size_t i = 0; i < count; i++)
                buf_addch(out, c);
}

/* Without frames a line is a record, a long one is cut where Docker cut it. */
static void test_raw(void **state)
{
        static const size_t pieces[] = {1, 7, 4096, PIECE - 1, PIECE + 40, 1 << 20};
        struct state *s = *state;
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 20);

        buf_addstr(&text, STAMP " one\r\n" STAMP " a");
        add_text(&text, 'x', PIECE - 1);
        buf_addstr(&text, STAMP " b");
        add_text(&text, 'y', PIECE - 1);
        buf_addstr(&text, STAMP " rest\n" STAMP " z");
        add_text(&text, 'z', PIECE - 2); /* not as long as a piece: it is a line that has such words in it */
        buf_addstr(&text, STAMP " q\n" STAMP " unended");
        for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
                raw(s, &text, pieces[i]);
                assert_string_equal(buf_str(&s->got),
                                    "1 " STAMP " 5 one\r\n|1 " STAMP " 16384 axxxx|1 " STAMP " 16384 byyyy|1 " STAMP
                                    " 5 rest\n|1 " STAMP " 16416 zzzzz|1 " STAMP " 7 unended|");
        }
}

static void test_longest(void **state)
{
        static const size_t whole = LIMIT_DOCKER_LOG_RECORD + 100;
        struct state *s = *state;
        struct buf text CLEANUP_BUF = BUF_INIT(1 << 20);

        buf_addstr(&text, STAMP " ");
        add_text(&text, 'x', whole);
        frame(s, 2, buf_str(&text), 1000);
        assert_string_equal(buf_str(&s->got), "2 " STAMP " 262113 xxxxx|2 " STAMP " 131 xxxxx|");
        assert_int_equal(s->bytes, whole);
        raw(s, &text, 5000);
        assert_string_equal(buf_str(&s->got), "1 " STAMP " 262113 xxxxx|1 " STAMP " 131 xxxxx|");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_frames),
                TEST(test_raw),
                TEST(test_longest),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
