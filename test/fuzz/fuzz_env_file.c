/* SPDX-License-Identifier: Apache-2.0
 *
 * A file of variables, as another container wrote it: the first line of the input is the key that is looked for, the
 * rest the file. What is found is found again in a file that holds it alone, and whatever stands behind it.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "fuzz.h"
#include "kube/pod.h"
#include "node/env_file.h"
#include "node/host.h"
#include "scratch.h"

static int read_it(const char *data, size_t size, char *key, bool optional, char **ret, struct err *err)
{
        const struct host host = {.root_dir = "/nonexistent"};
        struct pod_volume volume = {.name = (char *)"v", .type = POD_VOLUME_HOST_PATH, .host_path = (char *)scratch()};
        const struct pod pod = {.uid = (char *)"u", .volumes = &volume, .volume_count = 1};
        const struct pod_env ref = {.name = (char *)"A",
                                    .file_volume = (char *)"v",
                                    .file_path = (char *)"f",
                                    .file_key = key,
                                    .file_optional = optional};

        MUST(scratch_write("f", data, size));
        return env_file_value(&host, &pod, &ref, ret, err);
}

static void check_found(const char *data, size_t size, char *key, const char *value)
{
        struct buf text CLEANUP_BUF = BUF_INIT(4 * LIMIT_ENV_FILE);
        char *again CLEANUP_FREE = NULL, *alone CLEANUP_FREE = NULL;
        struct err err = ERR_INIT;

        buf_add(&text, data, size);
        buf_addstr(&text, "\nwrong");
        MUST(env_file_find(buf_str(&text), text.len, key, &again, &err) == 0 && str_eq(again, value));
        buf_clear(&text);
        buf_addf(&text, "%s='%s'", key, value);
        /* White space before a name is skipped, and what ends a line there is a carriage return. */
        if (strchr(" \t#", key[0]) || strpbrk(key, "='\r\n") || strchr(value, '\r'))
                return;
        MUST(env_file_find(buf_str(&text), text.len, key, &alone, &err) == 0 && str_eq(alone, value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
        size_t head = newline ? (size_t)(newline - data) : size, skip = newline ? head + 1 : head;
        char *key CLEANUP_FREE = xstrndup((const char *)data, head), *value CLEANUP_FREE = NULL,
                  *other CLEANUP_FREE = NULL;
        const char *file = (const char *)data + skip;
        struct err err = ERR_INIT;
        int r = read_it(file, size - skip, key, false, &value, &err);

        MUST(r == 0 ? value && *value : r < 0 && !value && err.msg[0]);
        if (r == 0)
                check_found(file, size - skip, key, value);
        int s = read_it(file, size - skip, key, true, &other, &err);
        MUST(s == 1 ? r < 0 : s == r);
        return 0;
}
