/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/step.h"

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "codec/value.h"
#include "phase/era.h"
#include "phase/era_rows.h"
#include "phase/phase.h"

#define FILE_NAME "cluster.yaml"
#define GROUP "cluster"

static int apply_row(void *userdata, const char *path, const struct era_row *row, struct err *err)
{
        struct err why = ERR_INIT;

        if (!row->value)
                (void)template_path_remove(userdata, path);
        else if (template_path_set(userdata, path, row->value, &why) < 0)
                return value_error(&row->place, err, ERR_INVALID, "%s", why.msg);
        return 0;
}

int step_load(const struct phase *phase, const char *step, const struct template_variables *variables,
              struct value **ret, struct err *err)
{
        struct value *all CLEANUP_VALUE = NULL;
        const struct value *file;
        int r = era_template(phase->era, FILE_NAME, &file, err);

        if (r < 0)
                return r;
        all = value_copy(file);
        r = era_each(phase->era, GROUP, "objects.", apply_row, all, err);
        if (r < 0)
                return r;
        struct value *items = value_map_get(all, step);
        if (!value_is(items, VALUE_LIST))
                return value_error(&file->place, err, ERR_INVALID, "no list \"%s\"", step);
        struct value *copy CLEANUP_VALUE = value_copy(items);
        r = template_fill(copy, variables, err);
        if (r == 0)
                *ret = TAKE_PTR(copy);
        return r;
}

struct writer {
        const char *name;
        int (*write)(struct cluster *cluster, const struct value *object, struct err *err);
};

static int write_object(struct cluster *cluster, const struct value *item, const struct value *object, struct err *err)
{
        static const struct writer writers[] = {
                {"update", object_create_or_update},
                {"mutate", object_create_or_mutate},
                {"retain", object_create_or_retain},
        };
        const char *how = value_string(value_map_get(item, "write"), "update");

        for (size_t i = 0; i < ARRAY_SIZE(writers); i++)
                if (str_eq(writers[i].name, how))
                        return writers[i].write(cluster, object, err);
        return value_error(&item->place, err, ERR_INVALID, "write: %s is none of update, mutate, retain", how);
}

static int run_item(struct cluster *cluster, const struct value *item, struct err *err)
{
        const struct value *say = value_map_get(item, "say"), *detail = value_map_get(item, "detail");
        const struct value *object = value_map_get(item, "object");
        const char *error = value_string(value_map_get(item, "error"), NULL);

        if (say)
                phase_say(cluster->phase, "%s", value_string(say, ""));
        if (detail)
                phase_detail(cluster->phase, 1, "%s", value_string(detail, ""));
        int r = object ? write_object(cluster, item, object, err) : 0;
        return r < 0 && error ? err_wrap(err, "%s", error) : r;
}

int step_run(struct cluster *cluster, const char *step, const struct template_variables *variables, struct err *err)
{
        struct value *items CLEANUP_VALUE = NULL;
        int r = step_load(cluster->phase, step, variables, &items, err);

        for (size_t i = 0; r == 0 && i < items->list.count; i++)
                r = run_item(cluster, items->list.items[i], err);
        return r;
}
