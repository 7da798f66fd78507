/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "phase/config_verbs.h"
#include "phase/images.h"

/* kubeadm's Images object; its JSON has the Go struct's order. */
static struct value *images_object(const struct phase *phase, const struct strv *images)
{
        struct value *object = value_new_map();

        value_map_set(object, "kind", value_new_string("Images"));
        value_map_set(object, "apiVersion",
                      value_new_stringf("output.kubeadm.k8s.io/%s", era_text(phase->era, "output", "apiVersion", "")));
        struct value *list = value_map_set(object, "images", value_new_list());
        for (size_t i = 0; i < images->len; i++)
                value_list_add(list, value_new_string(images->items[i]));
        return object;
}

int phase_config_images_list(struct phase *phase, struct err *err)
{
        const char *output = phase->options.output;
        struct strv images CLEANUP_STRV = STRV_INIT;
        struct buf out CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);

        images_list(phase, &images);
        struct value *object CLEANUP_VALUE = images_object(phase, &images);
        if (str_eq(output, "json")) {
                json_write(object, JSON_INDENT_4, &out);
                buf_addch(&out, '\n');
        } else if (str_eq(output, "yaml")) {
                yaml_write(object, 0, &out);
        } else {
                for (size_t i = 0; i < images.len; i++)
                        buf_addf(&out, "%s\n", images.items[i]);
        }
        int r = buf_check(&out, "the list of images", err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        return r;
}

int phase_config_validate(struct phase *phase, struct err *err)
{
        (void)err;
        phase_say(phase, "ok");
        return 0;
}
