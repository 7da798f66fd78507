/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/err.h"
#include "phase/secret_text.h"

#define KEY_BYTES 32
#define TOKEN_ID 6
#define TOKEN_SECRET 16

static int random_bytes(uint8_t *ret, size_t len, struct err *err)
{
        /* Up to 256 bytes come whole. */
        ssize_t n = getrandom(ret, len, 0);

        return n == (ssize_t)len ? 0 : err_set_errno(err, n < 0 ? errno : EIO, "cannot get random bytes");
}

/* Bytes that would make some characters likelier than others are thrown away. */
static int random_text(char *ret, size_t len, struct err *err)
{
        static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz";
        const size_t count = sizeof(alphabet) - 1, usable = 256 - 256 % count;

        for (size_t i = 0; i < len;) {
                uint8_t byte;
                int r = random_bytes(&byte, 1, err);
                if (r < 0)
                        return r;
                if (byte < usable)
                        ret[i++] = alphabet[byte % count];
        }
        return 0;
}

int secret_token(char ret[SECRET_TOKEN_MAX], struct err *err)
{
        int r = random_text(ret, TOKEN_ID, err);

        if (r == 0)
                r = random_text(ret + TOKEN_ID + 1, TOKEN_SECRET, err);
        ret[TOKEN_ID] = '.';
        ret[TOKEN_ID + 1 + TOKEN_SECRET] = '\0';
        return r;
}

int secret_certificate_key(char ret[SECRET_CERTIFICATE_KEY_MAX], struct err *err)
{
        uint8_t key[KEY_BYTES];
        int r = random_bytes(key, sizeof(key), err);

        for (size_t i = 0; r == 0 && i < sizeof(key); i++)
                (void)snprintf(ret + 2 * i, 3, "%02x", key[i]);
        explicit_bzero(key, sizeof(key));
        return r;
}
