/* SPDX-License-Identifier: Apache-2.0
 *
 * What is found in manifests: the cases of test/data/pods/findings.txt, a case at least for each rule.
 */
#include "pod_test.h"

#include "base/limits.h"

#define HEAD "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"

struct test_case {
        struct buf name, manifest, want; /* want: as in the file, a line each */
        size_t fatal;
};

static void release_case(struct test_case *c)
{
        buf_release(&c->name);
        buf_release(&c->manifest);
        buf_release(&c->want);
}

static void run_case(struct test_case *c, size_t *count)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = NULL;
        struct buf got CLEANUP_BUF = BUF_INIT(1 << 20);
        struct err err = ERR_INIT;
        int r;

        if (c->name.len == 0)
                return;
        r = pod_from_manifest(buf_str(&c->manifest), c->manifest.len, &test_source, false, &pod, &findings, &err);
        for (size_t i = 0; i < findings.count; i++)
                buf_addf(&got, "%s %s\n", findings.items[i].fatal ? "=>" : "~>", findings.items[i].text);
        if (!str_eq(buf_str(&got), buf_str(&c->want)))
                fail_msg("%s:\n%swanted:\n%s", buf_str(&c->name), buf_str(&got), buf_str(&c->want));
        if (c->fatal > 0) {
                assert_true(r < 0);
                assert_null(pod);
                assert_non_null(strstr(buf_str(&c->want), err.msg)); /* the first fatal one */
        } else {
                assert_int_equal(r, 0);
                assert_non_null(pod);
        }
        (*count)++;
}

static void add_line(struct test_case *c, const char *line, size_t len)
{
        if (str_starts(line, "=> ") || str_starts(line, "~> ")) {
                c->fatal += line[0] == '=';
                buf_add(&c->want, line, len);
                return;
        }
        if (c->manifest.len == 0 && str_starts(line, "  "))
                buf_addstr(&c->manifest, HEAD);
        buf_add(&c->manifest, line, len);
}

static void test_cases(void **state)
{
        struct buf data CLEANUP_BUF = BUF_INIT(1 << 20);
        struct test_case c CLEANUP(release_case) = {BUF_INIT(1 << 16), BUF_INIT(1 << 16), BUF_INIT(1 << 16), 0};
        size_t count = 0;

        (void)state;
        test_read("pods/findings.txt", &data);
        for (const char *line = buf_str(&data), *end; *line; line = end) {
                end = line + strcspn(line, "\n") + 1;
                if (str_starts(line, "== ")) {
                        run_case(&c, &count);
                        buf_clear(&c.name);
                        buf_clear(&c.manifest);
                        buf_clear(&c.want);
                        c.fatal = 0;
                        buf_add(&c.name, line + 3, (size_t)(end - line) - 4);
                } else if (c.name.len > 0) {
                        add_line(&c, line, (size_t)(end - line));
                }
        }
        run_case(&c, &count);
        assert_true(count > 100); /* the file was read */
}

/* The same manifest is refused for its unknown field where that is asked for. */
static void test_strict(void **state)
{
        static const char manifest[] = HEAD "  containers: [{name: a, image: b, imagePulPolicy: Always}]\n";
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct pod *pod CLEANUP_POD = test_pod(manifest, &test_source);
        struct err err = ERR_INIT;

        (void)state;
        pod_unref(TAKE_PTR(pod));
        assert_int_equal(pod_from_manifest(manifest, strlen(manifest), &test_source, true, &pod, &findings, &err),
                         -ERR_INVALID);
        assert_string_equal(err.msg, "m.yaml:5:36: spec.containers[0].imagePulPolicy: unknown field (did you mean "
                                     "\"imagePullPolicy\"?)");
}

/* However much is wrong, the report stays bounded and says that the pod cannot run. */
static void test_bounded(void **state)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct buf manifest CLEANUP_BUF = BUF_INIT(1 << 22);
        struct pod *pod = NULL;
        struct err err = ERR_INIT;

        (void)state;
        buf_addstr(&manifest, HEAD);
        for (int i = 0; i < 3000; i++)
                buf_addf(&manifest, "  unknown%d: 1\n", i);
        buf_addstr(&manifest, "  containers: []\n");
        assert_int_equal(
                pod_from_manifest(buf_str(&manifest), manifest.len, &test_source, false, &pod, &findings, &err),
                -ERR_INVALID);
        assert_int_equal(findings.count, LIMIT_FINDINGS);
        assert_false(findings.items[LIMIT_FINDINGS - 2].fatal);
        assert_true(findings.items[LIMIT_FINDINGS - 1].fatal);
        assert_non_null(strstr(err.msg, "spec.containers: Required value"));
}

/* A key and a value of a megabyte each are shown cut. */
static void test_long_texts(void **state)
{
        struct pod_findings findings CLEANUP(pod_findings_release) = {0};
        struct buf manifest CLEANUP_BUF = BUF_INIT(1 << 22);
        struct pod *pod = NULL;
        struct err err = ERR_INIT;

        (void)state;
        buf_addstr(&manifest, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    ");
        for (int i = 0; i < 1000; i++)
                buf_addstr(&manifest, "\xc3\xa4");
        buf_addstr(&manifest, ": ");
        for (int i = 0; i < 500000; i++)
                buf_addstr(&manifest, "\xc3\xa4");
        buf_addstr(&manifest, "\nspec: {containers: [{name: a, image: b}]}\n");
        assert_int_equal(
                pod_from_manifest(buf_str(&manifest), manifest.len, &test_source, false, &pod, &findings, &err),
                -ERR_INVALID);
        assert_true(findings.count >= 3);
        for (size_t i = 0; i < findings.count; i++) {
                size_t len = strlen(findings.items[i].text);

                assert_true(len < 1500);
                assert_int_equal(utf8_valid_prefix(findings.items[i].text, len), len);
        }
}

static void test_too_many(void **state)
{
        static const struct {
                const char *before, *item, *after;
                int count;
                const char *want;
        } rows[] = {
                {"  containers:\n", "  - {name: c%d, image: b}\n", "", LIMIT_CONTAINERS_PER_POD + 1,
                 "spec.containers: Too many: 101: must have at most 100 items"},
                {"  containers:\n  - name: a\n    image: b\n    env:\n", "    - {name: E%d}\n", "", LIMIT_POD_LIST + 1,
                 "spec.containers[0].env: Too many: 2001: must have at most 2000 items"},
                {"  containers:\n  - name: a\n    image: b\n    resources:\n      limits:\n", "        r%d: 1\n", "",
                 LIMIT_POD_LIST + 1,
                 "spec.containers[0].resources.limits: Too many: 2001: must have at most 2000 items"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct pod_findings findings CLEANUP(pod_findings_release) = {0};
                struct buf manifest CLEANUP_BUF = BUF_INIT(1 << 22);
                struct pod *pod = NULL;
                struct err err = ERR_INIT;

                buf_addf(&manifest, "%s%s", HEAD, rows[i].before);
                for (int k = 0; k < rows[i].count; k++) {
                        const char *mark = strstr(rows[i].item, "%d");

                        buf_add(&manifest, rows[i].item, (size_t)(mark - rows[i].item));
                        buf_addf(&manifest, "%d%s", k, mark + 2);
                }
                assert_int_equal(
                        pod_from_manifest(buf_str(&manifest), manifest.len, &test_source, false, &pod, &findings, &err),
                        -ERR_INVALID);
                assert_non_null(strstr(err.msg, rows[i].want));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),      cmocka_unit_test(test_strict),   cmocka_unit_test(test_bounded),
                cmocka_unit_test(test_long_texts), cmocka_unit_test(test_too_many),
        };

        return cmocka_run_group_tests_name("kube/pod_findings", tests, NULL, NULL);
}
