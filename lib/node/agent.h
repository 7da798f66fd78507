#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The manager of podwatch: owns the loop and everything on it, and joins the parts. Sources say what is wanted, the
 * observer what is there; both mark pods in the store, which decides (pod_step) and hands actions to the executor; what
 * comes of it goes to status, events and the API side. Nothing here decides about a pod.
 *
 * It starts before Docker, the kubeconfig and the API server are there, says what it waits for, and leaves containers
 * alone when it ends.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/strv.h"
#include "node/image_gc.h"

struct agent;
struct err;
struct kubelet_config;

/* What `podwatch run` was told, by flags and configuration; all strings set. Borrowed for the agent's life. */
struct agent_config {
        const char *node_name;     /* lower case */
        const char *node_ip;       /* "": found */
        const char *manifest_path; /* directory or file; "": no static pods */
        const char *root_dir;      /* /var/lib/kubelet */
        const char *state_dir;     /* /var/lib/podwatch */
        const char *run_dir;       /* /run/podwatch: socket and lock */
        const char *socket_group;  /* NULL: root alone */
        const char *log_dir;       /* /var/log/pods */
        const char *links_dir;     /* /var/log/containers */
        const char *docker_host;   /* NULL: DOCKER_HOST, else the default socket */
        const char *kubeconfig;    /* NULL: standalone */
        const char *pause_image;
        const char *network_mode; /* of Docker, for pods without hostNetwork */
        const char *healthz_address;
        int healthz_port;   /* 0: none */
        int read_only_port; /* 0: none */
        const char *read_only_address;
        const struct kubelet_config *kubelet; /* what has no field here is taken from it; the same as all of this */
        usec_t scan_interval;
        bool each_removal; /* a file that is removed ends its pod, be it there again at once */
        bool strict;
        bool cgroups_per_qos;
        const char *cgroup_root;
        bool cpu_cfs_quota;
        bool seccomp_default;
        int64_t pod_pids_limit;
        int max_pods;
        bool unschedulable;
        struct strv allowed_sysctls; /* beside the safe ones */
        struct image_gc_policy image_gc;
        struct strv cluster_dns;
        const char *cluster_domain;
        const char *resolv_conf; /* the node's; "": pods get an empty one */
        struct strv node_labels; /* key=value */
        usec_t backoff_max;      /* 0: the default */
        int64_t journal_bytes;   /* all segments together */
        unsigned revisions_kept; /* 0: the default */
        unsigned removed_kept;   /* pods that are gone of which versions are kept */
        usec_t revert_after;     /* trial of new versions of every pod, 0: none */
        int lease_seconds;
        usec_t status_interval, report_interval;
};

/* Refuses with what is wrong: another podwatch or a kubelet runs on this node, a port is taken. */
int agent_new(const struct agent_config *config, struct agent **ret, struct err *err);
struct agent *agent_free(struct agent *agent); /* takes NULL, returns NULL */
/* Runs until SIGTERM or SIGINT; the exit code in ret_code. */
int agent_run(struct agent *agent, int *ret_code, struct err *err);
