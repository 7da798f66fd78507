#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether this machine lets dockerd give a container a negative oom_score_adj, told before the first one fails over it:
 * lowering a score takes CAP_SYS_RESOURCE, which small virtual machines and containers may not have.
 */
#include <stdbool.h>

/* Asks the kernel who listens on Docker's unix socket and what it may do. 1: it may not; 0: it may; -1: cannot be told
 * (TCP, another PID namespace). docker_host as in docker_http_new. */
int oom_score_refused(const char *docker_host);

/* Whether a start that failed in runc's words for a refused score failed over it; runc up to 1.1 has the same words for
 * an init that dies of anything else, such as too little memory. refused: what oom_score_refused says now. Where it
 * cannot tell, a sandbox counts: each asks for a negative score, and before any container of its pod. Pure. */
bool oom_score_blamed(int refused, bool sandbox, bool named);

/* What oom_score_refused says of one process, from the text of its /proc/PID/status. Pure. */
int oom_score_refused_by_status(const char *status);
