#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * kubeadm's patches directory (cmd/kubeadm/app/util/patches): files that change what a phase is about to write. The
 * directory is that of --patches, else patches.directory of the configuration; it is read once a run. A relative path
 * counts from the working directory. An absolute one in the configuration is below --rootfs, as all that the
 * configuration names; that of the flag is taken as it is, as --config.
 */
#include <stdbool.h>

struct err;
struct patches;
struct phase;
struct value;

/* Applies to *object, of the Go type type_name ("Pod"), what there is for target ("kube-apiserver"), and brings it into
 * the form in which kubeadm writes it: fields that the type does not have vanish, quantities become canonical. Nothing
 * happens without a patches directory. Values that a patch brought have its file, line and column as place and "patch
 * FILE" as origin. Prints kubeadm's lines; errors have its texts, and the log the place of the mistake. */
int patch_object(struct phase *phase, const char *target, const char *type_name, struct value **object,
                 struct err *err);

/* The same, but the result stays as the patches left it, which is how kubeadm writes a patched KubeletConfiguration: a
 * field that the type does not have, a value of another type and another kind are errors (warnings where unknown fields
 * are), and are written. */
int patch_document(struct phase *phase, const char *target, const char *type_name, struct value **object,
                   struct err *err);

/* Whether there is a patches directory, that of --patches or of the configuration. */
bool patch_directory_given(const struct phase *phase);

/* What phase_free releases. */
struct patches *patches_free(struct patches *patches);
