/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz program on each file of corpus directories, as a test: `replay_NAME DIRECTORY...`.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "fuzz.h"

static bool replay(const char *directory, const char *name)
{
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        char *path CLEANUP_FREE = file_join(directory, name);
        struct err err = ERR_INIT;

        if (file_read(path, &data, &err) < 0) {
                printf("# %s\n", err.msg);
                return false;
        }
        return LLVMFuzzerTestOneInput((const uint8_t *)buf_str(&data), data.len) == 0;
}

/* False where the directory cannot be read. */
static bool replay_all(const char *directory, int *count)
{
        DIR *dir = opendir(directory);
        const struct dirent *entry;

        if (!dir)
                return false;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        printf("%s %d - %s\n", replay(directory, entry->d_name) ? "ok" : "not ok", ++*count,
                               entry->d_name);
        (void)closedir(dir);
        return true;
}

int main(int argc, char **argv)
{
        int count = 0;

        for (int i = 1; i < argc; i++)
                if (!replay_all(argv[i], &count)) {
                        printf("Bail out! cannot open the corpus %s\n", argv[i]);
                        return 1;
                }
        printf("1..%d\n", count);
        return count == 0;
}
