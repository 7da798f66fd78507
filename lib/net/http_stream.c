/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that come bit by bit.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "net/http_server_private.h"
#include "net/loop.h"

#define STREAM_BLOCK_BYTES (16 * 1024)

size_t http_stream_pending(const struct http_server_request *request)
{
        return request->out.len - request->out_sent;
}

static ssize_t on_stream_read(void *userdata, uint64_t position, char *data, size_t max)
{
        struct http_server_request *request = userdata;
        (void)position;
        size_t len = http_stream_pending(request);

        if (request->gone || request->server->dead)
                return MHD_CONTENT_READER_END_WITH_ERROR;
        if (len == 0 && request->ended)
                return request->ended_well ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
        if (len == 0) {
                http_request_suspend(request);
                return 0;
        }
        len = len < max ? len : max;
        memcpy(data, request->out.data + request->out_sent, len);
        request->out_sent += len;
        if (http_stream_pending(request) == 0) {
                buf_clear(&request->out);
                request->out_sent = 0;
                if (request->refused)
                        loop_defer_schedule(request->server->run);
        }
        return (ssize_t)len;
}

void http_server_stream_begin(struct http_server_request *request, int status, const char *content_type,
                              size_t max_buffer)
{
        request->stream = true;
        request->max_buffer = max_buffer;
        request->out = BUF_INIT(SIZE_MAX / 2); /* stream_write keeps the ceiling */
        http_request_answer(
                request, status, content_type,
                MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, on_stream_read, request, NULL));
        http_request_resume(request);
}

int http_server_stream_write(struct http_server_request *request, const void *data, size_t len)
{
        assert(request->stream && !request->ended);
        size_t pending = http_stream_pending(request);
        if (request->gone || len == 0)
                return 0; /* `closed` is on its way */
        if (pending > 0 && (len > request->max_buffer || pending > request->max_buffer - len)) {
                request->refused = true;
                return -EAGAIN;
        }
        if (request->out_sent > request->out.len / 2) {
                memmove(request->out.data, request->out.data + request->out_sent, pending);
                request->out.len = pending;
                request->out_sent = 0;
        }
        buf_add(&request->out, data, len);
        http_request_resume(request);
        return 0;
}

void http_server_stream_idle(struct http_server_request *request, usec_t idle)
{
        (void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                        (unsigned)(idle / USEC_PER_SEC));
}

void http_server_on_drained(struct http_server_request *request, http_server_drained_fn drained, void *userdata)
{
        request->drained = drained;
        request->drained_userdata = userdata;
}

void http_server_stream_end(struct http_server_request *request, bool ok)
{
        assert(request->stream && request->held);
        request->held = false;
        request->ended = true;
        request->ended_well = ok;
        http_request_resume(request);
}
