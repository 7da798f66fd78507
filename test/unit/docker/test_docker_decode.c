/* SPDX-License-Identifier: Apache-2.0
 *
 * The decoders on what Docker 20.10 answered (test/data/docker, made by test/integration/record_docker.py). Ids and
 * times differ with each recording, so they are checked for their form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "docker/docker_decode.h"
#include "docker/docker_split.h"

#define YEAR_2020 ((usec_t)1577836800 * USEC_PER_SEC)

static char *slurp(const char *name, size_t *ret_len)
{
        struct buf b CLEANUP_BUF = BUF_INIT(1024 * 1024);
        struct err err = ERR_INIT;
        char *path CLEANUP_FREE = xasprintf("%s/docker/%s", getenv("TEST_DATA"), name);
        if (file_read(path, &b, &err) < 0)
                fail_msg("%s", err.msg);
        return buf_steal(&b, ret_len);
}

static bool is_id(const char *s)
{
        return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

static void test_version(void **state)
{
        (void)state;
        size_t len;
        char *json CLEANUP_FREE = slurp("version.json", &len), *min CLEANUP_FREE = NULL;
        struct docker_version v;
        struct err err = ERR_INIT;
        assert_int_equal(docker_decode_version(json, len, &v, &err), 0);
        assert_true(str_starts(v.version, "20.10."));
        assert_string_equal(v.api_version, "1.41");
        assert_string_equal(v.os, "linux");
        assert_true(strlen(v.arch) > 0 && strlen(v.kernel) > 0);
        docker_version_release(&v);
        assert_int_equal(docker_decode_version_min(json, len, &min, &err), 0);
        assert_string_equal(min, "1.12");
}

static void test_info(void **state)
{
        (void)state;
        size_t len;
        char *json CLEANUP_FREE = slurp("info.json", &len);
        struct docker_info info;
        struct err err = ERR_INIT;
        assert_int_equal(docker_decode_info(json, len, &info, &err), 0);
        assert_string_equal(info.name, "node1");
        assert_string_equal(info.cgroup_driver, "cgroupfs");
        assert_true(info.cgroup_version == 1 || info.cgroup_version == 2);
        assert_string_equal(info.root_dir, "/var/lib/docker");
        assert_string_equal(info.logging_driver, "json-file");
        assert_true(str_starts(info.os_name, "Debian GNU/Linux"));
        assert_true(info.live_restore);
        assert_true(info.seccomp);
        assert_false(info.apparmor);
        assert_true(info.memory_total > 1024 * 1024);
        assert_true(info.cpus >= 1);
        docker_info_release(&info);
        /* Before 1.41 nothing said which control groups. */
        assert_int_equal(docker_decode_info("{\"SecurityOptions\":[\"name=apparmor\"]}", 37, &info, &err), 0);
        assert_int_equal(info.cgroup_version, 1);
        assert_true(info.apparmor && !info.seccomp);
        docker_info_release(&info);
}

static const struct docker_container *by_name(const struct docker_containers *list, const char *name)
{
        for (size_t i = 0; i < list->count; i++)
                if (str_eq(list->items[i].name, name))
                        return &list->items[i];
        fail_msg("no container %s", name);
        return NULL;
}

static void test_containers(void **state)
{
        (void)state;
        size_t len;
        char *json CLEANUP_FREE = slurp("containers.json", &len);
        struct docker_containers list;
        struct err err = ERR_INIT;
        assert_int_equal(docker_decode_containers(json, len, &list, &err), 0);
        assert_int_equal(list.count, 7);
        const struct docker_container *runs = by_name(&list, "runs");
        assert_true(is_id(runs->id));
        assert_true(str_starts(runs->image_id, "sha256:"));
        assert_string_equal(runs->image, "localhost/busybox:1");
        assert_int_equal(runs->state, DOCKER_STATE_RUNNING);
        assert_true(runs->created > YEAR_2020);
        assert_false(runs->inspected);
        assert_string_equal(docker_label(&runs->labels, "io.kubernetes.pod.name"), "etcd-node1");
        assert_string_equal(docker_label(&runs->labels, "with \"quotes\""), "a\nb\u20ac");
        assert_null(docker_label(&runs->labels, "none"));
        assert_int_equal(by_name(&list, "never-started")->state, DOCKER_STATE_CREATED);
        assert_int_equal(by_name(&list, "ended")->state, DOCKER_STATE_EXITED);
        assert_int_equal(by_name(&list, "paused")->state, DOCKER_STATE_PAUSED);
        assert_int_equal(by_name(&list, "on-host")->labels.count, 0);
        docker_containers_release(&list);
        assert_int_equal(docker_decode_containers("[]", 2, &list, &err), 0);
        assert_int_equal(list.count, 0);
        docker_containers_release(&list);
}

static void inspect(const char *name, struct docker_container *ret)
{
        size_t len;
        char *json CLEANUP_FREE = slurp(name, &len);
        struct err err = ERR_INIT;
        assert_int_equal(docker_decode_container(json, len, ret, &err), 0);
        assert_true(ret->inspected);
        assert_true(is_id(ret->id));
        assert_true(ret->created > YEAR_2020);
}

static void test_inspect(void **state)
{
        (void)state;
        struct docker_container c, copy;
        inspect("inspect-runs.json", &c);
        assert_string_equal(c.name, "runs");
        assert_string_equal(c.image, "localhost/busybox:1");
        assert_true(c.pid > 0);
        assert_true(c.started >= c.created);
        assert_true(c.finished == 0);
        assert_true(str_starts(c.ip, "172.17."));
        assert_true(str_ends(c.log_path, "-json.log"));
        assert_true(str_ends(c.resolv_conf, "/resolv.conf"));
        assert_true(str_ends(c.hosts_path, "/hosts"));
        assert_string_equal(c.network_mode, "default");
        assert_string_equal(c.error, "");
        docker_container_copy(&copy, &c);
        docker_container_release(&c);
        assert_string_equal(copy.name, "runs");
        assert_string_equal(docker_label(&copy.labels, "io.kubernetes.pod.namespace"), "kube-system");
        docker_container_release(&copy);

        inspect("inspect-on-host.json", &c);
        assert_string_equal(c.network_mode, "host");
        assert_string_equal(c.ip, "");
        docker_container_release(&c);
        inspect("inspect-ended.json", &c);
        assert_int_equal(c.state, DOCKER_STATE_EXITED);
        assert_int_equal(c.exit_code, 3);
        assert_true(c.finished >= c.started && c.started > YEAR_2020);
        assert_int_equal(c.pid, 0);
        docker_container_release(&c);
        inspect("inspect-out-of-memory.json", &c);
        assert_true(c.oom_killed);
        assert_int_equal(c.exit_code, 137);
        docker_container_release(&c);
        inspect("inspect-never-started.json", &c);
        assert_int_equal(c.state, DOCKER_STATE_CREATED);
        assert_true(c.started == 0 && c.finished == 0);
        docker_container_release(&c);
        inspect("inspect-cannot-start.json", &c);
        assert_int_equal(c.state, DOCKER_STATE_CREATED);
        assert_int_equal(c.exit_code, 127);
        assert_non_null(strstr(c.error, "/does/not/exist"));
        docker_container_release(&c);
}

static void test_images(void **state)
{
        (void)state;
        size_t len;
        struct err err = ERR_INIT;
        struct docker_image image;
        struct docker_images images;
        char *json CLEANUP_FREE = slurp("image-inspect.json", &len);
        assert_int_equal(docker_decode_image(json, len, &image, &err), 0);
        assert_true(str_starts(image.id, "sha256:"));
        assert_true(strv_contains(&image.repo_tags, "localhost/busybox:1"));
        assert_int_equal(image.repo_digests.len, 0);
        assert_int_equal(image.cmd.len, 1);
        assert_string_equal(image.cmd.items[0], "sh");
        assert_int_equal(image.entrypoint.len, 0);
        assert_string_equal(image.env.items[0], "PATH=/bin");
        assert_string_equal(image.user, "");
        assert_true(image.size_bytes > 100000);
        docker_image_release(&image);
        char *pulled CLEANUP_FREE = slurp("image-pulled.json", &len);
        assert_int_equal(docker_decode_image(pulled, len, &image, &err), 0);
        assert_int_equal(image.repo_digests.len, 1);
        assert_true(str_starts(image.repo_digests.items[0], "127.0.0.1:5000/team/box@sha256:"));
        docker_image_release(&image);
        char *list CLEANUP_FREE = slurp("images.json", &len);
        assert_int_equal(docker_decode_images(list, len, &images, &err), 0);
        assert_int_equal(images.count, 1);
        assert_true(strv_contains(&images.items[0].repo_tags, "localhost/busybox:1"));
        docker_images_release(&images);
}

static void test_small_answers(void **state)
{
        (void)state;
        size_t len;
        int exit_code = 0;
        struct err err = ERR_INIT;
        char *created CLEANUP_FREE = slurp("create.json", &len), *id CLEANUP_FREE = NULL;
        assert_int_equal(docker_decode_id(created, len, &id, &err), 0);
        assert_true(is_id(id));
        char *exec CLEANUP_FREE = slurp("exec-inspect.json", &len);
        assert_int_equal(docker_decode_exec(exec, len, &exit_code, &err), 0);
        assert_int_equal(exit_code, 5);
        assert_int_equal(docker_decode_exec("{\"Running\":true,\"ExitCode\":null}", 32, &exit_code, &err), -EAGAIN);
        assert_int_equal(docker_decode_exec("{\"Running\":false}", 17, &exit_code, &err), -ERR_PROTOCOL);
        assert_int_equal(docker_decode_id("{\"Id\":\"\"}", 9, &id, &err), -ERR_PROTOCOL);
}

struct seen {
        int count, create, die, destroy, other;
        bool oom;
        struct buf progress;
        struct err err;
};

static bool on_event(void *userdata, const char *line, size_t len)
{
        struct seen *seen = userdata;
        struct docker_event_owned event;
        assert_int_equal(docker_decode_event(line, len, &event, &seen->err), 0);
        const struct docker_event *e = &event.event;
        seen->count++;
        assert_true(e->time > YEAR_2020);
        if (str_eq(e->type, "container")) {
                assert_true(is_id(e->id));
                assert_true(strlen(e->name) > 0);
                seen->create += str_eq(e->action, "create");
                seen->destroy += str_eq(e->action, "destroy");
                seen->oom |= str_eq(e->action, "oom") && str_eq(e->name, "out-of-memory");
                if (str_eq(e->action, "die")) {
                        seen->die++;
                        if (str_eq(e->name, "ended"))
                                assert_string_equal(docker_label(e->attributes, "exitCode"), "3");
                }
        } else {
                seen->other++;
        }
        docker_event_owned_release(&event);
        return true;
}

static void test_events(void **state)
{
        (void)state;
        size_t len;
        char *text CLEANUP_FREE = slurp("events.jsonl", &len);
        struct docker_lines lines;
        struct seen seen = {0};
        docker_lines_init(&lines, LIMIT_DOCKER_EVENT, on_event, &seen);
        assert_int_equal(docker_lines_feed(&lines, text, len, &seen.err), 0);
        docker_lines_release(&lines);
        assert_int_equal(seen.create, 7);
        assert_true(seen.die >= 3);
        assert_int_equal(seen.destroy, 1);
        assert_true(seen.oom);
        assert_true(seen.other > 0);
        /* nanoseconds beyond 2^53, to the microsecond */
        struct docker_event_owned event;
        static const char one[] = "{\"Type\":\"container\",\"Action\":\"die\",\"timeNano\":1795253280345712911}";
        assert_int_equal(docker_decode_event(one, sizeof(one) - 1, &event, &seen.err), 0);
        assert_true(event.event.time == 1795253280345712);
        assert_string_equal(event.event.name, "");
        docker_event_owned_release(&event);
}

static bool on_progress(void *userdata, const char *line, size_t len)
{
        struct seen *seen = userdata;
        seen->count++;
        if (docker_decode_progress(line, len, &seen->progress, &seen->err) < 0)
                return false;
        buf_addch(&seen->progress, '\n');
        return true;
}

static int progress(const char *name, struct seen *seen)
{
        size_t len;
        char *text CLEANUP_FREE = slurp(name, &len);
        struct docker_lines lines;
        buf_clear(&seen->progress);
        docker_lines_init(&lines, LIMIT_DOCKER_EVENT, on_progress, seen);
        int r = docker_lines_feed(&lines, text, len, &seen->err);
        docker_lines_release(&lines);
        return r;
}

static void test_progress(void **state)
{
        (void)state;
        struct seen seen = {.progress = BUF_INIT(1024 * 1024)};
        assert_int_equal(progress("pull.jsonl", &seen), 0);
        assert_true(str_starts(buf_str(&seen.progress), "v1: Pulling from team/box\n"));
        assert_non_null(strstr(buf_str(&seen.progress), ": Pull complete\n"));
        assert_non_null(strstr(buf_str(&seen.progress), ": Downloading 32.77kB/1.0"));
        assert_non_null(
                strstr(buf_str(&seen.progress), "Status: Downloaded newer image for 127.0.0.1:5000/team/box:v1"));
        assert_int_equal(progress("load.jsonl", &seen), 0);
        assert_string_equal(buf_str(&seen.progress), "Loaded image: 127.0.0.1:5000/team/box:v1\n");
        assert_int_equal(progress("load-bad.jsonl", &seen), 1);
        assert_int_equal(seen.err.code, ERR_REMOTE);
        assert_non_null(strstr(seen.err.msg, "unexpected EOF"));
        assert_int_equal(seen.err.status, 0);
        static const char denied[] = "{\"errorDetail\":{\"code\":401,\"message\":\"no\"},\"error\":\"no\"}";
        assert_int_equal(docker_decode_progress(denied, sizeof(denied) - 1, &seen.progress, &seen.err), -ERR_REMOTE);
        assert_int_equal(seen.err.status, 401);
        buf_release(&seen.progress);
}

static void test_messages(void **state)
{
        static const char *const names[][2] = {
                {"create-conflict.json", "Conflict. The container name \"/never-started\" is already in use"},
                {"inspect-none.json", "No such container: none"},
                {"kill-not-running.json", "is not running"},
                {"remove-running.json", "You cannot remove a running container"},
                {"start-fails.json", "exec: \"/does/not/exist\": stat"},
                {"pull-none.jsonl", "manifest unknown"},
        };
        (void)state;
        struct buf out CLEANUP_BUF = BUF_INIT(4096);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                size_t len;
                char *body CLEANUP_FREE = slurp(names[i][0], &len);
                buf_clear(&out);
                docker_decode_message(body, len, &out);
                assert_non_null(strstr(buf_str(&out), names[i][1]));
        }
        buf_clear(&out);
        docker_decode_message("404 page not found\n", 19, &out);
        assert_string_equal(buf_str(&out), "404 page not found");
}

/* One that has no room is cut, between two characters. */
static void test_long_message(void **state)
{
        struct buf out CLEANUP_BUF = BUF_INIT(7);
        const char *text = "{\"message\":\"\u00e4\u00f6\u00fc\u20ac and so on\"}";
        (void)state;
        docker_decode_message(text, strlen(text), &out);
        assert_string_equal(buf_str(&out), "\u00e4\u00f6\u00fc");
        assert_false(out.failed);
        buf_clear(&out);
        docker_decode_message("no JSON at all", 14, &out);
        assert_string_equal(buf_str(&out), "no JSON");
}

/* What is no answer of Docker's fails with a message and leaks nothing (the sanitizer run sees to that). */
static void test_nonsense(void **state)
{
        static const char *const texts[] = {
                "",
                "nothing",
                "[",
                "null",
                "1",
                "\"x\"",
                "[]",
                "{}",
                "[{}]",
                "[1]",
                "[[]]",
                "{\"Id\":1}",
                "[{\"Id\":\"a\",\"State\":\"flying\"}]",
                "{\"Id\":\"a\",\"State\":{\"Status\":\"flying\"}}",
                "{\"Id\":\"a\",\"State\":[]}",
                "[{\"Id\":\"a\",\"State\":\"running\"},{}]",
                "{\"Id\":\"a\",\"State\":{\"Status\":\"running\",\"Pid\":1e300,\"StartedAt\":\"soon\"},"
                "\"NetworkSettings\":{\"Networks\":[1]},\"Config\":{\"Labels\":[1,2]}}",
                "[{\"Id\":\"a\",\"State\":\"running\",\"Created\":-1,\"Names\":[1,\"x\",\"/a/"
                "b\"],\"Labels\":{\"a\":1}}]",
        };
        (void)state;
        int good = 0;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct err err = ERR_INIT;
                struct docker_containers list;
                struct docker_container c;
                struct docker_images images;
                struct docker_version v;
                struct docker_event_owned event;
                size_t len = strlen(texts[i]);
                if (docker_decode_containers(texts[i], len, &list, &err) == 0) {
                        good++;
                        docker_containers_release(&list);
                } else {
                        assert_int_equal(err.code, ERR_PROTOCOL);
                }
                if (docker_decode_container(texts[i], len, &c, &err) == 0) {
                        good++;
                        assert_int_equal(c.pid, 0);
                        assert_true(c.started == 0);
                        docker_container_release(&c);
                }
                if (docker_decode_images(texts[i], len, &images, &err) == 0)
                        docker_images_release(&images);
                assert_int_equal(docker_decode_version(texts[i], len, &v, &err), -ERR_PROTOCOL);
                assert_int_equal(docker_decode_event(texts[i], len, &event, &err), -ERR_PROTOCOL);
        }
        assert_int_equal(good, 3);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_version),      cmocka_unit_test(test_info),
                cmocka_unit_test(test_containers),   cmocka_unit_test(test_inspect),
                cmocka_unit_test(test_images),       cmocka_unit_test(test_small_answers),
                cmocka_unit_test(test_events),       cmocka_unit_test(test_progress),
                cmocka_unit_test(test_messages),     cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_long_message),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
