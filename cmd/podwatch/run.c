/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch run: flags and configuration into what the agent needs, then the agent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"
#include "kube/kubelet_config.h"
#include "node/agent.h"
#include "node/agent_options.h"
#include "podwatch.h"

/* Takes --config FILE or --config=FILE out of the flags. */
static char *take_config_flag(struct strv *flags)
{
        char *file = NULL;

        for (size_t i = 0; i < flags->len;) {
                const char *value = str_after(flags->items[i], "--config=");
                bool next = str_eq(flags->items[i], "--config") && i + 1 < flags->len;

                if (!value && !next) {
                        i++;
                        continue;
                }
                free(file);
                file = xstrdup(value ? value : flags->items[i + 1]);
                strv_remove(flags, i);
                if (next)
                        strv_remove(flags, i);
        }
        return file;
}

static int load(struct strv *flags, struct kubelet_config *ret, struct err *err)
{
        char *file CLEANUP_FREE = take_config_flag(flags);
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct pod_findings findings = {0};
        int r = 0;

        if (file)
                r = file_read(file, &data, err);
        if (r >= 0)
                r = kubelet_config_load(file, file ? buf_str(&data) : NULL, data.len, flags, ret, &findings, err);
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
        if (kubelet.log_json)
                log_set_sink(log_sink_json);
        log_set_level(kubelet.verbosity >= 4 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
        agent_options_from(&kubelet, &options);
        if (agent_new(&options.config, &agent, &err) < 0 || agent_run(agent, &code, &err) < 0) {
                (void)agent_free(agent);
                return podwatch_fail(&err);
        }
        (void)agent_free(agent);
        return code;
}
