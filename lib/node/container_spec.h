#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of POST /containers/create for a container of a pod: field by field what dockershim and cri-dockerd send
 * (pkg/kubelet/kuberuntime/kuberuntime_container*.go, dockershim/docker_container.go). Pure: files that must be looked
 * at (volumes, the seccomp profile) come in as arguments.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;
struct err;
struct host;
struct pod;
struct pod_container;
struct pod_security;

/* One bind mount, resolved by volume.h. */
struct spec_mount {
        const char *host_path, *container_path;
        bool read_only;
        const char *propagation; /* "rprivate", "rslave", "rshared" */
};

struct container_spec_input {
        const struct host *host;
        const struct pod *pod;
        const struct pod_container *container;
        unsigned attempt;
        const char *sandbox_id;
        const char *pod_ip;              /* "" while unknown */
        const char *image_id;            /* sha256:..., what the container is made of */
        const char *image_user;          /* Config.User of the image, "" without */
        const char *seccomp_profile;     /* JSON of a Localhost profile, NULL otherwise */
        const struct spec_mount *mounts; /* volumes, hosts file and termination message file */
        size_t mount_count;
};

/* JSON text; free it. Errors are the user's to mend (CreateContainerConfigError). */
int container_spec(const struct container_spec_input *in, char **ret_body, struct err *err);

/* Shared with sandbox_spec.c. Integers are written exactly, whatever their size. */
void spec_add_string(struct cJSON *object, const char *key, const char *value);
void spec_add_int(struct cJSON *object, const char *key, int64_t value);
void spec_add_identity(struct cJSON *labels, const struct pod *pod, const char *container, const char *type);
void spec_add_attempt(struct cJSON *labels, unsigned attempt);
void spec_add_restart_never(struct cJSON *host_config);
void spec_add_groups(struct cJSON *host_config, const struct pod *pod);
void spec_add_selinux(struct cJSON *options, const struct pod_security *security);
/* "uid[:gid]"; image_user stands where no user is set. */
void spec_user_text(const struct pod_security *security, const char *image_user, char *ret_text, size_t size);
/* Consumes body. */
int spec_print(struct cJSON *body, char **ret_text, struct err *err);
