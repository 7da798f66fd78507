/* SPDX-License-Identifier: Apache-2.0
 *
 * lib/node/api_side behind a pipe, so that a test can drive it against a real API server without a daemon around it.
 * Usage: api_driver KUBECONFIG NODE. Commands on stdin, one a line:
 *   pod KEY POD_FILE STATUS_FILE    gone KEY    complete    ready    notready WHY    event REASON MESSAGE    status KEY
 * What api_side tells goes to stdout, one line each.
 */
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "docker/docker.h"
#include "kube/kubelet_config.h"
#include "net/loop.h"
#include "node/api_side.h"

struct driver {
        struct loop *loop;
        struct api_side *side;
        const char *node;
        struct buf input;
};

static void say(const char *word, const char *text)
{
        (void)printf("%s %s\n", word, text);
        (void)fflush(stdout);
}

static void refused(void *userdata, const char *key, const char *message)
{
        char *text CLEANUP_FREE = xasprintf("%s: %s", key, message);

        (void)userdata;
        say("refused", text);
}

static void changed(void *userdata, const char *message)
{
        (void)userdata;
        say("changed", message);
}

static void do_pod(struct driver *driver, const char *key, const char *pod_file, const char *status_file)
{
        struct buf pod CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES),
                       status CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct err err = ERR_INIT;

        if (file_read(pod_file, &pod, &err) < 0 || file_read(status_file, &status, &err) < 0)
                say("error", err.msg);
        else
                api_side_pod(driver->side, key, buf_str(&pod), buf_str(&status), true);
}

static void do_status(struct driver *driver, const char *key)
{
        struct cJSON *status CLEANUP_CJSON = api_side_status(driver->side);
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_LOCAL_REQUEST);

        api_side_mirror_status(driver->side, key, status);
        cjson_write(status, &text);
        say("status", buf_str(&text));
}

static void do_event(struct driver *driver, const char *reason, const char *message)
{
        struct event event = {
                .kind = "Node", .name = driver->node, .uid = driver->node, .reason = reason, .message = message};

        api_side_event(driver->side, &event);
}

static void do_line(struct driver *driver, char *line)
{
        char *save = NULL, *word = strtok_r(line, " ", &save), *a = strtok_r(NULL, " ", &save);
        struct docker_version version = {.version = (char *)"20.10.24"};

        if (str_eq(word, "pod")) {
                char *b = strtok_r(NULL, " ", &save), *c = strtok_r(NULL, " ", &save);
                do_pod(driver, a, b, c);
        } else if (str_eq(word, "gone")) {
                api_side_pod_gone(driver->side, a);
        } else if (str_eq(word, "complete")) {
                api_side_complete(driver->side);
        } else if (str_eq(word, "ready")) {
                api_side_runtime(driver->side, &version, NULL, NULL);
        } else if (str_eq(word, "notready")) {
                api_side_runtime(driver->side, NULL, NULL, a);
        } else if (str_eq(word, "event")) {
                do_event(driver, a, save);
        } else if (str_eq(word, "status")) {
                do_status(driver, a);
        } else {
                say("error", "unknown command");
        }
}

static void take_input(void *userdata, uint32_t events)
{
        struct driver *driver = userdata;
        char chunk[4096], *end;
        ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

        (void)events;
        if (n <= 0) {
                loop_exit(driver->loop, 0);
                return;
        }
        buf_add(&driver->input, chunk, (size_t)n);
        while (driver->input.len > 0 && (end = strchr(driver->input.data, '\n'))) {
                struct buf rest = BUF_INIT(LIMIT_LOCAL_REQUEST);
                *end = '\0';
                buf_addstr(&rest, end + 1);
                do_line(driver, driver->input.data);
                buf_release(&driver->input);
                driver->input = rest;
        }
}

int main(int argc, char **argv)
{
        struct driver driver = {.input = BUF_INIT(LIMIT_LOCAL_REQUEST)};
        struct loop_source *input CLEANUP_LOOP_SOURCE = NULL;
        /* The disk of a test machine may be nearly full. */
        struct kubelet_threshold threshold = {
                .signal = xstrdup("nodefs.available"), .percent = true, .milli_percent = 1000};
        const struct kubelet_config kubelet = {
                .register_node = true, .eviction_hard = &threshold, .eviction_hard_count = 1};
        struct err err = ERR_INIT;
        int code = 1;

        if (argc != 3)
                return 2;
        driver.node = argv[2];
        log_set_level(LOG_LEVEL_DEBUG);
        struct api_side_config config = {
                .kubeconfig = argv[1],
                .node_name = argv[2],
                .root_dir = "/",
                .max_pods = 110,
                .unschedulable = true,
                .kubelet = &kubelet,
        };
        if (loop_new(&driver.loop, &err) < 0 ||
            api_side_new(driver.loop, &config, refused, changed, NULL, &driver.side, &err) < 0 ||
            loop_io_new(driver.loop, "commands", STDIN_FILENO, EPOLLIN, take_input, &driver, &input, &err) < 0 ||
            loop_run(driver.loop, &code, &err) < 0)
                say("error", err.msg);
        input = loop_source_free(input);
        api_side_free(driver.side);
        buf_release(&driver.input);
        loop_free(driver.loop);
        free(threshold.signal);
        return code;
}
