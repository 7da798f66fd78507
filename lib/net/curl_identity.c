/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "net/curl_glue.h"
#include "net/curl_identity.h"

enum part { PART_CERT, PART_KEY, PART_CA, PART_MAX };

static const char *const part_names[PART_MAX] = {
        [PART_CERT] = "client certificate",
        [PART_KEY] = "client key",
        [PART_CA] = "CA bundle",
};

struct curl_glue_identity {
        unsigned refs;
        int fd[PART_MAX];
        char *path[PART_MAX];
};

/* libcurl uses a kept connection again when the paths of certificate, key and CA are the same text. Descriptor numbers
 * come back, so the path also carries a serial, as "/./" for a one and "//" for a nought: the same file for the kernel,
 * another text for libcurl. */
static char *memory_path(int fd, unsigned serial)
{
        char bits[8 * 2 + 1];
        size_t len = 0;

        for (unsigned i = 0; i < 8; i++) {
                bits[len++] = '/';
                if (serial >> i & 1)
                        bits[len++] = '.';
        }
        bits[len] = '\0';
        return xasprintf("/proc%s/self/fd/%d", bits, fd);
}

static int memory_file(const char *pem, const char *what, int *ret_fd, struct err *err)
{
        int fd CLEANUP_FD = memfd_create(what, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return err_set_errno(err, errno, "%s: cannot make a memory file", what);
        int r = fd_write_all(fd, pem, strlen(pem));
        if (r < 0)
                return err_set_errno(err, -r, "%s: cannot write to a memory file", what);
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return err_set_errno(err, errno, "%s: cannot seal a memory file", what);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int curl_glue_identity_new(const char *cert_pem, const char *key_pem, const char *ca_pem,
                           struct curl_glue_identity **ret, struct err *err)
{
        static unsigned serial; /* of the process, as descriptor numbers are */
        const char *const pem[PART_MAX] = {[PART_CERT] = cert_pem, [PART_KEY] = key_pem, [PART_CA] = ca_pem};
        struct curl_glue_identity *identity = xcalloc(1, sizeof(*identity));

        identity->refs = 1;
        serial++;
        for (int i = 0; i < PART_MAX; i++)
                identity->fd[i] = -1;
        for (int i = 0; i < PART_MAX; i++) {
                if (!pem[i])
                        continue;
                int r = memory_file(pem[i], part_names[i], &identity->fd[i], err);
                if (r < 0) {
                        (void)curl_glue_identity_unref(identity);
                        return r;
                }
                identity->path[i] = memory_path(identity->fd[i], serial);
        }
        *ret = identity;
        return 0;
}

struct curl_glue_identity *curl_glue_identity_ref(struct curl_glue_identity *identity)
{
        if (identity)
                identity->refs++;
        return identity;
}

struct curl_glue_identity *curl_glue_identity_unref(struct curl_glue_identity *identity)
{
        if (!identity || --identity->refs > 0)
                return NULL;
        for (int i = 0; i < PART_MAX; i++) {
                (void)fd_close(identity->fd[i]);
                free(identity->path[i]);
        }
        free(identity);
        return NULL;
}

const char *curl_identity_cert_path(const struct curl_glue_identity *identity)
{
        return identity->path[PART_CERT];
}

const char *curl_identity_key_path(const struct curl_glue_identity *identity)
{
        return identity->path[PART_KEY];
}

const char *curl_identity_ca_path(const struct curl_glue_identity *identity)
{
        return identity->path[PART_CA];
}
