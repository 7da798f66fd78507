/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "node/manifest_config.h"
#include "node/manifest_source.h"

#define TWICE " is in another file already, which counts"

static int check_immutable(const struct manifest *m, const struct config_objects *now, struct err *err)
{
        for (size_t i = 0; i < now->count; i++) {
                const struct config_object *o = now->items[i];
                const struct config_object *before = config_objects_find(&m->configs, o->kind, o->namespace, o->name);

                if (before && before->immutable && !config_object_equal(before, o))
                        return err_set(err, ERR_INVALID,
                                       "%s: %s %s/%s: Forbidden: field is immutable when `immutable` is set (take the "
                                       "document out first)",
                                       m->path, config_kind_name(o->kind), o->namespace, o->name);
        }
        return 0;
}

int manifest_config_take(struct manifest *m, const char *data, size_t len, bool strict, struct err *err)
{
        struct config_objects objects = {0};
        int r = config_object_likely(data, len)
                        ? config_objects_read(m->path, data, len, strict, &objects, &m->findings, err)
                        : 1;

        if (r == 0)
                r = check_immutable(m, &objects, err);
        if (r != 0) {
                config_objects_release(&objects);
                return r;
        }
        config_objects_release(&m->configs);
        m->configs = objects;
        return 0;
}

/* What was said of names in two files at an earlier look. */
static void forget_findings(struct pod_findings *findings)
{
        size_t kept = 0;

        for (size_t i = 0; i < findings->count; i++) {
                if (str_ends(findings->items[i].text, TWICE))
                        free(findings->items[i].text);
                else
                        findings->items[kept++] = findings->items[i];
        }
        findings->count = kept;
}

void manifest_config_collect(struct manifest *const *files, size_t count, struct config_objects *all)
{
        all->count = 0;
        for (size_t i = 0; i < count; i++)
                forget_findings(&files[i]->findings);
        for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < files[i]->configs.count; k++) {
                        struct config_object *o = files[i]->configs.items[k];

                        if (config_objects_find(all, o->kind, o->namespace, o->name)) {
                                pod_findings_add(&files[i]->findings, false,
                                                 "%s: %s %s/%s is in another file already, which counts",
                                                 files[i]->path, config_kind_name(o->kind), o->namespace, o->name);
                                continue;
                        }
                        all->items = xrealloc(all->items, all->count + 1, sizeof(struct config_object *));
                        all->items[all->count++] = o;
                }
}
