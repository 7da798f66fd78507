/* SPDX-License-Identifier: Apache-2.0
 *
 * The node's HTTPS port, as the configuration has it.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "kube/kubelet_config.h"
#include "node/agent_private.h"
#include "node/api_side.h"
#include "node/local_api.h"
#include "node/node_port.h"

static void answer(void *userdata, struct http_server_request *request)
{
        struct agent *agent = userdata;

        local_api_answer_port(agent->local, request);
}

static void opened(void *userdata, uint16_t port)
{
        struct agent *agent = userdata;

        api_side_port(agent->api, port);
}

int agent_port_new(struct agent *agent, struct err *err)
{
        const struct kubelet_config *c = agent->config->kubelet;
        const struct node_port_options options = {
                .address = c->address,
                .port = (uint16_t)c->port,
                .only_tls_1_3 = c->tls_1_3,
                .serving = {.cert_file = c->tls_cert_file,
                            .key_file = c->tls_private_key_file,
                            .cert_dir = c->cert_dir,
                            .host = agent->config->node_name,
                            .address = agent->node_ip},
                .access = {.node_name = agent->config->node_name,
                           .client_ca_file = c->client_ca_file,
                           .anonymous = c->anonymous_auth,
                           .tokens = c->token_webhook,
                           .always_allow = c->always_allow,
                           .token_ttl = c->token_ttl,
                           .authorized_ttl = c->authorized_ttl,
                           .unauthorized_ttl = c->unauthorized_ttl,
                           .api = api_side_client(agent->api)},
                .answer = answer,
                .opened = opened,
                .userdata = agent,
        };

        return c->enable_server ? node_port_new(agent->loop, &options, &agent->port, err) : 0;
}

char *agent_show_configz(void *userdata)
{
        const struct agent *agent = userdata;

        return xasprintf("{\"kubeletconfig\":%s}", agent->config->kubelet->effective_json);
}
