#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and labels that containers carry in Docker, and the paths of their logs: those of dockershim and cri-dockerd
 * (pkg/kubelet/dockershim/naming.go, pkg/kubelet/kuberuntime/labels.go), so that log shippers, cAdvisor and habits
 * keep working.
 */
#include <stdbool.h>
#include <stddef.h>

#define LABEL_POD_NAME "io.kubernetes.pod.name"
#define LABEL_POD_NAMESPACE "io.kubernetes.pod.namespace"
#define LABEL_POD_UID "io.kubernetes.pod.uid"
#define LABEL_CONTAINER_NAME "io.kubernetes.container.name"
#define LABEL_TYPE "io.kubernetes.docker.type"
#define LABEL_TYPE_SANDBOX "podsandbox"
#define LABEL_TYPE_CONTAINER "container"
#define LABEL_SANDBOX_ID "io.kubernetes.sandbox.id"
#define LABEL_LOG_PATH "io.kubernetes.container.logpath"
#define LABEL_ANNOTATION "annotation." /* in front of what CRI calls annotations */
#define LABEL_HASH LABEL_ANNOTATION "io.kubernetes.container.hash"
#define LABEL_RESTART_COUNT LABEL_ANNOTATION "io.kubernetes.container.restartCount"
#define LABEL_MESSAGE_PATH LABEL_ANNOTATION "io.kubernetes.container.terminationMessagePath"
#define LABEL_MESSAGE_POLICY LABEL_ANNOTATION "io.kubernetes.container.terminationMessagePolicy"
#define LABEL_PRE_STOP LABEL_ANNOTATION "io.kubernetes.container.preStopHandler"
#define LABEL_PORTS LABEL_ANNOTATION "io.kubernetes.container.ports"
#define LABEL_POD_GRACE LABEL_ANNOTATION "io.kubernetes.pod.terminationGracePeriod"

#define SANDBOX_CONTAINER_NAME "POD"

struct pod;

/* k8s_<container>_<pod>_<namespace>_<uid>_<attempt>; the container of a sandbox is "POD". Free it. */
char *container_name(const struct pod *pod, const char *container, unsigned attempt);

/* The parts of such a name; false where it is none. Free what is in it by container_name_release. */
struct container_name_parts {
        char *container, *pod, *namespace, *uid;
        unsigned attempt;
};
bool container_name_parse(const char *name, struct container_name_parts *ret);
void container_name_release(struct container_name_parts *parts);

/* <log_dir>/<namespace>_<pod>_<uid>. Free it. */
char *container_log_directory(const char *log_dir, const struct pod *pod);
/* <log directory>/<container>/<attempt>.log. Free it. */
char *container_log_path(const char *log_dir, const struct pod *pod, const char *container, unsigned attempt);
/* <links_dir>/<pod>_<namespace>_<container>-<id>.log, the name cut to 255 bytes before ".log" as the kubelet does. Free
 * it. */
char *container_log_link(const char *links_dir, const struct pod *pod, const char *container, const char *id);
