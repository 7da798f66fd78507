/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cli.h"
#include "base/err.h"
#include "fixture.h"
#include "phase/host.h"

#define INIT_HEAD                              \
        "apiVersion: kubeadm.k8s.io/v1beta4\n" \
        "kind: InitConfiguration\n"
#define INIT INIT_HEAD "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n"
#define CLUSTER                                     \
        "---\napiVersion: kubeadm.k8s.io/v1beta4\n" \
        "kind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"

static int nothing(struct phase *phase, const char *arg, struct err *err)
{
        (void)phase;
        (void)arg;
        (void)err;
        return 0;
}

static void assert_contains(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("\"%s\" does not hold \"%s\"", text, part);
}

/* The run fails with exactly this text, and says `line` where line is given. */
static void assert_refused(struct fixture *f, const char *yaml, const char *message, const char *line)
{
        fixture_config(f, yaml);
        if (fixture_run(f, nothing, NULL) >= 0)
                fail_msg("taken: %s", yaml);
        /* places hold the path of the test's directory */
        const char *text =
                strncmp(f->err.msg, f->dir, strlen(f->dir)) == 0 ? f->err.msg + strlen(f->dir) + 1 : f->err.msg;
        assert_string_equal(text, message);
        if (line)
                assert_contains(f->log, line);
}

static int check_defaults(struct phase *phase, const char *arg, struct err *err)
{
        const struct config_cluster *c = &phase->config->cluster;
        const struct config_init *i = &phase->config->init;

        (void)arg;
        (void)err;
        assert_string_equal(c->networking.service_subnet.text, "10.96.0.0/12");
        assert_string_equal(c->networking.service_subnet.place.origin, "default");
        assert_string_equal(c->networking.pod_subnet.text, "");
        assert_string_equal(c->certificates_dir.text, "/etc/kubernetes/pki");
        assert_string_equal(c->image_repository.text, "registry.k8s.io");
        assert_string_equal(c->cluster_name.text, "kubernetes");
        assert_string_equal(c->encryption_algorithm.text, "RSA-2048");
        assert_true(c->certificate_validity_period.nsec == INT64_C(8760) * 3600 * 1000000000);
        assert_true(c->etcd.local.set);
        assert_false(c->etcd.external.set);
        assert_string_equal(c->etcd.local.data_dir.text, "/var/lib/etcd");
        assert_int_equal(i->local_api_endpoint.bind_port.value, 6443);
        assert_int_equal(i->node_registration.taints.count, 1);
        assert_string_equal(i->node_registration.taints.items[0].key.text, "node-role.kubernetes.io/control-plane");
        assert_string_equal(i->node_registration.cri_socket.text, "unix:///var/run/containerd/containerd.sock");
        assert_int_equal(i->bootstrap_tokens.count, 1);
        assert_string_equal(i->bootstrap_tokens.items[0].usages.items[1].text, "authentication");
        assert_string_equal(c->kubernetes_version.text, "v1.36.3");
        char *local CLEANUP_FREE = config_local_endpoint(phase->config);
        assert_string_equal(local, "https://192.0.2.10:6443");
        return 0;
}

static void test_defaults(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, INIT CLUSTER);
        assert_int_equal(fixture_run(f, check_defaults, NULL), 0);
        /* One of the two documents is enough, and a label stands for the newest kubeadm. */
        fixture_config(f, INIT);
        assert_int_equal(fixture_run(f, nothing, NULL), 0);
}

static int check_decoded(struct phase *phase, const char *arg, struct err *err)
{
        const struct config_cluster *c = &phase->config->cluster;
        const struct config_args *args = &c->api_server.component.extra_args;

        (void)arg;
        (void)err;
        assert_string_equal(phase->config->init.node_registration.name.text, "upper");
        assert_string_equal(phase->config->init.local_api_endpoint.advertise_address.text, "2001:db8::1");
        assert_string_equal(c->control_plane_endpoint.text, "cp.example.org:7443");
        assert_string_equal(c->api_server.cert_sans.items[0].text, "api.example.org");
        assert_int_equal(args->count, 3);
        assert_string_equal(args->items[2].value, "2");
        assert_int_equal(args->items[2].place.line, 11);
        assert_string_equal(config_args_last(args, "v")->value, "2");
        assert_null(config_args_last(args, "none"));
        assert_true(c->api_server.component.extra_volumes.items[0].read_only.value);
        assert_string_equal(c->api_server.component.extra_envs.items[0].name, "FOO");
        assert_true(phase->config->kubelet != NULL);
        assert_int_equal(phase->config->init.node_registration.taints.count, 0);
        char *url CLEANUP_FREE = config_control_plane_endpoint(phase->config);
        assert_string_equal(url, "https://cp.example.org:7443");
        return 0;
}

static void test_decode(void **state)
{
        struct fixture *f = *state;

        fixture_config(f, CLUSTER
                       "controlPlaneEndpoint: cp.example.org\n"
                       "apiServer:\n"
                       "  certSANs: [API.example.org]\n"
                       "  extraArgs:\n"
                       "  - {name: v, value: '1'}\n"
                       "  - {value: b, name: a}\n"
                       "  - name: v\n"
                       "    value: '2'\n"
                       "  extraVolumes: [{name: x, hostPath: /a, mountPath: /b, readOnly: true, pathType: File}]\n"
                       "  extraEnvs: [{name: FOO, value: bar}]\n"
                       "---\n" INIT_HEAD "localAPIEndpoint: {advertiseAddress: '2001:DB8:0:0::1', bindPort: 7443}\n"
                       "nodeRegistration: {name: ' UPPER ', taints: []}\n"
                       "---\napiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
        if (fixture_run(f, check_decoded, NULL) < 0)
                fail_msg("%s", f->err.msg);
}

static void test_mistakes_of_form(void **state)
{
        struct fixture *f = *state;

        assert_refused(f, INIT "nodeRegistraton: {}\n",
                       "error unmarshaling configuration schema.GroupVersionKind{Group:\"kubeadm.k8s.io\", "
                       "Version:\"v1beta4\", "
                       "Kind:\"InitConfiguration\"}: strict decoding error: unknown field \"nodeRegistraton\"",
                       "kubeadm.yaml:5:1: unknown field \"nodeRegistraton\"; did you mean \"nodeRegistration\"?");
        assert_refused(f, INIT CLUSTER "apiServer:\n  extraArgs: {v: '1'}\n",
                       "kubeadm.yaml:10:14: apiServer.extraArgs: expected a list of {name, value}, found a map", NULL);
        assert_refused(f, INIT CLUSTER "clusterName: 5\n",
                       "kubeadm.yaml:9:14: clusterName: expected a string, found the number 5 (put it in quotes)",
                       NULL);
        assert_refused(f, INIT CLUSTER "etcd: {local: []}\n",
                       "kubeadm.yaml:9:15: etcd.local: expected a map, found a list", NULL);
        assert_refused(f, INIT_HEAD "localAPIEndpoint: {bindPort: 6443.5}\n",
                       "kubeadm.yaml:3:30: localAPIEndpoint.bindPort: expected a whole number of 32 bits, found the "
                       "number 6443.5",
                       NULL);
        assert_refused(
                f, INIT "timeouts: {discovery: 5 minutes}\n",
                "kubeadm.yaml:5:23: timeouts.discovery: time: unknown unit \" minutes\" in duration \"5 minutes\"",
                NULL);
        assert_refused(f, INIT CLUSTER "apiServer: {extraEnvs: [{name: A, valu: b}]}\n",
                       "error unmarshaling configuration schema.GroupVersionKind{Group:\"kubeadm.k8s.io\", "
                       "Version:\"v1beta4\", "
                       "Kind:\"ClusterConfiguration\"}: strict decoding error: unknown field "
                       "\"apiServer.extraEnvs[0].valu\"",
                       "did you mean \"value\"?");
        /* All of them at once; the text at the end is the first document's, in kubeadm's order. */
        assert_refused(
                f, INIT "aa: 1\n" CLUSTER "bb: 1\ncc: 1\n",
                "error unmarshaling configuration schema.GroupVersionKind{Group:\"kubeadm.k8s.io\", "
                "Version:\"v1beta4\", "
                "Kind:\"ClusterConfiguration\"}: strict decoding error: unknown field \"bb\", unknown field \"cc\"",
                ":5:1: unknown field \"aa\"");
        assert_contains(f->log, ":10:1: unknown field \"bb\"");
        assert_contains(f->log, ":11:1: unknown field \"cc\"");
}

static void test_unknown_fields_as_kubeadm(void **state)
{
        struct fixture *f = *state;

        f->version = "v1.36.3";
        /* Go's JSON finds them in any case; an item of a list that is null is an empty one. */
        fixture_config(f, INIT "---\nApiVersion: kubeadm.k8s.io/v1beta4\nKIND: ClusterConfiguration\n"
                               "scheduler: {extraEnvs: [null]}\n");
        assert_int_equal(fixture_run(f, nothing, NULL), 0);
        assert_contains(f->log, "kubeadm.yaml:7:1: warning: unknown field \"KIND\"");
        /* The kind of a document is looked at before the next one's text. */
        assert_refused(f, "apiVersion: a/b/c\nkind: X\n---\na: [\n", "unexpected GroupVersion string: a/b/c", NULL);
        fixture_config(f, INIT CLUSTER "noSuchField: 1\nclusterName: a\nclusterName: b\n");
        assert_int_equal(fixture_run(f, nothing, NULL), 0);
        assert_contains(f->log, "kubeadm.yaml:9:1: warning: unknown field \"noSuchField\"");
        assert_contains(f->log, "duplicate key \"clusterName\"");
}

static void test_mistakes_of_documents(void **state)
{
        struct fixture *f = *state;

        assert_refused(f, INIT "---\n" INIT,
                       "invalid configuration: kind \"InitConfiguration\" is specified twice in YAML file", NULL);
        assert_refused(
                f, "a: b\n",
                "invalid configuration for GroupVersionKind /, Kind=: kind and apiVersion is mandatory information "
                "that must be specified",
                "kubeadm.yaml:1:1: invalid configuration for");
        assert_refused(f, "apiVersion: a/b/c\nkind: InitConfiguration\n", "unexpected GroupVersion string: a/b/c",
                       "kubeadm.yaml:1:1: unexpected GroupVersion");
        assert_refused(f, "apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\n",
                       "no InitConfiguration or ClusterConfiguration kind was found in the configuration file",
                       "kubeadm.yaml:1:1: no InitConfiguration or ClusterConfiguration kind");
        assert_refused(f, "apiVersion: kubeadm.k8s.io/v1beta9\nkind: InitConfiguration\n",
                       "no kind \"InitConfiguration\" is registered for version \"kubeadm.k8s.io/v1beta9\" in scheme "
                       "\"pkg/runtime/scheme.go:111\"",
                       NULL);
        assert_refused(f, "apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
                       "no InitConfiguration or ClusterConfiguration kind was found in the configuration file", NULL);
        /* In the order of kubeadm: its own documents first, each with its version before what is in it. */
        assert_refused(
                f, CLUSTER "apiServer: text\n---\napiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
                "kubeadm.yaml:5:12: apiServer: expected a map, found a string", NULL);
        assert_refused(f,
                       "apiVersion: kubeadm.k8s.io/v1beta9\nkind: InitConfiguration\n" CLUSTER
                       "clusterName: a\nclusterName: b\n",
                       "kubeadm.yaml:8:1: duplicate key \"clusterName\": it is already at line 7, column 1", NULL);
        assert_refused(f, "apiVersion: a/b\nkind: InitConfiguration\n",
                       "no kind \"InitConfiguration\" is registered for version \"a/b\" in scheme "
                       "\"pkg/runtime/scheme.go:111\"",
                       NULL);
        assert_refused(f, CLUSTER "---\napiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n",
                       "unsupported apiVersion \"kubelet.config.k8s.io/v1\", you may have to do manual conversion to "
                       "\"kubelet.config.k8s.io/v1beta1\" and run kubeadm again",
                       "kubeadm.yaml:6:1: unsupported apiVersion");
        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta2\nkind: InitConfiguration\n");
        assert_true(fixture_run(f, nothing, NULL) < 0);
        assert_contains(f->err.msg, "your configuration file uses an old API spec: \"kubeadm.k8s.io/v1beta2\"");
        assert_contains(f->log, "kubeadm.yaml:1:1: your configuration file uses an old API spec");
        fixture_config(f, INIT "---\napiVersion: v1\nkind: Pod\n");
        assert_true(fixture_run(f, nothing, NULL) < 0);
        fixture_config(f, INIT "---\napiVersion: example.org/v1\nkind: Thing\n");
        assert_int_equal(fixture_run(f, nothing, NULL), 0);
        assert_contains(f->log, "Ignored configuration document with GroupVersionKind example.org/v1, Kind=Thing");
}

static void test_validation(void **state)
{
        static const struct {
                const char *yaml, *message;
        } rows[] = {
                {"networking: {serviceSubnet: 10.0.0.0/29}\n",
                 "networking.serviceSubnet: Invalid value: \"10.0.0.0/29\": subnet with 8 address(es) is too small, "
                 "the minimum is "
                 "10"},
                {"networking: {serviceSubnet: 10.0.0.0/8, podSubnet: nonsense}\n",
                 "[networking.serviceSubnet: Invalid value: \"10.0.0.0/8\": specified service subnet is too large; for "
                 "32-bit "
                 "addresses, the mask must be >= 12, networking.podSubnet: Invalid value: \"nonsense\": couldn't parse "
                 "subnet]"},
                {"networking: {podSubnet: 10.0.0.0/7}\n", "networking.podSubnet: Invalid value: \"10.0.0.0/7\": pod "
                                                          "subnet mask (7) and node-mask (24) difference is "
                                                          "greater than 16"},
                {"networking: {podSubnet: 10.244.0.0/25}\n", "networking.podSubnet: Invalid value: \"10.244.0.0/25\": "
                                                             "the size of pod subnet with mask 25 is smaller than the "
                                                             "size of node subnet with mask 24"},
                {"networking: {podSubnet: '10.244.0.0/16,10.245.0.0/16'}\n",
                 "networking.podSubnet: Invalid value: \"10.244.0.0/16,10.245.0.0/16\": expected one (IPv4 or IPv6) "
                 "CIDR or two "
                 "CIDRs from each family for dual-stack networking"},
                {"networking: {podSubnet: 10.244.0.0/16}\n"
                 "controllerManager: {extraArgs: [{name: node-cidr-mask-size-ipv4, value: '-9223372036854775808'}]}\n",
                 "networking.podSubnet: Invalid value: \"10.244.0.0/16\": the size of pod subnet with mask 16 is "
                 "smaller than "
                 "the size of node subnet with mask -9223372036854775808"},
                {"networking: {podSubnet: 10.244.0.0/16}\n"
                 "controllerManager: {extraArgs: [{name: node-cidr-mask-size-ipv4, value: x}]}\n",
                 "networking.podSubnet: Invalid value: \"10.244.0.0/16\": could not parse the value of the "
                 "kube-controller-manager flag node-cidr-mask-size-ipv4 as an integer: strconv.Atoi: parsing \"x\": "
                 "invalid "
                 "syntax"},
                {"featureGates: {NoSuchGate: true, B: false}\n",
                 "[featureGates: Invalid value: {\"B\":false,\"NoSuchGate\":true}: B is not a valid feature name., "
                 "featureGates: "
                 "Invalid value: {\"B\":false,\"NoSuchGate\":true}: NoSuchGate is not a valid feature name.]"},
                {"certificatesDir: pki\nimageRepository: a//b\n",
                 "[certificatesDir: Invalid value: \"pki\": path is not absolute, imageRepository: Invalid value: "
                 "\"a//b\": "
                 "invalid image repository format]"},
                {"etcd: {local: {}, external: {}}\n",
                 "etcd: Invalid value: \"\": .Etcd.Local and .Etcd.External are mutually exclusive"},
                {"etcd: {external: {endpoints: ['http://10.0.0.2:2379'], certFile: /c}}\n",
                 "[etcd.external: Invalid value: \"\": either both or none of .Etcd.External.CertFile and "
                 ".Etcd.External.KeyFile "
                 "must be set, etcd.external.endpoints: Invalid value: \"http://10.0.0.2:2379\": the URL must be using "
                 "the HTTPS "
                 "scheme]"},
                {"etcd: {external: {endpoints: [], certFile: c, keyFile: /k}}\n",
                 "[etcd.external: Invalid value: \"\": setting .Etcd.External.CertFile and .Etcd.External.KeyFile "
                 "requires "
                 ".Etcd.External.CAFile, etcd.external.endpoints: Invalid value: \"\": at least one endpoint must be "
                 "specified, "
                 "etcd.external.certFile: Invalid value: \"c\": path is not absolute]"},
                {"etcd: {external: {endpoints: ['host:2379']}}\n", NULL},
                {"etcd: {external: {endpoints: ['10.0.0.1']}}\n",
                 "[etcd.external.endpoints: Invalid value: \"10.0.0.1\": the URL without scheme is not allowed, "
                 "etcd.external.httpEndpoints: Invalid value: \"10.0.0.1\": the URL without scheme is not allowed]"},
                {"encryptionAlgorithm: RSA-1024\n", "encryptionAlgorithm: Invalid value: \"RSA-1024\": Invalid "
                                                    "encryption algorithm \"RSA-1024\". Must be one of "
                                                    "[ECDSA-P256 ECDSA-P384 RSA-2048 RSA-3072 RSA-4096]"},
                {"apiServer: {extraArgs: [{value: x}]}\n",
                 "apiServer.extraArgs: Invalid value: \"index 0\": argument has no name"},
                {"controlPlaneEndpoint: 'bad:port:x'\n",
                 "hostport bad:port:x: host 'bad:port:x' must be a valid IP address or a valid RFC-1123 DNS subdomain"},
                {"kubernetesVersion: v1.34.0\n", "this version of kubeadm only supports deploying clusters with the "
                                                 "control plane version >= 1.35.0. Current "
                                                 "version: v1.34.0"},
                {"kubernetesVersion: newest\n", "version \"newest\" doesn't match patterns for neither semantic "
                                                "version nor labels (stable, latest, ...)"},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *yaml CLEANUP_FREE = xasprintf(
                        "%s---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n%s%s", INIT,
                        strstr(rows[i].yaml, "kubernetesVersion") ? "" : "kubernetesVersion: 1.36.3\n", rows[i].yaml);
                f->version = "v1.36.3";
                if (rows[i].message) {
                        assert_refused(f, yaml, rows[i].message, "kubeadm.yaml:");
                } else {
                        fixture_config(f, yaml);
                        if (fixture_run(f, nothing, NULL) < 0)
                                fail_msg("%s", f->err.msg);
                }
        }
}

static void test_validation_of_init(void **state)
{
        static const struct {
                const char *yaml, *message;
        } rows[] = {
                {"localAPIEndpoint: {advertiseAddress: 0.0.0.x}\n",
                 "couldn't use \"0.0.0.x\" as \"apiserver-advertise-address\", must be ipv4 or ipv6 address"},
                {"localAPIEndpoint: {advertiseAddress: 224.0.0.1}\n",
                 "cannot use \"224.0.0.1\" as the bind address for the API Server"},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1, bindPort: 70000}\n",
                 "localAPIEndpoint.bindPort: Invalid value: 70000: port number is not valid"},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1}\nnodeRegistration: {criSocket: 'tcp://x'}\n", NULL},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1}\nnodeRegistration: {imagePullPolicy: Sometimes}\n",
                 "nodeRegistration.imagePullPolicy: Invalid value: \"Sometimes\": invalid pull policy"},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1}\ncertificateKey: xy\n",
                 "certificateKey: Invalid value: \"xy\": certificate key decoding error: encoding/hex: invalid byte: "
                 "U+0078 'x'"},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1}\ncertificateKey: abcd\n",
                 "certificateKey: Invalid value: \"abcd\": invalid certificate key size 2, the key must be an AES key "
                 "of size 32"},
                {"localAPIEndpoint: {advertiseAddress: 10.0.0.1}\nbootstrapTokens: [{usages: [signing, b, a]}]\n",
                 "[bootstrapTokens.0.usages: Invalid value: [\"signing\",\"b\",\"a\"]: invalid bootstrap token usage "
                 "string: a,b, "
                 "valid usage options: signing,authentication, bootstrapTokens.0.groups: Invalid value: "
                 "[\"system:bootstrappers:kubeadm:default-node-token\"]: token groups cannot be specified unless "
                 "--usages "
                 "includes \"authentication\"]"},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *yaml CLEANUP_FREE = xasprintf("%s%s", INIT_HEAD, rows[i].yaml);
                if (strstr(yaml, "nodeRegistration") == NULL) {
                        char *named = xasprintf("%snodeRegistration: {name: node1}\n", yaml);
                        free(yaml);
                        yaml = named;
                }
                if (rows[i].message)
                        assert_refused(f, yaml, rows[i].message, NULL);
        }
}

/* Addresses and name of a host that is not this one. */
static int fake_name(void *userdata, char **ret, struct err *err)
{
        (void)err;
        *ret = xstrdup(userdata);
        return 0;
}

static int fake_default(void *userdata, bool prefer_v6, struct ip_address *ret, struct err *err)
{
        (void)err;
        if (strcmp(userdata, "lonely") == 0)
                return 1;
        return ip_parse(prefer_v6 ? "fd00::7" : "198.51.100.7", ret);
}

static int fake_loopback(void *userdata, struct ip_address *ret, struct err *err)
{
        (void)userdata;
        (void)err;
        return ip_parse("203.0.113.9", ret);
}

static void assert_address(struct fixture *f, const char *host_name, const char *wanted, const char *expected)
{
        char *yaml CLEANUP_FREE = xasprintf("%slocalAPIEndpoint: {advertiseAddress: '%s'}\n", INIT_HEAD, wanted);
        char *config CLEANUP_FREE = xasprintf("%s/kubeadm.yaml", f->dir);
        char *name CLEANUP_FREE = xstrdup(host_name);
        const struct host host = {fake_name, fake_default, fake_loopback, .userdata = name};
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;
        char *log = NULL;
        size_t len;
        FILE *out = open_memstream(&log, &len);
        const struct phase_options options = {.config_file = config,
                                              .templates_dir = getenv("TEST_TEMPLATES"),
                                              .host = &host,
                                              .out = out,
                                              .log = out};

        fixture_config(f, yaml);
        int r = phase_open(&options, &phase, &err);
        (void)fclose(out);
        free(log);
        if (!expected) {
                assert_string_equal(err.msg, "cannot use \"0.0.0.0\" as the bind address for the API Server");
                return;
        }
        if (r < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(phase->config->init.local_api_endpoint.advertise_address.text, expected);
        assert_string_equal(phase->config->init.node_registration.name.text, "big.example.org");
}

static void test_facts_of_the_host(void **state)
{
        struct fixture *f = *state;

        assert_address(f, "Big.example.org", "", "198.51.100.7");
        assert_address(f, "Big.example.org", "0.0.0.0", "198.51.100.7");
        assert_address(f, "Big.example.org", "::", "fd00::7");
        assert_address(f, "Big.example.org", "127.0.0.1", "203.0.113.9");
        assert_address(f, "Big.example.org", "10.1.2.3", "10.1.2.3");
        assert_address(f, "lonely", "", NULL);
}

static void test_flags(void **state)
{
        struct phase_flags flags = {
                .kubernetes_version = "1.36.1",
                .apiserver_advertise_address = "10.0.0.5",
                .apiserver_bind_port = "7443",
                .pod_network_cidr = "10.244.0.0/16",
                .node_name = "node7",
                .feature_gates = "RootlessControlPlane=false, PublicKeysECDSA = true",
        };
        const struct host host = {fake_name, fake_default, fake_loopback, NULL};
        struct phase_options options = {.flags = &flags,
                                        .templates_dir = getenv("TEST_TEMPLATES"),
                                        .host = &host,
                                        .out = stderr,
                                        .log = stderr};
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        (void)state;
        strv_add(&flags.apiserver_extra_args, "v=4,profiling=false");
        strv_add(&flags.apiserver_cert_extra_sans, "a.example.org");
        if (phase_open(&options, &phase, &err) < 0)
                fail_msg("%s", err.msg);
        const struct config_cluster *c = &phase->config->cluster;
        assert_int_equal(era_version(phase->era)->minor, 36);
        assert_string_equal(c->kubernetes_version.text, "v1.36.1");
        assert_string_equal(c->kubernetes_version.place.origin, "kubernetes-version");
        assert_int_equal(phase->config->init.local_api_endpoint.bind_port.value, 7443);
        assert_string_equal(config_args_last(&c->api_server.component.extra_args, "profiling")->value, "false");
        assert_string_equal(c->api_server.cert_sans.items[0].text, "a.example.org");
        assert_true(config_gate_enabled(phase->config, "PublicKeysECDSA"));
        assert_false(config_gate_enabled(phase->config, "RootlessControlPlane"));
        phase = phase_free(phase);

        options.config_file = "/nonexistent";
        options.kubeadm_version = "v1.36.3";
        assert_true(phase_open(&options, &phase, &err) < 0);
        assert_string_equal(err.msg,
                            "can not mix '--config' with arguments [apiserver-advertise-address apiserver-bind-port "
                            "apiserver-cert-extra-sans apiserver-extra-args feature-gates kubernetes-version "
                            "pod-network-cidr]");
        phase = phase_free(phase);
        /* Those of the phases that talk to an API server are told with the others. */
        struct cli_seen seen = {.names = STRV_INIT};
        const struct phase_flags one = {.pod_network_cidr = "10.0.0.0/16"};
        options.seen = &seen;
        options.flags = &one;
        strv_add(&seen.names, "token");
        strv_add(&seen.words, "--token=abcdef.0123456789abcdef");
        strv_add(&seen.values, "abcdef.0123456789abcdef");
        assert_true(phase_open(&options, &phase, &err) < 0);
        assert_string_equal(err.msg, "can not mix '--config' with arguments [pod-network-cidr token]");
        phase = phase_free(phase);
        strv_release(&seen.names);
        strv_release(&seen.words);
        strv_release(&seen.values);
        options.seen = NULL;
        options.flags = &flags;
        strv_release(&flags.apiserver_extra_args);
        strv_release(&flags.apiserver_cert_extra_sans);
        flags = (struct phase_flags){.node_name = "node7"};
        assert_true(phase_open(&options, &phase, &err) < 0);
        assert_string_equal(
                err.msg, "unable to read config from \"/nonexistent\" : open /nonexistent: no such file or directory");
}

static void assert_bad_flag(struct phase_flags flags, const char *message)
{
        const struct host host = {fake_name, fake_default, fake_loopback, NULL};
        const struct phase_options options = {.flags = &flags,
                                              .templates_dir = getenv("TEST_TEMPLATES"),
                                              .host = &host,
                                              .out = stderr,
                                              .log = stderr};
        struct phase *phase CLEANUP_PHASE = NULL;
        struct err err = ERR_INIT;

        flags.kubernetes_version = "1.36.1";
        flags.node_name = "node7";
        assert_true(phase_open(&options, &phase, &err) < 0);
        assert_string_equal(err.msg, message);
        strv_release(&flags.apiserver_extra_args);
}

static void test_bad_flags(void **state)
{
        struct phase_flags args = {.cert_dir = NULL};

        (void)state;
        assert_bad_flag((struct phase_flags){.feature_gates = "Nope=true"}, "unrecognized feature-gate key: Nope");
        assert_bad_flag((struct phase_flags){.feature_gates = "PublicKeysECDSA"},
                        "missing bool value for feature-gate key:PublicKeysECDSA");
        assert_bad_flag((struct phase_flags){.feature_gates = "PublicKeysECDSA=maybe"},
                        "invalid value maybe for feature-gate key: PublicKeysECDSA, use true|false instead");
        assert_bad_flag(
                (struct phase_flags){.apiserver_bind_port = "x"},
                "invalid argument \"x\" for \"--apiserver-bind-port\" flag: strconv.ParseInt: parsing \"x\": invalid "
                "syntax");
        strv_add(&args.apiserver_extra_args, "a=b=c");
        assert_bad_flag(
                args,
                "invalid argument \"a=b=c\" for \"--apiserver-extra-args\" flag: malformed key=value pair in flag "
                "value: a=b=c");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_defaults, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_decode, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_mistakes_of_form, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_unknown_fields_as_kubeadm, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_mistakes_of_documents, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_validation, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_validation_of_init, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_facts_of_the_host, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_flags, fixture_setup, fixture_teardown),
                cmocka_unit_test(test_bad_flags),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
