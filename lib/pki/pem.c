/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <gnutls/gnutls.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "pki/pem.h"

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

void pki_pem_block_release(struct pki_pem_block *block)
{
        if (block->data)
                gnutls_memset(block->data, 0, block->len);
        free(block->data);
        *block = (struct pki_pem_block){.data = NULL};
}

/* The next `what` that begins a line, or NULL. */
static const char *find_line(const char *text, size_t len, const char *what)
{
        size_t n = strlen(what);

        for (const char *p = text; (p = memmem(p, len - (size_t)(p - text), what, n)); p++)
                if (p == text || p[-1] == '\n')
                        return p;
        return NULL;
}

/* Cuts "-----BEGIN TYPE-----\n" off; false where the line is none. */
static bool take_type(const char **at, const char *end, char type[64])
{
        const char *name = *at + strlen(BEGIN), *newline = memchr(name, '\n', (size_t)(end - name));

        if (!newline)
                return false;
        const char *last = newline;
        while (last > name && (last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t'))
                last--;
        if ((size_t)(last - name) < strlen(DASHES) || memcmp(last - strlen(DASHES), DASHES, strlen(DASHES)) != 0)
                return false;
        size_t len = (size_t)(last - name) - strlen(DASHES);
        if (len == 0 || len >= 64)
                return false;
        memcpy(type, name, len);
        type[len] = '\0';
        *at = newline + 1;
        return true;
}

/* Skips "Key: value" lines and the empty line behind them. */
static bool skip_headers(const char **at, const char *end)
{
        bool any = false;

        for (;;) {
                const char *newline = memchr(*at, '\n', (size_t)(end - *at));
                if (!newline || !memchr(*at, ':', (size_t)(newline - *at)))
                        return any;
                any = true;
                *at = newline + 1;
        }
}

static bool decode(const char *at, size_t len, struct pki_pem_block *block)
{
        /* GnuTLS wants the armour; the type does not matter to it. */
        static const char head[] = BEGIN "X" DASHES "\n", tail[] = "\n" END "X" DASHES "\n";
        const size_t head_len = sizeof(head) - 1, tail_len = sizeof(tail) - 1, size = head_len + len + tail_len;
        unsigned char *whole CLEANUP_FREE = xmalloc(size);
        gnutls_datum_t in = {.data = whole, .size = (unsigned)size}, out = {0};

        memcpy(whole, head, head_len);
        memcpy(whole + head_len, at, len);
        memcpy(whole + head_len + len, tail, tail_len);
        int r = gnutls_pem_base64_decode2("X", &in, &out);
        gnutls_memset(whole, 0, size);
        if (r < 0)
                return false;
        block->data = xmalloc(out.size ? out.size : 1);
        memcpy(block->data, out.data, out.size);
        block->len = out.size;
        gnutls_memset(out.data, 0, out.size);
        gnutls_free(out.data);
        return true;
}

bool pki_pem_next(const char **text, size_t *len, struct pki_pem_block *ret)
{
        for (;;) {
                const char *end = *text + *len, *at = find_line(*text, *len, BEGIN);
                pki_pem_block_release(ret);
                if (!at)
                        return false;
                const char *behind = at + strlen(BEGIN);
                bool good = take_type(&at, end, ret->type);
                if (good) {
                        ret->headers = skip_headers(&at, end);
                        const char *close = find_line(at, (size_t)(end - at), END);
                        size_t type_len = strlen(ret->type), rest = close ? (size_t)(end - close) - strlen(END) : 0;
                        good = close && rest >= type_len + strlen(DASHES) &&
                               memcmp(close + strlen(END), ret->type, type_len) == 0 &&
                               memcmp(close + strlen(END) + type_len, DASHES, strlen(DASHES)) == 0 &&
                               decode(at, (size_t)(close - at), ret);
                        if (good)
                                behind = close + strlen(END) + type_len + strlen(DASHES);
                }
                *text = behind;
                *len = (size_t)(end - behind);
                if (good)
                        return true;
        }
}

int pki_pem_write(const char *type, const void *data, size_t len, struct buf *out, struct err *err)
{
        gnutls_datum_t in = {.data = (unsigned char *)data, .size = (unsigned)len}, text = {0};
        int r = gnutls_pem_base64_encode2(type, &in, &text);

        if (r < 0)
                return err_set(err, EIO, "cannot write %s as PEM: %s", type, gnutls_strerror(r));
        buf_add(out, text.data, text.size);
        gnutls_memset(text.data, 0, text.size);
        gnutls_free(text.data);
        return buf_check(out, type, err);
}
