/* SPDX-License-Identifier: Apache-2.0
 *
 * Pods compared by meaning, and the patches that make one of another.
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
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config.h"
#include "phase/era.h"
#include "phase/pod_diff.h"
#include "phase/pod_patch.h"

static struct value *load(const char *text)
{
        struct value *v = NULL;
        struct err err = ERR_INIT;

        if (yaml_load_one("pod.yaml", text, strlen(text), 0, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return v;
}

/* A pod whose metadata, spec and container hold what is given besides. */
static struct value *pod_of(const char *metadata, const char *spec, const char *container)
{
        char *text CLEANUP_FREE = xasprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: p, %s}\n"
                                            "spec: {%s, containers: [{name: c, image: i:1, %s}]}\nstatus: {}\n",
                                            metadata, *spec ? spec : "hostNetwork: true", container);

        return load(text);
}

static char *show(const struct pod_differences *d)
{
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        for (size_t i = 0; i < d->count; i++)
                buf_addf(&out, "%s%s %s %s%s%s%s%s", i ? "; " : "", pod_difference_kind_name(d->items[i].kind),
                         d->items[i].what, d->items[i].name, d->items[i].before ? " was " : "",
                         d->items[i].before ? d->items[i].before : "", d->items[i].after ? " is " : "",
                         d->items[i].after ? d->items[i].after : "");
        return buf_steal(&out, NULL);
}

static char *differences(const struct value *before, const struct value *after)
{
        struct value *was CLEANUP_VALUE = pod_meaning(before, NULL), *is CLEANUP_VALUE = pod_meaning(after, NULL);
        struct pod_differences d CLEANUP_POD_DIFFERENCES = {0};

        assert_int_equal(pod_diff(was, is, &d, NULL), 0);
        return show(&d);
}

struct pair {
        const char *metadata[2], *spec[2], *container[2];
        const char *wanted; /* differences */
};

static const struct pair pairs[] = {
        /* no difference by meaning */
        {{"", ""}, {"", ""}, {"", ""}, ""},
        {{"creationTimestamp: null", ""}, {"", ""}, {"", ""}, ""},
        {{"", ""}, {"", "hostNetwork: true, dnsPolicy: ClusterFirst"}, {"", ""}, ""},
        {{"", ""}, {"", ""}, {"", "imagePullPolicy: IfNotPresent"}, ""},
        {{"", ""}, {"", ""}, {"resources: {}", ""}, ""},
        {{"", ""}, {"", ""}, {"ports: [{containerPort: 80}]", "ports: [{protocol: TCP, containerPort: 80}]"}, ""},
        {{"", ""}, {"", ""}, {"resources: {requests: {cpu: 1}}", "resources: {requests: {cpu: 1000m}}"}, ""},
        {{"labels: {a: b, c: d}", "labels: {c: d, a: b}"}, {"", ""}, {"", ""}, ""},
        /* labels, annotations, fields */
        {{"labels: {a: b}", "labels: {a: c}"}, {"", ""}, {"", ""}, "changed label a was b is c"},
        {{"", "labels: {a: c}"}, {"", ""}, {"", ""}, "added label a is c"},
        {{"annotations: {x.io/a: b}", ""}, {"", ""}, {"", ""}, "removed annotation x.io/a was b"},
        {{"", ""}, {"", "hostNetwork: true, priority: 7"}, {"", ""}, "added field spec.priority is 7"},
        {{"", ""}, {"", ""}, {"image: i:2", "image: i:3"}, "changed image  was i:2 is i:3"},
        {{"", ""},
         {"", ""},
         {"imagePullPolicy: Never", "imagePullPolicy: Always"},
         "changed field spec.containers[c].imagePullPolicy was Never is Always"},
        {{"", ""},
         {"", ""},
         {"resources: {requests: {cpu: 1}}", "resources: {requests: {cpu: 2}}"},
         "changed resources requests.cpu was 1 is 2"},
        /* probes */
        {{"", ""},
         {"", ""},
         {"livenessProbe: {httpGet: {port: 1}}", "livenessProbe: {httpGet: {port: 2}, failureThreshold: 3}"},
         "changed liveness probe httpGet.port was 1 is 2"},
        {{"", ""},
         {"", ""},
         {"livenessProbe: {httpGet: {port: 1}}", "livenessProbe: {httpGet: {port: 1}, failureThreshold: 8}"},
         "changed liveness probe failureThreshold was 3 is 8"},
        /* lists by the key of their items */
        {{"", ""},
         {"", ""},
         {"env: [{name: A, value: x}]", "env: [{name: A, value: z}, {name: B}]"},
         "changed environment variable A was {\"name\":\"A\",\"value\":\"x\"} is {\"name\":\"A\",\"value\":\"z\"}; "
         "added environment variable B is {\"name\":\"B\"}"},
        {{"", ""},
         {"", ""},
         {"env: [{name: A}, {name: B}]", "env: [{name: B}, {name: A}]"},
         "reordered environment variable "},
        {{"", ""},
         {"volumes: [{name: v, hostPath: {path: /a}}]", "volumes: []"},
         {"", ""},
         "removed volume v was {\"hostPath\":{\"path\":\"/a\",\"type\":\"\"},\"name\":\"v\"}"},
        {{"", ""},
         {"", ""},
         {"", "volumeMounts: [{name: v, mountPath: /x}]"},
         "added mount /x is {\"mountPath\":\"/x\",\"name\":\"v\"}"},
        /* arguments */
        {{"", ""},
         {"", ""},
         {"command: [x, --a=1, --b=2]", "command: [x, --a=3, --b=2]"},
         "changed argument --a was 1 is 3"},
        {{"", ""}, {"", ""}, {"command: [x, --a=1]", "command: [x, --a=1, --b]"}, "added argument --b is "},
        {{"", ""}, {"", ""}, {"command: [x, --a=1, --b=1]", "command: [x, --b=1]"}, "removed argument --a was 1"},
        {{"", ""}, {"", ""}, {"command: [x, --a=1, --b=2]", "command: [x, --b=2, --a=1]"}, "reordered argument "},
        {{"", ""},
         {"", ""},
         {"command: [x, --a=1, --a=2]", "command: [x, --a=1, --a=2, --a=3]"},
         "added argument --a is 3"},
        {{"", ""}, {"", ""}, {"command: [x, --a=1, --a=2]", "command: [x, --a=2]"}, "removed argument --a was 1"},
        {{"", ""}, {"", ""}, {"command: [x]", "command: [w]"}, "changed command  was x is w"},
        {{"", ""}, {"", ""}, {"command: [x]", "command: [x]\n, args: [--z=1]"}, "added argument --z is 1"},
        {{"", ""}, {"", ""}, {"command: [x, --a=b=c]", "command: [x, --a=b=d]"}, "changed argument --a was b=c is b=d"},
};

static void make_pair(const struct pair *p, struct value **before, struct value **after)
{
        struct value *pods[2];

        for (int i = 0; i < 2; i++) {
                bool image = str_starts(p->container[i], "image: ");
                pods[i] = pod_of(p->metadata[i], p->spec[i], image ? "" : p->container[i]);
                if (image)
                        value_map_set(value_get(pods[i], "spec", "containers", NULL)->list.items[0], "image",
                                      value_new_string(p->container[i] + strlen("image: ")));
        }
        *before = pods[0];
        *after = pods[1];
}

static void test_differences(void **state)
{
        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                struct value *before CLEANUP_VALUE = NULL, *after CLEANUP_VALUE = NULL;

                make_pair(&pairs[i], &before, &after);
                char *found CLEANUP_FREE = differences(before, after);
                assert_string_equal(found, pairs[i].wanted);
        }
}

static struct era *new_era(const char *kubeadm)
{
        struct kube_version version;
        struct era *era = NULL;

        assert_int_equal(kube_version_parse(kubeadm, false, &version, NULL), 0);
        assert_int_equal(era_new(getenv("TEST_TEMPLATES"), &era, NULL), 0);
        assert_int_equal(era_set_version(era, &version, NULL), 0);
        return era;
}

/* In both directions, by argument and not, for libraries of several eras. pod_patch_make tries what it makes. */
static void test_patches(void **state)
{
        static const char *const versions[] = {"v1.20.15", "v1.27.3", "v1.36.3"};

        (void)state;
        for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
                struct era *era CLEANUP_ERA = new_era(versions[v]);
                struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
                struct phase_config *config CLEANUP_PHASE_CONFIG = phase_config_new();

                for (size_t i = 0; i < 4 * ARRAY_SIZE(pairs); i++) {
                        const struct pair *p = &pairs[i / 4];
                        struct value *before CLEANUP_VALUE = NULL, *after CLEANUP_VALUE = NULL;
                        struct pod_patch patch CLEANUP_POD_PATCH = {0};
                        struct err err = ERR_INIT;

                        make_pair(p, i & 1 ? &before : &after, i & 1 ? &after : &before);
                        if (pod_patch_make(before, after, i & 2, config, types, era, &patch, &err) < 0)
                                fail_msg("%s: pair %zu: %s", versions[v], i / 4, err.msg);
                        assert_int_equal(patch.pod || patch.arguments, *p->wanted != '\0');
                        if (!(i & 2))
                                assert_null(patch.arguments);
                }
        }
}

static char *text_of(const struct value *v)
{
        struct buf out CLEANUP_BUF = BUF_INIT(65536);

        if (v)
                json_write(v, JSON_SORT_KEYS, &out);
        return buf_steal(&out, NULL);
}

/* What the patches look like: small, strategic where that can say it, operations that say where. */
static void test_shapes(void **state)
{
        static const struct {
                const char *before, *after;
                bool by_argument;
                const char *pod, *arguments;
        } cases[] = {
                {"env: [{name: A, value: x}, {name: B}]", "env: [{name: B}]", false,
                 "{\"spec\":{\"containers\":[{\"env\":[{\"$patch\":\"delete\",\"name\":\"A\"}],\"name\":\"c\"}]}}", ""},
                {"env: [{name: A, value: x}]", "env: [{name: A, value: z}]", false,
                 "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"A\",\"value\":\"z\"}],\"name\":\"c\"}]}}", ""},
                {"env: [{name: A}, {name: B}]", "env: [{name: B}, {name: A}]", false,
                 "[{\"op\":\"replace\",\"path\":\"/spec/containers/0/env/0/name\",\"value\":\"B\"},"
                 "{\"op\":\"replace\",\"path\":\"/spec/containers/0/env/1/name\",\"value\":\"A\"}]",
                 ""},
                {"command: [x, --a=1, --c=3]", "command: [x, --a=1, --b=2, --c=4]", true, "",
                 "[{\"set\":\"c\",\"value\":\"4\"},{\"before\":\"c\",\"set\":\"b\",\"value\":\"2\"}]"},
                {"command: [x, --a=1]", "command: [x, --b=2, --b=3]", true, "",
                 "[{\"remove\":\"a\"},{\"set\":\"b\",\"value\":\"2\"},{\"add\":\"b\",\"value\":\"3\"}]"},
                /* An order that operations do not reach. */
                {"command: [x, --a=1, --b=2]", "command: [x, --b=2, --a=1]", true,
                 "{\"spec\":{\"containers\":[{\"command\":[\"x\",\"--b=2\",\"--a=1\"],\"name\":\"c\"}]}}", ""},
        };
        struct era *era CLEANUP_ERA = new_era("v1.36.3");
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        struct phase_config *config CLEANUP_PHASE_CONFIG = phase_config_new();

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct value *before CLEANUP_VALUE = pod_of("", "", cases[i].before),
                                     *after CLEANUP_VALUE = pod_of("", "", cases[i].after);
                struct pod_patch patch CLEANUP_POD_PATCH = {0};
                struct err err = ERR_INIT;

                if (pod_patch_make(before, after, cases[i].by_argument, config, types, era, &patch, &err) < 0)
                        fail_msg("case %zu: %s", i, err.msg);
                char *pod CLEANUP_FREE = text_of(patch.pod), *arguments CLEANUP_FREE = text_of(patch.arguments);
                assert_string_equal(pod, cases[i].pod);
                assert_string_equal(arguments, cases[i].arguments);
        }
}

static void test_impossible(void **state)
{
        struct era *era CLEANUP_ERA = new_era("v1.36.3");
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        struct phase_config *config CLEANUP_PHASE_CONFIG = phase_config_new();
        struct value *before CLEANUP_VALUE = pod_of("", "", ""), *after CLEANUP_VALUE = pod_of("", "", "");
        struct pod_patch patch CLEANUP_POD_PATCH = {0};
        struct err err = ERR_INIT;

        (void)state;
        value_map_set(after, "kind", value_new_string("Deployment"));
        assert_int_equal(pod_patch_make(before, after, false, config, types, era, &patch, &err), -ERR_UNSUPPORTED);
        assert_string_equal(err.msg, "kind: a patch cannot change it");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_differences),
                cmocka_unit_test(test_patches),
                cmocka_unit_test(test_shapes),
                cmocka_unit_test(test_impossible),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
