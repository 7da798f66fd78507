/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "kube/pod.h"
#include "node/start_order.h"

static struct pod_key_value annotations[8];
static struct pod pods[8];
static const struct pod *list[8];
static size_t count;

static void add(const char *name, const char *after)
{
        pods[count] = (struct pod){.name = (char *)(uintptr_t)name, .namespace = (char *)(uintptr_t) "default"};
        annotations[count] = (struct pod_key_value){(char *)(uintptr_t) "podwatch.io/after", (char *)(uintptr_t)after};
        if (after)
                pods[count].annotations = (struct pod_map){&annotations[count], 1};
        list[count] = &pods[count];
        count++;
}

static void is(size_t from, size_t via, const char *expected)
{
        char *circle CLEANUP_FREE = start_order_circle(list, count, from, via, "n");

        if (expected)
                assert_string_equal(circle, expected);
        else
                assert_null(circle);
}

static void test_order(void **state)
{
        (void)state;
        count = 0;
        add("etcd-n", NULL);
        add("api-n", "etcd");
        add("web-n", "api:started, etcd-n");
        assert_true(start_order_waits(list[1], list[0], "n"));
        assert_true(start_order_waits(list[2], list[0], "n"));
        assert_false(start_order_waits(list[0], list[1], "n"));
        for (size_t i = 0; i < count; i++)
                is(i, (size_t)-1, NULL);
}

static void test_circles(void **state)
{
        (void)state;
        count = 0;
        add("a-n", "b, d");
        add("b-n", "c");
        add("c-n", "a");
        add("d-n", NULL);
        add("e-n", "e");
        add("f-n", "a");
        is(0, (size_t)-1, "a-n -> b-n -> c-n -> a-n");
        is(0, 1, "a-n -> b-n -> c-n -> a-n");
        is(0, 3, NULL); /* d is waited for all the same */
        is(2, (size_t)-1, "c-n -> a-n -> b-n -> c-n");
        is(4, (size_t)-1, "e-n -> e-n");
        is(5, (size_t)-1, NULL); /* waits for a circle, is none of it */
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_order), cmocka_unit_test(test_circles)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
