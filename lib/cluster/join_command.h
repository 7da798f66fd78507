#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The `kubeadm join` lines (cmd/kubeadm/app/cmd/util/join.go, cmd/phases/init/showjoincommand.go).
 */
#include <stdbool.h>

struct err;
struct kubeconfig;
struct phase;

struct join_options {
        const char *token;
        const char *certificate_key; /* NULL without */
        bool control_plane;
        bool skip_token_print, skip_key_print;
};

/* The command for the cluster of a kubeconfig: server and the pins of its CA. path is for messages. Free *ret. */
int join_command(const struct phase *phase, const struct kubeconfig *config, const char *path,
                 const struct join_options *options, char **ret, struct err *err);
/* The same on one line, as --print-join-command prints it. */
int join_command_line(const struct phase *phase, const struct kubeconfig *config, const char *path,
                      const struct join_options *options, char **ret, struct err *err);

/* The closing text of `init`, once for each token; the configuration's tokens must have their texts. */
int join_show(const struct phase *phase, const struct kubeconfig *config, const char *path, bool uploaded,
              bool skip_token_print, bool skip_key_print, struct err *err);
