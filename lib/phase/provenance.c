/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "phase/arguments.h"
#include "phase/era.h"
#include "phase/provenance.h"

static const char *const names[PROVENANCE_MAX] = {
        [PROVENANCE_DEFAULT] = "default",
        [PROVENANCE_ROW] = "era row",
        [PROVENANCE_CONFIGURATION] = "configuration",
        [PROVENANCE_FLAG] = "flag",
        [PROVENANCE_ENVIRONMENT] = "environment",
        [PROVENANCE_HOST] = "host",
        [PROVENANCE_PATCH] = "patch",
        [PROVENANCE_COMPUTED] = "computed",
};

const char *provenance_name(enum provenance_kind kind)
{
        return names[kind];
}

bool provenance_known(const struct value_place *place)
{
        return place->file || place->origin;
}

bool provenance_beyond_kubeadm(const struct value_place *place)
{
        return place->origin && str_starts(place->origin, ARGUMENTS_ORIGIN);
}

enum provenance_kind provenance_kind(const struct era *era, const struct value_place *place)
{
        static const enum provenance_kind words[] = {PROVENANCE_DEFAULT, PROVENANCE_ENVIRONMENT, PROVENANCE_HOST};
        const char *origin = place->origin;

        if (origin && (str_starts(origin, "patch ") || provenance_beyond_kubeadm(place)))
                return PROVENANCE_PATCH;
        for (size_t i = 0; origin && i < sizeof(words) / sizeof(*words); i++)
                if (strcmp(origin, names[words[i]]) == 0)
                        return words[i];
        switch (era_place_kind(era, place)) {
        case ERA_PLACE_TEMPLATE:
                return origin ? PROVENANCE_FLAG : PROVENANCE_DEFAULT;
        case ERA_PLACE_ROW:
                return origin ? PROVENANCE_FLAG : PROVENANCE_ROW;
        case ERA_PLACE_NONE:
                break;
        }
        if (place->file)
                return PROVENANCE_CONFIGURATION;
        return origin ? PROVENANCE_FLAG : PROVENANCE_COMPUTED;
}

/* Where the file says more than the kind does. A column within the templates helps nobody. */
static void add_file(const struct value_place *place, bool column, struct buf *out)
{
        if (!place->file)
                return;
        buf_addstr(out, place->file);
        if (place->line)
                buf_addf(out, ":%u", place->line);
        if (place->line && place->column && column)
                buf_addf(out, ":%u", place->column);
}

static void text_of_one(const struct era *era, const struct value_place *place, struct buf *out)
{
        enum provenance_kind kind = provenance_kind(era, place);

        switch (kind) {
        case PROVENANCE_CONFIGURATION:
                add_file(place, true, out);
                break;
        case PROVENANCE_FLAG:
                buf_addf(out, "flag --%s", place->origin);
                break;
        case PROVENANCE_ENVIRONMENT:
        case PROVENANCE_HOST:
        case PROVENANCE_COMPUTED:
                buf_addstr(out, names[kind]);
                break;
        case PROVENANCE_DEFAULT:
        case PROVENANCE_ROW:
        case PROVENANCE_PATCH:
        case PROVENANCE_MAX:
                buf_addstr(out, names[kind]);
                if (place->file)
                        buf_addch(out, ' ');
                add_file(place, kind == PROVENANCE_PATCH, out);
                break;
        }
        if (provenance_beyond_kubeadm(place))
                buf_addstr(out, " (beyond kubeadm)");
}

void provenance_text(const struct era *era, const struct value_place *place, struct buf *out)
{
        text_of_one(era, place, out);
        if (place->also && provenance_known(place->also)) {
                buf_addstr(out, ", ");
                text_of_one(era, place->also, out);
        }
}

static struct value *object_of_one(const struct era *era, const struct value_place *place)
{
        struct value *object = value_new_map();
        enum provenance_kind kind = provenance_kind(era, place);

        value_map_set(object, "source", value_new_string(names[kind]));
        if (place->file)
                value_map_set(object, "file", value_new_string(place->file));
        if (place->file && place->line)
                value_map_set(object, "line", value_new_int(place->line));
        if (place->file && place->column)
                value_map_set(object, "column", value_new_int(place->column));
        if (kind == PROVENANCE_FLAG)
                value_map_set(object, "flag", value_new_stringf("--%s", place->origin));
        if (provenance_beyond_kubeadm(place))
                value_map_set(object, "beyondKubeadm", value_new_bool(true));
        return object;
}

struct value *provenance_object(const struct era *era, const struct value_place *place)
{
        struct value *object = object_of_one(era, place);

        if (place->also && provenance_known(place->also))
                value_map_set(object, "also", object_of_one(era, place->also));
        return object;
}
