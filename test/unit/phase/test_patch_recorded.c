/* SPDX-License-Identifier: Apache-2.0
 *
 * Patches and what the libraries that kubeadm links made of them: test/data/patches/VERSION.jsonl, which
 * test/peer/patchref/record.py says how to make. PATCH_RECORDINGS names another directory with such files.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "phase/era.h"
#include "phase/patch_json.h"
#include "phase/patch_merge.h"
#include "phase/patch_strategic.h"
#include "phase/typed.h"

#define RECORDING_MAX (64 * 1024 * 1024)

static void count_problem(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                          const char *text)
{
        unsigned *wrong = userdata;

        (void)place;
        (void)path;
        (void)text;
        *wrong += kind == TYPED_WRONG_TYPE;
}

static int apply(const struct value *run, struct api_types *types, const struct era *era, struct value **document,
                 struct err *err)
{
        struct value *patch CLEANUP_VALUE = value_copy(value_map_get(run, "patch"));
        const char *type = value_string(value_map_get(run, "type"), "");
        size_t operation;

        if (str_eq(type, "json"))
                return patch_json(document, patch, era, &operation, err);
        if (str_eq(type, "merge"))
                return patch_merge(document, patch, era, err);
        return patch_strategic(document, patch, types, "Pod", era, err);
}

static bool is_same(const struct value *got, const struct value *wanted, const char *where, const char *what)
{
        struct buf a CLEANUP_BUF = BUF_INIT(RECORDING_MAX), b CLEANUP_BUF = BUF_INIT(RECORDING_MAX);

        if (value_equal(got, wanted))
                return true;
        json_write(got, JSON_SORT_KEYS, &a);
        json_write(wanted, JSON_SORT_KEYS, &b);
        (void)fprintf(stderr, "%s: %s is\n%s\nnot\n%s\n", where, what, buf_str(&a), buf_str(&b));
        return false;
}

/* A pod by its fields, and one by its kind. */
static bool is_pod(struct value *document, struct api_types *types)
{
        struct err err = ERR_INIT;
        unsigned wrong = 0;

        if (document->kind != VALUE_MAP)
                return false;
        if (typed_normalise(document, types, "Pod", "", count_problem, &wrong, &err) < 0)
                fail_msg("%s", err.msg);
        return wrong == 0 && str_eq(value_string(value_map_get(document, "kind"), ""), "Pod") &&
               str_eq(value_string(value_map_get(document, "apiVersion"), ""), "v1");
}

static bool check(const struct value *run, struct api_types *types, const struct era *era, const char *where)
{
        struct value *document CLEANUP_VALUE = value_copy(value_map_get(run, "document"));
        const char *error = value_string(value_map_get(run, "error"), NULL);
        bool wrong = value_map_get(run, "wrong") != NULL;
        struct err err = ERR_INIT;

        int r = apply(run, types, era, &document, &err);
        if (error || r < 0) {
                if (error && r < 0 && strcmp(err.msg, error) == 0)
                        return true;
                (void)fprintf(stderr, "%s: %s\nnot\n%s\n", where, r < 0 ? err.msg : "no error",
                              error ? error : "no error");
                return false;
        }
        if (!is_same(document, value_map_get(run, "result"), where, "the result"))
                return false;
        if (is_pod(document, types) == wrong) {
                (void)fprintf(stderr, "%s: %s\n", where, wrong ? "taken for a pod" : "not taken for a pod");
                return false;
        }
        return wrong || is_same(document, value_map_get(run, "pod"), where, "the pod");
}

static struct era *new_era(const char *text)
{
        struct kube_version version;
        struct era *era = NULL;
        struct err err = ERR_INIT;

        if (kube_version_parse(text, true, &version, &err) < 0 || era_new(getenv("TEST_TEMPLATES"), &era, &err) < 0 ||
            era_set_version(era, &version, &err) < 0)
                fail_msg("%s: %s", text, err.msg);
        return era;
}

/* The number of runs; failed ones are added to *failed. */
static unsigned check_file(const char *dir, const char *name, unsigned *failed)
{
        char *path CLEANUP_FREE = file_join(dir, name);
        char *version CLEANUP_FREE = xstrndup(name, strlen(name) - strlen(".jsonl"));
        struct era *era CLEANUP_ERA = new_era(version);
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        struct buf data CLEANUP_BUF = BUF_INIT(RECORDING_MAX);
        struct err err = ERR_INIT;
        unsigned count = 0;

        if (file_read(path, &data, &err) < 0)
                fail_msg("%s", err.msg);
        for (const char *line = buf_str(&data); *line;) {
                size_t len = strcspn(line, "\n");
                struct value *run CLEANUP_VALUE = NULL;
                char *where CLEANUP_FREE = xasprintf("%s:%u", name, ++count);

                if (json_load(where, line, len, &run, &err) < 0)
                        fail_msg("%s", err.msg);
                *failed += !check(run, types, era, where);
                line += len + (line[len] == '\n');
        }
        return count;
}

static void test_recorded(void **state)
{
        char *own CLEANUP_FREE = xasprintf("%s/patches", getenv("TEST_DATA"));
        const char *other = getenv("PATCH_RECORDINGS"), *path = other ? other : own;
        DIR *dir = opendir(path);
        unsigned files = 0, failed = 0;

        (void)state;
        assert_non_null(dir);
        for (struct dirent *e = readdir(dir); e; e = readdir(dir))
                if (str_ends(e->d_name, ".jsonl")) {
                        assert_true(check_file(path, e->d_name, &failed) > 50);
                        files++;
                }
        (void)closedir(dir);
        assert_true(other || files >= 4);
        assert_int_equal(failed, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_recorded),
        };

        return cmocka_run_group_tests_name("patch_recorded", tests, NULL, NULL);
}
