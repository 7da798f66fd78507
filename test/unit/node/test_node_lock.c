/* SPDX-License-Identifier: Apache-2.0
 *
 * What keeps two agents off one node, what is told of Docker's capabilities, and the ring of events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/file.h"
#include "codec/cjson_get.h"
#include "node/event_log.h"
#include "node/node_lock.h"
#include "node/oom_score.h"

static char root[] = "/tmp/test-node-lock-XXXXXX";

static int setup(void **state)
{
        (void)state;
        return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
        (void)state;
        return file_remove_tree(root, NULL);
}

static void test_one_at_a_time(void **state)
{
        (void)state;
        char *run CLEANUP_FREE = file_join(root, "run/podwatch");
        struct node_lock *first = NULL, *second = NULL;
        struct err err = ERR_INIT;
        char own[32];

        assert_int_equal(node_lock_new(run, &first, &err), 0);
        assert_true(node_lock_new(run, &second, &err) < 0);
        assert_int_equal(err.code, ERR_CONFLICT);
        (void)snprintf(own, sizeof(own), "process %d", (int)getpid());
        assert_non_null(strstr(err.msg, own));
        first = node_lock_free(first);
        assert_int_equal(node_lock_new(run, &second, &err), 0);
        second = node_lock_free(second);
}

/* A /proc of our own: PID 7 with this name, in the network namespace that `net` stands for. */
static void fake_process(const char *proc, const char *comm, const char *net)
{
        char *directory CLEANUP_FREE = xasprintf("%s/7/ns", proc);
        char *comm_path CLEANUP_FREE = xasprintf("%s/7/comm", proc);
        char *line_path CLEANUP_FREE = xasprintf("%s/7/cmdline", proc);
        char *theirs CLEANUP_FREE = xasprintf("%s/7/ns/net", proc);

        assert_true(file_mkdir_p(directory, 0755, NULL) >= 0);
        assert_int_equal(file_write_atomic(comm_path, comm, strlen(comm), 0644, 0, NULL), 0);
        assert_int_equal(file_write_atomic(line_path, "kubelet", 8, 0644, 0, NULL), 0);
        (void)unlink(theirs);
        assert_int_equal(symlink(net, theirs), 0);
}

static void test_kubelet(void **state)
{
        (void)state;
        char *proc CLEANUP_FREE = file_join(root, "proc");
        char *self CLEANUP_FREE = xasprintf("%s/self/ns", proc);
        char *ours CLEANUP_FREE = xasprintf("%s/self/ns/net", proc);
        char *other CLEANUP_FREE = file_join(root, "other");

        assert_true(file_mkdir_p(self, 0755, NULL) >= 0);
        assert_int_equal(file_write_atomic(ours, "", 0, 0644, 0, NULL), 0);
        assert_int_equal(file_write_atomic(other, "", 0, 0644, 0, NULL), 0);
        assert_int_equal(node_lock_find_kubelet(proc), 0);
        fake_process(proc, "kubelet\n", ours);
        assert_int_equal(node_lock_find_kubelet(proc), 7);
        fake_process(proc, "kubelet\n", other);
        assert_int_equal(node_lock_find_kubelet(proc), 0);
        /* One that ends while it is looked at has no namespace any more; what is known of no other one is taken for
         * ours. */
        fake_process(proc, "kubelet\n", "/nowhere/ended");
        assert_int_equal(node_lock_find_kubelet(proc), 0);
        fake_process(proc, "kubelet\n", "net");
        assert_int_equal(node_lock_find_kubelet(proc), 7);
        fake_process(proc, "kubelet-wrap\n", ours);
        assert_int_equal(node_lock_find_kubelet(proc), 0);
}

/* Preflight checks run `kubelet --version`. */
static void a_kubelet_that_is_asked_for_its_version_is_no_agent(void **state)
{
        (void)state;
        static const char asked[] = "/usr/bin/kubelet\0--version", runs[] = "/usr/bin/kubelet\0--config=x\0--v=2";
        char *proc CLEANUP_FREE = file_join(root, "proc");
        char *ours CLEANUP_FREE = xasprintf("%s/self/ns/net", proc);
        char *line CLEANUP_FREE = xasprintf("%s/7/cmdline", proc);

        fake_process(proc, "kubelet\n", ours);
        assert_int_equal(file_write_atomic(line, asked, sizeof(asked), 0644, 0, NULL), 0);
        assert_int_equal(node_lock_find_kubelet(proc), 0);
        assert_int_equal(file_write_atomic(line, runs, sizeof(runs), 0644, 0, NULL), 0);
        assert_int_equal(node_lock_find_kubelet(proc), 7);
        /* It has ended and waits for its parent. */
        assert_int_equal(file_write_atomic(line, "", 0, 0644, 0, NULL), 0);
        assert_int_equal(node_lock_find_kubelet(proc), 0);
}

/* One kubelet after the other, each gone at once, in the network namespace that this process began in. */
static void kubelets_come_and_go(void)
{
        for (;;) {
                pid_t pid = fork();

                if (pid == 0) {
                        (void)prctl(PR_SET_NAME, "kubelet");
                        _exit(0);
                }
                (void)waitpid(pid, NULL, 0);
        }
}

/* The kernel refuses to tell the namespace of a process that ends meanwhile. */
static void a_kubelet_elsewhere_that_ends_is_not_ours(void **state)
{
        (void)state;
        pid_t others = fork();

        if (others == 0)
                kubelets_come_and_go();
        assert_true(others > 0);
        bool apart = unshare(CLONE_NEWNET) == 0;
        int found = 0;
        for (int i = 0; apart && i < 1000 && !found; i++)
                found = node_lock_find_kubelet("/proc");
        (void)kill(others, SIGKILL);
        (void)waitpid(others, NULL, 0);
        if (!apart)
                skip(); /* not root */
        assert_int_equal(found, 0);
}

static void test_oom_score(void **state)
{
        (void)state;
        assert_int_equal(oom_score_refused_by_status("Name:\tdockerd\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n"), 0);
        assert_int_equal(oom_score_refused_by_status("Name:\tdockerd\nCapEff:\t000001fffeffffff\nCapBnd:\t0\n"), 1);
        assert_int_equal(oom_score_refused_by_status("Name:\tdockerd\n"), -1);
        assert_int_equal(oom_score_refused_by_status("x\nCapEff:\tzz\n"), -1);
        /* A container that dies of its memory limit must not cost the others their scores. */
        assert_false(oom_score_blamed(0, true, false));
        assert_false(oom_score_blamed(0, false, false));
        assert_true(oom_score_blamed(1, true, false));
        assert_true(oom_score_blamed(1, false, false));
        assert_true(oom_score_blamed(-1, true, false));
        assert_false(oom_score_blamed(-1, false, false));
        assert_true(oom_score_blamed(0, false, true));
        assert_int_equal(oom_score_refused("tcp://127.0.0.1:1"), -1);
        assert_int_equal(oom_score_refused("unix:///nowhere/docker.sock"), -1);
}

static void add(struct event_log *log, const char *key, const char *reason, usec_t at)
{
        const struct event_log_entry entry = {.key = (char *)key,
                                              .uid = (char *)"u",
                                              .object = (char *)"",
                                              .reason = (char *)reason,
                                              .message = (char *)"m"};

        (void)event_log_add(log, &entry, at);
}

static bool of_pod(void *userdata, const struct event_log_entry *entry)
{
        return str_eq(entry->key, userdata);
}

static void test_event_log(void **state)
{
        (void)state;
        struct event_log *log = event_log_new(3);

        add(log, "default/a", "One", 1 * USEC_PER_SEC);
        add(log, "default/b", "Two", 2 * USEC_PER_SEC);
        add(log, "default/a", "One", 3 * USEC_PER_SEC);
        assert_int_equal(event_log_count(log), 2);
        assert_int_equal(event_log_get(log, 0)->count, 2);
        assert_int_equal(event_log_get(log, 0)->last, 3 * USEC_PER_SEC);
        add(log, "default/a", "Three", 4 * USEC_PER_SEC);
        add(log, "default/a", "Four", 5 * USEC_PER_SEC);
        assert_int_equal(event_log_count(log), 3);
        assert_string_equal(event_log_get(log, 0)->reason, "Two");
        char key[] = "default/a";
        cJSON *list CLEANUP_CJSON = event_log_list(log, of_pod, key);
        cJSON *items = cjson_get(list, "items", NULL);
        assert_int_equal(cJSON_GetArraySize(items), 2);
        assert_string_equal(cjson_text(cJSON_GetArrayItem(items, 1), "reason", ""), "Four");
        assert_string_equal(cjson_text(cjson_get(cJSON_GetArrayItem(items, 1), "involvedObject", NULL), "name", ""),
                            "a");
        log = event_log_free(log);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_at_a_time),
                cmocka_unit_test(test_kubelet),
                cmocka_unit_test(a_kubelet_that_is_asked_for_its_version_is_no_agent),
                cmocka_unit_test(a_kubelet_elsewhere_that_ends_is_not_ours),
                cmocka_unit_test(test_oom_score),
                cmocka_unit_test(test_event_log),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
