#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The printer of the verbs that print an object as kubeadm does: the value of their --output. kubeadm takes any value
 * while it reads the command line and looks for the printer when the command runs.
 */
struct err;

/* In *ret_format "text", "json" or "yaml"; output NULL: "text". -ERR_USAGE: there is no such printer, in kubeadm's
 * words; the formats are those that are here. */
int printer_format(const char *output, const char **ret_format, struct err *err);
