#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The images that a configuration asks for, in the version of the chosen kubeadm.
 */
#include "base/strv.h"
#include "phase/phase.h"

/* Each is REPOSITORY/NAME:TAG; free it. component: "kube-apiserver", "kube-proxy" and so on. */
char *image_component(const struct phase *phase, const char *component);
char *image_etcd(const struct phase *phase);
char *image_pause(const struct phase *phase);
char *image_coredns(const struct phase *phase);
/* The tag of image_etcd alone, borrowed. */
const char *image_etcd_tag(const struct phase *phase);

/* Where the two images came from: repository and tag, one of them in `also`. */
struct value_place image_component_place(const struct phase *phase);
struct value_place image_etcd_place(const struct phase *phase);

/* What `config images list` prints, in the era's order. */
void images_list(const struct phase *phase, struct strv *ret);
