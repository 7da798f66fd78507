#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The KubeletConfiguration in force, as the kubelet shows it at /configz: what was given (by file or flag), the default
 * where podwatch acts on a field that was not given, and for a field without effect, what podwatch does anyway (the
 * `harmless` value of its row in kube/kubelet_schema.c).
 */
struct kubelet_config;
struct value;

/* JSON text of the object; free it. kubelet: through the schema walk. Values of staticPodURLHeader are "<masked>", as
 * the kubelet shows them: they are credentials. */
char *kubelet_effective(const struct value *kubelet, const struct kubelet_config *config);
