#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this machine lets dockerd give a container a negative oom_score_adj, told before the first one fails over it:
 * lowering a score takes CAP_SYS_RESOURCE, which small virtual machines and containers may not have.
 */

/* Asks the kernel who listens on Docker's unix socket and what it may do. 1: it may not; 0: it may; -1: cannot be told
 * (TCP, another PID namespace). docker_host as in docker_http_new. */
int oom_score_refused(const char *docker_host);

/* The same of one process, from the text of its /proc/PID/status. Pure. */
int oom_score_refused_by_status(const char *status);
