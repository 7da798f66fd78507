/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/go_quote.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "phase/api_types.h"
#include "phase/arguments.h"
#include "phase/field_error.h"
#include "phase/go_text.h"
#include "phase/patch.h"
#include "phase/patch_files.h"
#include "phase/patch_json.h"
#include "phase/patch_merge.h"
#include "phase/patch_strategic.h"
#include "phase/phase.h"
#include "phase/problems.h"
#include "phase/typed.h"

/* Of the patch that is shown in an error: the cause behind it has to fit as well. */
#define SHOWN_PATCH_MAX 1000

struct patches {
        struct patch_files files;
        struct api_types *types;
};

struct patches *patches_free(struct patches *patches)
{
        if (!patches)
                return NULL;
        patch_files_release(&patches->files);
        api_types_free(patches->types);
        free(patches);
        return NULL;
}

static void say_names(const struct phase *phase, const char *what, const struct strv *names)
{
        char *joined CLEANUP_FREE = strv_join(names, " ");

        if (names->len > 0)
                phase_say(phase, "[patches] %s the following %sfiles: [%s]", what,
                          str_eq(what, "Found") ? "patch " : "", joined);
}

/* The directory as it was given; NULL: none. The one of the configuration is below --rootfs. */
static const char *directory(const struct phase *phase, const char **ret_root)
{
        const char *flag = phase->options.patches_dir;
        const char *dir = !str_empty(flag) ? flag : phase->config->init.patches_directory.text;

        if (str_empty(dir))
                return NULL;
        *ret_root = dir == flag || dir[0] != '/' ? NULL : phase_host_root(phase);
        return dir;
}

bool patch_directory_given(const struct phase *phase)
{
        const char *root;

        return directory(phase, &root) != NULL;
}

static int read_once(struct phase *phase, const char *root, const char *dir, struct err *err)
{
        struct buf quoted CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        if (phase->patches)
                return 0;
        struct patches *patches = xcalloc(1, sizeof(*patches));
        patches->types = api_types_new(phase->era);
        go_quote(dir, &quoted);
        phase_say(phase, "[patches] Reading patches from path %s", buf_str(&quoted));
        int r = patch_files_read(phase, root, dir, &patches->files, err);
        if (r < 0) {
                patches_free(patches);
                return r;
        }
        say_names(phase, "Found", &patches->files.found);
        say_names(phase, "Ignored", &patches->files.ignored);
        phase->patches = patches;
        return 0;
}

static int explain_failure(const struct phase *phase, const struct patch_file *file, const struct value *document,
                           const struct value *culprit, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        char shown[SHOWN_PATCH_MAX];
        const struct value_place *place = &culprit->place;

        (void)fprintf(phase->options.log, "%s:%u:%u: %s\n", file->path, place->line, place->column, err->msg);
        json_write(document, JSON_SORT_KEYS | JSON_ESCAPE_HTML, &text);
        str_copy(shown, sizeof(shown), buf_str(&text));
        return err_wrap(err, "could not apply the following patch of type \"%s\" to target \"%s\":\n%s%s\n",
                        patch_type_text(file->type), file->target, shown, text.len < sizeof(shown) ? "" : "...");
}

static int apply_document(struct phase *phase, const struct patch_file *file, struct value *document,
                          const char *type_name, struct value **object, struct err *err)
{
        const struct value *culprit = document;
        struct err why = ERR_INIT;
        size_t operation = 0;
        int r = 0;

        switch (file->type) {
        case PATCH_JSON:
                r = patch_json(object, document, phase->era, &operation, &why);
                if (value_is(document, VALUE_LIST) && operation < document->list.count)
                        culprit = document->list.items[operation];
                break;
        case PATCH_MERGE:
                r = patch_merge(object, document, phase->era, &why);
                break;
        case PATCH_ARGUMENTS:
                r = arguments_apply(phase->config, *object, document, document->place.origin, &operation, &why);
                if (value_is(document, VALUE_LIST) && operation < document->list.count)
                        culprit = document->list.items[operation];
                break;
        case PATCH_STRATEGIC:
        case PATCH_TYPE_MAX:
                r = patch_strategic(object, document, phase->patches->types, type_name, phase->era, &why);
                break;
        }
        if (r == 0) {
                phase_say(phase, "[patches] Applied patch of type \"%s\" to target \"%s\"", patch_type_text(file->type),
                          file->target);
                return 0;
        }
        r = explain_failure(phase, file, document, culprit, &why);
        if (err)
                *err = why;
        return r;
}

struct report {
        struct config_problems problems;
        bool lenient;
        bool document; /* kubeadm writes what comes of it without looking at it */
};

static void take_report(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                        const char *text)
{
        struct report *report = userdata;

        /* Directives in what is new stay until the object is decoded. */
        if (kind == TYPED_UNKNOWN_FIELD && strchr(path, '$'))
                return;
        if (report->lenient && (kind == TYPED_UNKNOWN_FIELD || report->document))
                config_problem_warning(&report->problems, place, "%s: it is %s", text,
                                       report->document ? "written all the same" : "left out");
        else
                config_problem_error(&report->problems, place, "%s", text);
}

static bool same_kind(const struct value *before, const struct value *after)
{
        return value_equal(value_map_get(before, "apiVersion"), value_map_get(after, "apiVersion")) &&
               value_equal(value_map_get(before, "kind"), value_map_get(after, "kind"));
}

/* Whether kubeadm would decode object as something else than what it was, which it then drops without a word. */
static bool is_known_kind(const struct phase *phase, const struct value *object)
{
        const char *version = value_string(value_map_get(object, "apiVersion"), "");
        const char *kind = value_string(value_map_get(object, "kind"), "");
        char *path CLEANUP_FREE = xasprintf("otherKinds.%s", version);

        return era_lists(phase->era, "patches", path, kind);
}

/* A patch made another kind of the object. 1: kubeadm goes on with the object as it was, and so it is done where
 * kubeadm was asked for; else refused. */
static int other_kind(const struct phase *phase, const struct value *before, const struct value *object,
                      struct report *report)
{
        static const char *const names[] = {"apiVersion", "kind"};
        bool written = report->lenient && report->document;
        bool dropped = report->lenient && !written && is_known_kind(phase, object);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                const struct value *was = value_map_get(before, names[i]), *is = value_map_get(object, names[i]);
                const struct value_place *place = is ? &is->place : &object->place;

                if (value_equal(was, is))
                        continue;
                if (dropped || written)
                        config_problem_warning(&report->problems, place, "%s: a patch cannot change %s%s", names[i],
                                               value_string(was, "it"), dropped ? ": all are left out" : "");
                else
                        config_problem_error(&report->problems, place, "%s: a patch cannot change %s", names[i],
                                             value_string(was, "it"));
        }
        return dropped ? 1 : 0;
}

/* Of what is dropped nobody needs to hear which fields it has not. */
static void take_wrong_type(void *userdata, enum typed_problem kind, const struct value_place *place, const char *path,
                            const char *text)
{
        if (kind == TYPED_WRONG_TYPE)
                take_report(userdata, kind, place, path, text);
}

/* The other kind is decoded before it is dropped. */
static int check_dropped(struct phase *phase, struct value *object, struct report *report, struct err *err)
{
        const char *kind = value_string(value_map_get(object, "kind"), "");

        return typed_normalise(object, phase->patches->types, kind, "", take_wrong_type, report, err);
}

/* "/v1" is v1: the group in front of the slash is the one without a name. */
static void spell_version(struct value *object)
{
        const struct value *version = value_map_get(object, "apiVersion");
        const char *plain = str_after(value_string(version, ""), "/");

        if (str_empty(plain) || strchr(plain, '/'))
                return;
        struct value *v = value_new_string(plain);
        v->place = version->place;
        value_map_set(object, "apiVersion", v);
}

/* Decoding and encoding of the patched object, which is where kubeadm looks at it. */
static int decode(struct phase *phase, const struct value *before, struct value **object, const char *type_name,
                  bool document, struct err *err)
{
        struct report report = {.lenient = phase_is_lenient(phase), .document = document};

        spell_version(*object);
        int r = same_kind(before, *object) ? 0 : other_kind(phase, before, *object, &report);

        if (r == 1) {
                r = check_dropped(phase, *object, &report, err);
                value_free(*object);
                *object = value_copy(before);
        } else if (report.problems.errors == 0) {
                r = typed_normalise(*object, phase->patches->types, type_name, "", take_report, &report, err);
        }
        config_problems_print(&report.problems, !phase->options.quiet, phase->options.log);
        if (r == 0)
                r = config_problems_aggregate(&report.problems, err);
        config_problems_release(&report.problems);
        return r < 0 ? err_wrap(err, "failed to unmarshal %s", era_text(phase->era, "messages", "patchedManifest", ""))
                     : 0;
}

/* What the directory has for target. 1: there is no directory. */
static int apply_files(struct phase *phase, const char *target, const char *type_name, struct value **object,
                       struct err *err)
{
        const char *root, *dir = directory(phase, &root);

        if (!dir)
                return 1;
        int r = read_once(phase, root, dir, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < phase->patches->files.count; i++) {
                const struct patch_file *file = &phase->patches->files.items[i];

                for (size_t d = 0; d < file->count && str_eq(file->target, target) && r == 0; d++)
                        r = apply_document(phase, file, file->documents[d], type_name, object, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

int patch_object(struct phase *phase, const char *target, const char *type_name, struct value **object, struct err *err)
{
        struct value *before CLEANUP_VALUE = value_copy(*object);
        int r = apply_files(phase, target, type_name, object, err);

        if (r != 0)
                return r < 0 ? r : 0;
        return decode(phase, before, object, type_name, false, err);
}

int patch_document(struct phase *phase, const char *target, const char *type_name, struct value **object,
                   struct err *err)
{
        struct value *before CLEANUP_VALUE = value_copy(*object), *typed CLEANUP_VALUE = NULL;
        int r = apply_files(phase, target, type_name, object, err);

        if (r != 0)
                return r < 0 ? r : 0;
        typed = value_copy(*object);
        return decode(phase, before, &typed, type_name, true, err);
}
