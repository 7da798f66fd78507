/* SPDX-License-Identifier: Apache-2.0
 *
 * JoinConfiguration, ResetConfiguration and UpgradeConfiguration in every era that has their API version: checked,
 * filled up and brought into the newest form. What was brought into it is taken again, and nothing in it changes.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fuzz.h"
#include "phase/config_decode.h"
#include "phase/config_node.h"
#include "phase/phase.h"
#include "some_host.h"

#define VERSION "v1beta4"

static struct era *era;
static FILE *nowhere;

/* The document as it is written, NULL where it is refused. */
static struct value *rendered(struct phase *phase, const struct config_node_document *doc, unsigned flags)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct value *v = NULL;
        struct err err = ERR_INIT;
        int code = 0;
        int r = config_node_render(phase, doc, VERSION, flags, &problems, &v, &code, &err);

        MUST((r == 0) == (v != NULL) && (r < 0) == (err.code != 0) && problems.count <= LIMIT_CONFIG_PROBLEMS);
        MUST(r == 0 || code == 1 || code == 3);
        return v;
}

static void check_document(struct phase *phase, const struct config_node_document *doc)
{
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct value *strict CLEANUP_VALUE = rendered(phase, doc, CONFIG_NODE_STRICT),
                             *lenient CLEANUP_VALUE = rendered(phase, doc, 0),
                             *moved CLEANUP_VALUE = rendered(phase, doc, CONFIG_NODE_MIGRATE);

        (void)config_node_look(phase->era, doc, &problems, NULL);
        MUST(!strict || lenient);
        MUST(!lenient == !moved);
        if (!strict)
                return;
        const struct config_node_document again = {doc->kind, VERSION, strict};
        struct value *twice CLEANUP_VALUE = rendered(phase, &again, CONFIG_NODE_STRICT);
        MUST(twice && value_equal(twice, strict));
}

static void check_in(const struct kube_version *version, const char *text, size_t len)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct phase phase = {.era = era, .config = phase_config_new()};
        struct err err = ERR_INIT;

        phase.options.out = phase.options.log = nowhere;
        phase.options.host = &host;
        MUST(era_set_version(era, version, NULL) == 0);
        if (yaml_load("kubeadm.yaml", text, len, 0, &documents, NULL) == 0 &&
            config_decode(phase.config, &documents, era,
                          CONFIG_DECODE_NODE_KINDS | CONFIG_DECODE_LENIENT | CONFIG_DECODE_ALLOW_EXPERIMENTAL,
                          &problems, &err) == 0)
                for (size_t i = 0; i < phase.config->node_count; i++)
                        check_document(&phase, &phase.config->nodes[i]);
        phase_config_free(phase.config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct kube_version old = {.major = 1, .minor = 22}, newest;
        struct err err = ERR_INIT;

        if (!era) {
                nowhere = fopen("/dev/null", "we");
                MUST(nowhere && era_new(NULL, &era, &err) == 0);
        }
        MUST(era_newest(era, -1, &newest, NULL) == 0);
        check_in(&newest, (const char *)data, size);
        check_in(&old, (const char *)data, size);
        return 0;
}
