/* SPDX-License-Identifier: Apache-2.0
 *
 * A container of which the image cannot be looked at. Docker is a table of two operations.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "docker/docker.h"
#include "kube/pod.h"
#include "net/loop.h"
#include "node/exec_job.h"
#include "node/host.h"
#include "node/volume.h"

#include "../pod_of_text.h"

static char root[] = "/tmp/test-exec-create-XXXXXX";

struct fake {
        struct docker docker;
        docker_image_fn inspected;
        void *userdata;
        char *body;         /* of the create */
        char *reason, *why; /* of the outcome */
};

static struct docker_call *op_image_inspect(struct docker *d, const char *ref, docker_image_fn done, void *userdata)
{
        struct fake *fake = (struct fake *)d;

        assert_string_equal(ref, "sha256:1");
        fake->inspected = done;
        fake->userdata = userdata;
        return (struct docker_call *)fake;
}

static struct docker_call *op_create(struct docker *d, const char *name, const char *body, docker_create_fn done,
                                     void *userdata)
{
        struct fake *fake = (struct fake *)d;

        (void)name;
        (void)done;
        (void)userdata;
        fake->body = xstrdup(body);
        return (struct docker_call *)fake;
}

static const struct docker_ops ops = {.image_inspect = op_image_inspect, .create = op_create};

static int on_outcome(void *userdata, const struct pod_exec_job *job, const struct pod_outcome *outcome)
{
        struct fake *fake = userdata;

        (void)job;
        assert_false(outcome->success);
        fake->reason = xstrdup(outcome->reason);
        fake->why = xstrdup(outcome->message);
        return 0;
}

/* Makes a container with runAsGroup alone; image NULL: Docker does not say what it is. */
static void create(struct fake *fake, const struct docker_image *image, const struct err *err)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        const struct pod_exec_handlers handlers = {.outcome = on_outcome};
        char *root_dir CLEANUP_FREE = xasprintf("%s/kubelet", root);
        const struct host host = {.node_name = "n1", .node_ip = "10.0.0.1", .root_dir = root_dir};
        struct pod *pod CLEANUP_POD =
                test_pod("{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: c, image: i, "
                         "securityContext: {runAsGroup: 3000}}]}}",
                         &source);
        struct job *job = xcalloc(1, sizeof(*job));
        struct loop *loop = NULL;
        struct pod_exec *exec;

        *fake = (struct fake){.docker.ops = &ops};
        assert_int_equal(loop_new(&loop, NULL), 0);
        exec = pod_exec_new(loop, &fake->docker, NULL, NULL, &host, &handlers, fake);
        assert_int_equal(volume_setup(&host, pod, NULL), 0);
        job->exec = exec;
        job->key = xstrdup("default/web-n1");
        job->op = POD_OP_CREATE;
        job->pod = pod_ref(pod);
        (void)snprintf(job->image_id, sizeof(job->image_id), "sha256:1");
        DL_APPEND(exec->jobs, job);
        create_container_begin(job);
        assert_non_null(fake->inspected);
        fake->inspected(fake->userdata, image, err);
        (void)pod_exec_free(exec);
        (void)loop_free(loop);
}

static void release(struct fake *fake)
{
        free(fake->body);
        free(fake->reason);
        free(fake->why);
}

static void test_user_of_the_image(void **state)
{
        (void)state;
        struct docker_image image = {.id = (char *)"sha256:1", .user = (char *)"1000:1000"};
        struct fake fake;

        create(&fake, &image, NULL);
        assert_null(fake.reason);
        assert_non_null(strstr(fake.body, "\"User\":\"1000:3000\""));
        release(&fake);
        image.user = (char *)"";
        create(&fake, &image, NULL);
        assert_non_null(strstr(fake.body, "\"User\":\"0:3000\""));
        release(&fake);
}

/* Not known is not root. */
static void test_image_not_known(void **state)
{
        (void)state;
        const struct err err = {.code = EIO, .status = 500, .msg = "no such thing"};
        struct fake fake;

        create(&fake, NULL, &err);
        assert_null(fake.body);
        assert_string_equal(fake.reason, "ImageInspectError");
        assert_string_equal(fake.why, "no such thing");
        release(&fake);
}

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

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_user_of_the_image),
                                           cmocka_unit_test(test_image_not_known)};

        return cmocka_run_group_tests(tests, setup, teardown);
}
