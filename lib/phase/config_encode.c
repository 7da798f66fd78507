/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "codec/yaml.h"
#include "phase/config_documents.h"
#include "phase/config_encode.h"
#include "phase/config_schema.h"
#include "phase/typed.h"

#define MINUTE (INT64_C(60) * 1000 * 1000 * 1000)

static struct value *encode_struct(struct api_types *types, const char *type_name, const struct config_schema *schema,
                                   const void *strukt);

static struct value *encode_texts(const struct config_texts *texts)
{
        struct value *list = texts->count > 0 || texts->set ? value_new_list() : NULL;

        for (size_t i = 0; i < texts->count; i++)
                value_list_add(list, value_new_string(texts->items[i].text));
        return list;
}

static struct value *encode_arg_map(const struct config_args *args)
{
        struct value *map = args->count > 0 ? value_new_map() : NULL;

        for (size_t i = 0; i < args->count; i++)
                value_map_set(map, args->items[i].name, value_new_string(args->items[i].value));
        return map;
}

static struct value *encode_arg_list(const struct config_args *args)
{
        struct value *list = args->count > 0 ? value_new_list() : NULL;

        for (size_t i = 0; i < args->count; i++) {
                struct value *item = value_new_map();

                value_map_set(item, "name", value_new_string(args->items[i].name));
                value_map_set(item, "value", value_new_string(args->items[i].value));
                value_list_add(list, item);
        }
        return list;
}

static struct value *encode_envs(const struct config_envs *envs)
{
        struct value *list = envs->count > 0 ? value_new_list() : NULL;

        for (size_t i = 0; i < envs->count; i++)
                value_list_add(list, value_copy(envs->items[i].item));
        return list;
}

static struct value *encode_gates(const struct config_gates *gates)
{
        struct value *map = gates->count > 0 ? value_new_map() : NULL;

        for (size_t i = 0; i < gates->count; i++)
                value_map_set(map, gates->items[i].name, value_new_bool(gates->items[i].enabled));
        return map;
}

static struct value *encode_list(struct api_types *types, const struct config_field *field, const struct api_ref *ref,
                                 const struct config_any_list *list)
{
        struct value *v = list->count > 0 || list->set ? value_new_list() : NULL;

        for (size_t i = 0; i < list->count; i++)
                value_list_add(v, encode_struct(types, ref->type_name, field->sub,
                                                (const char *)list->items + i * field->item_size));
        return v;
}

static struct value *encode_duration(const struct config_duration *d)
{
        char text[TIMEFMT_MAX];

        if (!d->set)
                return NULL;
        duration_text(d->nsec, text);
        return value_new_string(text);
}

/* A struct that was not written and holds nothing is left out; the types add it where Go writes it all the same. */
static struct value *encode_sub(struct api_types *types, const char *type_name, const struct config_schema *schema,
                                const void *strukt)
{
        bool tells = schema->set_offset != CONFIG_NO_OFFSET;

        if (tells && !*(const bool *)((const char *)strukt + schema->set_offset))
                return NULL;
        struct value *v = encode_struct(types, type_name, schema, strukt);
        return tells || v->map.count > 0 ? v : value_free(v);
}

/* NULL: nothing to write. */
static struct value *encode_field(struct api_types *types, const struct config_field *field, const struct api_ref *ref,
                                  const void *strukt)
{
        const void *source = (const char *)strukt + field->offset;
        const struct config_text *text = source;
        const struct config_bool *flag = source;

        switch (field->type) {
        case CONFIG_TEXT:
        case CONFIG_TOKEN:
                return str_empty(text->text) ? NULL : value_new_string(text->text);
        case CONFIG_NUMBER:
                return value_new_int(((const struct config_number *)source)->value);
        case CONFIG_BOOL:
                return flag->set ? value_new_bool(flag->value) : NULL;
        case CONFIG_DURATION:
                return encode_duration(source);
        case CONFIG_TEXTS:
                return encode_texts(source);
        case CONFIG_ARGS:
                return ref->shape == API_LIST ? encode_arg_list(source) : encode_arg_map(source);
        case CONFIG_ENVS:
                return encode_envs(source);
        case CONFIG_GATES:
                return encode_gates(source);
        case CONFIG_LIST:
                return encode_list(types, field, ref, source);
        case CONFIG_STRUCT:
                return encode_sub(types, ref->type_name, field->sub, source);
        case CONFIG_IGNORED:
        case CONFIG_TYPE_MAX:
                break;
        }
        return NULL;
}

/* The fields that the type has. Where the tables lack the type, typed_normalise says so. */
static struct value *encode_struct(struct api_types *types, const char *type_name, const struct config_schema *schema,
                                   const void *strukt)
{
        struct value *map = value_new_map();
        const struct api_type *type = NULL;

        if (api_types_get(types, type_name, &type, NULL) < 0)
                return map;
        for (const struct config_field *f = schema->fields; f->name; f++) {
                const struct api_field *row = api_type_field(type, f->name);
                struct value *v = row ? encode_field(types, f, &row->ref, strukt) : NULL;

                if (v)
                        value_map_set(map, f->name, v);
        }
        return map;
}

static const char *const newest_first[] = {"v1beta4", "v1beta3", "v1beta2"};

const char *config_written_version(const struct era *era)
{
        for (size_t i = 0; i < ARRAY_SIZE(newest_first); i++)
                if (str_eq(era_text(era, "api", newest_first[i], ""), "current"))
                        return newest_first[i];
        return newest_first[0];
}

const char *config_migrated_version(const struct era *era, bool experimental)
{
        const char *version = config_written_version(era);

        return experimental ? era_text(era, "config", "experimentalVersion", version) : version;
}

const char *config_written_version_of(const struct era *era, const char *kind)
{
        const char *version = config_written_version(era);

        for (size_t i = 0; i < ARRAY_SIZE(newest_first) && !config_documents_has_kind(era, version, kind); i++)
                version = newest_first[i];
        return version;
}

int config_encode(const struct phase_config *config, const struct era *era, const char *version, const char *kind,
                  struct value **ret, struct err *err)
{
        const struct config_schema *schema = config_schema(kind);
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        char *type CLEANUP_FREE = xasprintf("%s.%s", kind, version);
        struct value *v CLEANUP_VALUE = NULL;

        if (!schema)
                return err_set(err, ERR_UNSUPPORTED, "no kind \"%s\" in version \"%s\"", kind, version);
        v = encode_struct(types, type, schema,
                          str_eq(kind, "InitConfiguration") ? (const void *)&config->init : &config->cluster);
        value_map_set(v, "apiVersion", value_new_stringf("kubeadm.k8s.io/%s", version));
        value_map_set(v, "kind", value_new_string(kind));
        int r = typed_normalise(v, types, type, "", typed_report_nothing, NULL, err);
        if (r == 0)
                *ret = TAKE_PTR(v);
        return r;
}

bool config_complete_cluster(struct phase_config *config, const struct era *era, struct config_duration *ret_moved)
{
        struct config_duration *timeout = &config->cluster.api_server.timeout_for_control_plane;
        const char *slash = strrchr(config->cluster.api_version.text, '/');
        const char *version = slash ? slash + 1 : config_written_version(era);
        bool has_field = config_field_shape(era, "APIServer", version, "timeoutForControlPlane") != API_SHAPE_MAX;

        if (!*config->cluster.dns.type.text)
                config->cluster.dns.type = (struct config_text){"CoreDNS", {.origin = "default"}};
        if (has_field && !timeout->set)
                *timeout = (struct config_duration){4 * MINUTE, true, {.origin = "default"}};
        if (!str_eq(era_text(era, "config", "migratedTimeouts", ""), "moved"))
                return false;
        *ret_moved = (struct config_duration){timeout->set ? timeout->nsec : 0, true, timeout->place};
        timeout->set = false;
        return true;
}

int config_add_document(const struct value *v, struct buf *out, struct err *err)
{
        if (out->len > 0)
                buf_addstr(out, "---\n");
        yaml_write(v, 0, out);
        return buf_check(out, "the configuration", err);
}
