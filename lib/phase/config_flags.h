#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags in place of a configuration file: they become the same documents that a file would hold, each value with its
 * flag as origin, so everything behind this is the same for both.
 */
#include <stdbool.h>

#include "phase/era.h"
#include "phase/phase.h"

struct err;
struct yaml_documents;

/* -ERR_USAGE where a flag's value is not of its Go type (a port, pairs of arguments): pflag says so while it reads the
 * command line, before anything else is looked at. era tells how pairs are read. */
int config_flags_check_typed(const struct phase_flags *flags, const struct era *era, struct err *err);

/* -ERR_USAGE: a value that is not of a flag's type, in pflag's words. */
int config_flag_invalid(const char *flag, const char *value, struct err *err, const char *fmt, ...)
        __attribute__((format(printf, 4, 5)));

/* -ERR_USAGE where a flag that stands for a setting was given beside --config: kubeadm's message, names sorted.
 * The row flags/withFile of the era tells which flags may stand there. */
int config_flags_check_mixed(const struct phase_options *options, const struct era *era, struct err *err);

/* Makes the documents; era is for the API version and for what feature gates there are. */
int config_flags_documents(const struct phase_flags *flags, const struct era *era, struct yaml_documents *ret,
                           struct err *err);
