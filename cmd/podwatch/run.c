/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch run: flags and configuration into what the agent needs, then the agent.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/log.h"
#include "base/strv.h"
#include "kube/kubelet_config.h"
#include "kube/kubelet_files.h"
#include "node/agent.h"
#include "node/agent_options.h"
#include "podwatch.h"

static int load(struct strv *flags, struct kubelet_config *ret, struct err *err)
{
        struct pod_findings findings = {0};
        struct strv files CLEANUP_STRV = STRV_INIT;
        int r = kubelet_files_load(flags, &kubelet_file_defaults, ret, &files, &findings, err);
        char *read CLEANUP_FREE = strv_join(&files, ", ");

        if (r == 0 && ret->log_json)
                log_set_sink(log_sink_json);
        if (r == 0) {
                log_set_level(ret->verbosity >= 4 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
                log_info("configured by %s", files.len ? read : "the command line alone");
        }
        for (size_t i = 0; i < findings.count; i++)
                if (!findings.items[i].fatal)
                        log_warning("%s", findings.items[i].text);
        pod_findings_release(&findings);
        return r;
}

int verb_run(void *userdata, const struct strv *args)
{
        struct podwatch *p = userdata;
        struct kubelet_config kubelet CLEANUP_KUBELET_CONFIG = {0};
        struct agent_options options CLEANUP_AGENT_OPTIONS = {0};
        struct agent *agent = NULL;
        struct err err = ERR_INIT;
        int code = 1;

        (void)args;
        /* Modes are given exactly where they matter; elsewhere the usual ones, whatever the unit says. */
        (void)umask(0022);
        if (load(&p->run_flags, &kubelet, &err) < 0)
                return podwatch_fail(&err);
        agent_options_from(&kubelet, &options);
        if (agent_new(&options.config, &agent, &err) < 0 || agent_run(agent, &code, &err) < 0) {
                (void)agent_free(agent);
                return podwatch_fail(&err);
        }
        (void)agent_free(agent);
        return code;
}
