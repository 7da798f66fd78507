#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags in place of a configuration file: they become the same documents that a file would hold, each value with its
 * flag as origin, so everything behind this is the same for both.
 */
#include <stdbool.h>
#include <stdint.h>

#include "phase/era.h"
#include "phase/phase.h"

struct err;
struct yaml_documents;

/* -ERR_USAGE where the value of the flag called name, any of kubeadm's, is not of its Go type (a port, pairs of
 * arguments, a duration, a level), in pflag's words: it says so while it reads the command line, before anything else
 * is looked at. era tells how pairs are read. */
int config_flags_check_type(const char *name, const char *value, const struct era *era, struct err *err);

/* -ERR_USAGE where a value is refused when the command runs, before a file is read: feature gates. */
int config_flags_check_values(const struct phase_flags *flags, const struct era *era, struct err *err);

/* The value of a flag that is a duration. */
int config_flag_duration(const char *name, const char *value, int64_t *ret_nsec, struct err *err);

/* -ERR_USAGE where a flag that stands for a setting was given beside --config: kubeadm's message, names sorted.
 * The row flags/withFile of the era tells which flags may stand there. */
int config_flags_check_mixed(const struct phase_options *options, const struct era *era, struct err *err);

/* Makes the documents; era is for the API version and for what feature gates there are. */
int config_flags_documents(const struct phase_flags *flags, const struct era *era, struct yaml_documents *ret,
                           struct err *err);
