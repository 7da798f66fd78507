/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"

/* Everything that fn writes to standard error. */
static char *captured(void (*fn)(void *arg), void *arg)
{
        struct buf b CLEANUP_BUF = BUF_INIT(1 << 22);
        int file CLEANUP_FD = memfd_create("log", MFD_CLOEXEC), saved = dup(STDERR_FILENO);
        char chunk[8192];

        assert_true(file >= 0 && saved >= 0);
        assert_true(dup2(file, STDERR_FILENO) >= 0);
        fn(arg);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        (void)fd_close(saved);
        (void)lseek(file, 0, SEEK_SET);
        for (ssize_t n; (n = read(file, chunk, sizeof(chunk))) > 0;)
                buf_add(&b, chunk, (size_t)n);
        return buf_steal(&b, NULL);
}

static void some_lines(void *arg)
{
        const struct log_field fields[] = {
                {"pod", "kube-system/etcd"}, {"gone", NULL}, {"cause", "two words"}, {"empty", ""}, {"quote", "a\"b"}};

        (void)arg;
        log_debug("not shown %d", 1);
        log_info("plain %s", "text");
        log_fields(LOG_LEVEL_WARNING, fields, ARRAY_SIZE(fields), "with %s", "fields");
        log_error("line\nforged\x1b[0m");
}

/* The line without its time. */
static const char *behind_time(const char *line)
{
        assert_int_equal(line[27], ' ');
        assert_int_equal(line[26], 'Z');
        assert_int_equal(line[10], 'T');
        return line + 28;
}

static void test_text(void **state)
{
        (void)state;
        char *out CLEANUP_FREE = captured(some_lines, NULL);
        char *second = strchr(out, '\n') + 1, *third = strchr(second, '\n') + 1;

        second[-1] = third[-1] = '\0';
        assert_string_equal(behind_time(out), "info: plain text");
        assert_string_equal(behind_time(second), "warning: with fields pod=kube-system/etcd cause=\"two words\" "
                                                 "empty=\"\" quote=\"a\\\"b\"");
        assert_string_equal(behind_time(third), "error: line\\nforged\\x1b[0m\n");
}

static void test_json(void **state)
{
        (void)state;
        log_set_sink(log_sink_json);
        char *out CLEANUP_FREE = captured(some_lines, NULL);
        log_set_sink(log_sink_text);
        char *second = strchr(out, '\n') + 1;

        assert_int_equal(strncmp(out, "{\"time\":\"2", 10), 0);
        assert_non_null(strstr(out, "Z\",\"level\":\"info\",\"msg\":\"plain text\"}\n"));
        assert_non_null(strstr(second, "\"msg\":\"with fields\",\"pod\":\"kube-system/etcd\",\"cause\":\"two words\","
                                       "\"empty\":\"\",\"quote\":\"a\\\"b\"}\n"));
        assert_non_null(strstr(second, "\"msg\":\"line\\nforged\\u001b[0m\"}\n"));
}

static void huge_line(void *arg)
{
        const char *text = arg;
        const struct log_field fields[] = {{"a", "1"}, {"big", text}, {"more", text}, {"last", "z"}};

        log_fields(LOG_LEVEL_INFO, fields, ARRAY_SIZE(fields), "%s", text);
}

/* One line, within the ceiling, that keeps its form. */
static void test_cut(void **state)
{
        (void)state;
        char *text CLEANUP_FREE = xmalloc(200001);

        for (int i = 0; i < 4; i++) {
                memset(text, i & 1 ? 'a' : '\x01', 200000);
                text[200000] = '\0';
                log_set_sink(i & 2 ? log_sink_json : log_sink_text);
                char *out CLEANUP_FREE = captured(huge_line, text);
                log_set_sink(log_sink_text);
                size_t len = strlen(out);
                assert_true(len > 5000 && len <= LIMIT_LOG_LINE);
                assert_ptr_equal(strchr(out, '\n'), out + len - 1);
                if (i & 2)
                        assert_int_equal(out[len - 2], '}');
        }
}

static void test_level(void **state)
{
        (void)state;
        log_set_level(LOG_LEVEL_ERROR);
        char *out CLEANUP_FREE = captured(some_lines, NULL);
        assert_int_equal(log_get_level(), LOG_LEVEL_ERROR);
        assert_string_equal(behind_time(out), "error: line\\nforged\\x1b[0m\n");
        log_set_level(LOG_LEVEL_DEBUG);
        char *all CLEANUP_FREE = captured(some_lines, NULL);
        assert_non_null(strstr(all, "debug: not shown 1\n"));
        log_set_level(LOG_LEVEL_INFO);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_text),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_level),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
