/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "kube/field.h"
#include "kube/pod_own.h"
#include "node/host_ports.h"
#include "node/manifest_file.h"
#include "node/start_order.h"
#include "node/validate.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void parse(struct validation *v, struct validate_file *f, const struct buf *data)
{
        const struct pod_source source = {
                .node_name = v->node_name, .file = f->path, .seen = 1, .configs = &v->configs};
        const struct pod_source as = {.node_name = v->node_name, .file = f->as, .seen = 1, .configs = &v->configs};
        struct pod_findings ignored CLEANUP(pod_findings_release) = {0};
        struct config_objects served CLEANUP(config_objects_release) = {0};
        struct err err = ERR_INIT;

        if (config_object_likely(buf_str(data), data->len)) {
                f->serves = config_objects_read(f->path, buf_str(data), data->len, v->strict, &served, &f->findings,
                                                &err) != 1;
                if (f->serves)
                        return;
        }
        if (yaml_load_one(f->path, buf_str(data), data->len, 0, &f->tree, &err) < 0) {
                pod_findings_add(&f->findings, true, "%s", err.msg);
                return;
        }
        if (pod_from_manifest(buf_str(data), data->len, &source, v->strict, &f->pod, &f->findings, &err) < 0 ||
            str_eq(f->as, f->path))
                return;
        /* Findings name the file that was given; the identity is that of the place where it is meant to be. */
        f->pod = pod_unref(f->pod);
        (void)pod_from_manifest(buf_str(data), data->len, &as, v->strict, &f->pod, &ignored, &err);
}

static void read_one(struct validation *v, const char *path, const char *directory)
{
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct validate_file *f;
        struct err err = ERR_INIT;

        v->files = xrealloc(v->files, v->count + 1, sizeof(*v->files));
        f = &v->files[v->count++];
        *f = (struct validate_file){.path = xstrdup(path)};
        f->as = directory ? file_join(directory, file_basename(path)) : xstrdup(path);
        if (file_read(path, &data, &err) < 0)
                pod_findings_add(&f->findings, true, "%s", err.msg);
        else
                parse(v, f, &data);
}

/* What a file serves, for the pods beside it; what is wrong with it is found when it is read itself. */
static void read_served(struct validation *v, const char *path)
{
        struct buf data CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        struct pod_findings ignored CLEANUP(pod_findings_release) = {0};
        struct config_objects served = {0};
        struct err err = ERR_INIT;

        if (file_read(path, &data, &err) < 0 || !config_object_likely(buf_str(&data), data.len) ||
            config_objects_read(path, buf_str(&data), data.len, v->strict, &served, &ignored, &err) != 0)
                return;
        v->configs.items = xrealloc(v->configs.items, v->configs.count + served.count, sizeof(struct config_object *));
        for (size_t i = 0; i < served.count; i++)
                v->configs.items[v->configs.count++] = served.items[i];
        free(served.items);
}

static void list_manifests(DIR *stream, struct strv *names)
{
        for (struct dirent *e; (e = readdir(stream)) && names->len < LIMIT_MANIFEST_FILES;)
                if (manifest_name_class(e->d_name) == MANIFEST_NAME_TAKEN)
                        strv_add(names, e->d_name);
        strv_sort(names);
}

/* Of every manifest in a directory, but for one name (NULL: none). */
static void read_served_beside(struct validation *v, const char *directory, const char *but)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        DIR *stream = opendir(directory);
        const char *name;

        if (!stream)
                return;
        list_manifests(stream, &names);
        (void)closedir(stream);
        STRV_FOREACH (name, &names) {
                char *file CLEANUP_FREE = file_join(directory, name);

                if (!but || !str_eq(name, but))
                        read_served(v, file);
        }
}

static int read_directory(struct validation *v, const char *path, const char *directory, struct err *err)
{
        struct strv names CLEANUP_STRV = STRV_INIT;
        DIR *stream = opendir(path);
        const char *name;

        if (!stream)
                return err_set_errno(err, errno, "reading %s", path);
        list_manifests(stream, &names);
        (void)closedir(stream);
        read_served_beside(v, path, NULL);
        STRV_FOREACH (name, &names) {
                char *file CLEANUP_FREE = file_join(path, name);

                read_one(v, file, directory);
        }
        return 0;
}

int validate_read(struct validation *v, const char *path, const char *directory, struct err *err)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "%s", path);
        if (S_ISDIR(st.st_mode))
                return read_directory(v, path, directory, err);
        char *beside CLEANUP_FREE = directory ? xstrdup(directory) : file_dirname(path);
        read_served(v, path);
        read_served_beside(v, beside, file_basename(path)); /* the file takes its place */
        read_one(v, path, directory);
        return 0;
}

void validation_release(struct validation *v)
{
        for (size_t i = 0; i < v->count; i++) {
                free(v->files[i].path);
                free(v->files[i].as);
                value_free(v->files[i].tree);
                pod_unref(v->files[i].pod);
                pod_findings_release(&v->files[i].findings);
        }
        free(v->files);
        config_objects_release(&v->configs);
        free(v->node_name);
        *v = (struct validation){0};
}

/* --- places ------------------------------------------------------------------------------------------------------- */

void validate_each_container(struct validate_file *file, validate_container_fn fn, void *userdata)
{
        static const char *const lists[] = {"initContainers", "containers"};
        struct field_path root = field_root(file->tree), spec = field_child(&root, "spec");
        size_t index = 0;

        for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
                struct field_path list = field_child(&spec, lists[l]);

                for (size_t i = 0; i < field_count(list.value) && index < file->pod->container_count; i++) {
                        struct field_path container = field_index(&list, i);

                        fn(file, index++, &container, userdata);
                }
        }
}

/* --- between files ------------------------------------------------------------------------------------------------ */

/* The first file with this pod's name has it. */
static const struct validate_file *earlier_name(const struct validation *v, size_t at)
{
        const struct pod *pod = v->files[at].pod;

        for (size_t i = 0; i < at; i++)
                if (v->files[i].pod && pod_same_name(v->files[i].pod, pod))
                        return &v->files[i];
        return NULL;
}

static void check_name(struct validation *v, size_t at)
{
        struct validate_file *f = &v->files[at];
        const struct validate_file *other = earlier_name(v, at);
        struct field_path root = field_root(f->tree), metadata = field_child(&root, "metadata");
        struct field_path name = field_child(&metadata, "name");

        if (other)
                field_finding(&f->findings, true, &name, "pod %s/%s is in %s already, which counts", f->pod->namespace,
                              f->pod->name, other->path);
}

struct port_clash {
        const struct pod *other;
        size_t container, port;
        const char *text;
};

static void tell_port(struct validate_file *f, size_t index, const struct field_path *container, void *userdata)
{
        const struct port_clash *clash = userdata;
        struct field_path ports = field_child(container, "ports");

        if (index != clash->container || clash->port >= field_count(ports.value))
                return;
        struct field_path port = field_index(&ports, clash->port), host = field_child(&port, "hostPort");
        struct field_path number = field_child(&port, "containerPort");

        field_finding(&f->findings, true, host.value ? &host : &number, "%s", clash->text);
}

static void check_ports(struct validation *v, size_t at)
{
        struct validate_file *f = &v->files[at];

        for (size_t i = 0; i < at; i++) {
                char text[256];
                struct port_clash clash = {.other = v->files[i].pod, .text = text};

                if (!clash.other ||
                    !host_ports_find(f->pod, clash.other, &clash.container, &clash.port, text, sizeof(text)))
                        continue;
                validate_each_container(f, tell_port, &clash);
        }
}

static bool is_there(const struct validation *v, const struct pod_after *after)
{
        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod &&
                    pod_after_names(after, v->files[i].pod->namespace, v->files[i].pod->name, v->node_name))
                        return true;
        return false;
}

static void check_order(struct validation *v, size_t at, const struct pod **pods, size_t count, size_t index)
{
        struct validate_file *f = &v->files[at];
        const char *text = pod_map_get(&f->pod->annotations, POD_OWN_AFTER);
        struct field_path root = field_root(f->tree), metadata = field_child(&root, "metadata");
        struct field_path annotations = field_child(&metadata, "annotations");
        struct field_path path =
                field_key(&annotations, POD_OWN_AFTER, value_map_get(annotations.value, POD_OWN_AFTER));
        struct pod_after_list list CLEANUP_POD_AFTER = {0};
        char *circle CLEANUP_FREE = NULL;

        if (!text || pod_after_parse(text, f->pod->namespace, &list, NULL) < 0)
                return;
        for (size_t i = 0; i < list.count; i++)
                if (!is_there(v, &list.items[i]))
                        field_finding(&f->findings, false, &path, "no manifest here describes pod %s/%s",
                                      list.items[i].namespace, list.items[i].name);
        circle = start_order_circle(pods, count, index, (size_t)-1, v->node_name);
        if (circle)
                field_finding(&f->findings, true, &path, "start order is a circle: %s", circle);
}

void validate_between(struct validation *v)
{
        const struct pod **pods = xcalloc(v->count + 1, sizeof(*pods));
        size_t count = 0, index = 0;

        for (size_t i = 0; i < v->count; i++)
                if (v->files[i].pod && !earlier_name(v, i))
                        pods[count++] = v->files[i].pod;
        for (size_t i = 0; i < v->count; i++) {
                if (!v->files[i].pod)
                        continue;
                check_name(v, i);
                if (earlier_name(v, i))
                        continue;
                check_ports(v, i);
                check_order(v, i, pods, count, index++);
        }
        free(pods);
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

size_t validate_errors(const struct validation *v)
{
        size_t errors = 0;

        for (size_t i = 0; i < v->count; i++)
                for (size_t k = 0; k < v->files[i].findings.count; k++)
                        errors += v->files[i].findings.items[k].fatal;
        return errors;
}

static size_t total(const struct validation *v)
{
        size_t n = 0;

        for (size_t i = 0; i < v->count; i++)
                n += v->files[i].findings.count;
        return n;
}

void validate_text(const struct validation *v, struct buf *out)
{
        size_t errors = validate_errors(v), pods = 0;

        for (size_t i = 0; i < v->count; i++) {
                const struct pod_findings *found = &v->files[i].findings;

                pods += v->files[i].pod != NULL;
                for (size_t k = 0; k < found->count; k++)
                        buf_addf(out, "%s: %s\n", found->items[k].fatal ? "error" : "warning", found->items[k].text);
        }
        buf_addf(out, "%zu files, %zu pods: %zu errors, %zu warnings\n", v->count, pods, errors, total(v) - errors);
}

/* "FILE:LINE:COLUMN: rest", as far as it is there. */
static void add_place(cJSON *item, const char *file, const char *text)
{
        const char *rest = str_after(text, file);
        static const char *const names[] = {"line", "column"};

        cJSON_AddStringToObject(item, "file", file);
        for (size_t i = 0; rest && i < ARRAY_SIZE(names); i++) {
                size_t digits = rest[0] == ':' ? strspn(rest + 1, "0123456789") : 0;
                char *number CLEANUP_FREE = xstrndup(rest + 1, digits);
                int64_t n;

                if (digits == 0 || str_to_i64(number, &n) < 0)
                        break;
                cJSON_AddNumberToObject(item, names[i], (double)n);
                rest += 1 + digits;
        }
        if (rest && str_starts(rest, ": "))
                text = rest + 2;
        cJSON_AddStringToObject(item, "message", text);
}

cJSON *validate_json(const struct validation *v)
{
        cJSON *object = cJSON_CreateObject(), *files = cJSON_CreateArray();
        size_t errors = validate_errors(v);

        for (size_t i = 0; i < v->count; i++) {
                const struct validate_file *f = &v->files[i];
                cJSON *file = cJSON_CreateObject(), *list = cJSON_CreateArray();

                cJSON_AddStringToObject(file, "file", f->path);
                if (f->pod) {
                        char *key CLEANUP_FREE = xasprintf("%s/%s", f->pod->namespace, f->pod->name);
                        cJSON_AddStringToObject(file, "pod", key);
                }
                for (size_t k = 0; k < f->findings.count; k++) {
                        cJSON *item = cJSON_CreateObject();

                        cJSON_AddStringToObject(item, "severity", f->findings.items[k].fatal ? "error" : "warning");
                        add_place(item, f->path, f->findings.items[k].text);
                        cJSON_AddItemToArray(list, item);
                }
                cJSON_AddItemToObject(file, "findings", list);
                cJSON_AddItemToArray(files, file);
        }
        cJSON_AddItemToObject(object, "files", files);
        cJSON_AddNumberToObject(object, "errors", (double)errors);
        cJSON_AddNumberToObject(object, "warnings", (double)(total(v) - errors));
        return object;
}
