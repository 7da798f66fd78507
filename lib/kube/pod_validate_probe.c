/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

/* A port number, or the name of one of the container's ports. */
static void validate_port(struct pod_findings *findings, const struct field_path *action, const struct value *container)
{
        struct field_path port = field_child(action, "port");
        const struct value *ports = value_map_get(container, "ports");
        const char *name = value_string(port.value, NULL);

        if (!port.value) {
                field_required(findings, &port, NULL);
                return;
        }
        if (!name) {
                (void)field_check_range(findings, &port, 1, 65535);
                return;
        }
        if (!field_check(findings, &port, meta_port_name))
                return;
        for (size_t i = 0; i < field_count(ports); i++) {
                if (str_eq(field_string(ports->list.items[i], "name", NULL), name))
                        return;
        }
        field_not_found(findings, &port);
}

static void validate_http(struct pod_findings *findings, const struct field_path *action, const struct value *container)
{
        static const char *const schemes[] = {"HTTP", "HTTPS"};
        struct field_path scheme = field_child(action, "scheme"), headers = field_child(action, "httpHeaders");
        const char *text = value_string(scheme.value, schemes[0]);

        validate_port(findings, action, container);
        if (!str_eq(text, schemes[0]) && !str_eq(text, schemes[1]))
                field_not_supported(findings, &scheme, schemes, ARRAY_SIZE(schemes));
        for (size_t i = 0; i < field_count(headers.value); i++) {
                struct field_path header = field_index(&headers, i), name = field_child(&header, "name");

                if (value_is(header.value, VALUE_MAP) && !name.value)
                        field_required(findings, &name, NULL);
                (void)field_check(findings, &name, meta_http_header_name);
        }
}

static void validate_action(const struct pod_validation *pod, enum pod_handler_type type,
                            const struct field_path *action, const struct value *container)
{
        struct field_path command = field_child(action, "command"), seconds = field_child(action, "seconds");
        int64_t n = field_int(action->value, "seconds", 0);

        switch (type) {
        case POD_HANDLER_EXEC:
                if (!command.value)
                        field_required(pod->findings, &command, NULL);
                break;
        case POD_HANDLER_HTTP_GET:
                validate_http(pod->findings, action, container);
                break;
        case POD_HANDLER_TCP_SOCKET:
        case POD_HANDLER_GRPC:
                validate_port(pod->findings, action, container);
                break;
        case POD_HANDLER_SLEEP:
                if (n < 0 || n > pod->grace_seconds)
                        field_invalid(pod->findings, &seconds,
                                      "must be non-negative and less than terminationGracePeriodSeconds (%lld)",
                                      (long long)pod->grace_seconds);
                break;
        case POD_HANDLER_NONE:
        case POD_HANDLER_MAX:
                break;
        }
}

/* Exactly one kind of action. */
static void validate_handler(const struct pod_validation *pod, const struct field_path *handler,
                             const struct value *container)
{
        size_t count = 0;

        for (int type = POD_HANDLER_EXEC; type < POD_HANDLER_MAX; type++) {
                struct field_path action = field_child(handler, pod_handler_names.names[type]);

                if (!action.value)
                        continue;
                if (count++ > 0)
                        field_forbidden(pod->findings, &action, "may not specify more than 1 handler type");
                else if (value_is(action.value, VALUE_MAP))
                        validate_action(pod, (enum pod_handler_type)type, &action, container);
        }
        if (count == 0)
                field_required(pod->findings, handler, "must specify a handler type");
}

static void validate_probe(const struct pod_validation *pod, const struct field_path *probe,
                           const struct value *container, enum pod_probe_kind kind)
{
        static const char *const counts[] = {"initialDelaySeconds", "timeoutSeconds", "periodSeconds",
                                             "successThreshold", "failureThreshold"};
        struct field_path success = field_child(probe, "successThreshold");
        struct field_path grace = field_child(probe, "terminationGracePeriodSeconds");

        validate_handler(pod, probe, container);
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
                struct field_path path = field_child(probe, counts[i]);

                if (field_int(probe->value, counts[i], 0) < 0)
                        field_invalid(pod->findings, &path, "must be greater than or equal to 0");
        }
        if (kind != POD_PROBE_READINESS && field_int(probe->value, "successThreshold", 1) != 1)
                field_invalid(pod->findings, &success, "must be 1");
        if (kind == POD_PROBE_READINESS && grace.value)
                field_invalid(pod->findings, &grace, "must not be set for readinessProbes");
        else if (field_int(probe->value, "terminationGracePeriodSeconds", 1) <= 0)
                field_invalid(pod->findings, &grace, "must be greater than 0");
}

void pod_validate_probes(const struct pod_validation *pod, const struct field_path *container, bool may_have)
{
        static const char *const hooks[] = {"postStart", "preStop"};
        struct field_path lifecycle = field_child(container, "lifecycle");

        if (lifecycle.value && !may_have)
                field_forbidden(pod->findings, &lifecycle,
                                "may not be set for init containers without restartPolicy=Always");
        for (size_t i = 0; i < ARRAY_SIZE(hooks) && may_have; i++) {
                struct field_path hook = field_child(&lifecycle, hooks[i]);

                if (value_is(hook.value, VALUE_MAP))
                        validate_handler(pod, &hook, container->value);
        }
        for (int kind = 0; kind < POD_PROBE_KIND_MAX; kind++) {
                struct field_path probe = field_child(container, pod_probe_field_names.names[kind]);

                if (probe.value && !may_have)
                        field_forbidden(pod->findings, &probe,
                                        "may not be set for init containers without restartPolicy=Always");
                else if (value_is(probe.value, VALUE_MAP))
                        validate_probe(pod, &probe, container->value, (enum pod_probe_kind)kind);
        }
}
