/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/pod.h"
#include "node/container_name.h"

/* Longest name of a file (NAME_MAX); the kubelet cuts links to it (pkg/kubelet/kuberuntime/legacy.go). */
#define LINK_NAME_MAX 255

char *container_name(const struct pod *pod, const char *container, unsigned attempt)
{
        return xasprintf("k8s_%s_%s_%s_%s_%u", container, pod->name, pod->namespace, pod->uid, attempt);
}

bool container_name_parse(const char *name, struct container_name_parts *ret)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        int attempt;

        strv_split(&parts, name, '_');
        /* Seven parts where Docker's name was taken and a random one was added (dockershim/naming.go). */
        if (parts.len != 6 && parts.len != 7)
                return false;
        if (!str_eq(parts.items[0], "k8s") || str_to_int(parts.items[5], 0, 1000000000, &attempt) < 0)
                return false;
        *ret = (struct container_name_parts){
                .container = xstrdup(parts.items[1]),
                .pod = xstrdup(parts.items[2]),
                .namespace = xstrdup(parts.items[3]),
                .uid = xstrdup(parts.items[4]),
                .attempt = (unsigned)attempt,
        };
        return true;
}

void container_name_release(struct container_name_parts *parts)
{
        free(parts->container);
        free(parts->pod);
        free(parts->namespace);
        free(parts->uid);
        *parts = (struct container_name_parts){0};
}

char *container_log_directory(const char *log_dir, const struct pod *pod)
{
        return xasprintf("%s/%s_%s_%s", log_dir, pod->namespace, pod->name, pod->uid);
}

char *container_log_path(const char *log_dir, const struct pod *pod, const char *container, unsigned attempt)
{
        char *directory CLEANUP_FREE = container_log_directory(log_dir, pod);

        return xasprintf("%s/%s/%u.log", directory, container, attempt);
}

char *container_log_link(const char *links_dir, const struct pod *pod, const char *container, const char *id)
{
        char *prefix CLEANUP_FREE = xasprintf("%s_%s_%s", pod->name, pod->namespace, container);
        size_t max = LINK_NAME_MAX - strlen(id) - sizeof("-.log") + 1;

        if (strlen(prefix) > max)
                prefix[max] = '\0';
        return xasprintf("%s/%s-%s.log", links_dir, prefix, id);
}
