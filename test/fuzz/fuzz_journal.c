/* SPDX-License-Identifier: Apache-2.0
 *
 * A journal is replayed to its end or to an error with its place, whatever its records say. Each line of the input is a
 * record and gets the hash that a whole record has; one that begins with "!" is taken as it is, without the "!". A
 * change that can be read is written so that the same is read of it.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/value.h"
#include "fuzz.h"
#include "node/journal.h"
#include "node/pod_change.h"
#include "node/replay.h"

static void differs(void *userdata, const char *what, const char *recorded, const char *now)
{
        uint64_t *count = userdata;

        MUST(*what && *recorded && *now);
        (*count)++;
}

/* Appends what is written of a change that is read of a text; false where none is. */
static bool write_again(const char *text, size_t len, struct buf *out)
{
        struct value *v CLEANUP_VALUE = NULL;
        struct pod_change change = {0};

        if (json_load("record", text, len, &v, NULL) < 0 || pod_change_read(v, &change, NULL) < 0)
                return false;
        pod_change_write("default/web", &change, out);
        pod_change_release(&change);
        return true;
}

static void check_change(const char *line, size_t len)
{
        struct buf once CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES),
                        twice CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);

        if (write_again(line, len, &once))
                MUST(write_again(buf_str(&once), once.len, &twice) && str_eq(buf_str(&once), buf_str(&twice)));
}

static void add_lines(const char *data, size_t size, struct buf *out)
{
        const char *end = data + size;

        while (data < end) {
                const char *newline = memchr(data, '\n', (size_t)(end - data));
                size_t len = (size_t)((newline ? newline : end) - data);

                check_change(data, len);
                if (len > 0 && data[0] == '!')
                        buf_add(out, data + 1, len - 1);
                else
                        buf_addf(out, "%08x %.*s", hash_fnv32a(data, len), (int)len, data);
                if (newline)
                        buf_addch(out, '\n');
                data += len + (newline != NULL);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct replay_count count = {0};
        struct err err = ERR_INIT;
        uint64_t differences = 0;
        char path[64];

        int fd = memfd_create("journal", MFD_CLOEXEC);
        MUST(fd >= 0);
        add_lines((const char *)data, size, &text);
        MUST(write(fd, buf_str(&text), text.len) == (ssize_t)text.len);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        int r = replay_journal(path, differs, &differences, &count, &err);
        MUST((r < 0) == (err.code != 0) && r <= 1);
        MUST(r < 0 || (count.differences == differences && (r == 1) == (differences > 0)));
        (void)close(fd);
        return 0;
}
