#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Every key of KubeletConfiguration (k8s.io/kubelet/config/v1beta1 of Kubernetes 1.36) and what podwatch does with it,
 * and the keys of its own PodwatchConfiguration. What has no effect is reported once, unless it says what podwatch does
 * anyway. Objects that are not looked into have no effect as a whole.
 */
#include "kube/schema.h"

extern const struct schema kubelet_configuration_schema;
extern const struct schema podwatch_configuration_schema;
