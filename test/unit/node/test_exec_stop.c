/* SPDX-License-Identifier: Apache-2.0
 *
 * What is sent to stop a container, to a Docker that is played here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"
#include "docker/docker.h"
#include "net/loop.h"
#include "node/host.h"
#include "node/pod_exec.h"
#include "rig.h"

struct daemon {
        struct docker docker;
        const char *stop_signal; /* of every image */
        const char *known;       /* the only signal that it takes */
        struct buf sent;
        struct loop_source *answer; /* NULL: nothing was asked */
        docker_image_fn image;
        docker_done_fn done;
        void *userdata;
        bool refused, ended;
        struct loop *loop;
        int outcome; /* -1: none yet */
};

static void answer(void *userdata)
{
        struct daemon *d = userdata;
        const struct docker_image image = {.id = (char[]){"sha256:image"},
                                           .stop_signal = (char *)(uintptr_t)d->stop_signal};
        struct err err = ERR_INIT;
        docker_image_fn tell_image = d->image;

        d->image = NULL;
        if (tell_image) {
                tell_image(d->userdata, &image, NULL);
                return;
        }
        (void)err_set(&err, ERR_REMOTE, "invalid signal");
        err.status = 400;
        d->done(d->userdata, d->refused ? &err : NULL);
}

static struct docker_call *image_inspect(struct docker *docker, const char *ref, docker_image_fn done, void *userdata)
{
        struct daemon *d = (struct daemon *)(void *)docker;

        (void)ref;
        d->image = done;
        d->userdata = userdata;
        loop_defer_schedule(d->answer);
        return (struct docker_call *)(void *)d;
}

static struct docker_call *take_signal(struct docker *docker, const char *id, const char *signal, docker_done_fn done,
                                       void *userdata)
{
        struct daemon *d = (struct daemon *)(void *)docker;

        (void)id;
        buf_addf(&d->sent, "%s%s", d->sent.len ? " " : "", signal);
        d->refused = !str_eq(signal, d->known);
        d->done = done;
        d->userdata = userdata;
        loop_defer_schedule(d->answer);
        return (struct docker_call *)(void *)d;
}

static int on_outcome(void *userdata, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        struct daemon *d = userdata;

        (void)job;
        d->outcome = outcome->success;
        d->ended = true;
        return 0;
}

/* Everything that was sent for one SIGNAL of app0. */
static void stop(struct daemon *d)
{
        static const struct docker_ops ops = {.image_inspect = image_inspect, .kill = take_signal};
        static const struct pod_exec_handlers handlers = {.outcome = on_outcome};
        const struct pod_action action = {.kind = POD_ACTION_OP, .which = POD_CURRENT, .op = POD_OP_SIGNAL};
        const struct host host = {.node_ip = ""};
        struct err err = ERR_INIT;
        struct pod_exec *exec;
        struct rig rig;

        rig_up(&rig, rig_pod("u1", "h1", 0, 1));
        pod_view_text(rig_view(&rig, "app0")->image_id, sizeof(rig_view(&rig, "app0")->image_id), "sha256:image");
        d->docker.ops = &ops;
        d->outcome = -1;
        d->sent = BUF_INIT(1024);
        assert_int_equal(loop_new(&d->loop, &err), 0);
        d->answer = loop_defer_new(d->loop, "answers of Docker", answer, d);
        exec = pod_exec_new(d->loop, &d->docker, NULL, NULL, &host, &handlers, d);
        pod_exec_start(exec, rig.view, &action, 1);
        assert_int_equal(loop_wait(d->loop, &d->ended, usec_add(loop_now(d->loop), 5 * USEC_PER_SEC), &err), 0);
        (void)pod_exec_free(exec);
        (void)loop_source_free(d->answer);
        d->loop = loop_free(d->loop);
        rig_release(&rig);
}

static void the_signal_is_the_images_own(void **state)
{
        struct daemon d = {.stop_signal = "SIGQUIT", .known = "SIGQUIT"};

        (void)state;
        stop(&d);
        assert_string_equal(buf_str(&d.sent), "SIGQUIT");
        assert_int_equal(d.outcome, 1);
        buf_release(&d.sent);
}

/* As Docker's own stop does with such an image. */
static void a_signal_that_docker_does_not_know_becomes_the_default(void **state)
{
        struct daemon d = {.stop_signal = "SIGNONE", .known = "SIGTERM"};

        (void)state;
        stop(&d);
        assert_string_equal(buf_str(&d.sent), "SIGNONE SIGTERM");
        assert_int_equal(d.outcome, 1);
        buf_release(&d.sent);
}

static void a_default_that_is_refused_is_a_failure(void **state)
{
        struct daemon d = {.stop_signal = "", .known = ""};

        (void)state;
        stop(&d);
        assert_string_equal(buf_str(&d.sent), "SIGTERM");
        assert_int_equal(d.outcome, 0);
        buf_release(&d.sent);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_signal_is_the_images_own),
                cmocka_unit_test(a_signal_that_docker_does_not_know_becomes_the_default),
                cmocka_unit_test(a_default_that_is_refused_is_a_failure),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
