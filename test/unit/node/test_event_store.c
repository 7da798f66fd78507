/* SPDX-License-Identifier: Apache-2.0
 *
 * Events over restarts: what is written is read back, whatever a crash or a person left in the file; and how they are
 * shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/event_log.h"
#include "node/event_store.h"
#include "node/event_table.h"

#define MAX 5

struct state {
        char dir[64], path[128];
        struct event_log *log;
        struct event_store *store;
        char *problem;
};

static void begin(struct state *s)
{
        s->log = event_log_new(MAX);
        s->store = event_store_new(s->path, s->log, &s->problem);
}

static void end(struct state *s)
{
        s->store = event_store_free(s->store);
        s->log = event_log_free(s->log);
        free(TAKE_PTR(s->problem));
}

static void restart(struct state *s)
{
        end(s);
        begin(s);
}

static int setup(void **ret)
{
        struct state *s = xcalloc(1, sizeof(*s));
        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-event-store-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/state/events", s->dir);
        begin(s);
        *ret = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        end(s);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

static int add(struct state *s, const char *reason, const char *message, usec_t at)
{
        const struct event_log_entry entry = {.key = (char *)"default/a",
                                              .uid = (char *)"u",
                                              .object = (char *)"spec.containers{main}",
                                              .warning = true,
                                              .reason = (char *)reason,
                                              .message = (char *)message};
        struct err err = ERR_INIT;
        event_store_add(s->store, event_log_add(s->log, &entry, at));
        return event_store_write(s->store, at, &err);
}

static void test_survives(void **state)
{
        struct state *s = *state;
        assert_int_equal(add(s, "One", "first\nline \"quoted\"", 1), 0);
        assert_int_equal(add(s, "Two", "second", 2), 0);
        assert_int_equal(add(s, "One", "first\nline \"quoted\"", 7), 0);
        for (int i = 0; i < 2; i++) {
                restart(s);
                assert_null(s->problem);
                assert_int_equal(event_log_count(s->log), 2);
                const struct event_log_entry *e = event_log_get(s->log, 0);
                assert_string_equal(e->reason, "One");
                assert_string_equal(e->message, "first\nline \"quoted\"");
                assert_string_equal(e->object, "spec.containers{main}");
                assert_true(e->warning);
                assert_int_equal(e->count, 2);
                assert_int_equal(e->first, 1);
                assert_int_equal(e->last, 7);
        }
        assert_int_equal(add(s, "One", "first\nline \"quoted\"", 9), 0); /* counts on over a restart */
        restart(s);
        assert_int_equal(event_log_get(s->log, 0)->count, 3);
}

/* The oldest drop out, and the file does not grow for ever. */
static void test_bounded(void **state)
{
        struct state *s = *state;
        char *text CLEANUP_FREE = xcalloc(1, 3 * LIMIT_EVENT_MESSAGE);
        char reason[32];
        struct stat st;
        memset(text, 'x', 3 * LIMIT_EVENT_MESSAGE - 1);
        for (int i = 0; i < 2000; i++) {
                (void)snprintf(reason, sizeof(reason), "R%d", i);
                assert_int_equal(add(s, reason, text, (usec_t)i + 1), 0);
        }
        assert_int_equal(event_log_count(s->log), MAX);
        assert_true(strlen(event_log_get(s->log, 0)->message) < LIMIT_EVENT_MESSAGE);
        assert_int_equal(stat(s->path, &st), 0);
        assert_true(st.st_size < 300 * 1024);
        assert_int_equal(st.st_mode & 0777, 0600);
        restart(s);
        assert_int_equal(event_log_count(s->log), MAX);
        assert_string_equal(event_log_get(s->log, MAX - 1)->reason, "R1999");
        assert_string_equal(event_log_get(s->log, 0)->reason, "R1995");
}

static void append(struct state *s, const char *text)
{
        int fd CLEANUP_FD = open(s->path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void test_damaged(void **state)
{
        struct state *s = *state;
        assert_int_equal(add(s, "One", "m", 1), 0);
        append(s, "{\"first\":1,\"key\":\"default/a\",\"rea"); /* the machine went down */
        restart(s);
        assert_null(s->problem);
        assert_int_equal(event_log_count(s->log), 1);
        assert_int_equal(add(s, "Two", "m", 2), 0);
        append(s, "not json\n[]\n{\"first\":\"x\"}\n{}\n");
        restart(s);
        assert_non_null(strstr(s->problem, "3 lines are no events"));
        assert_int_equal(event_log_count(s->log), 3); /* an empty object is an event without words */
        assert_string_equal(event_log_get(s->log, 1)->reason, "Two");
}

/* Several are appended in one go; nothing is on disk before that. */
static void test_together(void **state)
{
        struct state *s = *state;
        struct event_log_entry entry = {.key = (char *)"default/a",
                                        .uid = (char *)"u",
                                        .object = (char *)"",
                                        .reason = (char *)"R",
                                        .message = (char *)"m"};
        char reason[16];
        struct stat before, after;
        assert_int_equal(add(s, "One", "m", 1), 0);
        assert_int_equal(stat(s->path, &before), 0);
        entry.reason = reason;
        for (int i = 0; i < 3; i++) {
                (void)snprintf(reason, sizeof(reason), "R%d", i);
                event_store_add(s->store, event_log_add(s->log, &entry, 2));
        }
        assert_int_equal(stat(s->path, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
        assert_int_equal(event_store_write(s->store, 2, NULL), 0);
        assert_int_equal(stat(s->path, &after), 0);
        assert_int_equal(after.st_ino, before.st_ino);
        restart(s);
        assert_int_equal(event_log_count(s->log), 4);
        assert_string_equal(event_log_get(s->log, 3)->reason, "R2");
}

/* What a container wrote is UTF-8 in the log and on disk. */
static void test_bytes(void **state)
{
        struct state *s = *state;
        assert_int_equal(add(s, "One",
                             "a\xff"
                             "b\xc3\xa4",
                             1),
                         0);
        assert_string_equal(event_log_get(s->log, 0)->message, "a?b\xc3\xa4");
        restart(s);
        assert_null(s->problem);
        assert_string_equal(event_log_get(s->log, 0)->message, "a?b\xc3\xa4");
}

/* A disk that refuses costs nothing but what is on it. */
static void test_refused(void **state)
{
        struct state *s = *state;
        assert_int_equal(add(s, "One", "m", 1), 0);
        assert_int_equal(unlink(s->path), 0);
        assert_int_equal(mkdir(s->path, 0700), 0);
        assert_true(event_store_again(s->store) == USEC_INFINITY);
        assert_true(add(s, "Two", "m", 2) < 0);
        /* Not with each event. */
        usec_t again = event_store_again(s->store);
        assert_int_equal(again, 2 + EVENT_STORE_RETRY_USEC);
        assert_int_equal(add(s, "Three", "m", 3), 1);
        assert_true(event_store_write(s->store, again, NULL) < 0);
        assert_int_equal(rmdir(s->path), 0);
        assert_int_equal(add(s, "Four", "m", again + 1), 1);
        again = event_store_again(s->store);
        assert_int_equal(event_store_write(s->store, again, NULL), 0);
        assert_true(event_store_again(s->store) == USEC_INFINITY);
        assert_int_equal(event_store_write(s->store, again, NULL), 1);
        restart(s);
        assert_int_equal(event_log_count(s->log), 4);
}

static bool only_two(void *userdata, const struct event_log_entry *entry)
{
        (void)userdata;
        return str_eq(entry->reason, "Two");
}

static void test_table(void **state)
{
        struct state *s = *state;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);
        (void)add(s, "One", "a\nb\n", 100 * USEC_PER_SEC);
        (void)add(s, "Two", "c", 110 * USEC_PER_SEC);
        (void)add(s, "One", "a\nb\n", 160 * USEC_PER_SEC);
        cJSON *list CLEANUP_CJSON = event_log_list(s->log, NULL, NULL);
        event_table(cjson_get(list, "items", NULL), 220 * USEC_PER_SEC, &out);
        assert_string_equal(buf_str(&out), "LAST SEEN          TYPE      REASON   OBJECT            MESSAGE\n"
                                           "110s               Warning   Two      default/a[main]   c\n"
                                           "60s (x2 over 2m)   Warning   One      default/a[main]   a b\n");
        buf_clear(&out);
        event_table(NULL, 0, &out);
        assert_int_equal(out.len, 0);
        event_line(cJSON_GetArrayItem(cjson_get(list, "items", NULL), 0), &out);
        assert_string_equal(buf_str(&out), "1970-01-01T00:02:40Z   Warning   One   default/a[main]   (x2) a b\n");
        (void)add(s, "Two", "\033[2Jx\xc2\x9b", 300 * USEC_PER_SEC);
        cJSON *steers CLEANUP_CJSON = event_log_list(s->log, NULL, NULL);
        buf_clear(&out);
        event_table(cjson_get(steers, "items", NULL), 300 * USEC_PER_SEC, &out);
        assert_non_null(strstr(buf_str(&out), "default/a[main]   ?[2Jx??\n"));
        buf_clear(&out);
        event_line(cJSON_GetArrayItem(cjson_get(steers, "items", NULL), 2), &out);
        assert_non_null(strstr(buf_str(&out), "default/a[main]   ?[2Jx??\n"));
        cJSON *one CLEANUP_CJSON = event_log_list(s->log, only_two, NULL);
        assert_int_equal(cJSON_GetArraySize(cjson_get(one, "items", NULL)), 2);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_survives), TEST(test_bounded),  TEST(test_damaged), TEST(test_refused),
                TEST(test_table),    TEST(test_together), TEST(test_bytes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
