/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of Go types: every row is right in every version, and wrong ones are told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "codec/value.h"
#include "phase/api_types.h"
#include "phase/era.h"

static struct era *new_era(const char *templates, const char *text)
{
        struct kube_version version;
        struct era *era = NULL;
        struct err err = ERR_INIT;

        if (kube_version_parse(text, true, &version, &err) < 0 || era_new(templates, &era, &err) < 0 ||
            era_set_version(era, &version, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        return era;
}

static void check_rows(const struct era *era, const char *name)
{
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        const struct value *file = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(era_template(era, name, &file, &err), 0);
        assert_true(file->map.count > 100);
        for (size_t i = 0; i < file->map.count; i++) {
                const struct api_type *type = NULL, *below = NULL;

                if (api_types_get(types, file->map.entries[i].key, &type, &err) < 0)
                        fail_msg("%s", err.msg);
                for (size_t f = 0; f < type->count; f++)
                        if (type->fields[f].ref.kind == API_STRUCT &&
                            api_types_get(types, type->fields[f].ref.type_name, &below, &err) < 0)
                                fail_msg("%s.%s: %s", type->name, type->fields[f].name, err.msg);
        }
}

/* Each type that can be reached from the Pod is there and has right rows. */
static void test_every_row(void **state)
{
        const char *const versions[] = {"1.20", "1.22", "1.25", "1.28", "1.30", "1.31", "1.34", "1.36", "1.37"};

        (void)state;
        for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
                struct era *era CLEANUP_ERA = new_era(NULL, versions[v]);

                check_rows(era, "pod-types.yaml");
                check_rows(era, "other-types.yaml");
        }
}

/* So has each kind that a patch may make of the Pod. */
static void test_other_kinds(void **state)
{
        struct era *era CLEANUP_ERA = new_era(NULL, "1.36");
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        static const char *const versions[] = {"otherKinds.v1", "otherKinds.apps/v1"};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                const struct value *kinds_of = era_value(era, "patches", versions[i]);

                assert_true(value_is(kinds_of, VALUE_LIST));
                for (size_t k = 0; k < kinds_of->list.count; k++) {
                        const struct api_type *type = NULL;
                        struct err err = ERR_INIT;

                        if (api_types_get(types, value_string(kinds_of->list.items[k], ""), &type, &err) < 0)
                                fail_msg("%s", err.msg);
                }
        }
}

static void test_versions(void **state)
{
        struct era *old_era CLEANUP_ERA = new_era(NULL, "1.22"), *new CLEANUP_ERA = new_era(NULL, "1.34");
        struct api_types *before CLEANUP_API_TYPES = api_types_new(old_era),
                                 *after CLEANUP_API_TYPES = api_types_new(new);
        const struct api_type *type = NULL;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(api_types_get(before, "PodSpec", &type, &err), 0);
        assert_null(api_type_field(type, "hostUsers"));
        const struct api_field *containers = api_type_field(type, "containers");
        assert_true(containers->merge && containers->always && containers->ref.shape == API_LIST);
        assert_string_equal(containers->merge_key, "name");
        assert_string_equal(api_ref_go_kind(&containers->ref), "slice");
        assert_int_equal(api_types_get(after, "PodSpec", &type, &err), 0);
        assert_non_null(api_type_field(type, "hostUsers"));
        assert_false(api_type_field(type, "tolerations")->merge);
        assert_int_equal(api_types_get(before, "ObjectMeta", &type, &err), 0);
        assert_true(api_type_field(type, "creationTimestamp")->always);
        assert_true(api_type_field(type, "finalizers")->merge);
        assert_null(api_type_field(type, "finalizers")->merge_key);
        assert_int_equal(api_types_get(after, "ObjectMeta", &type, &err), 0);
        assert_true(api_type_field(type, "creationTimestamp")->omit_zero);
        assert_int_equal(api_types_get(after, "Nothing", &type, &err), -ERR_INVALID);
}

static void expect_mistake(const char *dir, const char *rows, const char *text)
{
        char *path CLEANUP_FREE = file_join(dir, "pod-types.yaml");
        char *file CLEANUP_FREE = xasprintf("T:\n%s", rows);
        const struct api_type *type = NULL;
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(path, file, strlen(file), 0644, 0, NULL), 0);
        struct era *era CLEANUP_ERA = new_era(dir, "1.36");
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        assert_int_equal(api_types_get(types, "T", &type, &err), -ERR_INVALID);
        const char *message = strstr(err.msg, "pod-types.yaml");
        assert_non_null(message);
        assert_string_equal(message, text);
}

static void test_mistakes(void **state)
{
        char dir[] = "/tmp/test_types.XXXXXX";

        (void)state;
        assert_non_null(mkdtemp(dir));
        expect_mistake(dir, "  a: strin\n", "pod-types.yaml:2:6: \"strin\": unknown type");
        expect_mistake(dir, "  a: list\n", "pod-types.yaml:2:6: \"list\": unknown type");
        expect_mistake(dir, "  a: string alway\n", "pod-types.yaml:2:6: \"string alway\": unknown word");
        expect_mistake(dir, "  a:\n  - string until=1.30\n  - string since=x\n",
                       "pod-types.yaml:4:5: \"string since=x\": since and until name a version");
        expect_mistake(dir, "  a: 1\n", "pod-types.yaml:2:6: \"(not a string)\": expected a type and its flags");
        assert_int_equal(file_remove_tree(dir, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_row),
                cmocka_unit_test(test_other_kinds),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_mistakes),
        };

        return cmocka_run_group_tests_name("api_types", tests, NULL, NULL);
}
