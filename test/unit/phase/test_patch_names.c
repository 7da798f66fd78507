/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of patch files, and how a file is split into documents.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "codec/value.h"
#include "phase/patch_name.h"
#include "phase/patch_split.h"

static struct value *new_targets(void)
{
        static const char *const names[] = {"etcd", "kube-apiserver", "kube-scheduler"};
        struct value *list = value_new_list();

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                value_list_add(list, value_new_string(names[i]));
        return list;
}

static void test_names(void **state)
{
        static const struct {
                const char *name, *target;
                enum patch_type type;
        } cases[] = {
                {"etcd.json", "etcd", PATCH_STRATEGIC},
                {"etcd.yaml", "etcd", PATCH_STRATEGIC},
                {"etcdfoo.yaml", "etcd", PATCH_STRATEGIC},
                {"etcd.merge.yaml", "etcd", PATCH_STRATEGIC},
                {"etcd+merge.yaml", "etcd", PATCH_MERGE},
                {"etcd0+json.json", "etcd", PATCH_JSON},
                {"etcd+jsonx.yaml", "etcd", PATCH_JSON},
                {"etcd+strategic", NULL, PATCH_TYPE_MAX},
                {"kube-apiserver0+merge.v2.yaml", "kube-apiserver", PATCH_MERGE},
                {"kube-apiserver.d+json.yaml", "kube-apiserver", PATCH_STRATEGIC},
                {"kube-scheduler\n+json.yaml", "kube-scheduler", PATCH_STRATEGIC},
                {"etcd.yml", NULL, PATCH_TYPE_MAX},
                {"etcd.yaml~", NULL, PATCH_TYPE_MAX},
                {".yaml", NULL, PATCH_TYPE_MAX},
                {"\n.yaml", NULL, PATCH_TYPE_MAX},
                {"Etcd.yaml", NULL, PATCH_TYPE_MAX},
                {"xetcd.yaml", NULL, PATCH_TYPE_MAX},
                {"kube-controller-manager.yaml", NULL, PATCH_TYPE_MAX},
        };
        struct value *targets CLEANUP_VALUE = new_targets();

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *target = NULL;
                enum patch_type type = PATCH_TYPE_MAX;
                struct err err = ERR_INIT;
                int r = patch_name_parse(cases[i].name, targets, &target, &type, &err);

                if (r != (cases[i].target ? 0 : 1))
                        fail_msg("%s: %d %s", cases[i].name, r, err.msg);
                if (r == 0 && (strcmp(target, cases[i].target) != 0 || type != cases[i].type))
                        fail_msg("%s: %s %s", cases[i].name, target, patch_type_text(type));
        }
}

static void test_names_refused(void **state)
{
        static const char *const names[] = {"etcd+.yaml", "etcd+bad.yaml", "etcdx+Merge.json", "etcd++json.yaml"};
        struct value *targets CLEANUP_VALUE = new_targets();
        const char *target = NULL;
        enum patch_type type = PATCH_TYPE_MAX;
        struct err err = ERR_INIT;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(patch_name_parse(names[i], targets, &target, &type, &err), -ERR_INVALID);
                assert_string_equal(err.msg,
                                    "unknown or missing patch type after '+', must be one of [json merge strategic]");
        }
        assert_int_equal(patch_name_parse("etcd.txt", targets, &target, &type, &err), 1);
        assert_string_equal(err.msg, "the file extension must be one of [json yaml]");
        assert_int_equal(patch_name_parse("x.yaml", targets, &target, &type, &err), 1);
        assert_string_equal(err.msg, "unknown target, must be one of [etcd kube-apiserver kube-scheduler]");
}

/* The pieces of text, each in brackets behind the number of its line, or the error. */
static char *pieces(const char *text, bool exact)
{
        char *all = xstrdup("");
        struct patch_piece piece;
        struct err err = ERR_INIT;
        size_t at = 0;
        int r;

        while ((r = patch_split_next(text, strlen(text), exact ? PATCH_SPLIT_EXACT : 0, &at, &piece, &err)) == 0) {
                char *more = xasprintf("%s%zu<%.*s>", all, piece.line, (int)piece.len, piece.text);
                free(all);
                all = more;
        }
        if (r > 0)
                return all;
        free(all);
        return xstrdup(err.msg);
}

static void test_split(void **state)
{
        static const struct {
                const char *text, *pieces, *exact; /* exact NULL: the same */
        } cases[] = {
                {"", "", NULL},
                {"\n \n", "", NULL},
                {"a: 1", "1<a: 1>", NULL},
                {"a: 1\n---\nb: 2\n", "1<a: 1\n>3<b: 2\n>", NULL},
                {"a: 1\n---  \r\nb: 2\n", "1<a: 1\n>3<b: 2\n>", NULL},
                {"---\na: 1\n---\n", "1<---\na: 1\n>", NULL},
                {"---\n---\na: 1\n", "1<---\n>3<a: 1\n>", NULL},
                {"---\n---\n", "1<---\n>", NULL},
                {"a: 1\n---\n---\nb: 2\n", "1<a: 1\n>3<---\nb: 2\n>", NULL},
                {"a: 1\n\n---\n\n---\nb: 2", "1<a: 1\n\n>6<b: 2>", NULL},
                {"# nothing\n", "1<# nothing\n>", NULL},
                {" ---\na: 1\n", "1< ---\na: 1\n>", NULL},
                {"a: 1\n--- # two\nb: 2\n", "1<a: 1\n>3<b: 2\n>", "1<a: 1\n--- # two\nb: 2\n>"},
                {"a: 1\n--- x \nb: 2\n", "invalid Yaml document separator: x", "1<a: 1\n--- x \nb: 2\n>"},
                {"----\n", "invalid Yaml document separator: -", "1<----\n>"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *plain CLEANUP_FREE = pieces(cases[i].text, false);
                char *exact CLEANUP_FREE = pieces(cases[i].text, true);

                assert_string_equal(plain, cases[i].pieces);
                assert_string_equal(exact, cases[i].exact ? cases[i].exact : cases[i].pieces);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_names_refused),
                cmocka_unit_test(test_split),
        };

        return cmocka_run_group_tests_name("patch_names", tests, NULL, NULL);
}
