#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Where log shippers look: /var/log/pods/<ns>_<pod>_<uid>/<container>/<attempt>.log leads to the file that Docker
 * writes, and /var/log/containers/<pod>_<ns>_<container>-<id>.log leads to the former
 * (pkg/kubelet/dockershim/docker_legacy_service.go, pkg/kubelet/kuberuntime/legacy.go).
 */
struct err;
struct host;
struct pod;

/* log_path: of Docker, "" with log drivers that write no file (nothing is made then). */
int log_links_make(const struct host *host, const struct pod *pod, const char *container, unsigned attempt,
                   const char *id, const char *log_path, struct err *err);
/* The container is gone: takes away its link in /var/log/containers, and in the pod's directory those that lead nowhere
 * by now. pod may be NULL. */
void log_links_remove(const struct host *host, const struct pod *pod, const char *id);
/* The pod is gone: its directory, and links that led there. */
int log_links_cleanup(const struct host *host, const struct pod *pod, struct err *err);
/* Links in /var/log/containers that led to a pod's directory and lead nowhere. */
void log_links_leftovers(const struct host *host);
