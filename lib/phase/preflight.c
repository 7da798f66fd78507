/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "codec/value.h"
#include "kube/version.h"
#include "phase/address.h"
#include "phase/images.h"
#include "phase/kubernetes_version.h"
#include "phase/preflight.h"
#include "phase/reset_files.h"
#include "phase/service.h"

#define MANIFESTS "/etc/kubernetes/manifests/"
#define FORWARD_V4 "/proc/sys/net/ipv4/ip_forward"
#define FORWARD_V6 "/proc/sys/net/ipv6/conf/default/forwarding"
#define BRIDGE_V4 "/proc/sys/net/bridge/bridge-nf-call-iptables"
#define BRIDGE_V6 "/proc/sys/net/bridge/bridge-nf-call-ip6tables"
#define SCHEDULER_PORT 10259
#define CONTROLLER_MANAGER_PORT 10257
#define KUBELET_PORT 10250
#define ETCD_CLIENT_PORT 2379
#define ETCD_PEER_PORT 2380

bool preflight_agent_is_podwatch(const struct phase *phase)
{
        char *kubelet CLEANUP_FREE = service_look_path("kubelet");

        return !phase->as_kubeadm && !kubelet;
}

/* "FileAvailable--etc-kubernetes-manifests-etcd.yaml" */
static char *check_name(const char *kind, const char *path)
{
        char *name = xasprintf("%s-%s", kind, path);

        for (char *c = name; *c; c++)
                if (*c == '/')
                        *c = '-';
        return name;
}

static void check_absent(struct preflight_report *report, const char *path)
{
        char *check CLEANUP_FREE = check_name("FileAvailable", path);

        if (phase_exists(report->phase, path))
                preflight_error(report, check, "%s already exists", path);
}

static void check_empty(struct preflight_report *report, const char *path)
{
        char *check CLEANUP_FREE = check_name("DirAvailable", path);

        if (phase_exists(report->phase, path) && !reset_directory_is_empty(report->phase, path))
                preflight_error(report, check, "%s is not empty", path);
}

static void check_there(struct preflight_report *report, const struct config_text *path)
{
        if (!str_empty(path->text) && !phase_exists(report->phase, path->text))
                preflight_error(report, "ExternalEtcdClientCertificates", "%s doesn't exist", path->text);
}

static void check_kubernetes_version(struct preflight_report *report)
{
        const struct kube_version *kubeadm = era_version(report->phase->era);
        const char *wanted = report->phase->config->cluster.kubernetes_version.text;
        struct kube_version version;

        if (kube_version_parse(wanted, false, &version, NULL) < 0 || version.major < kubeadm->major ||
            version.minor <= kubeadm->minor)
                return;
        preflight_warning(report, "KubernetesVersion",
                          "Kubernetes version is greater than kubeadm version. Please consider to upgrade kubeadm. "
                          "Kubernetes version: %s. Kubeadm version: %d.%d.x",
                          wanted[0] == 'v' ? wanted + 1 : wanted, kubeadm->major, kubeadm->minor);
}

static void check_manifests(struct preflight_report *report)
{
        static const char *const names[] = {"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                char *path CLEANUP_FREE = xasprintf(MANIFESTS "%s.yaml", names[i]);
                check_absent(report, path);
        }
}

/* The families that the cluster uses: of its subnets and of the advertise address. */
struct families {
        bool v4, v6;
};

static void note_family(struct families *families, bool v4)
{
        families->v4 |= v4;
        families->v6 |= !v4;
}

static void check_subnets(struct preflight_report *report, const char *subnets, struct families *families)
{
        struct strv parts CLEANUP_STRV = STRV_INIT;
        struct ip_subnet subnet;
        char *part;

        strv_split(&parts, subnets, ',');
        STRV_FOREACH (part, &parts) {
                preflight_check_proxy_subnet(report, part);
                if (ip_subnet_parse(part, &subnet) == 0)
                        note_family(families, subnet.bits == 32);
        }
}

static bool ipv4_always(const struct preflight_report *report)
{
        return era_flag(report->phase->era, "preflight", "ipv4Always");
}

static void check_forwarding_v4(struct preflight_report *report)
{
        if (era_flag(report->phase->era, "preflight", "bridge"))
                preflight_check_content(report, BRIDGE_V4, "1");
        preflight_check_content(report, FORWARD_V4, "1");
}

static void check_forwarding_v6(struct preflight_report *report)
{
        if (era_flag(report->phase->era, "preflight", "bridge"))
                preflight_check_content(report, BRIDGE_V6, "1");
        preflight_check_content(report, FORWARD_V6, "1");
}

/* addCommonChecks */
static void check_node(struct preflight_report *report, const struct preflight_options *options)
{
        const char *name = report->phase->config->init.node_registration.name.text;
        bool podwatch = preflight_agent_is_podwatch(report->phase);

        if (podwatch)
                preflight_check_docker(report, options);
        else
                preflight_check_runtime(report);
        if (ipv4_always(report))
                check_forwarding_v4(report);
        preflight_check_swap(report);
        preflight_check_programs(report);
        preflight_check_system(report, !podwatch);
        preflight_check_node_name(report, name);
        if (!podwatch)
                preflight_check_kubelet_version(report);
        preflight_check_service(report, podwatch ? "podwatch" : "kubelet", false);
        preflight_check_port(report, NULL, KUBELET_PORT);
}

/* The address that a component is told to listen on, where the era looks at it. */
static const char *bound_to(const struct preflight_report *report, const struct config_component *component)
{
        const struct config_arg *address = config_args_last(&component->extra_args, "bind-address");

        return address && era_flag(report->phase->era, "preflight", "portAddresses") ? address->value : NULL;
}

static int check_etcd(struct preflight_report *report, const struct preflight_runtime *runtime, bool here,
                      struct err *err)
{
        const struct phase_config *config = report->phase->config;
        const struct config_etcd *etcd = &config->cluster.etcd;
        const struct config_arg *given =
                config_args_last(&config->cluster.api_server.component.extra_args, "advertise-address");
        const char *address =
                given && *given->value ? given->value : config->init.local_api_endpoint.advertise_address.text;

        if (!era_flag(report->phase->era, "preflight", "portAddresses"))
                address = NULL;

        if (!etcd->external.set) {
                if (here) {
                        preflight_check_port(report, address, ETCD_CLIENT_PORT);
                        preflight_check_port(report, address, ETCD_PEER_PORT);
                }
                check_empty(report, etcd->local.data_dir.text);
                return 0;
        }
        int r = here && runtime->external_etcd ? runtime->external_etcd(report, err) : 0;
        if (r < 0)
                return r;
        if (here && !runtime->external_etcd)
                phase_detail(report->phase, 1, "ExternalEtcdVersion: a dry run does not ask an external etcd");
        check_there(report, &etcd->external.ca_file);
        check_there(report, &etcd->external.cert_file);
        check_there(report, &etcd->external.key_file);
        return 0;
}

/* InitNodeChecks, in its order. here: this machine is the one that is set up. */
static int check_all(struct preflight_report *report, const struct preflight_options *options, bool here,
                     struct err *err)
{
        const struct phase_config *config = report->phase->config;
        const struct config_cluster *cluster = &config->cluster;
        int bind_port = (int)config->init.local_api_endpoint.bind_port.value;
        const char *address = config->init.local_api_endpoint.advertise_address.text;
        struct families families = {.v4 = false};
        struct ip_address ip;

        if (here && !preflight_agent_is_podwatch(report->phase))
                preflight_open_runtime(report);
        if (here) {
                preflight_check_processors(report);
                preflight_check_memory(report);
        }
        check_kubernetes_version(report);
        if (here) {
                preflight_check_firewalld(report, bind_port);
                preflight_check_port(report, bound_to(report, &cluster->api_server.component), bind_port);
                preflight_check_port(report, bound_to(report, &cluster->scheduler), SCHEDULER_PORT);
                preflight_check_port(report, bound_to(report, &cluster->controller_manager), CONTROLLER_MANAGER_PORT);
        }
        check_manifests(report);
        preflight_check_proxy(report, address);
        check_subnets(report, config->cluster.networking.service_subnet.text, &families);
        check_subnets(report, config->cluster.networking.pod_subnet.text, &families);
        /* There the subnets do not count. */
        if (ipv4_always(report))
                families = (struct families){.v4 = false};
        if (ip_parse(address, &ip) == 0)
                note_family(&families, ip.v4);
        if (here) {
                check_node(report, options);
                if (families.v4 && !ipv4_always(report))
                        check_forwarding_v4(report);
                if (families.v6)
                        check_forwarding_v6(report);
        }
        return check_etcd(report, &options->runtime, here, err);
}

static int pull_images(struct phase *phase, struct preflight_report *report, const struct preflight_runtime *runtime,
                       struct err *err)
{
        const char *policy = report->phase->config->init.node_registration.image_pull_policy.text;
        struct strv images CLEANUP_STRV = STRV_INIT;
        const char *image;

        if (str_eq(policy, "Never")) {
                phase_detail(report->phase, 1, "skipping the pull of all images due to policy: %s", policy);
                return 0;
        }
        images_list(report->phase, &images);
        STRV_FOREACH (image, &images) {
                struct err why = ERR_INIT;
                if (runtime->pull(runtime->userdata, phase, image, str_eq(policy, "Always"), &why) < 0)
                        preflight_error(report, "ImagePull", "%s", why.msg);
        }
        return preflight_report_end(report, err);
}

static int run(struct phase *phase, struct preflight_report *report, const struct preflight_options *options,
               struct err *err)
{
        bool here = str_empty(phase->options.rootfs);
        int r;

        phase_say(phase, "[preflight] Running pre-flight checks");
        (void)fflush(phase->options.out);
        preflight_check_root(report);
        r = preflight_report_end(report, err);
        if (r < 0)
                return r;
        r = check_all(report, options, here, err);
        if (r < 0)
                return r;
        r = preflight_report_end(report, err);
        if (r < 0)
                return r;
        if (phase->options.dry_run || !options->runtime.pull) {
                phase_say(phase, "[preflight] Would pull the required images (like 'kubeadm config images pull')");
                return 0;
        }
        phase_say(phase, "[preflight] Pulling images required for setting up a Kubernetes cluster");
        phase_say(phase,
                  "[preflight] This might take a minute or two, depending on the speed of your internet connection");
        phase_say(phase, "[preflight] You can also perform this action %sbeforehand using 'kubeadm config images pull'",
                  era_text(phase->era, "preflight", "beforehand", ""));
        (void)fflush(phase->options.out);
        return pull_images(phase, report, &options->runtime, err);
}

int phase_preflight(struct phase *phase, const struct preflight_options *options, struct err *err)
{
        struct preflight_report report CLEANUP(preflight_report_release) = {.phase = phase};

        preflight_report_init(&report, phase, &phase->config->init.node_registration.ignore_preflight_errors,
                              phase->options.ignored_checks);
        int r = run(phase, &report, options, err);
        return r < 0 ? err_wrap(err, "error execution phase preflight") : 0;
}
