#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigMaps and Secrets among the files of the manifest directory: which file serves which, the last good version of
 * each file in force, what is immutable. Inside of manifest_source.
 */
#include <stddef.h>

#include "kube/config_object.h"

struct err;
struct manifest;
struct pod_findings;

/* Reads a file's bytes. 0: m has these objects from now on; 1: the file is none of this kind; negative: wrong, what m
 * had stays. */
int manifest_config_take(struct manifest *m, const char *data, size_t len, bool strict, struct err *err);
/* The objects that count of all files: the first by file name has a name, the others become a finding of theirs. all is
 * emptied first; the objects are borrowed. */
void manifest_config_collect(struct manifest *const *files, size_t count, struct config_objects *all);
