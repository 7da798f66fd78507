/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "pki/der.h"

void der_add(struct buf *out, uint8_t tag, const void *content, size_t len)
{
        buf_addch(out, (char)tag);
        if (len < 0x80) {
                buf_addch(out, (char)len);
        } else {
                unsigned bytes = 0;
                for (size_t n = len; n > 0; n >>= 8)
                        bytes++;
                buf_addch(out, (char)(0x80 | bytes));
                while (bytes-- > 0)
                        buf_addch(out, (char)(len >> (8 * bytes) & 0xff));
        }
        buf_add(out, content, len);
}

bool der_next(struct der *from, uint8_t *ret_tag, struct der *ret_content)
{
        const uint8_t *p = from->data;
        size_t left = from->len, len, skip = 2;

        if (left < 2 || (p[0] & 0x1f) == 0x1f)
                return false;
        len = p[1];
        if (len & 0x80) {
                size_t bytes = len & 0x7f;
                if (bytes == 0 || bytes > 4 || left < 2 + bytes)
                        return false;
                len = 0;
                for (size_t i = 0; i < bytes; i++)
                        len = len << 8 | p[2 + i];
                skip += bytes;
        }
        if (len > left - skip)
                return false;
        *ret_tag = p[0];
        *ret_content = (struct der){.data = p + skip, .len = len};
        from->data += skip + len;
        from->len -= skip + len;
        return true;
}
