/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on arguments by name: what each does, what is refused, and that they work beside every API version.
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
#include "base/strv.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fixture.h"
#include "phase/arguments.h"
#include "phase/control_plane.h"

#define MANIFEST "/etc/kubernetes/manifests/kube-apiserver.yaml"

static struct value *load(const char *text)
{
        struct value *v = NULL;
        struct err err = ERR_INIT;

        if (yaml_load_one("test.yaml", text, strlen(text), 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

static struct value *pod_of(const char *command)
{
        char *text CLEANUP_FREE = xasprintf("spec: {containers: [{command: [x, %s]}]}", command);

        return load(text);
}

static char *command_of(const struct value *pod)
{
        const struct value *command =
                value_map_get(value_get(pod, "spec", "containers", NULL)->list.items[0], "command");
        struct strv words CLEANUP_STRV = STRV_INIT;

        for (size_t i = 1; i < command->list.count; i++)
                strv_add(&words, command->list.items[i]->text);
        return strv_join(&words, " ");
}

/* The command afterwards, or the error. Free it. */
static char *result_of(const char *command, const char *operations)
{
        struct phase_config *config CLEANUP_PHASE_CONFIG = phase_config_new();
        struct value *pod CLEANUP_VALUE = pod_of(command), *list CLEANUP_VALUE = load(operations);
        struct err err = ERR_INIT;
        size_t wrong = 0;

        if (arguments_apply(config, pod, list, ARGUMENTS_ORIGIN "test.yaml", &wrong, &err) == 0)
                return command_of(pod);
        return xasprintf("%zu: %s", wrong, err.msg);
}

static void test_operations(void **state)
{
        static const char *const cases[][3] = {
                /* set: one argument of that name, in the place of the first */
                {"--a=1, --b=2, --c=3", "[{set: b, value: new}]", "--a=1 --b=new --c=3"},
                {"--b=1, --a=1, --b=2", "[{set: b, value: new}]", "--b=new --a=1"},
                {"--a=1", "[{set: b, value: x=y}]", "--a=1 --b=x=y"},
                {"--a=1", "[{set: --b, value: 8}, {set: c, value: true}, {set: d}]", "--a=1 --b=8 --c=true --d"},
                {"--ab=1, --a=1", "[{set: a, value: 2}]", "--ab=1 --a=2"},
                {"--a=1, --b=2, --c=3", "[{set: c, value: 3, before: a}]", "--c=3 --a=1 --b=2"},
                {"--a=1, --b=2, --c=3", "[{set: a, value: 1, after: b}]", "--b=2 --a=1 --c=3"},
                /* add: a further one */
                {"--a=1, --b=2", "[{add: a, value: 3}]", "--a=1 --a=3 --b=2"},
                {"--a=1", "[{add: b, value: 3}, {add: b, value: 2}]", "--a=1 --b=3 --b=2"},
                {"--a=1, --a=2", "[{add: a, value: 0, before: a}]", "--a=0 --a=1 --a=2"},
                /* remove */
                {"--a=1, --b=2, --a=3", "[{remove: a}]", "--b=2"},
                {"--a=1, --b=2, --a=3", "[{remove: a, value: 3}]", "--a=1 --b=2"},
                {"--a=1, --b", "[{remove: b}]", "--a=1"},
                {"--a=1", "[{remove: b, optional: true}]", "--a=1"},
                /* lists */
                {"'--p=A,B', --z=1", "[{append: p, value: C}]", "--p=A,B,C --z=1"},
                {"'--p=A,B', --z=1", "[{append: p, value: [C, A, D]}]", "--p=A,B,C,D --z=1"},
                {"'--p=A,B'", "[{append: p, value: 'B,E'}]", "--p=A,B,E"},
                {"'--p=A,B'", "[{prepend: p, value: [C, D]}]", "--p=C,D,A,B"},
                {"--z=1", "[{append: p, value: C}]", "--z=1 --p=C"},
                {"'--p='", "[{append: p, value: C}]", "--p=C"},
                {"'--p=A,B,C'", "[{subtract: p, value: [A, C]}]", "--p=B"},
                {"'--p=A', --z=1", "[{subtract: p, value: A}]", "--z=1"},
                {"'--p=A'", "[{subtract: p, value: B, optional: true}]", "--p=A"},
                {"--z=1", "[{subtract: p, value: B, optional: true}]", "--z=1"},
                {"--a=1", "[]", "--a=1"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *result CLEANUP_FREE = result_of(cases[i][0], cases[i][1]);
                assert_string_equal(result, cases[i][2]);
        }
}

static void test_mistakes(void **state)
{
        static const char *const cases[][2] = {
                {"{set: a}", "0: expected a list of operations"},
                {"[{set: a, value: 1}, x]", "1: expected an operation such as"},
                {"[{value: x}]", "0: an operation is one of"},
                {"[{sett: a}]", "0: unknown key \"sett\"; did you mean \"set\"?"},
                {"[{set: a, remove: b}]", "0: remove: there is a set already"},
                {"[{set: 'a=b'}]", "0: set: expected the name of an argument"},
                {"[{set: ''}]", "0: set: expected the name of an argument"},
                {"[{set: '--'}]", "0: set: expected the name of an argument"},
                {"[{set: a, value: [x]}]", "0: set: value must be text"},
                {"[{set: a, value: {x: y}}]", "0: value: expected text or a list of texts, found a map"},
                {"[{append: a, value: [{x: y}]}]", "0: value: expected text"},
                {"[{append: a, value: []}]", "0: value: expected text"},
                {"[{append: a}]", "0: append needs a value"},
                {"[{append: a, value: x, before: a}]", "0: before and after are for set and add"},
                {"[{set: a, value: x, optional: true}]", "0: optional is for remove and subtract"},
                {"[{remove: profiling}]", "0: there is no argument \"profiling\""},
                {"[{remove: anonymos-auth}]",
                 "0: there is no argument \"anonymos-auth\"; did you mean \"anonymous-auth\"?"},
                {"[{remove: a, value: 2}]", "0: no argument \"a\" has the value \"2\""},
                {"[{subtract: a, value: 2}]", "0: \"2\" is not in the list of \"a\""},
                {"[{set: b, before: c}]", "0: there is no argument \"c\""},
                {"[{set: a, before: a}]", "0: set: \"a\" cannot stand at itself"},
                {"[{set: b, before: a, after: a}]", "0: before and after: only one"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char *result CLEANUP_FREE = result_of("--a=1, --anonymous-auth=false", cases[i][0]);
                if (strncmp(result, cases[i][1], strlen(cases[i][1])) != 0)
                        fail_msg("%s: %s", cases[i][0], result);
        }
}

static int apiserver(struct phase *phase, const char *arg, struct err *err)
{
        (void)arg;
        return phase_control_plane(phase, &component_apiserver, err);
}

/* The kubeadm configuration of an API version, and our document beside it. */
static void configure(struct fixture *f, const char *api, const char *version, const char *arguments)
{
        char *yaml CLEANUP_FREE = xasprintf("apiVersion: kubeadm.k8s.io/%s\n"
                                            "kind: InitConfiguration\n"
                                            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"
                                            "nodeRegistration: {criSocket: 'unix:///run/x.sock', name: node1}\n"
                                            "---\n"
                                            "apiVersion: kubeadm.k8s.io/%s\n"
                                            "kind: ClusterConfiguration\n"
                                            "kubernetesVersion: %s\n"
                                            "---\n"
                                            "apiVersion: podwatch.io/v1alpha1\n"
                                            "kind: ArgumentsConfiguration\n"
                                            "%s",
                                            api, api, version, arguments);

        fixture_config(f, yaml);
}

static const char order_matters[] = "kube-apiserver:\n"
                                    "- {append: enable-admission-plugins, value: PodNodeSelector}\n"
                                    "- {add: service-account-issuer, value: https://z.example.org}\n"
                                    "- {add: service-account-issuer, value: https://a.example.org}\n";

static void test_every_api_version(void **state)
{
        static const char *const versions[][2] = {
                {"v1beta2", "v1.20.15"}, {"v1beta3", "v1.29.0"}, {"v1beta4", "v1.31.0"}, {"v1beta4", "v1.36.3"}};

        for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
                struct fixture *f = *state;

                configure(f, versions[i][0], versions[i][1], order_matters);
                if (fixture_run(f, apiserver, NULL) < 0)
                        fail_msg("%s: %s%s", versions[i][1], f->err.msg, f->log);
                char *manifest CLEANUP_FREE = fixture_get(f, MANIFEST);
                assert_non_null(strstr(manifest, "--enable-admission-plugins=NodeRestriction,PodNodeSelector\n"));
                const char *z = strstr(manifest, "https://z.example.org"),
                           *a = strstr(manifest, "https://a.example.org");
                assert_true(z && a && z < a);
        }
}

/* A mistake has its place, and nothing is written. */
static void test_places(void **state)
{
        struct fixture *f = *state;

        configure(f, "v1beta4", "v1.36.3",
                  "kube-apiserver:\n- {remove: profiling, optional: true}\n- {remove: alow-privileged}\n");
        assert_true(fixture_run(f, apiserver, NULL) < 0);
        assert_non_null(
                strstr(f->err.msg, "kubeadm.yaml:14:3: there is no argument \"alow-privileged\"; did you mean"));
        assert_false(fixture_has(f, MANIFEST));
        configure(f, "v1beta4", "v1.36.3", "kube-apisever: []\n");
        assert_true(fixture_run(f, apiserver, NULL) < 0);
        assert_non_null(strstr(f->err.msg, "unknown field \"kube-apisever\"; did you mean \"kube-apiserver\"?"));
}

static void test_patch_file(void **state)
{
        struct fixture *f = *state;
        char *yaml CLEANUP_FREE = xasprintf("%s---\n"
                                            "apiVersion: kubeadm.k8s.io/v1beta4\n"
                                            "kind: InitConfiguration\n"
                                            "patches: {directory: /patches}\n"
                                            "localAPIEndpoint: {advertiseAddress: 192.0.2.10}\n"
                                            "nodeRegistration: {criSocket: 'unix:///run/x.sock', name: node1}\n",
                                            strstr(plain_config, "---\n") + 4);

        fixture_config(f, yaml);
        fixture_put(f, "/patches/kube-apiserver1+arguments.yaml",
                    "- {set: secure-port, value: 8443, after: kube-apiserver}\n");
        assert_true(fixture_run(f, apiserver, NULL) < 0);
        assert_non_null(
                strstr(f->log, "/patches/kube-apiserver1+arguments.yaml:1:3: there is no argument \"kube-apiserver\""));
        assert_false(fixture_has(f, MANIFEST));
        /* Among other patches, in lexical order. */
        fixture_put(f, "/patches/kube-apiserver1+arguments.yaml",
                    "- {set: secure-port, value: 8443}\n---\n- {remove: allow-privileged}\n");
        fixture_put(f, "/patches/kube-apiserver2+json.yaml",
                    "- {op: add, path: /spec/containers/0/command/-, value: --v=1}\n");
        fixture_put(f, "/patches/kube-apiserver3+arguments.yaml", "- {set: v, value: 9}\n");
        assert_int_equal(fixture_run(f, apiserver, NULL), 0);
        char *manifest CLEANUP_FREE = fixture_get(f, MANIFEST);
        assert_non_null(strstr(manifest, "    - --secure-port=8443\n"));
        assert_non_null(strstr(manifest, "    - --v=9\n"));
        assert_null(strstr(manifest, "--v=1"));
        assert_null(strstr(manifest, "allow-privileged"));
        assert_non_null(strstr(f->out, "[patches] Applied patch of type \"arguments\" to target \"kube-apiserver\""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_operations),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test_setup_teardown(test_every_api_version, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_places, fixture_setup, fixture_teardown),
                cmocka_unit_test_setup_teardown(test_patch_file, fixture_setup, fixture_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
