/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "codec/value.h"
#include "kube/pod.h"
#include "node/host_ports.h"
#include "node/image_look.h"
#include "node/plan.h"
#include "node/plan_configs.h"
#include "node/pod_fields.h"
#include "node/validate.h"

/* What is shown of one value. */
#define SHOWN_BYTES 160

struct running {
        struct pod *pod;
        const cJSON *status; /* of /status, NULL without */
        bool kept;           /* a file has it */
};

struct planning {
        const struct plan_input *in;
        struct running *running;
        size_t count;
        cJSON *list, *notes;
        bool images;
        int problems;
};

static char *key_of(const struct pod *pod)
{
        return xasprintf("%s/%s", pod->namespace, pod->name);
}

static const cJSON *status_of(const cJSON *status, const struct pod *pod)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, cjson_get(status, "pods", NULL))
                if (str_eq(cjson_text(item, "name", NULL), pod->name) &&
                    str_eq(cjson_text(item, "namespace", NULL), pod->namespace))
                        return item;
        return NULL;
}

/* What runs and is wanted by a manifest. */
static int read_running(struct planning *p, struct err *err)
{
        const cJSON *items = cjson_get(p->in->pods, "items", NULL), *item;

        p->running = xcalloc((size_t)cJSON_GetArraySize(items) + 1, sizeof(*p->running));
        cJSON_ArrayForEach (item, items) {
                cJSON *copy CLEANUP_CJSON = cJSON_Duplicate(item, true);
                struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
                struct running *r = &p->running[p->count];
                int result;

                cJSON_DeleteItemFromObjectCaseSensitive(copy, "status");
                cjson_write(copy, &text);
                result = pod_from_json(buf_str(&text), text.len, &r->pod, err);
                if (result < 0)
                        return err_wrap(err, "a pod that podwatch shows");
                r->status = status_of(p->in->status, r->pod);
                p->count++;
        }
        return 0;
}

static struct running *find_running(struct planning *p, const struct pod *pod)
{
        for (size_t i = 0; i < p->count; i++)
                if (pod_same_name(p->running[i].pod, pod))
                        return &p->running[i];
        return NULL;
}

static struct running *find_by_file(struct planning *p, const char *file)
{
        for (size_t i = 0; i < p->count; i++)
                if (str_eq(cjson_text(p->running[i].status, "file", NULL), file))
                        return &p->running[i];
        return NULL;
}

/* --- what one pod meets ------------------------------------------------------------------------------------------- */

static void add_images(struct planning *p, const struct pod *pod, cJSON *item)
{
        const struct image_look look = {.socket = p->in->docker_socket};
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; p->images && i < pod->container_count; i++) {
                struct err err = ERR_INIT;

                if (image_look_find(&look, pod->containers[i].image, NULL, &err) == 1)
                        cJSON_AddItemToArray(list, cJSON_CreateString(pod->containers[i].image));
        }
        cJSON_AddItemToObject(item, "missingImages", list);
}

static void add_clash(struct planning *p, cJSON *list, const struct pod *pod, const struct pod *other)
{
        char text[256];

        if (pod_same_name(pod, other) || !host_ports_clash(pod, other, text, sizeof(text)))
                return;
        cJSON_AddItemToArray(list, cJSON_CreateString(text));
        p->problems++;
}

/* With the other files, and with what runs and stays. */
static void add_clashes(struct planning *p, const struct pod *pod, cJSON *item)
{
        const struct validation *v = p->in->files;
        cJSON *list = cJSON_CreateArray();

        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod)
                        add_clash(p, list, pod, v->files[i].pod);
        for (size_t i = 0; i < p->count && !p->in->whole; i++)
                if (!p->running[i].kept)
                        add_clash(p, list, pod, p->running[i].pod);
        cJSON_AddItemToObject(item, "clashes", list);
}

/* The longest of the last few: an edit that takes less surprises nobody. */
static void add_gap(const struct running *r, cJSON *item)
{
        const cJSON *gaps = cjson_get(r->status, "gapsMs", NULL), *gap;
        cJSON *object = cJSON_CreateObject();
        double most = 0;

        cJSON_ArrayForEach (gap, gaps)
                most = gap->valuedouble > most ? gap->valuedouble : most;
        if (cJSON_GetArraySize(gaps) > 0)
                cJSON_AddNumberToObject(object, "expectedMs", most);
        cJSON_AddNumberToObject(object, "measured", cJSON_GetArraySize(gaps));
        cJSON_AddNumberToObject(object, "graceSeconds", (double)r->pod->termination_grace_seconds);
        cJSON_AddItemToObject(item, "gap", object);
}

static cJSON *add_item(struct planning *p, const struct pod *pod, const char *file, const char *action)
{
        char *key CLEANUP_FREE = key_of(pod);
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "pod", key);
        if (file)
                cJSON_AddStringToObject(item, "file", file);
        cJSON_AddStringToObject(item, "action", action);
        cJSON_AddItemToArray(p->list, item);
        return item;
}

/* A pod that stays, for what it takes from ConfigMaps and Secrets. False: nothing of that differs. */
static bool plan_refresh(struct planning *p, const struct pod *pod, const char *file)
{
        cJSON *configs = p->in->configs ? plan_configs(pod, p->in->configs, &p->in->files->configs) : NULL;

        if (cJSON_GetArraySize(configs) == 0) {
                cJSON_Delete(configs);
                return false;
        }
        cJSON_AddItemToObject(add_item(p, pod, file, "refresh"), "configs", configs);
        return true;
}

/* As manifest_config takes them. */
static void plan_immutable(struct planning *p)
{
        for (size_t i = 0; p->in->configs && i < p->in->configs->count; i++) {
                const struct config_object *before = p->in->configs->items[i];
                const struct config_object *after =
                        config_objects_find(&p->in->files->configs, before->kind, before->namespace, before->name);
                char *text CLEANUP_FREE = NULL;

                if (!before->immutable || !after || config_object_equal(before, after))
                        continue;
                text = xasprintf("%s %s/%s is immutable: its edit is refused (take the document out first)",
                                 config_kind_name(before->kind), before->namespace, before->name);
                cJSON_AddItemToArray(p->notes, cJSON_CreateString(text));
                p->problems++;
        }
}

static const struct validate_file *file_read_as(const struct planning *p, const char *file)
{
        for (size_t i = 0; i < p->in->files->count; i++)
                if (str_eq(p->in->files->files[i].as, file))
                        return &p->in->files->files[i];
        return NULL;
}

/* Of several files with one pod name the first by its name counts, as manifest_source takes them. */
static bool comes_before(const char *file, const char *other)
{
        return strcmp(file_basename(file), file_basename(other)) < 0;
}

/* The file that has the name of f's pod and counts; NULL: f does. */
static const char *shadow_of(const struct planning *p, const struct validate_file *f, const struct running *r)
{
        const struct validation *v = p->in->files;
        const char *now = r ? cjson_text(r->status, "file", NULL) : NULL;
        const struct validate_file *read = now ? file_read_as(p, now) : NULL;

        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod && pod_same_name(v->files[i].pod, f->pod) && comes_before(v->files[i].as, f->as))
                        return v->files[i].as;
        /* The one that has it now: it stays as it is, or what it gave stays since it is wrong. */
        if (!now || !comes_before(now, f->as) || (read ? read->pod || read->serves : p->in->whole))
                return NULL;
        return now;
}

static void plan_shadowed(struct planning *p, const struct validate_file *f, const char *by)
{
        char *key CLEANUP_FREE = key_of(f->pod);
        char *text CLEANUP_FREE =
                xasprintf("%s: pod %s is in %s already, which counts", f->path, key, file_basename(by));

        cJSON_AddStringToObject(add_item(p, f->pod, f->path, "shadowed"), "by", by);
        cJSON_AddItemToArray(p->notes, cJSON_CreateString(text));
        p->problems++;
}

/* It failed its trial and is not taken again: why; NULL without. */
static const char *rejection_of(const struct planning *p, const struct validate_file *f)
{
        const cJSON *file;

        cJSON_ArrayForEach (file, cjson_get(p->in->status, "manifests", "files", NULL)) {
                const cJSON *rejected = cjson_get(file, "rejected", NULL);

                if (str_eq(cjson_text(file, "file", NULL), f->as) &&
                    str_eq(cjson_text(rejected, "uid", NULL), f->pod->uid) &&
                    str_eq(cjson_text(rejected, "specHash", NULL), f->pod->spec_hash))
                        return cjson_text(rejected, "why", "");
        }
        return NULL;
}

static void plan_file(struct planning *p, const struct validate_file *f)
{
        struct running *r = find_running(p, f->pod);
        bool same = r && pod_same_version(r->pod, f->pod);
        const char *by = shadow_of(p, f, r), *why = rejection_of(p, f);
        cJSON *item;

        if (by) {
                plan_shadowed(p, f, by);
                return;
        }
        if (r && why) {
                (void)add_item(p, r->pod, f->path, "keep");
                cJSON_AddItemToArray(p->notes, cJSON_CreateString(why));
                p->problems++;
                return;
        }
        if (same && plan_refresh(p, f->pod, f->path))
                return;
        item = add_item(p, f->pod, f->path, !r ? "create" : same ? "unchanged" : "replace");
        if (same)
                return;
        if (r) {
                cJSON_AddItemToObject(item, "fields", pod_fields_diff(r->pod, f->pod));
                add_gap(r, item);
        }
        add_images(p, f->pod, item);
        add_clashes(p, f->pod, item);
}

/* A file that is wrong: what it gave before stays. */
static void plan_wrong(struct planning *p, const struct validate_file *f)
{
        struct running *r = find_by_file(p, f->as);

        p->problems++;
        for (size_t i = 0; i < f->findings.count; i++)
                if (f->findings.items[i].fatal)
                        cJSON_AddItemToArray(p->notes, cJSON_CreateString(f->findings.items[i].text));
        if (!r)
                return;
        r->kept = true;
        (void)add_item(p, r->pod, f->path, "keep");
}

static void plan_all(struct planning *p)
{
        const struct validation *v = p->in->files;

        for (size_t i = 0; i < v->count; i++) {
                struct running *r = v->files[i].pod ? find_running(p, v->files[i].pod) : NULL;

                if (r)
                        r->kept = true;
        }
        for (size_t i = 0; i < v->count; i++)
                if (!v->files[i].pod && !v->files[i].serves)
                        plan_wrong(p, &v->files[i]);
        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod)
                        plan_file(p, &v->files[i]);
        for (size_t i = 0; i < p->count; i++) {
                const char *file = cjson_text(p->running[i].status, "file", NULL);

                if (p->running[i].kept)
                        continue;
                /* The file gives another pod now: the one that it gave goes. */
                if (p->in->whole || (file && file_read_as(p, file)))
                        (void)add_item(p, p->running[i].pod, file, "remove");
                else
                        (void)plan_refresh(p, p->running[i].pod, file);
        }
        plan_immutable(p);
}

int plan_make(const struct plan_input *in, struct cJSON **ret, struct err *err)
{
        struct planning p = {.in = in, .list = cJSON_CreateArray(), .notes = cJSON_CreateArray()};
        const struct image_look look = {.socket = in->docker_socket};
        struct err why = ERR_INIT;
        int r = read_running(&p, err);

        p.images = in->docker_socket && image_look_ping(&look, &why) == 0;
        if (!p.images)
                cJSON_AddItemToArray(p.notes, cJSON_CreateString("images were not looked at: Docker does not answer"));
        if (r == 0)
                plan_all(&p);
        for (size_t i = 0; i < p.count; i++)
                pod_unref(p.running[i].pod);
        free(p.running);
        if (r < 0) {
                cJSON_Delete(p.list);
                cJSON_Delete(p.notes);
                return r;
        }
        *ret = cJSON_CreateObject();
        cJSON_AddItemToObject(*ret, "pods", p.list);
        cJSON_AddNumberToObject(*ret, "problems", p.problems);
        cJSON_AddItemToObject(*ret, "notes", p.notes);
        return 0;
}

/* --- text --------------------------------------------------------------------------------------------------------- */

static bool in_list(const cJSON *list, const cJSON *value)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, list)
                if (cJSON_Compare(item, value, true))
                        return true;
        return false;
}

static void print_value(char mark, const cJSON *value, struct buf *out)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        size_t len;

        if (!value)
                return;
        cjson_write(value, &text);
        len = utf8_valid_prefix(buf_str(&text), text.len < SHOWN_BYTES ? text.len : SHOWN_BYTES);
        buf_addf(out, "        %c %.*s%s\n", mark, (int)len, buf_str(&text), len < text.len ? " ..." : "");
}

/* Of two lists what is in one of them alone. */
static void print_items(char mark, const cJSON *list, const cJSON *other, struct buf *out)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, list)
                if (!in_list(other, item))
                        print_value(mark, item, out);
}

static void print_field(const cJSON *field, struct buf *out)
{
        const cJSON *before = cjson_get(field, "before", NULL), *after = cjson_get(field, "after", NULL);

        buf_addf(out, "    %s\n", cjson_text(field, "field", ""));
        if (cJSON_IsArray(before) && cJSON_IsArray(after)) {
                print_items('-', before, after, out);
                print_items('+', after, before, out);
                return;
        }
        print_value('-', before, out);
        print_value('+', after, out);
}

static void print_config(const cJSON *config, const char *pod, struct buf *out)
{
        const char *takes = cjson_text(config, "takes", "");
        const cJSON *key;

        buf_addf(out, "    %s: %s:", cjson_text(config, "field", ""), cjson_text(config, "from", ""));
        cJSON_ArrayForEach (key, cjson_get(config, "keys", NULL))
                buf_addf(out, "%s %s", key->prev && key->prev->next ? "," : "", cJSON_GetStringValue(key));
        if (str_eq(takes, PLAN_CONFIG_AT_ONCE))
                buf_addstr(out, ": shown in the volume at once\n");
        else if (str_eq(takes, PLAN_CONFIG_RESTART))
                buf_addf(out, ": taken when the container starts next (podwatch restart %s)\n", pod);
        else
                buf_addstr(out, ": no document has it any more; what runs keeps it, a container that starts waits\n");
}

static void print_gap(const cJSON *gap, struct buf *out)
{
        if (!gap)
                return;
        if (cjson_int(gap, "measured", 0) > 0)
                buf_addf(out, "    expected gap: %" PRId64 " ms at most (as the last %" PRId64 " edits)\n",
                         cjson_int(gap, "expectedMs", 0), cjson_int(gap, "measured", 0));
        else
                buf_addf(out,
                         "    expected gap: not measured yet: the time it takes to stop (%" PRId64
                         " s of grace at most) and one start\n",
                         cjson_int(gap, "graceSeconds", 0));
}

static void print_pod(const cJSON *pod, struct buf *out)
{
        static const char *const lists[][2] = {{"missingImages", "is to be pulled: image"}, {"clashes", "will wait:"}};
        const cJSON *item;

        buf_addf(out, "%s %s%s%s%s\n", cjson_text(pod, "action", ""), cjson_text(pod, "pod", ""),
                 cjson_text(pod, "file", NULL) ? " (" : "", cjson_text(pod, "file", ""),
                 cjson_text(pod, "file", NULL) ? ")" : "");
        cJSON_ArrayForEach (item, cjson_get(pod, "fields", NULL))
                print_field(item, out);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                cJSON_ArrayForEach (item, cjson_get(pod, lists[i][0], NULL))
                        buf_addf(out, "    %s %s\n", lists[i][1], cJSON_GetStringValue(item));
        cJSON_ArrayForEach (item, cjson_get(pod, "configs", NULL))
                print_config(item, cjson_text(pod, "pod", ""), out);
        print_gap(cjson_get(pod, "gap", NULL), out);
}

void plan_text(const struct cJSON *plan, struct buf *out)
{
        static const char *const actions[] = {"create",   "replace", "remove",   "keep",
                                              "shadowed", "refresh", "unchanged"};
        int counts[ARRAY_SIZE(actions)] = {0};
        const cJSON *item;

        cJSON_ArrayForEach (item, cjson_get(plan, "pods", NULL)) {
                for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
                        counts[i] += str_eq(cjson_text(item, "action", ""), actions[i]);
                if (!str_eq(cjson_text(item, "action", ""), "unchanged"))
                        print_pod(item, out);
        }
        cJSON_ArrayForEach (item, cjson_get(plan, "notes", NULL))
                buf_addf(out, "%s\n", cJSON_GetStringValue(item));
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
                buf_addf(out, "%s%d %s", i > 0 ? ", " : "", counts[i], actions[i]);
        buf_addch(out, '\n');
}
