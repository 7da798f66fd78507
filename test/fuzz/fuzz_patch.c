/* SPDX-License-Identifier: Apache-2.0
 *
 * A patches directory with one file in it: the first line of the input is its name, a second line that begins with "@"
 * the object to patch as JSON, the rest what is in the file. A patch is applied or there is an error; what it was
 * applied to can be written.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fuzz.h"
#include "phase/patch.h"
#include "phase/phase.h"
#include "scratch.h"

static const char object[] =
        "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"kube-apiserver\",\"labels\":{\"tier\":\"x\"},"
        "\"finalizers\":[\"f1\",\"f2\"]},\"spec\":{\"containers\":[{\"name\":\"kube-apiserver\",\"image\":\"a:1\","
        "\"command\":[\"kube-apiserver\",\"--a=1\"],\"ports\":[{\"containerPort\":80,\"protocol\":\"TCP\"}],"
        "\"volumeMounts\":[{\"name\":\"v\",\"mountPath\":\"/v\"}],\"env\":[{\"name\":\"E\",\"value\":\"1\"}],"
        "\"resources\":{\"requests\":{\"cpu\":\"250m\"}}}],\"volumes\":[{\"name\":\"v\",\"hostPath\":{\"path\":\"/"
        "v\"}}],"
        "\"hostNetwork\":true,\"tolerations\":[{\"operator\":\"Exists\"}]},\"status\":{}}";

static struct era *era;
static FILE *nowhere;

static void start(void)
{
        struct kube_version newest;

        if (era)
                return;
        nowhere = fopen("/dev/null", "we");
        MUST(nowhere && era_new(NULL, &era, NULL) == 0 && era_newest(era, -1, &newest, NULL) == 0);
        MUST(era_set_version(era, &newest, NULL) == 0);
}

/* Ends the line at *text, which moves behind it. */
static char *take_line(char **text)
{
        char *line = strsep(text, "\n");

        if (!*text)
                *text = line + strlen(line);
        return line;
}

static void apply(bool lenient, struct value **v)
{
        struct phase phase = {.era = era, .config = phase_config_new(), .as_kubeadm = lenient};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        struct err err = ERR_INIT;

        phase.options.out = phase.options.log = nowhere;
        phase.options.patches_dir = scratch();
        int r = patch_object(&phase, "kube-apiserver", "Pod", v, &err);
        MUST(r <= 0 && (r < 0) == (err.code != 0));
        if (r == 0) {
                MUST(value_is(*v, VALUE_MAP));
                MUST(str_eq(value_string(value_map_get(*v, "kind"), ""), "Pod"));
        }
        yaml_write(*v, 0, &text);
        (void)patches_free(phase.patches);
        phase_config_free(phase.config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *whole CLEANUP_FREE = xstrndup((const char *)data, size), *text = whole;
        struct value *v CLEANUP_VALUE = NULL, *copy CLEANUP_VALUE = NULL;

        start();
        const char *name = take_line(&text);
        const char *json = text[0] == '@' ? take_line(&text) + 1 : object;
        size_t head = (size_t)(text - whole);
        if (json_load("object", json, strlen(json), &v, NULL) < 0 || !value_is(v, VALUE_MAP) ||
            !value_is(value_map_get(v, "spec"), VALUE_MAP) ||
            !str_eq(value_string(value_map_get(v, "kind"), ""), "Pod") || strchr(name, '/') || strlen(name) > 100 ||
            !*name || *name == '.')
                return 0;
        copy = value_copy(v);
        /* What lies behind a NUL of the input counts as well. */
        if (head > size || !scratch_write(name, data + head, size - head))
                return 0;
        apply(false, &v);
        apply(true, &copy);
        scratch_unlink(name);
        return 0;
}
