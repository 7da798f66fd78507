/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "kube/pod.h"
#include "phase/component_choice.h"
#include "phase/control_plane.h"
#include "phase/diff.h"
#include "phase/pod_diff.h"
#include "phase/pod_patch.h"
#include "phase/provenance.h"

/* Files of patches that one component can get before old ones have to be cleared away. */
#define PATCH_FILES_MAX 10
#define COMPONENT_TEXT_MAX (2 * LIMIT_YAML_OUTPUT)

enum result { RESULT_SAME, RESULT_TEXT, RESULT_DIFFERS, RESULT_ADDED, RESULT_REMOVED, RESULT_MAX };

static const char *const result_names[RESULT_MAX] = {
        [RESULT_SAME] = "same",   [RESULT_TEXT] = "text",       [RESULT_DIFFERS] = "differs",
        [RESULT_ADDED] = "added", [RESULT_REMOVED] = "removed",
};

/* One component on both sides. */
struct comparison {
        struct phase *phase, *from;
        const struct component *component;
        char *path;
        struct value *before, *after; /* NULL: not there */
        struct value *disk;           /* what is on disk; NULL: nothing, or not asked for */
        struct pod_differences differences, edits;
        enum result result;
        bool kubelet_restarts, podwatch_restarts;
        struct strv patches;
};

static void comparison_release(struct comparison *c)
{
        free(c->path);
        value_free(c->before);
        value_free(c->after);
        value_free(c->disk);
        pod_differences_release(&c->differences);
        pod_differences_release(&c->edits);
        strv_release(&c->patches);
}

static const struct era *era_before(const struct comparison *c)
{
        return (c->from ? c->from : c->phase)->era;
}

/* Reading */

static int read_disk(const struct comparison *c, char **ret_text, struct value **ret, struct err *err)
{
        struct value *pod CLEANUP_VALUE = NULL;
        char *text CLEANUP_FREE = NULL;
        size_t len;

        int r = phase_read_file(c->phase, c->path, LIMIT_MANIFEST_BYTES, &text, &len, err);
        if (r != 0)
                return r < 0 ? err_wrap(err, "%s", c->path) : 0;
        r = yaml_load_one(c->path, text, len, 0, &pod, err);
        if (r < 0)
                return r;
        if (pod->kind != VALUE_MAP)
                return value_error(&pod->place, err, ERR_INVALID, "expected a Pod, found a %s",
                                   value_kind_name(pod->kind));
        *ret_text = TAKE_PTR(text);
        *ret = TAKE_PTR(pod);
        return 0;
}

/* What is unknown on disk would otherwise vanish without a word: most likely a typo. */
static struct value *meaning_with_warnings(const struct comparison *c, const struct value *pod)
{
        struct pod_findings findings = {0};
        struct value *meaning = pod_meaning(pod, &findings);

        for (size_t i = 0; i < findings.count; i++)
                phase_warn(c->phase, "%s", findings.items[i].text);
        pod_findings_release(&findings);
        return meaning;
}

/* Positive: it is the same. */
static int same_text(const struct value *pod, const char *text, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        yaml_write(pod, 0, &out);
        int r = buf_check(&out, "a manifest", err);
        return r < 0 ? r : strcmp(buf_str(&out), text) == 0;
}

/* The quantities as they are spelled. */
static void add_quantities(const struct value *v, struct buf *out)
{
        static const char *const names[] = {"requests", "limits", "sizeLimit", "overhead"};

        for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
                add_quantities(v->list.items[i], out);
        for (size_t i = 0; v->kind == VALUE_MAP && i < v->map.count; i++) {
                const struct value_entry *e = &v->map.entries[i];

                for (size_t k = 0; k < ARRAY_SIZE(names); k++)
                        if (strcmp(e->key, names[k]) == 0)
                                json_write(e->value, JSON_SORT_KEYS, out);
                add_quantities(e->value, out);
        }
}

/* Positive: they are. */
static int same_quantities(const struct value *before, const struct value *after, struct err *err)
{
        struct buf was CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT), is CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct value *a CLEANUP_VALUE = value_copy(before), *b CLEANUP_VALUE = value_copy(after);

        value_sort_keys(a);
        value_sort_keys(b);
        add_quantities(a, &was);
        add_quantities(b, &is);
        int r = buf_check(&was, "the quantities of a manifest", err);
        if (r == 0)
                r = buf_check(&is, "the quantities of a manifest", err);
        return r < 0 ? r : strcmp(buf_str(&was), buf_str(&is)) == 0;
}

/* The kubelet's UID is a hash of the object as decoded and defaulted, in which a quantity keeps its spelling
 * (pkg/kubelet/config/common.go applyDefaults); podwatch's one of the values as they are written (pod_identity.h). */
static int find_restarts(struct comparison *c, struct err *err)
{
        bool both = c->before && c->after;
        int same = both ? same_quantities(c->before, c->after, err) : 0;

        c->podwatch_restarts = !both || !value_equal(c->before, c->after);
        c->kubelet_restarts = !both || c->differences.count > 0 || same == 0;
        return same < 0 ? same : 0;
}

static int compare(struct comparison *c, const char *disk_text, struct err *err)
{
        if (!c->before || !c->after) {
                c->result = c->after ? RESULT_ADDED : RESULT_REMOVED;
                return 0;
        }
        struct value *before CLEANUP_VALUE =
                                     c->from ? pod_meaning(c->before, NULL) : meaning_with_warnings(c, c->before),
                             *after CLEANUP_VALUE = pod_meaning(c->after, NULL);
        int r = pod_diff(before, after, &c->differences, err);
        if (r < 0)
                return r;
        int same = c->from ? value_equal(c->before, c->after) : same_text(c->after, disk_text, err);
        if (same < 0)
                return same;
        if (c->differences.count > 0)
                c->result = RESULT_DIFFERS;
        else if (!same)
                c->result = RESULT_TEXT;
        return 0;
}

/* Both sides, and the disk where patches are wanted. */
static int load(struct comparison *c, bool want_disk, struct err *err)
{
        char *text CLEANUP_FREE = NULL;
        int r = 0;

        if (component_is_there(c->phase, c->component))
                r = component_manifest(c->phase, c->component, &c->after, err);
        if (r == 0 && c->from && component_is_there(c->from, c->component))
                r = component_manifest(c->from, c->component, &c->before, err);
        if (r == 0 && (!c->from || want_disk))
                r = read_disk(c, &text, &c->disk, err);
        if (r < 0)
                return r;
        if (!c->from && c->disk)
                c->before = value_copy(c->disk);
        if (c->before || c->after)
                r = compare(c, text, err);
        return r < 0 ? r : find_restarts(c, err);
}

/* Patches of what was edited by hand */

static char *free_path(const char *dir, const char *component, const char *type)
{
        for (int i = 0; i < PATCH_FILES_MAX; i++) {
                char *name CLEANUP_FREE = i ? xasprintf("%s-edits%d+%s.yaml", component, i, type)
                                            : xasprintf("%s-edits+%s.yaml", component, type);
                char *path = file_join(dir, name);
                if (!file_exists(path))
                        return path;
                free(path);
        }
        return NULL;
}

static int add_patch(struct comparison *c, const char *dir, const char *type, const struct value *patch,
                     struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        char *path CLEANUP_FREE = free_path(dir, c->component->name, type);

        if (!path)
                return err_set(err, EEXIST,
                               "%s: there are %d patches %s-edits*+%s.yaml already: put them together first", dir,
                               PATCH_FILES_MAX, c->component->name, type);
        buf_addf(&out, "# What %s has beside what is rendered.\n", c->path);
        yaml_write(patch, 0, &out);
        int r = buf_check(&out, path, err);
        if (r < 0)
                return r;
        phase_add_file(c->phase, path, buf_str(&out), out.len, 0600, 0700, PHASE_FILE_AS_GIVEN | PHASE_FILE_EXCL);
        phase_file_context(c->phase, "cannot write the patch %s", path);
        strv_add(&c->patches, path);
        return 0;
}

static int make_patches(struct comparison *c, const struct diff_options *options, struct err *err)
{
        struct phase *base = c->from ? c->from : c->phase;
        const struct value *rendered = c->from ? c->before : c->after;
        struct api_types *types CLEANUP_API_TYPES = api_types_new(base->era);
        struct pod_patch patch CLEANUP_POD_PATCH = {0};

        if (!rendered || !c->disk)
                return 0;
        struct value *was CLEANUP_VALUE = pod_meaning(rendered, NULL), *is CLEANUP_VALUE = pod_meaning(c->disk, NULL);
        int r = pod_diff(was, is, &c->edits, err);
        if (r < 0 || c->edits.count == 0)
                return r;
        r = pod_patch_make(rendered, c->disk, options->argument_patches, base->config, types, base->era, &patch, err);
        if (r < 0)
                return err_wrap(err, "%s", c->path);
        if (patch.arguments)
                r = add_patch(c, options->write_patches, "arguments", patch.arguments, err);
        if (r == 0 && patch.pod)
                r = add_patch(c, options->write_patches, patch.type == PATCH_JSON ? "json" : "strategic", patch.pod,
                              err);
        return r;
}

/* Printing */

static void add_source(const struct era *era, const struct value_place *place, struct buf *out)
{
        if (!provenance_known(place))
                return;
        buf_addstr(out, "   (");
        provenance_text(era, place, out);
        buf_addch(out, ')');
}

/* Arguments as they are written, the rest as "what name: value". */
static void add_subject(const struct pod_difference *d, struct buf *out)
{
        bool argument = str_eq(d->what, "argument");
        const char *value = d->kind == POD_DIFFERENCE_REMOVED ? d->before : d->after;

        buf_addf(out, "%s%s%s", d->what, *d->name ? " " : "", d->name);
        if (d->kind == POD_DIFFERENCE_CHANGED)
                buf_addf(out, ": %s -> %s", d->before, d->after);
        else if (value)
                buf_addf(out, "%s%s", argument ? "=" : *d->name ? ": " : " ", value);
}

static void print_differences(const struct pod_differences *differences, const struct era *before,
                              const struct era *after, struct buf *out)
{
        static const char *const signs[POD_DIFFERENCE_MAX] = {"+", "-", "~", "~"};

        for (size_t i = 0; i < differences->count; i++) {
                const struct pod_difference *d = &differences->items[i];
                bool removed = d->kind == POD_DIFFERENCE_REMOVED;

                buf_addf(out, "  %s ", signs[d->kind]);
                if (d->kind == POD_DIFFERENCE_REORDERED)
                        buf_addf(out, "%s order: %s", d->what, d->field);
                else
                        add_subject(d, out);
                add_source(removed ? before : after, removed ? &d->before_place : &d->after_place, out);
                buf_addch(out, '\n');
        }
}

static void print_text(const struct comparison *c, struct buf *out)
{
        static const char *const sentences[][2] = {
                /* against the disk, against another rendering */
                [RESULT_SAME] = {"same", "same"},
                [RESULT_TEXT] = {"same by meaning, written another way", "same by meaning, written another way"},
                [RESULT_DIFFERS] = {"differs: the pod restarts", "differs: the pod restarts"},
                [RESULT_ADDED] = {"not on disk: the pod starts", "new: the pod starts"},
                [RESULT_REMOVED] = {"only on disk: this configuration has no such pod", "goes: the pod stops"},
        };

        const char *restart = c->kubelet_restarts ? ": the pod restarts" : ": no restart";

        if (c->podwatch_restarts && !c->kubelet_restarts)
                restart = ": the kubelet keeps the pod, podwatch restarts it";
        buf_addf(out, "%s: %s%s\n", c->component->name, sentences[c->result][c->from != NULL],
                 c->result == RESULT_TEXT ? restart : "");
        print_differences(&c->differences, era_before(c), c->phase->era, out);
        if (c->from && c->edits.count > 0) {
                buf_addf(out, "  edited by hand in %s:\n", c->path);
                print_differences(&c->edits, era_before(c), c->phase->era, out);
        }
        for (size_t i = 0; i < c->patches.len; i++)
                buf_addf(out, "  patch that keeps what is on disk: %s\n", c->patches.items[i]);
}

static void set_text(struct value *object, const char *key, const char *text)
{
        if (text)
                value_map_set(object, key, value_new_string(text));
}

static struct value *differences_object(const struct pod_differences *differences, const struct era *before,
                                        const struct era *after)
{
        struct value *list = value_new_list();

        for (size_t i = 0; i < differences->count; i++) {
                const struct pod_difference *d = &differences->items[i];
                struct value *object = value_new_map();

                value_list_add(list, object);
                set_text(object, "change", pod_difference_kind_name(d->kind));
                set_text(object, "what", d->what);
                set_text(object, "name", d->name);
                set_text(object, "field", d->field);
                set_text(object, "before", d->before);
                set_text(object, "after", d->after);
                if (provenance_known(&d->before_place))
                        value_map_set(object, "beforeFrom", provenance_object(before, &d->before_place));
                if (provenance_known(&d->after_place))
                        value_map_set(object, "afterFrom", provenance_object(after, &d->after_place));
        }
        return list;
}

static void print_json(const struct comparison *c, struct buf *out)
{
        struct value *object CLEANUP_VALUE = value_new_map();
        struct value *restart = value_new_map();

        set_text(object, "component", c->component->name);
        set_text(object, "path", c->path);
        set_text(object, "result", result_names[c->result]);
        value_map_set(object, "restart", restart);
        value_map_set(restart, "kubelet", value_new_bool(c->kubelet_restarts));
        value_map_set(restart, "podwatch", value_new_bool(c->podwatch_restarts));
        value_map_set(object, "differences", differences_object(&c->differences, era_before(c), c->phase->era));
        if (c->from && c->edits.count > 0)
                value_map_set(object, "edits", differences_object(&c->edits, era_before(c), c->phase->era));
        if (c->patches.len > 0) {
                struct value *list = value_map_set(object, "patches", value_new_list());
                for (size_t i = 0; i < c->patches.len; i++)
                        value_list_add(list, value_new_string(c->patches.items[i]));
        }
        json_write(object, 0, out);
        buf_addch(out, '\n');
}

static int diff_component(struct phase *phase, const struct component *component, const struct diff_options *options,
                          struct buf *all, bool *ret_differs, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(COMPONENT_TEXT_MAX);
        struct comparison c = {
                .phase = phase,
                .from = options->from,
                .component = component,
                .path = xasprintf(MANIFEST_DIRECTORY "/%s.yaml", component->name),
        };

        int r = load(&c, options->write_patches != NULL, err);
        if (r == 0 && options->write_patches)
                r = make_patches(&c, options, err);
        if (r == 0 && (c.before || c.after)) {
                if (str_eq(phase->options.output, "json"))
                        print_json(&c, &out);
                else
                        print_text(&c, &out);
                r = buf_check(&out, "the differences", err);
        }
        if (r == 0)
                buf_addstr(all, buf_str(&out));
        *ret_differs |= c.result != RESULT_SAME && c.result != RESULT_TEXT;
        comparison_release(&c);
        return r;
}

/* kube-proxy need not be a static pod: it counts where it is named, or one already. */
static bool is_wanted(const struct phase *phase, const struct component_choice *choice, size_t i)
{
        if (choice->named[i])
                return true;
        return choice->all && (choice->components[i] != &component_proxy ||
                               phase_exists(phase, MANIFEST_DIRECTORY "/kube-proxy.yaml"));
}

int phase_diff(struct phase *phase, const struct strv *names, const struct diff_options *options, bool *ret_differs,
               struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(COMPONENT_CHOICE_MAX * COMPONENT_TEXT_MAX);
        struct component_choice choice;

        *ret_differs = false;
        int r = component_choose(names, &choice, err);
        for (size_t i = 0; i < COMPONENT_CHOICE_MAX && r == 0; i++) {
                const struct component *component = choice.components[i];

                if (choice.named[i] && !component_is_there(phase, component) &&
                    !(options->from && component_is_there(options->from, component)))
                        return component_refuse(component, err);
                if (is_wanted(phase, &choice, i))
                        r = diff_component(phase, component, options, &out, ret_differs, err);
        }
        /* The patches of all, or none. */
        if (r == 0)
                r = phase_commit(phase, err);
        if (r == 0)
                r = buf_check(&out, "the differences", err);
        if (r == 0 || !options->write_patches)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}
