/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "cluster/token.h"
#include "codec/value.h"
#include "phase/config.h"

#define NOON ((usec_t)1714564800 * USEC_PER_SEC) /* 2024-05-01T12:00:00Z */

static struct config_text usages[] = {{.text = "signing"}, {.text = "authentication"}};
static struct config_text groups[] = {{.text = "system:bootstrappers:a"}, {.text = "system:bootstrappers:b"}};

static struct config_token token_of(const char *text)
{
        return (struct config_token){
                .token = {.text = text},
                .description = {.text = "some words"},
                .expires = {.text = ""},
                .ttl = {.nsec = (int64_t)3600 * 1000000000, .set = true},
                .usages = {.items = usages, .count = 2, .set = true},
                .groups = {.items = groups, .count = 2, .set = true},
        };
}

static void test_there_and_back(void **state)
{
        struct config_token token = token_of("abcdef.0123456789abcdef");
        struct value *secret CLEANUP_VALUE = token_secret(&token, NOON);
        struct token_facts facts CLEANUP_TOKEN_FACTS = {0};
        struct err err = ERR_INIT;

        (void)state;
        assert_string_equal(value_string(value_get(secret, "metadata", "name", NULL), ""), "bootstrap-token-abcdef");
        assert_string_equal(value_string(value_map_get(secret, "type"), ""), "bootstrap.kubernetes.io/token");
        assert_int_equal(token_from_secret(secret, &facts, &err), 0);
        assert_string_equal(facts.id, "abcdef");
        assert_string_equal(facts.secret, "0123456789abcdef");
        assert_string_equal(facts.description, "some words");
        assert_string_equal(facts.expires_text, "2024-05-01T13:00:00Z");
        assert_int_equal(facts.usages.len, 2);
        assert_string_equal(facts.usages.items[0], "authentication");
        assert_int_equal(facts.groups.len, 2);
        assert_string_equal(facts.groups.items[1], "system:bootstrappers:b");
}

static void test_expires_counts_before_ttl(void **state)
{
        struct config_token token = token_of("abcdef.0123456789abcdef");
        struct token_facts facts CLEANUP_TOKEN_FACTS = {0};

        (void)state;
        token.expires.text = "2030-01-01T00:00:00+01:00";
        struct value *secret CLEANUP_VALUE = token_secret(&token, NOON);
        assert_int_equal(token_from_secret(secret, &facts, NULL), 0);
        assert_string_equal(facts.expires_text, "2029-12-31T23:00:00Z");
}

/* As long as a configuration may make it, which is more than a Secret takes: the server refuses it then. */
static void test_long_description(void **state)
{
        enum { LEN = 100000 };
        struct config_token token = token_of("abcdef.0123456789abcdef");
        char *text CLEANUP_FREE = xmalloc(LEN + 1);

        (void)state;
        memset(text, 'x', LEN);
        text[LEN] = '\0';
        token.description.text = text;
        struct value *secret CLEANUP_VALUE = token_secret(&token, NOON);
        assert_int_equal(strlen(value_string(value_get(secret, "data", "description", NULL), "")), (LEN + 2) / 3 * 4);
}

static void test_for_ever(void **state)
{
        struct config_token token = token_of("abcdef.0123456789abcdef");
        struct token_facts facts CLEANUP_TOKEN_FACTS = {0};

        (void)state;
        token.ttl.nsec = 0;
        struct value *secret CLEANUP_VALUE = token_secret(&token, NOON);
        assert_int_equal(token_from_secret(secret, &facts, NULL), 0);
        assert_null(facts.expires_text);
        assert_null(value_get(secret, "data", "expiration", NULL));
}

static void expect_refused(struct value *secret, const char *text)
{
        struct token_facts facts CLEANUP_TOKEN_FACTS = {0};
        struct err err = ERR_INIT;

        assert_int_equal(token_from_secret(secret, &facts, &err), -ERR_INVALID);
        assert_non_null(strstr(err.msg, text));
}

static void test_bad_secrets(void **state)
{
        struct config_token token = token_of("abcdef.0123456789abcdef");
        struct value *secret CLEANUP_VALUE = token_secret(&token, NOON);
        struct value *data = value_map_get(secret, "data");

        (void)state;
        value_map_set(data, "expiration", value_new_string("c29vbg==")); /* soon */
        expect_refused(secret, "can't parse expiration time of bootstrap token \"bootstrap-token-abcdef\"");
        value_map_set(data, "token-secret", value_new_string("WA==")); /* X */
        expect_refused(secret, "the bootstrap token \"abcdef.X\" was not of the form");
        value_map_remove(data, "token-secret");
        expect_refused(secret, "bootstrap Token Secret has no token-secret data: bootstrap-token-abcdef");
        value_map_set(value_map_get(secret, "metadata"), "name", value_new_string("other"));
        expect_refused(secret, "Actual: \"other\". Expected: \"bootstrap-token-abcdef\"");
        value_map_remove(data, "token-id");
        expect_refused(secret, "bootstrap Token Secret has no token-id data: other");
}

static void test_ids(void **state)
{
        (void)state;
        assert_true(token_is_id("abc123"));
        assert_false(token_is_id("abc12"));
        assert_false(token_is_id("abc1234"));
        assert_false(token_is_id("ABC123"));
        assert_false(token_is_id(""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_expires_counts_before_ttl),
                cmocka_unit_test(test_for_ever),       cmocka_unit_test(test_long_description),
                cmocka_unit_test(test_bad_secrets),    cmocka_unit_test(test_ids),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
