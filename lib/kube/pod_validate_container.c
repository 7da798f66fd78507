/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "kube/image_ref.h"
#include "kube/meta.h"
#include "kube/pod.h"
#include "kube/pod_names.h"
#include "kube/pod_validate.h"

static void validate_image(struct pod_findings *findings, const struct field_path *container)
{
        struct field_path image = field_child(container, "image");
        const char *text = value_string(image.value, NULL);
        struct err err = ERR_INIT;
        struct image_ref ref;

        if (!image.value)
                field_required(findings, &image, NULL);
        else if (text && *text && (isspace((unsigned char)*text) || isspace((unsigned char)text[strlen(text) - 1])))
                field_invalid(findings, &image, "must not have leading or trailing whitespace");
        else if (text && image_ref_parse(text, &ref, &err) < 0)
                field_invalid(findings, &image, "%s", err.msg);
}

static void validate_enum(struct pod_findings *findings, const struct field_path *parent, const char *name,
                          const struct pod_names *names)
{
        struct field_path path = field_child(parent, name);

        if (value_is(path.value, VALUE_STRING) && pod_names_find(names, path.value->text) < 0)
                field_not_supported(findings, &path, names->names, names->count);
}

static void validate_sub_path(struct pod_findings *findings, const struct field_path *mount)
{
        struct field_path sub = field_child(mount, "subPath"), expr = field_child(mount, "subPathExpr");

        (void)field_check(findings, &sub, meta_path_descending);
        if (sub.value && expr.value)
                field_invalid(findings, &expr, "subPathExpr and subPath are mutually exclusive");
        (void)field_check(findings, &expr, meta_path_descending);
}

/* Whether one of the first `before` items of the list has this string under key. */
static bool taken(const struct value *list, size_t before, const char *key, const char *text)
{
        for (size_t i = 0; i < before; i++) {
                if (str_eq(field_string(list->list.items[i], key, NULL), text))
                        return true;
        }
        return false;
}

static void validate_port(const struct pod_validation *pod, const struct field_path *ports, size_t at, bool init)
{
        struct pod_findings *findings = pod->findings;
        struct field_path port = field_index(ports, at), name = field_child(&port, "name");
        struct field_path number = field_child(&port, "containerPort"), host = field_child(&port, "hostPort");
        struct field_path ip = field_child(&port, "hostIP");

        if (name.value && field_check(findings, &name, meta_port_name) &&
            taken(ports->value, at, "name", value_string(name.value, "")))
                field_duplicate(findings, &name, NULL);
        if (!number.value || field_int(port.value, "containerPort", -1) == 0)
                field_required(findings, &number, NULL);
        else
                (void)field_check_range(findings, &number, 1, 65535);
        (void)field_check_range(findings, &host, 1, 65535);
        validate_enum(findings, &port, "protocol", &pod_protocol_names);
        (void)field_check(findings, &ip, meta_ip);
        /* Kubernetes has this rule for app containers alone. */
        if (pod->host_network && !init && number.value && host.value && !value_equal(number.value, host.value))
                field_invalid(findings, &host, "must match `containerPort` when `hostNetwork` is true");
}

static void validate_ports(const struct pod_validation *pod, const struct field_path *container, bool init)
{
        struct field_path ports = field_child(container, "ports");

        for (size_t i = 0; i < field_count(ports.value); i++) {
                if (value_is(ports.value->list.items[i], VALUE_MAP))
                        validate_port(pod, &ports, i, init);
        }
}

/* A host port that a container asks for. */
struct claim {
        char *text; /* "TCP/127.0.0.1/80" */
        size_t container, port;
};

struct claims {
        struct claim *items;
        size_t count;
};

static void claims_release(struct claims *claims)
{
        for (size_t i = 0; i < claims->count; i++)
                free(claims->items[i].text);
        free(claims->items);
        *claims = (struct claims){0};
}

static void claims_add(struct claims *claims, const struct value *containers, size_t at)
{
        const struct value *ports = value_map_get(containers->list.items[at], "ports");

        if (field_count(ports) == 0)
                return;
        claims->items = xrealloc(claims->items, claims->count + ports->list.count, sizeof(*claims->items));
        for (size_t i = 0; i < ports->list.count; i++) {
                const struct value *port = ports->list.items[i];
                int64_t number = field_int(port, "hostPort", 0);

                if (number != 0)
                        claims->items[claims->count++] = (struct claim){
                                .text = xasprintf("%.8s/%.64s/%lld", field_string(port, "protocol", ""),
                                                  field_string(port, "hostIP", ""), (long long)number),
                                .container = at,
                                .port = i,
                        };
        }
}

static int compare_claims(const void *a, const void *b)
{
        const struct claim *x = a, *y = b;
        int r = strcmp(x->text, y->text);

        if (r != 0)
                return r;
        if (x->container != y->container)
                return x->container < y->container ? -1 : 1;
        return x->port < y->port ? -1 : x->port > y->port;
}

/* Of those that ask for the same, each but the first is one too many. */
static void report_clashes(struct pod_findings *findings, const struct field_path *list, struct claims *claims)
{
        if (claims->count > 0)
                qsort(claims->items, claims->count, sizeof(*claims->items), compare_claims);
        for (size_t i = 1; i < claims->count; i++) {
                const struct claim *claim = &claims->items[i];

                if (str_eq(claim->text, claims->items[i - 1].text)) {
                        struct field_path container = field_index(list, claim->container);
                        struct field_path ports = field_child(&container, "ports");
                        struct field_path port = field_index(&ports, claim->port);
                        struct field_path host = field_child(&port, "hostPort");

                        field_duplicate(findings, &host, claim->text);
                }
        }
}

static bool is_privileged(const struct value *container)
{
        return field_bool(value_map_get(container, "securityContext"), "privileged", false);
}

static void validate_mount(const struct pod_validation *pod, const struct field_path *container,
                           const struct field_path *mounts, size_t at)
{
        struct pod_findings *findings = pod->findings;
        struct field_path mount = field_index(mounts, at), name = field_child(&mount, "name");
        struct field_path path = field_child(&mount, "mountPath"), mode = field_child(&mount, "mountPropagation");
        const struct value *volumes = value_map_get(pod->spec, "volumes");
        const char *name_text = value_string(name.value, NULL), *path_text = value_string(path.value, NULL);

        if (!name.value || str_eq(name_text, ""))
                field_required(findings, &name, NULL);
        else if (name_text && !taken(volumes, field_count(volumes), "name", name_text))
                field_not_found(findings, &name);
        if (!path.value || str_eq(path_text, ""))
                field_required(findings, &path, NULL);
        else if (path_text && taken(mounts->value, at, "mountPath", path_text))
                field_invalid(findings, &path, "must be unique");
        validate_sub_path(findings, &mount);
        validate_enum(findings, &mount, "mountPropagation", &pod_propagation_names);
        if (str_eq(value_string(mode.value, NULL), pod_propagation_names.names[POD_PROPAGATION_BIDIRECTIONAL]) &&
            !is_privileged(container->value))
                field_forbidden(findings, &mode,
                                "Bidirectional mount propagation is available only to privileged containers");
}

static void validate_mounts(const struct pod_validation *pod, const struct field_path *container)
{
        struct field_path mounts = field_child(container, "volumeMounts");

        for (size_t i = 0; i < field_count(mounts.value); i++) {
                if (value_is(mounts.value->list.items[i], VALUE_MAP))
                        validate_mount(pod, container, &mounts, i);
        }
}

/* An init container that is no sidecar is never restarted to be resized. */
static void validate_init_resize(const struct pod_validation *pod, const struct field_path *container)
{
        struct field_path list = field_child(container, "resizePolicy");

        for (size_t i = 0; i < field_count(list.value); i++) {
                struct field_path item = field_index(&list, i), policy = field_child(&item, "restartPolicy");

                if (str_eq(value_string(policy.value, ""), "RestartContainer"))
                        field_invalid(pod->findings, &policy,
                                      "must not be set to 'RestartContainer' for non-sidecar initContainers");
        }
}

static void validate_container(const struct pod_validation *pod, const struct field_path *container, bool init)
{
        static const char *const message_policies[] = {"File", "FallbackToLogsOnError"};
        struct pod_findings *findings = pod->findings;
        struct field_path name = field_child(container, "name");
        struct field_path policy = field_child(container, "terminationMessagePolicy");
        const char *text = value_string(policy.value, message_policies[0]);
        bool sidecar = str_eq(field_string(container->value, "restartPolicy", ""),
                              pod_restart_policy_name(POD_RESTART_ALWAYS));

        if (!name.value || str_eq(value_string(name.value, NULL), ""))
                field_required(findings, &name, NULL);
        else
                (void)field_check(findings, &name, meta_dns1123_label);
        validate_image(findings, container);
        if (!str_eq(text, message_policies[0]) && !str_eq(text, message_policies[1]))
                field_not_supported(findings, &policy, message_policies, ARRAY_SIZE(message_policies));
        validate_ports(pod, container, init);
        pod_validate_env(pod, container);
        validate_mounts(pod, container);
        validate_enum(findings, container, "imagePullPolicy", &pod_pull_policy_names);
        pod_validate_resources(pod, container);
        pod_validate_security(pod, container);
        pod_validate_restart(findings, container);
        if (init && !sidecar)
                validate_init_resize(pod, container);
        pod_validate_probes(pod, container, !init || sidecar);
}

/* Names are unique among all containers of the pod. */
static void claim_name(struct pod_findings *findings, const struct field_path *container, struct strv *names)
{
        struct field_path name = field_child(container, "name");
        const char *text = value_string(name.value, "");

        if (*text && strv_contains(names, text))
                field_duplicate(findings, &name, NULL);
        else if (*text)
                strv_add(names, text);
}

static void validate_list(const struct pod_validation *pod, const struct field_path *list, bool init,
                          struct strv *names)
{
        struct claims claims CLEANUP(claims_release) = {0};

        if (field_count(list->value) > LIMIT_CONTAINERS_PER_POD) {
                field_too_many(pod->findings, list, field_count(list->value), LIMIT_CONTAINERS_PER_POD);
                return;
        }
        for (size_t i = 0; i < field_count(list->value); i++) {
                struct field_path container = field_index(list, i);

                if (!value_is(container.value, VALUE_MAP))
                        continue;
                validate_container(pod, &container, init);
                claim_name(pod->findings, &container, names);
                claims_add(&claims, list->value, i);
                if (init) { /* these run one by one, so only their own ports can clash */
                        report_clashes(pod->findings, list, &claims);
                        claims_release(&claims);
                }
        }
        report_clashes(pod->findings, list, &claims);
}

void pod_validate_containers(const struct pod_validation *pod, const struct field_path *spec)
{
        struct field_path containers = field_child(spec, "containers"), init = field_child(spec, "initContainers");
        struct strv names CLEANUP_STRV = STRV_INIT;

        if (!containers.value)
                field_required(pod->findings, &containers, NULL);
        validate_list(pod, &containers, false, &names);
        validate_list(pod, &init, true, &names);
}
