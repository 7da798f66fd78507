/* SPDX-License-Identifier: Apache-2.0
 *
 * Corefiles beside what the library that kubeadm links makes of them: test/data/corefile/answers.jsonl, which
 * test/peer/corefile/update.py says how to make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/json.h"
#include "codec/value.h"
#include "phase/corefile.h"
#include "phase/corefile_migration.h"
#include "phase/era.h"

static struct era *era_of(const char *kubeadm)
{
        struct kube_version version;
        struct era *era = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, &err), 0);
        assert_int_equal(kube_version_parse(kubeadm, false, &version, &err), 0);
        assert_int_equal(era_set_version(era, &version, &err), 0);
        return era;
}

static const char *text_of(const struct value *row, const char *key)
{
        return value_string(value_map_get(row, key), NULL);
}

static bool is_true(const struct value *row, const char *key)
{
        const struct value *v = value_map_get(row, key);

        return value_is(v, VALUE_BOOL) && v->boolean;
}

static void check_written(const struct value *row)
{
        const char *text = text_of(row, "corefile"), *wanted = text_of(row, "written");
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;

        if (!wanted) {
                assert_int_equal(corefile_parse(text, strlen(text), &corefile, &err), -ERR_INVALID);
                return;
        }
        assert_int_equal(corefile_parse(text, strlen(text), &corefile, &err), 0);
        corefile_write(corefile, &out);
        assert_string_equal(buf_str(&out), wanted);
}

static void check_changes(const struct era *era, const struct value *row)
{
        const char *error = text_of(row, "error");
        struct strv changes CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;
        bool needed;
        int r = corefile_changes(era, text_of(row, "from"), text_of(row, "corefile"), &changes, &needed, &err);

        assert_string_equal(r < 0 ? err.msg : "", error);
        assert_int_equal(needed, is_true(row, "needed"));
        const struct value *wanted = value_map_get(row, "changes");
        size_t count = value_is(wanted, VALUE_LIST) ? wanted->list.count : 0;
        assert_int_equal(changes.len, count);
        for (size_t i = 0; i < count; i++)
                assert_string_equal(changes.items[i], value_string(wanted->list.items[i], ""));
}

static void check_plan(const struct era *era, const struct value *row)
{
        bool by_default = is_true(row, "default"), needed = is_true(row, "needed");
        enum corefile_plan plan;
        struct err err = ERR_INIT;
        int r = corefile_plan(era, text_of(row, "from"), text_of(row, "corefile"), &plan, &err);

        if (!str_empty(text_of(row, "error"))) {
                char *wanted CLEANUP_FREE =
                        xasprintf("unable to get list of changes to the configuration.: %s", text_of(row, "error"));
                assert_true(r < 0);
                assert_string_equal(err.msg, wanted);
                return;
        }
        assert_int_equal(r, 0);
        assert_int_equal(plan, by_default ? COREFILE_REPLACE : needed ? COREFILE_MIGRATE : COREFILE_RETAIN);
}

static void check_migrated(const struct era *era, const struct value *row)
{
        const char *wanted = text_of(row, "migrated"), *failure = text_of(row, "failure");
        char *migrated CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;
        int r = corefile_migrate(era, text_of(row, "from"), text_of(row, "corefile"), &migrated, &err);

        if (wanted) {
                assert_int_equal(r, 0);
                assert_string_equal(migrated, wanted);
                return;
        }
        assert_true(r < 0);
        if (!str_eq(failure, "dies"))
                assert_string_equal(err.msg, failure);
}

static void check_row(const struct value *row)
{
        struct era *era CLEANUP_ERA = era_of(text_of(row, "kubeadm"));
        const char *from = text_of(row, "from");

        check_written(row);
        if (!text_of(row, "written"))
                return;
        /* kubeadm does not ask where both are the same, or there is none; a "v" it takes away. */
        if (!str_eq(from, text_of(row, "to")))
                check_changes(era, row);
        if (!str_empty(from) && !str_starts(from, "v"))
                check_plan(era, row);
        check_migrated(era, row);
}

static void test_answers(void **state)
{
        char *path CLEANUP_FREE = xasprintf("%s/corefile/answers.jsonl", getenv("TEST_DATA"));
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct strv lines CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;
        size_t rows = 0;

        (void)state;
        assert_int_equal(file_read(path, &text, &err), 0);
        strv_split(&lines, buf_str(&text), '\n');
        for (size_t i = 0; i < lines.len; i++) {
                struct value *row CLEANUP_VALUE = NULL;

                if (str_empty(lines.items[i]))
                        continue;
                assert_int_equal(json_load(path, lines.items[i], strlen(lines.items[i]), &row, &err), 0);
                print_message("# line %zu\n", i + 1);
                check_row(row);
                rows++;
        }
        assert_true(rows > 100);
}

static void check_version(const char *kubeadm, const char *image, const char *wanted)
{
        struct era *era CLEANUP_ERA = era_of(kubeadm);
        char *version CLEANUP_FREE = corefile_deployed_version(era, image);

        assert_string_equal(version, wanted);
}

#define DIGEST "@sha256:9512edae126da271b66b990b6fff768fbb7cd786c7d39e86bdf55906352fdf62"

static void test_version(void **state)
{
        (void)state;
        check_version("1.36.3", "registry.k8s.io/coredns/coredns:v1.14.2", "v1.14.2");
        check_version("1.36.3", "registry.k8s.io/coredns/coredns:v1.14.2" DIGEST, "v1.14.2");
        check_version("1.36.3", "registry.k8s.io/coredns/coredns" DIGEST, "");
        check_version("1.36.3", "coredns:v1" DIGEST "0", strrchr(DIGEST "0", ':') + 1);
        check_version("1.36.3", "example.com:5000/coredns", "");
        check_version("1.36.3", "example.com:5000/coredns:1.2-x", "1.2-x");
        check_version("1.36.3", "coredns:", "");
        check_version("1.36.3", "coredns:.1", "");
        check_version("1.36.3", ":1", "1");
        check_version("1.36.3", "", "");
        check_version("1.29.0", "coredns:v1.10.1" DIGEST, strrchr(DIGEST, ':') + 1);
        check_version("1.29.0", "example.com:5000/coredns", "5000/coredns");
        check_version("1.29.0", "coredns", "coredns");
}

/* What kubeadm makes of the version before it asks the library. */
static void test_deployed(void **state)
{
        static const char changed[] = ".:53 {\n    forward . 1.1.1.1\n}\n";
        struct era *old CLEANUP_ERA = era_of("1.20.15"), *next CLEANUP_ERA = era_of("1.21.14"),
                        *newest CLEANUP_ERA = era_of("1.36.3");
        enum corefile_plan plan;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(corefile_plan(newest, "v1.14.2", changed, &plan, &err), 0);
        assert_int_equal(plan, COREFILE_RETAIN);
        assert_int_equal(corefile_plan(newest, "", changed, &plan, &err), 0);
        assert_int_equal(plan, COREFILE_RETAIN);
        assert_int_equal(corefile_plan(newest, "v1.6.9", changed, &plan, &err), 0);
        assert_int_equal(plan, COREFILE_MIGRATE);
        assert_int_equal(corefile_plan(next, "v1.6.9", changed, &plan, &err), 0);
        assert_int_equal(plan, COREFILE_MIGRATE);
        assert_true(corefile_plan(old, "v1.6.9", changed, &plan, &err) < 0);
        assert_string_equal(
                err.msg, "unable to get list of changes to the configuration.: start version 'v1.6.9' not supported");
        /* It looks at its own version too. */
        assert_int_equal(corefile_plan(old, "1.7.0", changed, &plan, &err), 0);
        assert_int_equal(plan, COREFILE_MIGRATE);
}

static void check_limit(const char *unit, size_t count, const char *message)
{
        struct buf text CLEANUP_BUF = BUF_INIT(4 * LIMIT_COREFILE_BYTES);
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        struct err err = ERR_INIT;

        for (size_t i = 0; i < count; i++)
                buf_addstr(&text, unit);
        int r = corefile_parse(buf_str(&text), text.len, &corefile, &err);
        assert_int_equal(r, message ? -ERR_LIMIT : 0);
        if (message)
                assert_string_equal(err.msg, message);
}

static void test_limits(void **state)
{
        (void)state;
        check_limit("a\n", LIMIT_COREFILE_LINES, NULL);
        check_limit("a\n", LIMIT_COREFILE_LINES + 1, "Corefile: more than 20000 lines");
        check_limit("{", LIMIT_COREFILE_BYTES, NULL);
        check_limit("{ ", LIMIT_COREFILE_BYTES / 2, NULL);
        check_limit("a ", LIMIT_COREFILE_BYTES / 2, NULL);
        check_limit("\xff", LIMIT_COREFILE_BYTES, NULL);
        check_limit("a", LIMIT_COREFILE_BYTES + 1, "Corefile: larger than 1572864 bytes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_version),
                cmocka_unit_test(test_deployed),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests_name("corefile", tests, NULL, NULL);
}
