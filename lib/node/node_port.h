#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The node's HTTPS port (10250): TLS, who may ask (port_access.h), and then what local_api.h answers. There is no
 * listener without something to check callers by, and none before there is a certificate to show; both are told once
 * and in `podwatch status`. The certificate and its key are looked at again every minute, so that one that was renewed
 * is shown without a restart.
 */
#include <stdint.h>

#include "node/port_access.h"
#include "node/serving_cert.h"

struct cJSON;
struct err;
struct loop;
struct node_port;

struct node_port_options {
        const char *address; /* numeric */
        uint16_t port;
        bool only_tls_1_3;
        struct serving_cert_options serving;
        struct port_access_options access;
        /* Answers a request that may be answered. */
        port_granted_fn answer;
        /* The port is open now, and stays so. */
        void (*opened)(void *userdata, uint16_t port);
        void *userdata;
};

/* Strings are borrowed for life. Only a port that somebody else has is an error. */
int node_port_new(struct loop *loop, const struct node_port_options *options, struct node_port **ret, struct err *err);
struct node_port *node_port_free(struct node_port *port); /* takes NULL, returns NULL */

/* {"address","port","open":bool,"why":TEXT}; the caller frees it. */
struct cJSON *node_port_status(const struct node_port *port);
