#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients of the local API that wait for news: each has an HTTP answer that does not end, and gets every text that is
 * sent to the feed. While nothing is sent nothing wakes. A client that reads slower than the news come never holds
 * anybody up: of a feed in which only the newest text counts it misses those between; of another it is cut off once
 * LIMIT_FEED_BUFFER waits for it, so that it knows that something is missing.
 */
#include <stdbool.h>
#include <stddef.h>

struct http_server_request;
struct local_feed;

enum local_feed_kind {
        LOCAL_FEED_EVERY,  /* each text counts */
        LOCAL_FEED_NEWEST, /* a text makes those before it worthless */
};

struct local_feed *local_feed_new(enum local_feed_kind kind);
/* After the HTTP servers. Takes NULL, returns NULL. */
struct local_feed *local_feed_free(struct local_feed *feed);
/* Answers the request with 200, `first` and from then on all that is sent for `topic` (copied; NULL: for any); 429
 * where LIMIT_FEED_CLIENTS wait already. */
void local_feed_join(struct local_feed *feed, struct http_server_request *request, const char *topic, const char *first,
                     size_t len);
/* How well what is sent fits to a client's topic. */
typedef bool (*local_feed_match_fn)(void *userdata, const char *topic);
/* match NULL: for all clients. */
void local_feed_send(struct local_feed *feed, const char *text, size_t len, local_feed_match_fn match, void *userdata);
/* Somebody listens. */
bool local_feed_wanted(const struct local_feed *feed);
