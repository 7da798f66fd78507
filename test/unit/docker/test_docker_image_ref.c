/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "docker/docker_image_ref.h"

static void test_split(void **state)
{
        static const char *const cases[][5] = {
                /* reference, repository, tag, digest, registry */
                {"registry.k8s.io/pause:3.10.1", "registry.k8s.io/pause", "3.10.1", "", "registry.k8s.io"},
                {"busybox", "busybox", "latest", "", "docker.io"},
                {"library/busybox:1", "library/busybox", "1", "", "docker.io"},
                {"localhost:5000/team/box", "localhost:5000/team/box", "latest", "", "localhost:5000"},
                {"localhost/box:v1", "localhost/box", "v1", "", "localhost"},
                {"127.0.0.1:5000/box:v1", "127.0.0.1:5000/box", "v1", "", "127.0.0.1:5000"},
                {"a.b/c@sha256:00", "a.b/c", "", "sha256:00", "a.b"},
                {"a.b:1/c:t@sha256:00", "a.b:1/c", "t", "sha256:00", "a.b:1"},
                {"index.docker.io/x:1", "index.docker.io/x", "1", "", "docker.io"},
                {"docker.io/x:1", "docker.io/x", "1", "", "docker.io"},
                {"", "", "latest", "", "docker.io"},
        };
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct docker_image_ref ref = docker_image_ref_split(cases[i][0]);
                char *registry CLEANUP_FREE = docker_image_ref_registry(cases[i][0]);
                assert_string_equal(ref.repository, cases[i][1]);
                assert_string_equal(ref.tag, cases[i][2]);
                assert_string_equal(ref.digest, cases[i][3]);
                assert_string_equal(registry, cases[i][4]);
                docker_image_ref_release(&ref);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_split)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
