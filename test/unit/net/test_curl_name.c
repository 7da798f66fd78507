/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to a server that is told by its name, while the name server says nothing: a network of our own, where the name
 * server is a socket that nobody reads.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "net/curl_glue.h"
#include "net/loop.h"
#include "../loop_wait.h"

/* How long the C library waits for the name server, and how long the loop may be away on a busy machine. */
#define LOOKUP "options timeout:15 attempts:1\n"
#define AWAY_MAX (5 * USEC_PER_SEC)
#define DEADLINE (300 * USEC_PER_MSEC)

struct state {
        struct loop *loop;
        struct curl_glue *glue;
        int name_server;
        bool done;
        int code;
        usec_t away; /* the longest that one step of the loop took */
};

static void replace(const char *dir, const char *path, const char *text)
{
        char *copy CLEANUP_FREE = file_join(dir, strrchr(path, '/') + 1);
        struct err err = ERR_INIT;

        assert_int_equal(file_write_atomic(copy, text, strlen(text), 0644, 0, &err), 0);
        assert_int_equal(mount(copy, path, NULL, MS_BIND, NULL), 0);
        assert_int_equal(unlink(copy), 0);
}

/* A network and files of this process alone. */
static bool go_apart(void)
{
        struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
        char dir[] = "/tmp/test-curl-name-XXXXXX";
        int fd CLEANUP_FD = -1;

        if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
                return false;
        assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        assert_non_null(mkdtemp(dir));
        replace(dir, "/etc/resolv.conf", "nameserver 127.0.0.1\n" LOOKUP);
        replace(dir, "/etc/nsswitch.conf", "hosts: files dns\n");
        assert_int_equal(rmdir(dir), 0);
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
        return true;
}

static int setup(void **ret)
{
        static bool apart;
        struct sockaddr_in address = {
                .sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const struct curl_glue_options options = {.name = "client"};
        struct state *s = xcalloc(1, sizeof(*s));
        struct err err = ERR_INIT;

        *ret = s;
        s->name_server = -1;
        apart = apart || go_apart();
        if (!apart)
                return 0;
        s->name_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(s->name_server, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(loop_new(&s->loop, &err), 0);
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        s->glue = curl_glue_free(s->glue);
        s->loop = loop_free(s->loop);
        fd_close(s->name_server);
        free(s);
        return 0;
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct state *s = userdata;

        (void)response;
        s->done = true;
        s->code = err ? err->code : 0;
}

static void step(struct state *s)
{
        usec_t before = clock_boottime();

        loop_wait_step(s->loop);
        usec_t took = usec_sub(clock_boottime(), before);
        s->away = took > s->away ? took : s->away;
}

/* Starts a call and waits until the name server was asked. */
static struct curl_glue_call *ask(struct state *s, usec_t deadline)
{
        const struct curl_glue_request request = {
                .url = "http://api.example:6443/readyz",
                .max_body = 1024,
                .deadline = deadline ? usec_add(clock_boottime(), deadline) : 0,
                .done = on_done,
                .userdata = s,
        };
        struct curl_glue_call *call;
        char question[512];

        if (s->name_server < 0)
                skip();
        call = curl_glue_start(s->glue, &request);
        for (usec_t end = clock_boottime() + LOOP_WAIT_MAX; clock_boottime() < end; step(s))
                if (recv(s->name_server, question, sizeof(question), 0) > 0)
                        return call;
        fail_msg("the name server was not asked");
        return NULL;
}

static void test_a_deadline_during_the_lookup(void **state)
{
        struct state *s = *state;

        (void)ask(s, DEADLINE);
        while (!s->done)
                step(s);
        assert_int_equal(s->code, ETIMEDOUT);
        assert_in_range(s->away, 0, AWAY_MAX);
}

static void test_a_cancel_during_the_lookup(void **state)
{
        struct state *s = *state;

        curl_glue_cancel(ask(s, 0));
        while (!s->done)
                step(s);
        assert_int_equal(s->code, ECANCELED);
        assert_in_range(s->away, 0, AWAY_MAX);
}

static void test_the_end_during_the_lookup(void **state)
{
        struct state *s = *state;

        (void)ask(s, 0);
        usec_t before = clock_boottime();
        s->glue = curl_glue_free(s->glue);
        assert_in_range(usec_sub(clock_boottime(), before), 0, AWAY_MAX);
        assert_false(s->done);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_a_deadline_during_the_lookup),
                TEST(test_a_cancel_during_the_lookup),
                TEST(test_the_end_during_the_lookup),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
