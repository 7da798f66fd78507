/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a fuzz program on each file of a corpus directory, as a test: `replay_NAME DIRECTORY`.
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

int main(int argc, char **argv)
{
        DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
        const struct dirent *entry;
        int count = 0;

        if (!dir) {
                printf("Bail out! cannot open the corpus %s\n", argc == 2 ? argv[1] : "");
                return 1;
        }
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        printf("%s %d - %s\n", replay(argv[1], entry->d_name) ? "ok" : "not ok", ++count,
                               entry->d_name);
        (void)closedir(dir);
        printf("1..%d\n", count);
        return count == 0;
}
