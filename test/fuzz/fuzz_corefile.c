/* SPDX-License-Identifier: Apache-2.0
 *
 * A Corefile, as CoreDNS' ConfigMap has it: the first line of the input is the version of the CoreDNS that reads it,
 * the rest the file. What is written is read again, what is migrated too, and there is a plan for each.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/strv.h"
#include "fuzz.h"
#include "phase/corefile.h"
#include "phase/corefile_migration.h"
#include "phase/era.h"

/* As large as what is read of an input of this size may become. */
#define INPUT_MAX (64 * 1024)

static struct era *newest_era(void)
{
        static struct era *era;
        struct kube_version version;
        struct err err = ERR_INIT;

        if (era)
                return era;
        MUST(era_new(NULL, &era, &err) == 0);
        MUST(era_newest(era, -1, &version, &err) == 0 && era_set_version(era, &version, &err) == 0);
        return era;
}

static void check_written(const struct corefile *corefile)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct corefile *again CLEANUP_COREFILE = NULL;
        struct err err = ERR_INIT;

        corefile_write(corefile, &out);
        MUST(buf_check(&out, "Corefile", &err) == 0);
        (void)corefile_parse(buf_str(&out), out.len, &again, &err);
}

static void check_migrated(const char *from, const char *text)
{
        const struct era *era = newest_era();
        struct strv changes CLEANUP_STRV = STRV_INIT;
        char *migrated CLEANUP_FREE = NULL;
        enum corefile_plan plan, again;
        struct err err = ERR_INIT;
        bool needed;

        bool planned = corefile_plan(era, from, text, &plan, &err) == 0;
        if (corefile_changes(era, from, text, &changes, &needed, &err) == 0)
                MUST(planned);
        if (corefile_migrate(era, from, text, &migrated, &err) == 0)
                (void)corefile_plan(era, "", migrated, &again, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const char *newline = memchr(data, '\n', size);
        struct corefile *corefile CLEANUP_COREFILE = NULL;
        struct err err = ERR_INIT;

        if (!newline || size > INPUT_MAX)
                return 0;
        char *from CLEANUP_FREE = xstrndup((const char *)data, (size_t)(newline - (const char *)data));
        char *text CLEANUP_FREE = xstrndup(newline + 1, size - (size_t)(newline + 1 - (const char *)data));
        if (corefile_parse(newline + 1, size - (size_t)(newline + 1 - (const char *)data), &corefile, &err) == 0)
                check_written(corefile);
        check_migrated(from, text);
        return 0;
}
