#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory for parsers that read files: on a file system in memory where there is one, removed at the end.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "fuzz.h"

static char scratch_path[64];

static void scratch_remove(void)
{
        (void)file_remove_tree(scratch_path, NULL);
}

static inline const char *scratch(void)
{
        if (scratch_path[0])
                return scratch_path;
        (void)snprintf(scratch_path, sizeof(scratch_path), "%s/fuzz.XXXXXX",
                       access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        MUST(mkdtemp(scratch_path));
        MUST(atexit(scratch_remove) == 0);
        return scratch_path;
}

/* Writes a file below it; false where the file system does not take the name. */
static inline bool scratch_write(const char *name, const void *data, size_t size)
{
        char path[512];
        struct err err = ERR_INIT;

        (void)snprintf(path, sizeof(path), "%s/%s", scratch(), name);
        return file_write_atomic(path, data, size, 0600, FILE_WRITE_NO_SYNC, &err) == 0;
}

static inline void scratch_unlink(const char *name)
{
        char path[512];

        (void)snprintf(path, sizeof(path), "%s/%s", scratch(), name);
        (void)unlink(path);
}
