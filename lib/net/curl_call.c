/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "net/curl_call.h"
#include "net/curl_identity.h"

#define CONNECT_TIMEOUT_MSEC 30000L
#define KEEPALIVE_IDLE_SEC 30L
#define KEEPALIVE_INTERVAL_SEC 15L
#define UPLOAD_BUFFER_BYTES (512L * 1024) /* for files; libcurl's default of 64 KiB wakes eight times as often */

/* ---- the answer ---- */

static int call_status(const struct curl_glue_call *call)
{
        long status = 0;
        (void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        return (int)status;
}

void curl_call_response(const struct curl_glue_call *call, struct curl_glue_response *ret)
{
        *ret = (struct curl_glue_response){
                .status = call->easy ? call_status(call) : 0,
                .body = buf_str(&call->body),
                .body_len = call->body.len,
                .truncated = call->truncated,
                .call = call,
        };
}

const char *curl_glue_header(const struct curl_glue_response *response, const char *name)
{
        struct curl_header *header = NULL;
        if (!response->call->easy)
                return NULL;
        if (curl_easy_header(response->call->easy, name, 0, CURLH_HEADER | CURLH_TRAILER, -1, &header) != CURLHE_OK)
                return NULL;
        return header->value;
}

static size_t on_header(char *data, size_t size, size_t count, void *userdata)
{
        struct curl_glue_call *call = userdata;
        size_t len = size * count;

        call->header_bytes += len;
        if (call->cancelled)
                return CURL_WRITEFUNC_ERROR;
        if (call->header_bytes > LIMIT_HTTP_HEADERS) {
                call->too_large = true;
                return CURL_WRITEFUNC_ERROR;
        }
        bool end = len <= 2 && (data[0] == '\r' || data[0] == '\n');
        int status = end ? call_status(call) : 0;
        if (!end || status < 200 || call->head_done) /* 1xx come before the answer, trailers behind it */
                return len;
        call->head_done = true;
        if (call->head) {
                struct curl_glue_response response;
                curl_call_response(call, &response);
                call->head(call->userdata, &response);
        }
        return call->cancelled ? CURL_WRITEFUNC_ERROR : len;
}

/* Keeps what fits below the ceiling. */
static size_t collect(struct curl_glue_call *call, const char *data, size_t len, size_t max, bool cut)
{
        size_t room = max - call->body.len;
        buf_add(&call->body, data, len < room ? len : room);
        if (len <= room && !call->body.failed)
                return len;
        call->truncated = cut;
        call->too_large = !cut;
        return CURL_WRITEFUNC_ERROR;
}

static size_t on_body(char *data, size_t size, size_t count, void *userdata)
{
        struct curl_glue_call *call = userdata;
        size_t len = size * count;

        if (call->cancelled)
                return CURL_WRITEFUNC_ERROR;
        if (!call->data)
                return collect(call, data, len, call->max_body, call->flags & CURL_GLUE_TRUNCATE);
        if (call_status(call) >= 400)
                return collect(call, data, len, LIMIT_HTTP_ERROR_BODY, true);
        call->data_bytes += len;
        if (call->max_body && call->data_bytes > call->max_body) {
                call->too_large = true;
                return CURL_WRITEFUNC_ERROR;
        }
        if (!call->data(call->userdata, data, len))
                call->cancelled = true;
        return call->cancelled ? CURL_WRITEFUNC_ERROR : len;
}

/* ---- the request ---- */

static size_t on_read_file(char *data, size_t size, size_t count, void *userdata)
{
        struct curl_glue_call *call = userdata;
        size_t want = size * count, left = call->body_len - call->body_sent;

        if (call->cancelled)
                return CURL_READFUNC_ABORT;
        ssize_t n = pread(call->body_fd, data, want < left ? want : left, (off_t)call->body_sent);
        if (n < 0 || (n == 0 && left > 0)) /* shorter than its owner said */
                return CURL_READFUNC_ABORT;
        call->body_sent += (size_t)n;
        return (size_t)n;
}

static int on_seek_file(void *userdata, curl_off_t offset, int origin)
{
        struct curl_glue_call *call = userdata;
        if (origin != SEEK_SET || offset < 0 || (size_t)offset > call->body_len)
                return CURL_SEEKFUNC_CANTSEEK;
        call->body_sent = (size_t)offset;
        return CURL_SEEKFUNC_OK;
}

/* libcurl's own sockets are not close-on-exec. */
static curl_socket_t on_open_socket(void *userdata, curlsocktype purpose, struct curl_sockaddr *address)
{
        (void)userdata;
        (void)purpose;
        return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool has_header(const struct curl_glue_request *request, const char *name)
{
        size_t len = strlen(name);
        for (const char *const *h = request->headers; h && *h; h++)
                if (strncasecmp(*h, name, len) == 0 && (*h)[len] == ':')
                        return true;
        return false;
}

static void add_header(struct curl_glue_call *call, const char *line)
{
        struct curl_slist *list = curl_slist_append(call->headers, line);
        if (!list)
                abort(); /* out of memory */
        call->headers = list;
}

static void set_headers(struct curl_glue_call *call, const struct curl_glue_request *request)
{
        for (const char *const *h = request->headers; h && *h; h++)
                add_header(call, *h);
        /* What libcurl would add to a request with a body: a wait of up to a second, and the type of a web form. */
        add_header(call, "Expect:");
        if (!has_header(request, "Content-Type"))
                add_header(call, "Content-Type:");
        /* HTTP/2 has no such header. */
        if (request->flags & CURL_GLUE_NO_REUSE && !(request->flags & CURL_GLUE_H2C) &&
            !has_header(request, "Connection"))
                add_header(call, "Connection: close");
}

/* First failure wins; r is sticky. */
#define SET(option, value) (r = r == CURLE_OK ? curl_easy_setopt(call->easy, option, value) : r)

static CURLcode set_body(struct curl_glue_call *call, const struct curl_glue_request *request, const char *method)
{
        CURLcode r = CURLE_OK;
        bool has_file = !request->body && request->body_fd > 0;
        bool has_body = request->body || has_file;

        if (!has_body && str_eq(method, "GET"))
                return SET(CURLOPT_HTTPGET, 1L);
        if (!has_body && str_eq(method, "HEAD"))
                return SET(CURLOPT_NOBODY, 1L);
        if (!has_body && str_eq(method, "DELETE"))
                return SET(CURLOPT_CUSTOMREQUEST, method);
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_CUSTOMREQUEST, method);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? request->body_len : 0));
        if (has_file) {
                call->body_fd = request->body_fd;
                call->body_len = request->body_len;
                SET(CURLOPT_READFUNCTION, on_read_file);
                SET(CURLOPT_READDATA, call);
                SET(CURLOPT_SEEKFUNCTION, on_seek_file);
                SET(CURLOPT_SEEKDATA, call);
                SET(CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER_BYTES);
        } else if (request->flags & CURL_GLUE_BORROW_BODY) {
                SET(CURLOPT_POSTFIELDS, request->body);
        } else {
                SET(CURLOPT_COPYPOSTFIELDS, request->body ? request->body : "");
        }
        return r;
}

static CURLcode set_tls(struct curl_glue_call *call)
{
        CURLcode r = CURLE_OK;
        const struct curl_glue_identity *identity = call->identity;
        const char *ca = identity ? curl_identity_ca_path(identity) : NULL;

        if (call->flags & CURL_GLUE_INSECURE) {
                SET(CURLOPT_SSL_VERIFYPEER, 0L);
                SET(CURLOPT_SSL_VERIFYHOST, 0L);
                ca = NULL;
        }
        if (ca || !(call->flags & CURL_GLUE_SYSTEM_CA) || call->flags & CURL_GLUE_INSECURE) {
                SET(CURLOPT_CAINFO, ca); /* without this the system's bundle is read for each new connection */
                SET(CURLOPT_CAPATH, NULL);
        }
        if (identity && curl_identity_cert_path(identity)) {
                SET(CURLOPT_SSLCERTTYPE, "PEM");
                SET(CURLOPT_SSLCERT, curl_identity_cert_path(identity));
        }
        if (identity && curl_identity_key_path(identity)) {
                SET(CURLOPT_SSLKEYTYPE, "PEM");
                SET(CURLOPT_SSLKEY, curl_identity_key_path(identity));
        }
        return r;
}

static CURLcode set_connection(struct curl_glue_call *call, const char *unix_socket, usec_t max_idle)
{
        CURLcode r = CURLE_OK;

        SET(CURLOPT_PROTOCOLS_STR, "http,https");
        SET(CURLOPT_PATH_AS_IS, 1L); /* "/../" goes to the server, whose business it is */
        SET(CURLOPT_NOSIGNAL, 1L);
        /* A call that ends while its name is looked up leaves that to libcurl's thread; otherwise libcurl waits for
         * the name server here, in the loop. */
        SET(CURLOPT_QUICK_EXIT, 1L);
        SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
        SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MSEC);
        if (max_idle)
                SET(CURLOPT_MAXAGE_CONN, (long)(max_idle / USEC_PER_SEC));
        if (unix_socket)
                SET(CURLOPT_UNIX_SOCKET_PATH, unix_socket);
        if (call->flags & CURL_GLUE_ENV_PROXY)
                SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
        else
                SET(CURLOPT_PROXY, "");
        if (call->flags & CURL_GLUE_HTTP1)
                SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        if (call->flags & CURL_GLUE_H2C)
                SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
        if (call->flags & CURL_GLUE_NO_REUSE) {
                SET(CURLOPT_FRESH_CONNECT, 1L);
                SET(CURLOPT_FORBID_REUSE, 1L);
        }
        if (call->flags & CURL_GLUE_STREAM) {
                SET(CURLOPT_TCP_KEEPALIVE, 1L);
                SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_SEC);
                SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_SEC);
        }
        return r;
}

static CURLcode set_answer(struct curl_glue_call *call)
{
        CURLcode r = CURLE_OK;

        SET(CURLOPT_HEADERFUNCTION, on_header);
        SET(CURLOPT_HEADERDATA, call);
        SET(CURLOPT_WRITEFUNCTION, on_body);
        SET(CURLOPT_WRITEDATA, call);
        SET(CURLOPT_ERRORBUFFER, call->curl_error);
        SET(CURLOPT_PRIVATE, call);
        return r;
}

static CURLcode set_deadline(struct curl_glue_call *call, usec_t deadline)
{
        CURLcode r = CURLE_OK;
        usec_t now = clock_boottime();

        if (deadline == 0 || deadline == USEC_INFINITY)
                return r;
        if (deadline <= now)
                return CURLE_OPERATION_TIMEDOUT;
        usec_t msec = (deadline - now + USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return SET(CURLOPT_TIMEOUT_MS, msec > INT_MAX ? (long)INT_MAX : (long)msec);
}

void curl_call_setup(struct curl_glue_call *call, const struct curl_glue_request *request, const char *user_agent)
{
        const char *method = request->method ? request->method : "GET";

        call->shown = xasprintf("%s %s", method, request->url);
        call->unix_socket = request->unix_socket ? xstrdup(request->unix_socket) : NULL;
        call->identity = curl_glue_identity_ref(request->identity);
        call->flags = request->flags;
        call->max_body = request->max_body;
        call->body_fd = -1;
        call->head = request->head;
        call->data = request->data;
        call->done = request->done;
        call->userdata = request->userdata;
        call->body = BUF_INIT(request->data ? LIMIT_HTTP_ERROR_BODY : request->max_body);
        set_headers(call, request);

        CURLcode r = CURLE_OK;
        if (!str_starts(request->url, "http://") && !str_starts(request->url, "https://"))
                r = CURLE_URL_MALFORMAT;
        SET(CURLOPT_URL, request->url);
        SET(CURLOPT_HTTPHEADER, call->headers);
        if (user_agent)
                SET(CURLOPT_USERAGENT, user_agent);
        if (r == CURLE_OK)
                r = set_answer(call);
        if (r == CURLE_OK)
                r = set_body(call, request, method);
        if (r == CURLE_OK)
                r = set_connection(call, request->unix_socket, request->max_idle);
        if (r == CURLE_OK)
                r = set_tls(call);
        if (r == CURLE_OK)
                r = set_deadline(call, request->deadline);
        if (r != CURLE_OK) {
                call->failure = xcalloc(1, sizeof(*call->failure));
                (void)curl_call_result(call, r, call->failure);
        }
}

void curl_call_free(struct curl_glue_call *call)
{
        curl_slist_free_all(call->headers);
        (void)curl_glue_identity_unref(call->identity);
        free(call->shown);
        free(call->unix_socket);
        buf_release(&call->body);
        free(call->failure);
        free(call);
}

/* ---- the result ---- */

static int connect_error(const struct curl_glue_call *call, struct err *err)
{
        long os_errno = 0;
        (void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
        if (os_errno == 0)
                os_errno = ECONNREFUSED;
        if (call->unix_socket)
                return err_set_errno(err, (int)os_errno, "%s: cannot connect to %s", call->shown, call->unix_socket);
        return err_set_errno(err, (int)os_errno, "%s: cannot connect", call->shown);
}

static const struct {
        CURLcode result;
        int code;
} result_codes[] = {
        {CURLE_URL_MALFORMAT, EINVAL},
        {CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH},
        {CURLE_COULDNT_RESOLVE_PROXY, EHOSTUNREACH},
        {CURLE_OPERATION_TIMEDOUT, ETIMEDOUT},
        {CURLE_OUT_OF_MEMORY, ENOMEM},
        {CURLE_GOT_NOTHING, ECONNRESET},
        {CURLE_RECV_ERROR, ECONNRESET},
        {CURLE_SEND_ERROR, ECONNRESET},
        {CURLE_PARTIAL_FILE, ECONNRESET},
        {CURLE_HTTP2, ECONNRESET},
        {CURLE_HTTP2_STREAM, ECONNRESET},
        {CURLE_READ_ERROR, EIO},
        {CURLE_ABORTED_BY_CALLBACK, EIO}, /* the file to send was shorter than its owner said */
};

int curl_call_result(const struct curl_glue_call *call, CURLcode result, struct err *err)
{
        if (call->cancelled)
                return err_set(err, ECANCELED, "%s: cancelled", call->shown);
        if (call->too_large && call->header_bytes > LIMIT_HTTP_HEADERS)
                return err_set(err, ERR_LIMIT, "%s: headers larger than %d bytes", call->shown, LIMIT_HTTP_HEADERS);
        if (call->too_large)
                return err_set(err, ERR_LIMIT, "%s: answer larger than %zu bytes", call->shown, call->max_body);
        /* libcurl 7.88 can call a transfer done whose stream ended before its answer; the status is then one of an
         * earlier transfer of the same handle. */
        if (result == CURLE_OK && !call->head_done)
                return err_set(err, ECONNRESET, "%s: the connection ended without an answer", call->shown);
        if (result == CURLE_OK || call->truncated)
                return 0;
        if (result == CURLE_COULDNT_CONNECT)
                return connect_error(call, err);
        int code = ERR_PROTOCOL;
        for (size_t i = 0; i < ARRAY_SIZE(result_codes); i++)
                if (result_codes[i].result == result)
                        code = result_codes[i].code;
        const char *text = call->curl_error[0] ? call->curl_error : curl_easy_strerror(result);
        return err_set(err, code, "%s: %s", call->shown, text);
}
