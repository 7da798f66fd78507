/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "node/probe_grpc.h"

/* A message: one byte whether it is compressed, four of its length, most significant first. */
#define FRAME_BYTES 5
/* Field 1 of both messages: the service's name (length-delimited), and the status (a varint). */
#define TAG_SERVICE 0x0a
#define TAG_STATUS 0x08
#define SERVING 1
#define STATUS_UNIMPLEMENTED 12

static void add_varint(struct buf *out, size_t n)
{
        for (; n >= 0x80; n >>= 7)
                buf_addch(out, (char)(n | 0x80));
        buf_addch(out, (char)n);
}

static size_t varint_size(size_t n)
{
        size_t size = 1;

        for (; n >= 0x80; n >>= 7)
                size++;
        return size;
}

void probe_grpc_request(const char *service, struct buf *out)
{
        size_t name = service ? strlen(service) : 0;
        size_t len = name ? 1 + varint_size(name) + name : 0;

        buf_addch(out, 0);
        for (int shift = 24; shift >= 0; shift -= 8)
                buf_addch(out, (char)(len >> shift & 0xff));
        if (!name)
                return;
        buf_addch(out, TAG_SERVICE);
        add_varint(out, name);
        buf_add(out, service, name);
}

/* False: it ends too early, or is longer than 64 bits. */
static bool take_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
        *ret = 0;
        for (int shift = 0; *at < end && shift < 64; shift += 7) {
                uint8_t byte = *(*at)++;

                *ret |= (uint64_t)(byte & 0x7f) << shift;
                if (!(byte & 0x80))
                        return true;
        }
        return false;
}

/* Over one field that is not wanted, by its wire type. */
static bool skip_field(const uint8_t **at, const uint8_t *end, unsigned type)
{
        uint64_t n = 0;

        if (type == 0)
                return take_varint(at, end, &n);
        if (type == 1 || type == 5)
                n = type == 1 ? 8 : 4;
        else if (type != 2 || !take_varint(at, end, &n))
                return false;
        if (n > (uint64_t)(end - *at))
                return false;
        *at += n;
        return true;
}

/* The status of a HealthCheckResponse, 0 (UNKNOWN) where it is left out; false: it is none. */
static bool read_status(const char *body, size_t len, uint64_t *ret)
{
        const uint8_t *at = (const uint8_t *)body, *end = at + len;
        size_t size = 0;

        *ret = 0;
        if (len < FRAME_BYTES || *at++ != 0)
                return false;
        for (int i = 1; i < FRAME_BYTES; i++)
                size = size << 8 | *at++;
        if (size > (size_t)(end - at))
                return false;
        end = at + size;
        while (at < end) {
                uint64_t tag;

                if (!take_varint(&at, end, &tag))
                        return false;
                if (tag == TAG_STATUS ? !take_varint(&at, end, ret) : !skip_field(&at, end, (unsigned)(tag & 7)))
                        return false;
        }
        return true;
}

static const char *status_name(uint64_t status)
{
        static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

        return status < sizeof(names) / sizeof(names[0]) ? names[status] : "?";
}

bool probe_grpc_answer(int http_status, const char *grpc_status, const char *grpc_message, const char *body, size_t len,
                       struct buf *output)
{
        uint64_t status;
        int code = -1;

        if (http_status != 200) {
                buf_addf(output, "error: health rpc probe failed: the server answers with HTTP status %d", http_status);
                return false;
        }
        if (!grpc_status || str_to_int(grpc_status, 0, 1000, &code) < 0) {
                buf_addstr(output, "error: health rpc probe failed: the answer is not one of gRPC");
                return false;
        }
        if (code == STATUS_UNIMPLEMENTED) {
                buf_addf(output,
                         "error: this server does not implement the grpc health protocol (grpc.health.v1.Health): %s",
                         grpc_message ? grpc_message : "");
                return false;
        }
        if (code != 0) {
                buf_addf(output, "error: health rpc probe failed: code = %d desc = %s", code,
                         grpc_message ? grpc_message : "");
                return false;
        }
        if (!read_status(body, len, &status)) {
                buf_addstr(output, "error: health rpc probe failed: the answer is no HealthCheckResponse");
                return false;
        }
        if (status != SERVING) {
                buf_addf(output, "service unhealthy (responded with \"%s\")", status_name(status));
                return false;
        }
        buf_addstr(output, "service healthy");
        return true;
}
