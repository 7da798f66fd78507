/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "pki/seal.h"

static void test_there_and_back(void **state)
{
        static const char key[32] = "0123456789abcdef0123456789abcdef";
        struct buf sealed CLEANUP_BUF = BUF_INIT(4096), again CLEANUP_BUF = BUF_INIT(4096),
                          plain CLEANUP_BUF = BUF_INIT(4096);
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pki_seal(key, 32, "some text", 9, &sealed, &err), 0);
        assert_int_equal(sealed.len, 12 + 9 + 16);
        assert_int_equal(pki_seal(key, 32, "some text", 9, &again, &err), 0);
        assert_memory_not_equal(sealed.data, again.data, sealed.len);
        assert_int_equal(pki_unseal(key, 32, sealed.data, sealed.len, &plain, &err), 0);
        assert_int_equal(plain.len, 9);
        assert_memory_equal(plain.data, "some text", 9);
        sealed.data[15] ^= 1;
        assert_int_equal(pki_unseal(key, 32, sealed.data, sealed.len, &plain, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "cipher: message authentication failed");
        assert_int_equal(pki_unseal(key, 32, sealed.data, 20, &plain, &err), -ERR_INVALID);
}

/* NIST's test case 13 of AES-256-GCM: a zero key, nonce and no text. */
static void test_known_answer(void **state)
{
        static const unsigned char key[32] = {0};
        static const unsigned char sealed[28] = {0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
                                                 0,    0,    0x53, 0x0f, 0x8a, 0xfb, 0xc7, 0x45, 0x36, 0xb9,
                                                 0xa9, 0x63, 0xb4, 0xf1, 0xc4, 0xcb, 0x73, 0x8b};
        struct buf plain CLEANUP_BUF = BUF_INIT(64);

        (void)state;
        assert_int_equal(pki_unseal(key, sizeof(key), sealed, sizeof(sealed), &plain, NULL), 0);
        assert_int_equal(plain.len, 0);
}

static void test_key_sizes(void **state)
{
        struct buf out CLEANUP_BUF = BUF_INIT(4096);
        struct err err = ERR_INIT;

        (void)state;
        assert_int_equal(pki_seal("0123456789abcdef", 16, "x", 1, &out, &err), 0);
        assert_int_equal(pki_seal("0123456789", 10, "x", 1, &out, &err), -ERR_INVALID);
        assert_string_equal(err.msg, "crypto/aes: invalid key size 10");
}

static void test_sha256(void **state)
{
        char text[65];

        (void)state;
        pki_sha256_text("abc", 3, text);
        assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back),
                cmocka_unit_test(test_known_answer),
                cmocka_unit_test(test_key_sizes),
                cmocka_unit_test(test_sha256),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
