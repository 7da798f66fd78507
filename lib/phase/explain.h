#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `explain`: a manifest as it would be written, and for each of its lines where it comes from.
 */
#include "base/strv.h"
#include "phase/phase.h"

struct err;

/* Prints the manifests of the components that names ask for (component_choice.h). With phase->options.output "json" one
 * object a line: component, path, line, text, field, and the members of provenance_object (provenance.h). Writes
 * nothing. */
int phase_explain(struct phase *phase, const struct strv *names, struct err *err);
