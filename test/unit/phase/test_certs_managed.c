/* SPDX-License-Identifier: Apache-2.0
 *
 * What looks after certificates that are there: check-expiration, renew, generate-csr, kubeconfig user.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
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
#include "phase/secret_text.h"
#include "phase/text_table.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define PKI "/etc/kubernetes/pki/"

static int certs(struct phase *phase, const char *name, struct err *err)
{
        return certs_run(phase, name, NULL, err);
}

static int kubeconfig(struct phase *phase, const char *name, struct err *err)
{
        return kubeconfig_phase_run(phase, name, NULL, err);
}

static int expiration(struct phase *phase, const char *output, struct err *err)
{
        phase->options.output = output;
        return certs_expiration(phase, err);
}

static int renew(struct phase *phase, const char *name, struct err *err)
{
        return certs_renew(phase, name, NULL, err);
}

static int renew_csr(struct phase *phase, const char *name, struct err *err)
{
        return certs_renew(phase, name, "/srv/csr", err);
}

static int csr(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return certs_csr(phase, NULL, err);
}

static int user(struct phase *phase, const char *name, struct err *err)
{
        struct kubeconfig_user user = {.client_name = name, .validity_period = "48h"};

        strv_add(&user.organizations, "a");
        int r = kubeconfig_user_print(phase, &user, err);
        strv_release(&user.organizations);
        return r;
}

static int user_token(struct phase *phase, const char *token, struct err *err)
{
        const struct kubeconfig_user user = {.client_name = "foo", .token = token};

        return kubeconfig_user_print(phase, &user, err);
}

static int user_validity(struct phase *phase, const char *validity, struct err *err)
{
        const struct kubeconfig_user user = {.client_name = "foo", .validity_period = validity};

        return kubeconfig_user_print(phase, &user, err);
}

static void good(struct fixture *f, int (*fn)(struct phase *phase, const char *arg, struct err *err), const char *arg)
{
        if (fixture_run(f, fn, arg) < 0)
                fail_msg("%s", f->err.msg);
}

static void bad(struct fixture *f, int (*fn)(struct phase *phase, const char *arg, struct err *err), const char *arg,
                const char *text)
{
        char *before CLEANUP_FREE = fixture_digest(f);

        assert_true(fixture_run(f, fn, arg) < 0);
        assert_string_equal(f->err.msg, text);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void make_all(struct fixture *f)
{
        good(f, certs, "all");
        good(f, kubeconfig, "all");
}

static void assert_holds(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("no \"%s\" in:\n%s", part, text);
}

static void load_certs(const struct fixture *f, const char *path, struct pki_certs *ret)
{
        char *text CLEANUP_FREE = fixture_get(f, path);

        assert_int_equal(pki_certs_load(text, strlen(text), ret, NULL), 0);
}

static void test_table(void **state)
{
        struct strv rows[2] = {0};
        struct buf out CLEANUP_BUF = BUF_INIT(1000);

        (void)state;
        strv_split(&rows[0], "A|BBBBBBBBBBBB|C", '|');
        strv_split(&rows[1], "a||", '|');
        text_table_write(rows, 2, &out);
        assert_string_equal(buf_str(&out), "A         BBBBBBBBBBBB   C\na                        \n");
        strv_release(&rows[0]);
        strv_release(&rows[1]);
}

static void test_expiration(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        fixture_remove(f, PKI "etcd/peer.crt");
        fixture_remove(f, PKI "front-proxy-ca.key");
        good(f, expiration, NULL);
        assert_holds(f->out,
                     "CERTIFICATE                EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   "
                     "EXTERNALLY MANAGED\nadmin.conf                 ");
        assert_holds(f->out, " UTC   364d            ca                      no      \n");
        assert_holds(f->out, "\n!MISSING! etcd-peer                                                                    "
                             "     \n");
        assert_holds(f->out, " UTC   364d            front-proxy-ca          yes     \n");
        assert_holds(f->out, "\nsuper-admin.conf           ");
        assert_holds(f->out, "\n\nCERTIFICATE AUTHORITY   EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED\n"
                             "ca                      ");
        assert_holds(f->out, " UTC   9y              no      \netcd-ca                 ");
        f->version = "v1.28.15";
        fixture_config(f, "apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: "
                          "{advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n");
        good(f, expiration, NULL);
        assert_null(strstr(f->out, "super-admin.conf"));
}

static void test_expiration_objects(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        fixture_remove(f, PKI "etcd/peer.crt");
        good(f, expiration, "json");
        assert_holds(f->out, "{\n    \"kind\": \"CertificateExpirationInfo\",\n    \"apiVersion\": "
                             "\"output.kubeadm.k8s.io/v1alpha3\",\n    \"certificates\": [\n        {\n            "
                             "\"name\": \"admin.conf\",\n            \"expirationDate\": \"");
        assert_holds(f->out, "            \"externallyManaged\": false,\n            \"caName\": \"ca\",\n            "
                             "\"missing\": false\n");
        assert_holds(f->out, "            \"name\": \"etcd-peer\",\n            \"expirationDate\": null,\n            "
                             "\"residualTime\": 0,\n            \"externallyManaged\": false,\n            "
                             "\"missing\": true\n");
        good(f, expiration, "yaml");
        assert_holds(f->out, "\n- caName: etcd-ca\n  expirationDate: \"");
        assert_holds(f->out, "\nkind: CertificateExpirationInfo\n");
}

static void test_expiration_mistakes(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        fixture_put(f, PKI "apiserver.crt", "no PEM\n");
        bad(f, expiration, NULL,
            "failed to load existing certificate apiserver: error reading /etc/kubernetes/pki/apiserver.crt: data does "
            "not contain any valid RSA or ECDSA certificates");
        bad(f, renew, "apiserver",
            "failed to load existing certificate apiserver: error reading /etc/kubernetes/pki/apiserver.crt: data does "
            "not contain any valid RSA or ECDSA certificates");
        fixture_remove(f, PKI "apiserver.crt");
        fixture_put(f, "/etc/kubernetes/admin.conf", "apiVersion: v1\nkind: Config\ncurrent-context: x\n");
        bad(f, expiration, NULL, "invalid kubeConfig file /etc/kubernetes/admin.conf: missing context x");
        /* no data is a configuration with nothing in it */
        fixture_put(f, "/etc/kubernetes/admin.conf", "");
        bad(f, expiration, NULL, "invalid kubeConfig file /etc/kubernetes/admin.conf: missing context ");
        fixture_remove(f, PKI "ca.crt");
        bad(f, expiration, NULL,
            "Error checking external CA condition for ca certificate authority: failure loading certificate for CA: "
            "couldn't load the certificate file /etc/kubernetes/pki/ca.crt: open /etc/kubernetes/pki/ca.crt: no such "
            "file or directory");
}

static void test_renew(void **state)
{
        struct pki_certs old CLEANUP_PKI_CERTS = {.items = NULL}, new CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL};
        struct pki_key *key CLEANUP_PKI_KEY = NULL;
        struct fixture *f = *state;

        make_all(f);
        load_certs(f, PKI "apiserver.crt", &old);
        load_certs(f, PKI "ca.crt", &ca);
        char *old_key CLEANUP_FREE = fixture_get(f, PKI "apiserver.key");
        good(f, renew, "apiserver");
        assert_string_equal(f->out, "certificate for serving the Kubernetes API renewed\n");
        load_certs(f, PKI "apiserver.crt", &new);
        char *new_key CLEANUP_FREE = fixture_get(f, PKI "apiserver.key");
        assert_string_not_equal(old_key, new_key);
        assert_int_equal(pki_key_load(new_key, strlen(new_key), &key, NULL), 0);
        assert_int_equal(pki_verify_key(new.items[0], key, NULL), 0);
        const struct pki_cert_facts *a = pki_cert_facts(old.items[0]), *b = pki_cert_facts(new.items[0]);
        assert_int_equal(pki_verify_chain(new.items[0], NULL, 0, ca.items[0], b->not_before + 400, NULL), 0);
        assert_string_equal(a->subject, b->subject);
        assert_true(strv_equal(&a->dns_names, &b->dns_names) && strv_equal(&a->addresses, &b->addresses));
        assert_int_equal(a->usages, b->usages);
        assert_int_equal(fixture_mode(f, PKI "apiserver.key"), 0600);
        bad(f, renew, "ca", "ca is not a valid certificate for this cluster");
}

/* What stands in the file beside the certificate stays. */
static void test_renew_kubeconfig(void **state)
{
        struct kubeconfig before CLEANUP_KUBECONFIG = {0}, after CLEANUP_KUBECONFIG = {0};
        struct fixture *f = *state;

        make_all(f);
        char *text CLEANUP_FREE = fixture_get(f, "/etc/kubernetes/scheduler.conf");
        char *more CLEANUP_FREE = xasprintf("%s- name: another\n  user:\n    token: abc\n", text);
        fixture_put(f, "/etc/kubernetes/scheduler.conf", more);
        assert_int_equal(kubeconfig_load(f->root, "/etc/kubernetes/scheduler.conf", &before, NULL), 0);
        good(f, renew, "scheduler.conf");
        assert_string_equal(f->out, "certificate embedded in the kubeconfig file for the scheduler manager to use "
                                    "renewed\n");
        assert_int_equal(kubeconfig_load(f->root, "/etc/kubernetes/scheduler.conf", &after, NULL), 0);
        assert_string_not_equal(before.key_pem, after.key_pem);
        assert_string_not_equal(before.cert_pem, after.cert_pem);
        assert_string_equal(before.ca_pem, after.ca_pem);
        assert_string_equal(before.server, after.server);
        char *now CLEANUP_FREE = fixture_get(f, "/etc/kubernetes/scheduler.conf");
        assert_holds(now, "users:\n- name: another\n  user:\n    token: abc\n- name: system:kube-scheduler\n");
}

/* A later one fails: nothing is renewed and nothing is said to be, unless a kubeadm was asked for, which keeps those
 * before. */
static void test_renew_all_failing(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        fixture_put(f, PKI "etcd/ca.crt", "no certificate");
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, renew, "all") < 0);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
        assert_string_equal(f->out, "");
        f->version = "v1.36.3";
        assert_true(fixture_run(f, renew, "all") < 0);
        char *with CLEANUP_FREE = fixture_digest(f);
        assert_string_not_equal(before, with);
        assert_holds(f->out, "certificate for serving the Kubernetes API renewed\n");
        /* Nor is it said where those before cannot be written. */
        fixture_remove(f, PKI "apiserver.key");
        fixture_put(f, PKI "apiserver.key/x", "x");
        assert_true(fixture_run(f, renew, "all") < 0);
        assert_null(strstr(f->out, "renewed"));
}

/* The file of a dry run of init is read for its settings alone. */
static void test_renew_beside_dry_run(void **state)
{
        struct fixture *f = *state;
        char *dry CLEANUP_FREE = xasprintf("dryRun: true\n%s", plain_config);

        make_all(f);
        char *before CLEANUP_FREE = fixture_get(f, PKI "apiserver.crt");
        fixture_config(f, dry);
        f->command = "certs renew apiserver";
        good(f, renew, "apiserver");
        char *after CLEANUP_FREE = fixture_get(f, PKI "apiserver.crt");
        assert_string_not_equal(before, after);
}

static void test_renew_all(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        fixture_remove(f, PKI "front-proxy-ca.key");
        fixture_remove(f, PKI "etcd/server.crt");
        char *kept CLEANUP_FREE = fixture_get(f, PKI "front-proxy-client.crt");
        char *gone CLEANUP_FREE = fixture_get(f, PKI "etcd/peer.crt");
        good(f, renew, "all");
        assert_holds(f->out, "certificate embedded in the kubeconfig file for the admin to use and for kubeadm itself "
                             "renewed\ncertificate for serving the Kubernetes API renewed\n");
        assert_holds(f->out, "MISSING! certificate for serving etcd\nDetected external front-proxy-ca, certificate for "
                             "the front proxy client can't be renewed\n");
        assert_holds(f->out, "\n\nDone renewing certificates. You must restart the kube-apiserver, "
                             "kube-controller-manager, kube-scheduler and etcd, so that they can use the new "
                             "certificates.\n");
        char *kept_now CLEANUP_FREE = fixture_get(f, PKI "front-proxy-client.crt");
        char *gone_now CLEANUP_FREE = fixture_get(f, PKI "etcd/peer.crt");
        assert_string_equal(kept, kept_now);
        assert_string_not_equal(gone, gone_now);
        /* A mistake on the way leaves all as it was. */
        fixture_put(f, PKI "etcd/ca.key", "none\n");
        bad(f, renew, "all",
            "failure loading etcd/ca certificate authority: failed to load key: couldn't load the private key file "
            "/etc/kubernetes/pki/etcd/ca.key: error reading private key file /etc/kubernetes/pki/etcd/ca.key: data "
            "does "
            "not contain a valid RSA or ECDSA private key");
}

/* kubeadm 1.29 alone takes system:masters away. */
static void test_renew_groups(void **state)
{
        static const struct {
                const char *version, *subject;
        } cases[] = {
                {"v1.28.15", "CN=kube-apiserver-kubelet-client,O=system:masters"},
                {"v1.30.14", "CN=kube-apiserver-kubelet-client,O=system:masters"},
                {"v1.29.15", "CN=kube-apiserver-kubelet-client,O=kubeadm:cluster-admins"},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
                char *config CLEANUP_FREE =
                        xasprintf("apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\nlocalAPIEndpoint: "
                                  "{advertiseAddress: 192.0.2.10}\nnodeRegistration: {name: node1}\n---\napiVersion: "
                                  "kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\nkubernetesVersion: %s\n"
                                  "featureGates: {PublicKeysECDSA: true}\n",
                                  cases[i].version);
                fixture_config(f, config);
                f->version = cases[i].version;
                if (i == 0)
                        good(f, certs, "all");
                good(f, renew, "apiserver-kubelet-client");
                load_certs(f, PKI "apiserver-kubelet-client.crt", &found);
                assert_string_equal(pki_cert_facts(found.items[0])->subject, cases[i].subject);
                char *key CLEANUP_FREE = fixture_get(f, PKI "apiserver-kubelet-client.key");
                assert_holds(key, "BEGIN EC PRIVATE KEY");
        }
}

static void test_validity_and_algorithm(void **state)
{
        static const char *const algorithms[] = {"RSA-2048", "RSA-3072", "ECDSA-P256", "ECDSA-P384"};
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
                struct pki_certs ca CLEANUP_PKI_CERTS = {.items = NULL}, leaf CLEANUP_PKI_CERTS = {.items = NULL};
                char *config CLEANUP_FREE = xasprintf(
                        "apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\n"
                        "encryptionAlgorithm: %s\ncertificateValidityPeriod: 48h\n"
                        "caCertificateValidityPeriod: 100h\n---\napiVersion: kubeadm.k8s.io/v1beta4\n"
                        "kind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.10}\n",
                        algorithms[i]);
                fixture_config(f, config);
                good(f, certs, "front-proxy-ca");
                good(f, certs, "front-proxy-client");
                good(f, renew, "front-proxy-client");
                load_certs(f, PKI "front-proxy-ca.crt", &ca);
                load_certs(f, PKI "front-proxy-client.crt", &leaf);
                const struct pki_cert_facts *a = pki_cert_facts(ca.items[0]), *b = pki_cert_facts(leaf.items[0]);
                assert_int_equal(a->not_after - a->not_before, 100 * 3600 + 300);
                assert_int_equal(b->not_after - b->not_before, 48 * 3600 + 300);
                char *key CLEANUP_FREE = fixture_get(f, PKI "front-proxy-client.key");
                assert_holds(key, *algorithms[i] == 'R' ? "BEGIN RSA PRIVATE KEY" : "BEGIN EC PRIVATE KEY");
                fixture_remove(f, "/etc/kubernetes");
        }
}

static void test_csr(void **state)
{
        struct fixture *f = *state;

        good(f, csr, NULL);
        assert_string_equal(f->out, "generating keys and CSRs in /etc/kubernetes/pki\n  apiserver\n  "
                                    "apiserver-kubelet-client\n  front-proxy-client\n  etcd/server\n  etcd/peer\n  "
                                    "etcd/healthcheck-client\n  apiserver-etcd-client\ngenerating keys and CSRs in "
                                    "/etc/kubernetes\n  admin.conf\n  super-admin.conf\n  kubelet.conf\n  "
                                    "controller-manager.conf\n  scheduler.conf\n");
        char *text CLEANUP_FREE = fixture_get(f, PKI "apiserver.csr");
        assert_holds(text, "-----BEGIN CERTIFICATE REQUEST-----\n");
        char *conf CLEANUP_FREE = fixture_get(f, "/etc/kubernetes/kubelet.conf");
        assert_holds(conf, "- name: system:node:node1\n  user:\n    client-key-data: ");
        assert_null(strstr(conf, "certificate"));
        assert_int_equal(fixture_mode(f, PKI "apiserver.csr"), 0600);
        assert_true(fixture_has(f, "/etc/kubernetes/kubelet.conf.csr"));
        assert_false(fixture_has(f, PKI "ca.key"));
        bad(f, csr, NULL, "file already exists: key or CSR /etc/kubernetes/pki/apiserver");
        fixture_remove(f, PKI);
        bad(f, csr, NULL, "file already exists: kube config: /etc/kubernetes/admin.conf");
}

static void test_renew_csr(void **state)
{
        struct fixture *f = *state;

        make_all(f);
        char *before CLEANUP_FREE = fixture_get(f, PKI "etcd/server.crt");
        good(f, renew_csr, "etcd-server");
        assert_true(fixture_has(f, "/srv/csr/etcd-server.csr") && fixture_has(f, "/srv/csr/etcd-server.key"));
        char *after CLEANUP_FREE = fixture_get(f, PKI "etcd/server.crt");
        assert_string_equal(before, after);
}

static void test_user(void **state)
{
        struct kubeconfig made CLEANUP_KUBECONFIG = {0};
        struct pki_certs found CLEANUP_PKI_CERTS = {.items = NULL};
        struct fixture *f = *state;

        bad(f, user, "foo",
            "couldn't create a kubeconfig; the CA files couldn't be loaded: failed to load certificate: couldn't load "
            "the "
            "certificate file /etc/kubernetes/pki/ca.crt: open /etc/kubernetes/pki/ca.crt: no such file or directory");
        good(f, certs, "ca");
        good(f, user, "foo");
        assert_int_equal(kubeconfig_parse("", "printed", f->out, strlen(f->out), &made, NULL), 0);
        assert_string_equal(made.context, "foo@kubernetes");
        assert_string_equal(made.server, "https://192.0.2.10:6443");
        assert_int_equal(pki_certs_load(made.cert_pem, strlen(made.cert_pem), &found, NULL), 0);
        const struct pki_cert_facts *facts = pki_cert_facts(found.items[0]);
        assert_string_equal(facts->subject, "CN=foo,O=a");
        /* It begins with its CA, which was made a moment before. */
        assert_in_range(facts->not_after - facts->not_before, 48 * 3600 + 300, 48 * 3600 + 300 + 60);
        good(f, user_token, "xyz");
        assert_holds(f->out, "- name: foo\n  user:\n    token: xyz\n\n");
        good(f, user_validity, "20000h");
        assert_holds(f->log, "WARNING: the specified certificate validity period 20000h is longer than the default "
                             "duration 8760h0m0s, this may increase security risks.\n");
        bad(f, user_validity, "nope",
            "invalid argument \"nope\" for \"--validity-period\" flag: time: invalid duration \"nope\"");
        bad(f, user_validity, "-1h", "--validity-period: -1h is over before it begins");
}

static void test_secrets(void **state)
{
        char token[SECRET_TOKEN_MAX], again[SECRET_TOKEN_MAX], key[SECRET_CERTIFICATE_KEY_MAX];

        (void)state;
        assert_int_equal(secret_token(token, NULL), 0);
        assert_int_equal(secret_token(again, NULL), 0);
        assert_int_equal(strlen(token), 23);
        assert_int_equal(strspn(token, "abcdefghijklmnopqrstuvwxyz0123456789"), 6);
        assert_int_equal(token[6], '.');
        assert_int_equal(strspn(token + 7, "abcdefghijklmnopqrstuvwxyz0123456789"), 16);
        assert_string_not_equal(token, again);
        assert_int_equal(secret_certificate_key(key, NULL), 0);
        assert_int_equal(strspn(key, "0123456789abcdef"), 64);
        assert_int_equal(strlen(key), 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),
                cmocka_unit_test(test_secrets),
                TEST(test_expiration),
                TEST(test_expiration_objects),
                TEST(test_expiration_mistakes),
                TEST(test_renew),
                TEST(test_renew_kubeconfig),
                TEST(test_renew_all),
                TEST(test_renew_all_failing),
                TEST(test_renew_beside_dry_run),
                TEST(test_renew_groups),
                TEST(test_validity_and_algorithm),
                TEST(test_csr),
                TEST(test_renew_csr),
                TEST(test_user),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
