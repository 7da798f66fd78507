#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What rendering looks up on the host when the configuration does not say it: the host name, the address of the
 * default route's interface (apimachinery/pkg/util/net/interface.go), directories of CA certificates, sockets of
 * container runtimes, the proxy variables of the environment, whether systemd-resolved runs, the numbers of users. A
 * table of operations, so that facts can be given instead (host_facts.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "phase/address.h"

struct err;

struct host {
        /* The host's name as the kernel has it. Free *ret. 0 or -errno. */
        int (*name)(void *userdata, char **ret, struct err *err);
        /* The address that a bind address of "any" stands for: of an interface with a default route, IPv6 first where
         * prefer_v6. 0; 1: the host has no default route; negative: failed. */
        int (*default_address)(void *userdata, bool prefer_v6, struct ip_address *ret, struct err *err);
        /* A global unicast address on the loopback interface, IPv4 first. 0; 1: there is none. */
        int (*loopback_address)(void *userdata, struct ip_address *ret, struct err *err);
        /* Whether there is something at path, a directory of CA certificates. NULL: looked for below
         * phase_host_root. */
        bool (*has_path)(void *userdata, const char *path);
        /* Whether there is a socket at path; open: and somebody listens there. NULL: looked for below
         * phase_host_root. */
        bool (*has_socket)(void *userdata, const char *path, bool open);
        /* "NAME=value" each, ended by NULL; borrowed. NULL: the environment of this process. */
        char **(*environment)(void *userdata);
        /* Whether a service runs. NULL: the init system is asked. */
        bool (*service_active)(void *userdata, const char *name);
        /* The number of a user, or of a group, that a component runs as (rootless.h); -1: not known. NULL: looked up
         * below --rootfs. */
        int64_t (*system_id)(void *userdata, const char *name, bool group);
        void *userdata;
};

/* How long the name of a "NAME=value" is where it is one of the proxy variables, which end in _proxy in any case; else
 * 0. */
size_t host_proxy_variable(const char *variable);

/* The machine that the program runs on. */
extern const struct host host_real;
