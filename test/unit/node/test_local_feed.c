/* SPDX-License-Identifier: Apache-2.0
 *
 * Who waits for news: everybody gets theirs, one who does not read costs nobody anything.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/curl_glue.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "node/local_feed.h"
#include "../loop_wait.h"

#define ANSWER_MAX (64 * 1024 * 1024)
#define TEXT_BYTES (256 * 1024)

struct client {
        struct curl_glue_call *call;
        struct buf body;
        int status, done;
        struct err err;
};

struct state {
        struct loop *loop;
        struct http_server *server;
        struct curl_glue *glue;
        struct local_feed *feed;
        char dir[64], path[128];
        struct client a, b;
};

static void handler(void *userdata, struct http_server_request *request)
{
        struct state *s = userdata;
        local_feed_join(s->feed, request, http_server_query(request, "topic"), "first\n", 6);
}

static int begin(void **ret, enum local_feed_kind kind)
{
        struct state *s = xcalloc(1, sizeof(*s));
        struct curl_glue_options options = {.name = "client"};
        struct err err = ERR_INIT;

        (void)snprintf(s->dir, sizeof(s->dir), "/tmp/test-local-feed-XXXXXX");
        assert_non_null(mkdtemp(s->dir));
        (void)snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
        assert_int_equal(loop_new(&s->loop, &err), 0);
        struct http_server_options server = {.name = "feed",
                                             .unix_path = s->path,
                                             .unix_mode = 0600,
                                             .unix_gid = (gid_t)-1,
                                             .handler = handler,
                                             .userdata = s};
        assert_int_equal(http_server_new(s->loop, &server, &s->server, &err), 0);
        assert_int_equal(curl_glue_new(s->loop, &options, &s->glue, &err), 0);
        s->feed = local_feed_new(kind);
        s->a.body = s->b.body = BUF_INIT(ANSWER_MAX);
        *ret = s;
        return 0;
}

static int setup_every(void **ret)
{
        return begin(ret, LOCAL_FEED_EVERY);
}

static int setup_newest(void **ret)
{
        return begin(ret, LOCAL_FEED_NEWEST);
}

static int teardown(void **state)
{
        struct state *s = *state;
        struct err err;
        s->server = http_server_free(s->server);
        s->feed = local_feed_free(s->feed);
        s->glue = curl_glue_free(s->glue);
        s->loop = loop_free(s->loop);
        buf_release(&s->a.body);
        buf_release(&s->b.body);
        assert_int_equal(file_remove_tree(s->dir, &err), 0);
        free(s);
        return 0;
}

#define WAIT(condition) LOOP_WAIT(s->loop, condition)

static bool on_data(void *userdata, const char *data, size_t len)
{
        struct client *client = userdata;
        buf_add(&client->body, data, len);
        return true;
}

static void on_done(void *userdata, const struct curl_glue_response *response, const struct err *err)
{
        struct client *client = userdata;
        client->done++;
        client->status = response->status;
        client->err = err ? *err : ERR_INIT;
}

static void join(struct state *s, struct client *client, const char *topic)
{
        char *url CLEANUP_FREE = xasprintf("http://node/%s%s", topic ? "?topic=" : "", topic ? topic : "");
        struct curl_glue_request request = {
                .url = url, .unix_socket = s->path, .data = on_data, .done = on_done, .userdata = client};
        client->call = curl_glue_start(s->glue, &request);
        WAIT(client->done || client->body.len >= 6);
}

static bool is_topic(void *userdata, const char *topic)
{
        return str_eq(userdata, topic);
}

static void test_topics(void **state)
{
        struct state *s = *state;
        char one[] = "one", two[] = "two";
        assert_false(local_feed_wanted(s->feed));
        local_feed_send(s->feed, "to nobody\n", 10, NULL, NULL);
        join(s, &s->a, "one");
        join(s, &s->b, NULL);
        assert_true(local_feed_wanted(s->feed));
        local_feed_send(s->feed, "1\n", 2, is_topic, one);
        local_feed_send(s->feed, "2\n", 2, is_topic, two);
        local_feed_send(s->feed, "3\n", 2, NULL, NULL);
        WAIT(s->a.body.len == 10 && s->b.body.len == 12);
        assert_string_equal(buf_str(&s->a.body), "first\n1\n3\n");
        assert_string_equal(buf_str(&s->b.body), "first\n1\n2\n3\n");
        curl_glue_cancel(s->a.call);
        curl_glue_cancel(s->b.call);
        WAIT(!local_feed_wanted(s->feed));
}

/* b does not read. */
static char *flood(struct state *s, size_t texts)
{
        char *text = xmalloc(TEXT_BYTES);
        join(s, &s->a, NULL);
        join(s, &s->b, NULL);
        curl_glue_pause(s->b.call);
        memset(text, 'x', TEXT_BYTES);
        text[TEXT_BYTES - 1] = '\n';
        for (size_t i = 0; i < texts; i++) {
                text[0] = (char)('A' + i % 26);
                local_feed_send(s->feed, text, TEXT_BYTES, NULL, NULL);
                WAIT(s->a.body.len == 6 + (i + 1) * TEXT_BYTES);
        }
        return text;
}

static void test_slow_is_cut(void **state)
{
        struct state *s = *state;
        size_t texts = 3 * LIMIT_FEED_BUFFER / TEXT_BYTES;
        char *text CLEANUP_FREE = flood(s, texts);
        curl_glue_resume(s->b.call);
        WAIT(s->b.done);
        assert_int_equal(s->b.err.code, ECONNRESET); /* it knows */
        assert_true(s->b.body.len < texts * TEXT_BYTES);
        assert_int_equal(s->a.done, 0);
}

static void test_slow_gets_the_newest(void **state)
{
        struct state *s = *state;
        size_t texts = 3 * LIMIT_FEED_BUFFER / TEXT_BYTES;
        char *text CLEANUP_FREE = flood(s, texts);
        curl_glue_resume(s->b.call);
        WAIT(s->b.body.len > TEXT_BYTES &&
             s->b.body.data[s->b.body.len - TEXT_BYTES] == (char)('A' + (texts - 1) % 26));
        assert_int_equal(s->b.done, 0);
        assert_true(s->b.body.len < texts * TEXT_BYTES);
        assert_int_equal((s->b.body.len - 6) % TEXT_BYTES, 0); /* whole ones */
}

static void test_too_many(void **state)
{
        struct state *s = *state;
        for (int i = 0; i < LIMIT_FEED_CLIENTS; i++) {
                buf_clear(&s->a.body);
                join(s, &s->a, NULL);
                assert_int_equal(s->a.done, 0);
        }
        join(s, &s->b, NULL);
        WAIT(s->b.done);
        assert_int_equal(s->b.status, 429);
}

#define TEST(t, setup) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_topics, setup_every),
                TEST(test_slow_is_cut, setup_every),
                TEST(test_slow_gets_the_newest, setup_newest),
                TEST(test_too_many, setup_every),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
