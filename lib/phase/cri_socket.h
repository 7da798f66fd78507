#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket of the container runtime. Where no criSocket is given: that of the one known runtime that is found on the
 * host (kubeadm's DetectCRISocket, util/runtime/runtime.go), and the default of the version where none is. Which
 * sockets a version knows, how it looks for them and which of its commands look at all are rows of the group config.
 */
struct config_problems;
struct err;
struct phase;
struct value_place;

/* What criSocket is to be. 0: `given`, which stands at `place`, with the version's scheme in front where it has none,
 * which is a warning; 1: given is "" (place may be NULL then), and this is the one of the host or the default. *ret
 * lives as long as the phase and given. Where more than one is found and this command needs to know, an error in
 * kubeadm's words. */
int cri_socket_choose(const struct phase *phase, const char *given, const struct value_place *place,
                      struct config_problems *problems, const char **ret, struct err *err);
