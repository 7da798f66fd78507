/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "net/http_server.h"
#include "node/local_feed.h"

struct client {
        struct local_feed *feed;
        struct client *prev, *next;
        struct http_server_request *request;
        char *topic;     /* NULL: all */
        struct buf held; /* what the stream had no room for */
};

struct local_feed {
        enum local_feed_kind kind;
        struct client *clients;
        unsigned count;
};

static void client_free(struct client *client)
{
        DL_DELETE(client->feed->clients, client);
        client->feed->count--;
        free(client->topic);
        buf_release(&client->held);
        free(client);
}

static void on_closed(void *userdata)
{
        client_free(userdata);
}

static void on_drained(void *userdata)
{
        struct client *client = userdata;

        (void)http_server_stream_write(client->request, client->held.data, client->held.len);
        buf_clear(&client->held);
}

static void client_send(struct client *client, const char *text, size_t len)
{
        if (client->held.len == 0 && http_server_stream_write(client->request, text, len) == 0)
                return;
        if (client->feed->kind == LOCAL_FEED_NEWEST)
                buf_clear(&client->held);
        buf_add(&client->held, text, len);
        if (!client->held.failed)
                return;
        http_server_stream_end(client->request, false);
        client_free(client);
}

struct local_feed *local_feed_new(enum local_feed_kind kind)
{
        struct local_feed *feed = xcalloc(1, sizeof(*feed));

        feed->kind = kind;
        return feed;
}

struct local_feed *local_feed_free(struct local_feed *feed)
{
        if (!feed)
                return NULL;
        while (feed->clients)
                client_free(feed->clients);
        free(feed);
        return NULL;
}

void local_feed_join(struct local_feed *feed, struct http_server_request *request, const char *topic, const char *first,
                     size_t len)
{
        struct client *client;

        if (feed->count >= LIMIT_FEED_CLIENTS) {
                http_server_replyf(request, 429, "%d clients wait for news already", LIMIT_FEED_CLIENTS);
                return;
        }
        client = xcalloc(1, sizeof(*client));
        client->feed = feed;
        client->request = request;
        client->topic = topic ? xstrdup(topic) : NULL;
        client->held = BUF_INIT(LIMIT_FEED_BUFFER);
        DL_APPEND(feed->clients, client);
        feed->count++;
        http_server_on_closed(request, on_closed, client);
        http_server_on_drained(request, on_drained, client);
        http_server_stream_begin(request, 200, "application/json", LIMIT_FEED_BUFFER);
        if (len > 0)
                client_send(client, first, len);
}

void local_feed_send(struct local_feed *feed, const char *text, size_t len, local_feed_match_fn match, void *userdata)
{
        struct client *client, *next;

        DL_FOREACH_SAFE (feed->clients, client, next) {
                if (!match || !client->topic || match(userdata, client->topic))
                        client_send(client, text, len);
        }
}

bool local_feed_wanted(const struct local_feed *feed)
{
        return feed->count > 0;
}
