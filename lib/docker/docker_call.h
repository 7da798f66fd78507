#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of docker_http.h: what its operations are made of. An operation allocates a call (a struct that begins with
 * struct docker_call), sends a request, and gets its answer in a callback, where it either sends the next request of
 * the same call or ends it. Negotiation of the API version, cancelling and the life of calls are settled here.
 */
#include "docker/docker.h"
#include "net/curl_glue.h"

struct buf;
struct docker_call;
struct docker_http;
struct err;
struct loop;

/* The answer to the last request: err NULL means a status below 300, or 304. Called once for each docker_call_send. */
typedef void (*docker_answer_fn)(struct docker_call *call, const struct curl_glue_response *response,
                                 const struct err *err);

/* What the caller of an operation wants to be told by. */
union docker_done {
        docker_done_fn done;
        docker_version_fn version;
        docker_info_fn info;
        docker_list_fn list;
        docker_inspect_fn inspect;
        docker_create_fn create;
        docker_exec_fn exec;
        docker_image_fn image;
        docker_images_fn images;
};

struct docker_call {
        struct docker_http *http;
        struct docker_call *prev, *next;
        union docker_done done;
        void *userdata;
        docker_answer_fn answer; /* NULL while it or done runs */
        /* May be NULL: of a streamed answer, the head and each piece of the body. False ends the call. */
        void (*head)(struct docker_call *call);
        bool (*data)(struct docker_call *call, const char *data, size_t len);
        void (*release)(struct docker_call *call); /* of what the operation added to the struct; may be NULL */
        /* the request */
        const char *method; /* static */
        char *target;       /* "/containers/json?all=1", without the version */
        char *body;         /* JSON, owned; or one of the next two */
        const void *borrowed;
        int body_fd;
        size_t body_len;
        char *auth; /* X-Registry-Auth */
        usec_t deadline;
        bool unversioned;
        /* its way */
        struct curl_glue_call *transfer; /* NULL: waits for the version, or ended */
        unsigned waits_for;              /* number of that negotiation; 0: does not wait */
        bool cancelled;
        bool ended; /* its done runs */
};

/* How long a request may take in all. The kubelet gives its runtime 2 minutes (runtimeRequestTimeout). */
#define DOCKER_TIMEOUT_ASK (30 * USEC_PER_SEC)   /* what Docker answers from memory */
#define DOCKER_TIMEOUT_ACT (120 * USEC_PER_SEC)  /* what it has to do something for */
#define DOCKER_TIMEOUT_LOAD (600 * USEC_PER_SEC) /* what moves an image */

/* A new call of size bytes (at least those of struct docker_call), zeroed but for this. */
void *docker_call_new(struct docker *d, size_t size, union docker_done done, void *userdata);
/* Sends method and target (printf'ed by docker_target_*; taken). timeout: from now; USEC_INFINITY: none. */
void docker_call_send(struct docker_call *call, const char *method, char *target, usec_t timeout,
                      docker_answer_fn answer);
/* Takes the call out of everything before its done is called... */
void docker_call_end(struct docker_call *call);
/* ...and frees it afterwards. */
void docker_call_free(struct docker_call *call);
/* Both, around a done that gets no result. */
void docker_call_finish(struct docker_call *call, const struct err *err);
struct loop *docker_call_loop(const struct docker_call *call);
/* True when nothing may be called back any more. */
bool docker_call_muted(const struct docker_call *call);

/* "/containers/ID/start", with the id escaped; rest as printf of what is safe. Free it. */
char *docker_target_container(const char *id, const char *rest);
char *docker_target_image(const char *ref, const char *rest);

/* The operations, for the table in docker_http.c. */
struct docker_call *docker_op_version(struct docker *d, docker_version_fn done, void *userdata);
struct docker_call *docker_op_info(struct docker *d, docker_info_fn done, void *userdata);
struct docker_call *docker_op_list(struct docker *d, const char *label, docker_list_fn done, void *userdata);
struct docker_call *docker_op_inspect(struct docker *d, const char *id, docker_inspect_fn done, void *userdata);
struct docker_call *docker_op_create(struct docker *d, const char *name, const char *body, docker_create_fn done,
                                     void *userdata);
struct docker_call *docker_op_start(struct docker *d, const char *id, docker_done_fn done, void *userdata);
struct docker_call *docker_op_kill(struct docker *d, const char *id, const char *signal, docker_done_fn done,
                                   void *userdata);
struct docker_call *docker_op_remove(struct docker *d, const char *id, bool force, docker_done_fn done, void *userdata);
struct docker_call *docker_op_exec(struct docker *d, const char *id, const struct strv *argv, usec_t timeout,
                                   size_t max_output, docker_exec_fn done, void *userdata);
struct docker_call *docker_op_logs(struct docker *d, const struct docker_logs *request, void *userdata);
struct docker_call *docker_op_image_inspect(struct docker *d, const char *ref, docker_image_fn done, void *userdata);
struct docker_call *docker_op_image_list(struct docker *d, docker_images_fn done, void *userdata);
struct docker_call *docker_op_image_pull(struct docker *d, const char *ref, const char *auth,
                                         docker_progress_fn progress, docker_done_fn done, void *userdata);
struct docker_call *docker_op_image_load(struct docker *d, int fd, const void *data, size_t len, docker_done_fn done,
                                         void *userdata);
struct docker_call *docker_op_image_remove(struct docker *d, const char *ref, docker_done_fn done, void *userdata);
struct docker_call *docker_op_image_tag(struct docker *d, const char *id, const char *ref, docker_done_fn done,
                                        void *userdata);
struct docker_call *docker_op_events(struct docker *d, usec_t since, docker_done_fn connected, docker_event_fn event,
                                     docker_done_fn done, void *userdata);

/* Of docker_negotiate.c: what to speak with a daemon of this /version answer. *ret: "1.41"; free it. */
int docker_negotiate(const char *json, size_t len, char **ret_api_used, struct err *err);
/* -1, 0, 1 as "1.9" < "1.24"; -2 where one of them is no version. */
int docker_api_compare(const char *a, const char *b);

/* What became of /version, for docker_op_version. */
void docker_http_set_api(struct docker_http *http, const char *api_used);
