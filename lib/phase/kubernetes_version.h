#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The Kubernetes version of a configuration: a version, or a label ("stable-1", "latest-1.36") that kubeadm looks up in
 * the network and that stands for the kubeadm's own version here, as it does there without a network.
 */
#include "phase/config.h"
#include "phase/era.h"
#include "phase/problems.h"

struct err;

/* The minor that text asks for: of a version or of a label that names one; -1 where it names none (NULL, "stable-1").
 */
int kubernetes_version_minor(const char *text);

/* Makes config's kubernetesVersion "vX.Y.Z" and checks that this kubeadm deploys it. */
int kubernetes_version_normalise(struct phase_config *config, const struct era *era, struct config_problems *problems,
                                 struct err *err);

/* As part of an image tag: what a tag does not allow becomes "_". Free it. */
char *kubernetes_version_tag(const char *version);
