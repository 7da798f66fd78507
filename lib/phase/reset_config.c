/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/reset_config.h"

#define KIND "ResetConfiguration"
#define API_VERSION "kubeadm.k8s.io/v1beta4"

enum field_kind { FIELD_TEXT, FIELD_BOOL, FIELD_TEXTS, FIELD_IGNORED };

static const struct field {
        const char *name;
        enum field_kind kind;
        size_t offset;
} fields[] = {
        {"apiVersion", FIELD_IGNORED, 0},
        {"kind", FIELD_IGNORED, 0},
        {"criSocket", FIELD_IGNORED, 0}, /* the runtime is Docker */
        {"timeouts", FIELD_IGNORED, 0},  /* the API server is not called */
        {"certificatesDir", FIELD_TEXT, offsetof(struct reset_config, certificates_dir)},
        {"cleanupTmpDir", FIELD_BOOL, offsetof(struct reset_config, cleanup_tmp_dir)},
        {"dryRun", FIELD_BOOL, offsetof(struct reset_config, dry_run)},
        {"force", FIELD_BOOL, offsetof(struct reset_config, force)},
        {"ignorePreflightErrors", FIELD_TEXTS, offsetof(struct reset_config, ignore_preflight_errors)},
        {"skipPhases", FIELD_TEXTS, offsetof(struct reset_config, skip_phases)},
        {"unmountFlags", FIELD_TEXTS, offsetof(struct reset_config, unmount_flags)},
};

void reset_config_release(struct reset_config *config)
{
        free(config->certificates_dir);
        strv_release(&config->ignore_preflight_errors);
        strv_release(&config->skip_phases);
        strv_release(&config->unmount_flags);
        *config = (struct reset_config){0};
}

static int take_texts(const struct value *v, const char *name, struct strv *ret, struct err *err)
{
        if (v->kind != VALUE_LIST)
                return value_error(&v->place, err, ERR_INVALID, "%s: expected a list, found a %s", name,
                                   value_kind_name(v->kind));
        for (size_t i = 0; i < v->list.count; i++) {
                const struct value *item = v->list.items[i];
                if (item->kind != VALUE_STRING)
                        return value_error(&item->place, err, ERR_INVALID, "%s[%zu]: expected a string, found a %s",
                                           name, i, value_kind_name(item->kind));
                strv_add(ret, item->text);
        }
        return 0;
}

static int take_field(const struct field *field, const struct value *v, struct reset_config *ret, struct err *err)
{
        void *to = (char *)ret + field->offset;

        if (field->kind == FIELD_IGNORED || v->kind == VALUE_NULL)
                return 0;
        if (field->kind == FIELD_TEXTS)
                return take_texts(v, field->name, to, err);
        enum value_kind wanted = field->kind == FIELD_TEXT ? VALUE_STRING : VALUE_BOOL;
        if (v->kind != wanted)
                return value_error(&v->place, err, ERR_INVALID, "%s: expected a %s, found a %s", field->name,
                                   value_kind_name(wanted), value_kind_name(v->kind));
        if (field->kind == FIELD_BOOL) {
                *(bool *)to = v->boolean;
        } else {
                free(*(char **)to);
                *(char **)to = xstrdup(v->text);
        }
        return 0;
}

static int refuse_unknown(const struct phase *phase, const struct value_entry *e, struct err *err)
{
        const char *names[ARRAY_SIZE(fields)];

        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                names[i] = fields[i].name;
        const char *near = str_did_you_mean(e->key, names, ARRAY_SIZE(fields));
        int r = value_error(&e->place, err, ERR_INVALID, "unknown field \"%s\"%s%s%s", e->key,
                            near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        if (!phase_is_lenient(phase))
                return r;
        phase_warn(phase, "%s", err ? err->msg : e->key);
        err_clear(err);
        return 0;
}

static int decode(const struct phase *phase, const struct value *document, struct reset_config *ret, struct err *err)
{
        const struct value *version = value_map_get(document, "apiVersion");
        int r = 0;

        if (!str_eq(value_string(version, ""), API_VERSION))
                return value_error(version ? &version->place : &document->place, err, ERR_UNSUPPORTED,
                                   "a " KIND " is of apiVersion " API_VERSION);
        for (size_t i = 0; i < document->map.count && r == 0; i++) {
                const struct value_entry *e = &document->map.entries[i];
                const struct field *field = NULL;
                for (size_t f = 0; f < ARRAY_SIZE(fields); f++)
                        if (str_eq(fields[f].name, e->key))
                                field = &fields[f];
                r = field ? take_field(field, e->value, ret, err) : refuse_unknown(phase, e, err);
        }
        return r;
}

int reset_config_read(const struct phase *phase, const char *file, struct reset_config *ret, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct reset_config config CLEANUP_RESET_CONFIG = {.certificates_dir = xstrdup("")};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        const struct value *found = NULL;
        int r = file_read(file, &text, err);

        if (r < 0)
                return err_wrap(err, "unable to read config from \"%s\" ", file);
        r = yaml_load(file, buf_str(&text), text.len, 0, &documents, err);
        for (size_t i = 0; r == 0 && i < documents.count && !found; i++)
                if (value_is(documents.items[i], VALUE_MAP) &&
                    str_eq(value_string(value_map_get(documents.items[i], "kind"), ""), KIND))
                        found = documents.items[i];
        if (r == 0 && !found)
                return err_set(err, ERR_INVALID, "%s: no " KIND " found in config file", file);
        if (r == 0)
                r = decode(phase, found, &config, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct reset_config){0};
        return 0;
}
