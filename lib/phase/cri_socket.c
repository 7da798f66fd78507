/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "phase/cri_socket.h"
#include "phase/phase.h"
#include "phase/problems.h"

/* A command that writes what only genphase has does not look: nothing of it depends on the socket. Neither does one
 * with the configuration of the cluster: there kubeadm has the socket from the Node. */
static bool is_wanted(const struct phase *phase)
{
        const char *row = phase->options.config_file ? "criSocketWanted.file" : "criSocketWanted.flags";
        const char *rule = era_text(phase->era, "config", row, "");

        if (phase->options.config_text)
                return false;
        if (phase_lists_command(phase, "config", "criSocketUsers"))
                return true;
        if (str_eq(rule, "all"))
                return !phase_lists_command(phase, "config", "criSocketUnused");
        return str_eq(rule, "phases") && !phase_lists_command(phase, "config", "criSocketUnused") &&
               !phase_lists_command(phase, "config", "anyAddress");
}

/* Row: {at: where the socket is, is: what criSocket becomes, unless: a socket that hides it}. */
static bool is_found(const struct phase *phase, const struct value *known, bool open)
{
        const char *at = value_string(value_map_get(known, "at"), "");
        const char *unless = value_string(value_map_get(known, "unless"), NULL);

        return phase_host_has_socket(phase, at, open) && !(unless && phase_host_has_socket(phase, unless, open));
}

static int find_default(const struct phase *phase, const char **ret, struct err *err)
{
        const struct value *known = era_value(phase->era, "config", "criSockets");
        bool open = str_eq(era_text(phase->era, "config", "criSocketFound", ""), "open");
        const char *found = era_text(phase->era, "config", "criSocket", "");
        struct strv sockets CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; is_wanted(phase) && value_is(known, VALUE_LIST) && i < known->list.count; i++) {
                const struct value *item = known->list.items[i];

                if (!is_found(phase, item, open))
                        continue;
                found = value_string(value_map_get(item, "is"), "");
                strv_add(&sockets, found);
        }
        if (sockets.len > 1) {
                char *all CLEANUP_FREE = strv_join(&sockets, ", ");

                return err_set(err, ERR_INVALID, "%s: %s", era_text(phase->era, "config", "criSocketAmbiguous", ""),
                               all);
        }
        phase_detail(phase, 1, "%s CRI socket: %s", sockets.len ? "detected and using" : "default", found);
        *ret = found;
        return 0;
}

int cri_socket_choose(const struct phase *phase, const char *given, const struct value_place *place,
                      struct config_problems *problems, const char **ret, struct err *err)
{
        const char *scheme = era_text(phase->era, "config", "criSocketScheme", NULL);

        if (!*given) {
                int r = find_default(phase, ret, err);
                return r < 0 ? r : 1;
        }
        *ret = given;
        if (!scheme || str_starts(given, scheme))
                return 0;
        config_problem_warning(problems, place,
                               "Usage of CRI endpoints without URL scheme is deprecated and can cause kubelet errors "
                               "in the future. Automatically prepending scheme \"%s\" to the \"criSocket\" with value "
                               "\"%s\". Please update your configuration!",
                               scheme, given);
        *ret = config_keepf(phase->config, "%s://%s", scheme, given);
        return 0;
}
