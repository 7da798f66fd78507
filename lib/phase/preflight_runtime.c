/* SPDX-License-Identifier: Apache-2.0
 *
 * The checks CRI and ContainerRuntimeVersion (kubeadm's preflight/checks.go and util/runtime): kubeadm up to 1.30 asks
 * the runtime through a program, later ones through its socket.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "phase/preflight.h"
#include "phase/service.h"

#define CHECK "CRI"
#define NO_INTERFACE "[preflight] WARNING: Couldn't create the interface used for talking to the container runtime: "

static const char *cri_socket(const struct preflight_report *report)
{
        return report->phase->config->init.node_registration.cri_socket.text;
}

/* crictl -r SOCKET info, docker info */
static void ask_program(struct preflight_report *report, const char *program)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        struct err why = ERR_INIT;
        const char *socket = cri_socket(report);

        strv_add(&argv, program);
        if (str_eq(program, "crictl")) {
                strv_add(&argv, "-r");
                strv_addf(&argv, "%s%s", socket[0] == '/' ? "unix://" : "", socket);
        }
        strv_add(&argv, "info");
        int r = service_run(&argv, &out, true, &why);
        if (r > 0)
                (void)err_set(&why, ERR_REMOTE, "exit status %d", r);
        if (r != 0)
                preflight_error(report, CHECK, "container runtime is not running: output: %s, error: %s", buf_str(&out),
                                why.msg);
}

enum way { SOCKET, CRICTL, DOCKER_OR_CRICTL };

static enum way way(const struct preflight_report *report)
{
        const char *program = era_text(report->phase->era, "preflight", "runtimeProgram", "");

        if (str_eq(program, "docker-or-crictl"))
                return DOCKER_OR_CRICTL;
        return str_eq(program, "crictl") ? CRICTL : SOCKET;
}

bool preflight_runtime_is_docker(const struct preflight_report *report)
{
        return way(report) == DOCKER_OR_CRICTL &&
               str_eq(cri_socket(report), era_text(report->phase->era, "kubelet", "dockershimSocket", ""));
}

static const char *program_of(const struct preflight_report *report)
{
        return preflight_runtime_is_docker(report) ? "docker" : "crictl";
}

/* 0, or negative with why. */
static int connect_to_socket(const struct preflight_report *report, struct err *err)
{
        const char *socket = cri_socket(report), *path = str_after(socket, "unix://");
        struct err why = ERR_INIT;
        int r = preflight_try_socket(path ? path : socket, &why);

        return r == 0 ? 0
                      : err_set(err, why.code,
                                "failed to create new CRI runtime service: validate service connection: validate CRI "
                                "v1 runtime API for endpoint \"%s\": rpc error: code = Unavailable desc = connection "
                                "error: desc = \"transport: Error while dialing: %s\"",
                                socket, why.msg);
}

static bool wants_connection(const struct preflight_report *report)
{
        return way(report) == SOCKET && era_flag(report->phase->era, "preflight", "runtimeVersion");
}

void preflight_open_runtime(const struct preflight_report *report)
{
        bool docker_too = way(report) == DOCKER_OR_CRICTL;
        const char *program = program_of(report);
        char *path CLEANUP_FREE = service_look_path(program),
                   *named CLEANUP_FREE = xasprintf("exec: \"%s\": ", program);
        struct err why = ERR_INIT;

        if (way(report) == SOCKET) {
                if (!wants_connection(report) && connect_to_socket(report, &why) < 0)
                        phase_warn(report->phase, NO_INTERFACE "%s", why.msg);
                return;
        }
        if (path)
                return;
        char *text CLEANUP_FREE =
                xasprintf(NO_INTERFACE "%s is required %s container runtime: %sexecutable file not found in $PATH",
                          program, docker_too ? "for" : "by the",
                          era_flag(report->phase->era, "preflight", "notFoundNamesProgram") ? named : "");
        if (docker_too)
                phase_say(report->phase, "%s", text);
        else
                phase_warn(report->phase, "%s", text);
}

void preflight_check_runtime(struct preflight_report *report)
{
        const char *program = program_of(report);
        char *path CLEANUP_FREE = service_look_path(program);
        struct err why = ERR_INIT;

        if (wants_connection(report) && connect_to_socket(report, &why) < 0) {
                preflight_error(report, CHECK, "could not connect to the container runtime: %s", why.msg);
                preflight_error(report, "ContainerRuntimeVersion", "could not connect to the container runtime: %s",
                                why.msg);
        }
        if (way(report) == SOCKET)
                return;
        if (path)
                ask_program(report, program);
        /* Without Docker crictl has to be there, before all others. */
        if (path && preflight_runtime_is_docker(report)) {
                preflight_check_service(report, program, true);
                preflight_check_docker_driver(report);
        } else if (way(report) == DOCKER_OR_CRICTL)
                preflight_check_program(report, "crictl", true);
}

void preflight_check_docker(struct preflight_report *report, const struct preflight_options *options)
{
        const struct preflight_runtime *runtime = &options->runtime;
        struct err why = ERR_INIT;
        int r = runtime->check ? runtime->check(runtime->userdata, &why)
                               : preflight_try_socket(options->docker_socket, &why);

        if (r < 0)
                preflight_error(report, CHECK, "could not connect to Docker: %s", why.msg);
}
