/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker_image_ref.h"

struct docker_image_ref docker_image_ref_split(const char *ref)
{
        struct docker_image_ref parts;
        const char *at = strchr(ref, '@');
        size_t len = at ? (size_t)(at - ref) : strlen(ref);
        const char *slash = memrchr(ref, '/', len);
        /* A colon before the last slash is the registry's port. */
        const char *from = slash ? slash : ref, *colon = memchr(from, ':', len - (size_t)(from - ref));

        parts.digest = xstrdup(at ? at + 1 : "");
        if (colon)
                parts.tag = xstrndup(colon + 1, len - (size_t)(colon + 1 - ref));
        else
                parts.tag = xstrdup(at ? "" : "latest");
        parts.repository = xstrndup(ref, colon ? (size_t)(colon - ref) : len);
        return parts;
}

void docker_image_ref_release(struct docker_image_ref *ref)
{
        free(ref->repository);
        free(ref->tag);
        free(ref->digest);
        *ref = (struct docker_image_ref){0};
}

char *docker_image_ref_registry(const char *ref)
{
        size_t len = strcspn(ref, "/");
        char *first CLEANUP_FREE = xstrndup(ref, len);
        bool is_host = ref[len] == '/' && (strpbrk(first, ".:") || str_eq(first, "localhost"));
        if (!is_host || str_eq(first, "index.docker.io"))
                return xstrdup("docker.io");
        return TAKE_PTR(first);
}
