#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * `diff`: what the manifests of a configuration would change against those on disk, or against those of another
 * configuration, Kubernetes version or patches directory; and patches for what was edited on disk by hand.
 */
#include <stdbool.h>

#include "base/strv.h"
#include "phase/phase.h"

struct err;

struct diff_options {
        struct phase *from;        /* the side before; NULL: the manifests on disk, below --rootfs of the other side */
        const char *write_patches; /* directory for patches that keep what is on disk; NULL: none are made */
        bool argument_patches;     /* command lines by +arguments patches, which kubeadm does not know */
};

/* Prints the differences of the components that names ask for, as text, or with phase->options.output "json" one object
 * a component. *ret_differs: something would change by meaning. Patches turn what the side before renders (with `from`
 * NULL: what `phase` renders) into what is on disk; they are written all or none, and nothing is printed where that
 * fails. With options.acts set, each file is told (action.h). */
int phase_diff(struct phase *phase, const struct strv *names, const struct diff_options *options, bool *ret_differs,
               struct err *err);
