#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on the arguments of a component by name, which neither kubeadm's extraArgs (a map, or a list that
 * replaces) nor its patches (a command line is one value there) can do: a further argument of a name, one at a certain
 * place, one taken away, a value put into or taken out of a list such as --enable-admission-plugins. They are written
 * in patch files TARGET[SUFFIX]+arguments.yaml and in a document of the configuration, kind ArgumentsConfiguration,
 * beside those of any API version:
 *      - {set: audit-log-maxage, value: 30}                  the only argument of that name
 *      - {add: service-account-issuer, value: https://...}   a further one, behind those of that name
 *      - {append: enable-admission-plugins, value: [A, B]}   into the list, unless there; prepend: in front
 *      - {subtract: tls-cipher-suites, value: C}             out of it; an argument that is left empty goes
 *      - {remove: profiling}                                 all of that name; with value: those that have it
 * set and add take `before: NAME` or `after: NAME`; remove and subtract take `optional: true`: nothing to take away is
 * no mistake.
 */
#include <stddef.h>

struct component;
struct err;
struct phase;
struct phase_config;
struct value;

/* Carries a list of operations out on the command of the pod's first container. New values have the operation's line
 * as place, `origin` (which lives as long as memory) as origin, and in `also` the place of what they changed. On
 * failure *ret_operation is the number of the wrong one, or the count where the whole is wrong. */
int arguments_apply(struct phase_config *memory, struct value *pod, const struct value *operations, const char *origin,
                    size_t *ret_operation, struct err *err);

/* What the ArgumentsConfiguration has for a component. Errors carry file:line:column. */
int arguments_apply_configured(const struct phase *phase, const struct component *component, struct value *pod,
                               struct err *err);

/* What follows "--name" in one argument of a command line: "" or "=value"; NULL where it has another name. Borrowed. */
const char *argument_rest(const struct value *argument, const char *name);

/* The origin of a patch: "arguments PATH", which marks in `explain` what no kubeadm does. */
#define ARGUMENTS_ORIGIN "arguments "
