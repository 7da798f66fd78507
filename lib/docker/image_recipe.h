#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes into the image of a control-plane component that is made from local binaries: the program in
 * /usr/local/bin, CA certificates, a passwd file, and for kube-proxy the packet filter's tools of this machine with all
 * that they load.
 */
#include "docker/image_tar.h"

struct err;

/* Component of an image reference: "kube-apiserver" of "registry.k8s.io/kube-apiserver:v1.36.3". Free it. */
char *image_recipe_component(const char *ref);

/* Fills files and config (its names excepted) for the component, from the binaries in dir. A program that is not static
 * gets its libraries. 0; 1: dir has no such program (the image of `pause` can be made without). Errors name the file,
 * or the package that is missing. Release files and config also after a failure. */
int image_recipe(const char *component, const char *dir, struct image_files *files, struct image_config *config,
                 struct err *err);
