/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "phase/component_parts.h"
#include "phase/era_rows.h"
#include "phase/field_error.h"
#include "phase/host.h"
#include "phase/images.h"
#include "phase/kubelet_configuration.h"
#include "phase/kubelet_start.h"
#include "phase/patch.h"
#include "phase/service.h"
#include "phase/template.h"

#define CONTEXT "error execution phase kubelet-start"
#define PATCH_TARGET "kubeletconfiguration"
#define GATE "NodeLocalCRISocket"

const char *kubelet_service(const struct phase *phase)
{
        return !service_exists(phase, "kubelet") && service_exists(phase, "podwatch") ? "podwatch" : "kubelet";
}

/* The socket is in instance-config.yaml and not among the flags. */
static bool has_instance_file(const struct phase *phase)
{
        const char *rule = era_text(phase->era, "kubelet", "instanceConfig", "");
        const struct config_gates *gates = &phase->config->cluster.feature_gates;

        if (str_eq(rule, "") || str_eq(rule, "always"))
                return *rule;
        for (size_t i = 0; i < gates->count; i++)
                if (str_eq(gates->items[i].name, GATE))
                        return gates->items[i].enabled;
        return str_eq(rule, "on");
}

/* nodeutil.GetHostname(""); NULL where the host does not say. Free it. */
static char *host_name(const struct phase *phase)
{
        const struct host *host = phase_host(phase);
        struct err why = ERR_INIT;
        char *name = NULL;

        if (host->name(host->userdata, &name, &why) < 0) {
                phase_warn(phase, "%s", why.msg);
                return NULL;
        }
        str_lower(name);
        return name;
}

static void set_hostname(const struct phase *phase, struct template_variables *variables)
{
        const struct config_node_registration *node = &phase->config->init.node_registration;
        const struct config_arg *override = config_args_last(&node->kubelet_extra_args, "hostname-override");
        const char *name = override ? override->value : node->name.text;
        char *hostname CLEANUP_FREE = host_name(phase);
        bool differs = !str_eq(name, hostname ? hostname : "");

        if (differs)
                phase_detail(phase, 1, "setting kubelet hostname-override to \"%s\"", name);
        template_set_text(variables, "hostnameOverride", differs ? name : NULL, &node->name.place);
}

static bool is_dockershim(const struct phase *phase)
{
        const char *socket = era_text(phase->era, "kubelet", "dockershimSocket", NULL);
        const char *given = phase->config->init.node_registration.cri_socket.text, *path = str_after(given, "unix://");

        return socket && str_eq(socket, path ? path : given);
}

static int add_flag(void *userdata, const char *name, const struct era_row *row, struct err *err)
{
        struct value *flags = userdata;

        (void)err;
        value_map_set(flags, name, value_copy(row->value));
        return 0;
}

/* The default arguments as a command line whose program is "". */
static int default_flags(const struct phase *phase, struct value **ret, struct err *err)
{
        const struct config_text *socket = &phase->config->init.node_registration.cri_socket;
        struct template_variables variables CLEANUP_VARIABLES = {0};
        struct value *flags CLEANUP_VALUE = value_new_map(), *command CLEANUP_VALUE = value_new_list();
        char *pause CLEANUP_FREE = image_pause(phase);
        bool dockershim = is_dockershim(phase);
        bool pause_passed = dockershim || !era_flag(phase->era, "kubelet", "pauseImageOfDockershim");
        int r = era_each(phase->era, "kubelet", "flags.", add_flag, flags, err);

        if (dockershim) {
                (void)value_map_remove(flags, "container-runtime");
                (void)value_map_remove(flags, "container-runtime-endpoint");
                value_map_set(flags, "network-plugin", value_new_string("cni"));
        }
        template_set_text(&variables, "criSocket", has_instance_file(phase) ? NULL : socket->text, &socket->place);
        template_set_text(&variables, "pauseImage", pause_passed ? pause : NULL, NULL);
        set_hostname(phase, &variables);
        if (r == 0)
                r = template_fill(flags, &variables, err);
        if (r < 0)
                return r;
        value_list_add(command, value_new_string(""));
        for (size_t i = 0; i < flags->map.count; i++)
                component_argument_set(command, flags->map.entries[i].key,
                                       value_string(flags->map.entries[i].value, ""),
                                       &flags->map.entries[i].value->place);
        *ret = TAKE_PTR(command);
        return 0;
}

static int add_flags_file(struct phase *phase, struct err *err)
{
        struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT), out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *command CLEANUP_VALUE = NULL;
        int r = default_flags(phase, &command, err);

        if (r < 0)
                return r;
        component_merge_arguments(phase, "kubelet", command, &phase->config->init.node_registration.kubelet_extra_args);
        for (size_t i = 1; i < command->list.count; i++)
                buf_addf(&line, "%s%s", i > 1 ? " " : "", value_string(command->list.items[i], ""));
        r = buf_check(&line, KUBELET_FLAGS_FILE, err);
        if (r < 0)
                return r;
        buf_addstr(&out, "KUBELET_KUBEADM_ARGS=");
        go_quote(buf_str(&line), &out);
        buf_addch(&out, '\n');
        r = buf_check(&out, KUBELET_FLAGS_FILE, err);
        if (r < 0)
                return r;
        phase_say(phase,
                  "[kubelet-start] Writing kubelet environment file with flags to file \"" KUBELET_FLAGS_FILE "\"");
        phase_add_file(phase, KUBELET_FLAGS_FILE, buf_str(&out), out.len, 0644, 0700, PHASE_FILE_DRY_RUN_SHOW);
        phase_file_context(phase, CONTEXT ": error writing a dynamic environment file for the kubelet: failed to write "
                                          "kubelet configuration to the file \"" KUBELET_FLAGS_FILE "\"");
        return 0;
}

static int add_instance_file(struct phase *phase, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        buf_addstr(&out, "containerRuntimeEndpoint: ");
        go_quote(phase->config->init.node_registration.cri_socket.text, &out);
        buf_addch(&out, '\n');
        int r = buf_check(&out, KUBELET_INSTANCE_FILE, err);
        if (r < 0)
                return r;
        phase_say(phase, "[kubelet-start] Writing kubelet configuration to file \"" KUBELET_INSTANCE_FILE "\"");
        phase_add_file(phase, KUBELET_INSTANCE_FILE, buf_str(&out), out.len, 0644, 0700, PHASE_FILE_DRY_RUN_SHOW);
        phase_file_context(phase, CONTEXT ": error writing instance kubelet configuration to disk: failed to write "
                                          "kubelet configuration file \"" KUBELET_INSTANCE_FILE "\"");
        return 0;
}

/* kubeadm 1.20 asks Docker, and the answer counts whatever the user's document says. */
static void set_docker_driver(const struct phase *phase, struct value *config)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
        struct strv argv CLEANUP_STRV = STRV_INIT;
        struct err why = ERR_INIT;

        if (!str_eq(era_text(phase->era, "kubelet", "cgroupDriver", ""), "docker") || !is_dockershim(phase) ||
            !str_empty(phase_host_root(phase)))
                return;
        strv_add(&argv, "docker");
        strv_add(&argv, "info");
        strv_add(&argv, "-f");
        strv_add(&argv, "{{.CgroupDriver}}");
        int r = service_run(&argv, &out, false, &why);
        if (r != 0 || out.len < 2) {
                phase_warn(phase, "cannot automatically set CgroupDriver when starting the Kubelet: %s",
                           r < 0 ? why.msg : "cannot execute 'docker info -f {{.CgroupDriver}}'");
                return;
        }
        value_map_set(config, "cgroupDriver", value_new_stringn(buf_str(&out), strcspn(buf_str(&out), "\n")));
}

/* applyKubeletConfigPatchFromFile: the socket is a patch behind the user's, who may have left no object to be patched.
 */
static int set_socket(const struct phase *phase, struct value **config, struct err *err)
{
        static const char type[] = "application/strategic-merge-patch+json";
        const struct config_text *socket = &phase->config->init.node_registration.cri_socket;
        struct value *patch CLEANUP_VALUE = value_new_map();

        value_map_set(patch, "containerRuntimeEndpoint", value_new_string(socket->text))->place = socket->place;
        if (value_is(*config, VALUE_NULL)) {
                value_free(*config);
                *config = value_new_map();
        }
        if (!value_is(*config, VALUE_MAP)) {
                struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

                json_write(patch, JSON_ESCAPE_HTML, &text);
                return err_set(err, ERR_INVALID,
                               "could not apply kubelet instance configuration as a patch from "
                               "\"" KUBELET_INSTANCE_FILE "\": could not apply the following patch of type \"%s\" to "
                               "target \"" PATCH_TARGET "\":\n%s\n: invalid JSON document",
                               type, buf_str(&text));
        }
        value_map_set(*config, patch->map.entries[0].key, value_copy(patch->map.entries[0].value));
        phase_say(phase, "[patches] Applied patch of type \"%s\" to target \"" PATCH_TARGET "\"", type);
        return 0;
}

static int add_config_file(struct phase *phase, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *config CLEANUP_VALUE = NULL;
        int r = kubelet_configuration_render(phase, true, true, &config, err);

        if (r < 0)
                return r;
        set_docker_driver(phase, config);
        if (era_flag(phase->era, "kubelet", "patches")) {
                r = patch_document(phase, PATCH_TARGET, KUBELET_CONFIGURATION_TYPE, &config, err);
                if (r < 0)
                        return err_wrap(err, "could not apply patches to the KubeletConfiguration");
        }
        r = has_instance_file(phase) ? set_socket(phase, &config, err) : 0;
        if (r < 0)
                return r;
        yaml_write(config, 0, &out);
        r = buf_check(&out, KUBELET_CONFIG_FILE, err);
        if (r < 0)
                return r;
        phase_say(phase, "[kubelet-start] Writing kubelet configuration to file \"" KUBELET_CONFIG_FILE "\"");
        phase_add_file(phase, KUBELET_CONFIG_FILE, buf_str(&out), out.len, 0644, 0700, PHASE_FILE_DRY_RUN_SHOW);
        phase_file_context(phase, CONTEXT ": error writing kubelet configuration to disk: failed to write kubelet "
                                          "configuration file \"" KUBELET_CONFIG_FILE "\"");
        return 0;
}

/* False where there is no init system; a service that is not there is told of. */
static bool can_act(const struct phase *phase, enum service_action told)
{
        if (!service_init_system(phase)) {
                service_tell_absent(phase, SERVICE_NO_INIT_SYSTEM, told);
                return false;
        }
        if (!service_exists(phase, kubelet_service(phase)))
                service_tell_absent(phase, SERVICE_NO_KUBELET, told);
        return true;
}

void kubelet_service_act(const struct phase *phase, enum service_action action)
{
        static const char *const verbs[SERVICE_ACTION_MAX] = {"stop", "restart"};
        struct err why = ERR_INIT;

        if (can_act(phase, SERVICE_STOP) && service_act(phase, action, kubelet_service(phase), &why) < 0)
                phase_warn(phase, "[kubelet-start] WARNING: unable to %s the kubelet service momentarily: [%s]",
                           verbs[action], why.msg);
}

/* TryStartKubelet */
static void start_service(const struct phase *phase)
{
        struct err why = ERR_INIT;

        if (can_act(phase, SERVICE_RESTART) && service_act(phase, SERVICE_RESTART, kubelet_service(phase), &why) < 0) {
                phase_warn(phase, "[kubelet-start] WARNING: unable to start the kubelet service: [%s]", why.msg);
                phase_say(phase, "[kubelet-start] Please ensure kubelet is reloaded and running manually.");
        }
}

static int add_files(struct phase *phase, struct err *err)
{
        int r = add_flags_file(phase, err);

        if (r < 0)
                return err_wrap(err, CONTEXT ": error writing a dynamic environment file for the kubelet");
        if (has_instance_file(phase))
                r = add_instance_file(phase, err);
        if (r == 0)
                r = add_config_file(phase, err);
        return r < 0 ? err_wrap(err, CONTEXT ": error writing kubelet configuration to disk") : 0;
}

int phase_kubelet_start(struct phase *phase, struct err *err)
{
        bool acts = !phase->options.dry_run || phase_tells_actions(phase);

        if (acts) {
                phase_detail(phase, 1, "Stopping the kubelet");
                kubelet_service_act(phase, SERVICE_STOP);
        }
        int r = add_files(phase, err);
        if (r < 0 && !phase->as_kubeadm) {
                phase_discard(phase);
                return r;
        }
        int committed = phase_commit(phase, r < 0 ? NULL : err);
        if (r < 0 || committed < 0)
                return r < 0 ? r : committed;
        if (acts) {
                phase_say(phase, "[kubelet-start] Starting the kubelet");
                start_service(phase);
        }
        return 0;
}
