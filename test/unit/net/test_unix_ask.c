/* SPDX-License-Identifier: Apache-2.0
 *
 * A request to a server that reads it, says what the test tells, and closes: a child, since unix_ask waits.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"
#include "net/unix_ask.h"

#define BODY_MAX 64

static char dir[] = "/tmp/test-unix-ask-XXXXXX";
static char path[64];

static int setup(void **state)
{
        (void)state;
        if (!mkdtemp(dir))
                return -1;
        (void)snprintf(path, sizeof(path), "%s/sock", dir);
        return 0;
}

static int teardown(void **state)
{
        (void)state;
        return rmdir(dir);
}

static _Noreturn void serve(int listening, const char *asked, const char *answer)
{
        char request[4096];
        size_t len = 0;
        int fd = accept(listening, NULL, NULL);
        ssize_t n = 1;

        while (n > 0 && !(len >= strlen(asked) && memcmp(request + len - strlen(asked), asked, strlen(asked)) == 0)) {
                n = read(fd, request + len, sizeof(request) - len);
                len += n > 0 ? (size_t)n : 0;
        }
        _exit(n > 0 && fd_write_all(fd, answer, strlen(answer)) == 0 ? 0 : 1);
}

/* What unix_ask returns when a request that ends with `asked` is answered so. */
static int ask(const struct unix_ask *request, const char *asked, const char *answer, int *ret_status, struct buf *out,
               struct err *err)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd CLEANUP_FD = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;

        (void)str_copy(address.sun_path, sizeof(address.sun_path), path);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                serve(fd, asked, answer);
        int r = unix_ask(request, ret_status, out, err);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(unlink(path), 0);
        return r;
}

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static void test_answers(void **state)
{
        static const struct {
                const char *answer;
                int result, status;
                const char *body, *message;
        } cases[] = {
                {OK "Content-Length: 7\r\n\r\none two", 0, 200, "one two", ""},
                {CHUNKED "3\r\none\r\n4\r\n two\r\n0\r\n\r\n", 0, 200, "one two", ""},
                {"HTTP/1.0 404 Not Found\r\n\r\nto the end", 0, 404, "to the end", ""},
                {"HTTP/1.1 304 Not Modified\r\n\r\n", 0, 304, "", ""},
                {OK "Content-Length: 7\r\n\r\none", -ECONNRESET, -1, "one", "the answer broke off"},
                {CHUNKED "3\r\none\r\n", -ECONNRESET, -1, "one", "the answer broke off"},
                {"", -ECONNRESET, -1, "", "the connection ended without an answer"},
                {"220 mail\r\n\r\n", -ERR_PROTOCOL, -1, "", "no HTTP answer: 220 mail"},
                {OK "\r\n0123456789012345678901234567890123456789012345678901234567890123456789", -ERR_LIMIT, -1, NULL,
                 "the answer: larger than 64 bytes"},
        };
        const struct unix_ask request = {.socket = path, .method = "GET", .path = "/what", .timeout_seconds = 20};

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(BODY_MAX);
                struct err err = ERR_INIT;
                int status = -1;
                int r = ask(&request, "\r\n\r\n", cases[i].answer, &status, &out, &err);

                assert_non_null(strstr(err.msg, cases[i].message));
                assert_int_equal(r, cases[i].result);
                assert_int_equal(status, cases[i].status);
                if (cases[i].body)
                        assert_string_equal(buf_str(&out), cases[i].body);
        }
}

static void test_body(void **state)
{
        const struct unix_ask request = {
                .socket = path, .method = "POST", .path = "/do", .body = "{\"a\":1}", .timeout_seconds = 20};
        struct buf out CLEANUP_BUF = BUF_INIT(BODY_MAX);
        struct err err = ERR_INIT;
        int status = -1;

        (void)state;
        assert_int_equal(ask(&request, "Content-Length: 7\r\n\r\n{\"a\":1}", OK "Content-Length: 0\r\n\r\n", &status,
                             &out, &err),
                         0);
        assert_int_equal(status, 200);
}

/* What the headers say of a body is that of GET: Docker tells the length of an error that it does not send. */
static void test_head_has_no_body(void **state)
{
        const struct unix_ask request = {.socket = path, .method = "HEAD", .path = "/what", .timeout_seconds = 20};
        struct buf out CLEANUP_BUF = BUF_INIT(BODY_MAX);
        struct err err = ERR_INIT;
        int status = -1;

        (void)state;
        assert_int_equal(
                ask(&request, "\r\n\r\n", "HTTP/1.1 404 Not Found\r\nContent-Length: 50\r\n\r\n", &status, &out, &err),
                0);
        assert_int_equal(status, 404);
        assert_string_equal(buf_str(&out), "");
}

static void test_nobody_there(void **state)
{
        const struct unix_ask request = {.socket = path, .method = "GET", .path = "/", .timeout_seconds = 20};
        struct buf out CLEANUP_BUF = BUF_INIT(BODY_MAX);
        struct err err = ERR_INIT;
        int status = -1;

        (void)state;
        assert_int_equal(unix_ask(&request, &status, &out, &err), -ENOENT);
        assert_int_equal(status, -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),
                cmocka_unit_test(test_body),
                cmocka_unit_test(test_head_has_no_body),
                cmocka_unit_test(test_nobody_there),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
