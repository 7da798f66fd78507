#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Image references, as Docker reads them (distribution/reference): [REGISTRY/]PATH[:TAG][@DIGEST]. Pure; what no
 * reference can be is left for the daemon to refuse.
 */

struct docker_image_ref {
        char *repository; /* with the registry as written: "registry.k8s.io/pause" */
        char *tag;        /* "latest" where there is neither tag nor digest; "" with a digest alone */
        char *digest;     /* "sha256:...", "" without */
};

struct docker_image_ref docker_image_ref_split(const char *ref);
void docker_image_ref_release(struct docker_image_ref *ref);

/* The registry's host and port: "registry.k8s.io", "localhost:5000"; "docker.io" where none is written. Free it. */
char *docker_image_ref_registry(const char *ref);
