/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "codec/value.h"
#include "phase/embedded.h"
#include "phase/era.h"
#include "phase/era_rows.h"

static struct era *open_era(const char *dir, const char *version)
{
        struct err err = ERR_INIT;
        struct kube_version v;
        struct era *era;

        if (era_new(dir, &era, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(kube_version_parse(version, false, &v, &err), 0);
        if (era_set_version(era, &v, &err) < 0)
                fail_msg("%s", err.msg);
        return era;
}

static void test_rows_by_version(void **state)
{
        static const struct {
                const char *version, *order, *pause;
        } rows[] = {
                {"v1.20.0", "sorted", "3.2"},
                {"v1.32.11", "sorted", "3.10"},
                {"v1.32.12", "defaults-first", "3.10"},
                {"v1.33.0", "sorted", "3.10"},
                {"v1.35.0", "sorted", "3.10.1"},
                {"v1.35.1", "defaults-first", "3.10.1"},
                {"v1.36.3", "defaults-first", "3.10.2"},
                {"v1.36.0-rc.1", "defaults-first", "3.10.2"},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct era *era CLEANUP_ERA = open_era(NULL, rows[i].version);

                assert_string_equal(era_text(era, "static-pod", "argumentOrder", ""), rows[i].order);
                assert_string_equal(era_text(era, "images", "pause", ""), rows[i].pause);
        }
}

static void test_kinds_of_values(void **state)
{
        struct era *old CLEANUP_ERA = open_era(NULL, "v1.22.0"), *new CLEANUP_ERA = open_era(NULL, "v1.36.3");

        (void)state;
        assert_int_equal(era_number(old, "validation", "exitCode", -1), 3);
        assert_int_equal(era_number(new, "validation", "exitCode", -1), -1);
        assert_int_equal(era_number(old, "validation", "badMaps", -1), -1); /* not a number */
        assert_false(era_flag(old, "certificates", "superAdmin"));
        assert_true(era_flag(new, "certificates", "superAdmin"));
        assert_true(era_lists(old, "config", "featureGates", "IPv6DualStack"));
        assert_false(era_lists(new, "config", "featureGates", "IPv6DualStack"));
        assert_string_equal(era_text(new, "no", "such", "fallback"), "fallback");
        assert_null(era_value(new, "certificates", "etcdClientOrganization"));
        assert_string_equal(era_text(old, "certificates", "etcdClientOrganization", ""), "system:masters");
}

/* What the sources of these releases say (features/features.go, v1beta3/conversion.go), where no run is recorded. */
static void test_settings_of_releases(void **state)
{
        static const struct {
                const char *version, *gate;
                bool known;
        } gates[] = {
                {"v1.25.16", "UnversionedKubeletConfigMap", true},
                {"v1.26.15", "UnversionedKubeletConfigMap", false},
                {"v1.26.15", "PublicKeysECDSA", true},
                {"v1.26.15", "EtcdLearnerMode", false},
                {"v1.27.16", "PublicKeysECDSA", true},
                {"v1.27.16", "EtcdLearnerMode", true},
                {"v1.27.16", "UpgradeAddonsBeforeControlPlane", false},
        };
        struct era *before CLEANUP_ERA = open_era(getenv("TEST_TEMPLATES"), "v1.34.0"),
                           *after CLEANUP_ERA = open_era(getenv("TEST_TEMPLATES"), "v1.34.1");

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(gates); i++) {
                struct era *era CLEANUP_ERA = open_era(getenv("TEST_TEMPLATES"), gates[i].version);

                if (era_lists(era, "config", "featureGates", gates[i].gate) != gates[i].known)
                        fail_msg("%s of %s", gates[i].gate, gates[i].version);
        }
        assert_string_equal(era_text(before, "config", "timeoutForControlPlane", ""), "none");
        assert_string_equal(era_text(after, "config", "timeoutForControlPlane", ""), "nonzero");
}

static void test_versions(void **state)
{
        struct era *era CLEANUP_ERA = open_era(NULL, "v1.36.3");
        struct kube_version v;
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(era_newest(era, 36, &v, &err), 0);
        assert_int_equal(v.patch, 3);
        assert_int_equal(era_newest(era, 99, &v, &err), -ERR_UNSUPPORTED);
        assert_non_null(strstr(err.msg, "the tables cover 1.20 to 1.37"));
        assert_int_equal(kube_version_parse("v1.19.3", false, &v, &err), 0);
        assert_int_equal(era_set_version(era, &v, &err), -ERR_UNSUPPORTED);
        assert_string_equal(err.msg, "kubeadm v1.19.3 is not known: the tables cover 1.20 to 1.37");
        assert_int_equal(era_oldest(era)->minor, 20);
}

static void test_every_template_parses(void **state)
{
        static const char *const names[] = {
                "kube-apiserver.yaml", "kube-controller-manager.yaml", "kube-scheduler.yaml", "etcd.yaml",
                "kube-proxy.yaml",     "kube-proxy-config.yaml",       "images.yaml"};
        struct era *era CLEANUP_ERA = open_era(NULL, "v1.36.3");
        struct err err = ERR_INIT;

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct value *v = NULL;
                if (era_template(era, names[i], &v, &err) < 0)
                        fail_msg("%s", err.msg);
                assert_true(value_is(v, VALUE_MAP));
        }
        const struct value *none = NULL;
        assert_int_equal(era_template(era, "nope.yaml", &none, &err), -ENOENT);
}

struct rows {
        struct era_row rows[200];
        size_t count;
};

static int collect(void *userdata, const char *rest, const struct era_row *row, struct err *err)
{
        struct rows *rows = userdata;

        (void)err;
        assert_string_equal(rest, row->path);
        assert_true(rows->count < ARRAY_SIZE(rows->rows));
        rows->rows[rows->count++] = *row;
        return 0;
}

static void assert_same_place(const struct value_place *a, const struct value_place *b)
{
        assert_int_equal(a->line, b->line);
        assert_int_equal(a->column, b->column);
        assert_string_equal(strrchr(a->file, '/'), strrchr(b->file, '/'));
}

static void assert_same_value(const struct value *a, const struct value *b)
{
        assert_true(value_equal(a, b));
        assert_same_place(&a->place, &b->place);
        for (size_t i = 0; a->kind == VALUE_LIST && i < a->list.count; i++)
                assert_same_value(a->list.items[i], b->list.items[i]);
        for (size_t i = 0; a->kind == VALUE_MAP && i < a->map.count; i++) {
                assert_string_equal(a->map.entries[i].key, b->map.entries[i].key);
                assert_same_place(&a->map.entries[i].place, &b->map.entries[i].place);
                assert_same_value(a->map.entries[i].value, b->map.entries[i].value);
        }
}

static void assert_same_rows(const struct era *a, const struct era *b, const char *component)
{
        struct rows *x CLEANUP_FREE = xcalloc(1, sizeof(*x)), *y CLEANUP_FREE = xcalloc(1, sizeof(*y));

        assert_int_equal(era_each(a, component, "", collect, x, NULL), 0);
        assert_int_equal(era_each(b, component, "", collect, y, NULL), 0);
        assert_int_equal(x->count, y->count);
        for (size_t i = 0; i < x->count; i++) {
                assert_string_equal(x->rows[i].component, component);
                assert_string_equal(y->rows[i].component, component);
                assert_string_equal(x->rows[i].path, y->rows[i].path);
                assert_same_place(&x->rows[i].place, &y->rows[i].place);
                assert_int_equal(x->rows[i].value == NULL, y->rows[i].value == NULL);
                if (x->rows[i].value)
                        assert_same_value(x->rows[i].value, y->rows[i].value);
                assert_int_equal(era_place_kind(a, &x->rows[i].place), ERA_PLACE_ROW);
                assert_int_equal(era_place_kind(b, &y->rows[i].place), ERA_PLACE_ROW);
        }
}

/* What was packed when this was built is what the YAML says: every file, and every row for every kubeadm. */
static void test_embedded_is_the_yaml(void **state)
{
        static const char *const tables[] = {"eras.yaml", "images.yaml", "addons.yaml"};
        char *dir CLEANUP_FREE = file_join(getenv("PROJECT_ROOT"), "templates");
        struct era *embedded CLEANUP_ERA = open_era(NULL, "v1.36.3"), *parsed CLEANUP_ERA = open_era(dir, "v1.36.3");
        struct kube_version last;
        size_t groups_seen = 0;

        (void)state;
        for (size_t i = 0; i < embedded_file_count; i++) {
                const struct value *a = NULL, *b = NULL;

                assert_int_equal(era_template(embedded, embedded_files[i].name, &a, NULL), 0);
                assert_int_equal(era_template(parsed, embedded_files[i].name, &b, NULL), 0);
                assert_same_value(a, b);
        }
        assert_int_equal(era_newest(parsed, -1, &last, NULL), 0);
        for (int minor = era_oldest(parsed)->minor; minor <= last.minor; minor++) {
                /* The rows group by group, as a phase asks for them. */
                struct era *fresh CLEANUP_ERA = NULL;
                struct kube_version version;

                assert_int_equal(era_newest(parsed, minor, &version, NULL), 0);
                assert_int_equal(era_new(NULL, &fresh, NULL), 0);
                for (int newest = 1; newest >= 0; newest--) {
                        version.patch = newest ? version.patch : 0;
                        assert_int_equal(era_set_version(fresh, &version, NULL), 0);
                        assert_int_equal(era_set_version(parsed, &version, NULL), 0);
                        for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
                                const struct value *groups = NULL;

                                assert_int_equal(era_template(parsed, tables[t], &groups, NULL), 0);
                                for (size_t i = 0; i < groups->map.count; i++, groups_seen++)
                                        assert_same_rows(fresh, parsed, groups->map.entries[i].key);
                        }
                }
        }
        assert_true(groups_seen > 500);
}

struct tree {
        char dir[32];
};

static int setup_tree(void **state)
{
        struct tree *t = xcalloc(1, sizeof(*t));

        memcpy(t->dir, "/tmp/test_era.XXXXXX", sizeof("/tmp/test_era.XXXXXX"));
        *state = t;
        return mkdtemp(t->dir) ? 0 : -1;
}

static int teardown_tree(void **state)
{
        struct tree *t = *state;
        int r = file_remove_tree(t->dir, NULL);

        free(t);
        return r;
}

static void put(const struct tree *t, const char *name, const char *text)
{
        char *path CLEANUP_FREE = file_join(t->dir, name);

        assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, 0, NULL), 0);
}

static void test_other_tables(void **state)
{
        const struct tree *t = *state;

        put(t, "versions.yaml", "- v1.98.0\n- v1.99.4\n");
        put(t, "eras.yaml",
            "a:\n- {path: p, value: new}\n- {path: p, until: \"1.99\", value: old}\n"
            "- {path: q, since: 1.99.2, etcdUntil: 3.6.0, value: both}\n");
        struct era *era CLEANUP_ERA = open_era(t->dir, "v1.99.2");
        const struct kube_version low = {.major = 3, .minor = 5}, high = {.major = 3, .minor = 6};
        assert_string_equal(era_text(era, "a", "p", ""), "new");
        assert_string_equal(era_text(era, "a", "q", ""), "both"); /* a tag that is no version is old */
        era_set_etcd(era, &high);
        assert_null(era_value(era, "a", "q"));
        era_set_etcd(era, &low);
        assert_string_equal(era_text(era, "a", "q", ""), "both");
        /* What the directory does not have is embedded. */
        assert_true(value_is(era_value(era, "images", "order"), VALUE_LIST));
        struct era *before CLEANUP_ERA = open_era(t->dir, "v1.98.0");
        assert_string_equal(era_text(before, "a", "p", ""), "old");
}

static void assert_refused(const struct tree *t, const char *name, const char *text, const char *message)
{
        struct era *era CLEANUP_ERA = NULL;
        struct err err = ERR_INIT;

        put(t, name, text);
        assert_true(era_new(t->dir, &era, &err) < 0);
        if (!strstr(err.msg, message))
                fail_msg("\"%s\" does not say \"%s\"", err.msg, message);
        char *path CLEANUP_FREE = file_join(t->dir, name);
        assert_int_equal(file_remove_tree(path, NULL), 0);
}

static void test_bad_tables(void **state)
{
        const struct tree *t = *state;

        assert_refused(t, "eras.yaml", "a:\n- {path: p, valu: x}\n",
                       "eras.yaml:2:13: unknown key \"valu\"; did you mean \"value\"?");
        assert_refused(t, "eras.yaml", "a:\n- {value: x}\n", "the row has no path");
        assert_refused(t, "eras.yaml", "a:\n- {path: p}\n", "either a value or");
        assert_refused(t, "eras.yaml", "a:\n- {path: p, value: 1, remove: true}\n", "either a value or");
        assert_refused(t, "eras.yaml", "a:\n- {path: p, remove: false}\n", "remove: can only be true");
        assert_refused(t, "eras.yaml", "a:\n- {path: p, since: 1.31, value: 1}\n",
                       "since: expected a version in quotes");
        assert_refused(t, "eras.yaml", "a:\n- {path: p, since: \"1\", value: 1}\n", "since: ");
        assert_refused(t, "eras.yaml", "a:\n- {path: p, since: \"1.31\", until: \"1.31\", value: 1}\n", "never counts");
        assert_refused(t, "eras.yaml", "- a\n", "expected a map of groups");
        assert_refused(t, "eras.yaml", "a: b\n", "expected a list of rows");
        assert_refused(t, "versions.yaml", "- v1.2.3\n- v1.2.3\n", "in order");
        assert_refused(t, "versions.yaml", "- 1\n", "version");
        assert_refused(t, "versions.yaml", "a: b\n", "expected a list of versions");
        assert_refused(t, "kube-apisrver.yaml", "a: b\n", "did you mean kube-apiserver.yaml?");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rows_by_version),
                cmocka_unit_test(test_kinds_of_values),
                cmocka_unit_test(test_settings_of_releases),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_every_template_parses),
                cmocka_unit_test(test_embedded_is_the_yaml),
                cmocka_unit_test_setup_teardown(test_other_tables, setup_tree, teardown_tree),
                cmocka_unit_test_setup_teardown(test_bad_tables, setup_tree, teardown_tree),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
