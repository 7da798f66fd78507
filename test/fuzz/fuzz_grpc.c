/* SPDX-License-Identifier: Apache-2.0
 *
 * The answer of a container to a gRPC health probe: two lines, grpc-status and grpc-message, and the bytes of the body.
 * Only one that says SERVING is healthy, and a person always gets a word of it. A first line of "?" is a request for
 * the service that the rest names.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "fuzz.h"
#include "node/probe_grpc.h"

#define OUTPUT_MAX (1 << 16)

/* What was framed is read as what it is: no answer, but a message of the right length. */
static void check_request(const char *service)
{
        struct buf out CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);
        const unsigned char *frame;

        probe_grpc_request(service, &out);
        frame = (const unsigned char *)buf_str(&out);
        MUST(out.len >= 5 && frame[0] == 0);
        MUST(((size_t)frame[1] << 24 | (size_t)frame[2] << 16 | (size_t)frame[3] << 8 | frame[4]) == out.len - 5);
        MUST(*service ? memcmp(frame + out.len - strlen(service), service, strlen(service)) == 0 : out.len == 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char serving[] = "\0\0\0\0\2\10\1";
        char *text CLEANUP_FREE = xstrndup((const char *)data, size), *rest = text;
        const char *status = strsep(&rest, "\n"), *message = rest ? strsep(&rest, "\n") : NULL;
        size_t skip = rest ? (size_t)(rest - text) : size;
        const char *body = (const char *)data + skip;
        struct buf out CLEANUP_BUF = BUF_INIT(OUTPUT_MAX), other CLEANUP_BUF = BUF_INIT(OUTPUT_MAX);

        if (strcmp(status, "?") == 0) {
                check_request(message ? message : "");
                return 0;
        }
        bool healthy = probe_grpc_answer(200, status, message, body, size - skip, &out);
        MUST(out.len > 0);
        MUST(!healthy || strcmp(buf_str(&out), "service healthy") == 0);
        /* Only the status of the call decides whether the body is looked at. */
        bool ok = probe_grpc_answer(200, status, message, serving, sizeof(serving) - 1, &other);
        MUST(!healthy || ok);
        MUST(!probe_grpc_answer(503, status, message, body, size - skip, &other));
        MUST(!probe_grpc_answer(200, NULL, message, body, size - skip, &other));
        return 0;
}
