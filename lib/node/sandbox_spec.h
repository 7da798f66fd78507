#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of POST /containers/create for a pod's sandbox: the pause container that holds its network and IPC
 * namespaces, as dockershim and cri-dockerd make it. Pure.
 */
struct err;
struct host;
struct pod;

/* JSON text; free it. */
int sandbox_spec(const struct host *host, const struct pod *pod, unsigned attempt, char **ret_body, struct err *err);
