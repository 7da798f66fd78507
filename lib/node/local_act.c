/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/http_server.h"
#include "node/local_act.h"

static const struct act {
        const char *path;
        bool names_pod;
} acts[LOCAL_ACT_MAX] = {
        [LOCAL_ACT_RESTART] = {"/restart", true},
        [LOCAL_ACT_RETRY] = {"/retry", true},
        [LOCAL_ACT_DRAIN] = {"/drain", false},
        [LOCAL_ACT_RESUME] = {"/resume", false},
};

static bool find_act(const char *path, enum local_act_verb *ret)
{
        for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
                if (!str_eq(path, acts[i].path))
                        continue;
                *ret = (enum local_act_verb)i;
                return true;
        }
        return false;
}

static bool may_act(const struct http_server_request *request, struct http_server_peer *ret_peer)
{
        return http_server_peer(request, ret_peer) == 0 && (ret_peer->uid == 0 || ret_peer->uid == geteuid());
}

bool local_act(struct http_server_request *request, local_act_fn act, void *userdata)
{
        struct local_act_answer answer = {0};
        struct local_act_request asked = {0};
        struct http_server_peer peer = {0};

        if (!find_act(http_server_path(request), &asked.verb))
                return false;
        if (!str_eq(http_server_method(request), "POST")) {
                http_server_add_header(request, "Allow", "POST");
                http_server_replyf(request, 405, "%s takes POST", http_server_path(request));
                return true;
        }
        if (!may_act(request, &peer)) {
                http_server_replyf(request, 403, "%s is for root alone", http_server_path(request) + 1);
                return true;
        }
        asked.uid = peer.uid;
        asked.pod = http_server_query(request, "pod");
        asked.container = http_server_query(request, "container");
        if (acts[asked.verb].names_pod && str_empty(asked.pod)) {
                http_server_replyf(request, 400, "%s takes the parameter pod", http_server_path(request));
                return true;
        }
        act(userdata, &asked, &answer);
        http_server_replyf(request, answer.status, "%s", answer.text);
        free(answer.text);
        return true;
}
