#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The phase preflight of init (cmd/kubeadm/app/preflight/checks.go): kubeadm's checks of the host by their names, and
 * the images that the control plane needs. Without a kubelet in PATH, and where no kubeadm version was asked for, the
 * node agent is podwatch: then its service and Docker's socket are looked at in place of the kubelet and a CRI socket.
 *
 * With --rootfs only what is in that tree and in the configuration is looked at: the processors, ports, programs and
 * services of this machine say nothing about it.
 */
#include <stdbool.h>

#include "base/strv.h"
#include "phase/phase.h"
#include "phase/preflight_report.h"

struct err;

/* What needs a client of the container runtime. */
struct preflight_runtime {
        /* It answers. NULL: only its socket is tried. */
        int (*check)(void *userdata, struct err *err);
        /* Pulls image, where it is missing or `always`. NULL: nothing is pulled. */
        int (*pull)(void *userdata, struct phase *phase, const char *image, bool always, struct err *err);
        /* Asks an external etcd for its version; what is wrong with it is reported. NULL: it is not asked. */
        int (*external_etcd)(struct preflight_report *report, struct err *err);
        void *userdata;
};

struct preflight_options {
        const char *docker_socket; /* path of Docker's socket */
        struct preflight_runtime runtime;
};

/* Runs the checks, then pulls the images; a dry run says that it would. */
int phase_preflight(struct phase *phase, const struct preflight_options *options, struct err *err);

/* podwatch runs the pods of this host, not a kubelet. */
bool preflight_agent_is_podwatch(const struct phase *phase);

/* preflight_verify.c: SystemVerification, its table on standard output where it fails. docker: of Docker too.
 * cgroups_v1_fail: the kubelet does not run on cgroups v1 any more. */
#define PREFLIGHT_SYSTEM "SystemVerification"
void preflight_verify_system(struct preflight_report *report, bool docker, bool cgroups_v1_fail);
/* Whether a kernel is one of those that this era calls good. */
bool preflight_kernel_is_good(const struct phase *phase, const char *release);

/* preflight_docker.c: IsDockerSystemdCheck, where the era has it. */
void preflight_check_docker_driver(struct preflight_report *report);

/* preflight_host.c: checks of this machine */
void preflight_check_processors(struct preflight_report *report);
void preflight_check_memory(struct preflight_report *report);
/* address NULL or "": all of this machine's. */
void preflight_check_port(struct preflight_report *report, const char *address, int port);
void preflight_check_firewalld(struct preflight_report *report, int bind_port);
void preflight_check_swap(struct preflight_report *report);
void preflight_check_programs(struct preflight_report *report);
/* mandatory: without it in PATH it is an error, else a warning. */
void preflight_check_program(struct preflight_report *report, const char *program, bool mandatory);
/* active: it has to run. */
void preflight_check_service(struct preflight_report *report, const char *service, bool active);
void preflight_check_content(struct preflight_report *report, const char *path, const char *content);
void preflight_check_node_name(struct preflight_report *report, const char *name);
/* 0, or negative with "dial unix PATH: connect: ..." */
int preflight_try_socket(const char *path, struct err *err);

/* preflight_runtime.c: the kubelet's runtime, and podwatch's */
/* The runtime is Docker behind the kubelet's own dockershim. */
bool preflight_runtime_is_docker(const struct preflight_report *report);
/* What is told before all checks: that the runtime cannot be talked to, where it is no error. */
void preflight_open_runtime(const struct preflight_report *report);
void preflight_check_runtime(struct preflight_report *report);
void preflight_check_docker(struct preflight_report *report, const struct preflight_options *options);

/* preflight_system.c */
void preflight_check_system(struct preflight_report *report, bool kubelet);
void preflight_check_kubelet_version(struct preflight_report *report);

/* preflight_proxy.c: whether connections to the API server, to services and to pods would take a proxy */
void preflight_check_proxy(struct preflight_report *report, const char *address);
void preflight_check_proxy_subnet(struct preflight_report *report, const char *subnet);
