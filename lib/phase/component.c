/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "phase/address.h"
#include "phase/arguments.h"
#include "phase/component.h"
#include "phase/component_parts.h"
#include "phase/era_rows.h"
#include "phase/images.h"

void component_set_url(struct template_variables *variables, const char *name, const char *scheme, const char *host,
                       int port, const struct value_place *place)
{
        char port_text[16];

        (void)snprintf(port_text, sizeof(port_text), "%d", port);
        char *address CLEANUP_FREE = hostport_join(host, port_text);
        template_set_textf(variables, place, name, "%s://%s", scheme, address);
}

const char *component_localhost(const struct phase *phase)
{
        return ip_text_is_v6(phase->config->init.local_api_endpoint.advertise_address.text) ? "::1" : "127.0.0.1";
}

static const char *probe_address(const char *address)
{
        return !*address || str_eq(address, "0.0.0.0") || str_eq(address, "::") ? NULL : address;
}

void component_set_probe_host(struct template_variables *variables, const struct config_args *args)
{
        const struct config_arg *bind = config_args_last(args, "bind-address");

        template_set_text(variables, "probeHost", bind ? probe_address(bind->value) : "127.0.0.1",
                          bind ? &bind->place : NULL);
}

static int64_t startup_failures(const struct phase *phase)
{
        const int64_t period = INT64_C(10) * 1000000000;
        int64_t timeout = phase->config->init.timeouts.control_plane_component_health_check.nsec;

        /* rounded up, also below zero */
        return timeout / period + (timeout % period > 0 ? 1 : 0);
}

static void set_image(const struct phase *phase, const struct component *component,
                      struct template_variables *variables)
{
        char *image CLEANUP_FREE = image_component(phase, component->name);
        const struct value_place place = image_component_place(phase);

        template_set_text(variables, "image", image, &place);
}

static void set_common(const struct phase *phase, const struct component *component,
                       struct template_variables *variables)
{
        const struct config_cluster *cluster = &phase->config->cluster;
        const struct config_endpoint *endpoint = &phase->config->init.local_api_endpoint;
        const struct config_duration *timeout = &phase->config->init.timeouts.control_plane_component_health_check;
        char *pki CLEANUP_FREE = file_clean(cluster->certificates_dir.text);
        int64_t failures = startup_failures(phase);

        /* "${pki}/ca.crt" is filepath.Join; the root alone would double its slash. */
        template_set_text(variables, "pki", str_eq(pki, "/") ? "" : pki, &cluster->certificates_dir.place);
        template_set_text(variables, "certificatesDir", cluster->certificates_dir.text,
                          &cluster->certificates_dir.place);
        if (!component->own_image)
                set_image(phase, component, variables);
        template_set_text(variables, "advertiseAddress", endpoint->advertise_address.text,
                          &endpoint->advertise_address.place);
        template_set_number(variables, "bindPort", endpoint->bind_port.value, &endpoint->bind_port.place);
        template_set_text(variables, "serviceSubnet", cluster->networking.service_subnet.text,
                          &cluster->networking.service_subnet.place);
        template_set_number(variables, "startupFailures", failures, &timeout->place);
        if (failures == 0)
                template_set_text(variables, "startupFailures", NULL, NULL);
        const struct config_gates *gates = &cluster->feature_gates;
        template_set_text(variables, "dualStackGate", NULL, NULL);
        for (size_t i = 0; i < gates->count; i++)
                if (str_eq(gates->items[i].name, "IPv6DualStack"))
                        template_set_textf(variables, &gates->items[i].place, "dualStackGate", "IPv6DualStack=%s",
                                           gates->items[i].enabled ? "true" : "false");
}

struct target {
        const struct phase *phase;
        struct value *value; /* the pod, or its command */
};

static void show_row(const struct target *target, const struct era_row *row)
{
        phase_detail(target->phase, 4, "%s:%u: %s of %s %s", row->place.file, row->place.line, row->path,
                     row->component, row->value ? "set" : "removed");
}

static int apply_pod_row(void *userdata, const char *path, const struct era_row *row, struct err *err)
{
        const struct target *target = userdata;
        struct err why = ERR_INIT;

        show_row(target, row);
        if (!row->value)
                (void)template_path_remove(target->value, path);
        else if (template_path_set(target->value, path, row->value, &why) < 0)
                return value_error(&row->place, err, ERR_INVALID, "%s", why.msg);
        return 0;
}

static int apply_argument_row(void *userdata, const char *name, const struct era_row *row, struct err *err)
{
        const struct target *target = userdata;

        show_row(target, row);
        if (!row->value) {
                component_argument_remove(target->value, name);
                return 0;
        }
        if (!value_is(row->value, VALUE_STRING))
                return value_error(&row->place, err, ERR_INVALID, "args.%s: the value must be a string", name);
        component_argument_set(target->value, name, row->value->text, &row->value->place);
        return 0;
}

static int apply_rows(const struct phase *phase, const struct component *component, struct value *pod, struct err *err)
{
        const char *const groups[] = {"static-pod", component->name};
        int r = 0;

        for (size_t i = component->kubeadm_pod ? 0 : 1; i < ARRAY_SIZE(groups) && r == 0; i++) {
                struct target target = {phase, pod};

                r = era_each(phase->era, groups[i], "pod.", apply_pod_row, &target, err);
                target.value = template_path_get(pod, "spec.containers[0].command");
                if (r == 0 && value_is(target.value, VALUE_LIST))
                        r = era_each(phase->era, groups[i], "args.", apply_argument_row, &target, err);
        }
        return r;
}

static void add_user_volumes(struct value *pod, const struct config_volumes *volumes)
{
        for (size_t i = 0; i < volumes->count; i++) {
                const struct config_volume *v = &volumes->items[i];
                component_add_volume(pod, v->name.text, v->host_path.text, v->mount_path.text, v->path_type.text,
                                     v->read_only.value, &v->place);
        }
}

/* The image's version decides rows of etcd. */
static void choose_etcd_rows(const struct phase *phase)
{
        struct kube_version version;

        era_set_etcd(phase->era,
                     kube_version_parse(image_etcd_tag(phase), false, &version, NULL) == 0 ? &version : NULL);
}

int component_render(const struct phase *phase, const struct component *component, struct value **ret, struct err *err)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *pod CLEANUP_VALUE = NULL;
        char *file CLEANUP_FREE = xasprintf("%s.yaml", component->name);
        struct config_component settings = component->settings(phase);
        const struct value *template;

        if (component->etcd_rows)
                choose_etcd_rows(phase);
        int r = era_template(phase->era, file, &template, err);
        if (r < 0)
                return r;
        pod = value_copy(template);
        r = apply_rows(phase, component, pod, err);
        if (r < 0)
                return r;
        set_common(phase, component, &variables);
        component->variables(phase, &variables);
        r = template_fill(pod, &variables, err);
        if (r < 0)
                return r;
        struct value *container = template_path_get(pod, "spec.containers[0]");
        struct value *command = value_map_get(container, "command");
        if (!value_is(container, VALUE_MAP) || !value_is(command, VALUE_LIST) || command->list.count == 0)
                return value_error(&pod->place, err, ERR_INVALID,
                                   "template %s: spec.containers[0].command must be a list of strings", file);
        component_merge_arguments(phase, component->name, command, &settings.extra_args);
        component_merge_environment(phase, container, component->proxies, &settings.extra_envs);
        if (component->volumes)
                component->volumes(phase, pod);
        add_user_volumes(pod, &settings.extra_volumes);
        if (component->sorted_volumes)
                component_sort_volumes(pod);
        r = arguments_apply_configured(phase, component, pod, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pod);
        return 0;
}
