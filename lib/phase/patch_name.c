/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "phase/go_text.h"
#include "phase/patch_name.h"

static const struct {
        const char *word, *text;
} types[PATCH_TYPE_MAX] = {
        [PATCH_JSON] = {"json", "application/json-patch+json"},
        [PATCH_MERGE] = {"merge", "application/merge-patch+json"},
        [PATCH_STRATEGIC] = {"strategic", "application/strategic-merge-patch+json"},
        [PATCH_ARGUMENTS] = {"arguments", "arguments"},
};

const char *patch_type_text(enum patch_type type)
{
        return types[type].text;
}

/* .+\.(json|yaml)$, where a dot is no newline. */
static bool has_extension(const char *name)
{
        static const char *const extensions[] = {".json", ".yaml"};

        for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
                size_t len = strlen(name), tail = strlen(extensions[i]);
                if (len > tail && str_ends(name, extensions[i]) && name[len - tail - 1] != '\n')
                        return true;
        }
        return false;
}

int patch_name_parse(const char *name, const struct value *targets, const char **ret_target, enum patch_type *ret_type,
                     struct err *err)
{
        const char *rest = NULL;

        if (!has_extension(name)) {
                (void)err_set(err, ERR_INVALID, "the file extension must be one of [json yaml]");
                return 1;
        }
        for (size_t i = 0; value_is(targets, VALUE_LIST) && i < targets->list.count && !rest; i++) {
                *ret_target = value_string(targets->list.items[i], "");
                rest = str_after(name, *ret_target);
        }
        if (!rest) {
                struct buf known CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);
                if (targets)
                        go_text(targets, &known);
                (void)err_set(err, ERR_INVALID, "unknown target, must be one of %s", buf_str(&known));
                return 1;
        }
        *ret_type = PATCH_STRATEGIC;
        rest += strcspn(rest, ".+\n");
        if (*rest != '+')
                return 0;
        for (int t = 0; t < PATCH_TYPE_MAX; t++)
                if (str_starts(rest + 1, types[t].word)) {
                        *ret_type = (enum patch_type)t;
                        return 0;
                }
        return err_set(err, ERR_INVALID,
                       "unknown or missing patch type after '+', must be one of [json merge strategic]");
}
