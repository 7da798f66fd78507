/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "fixture.h"
#include "phase/certs.h"
#include "phase/kubeconfig_phase.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/verify.h"

#define PKI "/etc/kubernetes/pki"

static int certs(struct phase *phase, const char *name, struct err *err)
{
        return certs_run(phase, name, NULL, err);
}

static int kubeconfig(struct phase *phase, const char *name, struct err *err)
{
        return kubeconfig_phase_run(phase, name, NULL, err);
}

/* Runs, and compares what is printed. */
static void says(struct fixture *f, const char *name, const char *text)
{
        if (fixture_run(f, certs, name) < 0)
                fail_msg("%s", f->err.msg);
        assert_string_equal(f->out, text);
}

/* Runs; the error is kubeadm 1.36.3's own, and nothing below root changes. */
static void fails(struct fixture *f, const char *name, const char *text)
{
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, certs, name) < 0);
        assert_string_equal(f->err.msg, text);
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static struct pki_cert *load_cert(const struct fixture *f, const char *path)
{
        struct pki_certs loaded CLEANUP_PKI_CERTS = {.items = NULL};
        char *text CLEANUP_FREE = fixture_get(f, path);

        assert_int_equal(pki_certs_load(text, strlen(text), &loaded, NULL), 0);
        return TAKE_PTR(loaded.items[0]);
}

static struct pki_key *load_key(const struct fixture *f, const char *path)
{
        char *text CLEANUP_FREE = fixture_get(f, path);
        struct pki_key *key = NULL;

        assert_int_equal(pki_key_load(text, strlen(text), &key, NULL), 0);
        return key;
}

static const char all_says[] =
        "[certs] Using certificateDir folder \"/etc/kubernetes/pki\"\n"
        "[certs] Generating \"ca\" certificate and key\n"
        "[certs] Generating \"apiserver\" certificate and key\n"
        "[certs] apiserver serving cert is signed for DNS names [kubernetes kubernetes.default kubernetes.default.svc "
        "kubernetes.default.svc.cluster.local node1] and IPs [10.96.0.1 192.0.2.10]\n"
        "[certs] Generating \"apiserver-kubelet-client\" certificate and key\n"
        "[certs] Generating \"front-proxy-ca\" certificate and key\n"
        "[certs] Generating \"front-proxy-client\" certificate and key\n"
        "[certs] Generating \"etcd/ca\" certificate and key\n"
        "[certs] Generating \"etcd/server\" certificate and key\n"
        "[certs] etcd/server serving cert is signed for DNS names [localhost node1] and IPs [192.0.2.10 127.0.0.1 "
        "::1]\n"
        "[certs] Generating \"etcd/peer\" certificate and key\n"
        "[certs] etcd/peer serving cert is signed for DNS names [localhost node1] and IPs [192.0.2.10 127.0.0.1 ::1]\n"
        "[certs] Generating \"etcd/healthcheck-client\" certificate and key\n"
        "[certs] Generating \"apiserver-etcd-client\" certificate and key\n"
        "[certs] Generating \"sa\" key and public key\n";

static const char again_says[] = "[certs] Using certificateDir folder \"/etc/kubernetes/pki\"\n"
                                 "[certs] Using existing ca certificate authority\n"
                                 "[certs] Using existing apiserver certificate and key on disk\n"
                                 "[certs] Using existing apiserver-kubelet-client certificate and key on disk\n"
                                 "[certs] Using existing front-proxy-ca certificate authority\n"
                                 "[certs] Using existing front-proxy-client certificate and key on disk\n"
                                 "[certs] Using existing etcd/ca certificate authority\n"
                                 "[certs] Using existing etcd/server certificate and key on disk\n"
                                 "[certs] Using existing etcd/peer certificate and key on disk\n"
                                 "[certs] Using existing etcd/healthcheck-client certificate and key on disk\n"
                                 "[certs] Using existing apiserver-etcd-client certificate and key on disk\n"
                                 "[certs] Using the existing \"sa\" key\n";

#define X(name, long_name, base_name, ca, common_name, organization_row, usage, names) {name, base_name, ca},
static const struct {
        const char *name, *base_name, *ca;
} rows[] = {CERTS_LIST(X)};
#undef X

static const char *base_of(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return rows[i].base_name;
        fail_msg("no row %s", name);
        return NULL;
}

static void test_all(void **state)
{
        struct fixture *f = *state;

        says(f, "all", all_says);
        assert_string_equal(f->log, "");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *crt CLEANUP_FREE = xasprintf(PKI "/%s.crt", rows[i].base_name);
                char *key CLEANUP_FREE = xasprintf(PKI "/%s.key", rows[i].base_name);
                char *ca CLEANUP_FREE = xasprintf(PKI "/%s.crt", rows[i].ca ? base_of(rows[i].ca) : rows[i].base_name);
                struct pki_cert *cert CLEANUP_PKI_CERT = load_cert(f, crt), *root CLEANUP_PKI_CERT = load_cert(f, ca);
                struct pki_key *private CLEANUP_PKI_KEY = load_key(f, key);
                assert_int_equal(fixture_mode(f, crt), 0644);
                assert_int_equal(fixture_mode(f, key), 0600);
                assert_int_equal(pki_verify_key(cert, private, NULL), 0);
                assert_int_equal(pki_verify_chain(cert, NULL, 0, root, time(NULL), NULL), 0);
                assert_int_equal(pki_cert_facts(cert)->is_ca, !rows[i].ca);
        }
        assert_int_equal(fixture_mode(f, PKI "/sa.key"), 0600);
        assert_int_equal(fixture_mode(f, PKI "/sa.pub"), 0600);
        assert_int_equal(fixture_mode(f, PKI "/etcd"), 0755);

        char *before CLEANUP_FREE = fixture_digest(f);
        says(f, "all", again_says);
        assert_string_equal(f->log, "");
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_missing_ones_are_made(void **state)
{
        struct fixture *f = *state;

        says(f, "all", all_says);
        fixture_remove(f, PKI "/apiserver.crt");
        fixture_remove(f, PKI "/apiserver.key");
        fixture_remove(f, PKI "/sa.key");
        assert_true(fixture_run(f, certs, "all") == 0);
        assert_non_null(strstr(f->out, "Using existing ca certificate authority\n[certs] Generating \"apiserver\""));
        assert_non_null(strstr(f->out, "[certs] Generating \"sa\" key"));
        struct pki_cert *cert CLEANUP_PKI_CERT = load_cert(f, PKI "/apiserver.crt"),
                              *ca CLEANUP_PKI_CERT = load_cert(f, PKI "/ca.crt");
        assert_int_equal(pki_verify_chain(cert, NULL, 0, ca, time(NULL), NULL), 0);
}

static void test_one_by_one(void **state)
{
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *line CLEANUP_FREE =
                        xasprintf("[certs] Generating \"%s\" certificate and key\n", rows[i].base_name);
                assert_int_equal(fixture_run(f, certs, rows[i].name), 0);
                assert_int_equal(strncmp(f->out, line, strlen(line)), 0);
        }
        says(f, "sa", "[certs] Generating \"sa\" key and public key\n");
        says(f, "all", again_says);
}

static void test_eras(void **state)
{
        struct fixture *f = *state;
        static const struct {
                const char *version, *group;
        } eras[] = {{"v1.36.3", NULL},
                    {"v1.36.0", "kubeadm:cluster-admins"},
                    {"v1.35.5", NULL},
                    {"v1.34.4", "kubeadm:cluster-admins"}};

        for (size_t i = 0; i < ARRAY_SIZE(eras); i++) {
                fixture_remove(f, "/etc");
                f->version = eras[i].version;
                assert_int_equal(fixture_run(f, certs, "ca"), 0);
                if (fixture_run(f, certs, "apiserver-kubelet-client") < 0)
                        fail_msg("%s", f->err.msg);
                struct pki_cert *cert CLEANUP_PKI_CERT = load_cert(f, PKI "/apiserver-kubelet-client.crt");
                const struct strv *groups = &pki_cert_facts(cert)->organizations;
                assert_int_equal(groups->len, eras[i].group ? 1 : 0);
                if (eras[i].group)
                        assert_string_equal(groups->items[0], eras[i].group);
        }
}

static int64_t begin_of(struct fixture *f, const char *release, const char *certificate)
{
        char *config CLEANUP_FREE = xasprintf("apiVersion: kubeadm.k8s.io/v1beta3\nkind: InitConfiguration\n"
                                              "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n---\n"
                                              "apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n"
                                              "kubernetesVersion: %s\n",
                                              release);
        char *path CLEANUP_FREE = xasprintf(PKI "/%s.crt", certificate);

        fixture_config(f, config);
        f->version = release;
        if (fixture_run(f, certs, certificate) < 0)
                fail_msg("%s: %s", release, f->err.msg);
        struct pki_cert *cert CLEANUP_PKI_CERT = load_cert(f, path);
        return pki_cert_facts(cert)->not_before;
}

/* A CA begins now or, from some patch releases of 1.25 to 1.27 on, five minutes before; the others when their CA does
 * or, from 1.31 on, five minutes before now. */
static void test_begin(void **state)
{
        static const struct {
                const char *release;
                int ca, leaf; /* seconds before now; the CA of the leaf begins now */
        } cases[] = {
                {"v1.25.12", 0, 0}, {"v1.25.13", 300, 0}, {"v1.26.7", 0, 0},    {"v1.26.8", 300, 0},
                {"v1.27.4", 0, 0},  {"v1.27.5", 300, 0},  {"v1.30.14", 300, 0}, {"v1.31.14", 300, 300},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int64_t now = (int64_t)time(NULL);

                fixture_remove(f, "/etc");
                int64_t ca = begin_of(f, cases[i].release, "ca");
                assert_in_range(ca + cases[i].ca, now, now + 60);
                fixture_remove(f, "/etc");
                ca = begin_of(f, "v1.25.12", "ca");
                int64_t leaf = begin_of(f, cases[i].release, "apiserver");
                assert_in_range(leaf + cases[i].leaf, ca, ca + (cases[i].leaf ? 60 : 0));
        }
}

static void test_no_ca(void **state)
{
        struct fixture *f = *state;

        fails(f, "apiserver",
              "error execution phase certs/apiserver: couldn't load CA certificate ca: couldn't load ca certificate "
              "authority from /etc/kubernetes/pki");
        fixture_put(f, PKI "/ca.key", "x");
        fails(f, "ca",
              "error execution phase certs/ca: failure loading ca certificate: failed to load certificate: couldn't "
              "load the certificate file /etc/kubernetes/pki/ca.crt: open /etc/kubernetes/pki/ca.crt: no such file or "
              "directory");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: couldn't load CA certificate ca: failure loading ca certificate "
              "authority: failed to load certificate: couldn't load the certificate file /etc/kubernetes/pki/ca.crt: "
              "open /etc/kubernetes/pki/ca.crt: no such file or directory");
        fixture_put(f, PKI "/ca.crt", "x\n");
        fails(f, "ca",
              "error execution phase certs/ca: failure loading ca certificate: failed to load certificate: couldn't "
              "load the certificate file /etc/kubernetes/pki/ca.crt: error reading /etc/kubernetes/pki/ca.crt: data "
              "does not contain any valid RSA or ECDSA certificates");
        fails(f, "all",
              "error execution phase certs/ca: failure loading ca certificate: failed to load certificate: couldn't "
              "load the certificate file /etc/kubernetes/pki/ca.crt: error reading /etc/kubernetes/pki/ca.crt: data "
              "does not contain any valid RSA or ECDSA certificates");
        fixture_remove(f, PKI "/ca.crt");
        fixture_remove(f, PKI "/ca.key");
        fixture_put(f, PKI "/ca.crt/x", "");
        fails(f, "ca",
              "error execution phase certs/ca: failure loading ca certificate: failed to load certificate: couldn't "
              "load the certificate file /etc/kubernetes/pki/ca.crt: read /etc/kubernetes/pki/ca.crt: is a directory");
}

static void test_half_a_pair(void **state)
{
        struct fixture *f = *state;

        says(f, "all", all_says);
        fixture_move(f, PKI "/apiserver.key", "/saved.key");
        says(f, "apiserver", "[certs] Using existing apiserver certificate and key on disk\n");
        assert_non_null(strstr(f->log, "certificate apiserver cannot be used: couldn't load the private key file "
                                       "/etc/kubernetes/pki/apiserver.key: open /etc/kubernetes/pki/apiserver.key: no "
                                       "such file or directory"));
        fixture_copy(f, PKI "/front-proxy-client.key", PKI "/apiserver.key");
        says(f, "apiserver", "[certs] Using existing apiserver certificate and key on disk\n");
        assert_non_null(strstr(f->log, "certificate apiserver cannot be used: the private key does not belong to the "
                                       "certificate"));
        fixture_remove(f, PKI "/apiserver.crt");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: failed to write or validate certificate \"apiserver\": failure "
              "loading apiserver certificate: couldn't load the certificate file /etc/kubernetes/pki/apiserver.crt: "
              "open /etc/kubernetes/pki/apiserver.crt: no such file or directory");
        fixture_put(f, PKI "/apiserver.key", "x\n");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: failed to write or validate certificate \"apiserver\": failure "
              "loading apiserver key: couldn't load the private key file /etc/kubernetes/pki/apiserver.key: error "
              "reading private key file /etc/kubernetes/pki/apiserver.key: data does not contain a valid RSA or ECDSA "
              "private key");
}

static void test_other_ca(void **state)
{
        struct fixture *f = *state;

        says(f, "all", all_says);
        fixture_move(f, PKI "/ca.crt", "/old.crt");
        fixture_move(f, PKI "/ca.key", "/old.key");
        says(f, "ca", "[certs] Generating \"ca\" certificate and key\n");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: [certs] certificate apiserver not signed by CA certificate ca: "
              "x509: certificate signed by unknown authority (possibly because of \"x509: ECDSA verification failure\" "
              "while trying to verify candidate authority certificate \"kubernetes\")");
        fails(f, "all",
              "error execution phase certs/apiserver: [certs] certificate apiserver not signed by CA certificate ca: "
              "x509: certificate signed by unknown authority (possibly because of \"x509: ECDSA verification failure\" "
              "while trying to verify candidate authority certificate \"kubernetes\")");
        fixture_remove(f, PKI "/ca.crt");
        fixture_remove(f, PKI "/ca.key");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: couldn't load CA certificate ca: couldn't load the certificate "
              "file /etc/kubernetes/pki/ca.crt: open /etc/kubernetes/pki/ca.crt: no such file or directory");
        /* one certificate and the key of another */
        fixture_move(f, "/old.crt", PKI "/ca.crt");
        fixture_copy(f, PKI "/etcd/ca.key", PKI "/ca.key");
        says(f, "ca", "[certs] Using existing ca certificate authority\n");
        assert_non_null(strstr(f->log, "certificate authority ca: the private key does not belong to the certificate"));
        fixture_remove(f, PKI "/apiserver.crt");
        fixture_remove(f, PKI "/apiserver.key");
        fails(f, "apiserver",
              "error execution phase certs/apiserver: unable to sign certificate: x509: provided PrivateKey doesn't "
              "match parent's PublicKey (/etc/kubernetes/pki/ca.key is not the key of /etc/kubernetes/pki/ca.crt)");
}

static void test_not_a_ca(void **state)
{
        struct fixture *f = *state;

        says(f, "all", all_says);
        fixture_copy(f, PKI "/front-proxy-client.crt", PKI "/ca.crt");
        fixture_copy(f, PKI "/front-proxy-client.key", PKI "/ca.key");
        fixture_remove(f, PKI "/apiserver.crt");
        fixture_remove(f, PKI "/apiserver.key");
        says(f, "ca", "[certs] Using existing ca certificate authority\n");
        assert_non_null(strstr(f->log, "the certificate ca is no certificate authority"));
        fails(f, "apiserver",
              "error execution phase certs/apiserver: couldn't load CA certificate ca: ca certificate is "
              "not a certificate authority");
}

/* The configuration asks for more than the certificate has. */
static void test_lacking_names(void **state)
{
        struct fixture *f = *state;
        char *more CLEANUP_FREE = xasprintf("%scontrolPlaneEndpoint: lb.example.org:6443\n"
                                            "apiServer: {certSANs: [10.1.2.3]}\n",
                                            plain_config);

        says(f, "all", all_says);
        fixture_config(f, more);
        says(f, "apiserver", "[certs] Using existing apiserver certificate and key on disk\n");
        assert_non_null(strstr(f->log, "certificate apiserver lacks a name that the configuration asks for: x509: "
                                       "certificate is valid for 10.96.0.1, 192.0.2.10, not 10.1.2.3"));
        assert_non_null(strstr(f->log, ", node1, not lb.example.org"));
}

static void test_service_account(void **state)
{
        struct fixture *f = *state;
        char *path CLEANUP_FREE = xasprintf("%s/pki/ed25519.p8", getenv("TEST_DATA"));
        struct buf other CLEANUP_BUF = BUF_INIT(LIMIT_PKI_FILE);

        says(f, "sa", "[certs] Generating \"sa\" key and public key\n");
        fixture_remove(f, PKI "/sa.pub");
        says(f, "sa", "[certs] Using the existing \"sa\" key\n");
        assert_non_null(strstr(f->log, "/etc/kubernetes/pki/sa.pub is missing beside sa.key"));
        assert_false(fixture_has(f, PKI "/sa.pub"));
        fixture_put(f, PKI "/sa.key", "x\n");
        fails(f, "sa",
              "error execution phase certs/sa: file sa.key existed but it could not be loaded properly: error reading "
              "private key file /etc/kubernetes/pki/sa.key: data does not contain a valid RSA or ECDSA private key");
        fixture_remove(f, PKI "/sa.key");
        fixture_put(f, PKI "/sa.key/x", "");
        fails(f, "sa",
              "error execution phase certs/sa: file sa.key existed but it could not be loaded properly: read "
              "/etc/kubernetes/pki/sa.key: is a directory");
        fixture_remove(f, PKI "/sa.key");
        /* a key of another kind is taken for one, as there */
        assert_int_equal(file_read(path, &other, NULL), 0);
        fixture_put(f, PKI "/sa.key", buf_str(&other));
        says(f, "sa", "[certs] Using the existing \"sa\" key\n");
}

static void test_external_etcd(void **state)
{
        struct fixture *f = *state;
        char *config CLEANUP_FREE = xasprintf("%setcd: {external: {endpoints: ['https://192.0.2.20:2379'], caFile: /a, "
                                              "certFile: /b, keyFile: /c}}\n",
                                              plain_config);

        fixture_config(f, config);
        assert_int_equal(fixture_run(f, certs, "all"), 0);
        assert_non_null(strstr(f->out,
                               "[certs] External etcd mode: Skipping etcd/ca certificate authority generation\n"
                               "[certs] External etcd mode: Skipping etcd/server certificate generation\n"
                               "[certs] External etcd mode: Skipping etcd/peer certificate generation\n"
                               "[certs] External etcd mode: Skipping etcd/healthcheck-client certificate generation\n"
                               "[certs] External etcd mode: Skipping apiserver-etcd-client certificate generation\n"
                               "[certs] Generating \"sa\" key and public key\n"));
        assert_false(fixture_has(f, PKI "/etcd"));
        assert_false(fixture_has(f, PKI "/apiserver-etcd-client.crt"));
}

static void test_external_ca(void **state)
{
        struct fixture *f = *state;

        says(f, "ca", "[certs] Generating \"ca\" certificate and key\n");
        fixture_move(f, PKI "/ca.key", "/ca.key");
        static const char *const each[] = {"ca", "all", "sa"};
        for (size_t i = 0; i < ARRAY_SIZE(each); i++)
                fails(f, each[i],
                      "invalid or incomplete external CA: failure loading key for apiserver: couldn't load the private "
                      "key file /etc/kubernetes/pki/apiserver.key: open /etc/kubernetes/pki/apiserver.key: no such "
                      "file "
                      "or directory");
        fixture_move(f, "/ca.key", PKI "/ca.key");
        assert_int_equal(fixture_run(f, certs, "all"), 0);
        fixture_move(f, PKI "/ca.key", "/ca.key");
        fails(f, "all",
              "the controller-manager.conf file does not exists or it is not valid: stat "
              "/etc/kubernetes/controller-manager.conf: no such file or directory");
        fixture_move(f, "/ca.key", PKI "/ca.key");
        assert_int_equal(fixture_run(f, kubeconfig, "all"), 0);
        fixture_move(f, PKI "/ca.key", "/ca.key");
        assert_int_equal(fixture_run(f, certs, "all"), 0);
        assert_non_null(strstr(f->out, "[certs] Using existing ca keyless certificate authority\n"));
        assert_non_null(strstr(f->out, "[certs] Using existing sa keys\n"));
        assert_int_equal(fixture_run(f, kubeconfig, "all"), 0);
        assert_string_equal(f->out, "[kubeconfig] Using kubeconfig folder \"/etc/kubernetes\"\n"
                                    "[kubeconfig] External CA mode: Using user provided admin.conf\n"
                                    "[kubeconfig] External CA mode: Using user provided super-admin.conf\n"
                                    "[kubeconfig] External CA mode: Using user provided kubelet.conf\n"
                                    "[kubeconfig] External CA mode: Using user provided controller-manager.conf\n"
                                    "[kubeconfig] External CA mode: Using user provided scheduler.conf\n");
        fixture_remove(f, PKI "/front-proxy-ca.key");
        fixture_remove(f, PKI "/front-proxy-client.key");
        fails(f, "all",
              "invalid or incomplete external front-proxy CA: failure loading key for front-proxy-client: couldn't "
              "load "
              "the private key file /etc/kubernetes/pki/front-proxy-client.key: open "
              "/etc/kubernetes/pki/front-proxy-client.key: no such file or directory");
}

static void test_validity(void **state)
{
        struct fixture *f = *state;
        char *config CLEANUP_FREE =
                xasprintf("%scertificateValidityPeriod: 48h\ncaCertificateValidityPeriod: 72h\n", plain_config);

        fixture_config(f, config);
        assert_int_equal(fixture_run(f, certs, "ca"), 0);
        assert_int_equal(fixture_run(f, certs, "apiserver"), 0);
        struct pki_cert *ca CLEANUP_PKI_CERT = load_cert(f, PKI "/ca.crt"),
                            *leaf CLEANUP_PKI_CERT = load_cert(f, PKI "/apiserver.crt");
        const struct pki_cert_facts *a = pki_cert_facts(ca), *b = pki_cert_facts(leaf);
        assert_int_equal(a->not_after - a->not_before, 72 * 3600 + 300);
        assert_int_equal(b->not_after - b->not_before, 48 * 3600 + 300);
}

static void test_dry_run(void **state)
{
        struct fixture *f = *state;
        char *before CLEANUP_FREE = fixture_digest(f);

        f->dry_run = true;
        assert_int_equal(fixture_run(f, certs, "all"), 0);
        assert_int_equal(strncmp(f->out, all_says, strlen(all_says)), 0);
        assert_non_null(strstr(f->out, "/etc/kubernetes/pki/apiserver.crt"));
        assert_null(strstr(f->out, "PRIVATE KEY"));
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

/* Nothing is half-written where a directory cannot be made. */
static void test_unwritable(void **state)
{
        struct fixture *f = *state;

        fixture_put(f, PKI "/etcd", "a file where a directory should be");
        char *before CLEANUP_FREE = fixture_digest(f);
        assert_true(fixture_run(f, certs, "all") < 0);
        static const char begin[] = "error execution phase certs/etcd-ca: failure while saving etcd/ca certificate and "
                                    "key: couldn't write key: unable to write private key to file "
                                    "/etc/kubernetes/pki/etcd/ca.key: mkdir /etc/kubernetes/pki/etcd";
        assert_int_equal(strncmp(f->err.msg, begin, strlen(begin)), 0);
        assert_non_null(strstr(f->err.msg, ": not a directory"));
        char *after CLEANUP_FREE = fixture_digest(f);
        assert_string_equal(before, after);
}

static void test_unknown(void **state)
{
        struct fixture *f = *state;

        fails(f, "nonsense", "there is no certificate \"nonsense\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, fixture_setup, fixture_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(all),           TEST(missing_ones_are_made),
                TEST(one_by_one),    TEST(eras),
                TEST(begin),         TEST(begin),
                TEST(no_ca),         TEST(half_a_pair),
                TEST(other_ca),      TEST(not_a_ca),
                TEST(lacking_names), TEST(service_account),
                TEST(external_etcd), TEST(external_ca),
                TEST(validity),      TEST(dry_run),
                TEST(unwritable),    TEST(unknown),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
