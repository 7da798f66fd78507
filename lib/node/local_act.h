#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of people to a running podwatch, over its unix socket:
 *
 *      POST /restart?pod=POD[&container=NAME]   restart one container or all of the pod's
 *      POST /retry?pod=POD[&container=NAME]     go on now with what waits for time alone
 *
 *      POST /drain                              stop all pods in the reverse of their start order; 202 with the names
 *                                               of those that still run, 200 once none does
 *      POST /resume                             the end of that
 *
 * Answers are lines of text: 200 done, 403 not allowed, 404 no such pod or container, 409 not now.
 *
 * Whoever may open the socket may look. What changes something is for root and the user whom podwatch runs as, by what
 * the kernel says of the peer: a group that may read status should not be able to end etcd.
 */
#include <stdbool.h>

struct http_server_request;

enum local_act_verb { LOCAL_ACT_RESTART, LOCAL_ACT_RETRY, LOCAL_ACT_DRAIN, LOCAL_ACT_RESUME, LOCAL_ACT_MAX };

struct local_act_request {
        enum local_act_verb verb;
        const char *pod;       /* as given; never NULL where the verb takes one */
        const char *container; /* NULL: all */
        unsigned uid;          /* of who asks */
};

struct local_act_answer {
        int status;
        char *text; /* one line, without a newline; taken */
};

typedef void (*local_act_fn)(void *userdata, const struct local_act_request *request, struct local_act_answer *ret);

/* True: the request was one of these and is answered, be it by a refusal. */
bool local_act(struct http_server_request *request, local_act_fn act, void *userdata);
