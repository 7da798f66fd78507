#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The host that configurations are filled up from: a name, an address of each family, none on the loopback interface.
 */
#include "base/alloc.h"
#include "phase/address.h"
#include "phase/host.h"

static int host_name(void *userdata, char **ret, struct err *err)
{
        (void)userdata;
        (void)err;
        *ret = xstrdup("Node1");
        return 0;
}

static int host_address(void *userdata, bool prefer_v6, struct ip_address *ret, struct err *err)
{
        (void)userdata;
        (void)err;
        return ip_parse(prefer_v6 ? "2001:db8::10" : "192.0.2.10", ret);
}

static int host_loopback(void *userdata, struct ip_address *ret, struct err *err)
{
        (void)userdata;
        (void)ret;
        (void)err;
        return 1;
}

static const struct host host = {.name = host_name, .default_address = host_address, .loopback_address = host_loopback};
