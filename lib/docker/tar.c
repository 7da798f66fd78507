/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/fd.h"
#include "docker/tar.h"

#define HASH_BYTES 32
#define SIZE_MAX_OCTAL 077777777777ULL /* what the field of 11 digits holds: 8 GiB */

struct ustar_header {
        char name[100];
        char mode[8];
        char uid[8];
        char gid[8];
        char size[12];
        char mtime[12];
        char checksum[8];
        char type;
        char link[100];
        char magic[6];
        char version[2];
        char user[32];
        char group[32];
        char dev_major[8];
        char dev_minor[8];
        char prefix[155];
        char unused[12];
};
_Static_assert(sizeof(struct ustar_header) == TAR_BLOCK, "a header is one block");

uint64_t tar_entry_size(uint64_t size)
{
        return TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

int tar_content(struct tar *tar, const void *data, size_t len, struct err *err)
{
        int r = fd_write_all(tar->fd, data, len);
        if (r < 0)
                return err_set_errno(err, -r, "cannot write the archive");
        if (tar->hash && gnutls_hash(tar->hash, data, len) < 0)
                return err_set(err, EIO, "cannot compute a SHA-256");
        tar->written += len;
        return 0;
}

/* Long paths are cut in two at a slash. */
static int set_path(struct ustar_header *h, const char *path, struct err *err)
{
        size_t len = strlen(path);
        if (len <= sizeof(h->name)) {
                memcpy(h->name, path, len);
                return 0;
        }
        for (const char *slash = path + len - sizeof(h->name) - 1; *slash; slash++) {
                size_t prefix_len = (size_t)(slash - path);
                if (*slash != '/')
                        continue;
                if (prefix_len > sizeof(h->prefix) || prefix_len == 0 || !slash[1])
                        break;
                memcpy(h->prefix, path, prefix_len);
                memcpy(h->name, slash + 1, len - prefix_len - 1);
                return 0;
        }
        return err_set(err, ENAMETOOLONG, "%s: the path is too long for an archive", path);
}

static void set_number(char *field, size_t size, uint64_t n)
{
        char text[24];
        (void)snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)n);
        memcpy(field, text, size);
}

int tar_header(struct tar *tar, enum tar_type type, const char *path, mode_t mode, uint64_t size, const char *target,
               struct err *err)
{
        struct ustar_header h = {.type = (char)type, .magic = "ustar", .version = {'0', '0'}};
        int r = set_path(&h, path, err);
        if (r < 0)
                return r;
        if (size > SIZE_MAX_OCTAL)
                return err_set(err, EFBIG, "%s: too large for an archive", path);
        if (target && strlen(target) > sizeof(h.link))
                return err_set(err, ENAMETOOLONG, "%s: its target is too long for an archive", path);
        if (target)
                memcpy(h.link, target, strlen(target));
        set_number(h.mode, sizeof(h.mode), mode);
        set_number(h.uid, sizeof(h.uid), 0);
        set_number(h.gid, sizeof(h.gid), 0);
        set_number(h.size, sizeof(h.size), size);
        set_number(h.mtime, sizeof(h.mtime), 0);
        set_number(h.dev_major, sizeof(h.dev_major), 0);
        set_number(h.dev_minor, sizeof(h.dev_minor), 0);
        /* The sum is over the header with blanks in the field of the sum. */
        memset(h.checksum, ' ', sizeof(h.checksum));
        unsigned sum = 0;
        for (size_t i = 0; i < sizeof(h); i++)
                sum += ((const unsigned char *)&h)[i];
        set_number(h.checksum, sizeof(h.checksum) - 1, sum);
        return tar_content(tar, &h, sizeof(h), err);
}

int tar_pad(struct tar *tar, uint64_t size, struct err *err)
{
        static const char zeros[TAR_BLOCK];
        size_t rest = (size_t)(size % TAR_BLOCK);
        return rest ? tar_content(tar, zeros, TAR_BLOCK - rest, err) : 0;
}

int tar_end(struct tar *tar, struct err *err)
{
        static const char zeros[TAR_END_SIZE];
        return tar_content(tar, zeros, sizeof(zeros), err);
}

int tar_hash_begin(struct tar *tar, struct err *err)
{
        gnutls_hash_hd_t hash;
        if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
                return err_set(err, EIO, "cannot compute a SHA-256");
        tar->hash = hash;
        return 0;
}

void tar_hash_end(struct tar *tar, char ret_hex[65])
{
        unsigned char digest[HASH_BYTES];
        gnutls_hash_deinit(tar->hash, digest);
        tar->hash = NULL;
        for (size_t i = 0; i < HASH_BYTES; i++)
                (void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}
