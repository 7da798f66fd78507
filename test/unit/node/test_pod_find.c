/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "node/pod_find.h"

static const char *const pods[][2] = {
        {"kube-system", "etcd-node1"}, {"default", "etcd-node1"}, {"default", "web-node1"}, {"default", "web"}};

static int find(const char *word, size_t *ret, struct err *err)
{
        struct pod_search search = {.word = word};

        for (size_t i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
                pod_search_offer(&search, pods[i][0], pods[i][1], "node1", i);
        return pod_search_end(&search, ret, err);
}

static void test_words(void **state)
{
        struct err err = ERR_INIT;
        size_t index = 99;

        (void)state;
        assert_int_equal(find("kube-system/etcd-node1", &index, &err), 0);
        assert_int_equal(index, 0);
        assert_int_equal(find("default/etcd", &index, &err), 0);
        assert_int_equal(index, 1);
        assert_int_equal(find("web-node1", &index, &err), 0);
        assert_int_equal(index, 2);
        /* The whole name is better than the short one of another. */
        assert_int_equal(find("web", &index, &err), 0);
        assert_int_equal(index, 3);
}

static void test_none_and_several(void **state)
{
        struct err err = ERR_INIT;
        size_t index = 99;

        (void)state;
        assert_int_equal(find("we", &index, &err), -ENOENT);
        assert_string_equal(err.msg, "there is no pod we");
        assert_int_equal(find("kube/etcd-node1", &index, &err), -ENOENT);
        assert_int_equal(find("etcd", &index, &err), -ERR_USAGE);
        assert_string_equal(err.msg, "pod etcd may be any of kube-system/etcd-node1, default/etcd-node1");
        assert_int_equal(index, 99);
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_none_and_several)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
