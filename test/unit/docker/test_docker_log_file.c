/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker_log_file.h"
#include "docker/docker_record.h"

#define OUT_MAX (64 * 1024 * 1024)

struct state {
        char dir[64], path[80];
        struct buf out;
        int steps;
};

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));

        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-log-file-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/json.log", s->dir);
        s->out = BUF_INIT(OUT_MAX);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;

        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        buf_release(&s->out);
        free(s);
        return 0;
}

/* number 0: the newest file. */
static void put(struct state *s, int number, const char *text, size_t len)
{
        char *path CLEANUP_FREE = number ? xasprintf("%s.%d", s->path, number) : xstrdup(s->path);
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(path, text, len, 0600, FILE_WRITE_NO_SYNC, &err), 0);
}

static void put_lines(struct state *s, int number, int from, int to)
{
        struct buf text CLEANUP_BUF = BUF_INIT(OUT_MAX);

        for (int i = from; i < to; i++)
                buf_addf(&text, "{\"log\":\"%d\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:%02d.12Z\"}\n", i,
                         i % 60);
        put(s, number, buf_str(&text), text.len);
}

static const char *get(struct state *s, struct docker_log_wanted wanted)
{
        struct docker_log_file *file;
        struct err err = ERR_INIT;
        int r;

        buf_clear(&s->out);
        s->steps = 0;
        assert_int_equal(docker_log_file_open(s->path, &wanted, &file, &err), 0);
        while ((r = docker_log_file_step(file, &s->out, &err)) > 0)
                s->steps++;
        assert_int_equal(r, 0);
        docker_log_file_free(file);
        return buf_str(&s->out);
}

static void test_tail_and_rotated_files(void **state)
{
        struct state *s = *state;

        put_lines(s, 2, 0, 3);
        put_lines(s, 1, 3, 6);
        put_lines(s, 0, 6, 8);
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = -1}), "0\n1\n2\n3\n4\n5\n6\n7\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 0}), "");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 1}), "7\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 2}), "6\n7\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 3}), "5\n6\n7\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 6}), "2\n3\n4\n5\n6\n7\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 100}), "0\n1\n2\n3\n4\n5\n6\n7\n");
        put(s, 0, "", 0);
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 1}), "5\n");
}

static void on_record(void *userdata, const struct docker_record *record)
{
        struct state *s = userdata;

        buf_addf(&s->out, "%d %s %.*s|", record->stream, record->time, (int)record->len, record->text);
}

static void test_records(void **state)
{
        struct state *s = *state;
        static const char text[] = "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05.5Z\"}\n"
                                   "{\"log\":\"piece\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:06Z\"}\n"
                                   "{\"log\":\"half";

        put(s, 0, text, sizeof(text) - 1);
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = -1, .record = on_record, .userdata = s}),
                            "1 2026-01-02T03:04:05.500000000Z a\n|2 2026-01-02T03:04:06.000000000Z piece|");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 0, .record = on_record, .userdata = s}), "");
}

static void test_since_and_timestamps(void **state)
{
        struct state *s = *state;
        static const char text[] =
                "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n"
                "{\"log\":\"b \\u0000\\\"\\u00e9\\n\",\"stream\":\"stderr\",\"attrs\":{\"x\":\"y\"},\"time\":"
                "\"2026-01-02T03:04:06.123456789Z\"}\n";

        put(s, 0, text, sizeof(text) - 1);
        (void)get(s, (struct docker_log_wanted){.tail = -1, .timestamps = true});
        static const char want[] = "2026-01-02T03:04:05.000000000Z a\n2026-01-02T03:04:06.123456789Z b \0\"\xc3\xa9\n";
        assert_int_equal(s->out.len, sizeof(want) - 1);
        assert_memory_equal(s->out.data, want, sizeof(want) - 1);
        (void)get(s, (struct docker_log_wanted){.tail = -1, .since = 1767323046 * USEC_PER_SEC});
        assert_int_equal(s->out.data[0], 'b');
}

/* The machine went down while a record was written, and Docker went on behind it. */
static void test_half_records(void **state)
{
        struct state *s = *state;
        static const char text[] = "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n"
                                   "{\"log\":\"lost{\"log\":\"b\\n\"}\n\n[]\n"
                                   "{\"log\":\"c\\n\",\"stream\":\"stdout\",\"time\":\"2026-01-02T03:04:05Z\"}\n"
                                   "{\"log\":\"half";

        put_lines(s, 1, 0, 1);
        put(s, 0, text, sizeof(text) - 1);
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = -1}), "0\na\nc\n");
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 1}), "c\n");
}

/* The end of a large log costs what is wanted of it. */
static void test_large(void **state)
{
        struct state *s = *state;

        put_lines(s, 0, 0, 300000);
        assert_string_equal(get(s, (struct docker_log_wanted){.tail = 2}), "299998\n299999\n");
        assert_true(s->steps <= 3);
        assert_int_equal(strlen(get(s, (struct docker_log_wanted){.tail = 200000})), 200000 * 7);
}

static void test_refused(void **state)
{
        struct state *s = *state;
        const struct docker_log_wanted wanted = {.tail = -1};
        char *text CLEANUP_FREE = xcalloc(1, LIMIT_DOCKER_LOG_RECORD + 2);
        struct docker_log_file *file = NULL;
        struct buf out CLEANUP_BUF = BUF_INIT(OUT_MAX);
        struct err err = ERR_INIT;
        int r;

        assert_int_equal(docker_log_file_open(s->path, &wanted, &file, &err), -ENOENT);
        assert_non_null(strstr(err.msg, s->path));
        assert_int_equal(docker_log_file_open("/dev/null", &wanted, &file, &err), -ERR_INVALID);
        assert_null(file);
        memset(text, 'x', LIMIT_DOCKER_LOG_RECORD + 1);
        put(s, 0, text, LIMIT_DOCKER_LOG_RECORD + 1);
        assert_int_equal(docker_log_file_open(s->path, &wanted, &file, &err), 0);
        while ((r = docker_log_file_step(file, &out, &err)) > 0)
                continue;
        assert_int_equal(r, -ERR_LIMIT);
        docker_log_file_free(file);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_tail_and_rotated_files), TEST(test_records), TEST(test_since_and_timestamps),
                TEST(test_half_records),           TEST(test_large),   TEST(test_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
