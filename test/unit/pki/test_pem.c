/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "pki/der.h"
#include "pki/pem.h"

/* Types and contents of all blocks: "A:hello B:". */
static void blocks_are(const char *text, const char *expected)
{
        struct pki_pem_block block CLEANUP_PEM_BLOCK = {.data = NULL};
        struct buf got CLEANUP_BUF = BUF_INIT(1000);
        size_t len = strlen(text);

        while (pki_pem_next(&text, &len, &block)) {
                buf_addf(&got, "%s%s%s:", got.len ? " " : "", block.type, block.headers ? "!" : "");
                buf_add(&got, block.data, block.len);
        }
        assert_string_equal(buf_str(&got), expected);
}

#define HELLO "aGVsbG8="

static void test_read(void **state)
{
        (void)state;
        blocks_are("", "");
        blocks_are("-----BEGIN A-----\n" HELLO "\n-----END A-----\n", "A:hello");
        blocks_are("-----BEGIN A-----\r\n" HELLO "\r\n-----END A-----\r\n", "A:hello");
        blocks_are("-----BEGIN A-----\naGVs\nbG8=\n-----END A-----", "A:hello");
        blocks_are("text\n-----BEGIN A B-----  \n" HELLO "\n-----END A B-----\nmore\n-----BEGIN C-----\n" HELLO
                   "\n-----END C-----\n",
                   "A B:hello C:hello");
        blocks_are("-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n" HELLO "\n-----END A-----\n",
                   "A!:hello");
        /* not at the start of a line */
        blocks_are(" -----BEGIN A-----\n" HELLO "\n-----END A-----\n", "");
}

/* A damaged block is skipped, what follows is found. */
static void test_damaged(void **state)
{
        (void)state;
        static const char *const damaged[] = {
                "-----BEGIN A-----\n*\n-----END A-----\n",
                "-----BEGIN A-----\n" HELLO "\n-----END Z-----\n",
                "-----BEGIN A-----\n" HELLO "\n",
                "-----BEGIN A----\n" HELLO "\n-----END A-----\n",
                "-----BEGIN -----\n" HELLO "\n-----END -----\n",
                "-----BEGIN AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-----\n" HELLO "\n",
                "-----BEGIN A-----\nno colon: here",
                "-----BEGIN ",
                "-----BEGIN A-----",
        };
        for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
                struct buf text CLEANUP_BUF = BUF_INIT(1000);
                blocks_are(damaged[i], "");
                buf_addf(&text, "%s\n-----BEGIN G-----\n" HELLO "\n-----END G-----\n", damaged[i]);
                blocks_are(buf_str(&text), "G:hello");
        }
}

static void test_write(void **state)
{
        (void)state;
        struct buf out CLEANUP_BUF = BUF_INIT(1000), small CLEANUP_BUF = BUF_INIT(10);
        uint8_t data[49];

        memset(data, 0, sizeof(data));
        assert_int_equal(pki_pem_write("X Y", data, sizeof(data), &out, NULL), 0);
        assert_string_equal(buf_str(&out), "-----BEGIN X Y-----\n"
                                           "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                                           "AA==\n"
                                           "-----END X Y-----\n");
        assert_true(pki_pem_write("X", data, sizeof(data), &small, NULL) < 0);
}

static void test_der(void **state)
{
        (void)state;
        static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
        static uint8_t data[70000];

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct buf out CLEANUP_BUF = BUF_INIT(100000);
                der_add(&out, DER_OCTET_STRING, data, sizes[i]);
                struct der at = {.data = (const uint8_t *)out.data, .len = out.len}, content;
                uint8_t tag;
                assert_true(der_next(&at, &tag, &content));
                assert_int_equal(tag, DER_OCTET_STRING);
                assert_int_equal(content.len, sizes[i]);
                assert_int_equal(at.len, 0);
                assert_false(der_next(&at, &tag, &content));
                /* one byte less is no element */
                at = (struct der){.data = (const uint8_t *)out.data, .len = out.len - 1};
                assert_false(der_next(&at, &tag, &content));
        }
        static const uint8_t bad[][6] = {{0x1f, 0x01, 0, 0, 0, 0},
                                         {0x30, 0x80, 0, 0, 0, 0},
                                         {0x30, 0x85, 0, 0, 0, 0},
                                         {0x30, 0x84, 0xff, 0xff, 0xff, 0xff}};
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct der at = {.data = bad[i], .len = 6}, content;
                uint8_t tag;
                assert_false(der_next(&at, &tag, &content));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_write),
                cmocka_unit_test(test_der),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
