/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd/kubeadm/app/cmd/phases/init/waitcontrolplane.go, util/apiclient/wait.go. The server is asked without looking
 * whether admin.conf has its role, also where kubeadm does that first: it would give up after a minute that the server
 * is not there.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_wait.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/health.h"
#include "cluster/phases.h"
#include "cluster/step.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/action.h"
#include "phase/address.h"
#include "phase/phase.h"

#define MANIFESTS "/etc/kubernetes/manifests"
#define NSEC_PER_USEC 1000
#define PAUSES_MAX 8 /* of a row */

#define PORT_ARGUMENT "secure-port"
#define EXTRA_ARGS(component) offsetof(struct config_cluster, component.extra_args)

struct component {
        const char *name, *address_arg, *address, *port, *endpoint;
        size_t extra_args; /* offset in the configuration */
};

static const struct component components[] = {
        {"kube-apiserver", "advertise-address", NULL, "6443", "livez", EXTRA_ARGS(api_server.component)},
        {"kube-controller-manager", "bind-address", "127.0.0.1", "10257", "healthz", EXTRA_ARGS(controller_manager)},
        {"kube-scheduler", "bind-address", "127.0.0.1", "10259", "livez", EXTRA_ARGS(scheduler)},
};

static usec_t timeout_of(const struct config_duration *d)
{
        return (usec_t)d->nsec / NSEC_PER_USEC;
}

static void say_help(struct cluster *cluster, const char *step, const char *error)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        const char *socket = cluster->phase->config->init.node_registration.cri_socket.text;

        /* The kubelet's own dockershim, where there was one. */
        bool docker = str_eq(socket, era_text(cluster->phase->era, "kubelet", "dockershimSocket", NULL));

        template_set_text(&variables, "criSocket", socket, NULL);
        template_set_text(&variables, "runtime", docker ? "docker" : "cri-o/containerd using crictl", NULL);
        if (docker)
                template_set_text(&variables, "runtimeCommand", "docker", NULL);
        else
                template_set_textf(&variables, NULL, "runtimeCommand", "crictl --runtime-endpoint %s", socket);
        template_set_text(&variables, "error", error, NULL);
        (void)step_run(cluster, step, &variables, NULL);
}

/* What an endpoint came to in the end. */
static int tell_check(const struct phase *phase, const char *name, const struct health_check *check, struct err *err)
{
        struct value *line = action_new(phase, "check");
        char took[TIMEFMT_MAX];

        if (!line)
                return 0;
        duration_text((int64_t)check->took * NSEC_PER_USEC, took);
        action_set(line, "name", name);
        action_set(line, "url", check->url);
        value_map_set(line, "healthy", value_new_bool(check->healthy));
        action_set(line, "took", took);
        return action_tell(phase, line, err);
}

/* ---- the kubelet ---- */

/* HOST:PORT of its health endpoint. Row kubeletHealth.address: there, whatever the configuration says; joined
 * "plainly": an IPv6 address without brackets. */
static char *kubelet_address(const struct phase *phase, bool *ret_off)
{
        const struct value *row = era_value(phase->era, "cluster", "kubeletHealth"), *config = phase->config->kubelet;
        const char *fixed = value_string(value_map_get(row, "address"), NULL);
        const char *address = value_string(value_map_get(config, "healthzBindAddress"), "");
        bool plainly = str_eq(value_string(value_map_get(row, "joined"), ""), "plainly");
        int64_t port = 10248;
        char text[24];

        (void)value_int(value_map_get(config, "healthzPort"), &port);
        *ret_off = port == 0;
        if (fixed)
                return xstrdup(fixed);
        (void)snprintf(text, sizeof(text), "%lld", (long long)port);
        if (!*address)
                address = "127.0.0.1";
        return plainly ? xasprintf("%s:%s", address, text) : hostport_join(address, text);
}

static void say_kubelet_wait(const struct phase *phase, const char *url, usec_t timeout)
{
        const struct value *row = era_value(phase->era, "cluster", "kubeletHealth");
        bool unnamed = str_eq(value_string(value_map_get(row, "said"), ""), "unnamed");
        char limit[TIMEFMT_MAX];

        duration_text((int64_t)timeout * NSEC_PER_USEC, limit);
        phase_say(phase, "[kubelet-check] Waiting for a healthy kubelet%s%s. This can take up to %s",
                  unnamed ? "" : " at ", unnamed ? "" : url, limit);
        (void)fflush(phase->options.out);
}

static int wait_kubelet(struct cluster *cluster, usec_t timeout, struct err *err)
{
        const struct phase *phase = cluster->phase;
        bool off;
        char *address CLEANUP_FREE = kubelet_address(phase, &off);
        char *url CLEANUP_FREE = xasprintf("http://%s/healthz", address), took[TIMEFMT_MAX];
        struct health_check check = {.url = url};

        if (off) {
                phase_say(phase,
                          "[kubelet-check] Skipping the kubelet health check because the healthz port is set to 0");
                return 0;
        }
        say_kubelet_wait(phase, url, timeout);
        int r = health_wait(api_wait_loop(cluster->api), &check, 1, timeout, NULL, NULL, err);
        duration_text((int64_t)check.took * NSEC_PER_USEC, took);
        phase_say(phase, "[kubelet-check] The kubelet is %shealthy after %s", check.healthy ? "" : "not ", took);
        if (r == 0)
                r = tell_check(phase, "kubelet", &check, err);
        if (r == 0 && !check.healthy)
                r = err_set(err, ETIMEDOUT, "The HTTP call equal to 'curl -sSL %s' returned %s%s\n", url,
                            check.status ? "" : "error: ", check.why.msg);
        return r;
}

static void say_first(void *userdata, const struct health_check *check)
{
        const struct phase *phase = userdata;
        char limit[TIMEFMT_MAX];

        if (check->tried > 0)
                return;
        duration_text((int64_t)check->pace->pauses[0] * NSEC_PER_USEC, limit);
        phase_say(phase, "[kubelet-check] Initial timeout of %s passed.", limit);
        (void)fflush(phase->options.out);
}

static void say_unhealthy(void *userdata, const struct health_check *check)
{
        const struct phase *phase = userdata;

        phase_say(phase, "[kubelet-check] It seems like the kubelet isn't running or healthy.");
        if (check->status)
                phase_say(phase, "[kubelet-check] The HTTP call equal to 'curl -sSL %s' returned HTTP code %d",
                          check->url, check->status);
        else
                phase_say(phase, "[kubelet-check] The HTTP call equal to 'curl -sSL %s' failed with error: %s.",
                          check->url, check->why.msg);
        (void)fflush(phase->options.out);
}

/* Row kubeletHealth.pauseSeconds: before each request to the kubelet. Returns how many; 0: it is not asked. */
static size_t kubelet_pauses(const struct phase *phase, usec_t ret[PAUSES_MAX])
{
        const struct value *row = value_map_get(era_value(phase->era, "cluster", "kubeletHealth"), "pauseSeconds");
        size_t count = value_is(row, VALUE_LIST) ? row->list.count : 0;
        int64_t seconds = 0;

        if (count > PAUSES_MAX)
                count = PAUSES_MAX;
        for (size_t i = 0; i < count; i++) {
                (void)value_int(row->list.items[i], &seconds);
                ret[i] = (usec_t)seconds * USEC_PER_SEC;
        }
        return count;
}

/* ---- the components ---- */

/* The last value of an argument in a command, as kubeadm looks for it: "--name=value" or "--name value" in one item. */
static const char *find_argument(const struct value *command, const char *name)
{
        const char *found = NULL;

        for (size_t i = 0; i < command->list.count; i++) {
                const char *line = value_string(command->list.items[i], ""), *rest;

                line += strspn(line, " \t\n");
                rest = str_after(line, "--") ?: str_after(line, "-");
                if (!rest || !str_starts(rest, name))
                        continue;
                rest = strchr(line, '=') ?: strchr(line, ' ');
                found = rest ? rest + 1 : "";
        }
        return found;
}

static const struct value *find_command(const struct value *pod, const char *name)
{
        const struct value *containers = value_get(pod, "spec", "containers", NULL);

        for (size_t i = 0; value_is(containers, VALUE_LIST) && i < containers->list.count; i++) {
                const struct value *command = value_map_get(containers->list.items[i], "command");
                if (value_is(command, VALUE_LIST) && command->list.count > 0 &&
                    str_eq(value_string(command->list.items[0], ""), name))
                        return command;
        }
        return NULL;
}

static int read_manifest(const struct phase *phase, const char *name, struct value **ret, struct err *err)
{
        char *path CLEANUP_FREE = xasprintf(MANIFESTS "/%s.yaml", name), *text CLEANUP_FREE = NULL;
        size_t len;
        int r = phase_require_file(phase, path, LIMIT_MANIFEST_BYTES, &text, &len, err);

        return r < 0 ? err_wrap(err, "failed to read manifest for \"%s\"", path)
                     : yaml_load_one(path, text, len, 0, ret, err);
}

/* What an aggregate of errors is: one as it is, several in brackets, each text once. */
static int aggregate(const struct strv *texts, int code, struct err *err)
{
        struct strv once CLEANUP_STRV = STRV_INIT;
        const char *text;

        STRV_FOREACH (text, texts)
                if (!strv_contains(&once, text))
                        strv_add(&once, text);
        if (once.len == 0)
                return 0;
        char *all CLEANUP_FREE = strv_join(&once, ", ");
        return once.len == 1 ? err_set(err, code, "%s", all) : err_set(err, code, "[%s]", all);
}

static int read_manifests(const struct phase *phase, struct value *ret[ARRAY_SIZE(components)], struct err *err)
{
        struct strv texts CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
                struct err why = ERR_INIT;
                if (read_manifest(phase, components[i].name, &ret[i], &why) < 0)
                        strv_add(&texts, why.msg);
        }
        return aggregate(&texts, ERR_INVALID, err);
}

/* NULL: not given, so the usual one. */
static void set_check(const struct phase *phase, const struct component *c, const char *address, const char *port,
                      struct health_check *ret)
{
        const struct value *row = era_value(phase->era, "cluster", "componentHealth");
        const char *usual = c->address ? c->address : phase->config->init.local_api_endpoint.advertise_address.text;
        const char *host = value_string(value_map_get(row, "address"), address ? address : usual);
        char *both CLEANUP_FREE = hostport_join(host, port ? port : c->port);

        ret->name = c->name;
        ret->url = xasprintf("https://%s/%s", both, value_string(value_map_get(row, "endpoint"), c->endpoint));
}

/* As the manifest of each says; an argument without a value is none. */
static int manifest_check(const struct phase *phase, const struct component *c, const struct value *pod,
                          struct health_check *ret, struct err *err)
{
        const struct value *command = find_command(pod, c->name);

        if (!command)
                return err_set(err, ERR_INVALID, "the Pod has no container command starting with \"%s\"", c->name);
        const char *address = find_argument(command, c->address_arg), *port = find_argument(command, PORT_ARGUMENT);
        set_check(phase, c, str_empty(address) ? NULL : address, str_empty(port) ? NULL : port, ret);
        return 0;
}

static int manifest_checks(const struct phase *phase, struct value *const pods[ARRAY_SIZE(components)],
                           struct health_check ret[ARRAY_SIZE(components)], struct err *err)
{
        struct strv texts CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
                struct err why = ERR_INIT;
                if (manifest_check(phase, &components[i], pods[i], &ret[i], &why) < 0)
                        strv_add(&texts, why.msg);
        }
        int r = aggregate(&texts, ERR_INVALID, err);
        return r < 0 ? err_wrap(err, "could not parse the address and port of all control plane components") : 0;
}

/* As the configuration says alone: not its bindPort, and an argument without a value counts. */
static void configured_checks(const struct phase *phase, struct health_check ret[ARRAY_SIZE(components)])
{
        for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
                const struct component *c = &components[i];
                const struct config_args *args = (const void *)((const char *)&phase->config->cluster + c->extra_args);
                const struct config_arg *address = config_args_last(args, c->address_arg);
                const struct config_arg *port = config_args_last(args, PORT_ARGUMENT);

                set_check(phase, c, address ? address->value : NULL, port ? port->value : NULL, &ret[i]);
        }
}

static void on_result(void *userdata, const struct health_check *check)
{
        const struct cluster *cluster = userdata;
        char took[TIMEFMT_MAX];

        duration_text((int64_t)check->took * NSEC_PER_USEC, took);
        phase_say(cluster->phase, "[control-plane-check] %s is %shealthy after %s", check->name,
                  check->healthy ? "" : "not ", took);
        (void)tell_check(cluster->phase, check->name, check, NULL);
        (void)fflush(cluster->phase->options.out);
}

static char *failure_text(const struct phase *phase, const struct health_check *check)
{
        const struct value *row = era_value(phase->era, "cluster", "componentHealth");
        const char *old = value_string(value_map_get(row, "error"), NULL);
        char *what CLEANUP_FREE = old ? xasprintf("%s %s", check->name, old)
                                      : xasprintf("%s check failed at %s", check->name, check->url);

        return check->status ? xasprintf("%s with status: %d", what, check->status)
                             : xasprintf("%s: %s", what, check->why.msg);
}

static int judge(const struct phase *phase, const struct health_check checks[ARRAY_SIZE(components)], struct err *err)
{
        struct strv texts CLEANUP_STRV = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
                char *text CLEANUP_FREE = checks[i].healthy ? NULL : failure_text(phase, &checks[i]);
                if (text)
                        strv_add(&texts, text);
        }
        return aggregate(&texts, ETIMEDOUT, err);
}

static int wait_all(struct cluster *cluster, struct health_check checks[ARRAY_SIZE(components)], bool configured,
                    usec_t timeout, struct err *err)
{
        char *server CLEANUP_FREE = xasprintf("%s/%s", api_wait_server(cluster->api), components[0].endpoint);
        const struct phase *phase = cluster->phase;

        for (size_t i = 0; i < ARRAY_SIZE(components); i++)
                phase_say(phase, "[control-plane-check] Checking %s at %s", checks[i].name, checks[i].url);
        (void)fflush(phase->options.out);
        if (!configured) { /* since anonymous requests may be refused */
                checks[0].ask = server;
                checks[0].config = &cluster->kubeconfig;
        }
        int r = health_wait(api_wait_loop(cluster->api), checks, ARRAY_SIZE(components), timeout, on_result, cluster,
                            err);
        return r < 0 ? r : judge(phase, checks, err);
}

/* Row componentHealth: by the configuration alone, all of them without credentials, or by the manifests and the API
 * server as the user of the kubeconfig. */
static int wait_components(struct cluster *cluster, usec_t timeout, struct err *err)
{
        const struct phase *phase = cluster->phase;
        const struct value *row = era_value(phase->era, "cluster", "componentHealth");
        bool configured = str_eq(value_string(value_map_get(row, "by"), ""), "configuration");
        struct health_check checks[ARRAY_SIZE(components)] = {0};
        struct value *pods[ARRAY_SIZE(components)] = {0};
        char limit[TIMEFMT_MAX];
        int r = configured ? 0 : read_manifests(phase, pods, err);

        if (r == 0) {
                duration_text((int64_t)timeout * NSEC_PER_USEC, limit);
                phase_say(phase,
                          "[control-plane-check] Waiting for healthy control plane components. This can take up to %s",
                          limit);
                if (configured)
                        configured_checks(phase, checks);
                else
                        r = manifest_checks(phase, pods, checks, err);
        }
        if (r == 0)
                r = wait_all(cluster, checks, configured, timeout, err);
        for (size_t i = 0; i < ARRAY_SIZE(components); i++) {
                free(checks[i].url);
                (void)value_free(pods[i]);
        }
        return r;
}

/* ---- the API server alone (WaitForAPI) ---- */

/* Where the row wants it the kubelet is asked meanwhile, and with it in vain the API server is given up
 * (WaitForKubeletAndFunc). */
static int wait_server(struct cluster *cluster, struct health_check *server, usec_t timeout, struct err *err)
{
        struct phase *phase = cluster->phase;
        usec_t pauses[PAUSES_MAX];
        bool off;
        char *address CLEANUP_FREE = kubelet_address(phase, &off);
        char *url CLEANUP_FREE = xasprintf("http://%s/healthz", address);
        const struct health_pace pace = {.pauses = pauses,
                                         .count = kubelet_pauses(phase, pauses),
                                         .asking = say_first,
                                         .failed = say_unhealthy,
                                         .userdata = phase};
        struct health_check checks[] = {*server, {.url = url, .pace = &pace}};
        int r = health_wait(api_wait_loop(cluster->api), checks, pace.count > 0 ? 2 : 1, timeout, NULL, NULL, err);

        *server = checks[0];
        return r;
}

static int wait_api(struct cluster *cluster, usec_t timeout, struct err *err)
{
        const struct phase *phase = cluster->phase;
        char *url CLEANUP_FREE = xasprintf("%s/healthz", api_wait_server(cluster->api));
        struct health_check check = {.name = "API server", .url = url, .config = &cluster->kubeconfig};
        bool old = str_eq(era_text(phase->era, "cluster", "waitFor", ""), "api");
        char limit[TIMEFMT_MAX], took[TIMEFMT_MAX];

        duration_text((int64_t)timeout * NSEC_PER_USEC, limit);
        if (!old)
                phase_say(phase, "[api-check] Waiting for a healthy API server. This can take up to %s", limit);
        (void)fflush(phase->options.out);
        int r = wait_server(cluster, &check, timeout, err);
        duration_text((int64_t)check.took * NSEC_PER_USEC, took);
        if (r == 0 && check.healthy && old)
                phase_say(phase, "[apiclient] All control plane components are healthy after %f seconds",
                          (double)check.took / USEC_PER_SEC);
        else if (!old)
                phase_say(phase, "[api-check] The API server is %shealthy after %s", check.healthy ? "" : "not ", took);
        if (r == 0)
                r = tell_check(phase, components[0].name, &check, err);
        if (r == 0 && !check.healthy)
                r = err_set(err, ETIMEDOUT, "%s",
                            old ? "timed out waiting for the condition" : "context deadline exceeded");
        return r;
}

/* ---- together ---- */

/* Row waitFor: api (that alone), kubelet-api (the kubelet first), components; "gate-on" and "gate-off" are the last two
 * by the gate WaitForAllControlPlaneComponents and its default. */
static bool waits_for_components(const struct phase *phase, const char *rule)
{
        const struct config_gates *gates = &phase->config->cluster.feature_gates;
        bool all = str_eq(rule, "components") || str_eq(rule, "gate-on");

        for (size_t i = 0; str_starts(rule, "gate-") && i < gates->count; i++)
                if (str_eq(gates->items[i].name, "WaitForAllControlPlaneComponents"))
                        all = gates->items[i].enabled;
        return all;
}

static int fail(struct cluster *cluster, const char *step, const char *context, struct err *err)
{
        const char *whole = era_text(cluster->phase->era, "cluster", "waitError", NULL);

        say_help(cluster, step, err->msg);
        return whole ? err_set(err, ETIMEDOUT, "%s", whole) : err_wrap(err, "%s", context);
}

int cluster_wait_control_plane(struct cluster *cluster, struct err *err)
{
        const struct phase *phase = cluster->phase;
        const struct config_timeouts *timeouts = &phase->config->init.timeouts;
        usec_t timeout = timeout_of(&timeouts->control_plane_component_health_check);
        const char *rule = era_text(phase->era, "cluster", "waitFor", "");
        bool kubelet = !str_eq(rule, "api");
        struct err why = ERR_INIT;
        char limit[TIMEFMT_MAX];

        duration_text((int64_t)timeout * NSEC_PER_USEC, limit);
        if (kubelet)
                phase_say(phase,
                          "[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods "
                          "from directory \"" MANIFESTS "\"");
        else
                phase_say(
                        phase,
                        "[wait-control-plane] Waiting for the kubelet to boot up the control plane as static Pods from "
                        "directory \"" MANIFESTS "\". This can take up to %s",
                        limit);
        if (cluster->dry_run)
                return 0;
        int r = kubelet ? wait_kubelet(cluster, timeout_of(&timeouts->kubelet_health_check), &why) : 0;
        if (r < 0) {
                (void)fail(cluster, "help-kubelet", "failed while waiting for the kubelet to start", &why);
        } else {
                r = waits_for_components(phase, rule) ? wait_components(cluster, timeout, &why)
                                                      : wait_api(cluster, timeout, &why);
                if (r < 0)
                        (void)fail(cluster, "help-control-plane", "failed while waiting for the control plane to start",
                                   &why);
        }
        if (r < 0 && err)
                *err = why;
        return r;
}
