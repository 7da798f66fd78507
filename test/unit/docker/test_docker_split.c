/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/strv.h"
#include "docker/docker_split.h"

struct state {
        struct strv got;
        struct buf out[3];
        int stop_after; /* calls; 0: never */
        int calls;
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        s->out[1] = s->out[2] = BUF_INIT(1024);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        strv_release(&s->got);
        buf_release(&s->out[1]);
        buf_release(&s->out[2]);
        free(s);
        return 0;
}

static bool on_line(void *userdata, const char *line, size_t len)
{
        struct state *s = userdata;
        assert_int_equal(line[len], '\0');
        strv_add(&s->got, line);
        return ++s->calls != s->stop_after;
}

static bool on_output(void *userdata, int stream, const char *data, size_t len)
{
        struct state *s = userdata;
        assert_true(len > 0);
        buf_add(&s->out[stream], data, len);
        return ++s->calls != s->stop_after;
}

/* The same text in pieces of every size gives the same lines. */
static void test_lines(void **state)
{
        static const char text[] = "{\"a\":1}\r\n\n{\"b\":2}\nlast";
        struct state *s = *state;
        for (size_t piece = 1; piece <= sizeof(text); piece++) {
                struct docker_lines lines;
                struct err err = ERR_INIT;
                strv_release(&s->got);
                docker_lines_init(&lines, 10, on_line, s);
                for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
                        size_t n = sizeof(text) - 1 - at < piece ? sizeof(text) - 1 - at : piece;
                        assert_int_equal(docker_lines_feed(&lines, text + at, n, &err), 0);
                }
                assert_int_equal(s->got.len, 2);
                assert_int_equal(docker_lines_end(&lines, &err), 0);
                docker_lines_release(&lines);
                char *joined CLEANUP_FREE = strv_join(&s->got, "|");
                assert_string_equal(joined, "{\"a\":1}|{\"b\":2}|last");
        }
}

static void test_lines_bounded(void **state)
{
        struct state *s = *state;
        struct docker_lines lines;
        struct err err = ERR_INIT;
        docker_lines_init(&lines, 4, on_line, s);
        assert_int_equal(docker_lines_feed(&lines, "1234\n12", 7, &err), 0);
        assert_int_equal(docker_lines_feed(&lines, "345\n", 4, &err), -ERR_LIMIT);
        assert_int_equal(s->got.len, 1);
        docker_lines_release(&lines);
}

static void test_lines_stopped(void **state)
{
        struct state *s = *state;
        struct docker_lines lines;
        struct err err = ERR_INIT;
        s->stop_after = 2;
        docker_lines_init(&lines, 10, on_line, s);
        assert_int_equal(docker_lines_feed(&lines, "1\n2\n3\n", 6, &err), 1);
        assert_int_equal(s->got.len, 2);
        docker_lines_release(&lines);
}

#define FRAMES "\1\0\0\0\0\0\0\4out\n\2\0\0\0\0\0\0\4err\n\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1x\3\0\0\0\0\0\0\1!"

static void test_frames(void **state)
{
        static const char text[] = FRAMES;
        struct state *s = *state;
        for (size_t piece = 1; piece <= sizeof(text); piece++) {
                struct docker_output output;
                struct err err = ERR_INIT;
                buf_clear(&s->out[1]);
                buf_clear(&s->out[2]);
                docker_output_init(&output, on_output, s);
                for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
                        size_t n = sizeof(text) - 1 - at < piece ? sizeof(text) - 1 - at : piece;
                        assert_int_equal(docker_output_feed(&output, text + at, n, &err), 0);
                }
                assert_int_equal(docker_output_end(&output, &err), 0);
                assert_string_equal(buf_str(&s->out[1]), "out\nx");
                assert_string_equal(buf_str(&s->out[2]), "err\n!");
        }
}

static void test_raw(void **state)
{
        static const char *const texts[] = {"plain text of a terminal", "\1\0\0text", "\2", "\1\0", ""};
        static const size_t lens[] = {24, 7, 1, 2, 0};
        struct state *s = *state;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                for (size_t piece = 1; piece <= 8; piece++) {
                        struct docker_output output;
                        struct err err = ERR_INIT;
                        buf_clear(&s->out[1]);
                        docker_output_init(&output, on_output, s);
                        for (size_t at = 0; at < lens[i]; at += piece) {
                                size_t n = lens[i] - at < piece ? lens[i] - at : piece;
                                assert_int_equal(docker_output_feed(&output, texts[i] + at, n, &err), 0);
                        }
                        assert_int_equal(docker_output_end(&output, &err), 0);
                        assert_int_equal(s->out[1].len, lens[i]);
                        assert_memory_equal(buf_str(&s->out[1]), texts[i], lens[i]);
                }
        }
}

static void test_broken_frames(void **state)
{
        struct state *s = *state;
        struct docker_output output;
        struct err err = ERR_INIT;
        docker_output_init(&output, on_output, s);
        assert_int_equal(docker_output_feed(&output, "\1\0\0\0\0\0\0\1xgarbage", 16, &err), -ERR_PROTOCOL);
        docker_output_init(&output, on_output, s);
        assert_int_equal(docker_output_feed(&output, "\1\0\0\0\0\0\0\5abc", 11, &err), 0);
        assert_int_equal(docker_output_end(&output, &err), -ERR_PROTOCOL);
        docker_output_init(&output, on_output, s);
        assert_int_equal(docker_output_feed(&output, "\1\0\0\0\0\0\0\1x\1\0", 11, &err), 0);
        assert_int_equal(docker_output_end(&output, &err), -ERR_PROTOCOL);
        s->stop_after = s->calls + 1;
        docker_output_init(&output, on_output, s);
        assert_int_equal(docker_output_feed(&output, FRAMES, sizeof(FRAMES) - 1, &err), 1);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_lines),  TEST(test_lines_bounded), TEST(test_lines_stopped),
                TEST(test_frames), TEST(test_raw),           TEST(test_broken_frames),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
