/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "node/journal_segment.h"

#define SUFFIX ".journal"
#define DIGITS 8

char *journal_segment_path(const char *directory, unsigned long long number)
{
        return xasprintf("%s/%0*llu" SUFFIX, directory, DIGITS, number);
}

static int by_number(const void *a, const void *b)
{
        unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

        return x < y ? -1 : x > y;
}

/* The number in a segment's name, 0 for other names. */
static uint64_t number_of(const char *name)
{
        char *digits CLEANUP_FREE = NULL;
        uint64_t number;

        if (!str_ends(name, SUFFIX) || strlen(name) < DIGITS + sizeof(SUFFIX) - 1)
                return 0;
        digits = xstrndup(name, strlen(name) - (sizeof(SUFFIX) - 1));
        return str_to_u64(digits, &number) < 0 ? 0 : number;
}

int journal_segments_list(const char *directory, struct journal_segments *ret, struct err *err)
{
        struct journal_segments list = {0};
        DIR *dir = opendir(directory);
        const struct dirent *e;

        if (!dir)
                return err_set_errno(err, errno, "reading %s", directory);
        while ((e = readdir(dir))) {
                uint64_t number = number_of(e->d_name);

                if (!number)
                        continue;
                list.numbers = xrealloc(list.numbers, list.count + 1, sizeof(*list.numbers));
                list.numbers[list.count++] = number;
        }
        (void)closedir(dir);
        if (list.count)
                qsort(list.numbers, list.count, sizeof(*list.numbers), by_number);
        *ret = list;
        return 0;
}
