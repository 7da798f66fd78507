/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of edits, of pods and files that are given here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "kube/pod.h"
#include "node/plan.h"
#include "node/validate.h"

#include "../pod_of_text.h"

struct fixture {
        struct validation files;
        cJSON *status, *pods, *plan;
};

static struct pod *pod_of(const char *file, const char *command)
{
        const struct pod_source source = {.node_name = "n1", .file = file, .seen = 1};
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                                            "spec: {containers: [{name: c, image: i, command: [\"%s\"]}]}\n",
                                            command);

        return test_pod(text, &source);
}

/* The file that is in force, and what runs of it. */
static void runs(struct fixture *f, const char *file, const char *command)
{
        struct pod *pod CLEANUP_POD = pod_of(file, command);
        cJSON *items, *list, *item = cJSON_CreateObject();

        f->pods = cJSON_CreateObject();
        items = cJSON_AddArrayToObject(f->pods, "items");
        cJSON_AddItemToArray(items, cJSON_Parse(pod->json));
        f->status = cJSON_CreateObject();
        list = cJSON_AddArrayToObject(f->status, "pods");
        cJSON_AddStringToObject(item, "namespace", pod->namespace);
        cJSON_AddStringToObject(item, "name", pod->name);
        cJSON_AddStringToObject(item, "file", file);
        cJSON_AddItemToArray(list, item);
}

/* command NULL: the file is wrong. */
static void edit(struct fixture *f, const char *file, const char *command)
{
        struct validate_file *added;

        f->files.files = xrealloc(f->files.files, f->files.count + 1, sizeof(*f->files.files));
        added = &f->files.files[f->files.count++];
        *added = (struct validate_file){.path = xstrdup(file), .as = xstrdup(file)};
        added->pod = command ? pod_of(file, command) : NULL;
}

/* "action file" of each pod, and how many problems there are. */
static void assert_plan(struct fixture *f, bool whole, const char *expected, int problems)
{
        const struct plan_input in = {.files = &f->files, .whole = whole, .status = f->status, .pods = f->pods};
        struct buf said CLEANUP_BUF = BUF_INIT(4096), text CLEANUP_BUF = BUF_INIT(65536);
        struct err err = ERR_INIT;
        const cJSON *item;

        if (plan_make(&in, &f->plan, &err) < 0)
                fail_msg("%s", err.msg);
        cJSON_ArrayForEach (item, cjson_get(f->plan, "pods", NULL))
                buf_addf(&said, "%s%s %s", said.len ? ", " : "", cjson_text(item, "action", ""),
                         cjson_text(item, "file", ""));
        assert_string_equal(buf_str(&said), expected);
        assert_int_equal(cjson_int(f->plan, "problems", -1), problems);
        plan_text(f->plan, &text);
        if (strstr(expected, "shadowed"))
                assert_non_null(strstr(buf_str(&text), "1 shadowed"));
        validation_release(&f->files);
        cJSON_Delete(f->plan);
        cJSON_Delete(f->pods);
        cJSON_Delete(f->status);
        *f = (struct fixture){0};
}

static void the_first_file_by_name_has_the_pod(void **state)
{
        struct fixture f = {0};

        (void)state;
        runs(&f, "/m/a.yaml", "one");
        edit(&f, "/m/b.yaml", "two");
        assert_plan(&f, false, "shadowed /m/b.yaml", 1);

        runs(&f, "/m/b.yaml", "one");
        edit(&f, "/m/a.yaml", "two");
        assert_plan(&f, false, "replace /m/a.yaml", 0);

        edit(&f, "/m/a.yaml", "one");
        edit(&f, "/m/b.yaml", "two");
        assert_plan(&f, false, "create /m/a.yaml, shadowed /m/b.yaml", 1);
}

/* The file that has it now is among those that are looked at, or is to go. */
static void a_file_that_gives_it_up_shadows_nothing(void **state)
{
        struct fixture f = {0};

        (void)state;
        runs(&f, "/m/a.yaml", "one");
        edit(&f, "/m/b.yaml", "two");
        assert_plan(&f, true, "replace /m/b.yaml", 0);

        runs(&f, "/m/a.yaml", "one");
        edit(&f, "/m/a.yaml", "two");
        assert_plan(&f, false, "replace /m/a.yaml", 0);
}

/* What it gave before stays, and with it the name. */
static void a_wrong_file_keeps_the_name(void **state)
{
        struct fixture f = {0};

        (void)state;
        runs(&f, "/m/a.yaml", "one");
        edit(&f, "/m/a.yaml", NULL);
        edit(&f, "/m/b.yaml", "two");
        assert_plan(&f, true, "keep /m/a.yaml, shadowed /m/b.yaml", 2);
}

/* podwatch does not take it again, until somebody asks for that. */
static void what_failed_its_trial_is_not_taken(void **state)
{
        struct pod *rejected CLEANUP_POD = pod_of("/m/a.yaml", "two");
        struct fixture f = {0};

        (void)state;
        for (int same = 0; same < 2; same++) {
                cJSON *file = cJSON_CreateObject(), *object;

                runs(&f, "/m/a.yaml", "one");
                object = cJSON_AddObjectToObject(file, "rejected");
                cJSON_AddStringToObject(file, "file", "/m/a.yaml");
                cJSON_AddStringToObject(object, "uid", rejected->uid);
                cJSON_AddStringToObject(object, "specHash", rejected->spec_hash);
                cJSON_AddStringToObject(object, "why", "was not Ready in its time");
                cJSON_AddItemToArray(cJSON_AddArrayToObject(cJSON_AddObjectToObject(f.status, "manifests"), "files"),
                                     file);
                edit(&f, "/m/a.yaml", same ? "two" : "three");
                assert_plan(&f, false, same ? "keep /m/a.yaml" : "replace /m/a.yaml", same);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first_file_by_name_has_the_pod),
                cmocka_unit_test(a_file_that_gives_it_up_shadows_nothing),
                cmocka_unit_test(a_wrong_file_keeps_the_name),
                cmocka_unit_test(what_failed_its_trial_is_not_taken),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
