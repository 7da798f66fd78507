/* SPDX-License-Identifier: Apache-2.0
 *
 * genphase turned into one of its other programs.
 */
#include <limits.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "genphase.h"

/* The directory of the running program, or NULL. Free it. */
static char *own_directory(void)
{
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

        if (n < 0)
                return NULL;
        path[n] = '\0';
        return file_dirname(path);
}

int genphase_replace(const struct genphase *g, const char *program, struct err *err)
{
        char *dir CLEANUP_FREE = own_directory();
        char *beside CLEANUP_FREE = dir ? xasprintf("%s/%s", dir, program) : NULL;
        char *libexec CLEANUP_FREE = dir ? xasprintf("%s/../libexec/genphase/%s", dir, program) : NULL;
        char *configured CLEANUP_FREE = xasprintf(GENPHASE_LIBEXECDIR "/%s", program);
        const char *const places[] = {beside, libexec, configured};
        int why = ENOENT;

        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                if (!places[i])
                        continue;
                (void)execv(places[i], g->argv);
                if (errno != ENOENT && errno != ENOTDIR)
                        why = errno;
        }
        return err_set_errno(err, why, "cannot start %s (looked for %s and %s)", program, beside ? beside : program,
                             configured);
}
