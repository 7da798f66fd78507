/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pods are wanted, whatever becomes of the files: last good versions, two files with one name, restarts.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/loop.h"
#include "node/manifest_source.h"
#include "node/revision.h"

#define LATE_USEC (5 * USEC_PER_SEC)

struct fixture {
        char root[64];
        char *path; /* root/manifests */
        struct loop *loop;
        struct revisions *revisions;
        struct manifest_source *source;
        struct strv log;
};

static void on_want(void *userdata, struct pod *pod, unsigned revision, const char *file)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "want %s %s r%u from %s", pod->name, pod->containers[0].command.items[0], revision,
                  file_basename(file));
}

static void on_unwant(void *userdata, const char *namespace, const char *name)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "unwant %s/%s", namespace, name);
}

static void on_problem(void *userdata, const struct manifest *manifest, const char *message)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "%s %s", message ? "problem" : "fine", manifest->name);
}

static void on_directory(void *userdata, const char *message)
{
        struct fixture *f = userdata;

        if (message)
                strv_add(&f->log, "no directory");
}

static void on_notice(void *userdata, const char *message)
{
        struct fixture *f = userdata;

        strv_addf(&f->log, "notice %s", message);
}

static void on_complete(void *userdata)
{
        struct fixture *f = userdata;

        strv_add(&f->log, "complete");
}

static void start(struct fixture *f)
{
        static const struct manifest_source_handlers handlers = {
                .want = on_want,
                .unwant = on_unwant,
                .problem = on_problem,
                .directory = on_directory,
                .notice = on_notice,
                .complete = on_complete,
        };
        const struct manifest_source_options options = {
                .path = f->path, .node_name = "n1", .scan_interval = 20 * USEC_PER_SEC};
        struct err err = ERR_INIT;

        assert_int_equal(manifest_source_new(f->loop, &options, f->revisions, &handlers, f, &f->source, &err), 0);
}

static int setup(void **state)
{
        struct fixture *f = xcalloc(1, sizeof(*f));
        struct err err = ERR_INIT;

        (void)snprintf(f->root, sizeof(f->root), "/tmp/test-manifest-source-XXXXXX");
        if (!mkdtemp(f->root) || loop_new(&f->loop, &err) < 0)
                return -1;
        f->path = file_join(f->root, "manifests");
        f->revisions = revisions_new(f->root, 0);
        *state = f;
        return mkdir(f->path, 0755);
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        f->source = manifest_source_free(f->source);
        f->loop = loop_free(f->loop);
        f->revisions = revisions_free(f->revisions);
        (void)file_remove_tree(f->root, NULL);
        strv_release(&f->log);
        free(f->path);
        free(f);
        return 0;
}

/* Runs until nothing new was said for this long. */
static void settle(struct fixture *f, unsigned msec)
{
        struct err err = ERR_INIT;
        usec_t until = usec_add(clock_boottime(), msec * USEC_PER_MSEC);

        while (clock_boottime() < until) {
                size_t before = f->log.len;

                assert_true(loop_step(f->loop, until, &err) >= 0);
                if (f->log.len > before)
                        until = usec_add(clock_boottime(), msec * USEC_PER_MSEC);
        }
}

/* Everything said since the last call, in one text. On a machine that is busy it may come late. */
static void assert_log(struct fixture *f, const char *expected)
{
        usec_t until = usec_add(clock_boottime(), LATE_USEC);
        char *text = strv_join(&f->log, "; ");

        while (!str_eq(text, expected) && clock_boottime() < until) {
                settle(f, 20);
                free(text);
                text = strv_join(&f->log, "; ");
        }
        assert_string_equal(text, expected);
        free(text);
        strv_release(&f->log);
}

static void assert_said(struct fixture *f, const char *line)
{
        usec_t until = usec_add(clock_boottime(), LATE_USEC);

        while (!strv_contains(&f->log, line) && clock_boottime() < until)
                settle(f, 20);
        assert_true(strv_contains(&f->log, line));
}

/* Renamed into place, as careful writers do. */
static void put(struct fixture *f, const char *file, const char *name, const char *command)
{
        char *path CLEANUP_FREE = file_join(f->path, file);
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s}\n"
                                            "spec: {containers: [{name: c, image: i, command: [\"%s\"]}]}\n",
                                            name, command);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, 0, NULL), 0);
}

static void put_text(struct fixture *f, const char *file, const char *text)
{
        char *path CLEANUP_FREE = file_join(f->path, file);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0600, 0, NULL), 0);
}

static void take_away(struct fixture *f, const char *file)
{
        char *path CLEANUP_FREE = file_join(f->path, file);

        assert_int_equal(unlink(path), 0);
}

static void restart(struct fixture *f)
{
        f->source = manifest_source_free(f->source);
        strv_release(&f->log);
        start(f);
        settle(f, 100);
}

static void test_last_good_version(void **state)
{
        struct fixture *f = *state;

        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        assert_log(f, "want web-n1 one r1 from a.yaml; complete");
        put_text(f, "a.yaml", "apiVersion: v1\nkind: Pod\nspec: [\n");
        settle(f, 100);
        assert_log(f, "problem a.yaml");
        const struct manifest *m = manifest_source_find(f->source, "default", "web-n1");
        assert_non_null(m);
        assert_false(m->valid);
        assert_non_null(strstr(m->problem, "a.yaml:4"));
        put(f, "a.yaml", "web", "one");
        settle(f, 100);
        assert_log(f, "fine a.yaml");
        put(f, "a.yaml", "web", "two");
        settle(f, 100);
        assert_log(f, "want web-n1 two r2 from a.yaml");
        take_away(f, "a.yaml");
        settle(f, 700);
        assert_log(f, "unwant default/web-n1");
}

static void test_wrong_from_the_start(void **state)
{
        struct fixture *f = *state;

        put_text(f, "a.yaml", "kind: Deployment\n");
        start(f);
        settle(f, 100);
        assert_log(f, "problem a.yaml; complete");
        put(f, "a.yaml", "web", "one");
        settle(f, 100);
        assert_log(f, "fine a.yaml; want web-n1 one r1 from a.yaml");
}

static void test_broken_over_a_restart(void **state)
{
        struct fixture *f = *state;

        put(f, "a.yaml", "web", "one");
        put(f, "b.yaml", "other", "x");
        start(f);
        settle(f, 100);
        put_text(f, "a.yaml", "nonsense");
        settle(f, 100);
        restart(f);
        assert_log(f, "problem a.yaml; want web-n1 one r1 from a.yaml; want other-n1 x r1 from b.yaml; complete");
}

static void test_unchanged_over_a_restart(void **state)
{
        struct fixture *f = *state;

        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        char *before CLEANUP_FREE = xstrdup(manifest_source_find(f->source, "default", "web-n1")->pod->json);
        restart(f);
        assert_log(f, "want web-n1 one r1 from a.yaml; complete");
        /* The time of first sight as well. */
        assert_string_equal(manifest_source_find(f->source, "default", "web-n1")->pod->json, before);
}

static void test_removed_while_away(void **state)
{
        struct fixture *f = *state;
        struct revision revision = {0};
        struct err err = ERR_INIT;

        put(f, "a.yaml", "web", "one");
        put(f, "b.yaml", "other", "x");
        start(f);
        settle(f, 100);
        f->source = manifest_source_free(f->source);
        take_away(f, "a.yaml");
        strv_release(&f->log);
        start(f);
        settle(f, 700);
        /* It is never wanted, not even for the moment in which it may have been moved about. */
        assert_log(f, "want other-n1 x r1 from b.yaml; complete");
        assert_int_equal(revision_current(f->revisions, "default", "web-n1", &revision, &err), 1);
}

static void test_directory_missing_from_the_start(void **state)
{
        struct fixture *f = *state;

        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        f->source = manifest_source_free(f->source);
        take_away(f, "a.yaml");
        assert_int_equal(rmdir(f->path), 0);
        strv_release(&f->log);
        start(f);
        settle(f, 100);
        assert_log(f, "no directory; want web-n1 one r1 from a.yaml; complete");
        assert_non_null(manifest_source_missing(f->source));
        assert_int_equal(mkdir(f->path, 0755), 0);
        put(f, "a.yaml", "web", "one");
        settle(f, 100);
        assert_log(f, "");
        assert_null(manifest_source_missing(f->source));
        assert_true(manifest_source_find(f->source, "default", "web-n1")->valid);
}

static void test_two_files_one_name(void **state)
{
        struct fixture *f = *state;

        put(f, "b.yaml", "web", "second");
        start(f);
        settle(f, 100);
        assert_log(f, "want web-n1 second r1 from b.yaml; complete");
        put(f, "a.yaml", "web", "first");
        settle(f, 100);
        assert_log(f, "want web-n1 first r2 from a.yaml; problem b.yaml");
        take_away(f, "a.yaml");
        settle(f, 700);
        assert_log(f, "fine b.yaml; want web-n1 second r1 from b.yaml");
}

static void test_another_name_in_the_same_file(void **state)
{
        struct fixture *f = *state;

        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        strv_release(&f->log);
        put(f, "a.yaml", "shop", "one");
        settle(f, 100);
        assert_log(f, "want shop-n1 one r1 from a.yaml; unwant default/web-n1");
}

static void test_disk_that_takes_nothing(void **state)
{
        struct fixture *f = *state;
        char *blocker CLEANUP_FREE = file_join(f->root, "pods");

        assert_int_equal(file_write_atomic(blocker, "", 0, 0600, 0, NULL), 0);
        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        assert_said(f, "want web-n1 one r1 from a.yaml");
        assert_non_null(manifest_source_disk(f->source));
        strv_release(&f->log);
        assert_int_equal(unlink(blocker), 0);
        put(f, "a.yaml", "web", "two"); /* under a number of its own: the first may be gone back to by its own */
        settle(f, 100);
        assert_log(f, "notice versions of manifests are stored again; want web-n1 two r2 from a.yaml");
}

/* A version that failed its trial is not taken again, by whatever look at the file, until that gives another. */
static void test_rejected_version(void **state)
{
        struct fixture *f = *state;
        struct pod *one CLEANUP_POD = NULL, *two CLEANUP_POD = NULL;

        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        one = pod_ref(manifest_source_find(f->source, "default", "web-n1")->pod);
        put(f, "a.yaml", "web", "two");
        settle(f, 100);
        two = pod_ref(manifest_source_find(f->source, "default", "web-n1")->pod);
        strv_release(&f->log);
        manifest_source_reject(f->source, two, one, 1);
        assert_log(f, "problem a.yaml; want web-n1 one r1 from a.yaml");
        assert_non_null(strstr(manifest_source_find(f->source, "default", "web-n1")->problem,
                               "a.yaml: version 2 was not Ready in its time"));
        restart(f);
        assert_log(f, "problem a.yaml; want web-n1 one r1 from a.yaml; complete");
        put(f, "a.yaml", "web", "two"); /* the same again is no change */
        settle(f, 100);
        assert_log(f, "");
        manifest_source_retry(f->source, "default", "web-n1");
        settle(f, 100);
        assert_log(f, "fine a.yaml; want web-n1 two r3 from a.yaml");
        manifest_source_reject(f->source, two, one, 1);
        strv_release(&f->log);
        put(f, "a.yaml", "web", "three");
        settle(f, 100);
        assert_log(f, "fine a.yaml; want web-n1 three r4 from a.yaml");
        put(f, "a.yaml", "web", "two"); /* written on purpose */
        settle(f, 100);
        assert_log(f, "want web-n1 two r5 from a.yaml");
}

static void reject_two(struct fixture *f, const char *file)
{
        struct pod *one CLEANUP_POD = NULL, *two CLEANUP_POD = NULL;
        unsigned number;

        put(f, file, "web", "one");
        settle(f, 100);
        one = pod_ref(manifest_source_find(f->source, "default", "web-n1")->pod);
        number = manifest_source_find(f->source, "default", "web-n1")->revision;
        put(f, file, "web", "two");
        settle(f, 100);
        two = pod_ref(manifest_source_find(f->source, "default", "web-n1")->pod);
        manifest_source_reject(f->source, two, one, number);
        strv_release(&f->log);
}

/* What failed its trial failed it in its file: once that was taken away, or gave another version, it is over. */
static void test_rejection_ends(void **state)
{
        struct fixture *f = *state;

        start(f);
        settle(f, 100);
        reject_two(f, "a.yaml");
        take_away(f, "a.yaml");
        settle(f, 700);
        put(f, "a.yaml", "web", "one");
        settle(f, 100);
        strv_release(&f->log);
        put(f, "a.yaml", "web", "two");
        settle(f, 100);
        assert_log(f, "want web-n1 two r4 from a.yaml");
        reject_two(f, "a.yaml");
        put(f, "a.yaml", "web", "one"); /* what is in force is another version as well */
        settle(f, 100);
        assert_log(f, "fine a.yaml");
        put(f, "a.yaml", "web", "two");
        settle(f, 100);
        assert_said(f, "want web-n1 two r7 from a.yaml");
}

/* Nor where that could not be written. */
static void test_rejection_that_is_not_stored(void **state)
{
        struct fixture *f = *state;
        char *blocker CLEANUP_FREE = file_join(f->root, "pods/default_web-n1/rejected/x");

        start(f);
        settle(f, 100);
        assert_true(file_mkdir_p(blocker, 0700, NULL) >= 0);
        reject_two(f, "a.yaml");
        put_text(f, "a.yaml",
                 "# again\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                 "spec: {containers: [{name: c, image: i, command: [\"two\"]}]}\n");
        settle(f, 100);
        assert_log(f, "");
        put_text(f, "a.yaml", "{");
        settle(f, 100);
        put(f, "a.yaml", "web", "two"); /* told of the trial again, not of what was wrong in between */
        settle(f, 100);
        assert_non_null(
                strstr(manifest_source_find(f->source, "default", "web-n1")->problem, "was not Ready in its time"));
}

/* A file that does not count has no say in it. */
static void test_rejection_beside_another_file(void **state)
{
        struct fixture *f = *state;

        start(f);
        settle(f, 100);
        reject_two(f, "a.yaml");
        put(f, "b.yaml", "web", "three");
        settle(f, 100);
        put(f, "b.yaml", "web", "four");
        settle(f, 100);
        restart(f);
        assert_said(f, "want web-n1 one r1 from a.yaml");
        put(f, "0.yaml", "web", "zero");
        settle(f, 100);
        strv_release(&f->log);
        put(f, "0.yaml", "web", "two");
        settle(f, 100);
        assert_true(str_starts(f->log.items[0], "want web-n1 two "));
}

/* As soon as the disk takes it: what is in force must outlive podwatch also where its file is wrong by then. */
static void test_stored_once_the_disk_takes_it(void **state)
{
        struct fixture *f = *state;
        char *blocker CLEANUP_FREE = file_join(f->root, "pods");

        assert_int_equal(file_write_atomic(blocker, "", 0, 0600, 0, NULL), 0);
        put(f, "a.yaml", "web", "one");
        start(f);
        settle(f, 100);
        strv_release(&f->log);
        assert_int_equal(unlink(blocker), 0);
        put(f, "b.yaml", "other", "x"); /* one look for all */
        settle(f, 100);
        assert_log(f, "notice versions of manifests are stored again; want other-n1 x r1 from b.yaml");
        assert_null(manifest_source_disk(f->source));
        put_text(f, "a.yaml", "nonsense");
        settle(f, 100);
        restart(f);
        assert_log(f, "problem a.yaml; want web-n1 one r1 from a.yaml; want other-n1 x r1 from b.yaml; complete");
}

/* Once another file has given its pod another version it is over, as it is on disk. */
static void test_rejection_ends_by_another_file(void **state)
{
        struct fixture *f = *state;

        start(f);
        settle(f, 100);
        reject_two(f, "a.yaml");
        put(f, "0.yaml", "web", "zero");
        settle(f, 100);
        take_away(f, "0.yaml");
        settle(f, 700);
        assert_said(f, "want web-n1 one r1 from a.yaml");
        strv_release(&f->log);
        put_text(f, "a.yaml",
                 "# again\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
                 "spec: {containers: [{name: c, image: i, command: [\"two\"]}]}\n");
        settle(f, 100);
        assert_said(f, "want web-n1 two r4 from a.yaml");
}

/* Refused for want of a document while another file had the pod: it is still told when that one goes, and taken when
 * the document comes. */
static void test_refused_beside_another_file(void **state)
{
        struct fixture *f = *state;

        put(f, "b.yaml", "web", "good");
        start(f);
        settle(f, 100);
        put_text(f, "b.yaml",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i, command: "
                 "[served], envFrom: [{configMapRef: {name: conf}}]}]}\n");
        settle(f, 100);
        put(f, "a.yaml", "web", "first");
        settle(f, 100);
        take_away(f, "a.yaml");
        settle(f, 700);
        assert_non_null(strstr(manifest_source_find(f->source, "default", "web-n1")->problem, "configMapRef"));
        strv_release(&f->log);
        put_text(f, "conf.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: b}\n");
        settle(f, 100);
        assert_log(f, "fine b.yaml; want web-n1 served r3 from b.yaml");
}

/* The document comes while somebody writes the file of the pod that waits for it: a pod that is not all there is a pod
 * as well, and is not taken. */
static void test_served_while_it_is_written(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = file_join(f->path, "web.yaml");
        static const char half[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
                                   "  - name: c\n    image: i\n    command: [whole]\n",
                          rest[] = "    envFrom: [{configMapRef: {name: conf}}]\n";
        char *whole CLEANUP_FREE = xasprintf("%s%s", half, rest);
        char *conf CLEANUP_FREE = file_join(f->path, "conf.yaml"), *prepared CLEANUP_FREE = file_join(f->path, ".conf");
        int fd;

        put_text(f, ".conf", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: b}\n");
        put_text(f, "web.yaml", whole);
        start(f);
        settle(f, 100);
        strv_release(&f->log);
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, half, strlen(half)), (ssize_t)strlen(half));
        assert_int_equal(rename(prepared, conf), 0); /* which is read at once */
        settle(f, 200);
        assert_null(manifest_source_find(f->source, "default", "web-n1"));
        assert_int_equal(write(fd, rest, strlen(rest)), (ssize_t)strlen(rest));
        (void)close(fd);
        assert_said(f, "want web-n1 whole r1 from web.yaml");
        assert_int_equal(manifest_source_find(f->source, "default", "web-n1")->pod->containers[0].env_from_count, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_last_good_version, setup, teardown),
                cmocka_unit_test_setup_teardown(test_wrong_from_the_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_broken_over_a_restart, setup, teardown),
                cmocka_unit_test_setup_teardown(test_unchanged_over_a_restart, setup, teardown),
                cmocka_unit_test_setup_teardown(test_removed_while_away, setup, teardown),
                cmocka_unit_test_setup_teardown(test_directory_missing_from_the_start, setup, teardown),
                cmocka_unit_test_setup_teardown(test_two_files_one_name, setup, teardown),
                cmocka_unit_test_setup_teardown(test_another_name_in_the_same_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_disk_that_takes_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rejected_version, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rejection_ends, setup, teardown),
                cmocka_unit_test_setup_teardown(test_stored_once_the_disk_takes_it, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rejection_that_is_not_stored, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rejection_beside_another_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_rejection_ends_by_another_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_refused_beside_another_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_served_while_it_is_written, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
