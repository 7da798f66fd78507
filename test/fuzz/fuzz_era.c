/* SPDX-License-Identifier: Apache-2.0
 *
 * A --templates directory with one file in it: the first line of the input is its name, the rest what is in the file.
 * Tables are taken or there is an error with a place; whatever was taken can be asked for and filled in.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/value.h"
#include "fuzz.h"
#include "phase/api_types.h"
#include "phase/embedded.h"
#include "phase/era.h"
#include "phase/era_rows.h"
#include "phase/template.h"
#include "scratch.h"

static int put_row(void *userdata, const char *rest, const struct era_row *row, struct err *err)
{
        struct value *pod = userdata;

        MUST(row->path && row->component && row->place.line > 0);
        if (!row->value)
                (void)template_path_remove(pod, rest);
        else if (template_path_set(pod, rest, row->value, NULL) == 0)
                MUST(template_path_get(pod, rest));
        (void)err;
        return 0;
}

/* What rows of any kind do to a template, whatever it is. */
static void edit(struct value *pod)
{
        static const char *const paths[] = {"metadata.labels.a",
                                            "spec.containers[0].image",
                                            "spec.containers[1].image",
                                            "spec.containers[9].image",
                                            "spec.containers[kube-scheduler].command[0]",
                                            "spec.containers[new].image",
                                            "a.b.c",
                                            "a[0]",
                                            "a[x].y",
                                            "apiVersion.x",
                                            "a[",
                                            "[0]",
                                            "a..b",
                                            ""};
        struct value *one CLEANUP_VALUE = value_new_string("one");

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                struct err err = ERR_INIT;
                int r = template_path_set(pod, paths[i], one, &err);

                MUST((r < 0) == (err.code != 0));
                /* What is set whole as an item is no map with a name. */
                if (r == 0 && !str_ends(paths[i], "]"))
                        MUST(value_equal(template_path_get(pod, paths[i]), one));
        }
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                (void)template_path_remove(pod, paths[i]);
}

static void fill(const struct era *era, const char *name)
{
        struct template_variables variables CLEANUP_VARIABLES = {0};
        const struct value *template;
        struct err err = ERR_INIT;

        template_set_text(&variables, "nodeName", "node1", NULL);
        template_set_text(&variables, "image", "registry.k8s.io/a:1", NULL);
        template_set_text(&variables, "absent", NULL, NULL);
        template_set_number(&variables, "port", 6443, NULL);
        template_set_textf(&variables, NULL, "host", "%s", "192.0.2.10");
        int r = era_template(era, name, &template, &err);
        MUST((r < 0) == (err.code != 0));
        if (r < 0)
                return;
        struct value *pod CLEANUP_VALUE = value_copy(template);
        (void)era_each(era, "kube-apiserver", "", put_row, pod, NULL);
        template_set_text(&variables, "image", "replaced", NULL);
        r = template_fill(pod, &variables, &err);
        MUST(r == 1 || (r < 0) == (err.code != 0));
        struct value *edited CLEANUP_VALUE = value_copy(template);
        if (value_is(edited, VALUE_MAP))
                edit(edited);
}

static void ask(const struct era *era)
{
        static const char *const types[] = {"Pod", "Container", "PodSpec", "Nothing"};
        struct api_types *known CLEANUP_API_TYPES = api_types_new(era);
        const struct api_type *type;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                struct err err = ERR_INIT;
                int r = api_types_get(known, types[i], &type, &err);

                MUST((r < 0) == (err.code != 0));
                if (r == 0)
                        MUST(str_eq(type->name, types[i]));
        }
        (void)era_text(era, "patches", "separators", "");
        (void)era_number(era, "validation", "exitCode", 1);
        (void)era_flag(era, "patches", "x");
        (void)era_lists(era, "patches", "targets", "etcd");
        (void)era_value(era, "images", "etcd");
}

static void check(const char *name)
{
        struct era *era CLEANUP_ERA = NULL;
        struct kube_version version, etcd;
        struct err err = ERR_INIT;
        int r = era_new(scratch(), &era, &err);

        MUST((r < 0) == (err.code != 0) && (r < 0) == !era);
        if (r < 0)
                return;
        MUST(era_newest(era, -1, &version, NULL) == 0);
        MUST(kube_version_compare(era_oldest(era), &version) <= 0);
        (void)era_value(era, "images", "etcd");
        for (int minor = 20; minor <= version.minor; minor += 5) {
                if (era_newest(era, minor, &version, NULL) < 0)
                        continue;
                MUST(era_set_version(era, &version, NULL) == 0);
                MUST(kube_version_compare(era_version(era), &version) == 0);
                era_set_etcd(era, kube_version_parse("3.5.1", false, &etcd, NULL) == 0 ? &etcd : NULL);
                ask(era);
                fill(era, name);
        }
        version.minor = 999;
        MUST(era_set_version(era, &version, NULL) < 0 && era_newest(era, 999, &version, NULL) < 0);
        MUST(era_template(era, "nothing.yaml", &(const struct value *){NULL}, NULL) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const uint8_t *end = memchr(data, '\n', size);
        char name[64];

        if (!end || (size_t)(end - data) >= sizeof(name) || end == data)
                return 0;
        memcpy(name, data, (size_t)(end - data));
        name[end - data] = '\0';
        if (strchr(name, '/') || *name == '.')
                return 0;
        if (!scratch_write(name, end + 1, size - (size_t)(end - data) - 1))
                return 0;
        check(name);
        scratch_unlink(name);
        return 0;
}
