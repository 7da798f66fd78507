#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Architectures as Go and Kubernetes name them.
 */

/* Of the kernel's name (uname -m): "amd64" of "x86_64"; one that is not known stays as it is. Static or borrowed. */
const char *go_architecture(const char *machine);
