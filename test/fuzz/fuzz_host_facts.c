/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of host facts. What is taken answers every question of struct host, the same each time.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "fuzz.h"
#include "phase/address.h"
#include "phase/host.h"
#include "phase/host_facts.h"
#include "scratch.h"

static void check_address(int (*ask)(void *userdata, bool v6, struct ip_address *ret, struct err *err), void *userdata,
                          bool v6)
{
        struct ip_address first = {0}, second = {0};
        int r = ask(userdata, v6, &first, NULL);

        MUST((r == 0 || r == 1) && ask(userdata, v6, &second, NULL) == r);
        MUST(memcmp(&first, &second, sizeof(first)) == 0);
}

/* Facts that are printed by a host that has them are taken again. */
static void check_written(const struct host *host)
{
        const struct phase_options options = {
                .no_config = true, .quiet = true, .host = host, .out = stdout, .log = stderr};
        char *path CLEANUP_FREE = xasprintf("%s/again.yaml", scratch());
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct phase *phase CLEANUP_PHASE = NULL;
        struct host_facts *again = NULL;

        MUST(phase_open(&options, &phase, NULL) == 0 && host_facts_write(phase, &text, NULL) == 0);
        MUST(scratch_write("again.yaml", buf_str(&text), text.len));
        MUST(host_facts_load(path, &again, NULL) == 0);
        host_facts_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *path CLEANUP_FREE = xasprintf("%s/facts.yaml", scratch()), *name CLEANUP_FREE = NULL;
        struct host_facts *facts = NULL;
        struct ip_address loopback;
        struct err err = ERR_INIT;

        MUST(scratch_write("facts.yaml", data, size));
        int r = host_facts_load(path, &facts, &err);
        MUST((r == 0) == (facts != NULL) && (r < 0) == (err.code != 0));
        if (!facts)
                return 0;
        const struct host *host = host_facts_host(facts);
        MUST(host->name(host->userdata, &name, NULL) == 0 && *name);
        check_address(host->default_address, host->userdata, false);
        check_address(host->default_address, host->userdata, true);
        MUST((r = host->loopback_address(host->userdata, &loopback, NULL)) == 0 || r == 1);
        (void)host->has_path(host->userdata, "/etc/ssl/certs");
        (void)host->has_socket(host->userdata, "/var/run/containerd/containerd.sock", false);
        (void)host->has_socket(host->userdata, "/var/run/containerd/containerd.sock", true);
        for (char **v = host->environment(host->userdata); *v; v++)
                MUST(strchr(*v, '='));
        (void)host->service_active(host->userdata, "systemd-resolved");
        (void)host->system_id(host->userdata, "kubeadm-etcd", false);
        check_written(host);
        host_facts_free(facts);
        return 0;
}
