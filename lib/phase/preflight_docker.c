/* SPDX-License-Identifier: Apache-2.0
 *
 * What kubeadm asked of Docker while the kubelet had a dockershim: the cgroup driver (IsDockerSystemdCheck) and, as
 * part of SystemVerification, version and graph driver (k8s.io/system-validators, docker_validator.go). What is wanted
 * is data (eras.yaml, row preflight/docker).
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "phase/preflight.h"
#include "phase/preflight_verify.h"
#include "phase/service.h"

#define NEW_SCHEME "[0-9]{2}\\.[0-9]+\\.[0-9]+"

static const struct value *row(const struct preflight_report *report, const char *key)
{
        return value_map_get(era_value(report->phase->era, "preflight", "docker"), key);
}

static void info_argv(struct strv *argv, const char *option, const char *format)
{
        strv_add(argv, "docker");
        strv_add(argv, "info");
        strv_add(argv, option);
        strv_add(argv, format);
}

void preflight_check_docker_driver(struct preflight_report *report)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        const struct value *wanted = row(report, "cgroupDriver");
        struct err why = ERR_INIT;

        if (!wanted)
                return;
        info_argv(&argv, "-f", "{{.CgroupDriver}}");
        int r = service_run(&argv, &out, false, &why);
        if (r > 0)
                (void)err_set(&why, ERR_REMOTE, "exit status %d", r);
        if (r != 0) {
                preflight_error(report, "IsDockerSystemdCheck", "cannot execute 'docker info -f {{.CgroupDriver}}': %s",
                                why.msg);
                return;
        }
        char *driver CLEANUP_FREE = xstrdup(buf_str(&out));
        if (str_ends(driver, "\n"))
                driver[strlen(driver) - 1] = '\0';
        if (!str_eq(driver, value_string(wanted, "")))
                preflight_warning(
                        report, "IsDockerSystemdCheck",
                        "detected \"%s\" as the Docker cgroup driver. The recommended driver is \"%s\". Please "
                        "follow the guide at https://kubernetes.io/docs/setup/cri/",
                        driver, value_string(wanted, ""));
}

/* ---- SystemVerification ---- */

static bool lists(const struct preflight_report *report, const char *key, const char *text)
{
        const struct value *items = row(report, key);

        for (size_t i = 0; value_is(items, VALUE_LIST) && i < items->list.count; i++)
                if (str_eq(value_string(items->list.items[i], ""), text))
                        return true;
        return false;
}

/* error verifying Docker info: the list as Go's %q has it joined */
static bool server_errors(struct verification *v, const struct value *info)
{
        const struct value *errors = value_map_get(info, "ServerErrors");
        struct strv all CLEANUP_STRV = STRV_INIT;
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        if (!value_is(errors, VALUE_LIST))
                return false;
        for (size_t i = 0; i < errors->list.count; i++)
                strv_add(&all, value_string(errors->list.items[i], ""));
        char *joined CLEANUP_FREE = strv_join(&all, "\", \"");
        go_quote(joined, &quoted);
        verification_fail(v, "error verifying Docker info: %s", buf_str(&quoted));
        return true;
}

static void check_info(struct verification *v, const struct value *info)
{
        const struct preflight_report *report = v->report;
        const char *version = value_string(value_map_get(info, "ServerVersion"), "");
        const char *driver = value_string(value_map_get(info, "Driver"), "");
        const struct value *patterns = row(report, "versions");
        bool matched = false;

        if (server_errors(v, info))
                return;
        for (size_t i = 0; value_is(patterns, VALUE_LIST) && i < patterns->list.count && !matched; i++)
                matched = verification_matches(value_string(patterns->list.items[i], ""), version);
        bool newer = !matched && verification_matches(NEW_SCHEME, version);
        verification_show(v, matched || newer ? VERIFICATION_GOOD : VERIFICATION_BAD, "DOCKER_VERSION", version);
        if (newer)
                preflight_warning(v->report, PREFLIGHT_SYSTEM,
                                  "this Docker version is not on the list of validated versions: %s. Latest validated "
                                  "version: %s",
                                  version, value_string(row(report, "latest"), ""));
        else if (!matched)
                verification_fail(v, "unsupported docker version: %s", version);
        if (!matched)
                return;
        bool good = lists(report, "graphDrivers", driver);
        verification_show(v, good ? VERIFICATION_GOOD : VERIFICATION_BAD, "DOCKER_GRAPH_DRIVER", driver);
        if (!good)
                verification_fail(v, "unsupported graph driver: %s", driver);
}

/* The line breaks are a backslash and an n: they stand so in Go's source. */
void verification_check_docker(struct verification *v)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES),
                       errors CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        struct value *info CLEANUP_VALUE = NULL;
        const struct value *flag = row(v->report, "stderrApart");
        bool apart = value_is(flag, VALUE_BOOL) && flag->boolean;
        struct err why = ERR_INIT;

        info_argv(&argv, "--format", "{{json .}}");
        int r = apart ? service_run_apart(&argv, &out, &errors, &why) : service_run(&argv, &out, true, &why);
        if (r > 0)
                (void)err_set(&why, ERR_REMOTE, "exit status %d", r);
        if (r != 0) {
                verification_fail(v,
                                  "failed executing \"docker info --format '{{json .}}'\"\\noutput: %s%s%s\\nerror: %s",
                                  buf_str(&out), apart ? "\\nstderr: " : "", buf_str(&errors), why.msg);
                return;
        }
        if (json_load("docker info", buf_str(&out), out.len, &info, &why) < 0) {
                verification_fail(v, "could not unmarshal the JSON output of 'docker info':\n%s\n: %s", buf_str(&out),
                                  why.msg);
                return;
        }
        check_info(v, info);
        if (errors.len > 0)
                preflight_warning(v->report, PREFLIGHT_SYSTEM,
                                  "the command \"docker info --format '{{json.}}'\" succeeded with potential "
                                  "warnings\\noutput: %s",
                                  buf_str(&errors));
}
