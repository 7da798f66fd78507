/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs as Docker's json-file driver leaves them: the first byte of the input says what is wanted, a NUL parts the older
 * file from the newer one. The last N records are the end of all records, whatever else is in the files.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "docker/docker_log_file.h"
#include "fuzz.h"
#include "scratch.h"

#define STEPS_MAX 1000

/* All that is read; negative where it fails. */
static int read_all(const struct docker_log_wanted *wanted, struct buf *out)
{
        struct docker_log_file *file = NULL;
        char path[512];
        struct err err = ERR_INIT;

        (void)snprintf(path, sizeof(path), "%s/log", scratch());
        int r = docker_log_file_open(path, wanted, &file, &err);
        MUST(r == 0);
        for (int steps = 0; (r = docker_log_file_step(file, out, &err)) > 0; steps++)
                MUST(steps < STEPS_MAX);
        MUST(r == 0 || err.msg[0]);
        (void)docker_log_file_free(file);
        return r;
}

static void on_record(void *userdata, const struct docker_record *record)
{
        size_t *len = userdata;

        MUST(record->time[0] && (record->text || record->len == 0) && (record->stream == 1 || record->stream == 2));
        *len += record->len;
}

/* Given one by one they have the same text together, and none is added to out. */
static void check_records(const struct buf *whole)
{
        size_t len = 0;
        struct buf out CLEANUP_BUF = BUF_INIT(1 << 20);
        const struct docker_log_wanted one_by_one = {.tail = -1, .record = on_record, .userdata = &len};

        MUST(read_all(&one_by_one, &out) == 0 && out.len == 0 && len == whole->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const struct docker_log_wanted all = {.tail = -1};
        struct buf whole CLEANUP_BUF = BUF_INIT(1 << 20), part CLEANUP_BUF = BUF_INIT(1 << 20);
        struct docker_log_wanted wanted;

        if (size == 0)
                return 0;
        wanted = (struct docker_log_wanted){.tail = (data[0] & 0xf) == 0xf ? -1 : data[0] & 0xf,
                                            .since = data[0] & 0x10 ? 1700000000 * USEC_PER_SEC : 0,
                                            .timestamps = data[0] & 0x20};
        const uint8_t *files = data + 1, *nul = memchr(files, '\0', size - 1);
        size_t older = nul ? (size_t)(nul - files) : 0, skip = nul ? older + 1 : 0;

        MUST(scratch_write("log.1", files, older));
        MUST(scratch_write("log", files + skip, size - 1 - skip));
        int r = read_all(&wanted, &part);
        if (wanted.since || wanted.timestamps || r < 0)
                return 0;
        if (read_all(&all, &whole) < 0)
                return 0;
        check_records(&whole);
        MUST(part.len <= whole.len);
        MUST(part.len == 0 || memcmp(whole.data + whole.len - part.len, part.data, part.len) == 0);
        MUST(wanted.tail != 0 || part.len == 0);
        MUST(wanted.tail >= 0 || part.len == whole.len);
        return 0;
}
