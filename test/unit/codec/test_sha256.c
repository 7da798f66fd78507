/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "codec/sha256.h"

/* The examples of NIST, and what sha256sum says of lengths around the ends of a block. */
static void test_digests(void **state)
{
        static const struct {
                const char *text, *digest;
        } cases[] = {
                {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                 "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
                {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                 "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
        };
        char text[SHA256_TEXT_MAX];

        (void)state;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                sha256_text(cases[i].text, strlen(cases[i].text), text);
                assert_string_equal(text, cases[i].digest);
        }
}

/* However the data is cut. */
static void test_parts(void **state)
{
        char data[300], whole[SHA256_TEXT_MAX], text[SHA256_TEXT_MAX];

        (void)state;
        for (size_t i = 0; i < sizeof(data); i++)
                data[i] = (char)(i * 7);
        for (size_t len = 0; len <= sizeof(data); len++) {
                sha256_text(data, len, whole);
                for (size_t part = 1; part <= 130; part += 43) {
                        struct sha256 hash;

                        sha256_init(&hash);
                        for (size_t at = 0; at < len; at += part)
                                sha256_add(&hash, data + at, len - at < part ? len - at : part);
                        sha256_end(&hash, text);
                        assert_string_equal(text, whole);
                }
        }
        /* What sha256sum says of them. */
        assert_string_equal(whole, "9a76b8af8f16f19d60de2b3999c22f9d10be4395c90ea3bfc5eb6cd6254243af");
}

int main(void)
{
        const struct CMUnitTest tests[] = {cmocka_unit_test(test_digests), cmocka_unit_test(test_parts)};
        return cmocka_run_group_tests(tests, NULL, NULL);
}
