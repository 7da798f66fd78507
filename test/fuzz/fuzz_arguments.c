/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations on the arguments of a component by name, as a file beside the patches has them. What was carried out left
 * a command of texts behind its program; what was not left the number of the wrong operation.
 */
#include <string.h>

#include "base/err.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "fuzz.h"
#include "phase/arguments.h"
#include "phase/config.h"

static struct value *load(const char *text, size_t len)
{
        struct value *v = NULL;

        return yaml_load_one("kube-apiserver+arguments.yaml", text, len, 0, &v, NULL) == 0 ? v : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char pod_text[] =
                "spec: {containers: [{command: [kube-apiserver, --profiling=false, --anonymous-auth,"
                " --service-account-issuer=a, --service-account-issuer=b, '--enable-admission-plugins=A,B', "
                "positional, --v=2]}]}";
        struct phase_config *memory CLEANUP_PHASE_CONFIG = phase_config_new();
        struct value *operations CLEANUP_VALUE = load((const char *)data, size),
                                 *pod CLEANUP_VALUE = load(pod_text, strlen(pod_text));
        struct err err = ERR_INIT;
        size_t wrong = 0;

        if (!operations)
                return 0;
        int r = arguments_apply(memory, pod, operations, ARGUMENTS_ORIGIN "f", &wrong, &err);
        MUST((r < 0) == (err.code != 0));
        MUST(r == 0 || !value_is(operations, VALUE_LIST) || wrong <= operations->list.count);
        const struct value *command =
                value_map_get(value_get(pod, "spec", "containers", NULL)->list.items[0], "command");
        MUST(value_is(command, VALUE_LIST) && command->list.count > 0);
        for (size_t i = 0; i < command->list.count; i++)
                MUST(value_is(command->list.items[i], VALUE_STRING));
        MUST(strcmp(command->list.items[0]->text, "kube-apiserver") == 0);
        return 0;
}
