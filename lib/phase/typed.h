#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A value seen as a Go struct: kubeadm decodes into typed objects and writes those, so fields that the type does not
 * have vanish, empty ones are left out, required ones appear, quantities and times become canonical. The types are
 * those of api_types.h.
 */
#include <stdbool.h>
#include <stddef.h>

#include "codec/value.h"
#include "phase/api_types.h"

struct err;

enum typed_problem { TYPED_UNKNOWN_FIELD, TYPED_WRONG_TYPE, TYPED_PROBLEM_MAX };

/* Is told of each mistake; path is the dotted field path ("spec.containers[0].args[1]"), text a whole sentence. */
typedef void (*typed_report_fn)(void *userdata, enum typed_problem kind, const struct value_place *place,
                                const char *path, const char *text);

/* For what is to be left out without a word. */
void typed_report_nothing(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                          const char *text);

/* Turns v, a map, into what Go would write of it. path is that of v itself, "" for a whole object. Wrong types are
 * reported and left as they are. Negative where the tables are wrong. */
int typed_normalise(struct value *v, struct api_types *types, const char *type_name, const char *path,
                    typed_report_fn report, void *userdata, struct err *err);
