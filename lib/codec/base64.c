/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(const void *data, size_t len, const char *alphabet, struct buf *out)
{
        const unsigned char *p = data;

        for (size_t i = 0; i < len; i += 3) {
                size_t n = len - i < 3 ? len - i : 3;
                uint32_t bits = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0U);
                char group[4] = {
                        alphabet[bits >> 18],
                        alphabet[bits >> 12 & 63],
                        n > 1 ? alphabet[bits >> 6 & 63] : '=',
                        n > 2 ? alphabet[bits & 63] : '=',
                };

                buf_add(out, group, sizeof(group));
        }
}

void base64_encode(const void *data, size_t len, struct buf *out)
{
        encode(data, len, standard, out);
}

char *base64_text(const void *data, size_t len)
{
        const size_t size = (len + 2) / 3 * 4 + 1;
        struct buf b = {.data = xmalloc(size), .cap = size, .max = size - 1};

        b.data[0] = '\0';
        encode(data, len, standard, &b);
        return b.data;
}

void base64_encode_url(const void *data, size_t len, struct buf *out)
{
        encode(data, len, for_urls, out);
}

int base64_decode(const char *s, size_t len, struct buf *out, struct err *err)
{
        uint32_t bits = 0;
        unsigned digits = 0, pads = 0;

        for (size_t i = 0; i < len; i++) {
                const char *at = s[i] ? strchr(standard, s[i]) : NULL;

                if (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n')
                        continue;
                if (s[i] == '=') {
                        pads++;
                        continue;
                }
                if (!at || pads)
                        return err_set(err, EINVAL, "base64: illegal character at byte %zu", i);
                bits = bits << 6 | (uint32_t)(at - standard);
                if (++digits % 4 == 0) {
                        char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
                        buf_add(out, bytes, sizeof(bytes));
                }
        }
        if ((digits + pads) % 4 != 0 || pads > 2 || digits % 4 == 1)
                return err_set(err, EINVAL, "base64: cut short or wrongly padded");
        if (digits % 4 == 3) {
                char bytes[2] = {(char)(bits >> 10), (char)(bits >> 2)};
                buf_add(out, bytes, sizeof(bytes));
        } else if (digits % 4 == 2) {
                buf_addch(out, (char)(bits >> 4));
        }
        return buf_check(out, "base64", err);
}
