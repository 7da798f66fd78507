/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "fixture.h"
#include "phase/cri_socket.h"

#define CONTAINERD "/var/run/containerd/containerd.sock"
#define CRIO "/var/run/crio/crio.sock"
#define CRI_DOCKERD "/var/run/cri-dockerd.sock"
#define DOCKER "/var/run/docker.sock"

static const char config[] = "apiVersion: kubeadm.k8s.io/v1beta3\n"
                             "kind: InitConfiguration\n"
                             "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"
                             "nodeRegistration: {name: node1}\n"
                             "---\n"
                             "apiVersion: kubeadm.k8s.io/v1beta3\n"
                             "kind: ClusterConfiguration\n";

static int print_socket(struct phase *phase, const char *arg, struct err *err)
{
        (void)err;
        (void)arg;
        (void)fputs(phase->config->init.node_registration.cri_socket.text, phase->options.out);
        return 0;
}

/* A socket below the root; its descriptor is what keeps it open. */
static int listen_at(const struct fixture *f, const char *path)
{
        char *real CLEANUP_FREE = file_join(f->root, path), *dir CLEANUP_FREE = file_dirname(real);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        assert_true(file_mkdir_p(dir, 0755, NULL) >= 0);
        assert_true((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s", real) <
                    sizeof(address.sun_path));
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void expect(struct fixture *f, const char *version, const char *command, const char *socket)
{
        char *text CLEANUP_FREE = xasprintf("%skubernetesVersion: %s\n", config, version);

        fixture_config(f, text);
        f->version = version;
        f->command = command;
        if (fixture_run(f, print_socket, NULL) < 0)
                fail_msg("%s: %s", version, f->err.msg);
        assert_string_equal(f->out, socket);
}

static void expect_error(struct fixture *f, const char *version, const char *command, const char *message)
{
        char *text CLEANUP_FREE = xasprintf("%skubernetesVersion: %s\n", config, version);

        fixture_config(f, text);
        f->version = version;
        f->command = command;
        assert_true(fixture_run(f, print_socket, NULL) < 0);
        assert_string_equal(f->err.msg, message);
}

static void test_none(void **state)
{
        expect(*state, "v1.36.3", "kubelet-start", "unix://" CONTAINERD);
        expect(*state, "v1.23.17", "kubelet-start", "/var/run/dockershim.sock");
}

static void test_one(void **state)
{
        struct fixture *f = *state;
        int fd = listen_at(f, CRIO);

        expect(f, "v1.36.3", "kubelet-start", "unix://" CRIO);
        expect(f, "v1.24.17", "kubelet-start", "unix://" CRIO);
        expect(f, "v1.23.17", "kubelet-start", CRIO);
        /* What nobody listens at is of no runtime from 1.24 on. */
        assert_int_equal(close(fd), 0);
        expect(f, "v1.36.3", "kubelet-start", "unix://" CONTAINERD);
        expect(f, "v1.23.17", "kubelet-start", CRIO);
        fixture_remove(f, CRIO);
        fixture_put(f, CRIO, "no socket");
        expect(f, "v1.36.3", "kubelet-start", "unix://" CONTAINERD);
        expect(f, "v1.23.17", "kubelet-start", "/var/run/dockershim.sock");
}

static void test_docker(void **state)
{
        struct fixture *f = *state;
        int containerd = listen_at(f, "/run/containerd/containerd.sock"), docker;

        expect(f, "v1.23.17", "kubelet-start", "/run/containerd/containerd.sock");
        /* Docker brings a containerd. */
        docker = listen_at(f, DOCKER);
        expect(f, "v1.23.17", "kubelet-start", "/var/run/dockershim.sock");
        assert_int_equal(close(containerd) + close(docker), 0);
}

static void test_several(void **state)
{
        static const char several[] = "ound multiple CRI endpoints on the host. Please define which one do you wish to "
                                      "use by setting the 'criSocket' field in the kubeadm configuration file: "
                                      "unix://" CONTAINERD ", unix://" CRI_DOCKERD;
        struct fixture *f = *state;
        char *lower CLEANUP_FREE = xasprintf("f%s", several), *upper CLEANUP_FREE = xasprintf("F%s", several);
        int a = listen_at(f, CONTAINERD), b = listen_at(f, CRI_DOCKERD), c, d;

        expect_error(f, "v1.36.3", "kubelet-start", lower);
        expect_error(f, "v1.31.0", "init", lower);
        expect_error(f, "v1.30.14", "preflight", upper);
        expect_error(f, "v1.24.17", "certs all", upper);
        /* Of no use for the others, which do not look from 1.29 on. */
        expect_error(f, "v1.28.15", "certs all", upper);
        expect(f, "v1.29.0", "certs all", "unix://" CONTAINERD);
        expect(f, "v1.28.15", "explain", "unix://" CONTAINERD);
        c = listen_at(f, DOCKER);
        d = listen_at(f, CRIO);
        expect_error(
                f, "v1.23.17", "certs renew all",
                "Found multiple CRI sockets, please use --cri-socket to select one: /var/run/dockershim.sock, " CRIO);
        assert_int_equal(close(a) + close(b) + close(c) + close(d), 0);
}

static int look(struct phase *phase, const char *path, struct err *err)
{
        (void)err;
        phase->options.host_root = phase->options.rootfs;
        phase->options.rootfs = "/nowhere";
        return phase_host_has_socket(phase, path, true);
}

/* `init --dry-run` writes below a directory of its own; the runtimes are those of the host. */
static void test_host_root(void **state)
{
        struct fixture *f = *state;
        int fd = listen_at(f, CRIO);

        assert_int_equal(fixture_run(f, look, CRIO), true);
        assert_int_equal(fixture_run(f, look, CONTAINERD), false);
        assert_int_equal(close(fd), 0);
}

static void test_flags(void **state)
{
        const struct phase_flags flags = {
                .kubernetes_version = "v1.26.0", .node_name = "node1", .apiserver_advertise_address = "192.0.2.10"};
        struct fixture *f = *state;
        int fd = listen_at(f, CRIO);

        f->flags = &flags;
        expect(f, "v1.26.15", "certs all", "unix://" CRIO);
        expect(f, "v1.26.15", "certs renew all", "unix://" CONTAINERD);
        expect(f, "v1.27.16", "certs all", "unix://" CONTAINERD);
        expect(f, "v1.27.16", "init", "unix://" CRIO);
        assert_int_equal(close(fd), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {TEST(test_none),    TEST(test_one),   TEST(test_docker),
                                           TEST(test_several), TEST(test_flags), TEST(test_host_root)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
