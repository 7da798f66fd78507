/* SPDX-License-Identifier: Apache-2.0
 *
 * A kubeadm configuration, from its bytes to valid settings, in the era of the version that it names. What is taken has
 * its defaults; what strict reading takes, lenient reading takes as well. Input that begins with "--" is a list of
 * flags in place of a configuration, one a line.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fuzz.h"
#include "phase/config_decode.h"
#include "phase/config_default.h"
#include "phase/config_documents.h"
#include "phase/config_flags.h"
#include "phase/config_validate.h"
#include "phase/kube_proxy_config.h"
#include "phase/kubernetes_version.h"
#include "phase/phase.h"
#include "some_host.h"

static struct era *era;
static FILE *nowhere;

static void start(void)
{
        struct kube_version newest;
        struct err err = ERR_INIT;

        if (era)
                return;
        nowhere = fopen("/dev/null", "we");
        MUST(nowhere && era_new(NULL, &era, &err) == 0);
        MUST(era_newest(era, -1, &newest, NULL) == 0 && era_set_version(era, &newest, NULL) == 0);
}

static void check_settings(struct phase *phase)
{
        const struct phase_config *config = phase->config;
        struct value *proxy CLEANUP_VALUE = NULL;
        char *path CLEANUP_FREE = config_certificate_path(config, "ca.crt");
        char *local CLEANUP_FREE = config_local_endpoint(config);
        char *whole CLEANUP_FREE = config_control_plane_endpoint(config);

        MUST(path && local && whole && strncmp(local, "https://", 8) == 0);
        MUST(!str_empty(config->init.node_registration.name.text));
        MUST(!str_empty(config->init.local_api_endpoint.advertise_address.text));
        MUST(config->init.local_api_endpoint.bind_port.value > 0);
        MUST(config->cluster.kubernetes_version.text[0] == 'v');
        MUST(!str_empty(config->cluster.image_repository.text));
        MUST(kube_proxy_config_render(phase, "/k.conf", &proxy, NULL) == 0 && value_is(proxy, VALUE_MAP));
}

/* The result of kubeadm's steps, each of which goes on from the one before. */
static int decide(struct yaml_documents *documents, unsigned flags, struct err *err)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct phase phase = {.era = era, .config = phase_config_new()};
        bool lenient = flags & CONFIG_DECODE_LENIENT;

        phase.options.host = &host;
        phase.options.out = phase.options.log = nowhere;
        int r = config_decode(phase.config, documents, era, flags, &problems, err);
        if (r == 0)
                r = kube_proxy_config_check(&phase, lenient, &problems, err);
        if (r == 0) {
                config_default_static(phase.config, era);
                r = config_default_dynamic(&phase, &problems, err);
        }
        if (r == 0) {
                config_validate(phase.config, era, &problems);
                r = config_problems_aggregate(&problems, err);
        }
        MUST((r < 0) == (err->code != 0) && problems.count <= LIMIT_CONFIG_PROBLEMS);
        config_problems_print(&problems, true, nowhere);
        if (r == 0) {
                (void)config_check_bind_address(phase.config, NULL);
                check_settings(&phase);
        }
        phase_config_free(phase.config);
        return r;
}

static void check_file(const char *text, size_t len)
{
        static const unsigned modes[] = {0, CONFIG_DECODE_LENIENT | CONFIG_DECODE_ALLOW_EXPERIMENTAL,
                                         CONFIG_DECODE_KNOWN_ONLY | CONFIG_DECODE_ALLOW_DEPRECATED};
        int results[ARRAY_SIZE(modes)];

        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
                struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
                struct kube_version version;
                struct err err = ERR_INIT;

                if (yaml_load("kubeadm.yaml", text, len, i == 1 ? YAML_DUPLICATE_LAST_WINS : 0, &documents, NULL) < 0)
                        return;
                if (era_newest(era, kubernetes_version_minor(config_documents_version(&documents)), &version, NULL) < 0)
                        return;
                MUST(era_set_version(era, &version, NULL) == 0);
                results[i] = decide(&documents, modes[i], &err);
        }
        MUST(results[0] < 0 || results[1] == 0);
}

/* A list, or one of the settings: what stands before the "=" of a line. */
static void take_flag(struct phase_flags *flags, char *line)
{
        const struct {
                const char *name;
                const char **text;
                struct strv *list;
        } known[] = {
                {"--kubernetes-version", &flags->kubernetes_version, NULL},
                {"--image-repository", &flags->image_repository, NULL},
                {"--cert-dir", &flags->cert_dir, NULL},
                {"--apiserver-advertise-address", &flags->apiserver_advertise_address, NULL},
                {"--apiserver-bind-port", &flags->apiserver_bind_port, NULL},
                {"--control-plane-endpoint", &flags->control_plane_endpoint, NULL},
                {"--service-cidr", &flags->service_cidr, NULL},
                {"--service-dns-domain", &flags->service_dns_domain, NULL},
                {"--pod-network-cidr", &flags->pod_network_cidr, NULL},
                {"--node-name", &flags->node_name, NULL},
                {"--cri-socket", &flags->cri_socket, NULL},
                {"--feature-gates", &flags->feature_gates, NULL},
                {"--apiserver-extra-args", NULL, &flags->apiserver_extra_args},
                {"--controller-manager-extra-args", NULL, &flags->controller_manager_extra_args},
                {"--scheduler-extra-args", NULL, &flags->scheduler_extra_args},
                {"--apiserver-cert-extra-sans", NULL, &flags->apiserver_cert_extra_sans},
        };
        char *value = strchr(line, '=');

        if (!value)
                return;
        *value++ = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
                if (!str_eq(known[i].name, line))
                        continue;
                if (known[i].text)
                        *known[i].text = value;
                else
                        strv_add(known[i].list, value);
        }
}

static void check_flags(char *text)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct phase_flags flags = {.kubernetes_version = NULL};
        const struct phase_options options = {.flags = &flags, .config_file = "kubeadm.yaml"};
        struct kube_version version;
        struct err err = ERR_INIT;
        char *line, *rest = text;

        while ((line = strsep(&rest, "\n")))
                take_flag(&flags, line);
        (void)config_flags_check_mixed(&options, era, NULL);
        if (era_newest(era, kubernetes_version_minor(flags.kubernetes_version), &version, NULL) == 0) {
                MUST(era_set_version(era, &version, NULL) == 0);
                int r = config_flags_documents(&flags, era, &documents, &err);
                MUST((r < 0) == (err.code != 0));
                if (r == 0)
                        (void)decide(&documents, 0, &err);
        }
        strv_release(&flags.apiserver_extra_args);
        strv_release(&flags.controller_manager_extra_args);
        strv_release(&flags.scheduler_extra_args);
        strv_release(&flags.apiserver_cert_extra_sans);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text CLEANUP_FREE = xstrndup((const char *)data, size);

        start();
        if (strncmp(text, "--", 2) == 0 && text[2] != '-')
                check_flags(text);
        else
                check_file((const char *)data, size);
        return 0;
}
