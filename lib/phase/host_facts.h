#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What rendering reads of a host, as a file: `genphase host-facts` prints it on one host, --host-facts takes it on any
 * other, and the same bytes come out. It holds everything that struct host asks for:
 *
 *      apiVersion: genphase/v1
 *      kind: HostFacts
 *      nodeName: node1                 # the kernel's host name
 *      defaultAddress: 192.0.2.10      # of the default route's interface; null: no default route
 *      defaultAddressIPv6: fd00::10    # the same where an IPv6 address is preferred
 *      loopbackAddress: null           # a global address on the loopback interface
 *      caDirectories: [/etc/ssl/...]   # those that exist
 *      criSockets: [/run/...]          # those of known container runtimes that are there
 *      openCRISockets: [/run/...]      # those at which somebody listens
 *      proxyVariables: [{name: HTTPS_PROXY, value: "..."}]    # in the order of the environment
 *      activeServices: [systemd-resolved]
 *      controlPlaneIDs: {users: {kubeadm-etcd: 100, ...}, groups: {...}}    # of RootlessControlPlane; null: not known
 */
#include "phase/host.h"
#include "phase/phase.h"

struct buf;
struct err;

struct host_facts;

/* Reads a file of facts. All fields but the last are needed, unknown ones are errors: facts that are silently wrong
 * would show only in what is rendered. */
int host_facts_load(const char *file, struct host_facts **ret, struct err *err);
struct host_facts *host_facts_free(struct host_facts *facts);
/* The table for phase_options.host; lives as long as facts. */
const struct host *host_facts_host(const struct host_facts *facts);

/* Looks them up as rendering would (options.host, options.rootfs) and appends the file to out. The phase was opened
 * with no_config. */
int host_facts_write(struct phase *phase, struct buf *out, struct err *err);
