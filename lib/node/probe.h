#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * One probe or lifecycle hook carried out: HTTP(S) by curl_glue without a CA bundle (any certificate is taken, as the
 * kubelet does), gRPC by its health protocol over the same, TCP by a non-blocking connect on the loop, exec through
 * Docker. When it runs and what its outcome
 * means is pod_step's business (pkg/probe/{http,tcp,exec,grpc}).
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "kube/pod.h"

struct curl_glue;
struct docker;
struct loop;
struct probe;
struct probes;

/* glue is borrowed; Docker may be NULL (then exec fails with an error). */
struct probes *probes_new(struct loop *loop, struct curl_glue *glue, struct docker *docker);
struct probes *probes_free(struct probes *probes); /* what is under way ends without `done`; takes NULL */

struct probe_result {
        bool success;
        bool error;         /* it could not be carried out at all (Docker away): says nothing of the container */
        bool warning;       /* success with something to tell: a redirect to another host */
        const char *output; /* for a person, cut at LIMIT_PROBE_OUTPUT; "" without */
};
typedef void (*probe_done_fn)(void *userdata, const struct probe_result *result);

struct probe_request {
        const struct pod_handler *handler;     /* EXEC, HTTP_GET, TCP_SOCKET, GRPC; borrowed until done */
        const struct pod_container *container; /* for named ports; borrowed until done */
        const char *container_id;              /* exec */
        const char *address;                   /* of the pod: where the handler names no host */
        usec_t timeout;
        bool any_status; /* http: an answer is success whatever it says (a hook; pkg/kubelet/lifecycle/handlers.go) */
};

/* Nothing is called back before it returned; done is called once, unless cancelled. Never NULL. */
struct probe *probe_start(struct probes *probes, const struct probe_request *request, probe_done_fn done,
                          void *userdata);
void probe_cancel(struct probe *probe); /* done is not called any more */
