#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the makers of Docker bodies, volumes and status need to know of this machine and its configuration. Plain data,
 * filled by the agent from the configuration and from Docker's own answers; whoever gets it borrows it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"
#include "kube/pod.h"

struct config_objects;

struct host {
        const char *node_name;   /* lower case */
        const char *node_ip;     /* status.hostIP, "" while unknown */
        const char *root_dir;    /* /var/lib/kubelet: pods/<uid>/... */
        const char *log_dir;     /* /var/log/pods */
        const char *links_dir;   /* /var/log/containers */
        const char *pause_image; /* what the sandbox runs */

        /* Docker */
        bool cgroup_systemd;     /* its driver: slices instead of paths */
        int cgroup_version;      /* 1 or 2 */
        bool refuses_oom_score;  /* a negative oom_score_adj cannot be set on this machine */
        int docker_api_minor;    /* of the negotiated version 1.N */
        const char *docker_root; /* DockerRootDir, "" while unknown */

        /* kubelet configuration */
        bool cgroups_per_qos;     /* false: no pod cgroups, Docker's own parent */
        const char *cgroup_mount; /* /sys/fs/cgroup */
        const char *cgroup_root;  /* "/" or a path below which kubepods is made */
        bool cpu_cfs_quota;
        bool seccomp_default;                  /* unset profile means RuntimeDefault */
        int64_t pod_pids_limit;                /* -1: none */
        int64_t memory_capacity;               /* bytes */
        int64_t cpu_milli;                     /* capacity */
        int64_t allocatable[POD_RESOURCE_MAX]; /* what pods may have: thousandths of a CPU, bytes, bytes; -1: unknown */
        bool has_app_armor;                    /* the kernel and Docker enforce its profiles */
        const char *network_mode;              /* of sandboxes without hostNetwork: "default" is Docker's bridge */

        const struct config_objects *configs; /* of the manifest directory; NULL: none */

        /* DNS: clusterDNS and clusterDomain, and what the node's own resolv.conf says */
        struct strv cluster_dns;
        const char *cluster_domain; /* "" without */
        struct strv dns_servers, dns_searches, dns_options;
};
