/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "node/metrics_text.h"

#define BUF CLEANUP_BUF = BUF_INIT(1 << 16)

static void test_samples(void **state)
{
        const struct metrics_label labels[] = {{"a", "x"}, {"b", "q\"b\\s\nn"}};
        struct buf out BUF;

        (void)state;
        metrics_family(&out, "f", "gauge", "What it is.");
        metrics_sample(&out, "f", labels, ARRAY_SIZE(labels), 1);
        metrics_sample1(&out, "f", "c", "", 0);
        metrics_sample1(&out, "f", NULL, NULL, 0.1);
        assert_string_equal(buf_str(&out), "# HELP f What it is.\n# TYPE f gauge\nf{a=\"x\",b=\"q\\\"b\\\\s\\nn\"} 1\n"
                                           "f{c=\"\"} 0\nf 0.1\n");
}

static void test_numbers(void **state)
{
        static const struct {
                double value;
                const char *text;
        } rows[] = {
                {0, "f 0\n"},
                {110, "f 110\n"},
                {-3, "f -3\n"},
                {12345678, "f 12345678\n"},
                {0.1 + 0.2, "f 0.30000000000000004\n"},
                {1.5e9, "f 1.5e+09\n"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct buf out BUF;

                metrics_sample1(&out, "f", NULL, NULL, rows[i].value);
                assert_string_equal(buf_str(&out), rows[i].text);
        }
}

static void test_histogram(void **state)
{
        static const double bounds[] = {0.5, 1, 10}, values[] = {0.25, 0.5, 0.75, 10, 11, 1000};
        struct metrics_histogram h = {0};
        struct buf out BUF;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                metrics_histogram_add(&h, bounds, ARRAY_SIZE(bounds), values[i]);
        metrics_histogram_write(&out, "h", NULL, &h, bounds, ARRAY_SIZE(bounds));
        assert_string_equal(buf_str(&out), "h_bucket{le=\"0.5\"} 2\nh_bucket{le=\"1\"} 3\nh_bucket{le=\"10\"} 4\n"
                                           "h_bucket{le=\"+Inf\"} 6\nh_sum 1022.5\nh_count 6\n");
        buf_clear(&out);
        metrics_histogram_write(&out, "h", &(struct metrics_label){"a", "b\""}, &h, bounds, 1);
        assert_string_equal(buf_str(&out), "h_bucket{a=\"b\\\"\",le=\"0.5\"} 2\nh_bucket{a=\"b\\\"\",le=\"+Inf\"} 6\n"
                                           "h_sum{a=\"b\\\"\"} 1022.5\nh_count{a=\"b\\\"\"} 6\n");
        buf_clear(&out);
        metrics_sample_at(&out, "f", NULL, 0, 2, 1700000000123456);
        assert_string_equal(buf_str(&out), "f 2 1700000000123\n");
}

static void test_process(void **state)
{
        static const char *const names[] = {"process_cpu_seconds_total ",
                                            "process_resident_memory_bytes ",
                                            "process_virtual_memory_bytes ",
                                            "process_start_time_seconds ",
                                            "process_open_fds ",
                                            "process_max_fds "};
        struct buf out BUF;

        (void)state;
        metrics_process(&out);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *line CLEANUP_FREE = xasprintf("\n%s", names[i]);

                assert_non_null(strstr(buf_str(&out), line));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_samples),
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_histogram),
                cmocka_unit_test(test_process),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
