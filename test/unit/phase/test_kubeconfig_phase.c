/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "codec/base64.h"
#include "fixture.h"
#include "kube/kubeconfig.h"
#include "phase/certs.h"
#include "phase/kubeconfig_phase.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define DIR "/etc/kubernetes"
#define ADMIN DIR "/admin.conf"
#define FAILED "error execution phase kubeconfig/admin: "
#define NOT_LOADED FAILED "failed to load kubeconfig file /etc/kubernetes/admin.conf that already exists on disk: "

static int certs(struct phase *phase, const char *name, struct err *err)
{
        return certs_run(phase, name, NULL, err);
}

static int kubeconfig(struct phase *phase, const char *name, struct err *err)
{
        return kubeconfig_phase_run(phase, name, NULL, err);
}

static int elsewhere(struct phase *phase, const char *name, struct err *err)
{
        return kubeconfig_phase_run(phase, name, "/srv/conf", err);
}

static void says(struct fixture *f, const char *name, const char *text)
{
        if (fixture_run(f, kubeconfig, name) < 0)
                fail_msg("%s", f->err.msg);
        assert_string_equal(f->out, text);
}

static void fails(struct fixture *f, const char *name, const char *text)
{
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, kubeconfig, name) < 0);
        assert_string_equal(f->err.msg, text);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void load(const struct fixture *f, const char *path, struct kubeconfig *ret)
{
        struct err err = ERR_INIT;

        if (kubeconfig_load(f->root, path, ret, &err) < 0)
                fail_msg("%s", err.msg);
}

static struct pki_cert *parse(const char *pem)
{
        struct pki_certs loaded CLEANUP_PKI_CERTS = {.items = NULL};

        assert_int_equal(pki_certs_load(pem, strlen(pem), &loaded, NULL), 0);
        return TAKE_PTR(loaded.items[0]);
}

static void has(const struct fixture *f, const char *path, const char *subject, const char *server)
{
        struct kubeconfig config CLEANUP_KUBECONFIG = {.cluster = NULL};
        char *ca_pem CLEANUP_FREE = fixture_get(f, DIR "/pki/ca.crt");
        struct pki_key *key CLEANUP_PKI_KEY = NULL;

        assert_int_equal(fixture_mode(f, path), 0600);
        load(f, path, &config);
        struct pki_cert *ca CLEANUP_PKI_CERT = parse(ca_pem), *cert CLEANUP_PKI_CERT = parse(config.cert_pem);
        const struct pki_cert_facts *facts = pki_cert_facts(cert);
        char *context CLEANUP_FREE = xasprintf("%s@kubernetes", facts->common_name);
        assert_string_equal(facts->subject, subject);
        assert_string_equal(config.server, server);
        assert_string_equal(config.user, facts->common_name);
        assert_string_equal(config.context, context);
        assert_string_equal(config.cluster, "kubernetes");
        assert_string_equal(config.ca_pem, ca_pem);
        assert_int_equal(facts->usages, PKI_USAGE_CLIENT);
        assert_true(facts->not_before == pki_cert_facts(ca)->not_before);
        assert_int_equal(pki_verify_chain(cert, NULL, 0, ca, time(NULL), NULL), 0);
        assert_int_equal(pki_key_load(config.key_pem, strlen(config.key_pem), &key, NULL), 0);
        assert_int_equal(pki_verify_key(cert, key, NULL), 0);
}

static void test_all(void **state)
{
        struct fixture *f = *state;
        char *config CLEANUP_FREE = xasprintf("%scontrolPlaneEndpoint: lb.example.org:8443\n", plain_config);
        static const char lb[] = "https://lb.example.org:8443", local[] = "https://192.0.2.10:6443";

        fixture_config(f, config);
        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        says(f, "all",
             "[kubeconfig] Using kubeconfig folder \"/etc/kubernetes\"\n"
             "[kubeconfig] Writing \"admin.conf\" kubeconfig file\n"
             "[kubeconfig] Writing \"super-admin.conf\" kubeconfig file\n"
             "[kubeconfig] Writing \"kubelet.conf\" kubeconfig file\n"
             "[kubeconfig] Writing \"controller-manager.conf\" kubeconfig file\n"
             "[kubeconfig] Writing \"scheduler.conf\" kubeconfig file\n");
        has(f, ADMIN, "CN=kubernetes-admin,O=kubeadm:cluster-admins", lb);
        has(f, DIR "/super-admin.conf", "CN=kubernetes-super-admin,O=system:masters", lb);
        has(f, DIR "/kubelet.conf", "CN=system:node:node1,O=system:nodes", local);
        has(f, DIR "/controller-manager.conf", "CN=system:kube-controller-manager", local);
        has(f, DIR "/scheduler.conf", "CN=system:kube-scheduler", local);
        assert_false(fixture_has(f, DIR "/proxy.conf"));
        char *before CLEANUP_FREE = fixture_digest(f);
        says(f, "all",
             "[kubeconfig] Using kubeconfig folder \"/etc/kubernetes\"\n"
             "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/admin.conf\"\n"
             "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/super-admin.conf\"\n"
             "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/kubelet.conf\"\n"
             "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/controller-manager.conf\"\n"
             "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/scheduler.conf\"\n");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        says(f, "proxy", "[kubeconfig] Writing \"proxy.conf\" kubeconfig file\n");
        has(f, DIR "/proxy.conf", "CN=system:kube-proxy", lb);
}

static void test_directory(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        assert_int_equal(fixture_run(f, elsewhere, "scheduler"), 0);
        assert_string_equal(f->out, "[kubeconfig] Writing \"scheduler.conf\" kubeconfig file\n");
        has(f, "/srv/conf/scheduler.conf", "CN=system:kube-scheduler", "https://192.0.2.10:6443");
}

/* "preferences: {}" went with 1.34. */
static void test_eras(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        for (int i = 0; i < 2; i++) {
                f->version = i ? "v1.35.4" : "v1.36.3";
                fixture_remove(f, ADMIN);
                if (fixture_run(f, kubeconfig, "admin") < 0)
                        fail_msg("%s", f->err.msg);
                char *text CLEANUP_FREE = fixture_get(f, ADMIN);
                assert_null(strstr(text, "preferences"));
        }
}

static void test_no_ca(void **state)
{
        struct fixture *f = *state;

        fails(f, "admin",
              FAILED
              "couldn't create a kubeconfig; the CA files couldn't be loaded: failed to load certificate: couldn't "
              "load the certificate file /etc/kubernetes/pki/ca.crt: open "
              "/etc/kubernetes/pki/ca.crt: no such "
              "file or directory");
        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        assert_int_equal(fixture_run(f, certs, "etcd-ca"), 0);
        fixture_copy(f, DIR "/pki/etcd/ca.key", DIR "/pki/ca.key");
        fails(f, "all",
              FAILED "failure while creating kubernetes-admin client certificate: unable to sign certificate: x509: "
                     "provided PrivateKey doesn't match parent's PublicKey (/etc/kubernetes/pki/ca.key is not the key "
                     "of /etc/kubernetes/pki/ca.crt)");
}

/* text with the part between from and the end of its line replaced */
static void change(struct fixture *f, const char *text, const char *from, const char *to)
{
        const char *at = strstr(text, from);

        assert_non_null(at);
        char *out CLEANUP_FREE = xasprintf("%.*s%s%s", (int)(at - text), text, to, strchrnul(at, '\n'));
        fixture_put(f, ADMIN, out);
}

static void test_existing(void **state)
{
        struct fixture *f = *state;
        static const char using[] = "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/admin.conf\"\n";
        static const char invalid[] =
                FAILED "the kubeconfig file \"/etc/kubernetes/admin.conf\" contains an invalid CA "
                       "cert";

        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        says(f, "admin", "[kubeconfig] Writing \"admin.conf\" kubeconfig file\n");
        char *good CLEANUP_FREE = fixture_get(f, ADMIN);

        change(f, good, "server: ", "server: https://other:1");
        says(f, "admin", using);
        assert_non_null(strstr(f->log, "a kubeconfig file \"/etc/kubernetes/admin.conf\" exists already but has an "
                                       "unexpected API Server URL: expected: https://192.0.2.10:6443, got: "
                                       "https://other:1"));
        change(f, good, "client-key-data: ", "token: x"); /* how its user authenticates does not count */
        says(f, "admin", using);
        change(f, good, "certificate-authority-data: ", "certificate-authority: /etc/kubernetes/pki/ca.crt");
        says(f, "admin", using);
        change(f, good, "certificate-authority-data: ", "certificate-authority: pki/ca.crt");
        says(f, "admin", using);
        change(f, good, "certificate-authority-data: ", "insecure-skip-tls-verify: true");
        fails(f, "admin", invalid);
        change(f, good, "certificate-authority-data: ", "certificate-authority-data: eA==");
        fails(f, "admin", invalid);
        change(f, good, "certificate-authority-data: ", "certificate-authority-data: '!'");
        fails(f, "admin", NOT_LOADED "/etc/kubernetes/admin.conf:4:33: certificate-authority-data: not base64");
        change(f, good, "current-context: ", "current-context: zz");
        fails(f, "admin", NOT_LOADED "/etc/kubernetes/admin.conf:8:1: no entry \"zz\" in contexts");
        change(f, good, "kind: ", "kind: Pod");
        fails(f, "admin", NOT_LOADED "/etc/kubernetes/admin.conf:1:1: kind \"Pod\" is no kubeconfig (\"Config\")");
        fixture_remove(f, ADMIN);
        fixture_put(f, ADMIN "/x", "");
        fails(f, "admin", NOT_LOADED "read /etc/kubernetes/admin.conf: is a directory");
        fixture_remove(f, ADMIN);

        fixture_put(f, ADMIN, good);
        fixture_remove(f, DIR "/pki");
        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        fails(f, "all",
              FAILED "a kubeconfig file \"/etc/kubernetes/admin.conf\" exists but does not contain a trusted CA in its "
                     "current context's cluster. Total CA certificates found: 1");
}

/* That kubeadm, and its own Kubernetes. */
static void use_version(struct fixture *f, const char *version)
{
        char *config CLEANUP_FREE = xasprintf(
                "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: "
                "192.0.2.10}\nnodeRegistration: {name: node1, criSocket: "
                "'unix:///run/containerd/containerd.sock'}\n---\n"
                "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: %s\n",
                version);

        fixture_config(f, config);
        f->version = version;
}

/* Up to 1.30 the CA is compared as it is written, and up to 1.25 one that is given as a file counts for none. */
static void test_existing_of_eras(void **state)
{
        static const char using[] = "[kubeconfig] Using existing kubeconfig file: \"/etc/kubernetes/admin.conf\"\n";
        static const char wrong[] =
                FAILED "a kubeconfig file \"/etc/kubernetes/admin.conf\" exists already but has got the "
                       "wrong CA cert";
        struct fixture *f = *state;

        use_version(f, "v1.30.14");
        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        says(f, "admin", "[kubeconfig] Writing \"admin.conf\" kubeconfig file\n");
        char *good CLEANUP_FREE = fixture_get(f, ADMIN);

        says(f, "admin", using);
        change(f, good, "certificate-authority-data: ", "certificate-authority-data: eA==");
        fails(f, "admin", wrong);
        change(f, good, "certificate-authority-data: ", "insecure-skip-tls-verify: true");
        fails(f, "admin", wrong);
        change(f, good, "certificate-authority-data: ", "certificate-authority: /etc/kubernetes/none.crt");
        fails(f, "admin", wrong);
        assert_non_null(strstr(f->log, "failed to load CA cert from \"/etc/kubernetes/none.crt\" for kubeconfig "
                                       "\"/etc/kubernetes/admin.conf\", open /etc/kubernetes/none.crt: no such file or "
                                       "directory"));
        change(f, good, "certificate-authority-data: ", "certificate-authority: /etc/kubernetes/pki/ca.crt");
        says(f, "admin", using);
        use_version(f, "v1.26.0");
        says(f, "admin", using);
        use_version(f, "v1.25.16");
        fails(f, "admin", wrong);
        use_version(f, "v1.31.0");
        change(f, good, "certificate-authority-data: ", "certificate-authority-data: eA==");
        fails(f, "admin", FAILED "the kubeconfig file \"/etc/kubernetes/admin.conf\" contains an invalid CA cert");
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        char *before CLEANUP_FREE = fixture_digest(f);
        f->dry_run = true;
        assert_int_equal(fixture_run(f, kubeconfig, "all"), 0);
        assert_non_null(strstr(f->out, "[kubeconfig] Writing \"admin.conf\" kubeconfig file\n"));
        assert_null(strstr(f->out, "client-key-data"));
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_unknown(void **state)
{
        struct fixture *f = *state;

        fails(f, "nonsense", "there is no kubeconfig file \"nonsense\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(all),      TEST(directory),        TEST(eras),    TEST(no_ca),
                TEST(existing), TEST(existing_of_eras), TEST(dry_run), TEST(unknown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
