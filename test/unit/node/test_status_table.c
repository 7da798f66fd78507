/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/strv.h"
#include "codec/cjson_get.h"
#include "node/status_table.h"

static void assert_word(const char *status, bool stopping, const char *expected)
{
        cJSON *json CLEANUP_CJSON = cJSON_Parse(status);
        char word[64];

        assert_non_null(json);
        status_word(json, stopping, word, sizeof(word));
        assert_string_equal(word, expected);
}

static void test_words(void **state)
{
        (void)state;
        assert_word("{\"phase\":\"Pending\"}", false, "Pending");
        assert_word("{\"phase\":\"Running\",\"containerStatuses\":[{\"ready\":true,\"state\":{\"running\":{}}}]}",
                    false, "Running");
        assert_word("{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
                    "\"CrashLoopBackOff\"}}}]}",
                    false, "CrashLoopBackOff");
        assert_word("{\"phase\":\"Succeeded\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"reason\":"
                    "\"Completed\"}}}]}",
                    false, "Completed");
        assert_word(
                "{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"reason\":\"Completed\"}}},"
                "{\"ready\":true,\"state\":{\"running\":{}}}]}",
                false, "Running");
        assert_word("{\"phase\":\"Failed\",\"containerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":3}}}]}",
                    false, "ExitCode:3");
        assert_word("{\"phase\":\"Failed\",\"reason\":\"DeadlineExceeded\"}", false, "DeadlineExceeded");
        assert_word("{\"phase\":\"Running\"}", true, "Terminating");
        assert_word("{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"state\":{\"terminated\":{\"exitCode\":0}}},"
                    "{\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}}}]}",
                    false, "Init:1/2");
        assert_word("{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"state\":{\"waiting\":{\"reason\":"
                    "\"ErrImagePull\"}}}]}",
                    false, "Init:ErrImagePull");
        assert_word("{}", false, "Pending");
}

static const char picture[] =
        "{\"now\":\"2026-01-01T00:10:00Z\",\"waitsFor\":\"\",\"manifests\":{\"files\":["
        "{\"file\":\"/m/b.yaml\",\"problem\":\"/m/b.yaml:3:1: bad\",\"pod\":\"default/b-n1\",\"revision\":4,"
        "\"findings\":[{\"fatal\":true,\"text\":\"/m/b.yaml:3:1: bad\"},{\"fatal\":false,\"text\":\"odd\"}]},"
        "{\"file\":\"/m/c.yaml\",\"problem\":\"/m/c.yaml: no\",\"findings\":[]}],"
        "\"ignored\":[{\"file\":\".x\",\"why\":\"a hidden file\"},{\"file\":\"b.yaml~\",\"why\":\"a backup\"}]},"
        "\"pods\":[{\"namespace\":\"default\",\"name\":\"a-n1\",\"revision\":2,\"step\":\"Active\",\"containers\":2,"
        "\"firstSeen\":\"2026-01-01T00:00:00Z\",\"file\":\"/m/"
        "a.yaml\",\"status\":{\"phase\":\"Running\",\"podIP\":\"1.2.3.4\","
        "\"containerStatuses\":[{\"ready\":true,\"restartCount\":0,\"state\":{\"running\":{}}},"
        "{\"restartCount\":3,\"state\":{\"waiting\":{\"reason\":\"CrashLoopBackOff\"}},"
        "\"lastState\":{\"terminated\":{\"finishedAt\":\"2026-01-01T00:09:50Z\"}}}]},"
        "\"waits\":[{\"container\":\"d\",\"reason\":\"CrashLoopBackOff\",\"message\":\"back-off\","
        "\"until\":\"2026-01-01T00:10:30Z\"}],"
        "\"lastWords\":[{\"container\":\"d\",\"exitCode\":7,\"text\":\"one\\ntwo\\n\"}],"
        "\"mirror\":{\"refusal\":\"namespace gone\"}}]}";

/* What a container wrote does not steer the terminal. */
static void test_controls(void **state)
{
        (void)state;
        static const char text[] =
                "{\"now\":\"2026-01-01T00:10:00Z\",\"pods\":[{\"namespace\":\"default\",\"name\":\"a\","
                "\"status\":{\"phase\":\"Running\",\"reason\":\"\\u009bx\"},"
                "\"lastWords\":[{\"container\":\"d\",\"exitCode\":7,\"text\":\"\\u001b[2Jone\\ttwo\"}]}]}";
        cJSON *json CLEANUP_CJSON = cJSON_Parse(text);
        struct strv only CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        assert_non_null(json);
        status_table(json, &only, false, &out);
        assert_null(strchr(buf_str(&out), '\033'));
        assert_null(strstr(buf_str(&out), "\xc2\x9b"));
        assert_non_null(strstr(buf_str(&out), "    ?[2Jone\ttwo\n"));
        buf_clear(&out);
        status_changes(json, NULL, &only, &out);
        assert_null(strstr(buf_str(&out), "\xc2\x9b"));
        assert_non_null(strstr(buf_str(&out), "??x"));
}

static void test_picture(void **state)
{
        (void)state;
        cJSON *json CLEANUP_CJSON = cJSON_Parse(picture);
        struct strv only CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        assert_non_null(json);
        status_table(json, &only, false, &out);
        assert_string_equal(buf_str(&out), "NAMESPACE   NAME   READY   STATUS             RESTARTS      AGE\n"
                                           "default     a-n1   1/2     CrashLoopBackOff   3 (10s ago)   10m\n"
                                           "\ndefault/a-n1\n"
                                           "  d: CrashLoopBackOff: back-off (next try in 30s)\n"
                                           "  d: ended with code 7, its last words:\n    one\n    two\n"
                                           "  the API server refuses its mirror: namespace gone\n"
                                           "\n/m/b.yaml:3:1: bad\n  version 4 of default/b-n1 stays in force\n"
                                           "  warning: odd\n"
                                           "\n/m/c.yaml: no\n  nothing runs by this file\n"
                                           "\nNot read: b.yaml~ (a backup)\n");
        buf_clear(&out);
        strv_add(&only, "a-n1");
        status_table(json, &only, true, &out);
        assert_non_null(strstr(buf_str(&out), "1.2.3.4   2          /m/a.yaml\n"));
        assert_null(strstr(buf_str(&out), "b.yaml"));
        buf_clear(&out);
        strv_release(&only);
        strv_add(&only, "none");
        status_table(json, &only, false, &out);
        assert_string_equal(buf_str(&out), "No pods of that name.\n");
}

static void test_nothing_yet(void **state)
{
        (void)state;
        cJSON *json CLEANUP_CJSON = cJSON_Parse("{\"waitsFor\":\"Docker (not there)\",\"pods\":[]}");
        struct strv only CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        status_table(json, &only, false, &out);
        assert_string_equal(buf_str(&out), "Waits for Docker (not there)\n\nNo pods.\n");
}

static const char troubled[] =
        "{\"now\":\"2026-01-01T00:10:00Z\",\"pods\":[{\"namespace\":\"default\",\"name\":\"a-n1\",\"containers\":1,"
        "\"status\":{\"phase\":\"Running\",\"containerStatuses\":[{\"state\":{\"running\":{}}}]},"
        "\"lastWords\":[{\"container\":\"c\",\"exitCode\":1,\"text\":\"no\",\"refused\":["
        "{\"address\":\"127.0.0.1:1\"},{\"address\":\"127.0.0.1:2\",\"pod\":\"default/"
        "b-n1\",\"status\":\"Running\",\"ready\":"
        "true},{\"address\":\"[::1]:3\",\"pod\":\"default/c-n1\",\"status\":\"CrashLoopBackOff\",\"ready\":false},"
        "{\"address\":\"127.0.0.1:4\",\"pod\":\"default/d-n1\",\"status\":\"Running\",\"ready\":false}]}],"
        "\"probes\":[{\"container\":\"c\",\"kind\":\"Readiness\",\"next\":\"2026-01-01T00:10:05Z\",\"results\":["
        "{\"time\":\"2026-01-01T00:09:55Z\",\"outcome\":\"failure\",\"output\":\"statuscode: 500\"}]},"
        "{\"container\":\"c\",\"kind\":\"Liveness\",\"results\":["
        "{\"time\":\"2026-01-01T00:09:58Z\",\"outcome\":\"error\"}]}]}]}";

static void test_what_to_do_next(void **state)
{
        (void)state;
        cJSON *json CLEANUP_CJSON = cJSON_Parse(troubled);
        struct strv only CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        assert_non_null(json);
        status_table(json, &only, false, &out);
        assert_non_null(strstr(buf_str(&out),
                               "\ndefault/a-n1\n"
                               "  c: Readiness probe failed 5s ago: statuscode: 500 (next try in 5s)\n"
                               "  c: Liveness probe could not be made 2s ago: no answer\n"
                               "  c: ended with code 1, its last words:\n    no\n"
                               "    -> 127.0.0.1:1 refused it: no static pod of this node serves it\n"
                               "    -> 127.0.0.1:2 refused it: default/b-n1 serves it, and is Ready by now\n"
                               "    -> [::1]:3 refused it: default/c-n1 serves it, and is CrashLoopBackOff\n"
                               "    -> 127.0.0.1:4 refused it: default/d-n1 serves it, and is Running, not Ready\n"));
}

static void test_changes(void **state)
{
        (void)state;
        cJSON *one CLEANUP_CJSON = cJSON_Parse(picture), *two CLEANUP_CJSON = cJSON_Parse(troubled);
        cJSON *none CLEANUP_CJSON = cJSON_Parse("{\"now\":\"2026-01-01T00:11:00Z\",\"pods\":[]}");
        struct strv only CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        status_changes(one, NULL, &only, &out);
        assert_string_equal(
                buf_str(&out),
                "2026-01-01T00:10:00Z   /m/b.yaml:3:1: bad\n2026-01-01T00:10:00Z   /m/c.yaml: no\n"
                "2026-01-01T00:10:00Z   default/a-n1   1/2   CrashLoopBackOff   3 restarts   d: CrashLoopBackOff\n");
        buf_clear(&out);
        status_changes(one, one, &only, &out);
        assert_int_equal(out.len, 0);
        status_changes(two, one, &only, &out);
        assert_string_equal(buf_str(&out), "2026-01-01T00:10:00Z   default/a-n1   0/1   Running   0 restarts\n");
        buf_clear(&out);
        status_changes(none, two, &only, &out);
        assert_string_equal(buf_str(&out), "2026-01-01T00:11:00Z   default/a-n1   gone\n");
        buf_clear(&out);
        cJSON *waits CLEANUP_CJSON = cJSON_Parse("{\"now\":\"2026-01-01T00:12:00Z\",\"waitsFor\":\"Docker (x)\"}");
        status_changes(waits, none, &only, &out);
        assert_string_equal(buf_str(&out), "2026-01-01T00:12:00Z   waits for Docker (x)\n");
        buf_clear(&out);
        status_changes(none, waits, &only, &out);
        assert_string_equal(buf_str(&out), "2026-01-01T00:11:00Z   waits for nothing any more\n");
        buf_clear(&out);
        strv_add(&only, "other");
        status_changes(none, two, &only, &out);
        assert_int_equal(out.len, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),    cmocka_unit_test(test_picture),
                cmocka_unit_test(test_controls), cmocka_unit_test(test_what_to_do_next),
                cmocka_unit_test(test_changes),  cmocka_unit_test(test_nothing_yet),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
