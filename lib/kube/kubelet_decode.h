#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of kubelet_config_load: the rules that go beyond types, and the typed struct with its defaults. The maps
 * are a KubeletConfiguration, a PodwatchConfiguration (both through the schema walk) and what flags alone say.
 */
#include "kube/kubelet_config.h"

struct value;

/* Defaults that a check needs as well. */
#define KUBELET_IMAGE_GC_HIGH 85
#define KUBELET_IMAGE_GC_LOW 80
#define KUBELET_IMAGE_GC_AGE (120 * USEC_PER_SEC)

void kubelet_validate(const struct value *kubelet, const struct value *podwatch, const struct value *own,
                      struct pod_findings *findings);
/* Nothing is judged any more. Both fill parts of a zeroed config. */
void kubelet_decode(const struct value *kubelet, struct kubelet_config *config);
void kubelet_decode_own(const struct value *podwatch, const struct value *own, struct kubelet_config *config);

/* One threshold of evictionHard: a quantity or "N%". 0 or -EINVAL. The signal is left alone. */
int kubelet_parse_threshold(const char *text, struct kubelet_threshold *ret);
/* The signals that there are. */
extern const char *const kubelet_eviction_signals[];
extern const size_t kubelet_eviction_signal_count;
