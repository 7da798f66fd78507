/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_documents.h"
#include "phase/config_node.h"
#include "phase/problems.h"
#include "phase/reset_config.h"

#define KIND "ResetConfiguration"
#define GROUP "kubeadm.k8s.io"

void reset_config_release(struct reset_config *config)
{
        free(config->certificates_dir);
        strv_release(&config->ignore_preflight_errors);
        strv_release(&config->skip_phases);
        strv_release(&config->unmount_flags);
        *config = (struct reset_config){0};
}

static bool flag_of(const struct value *v, const char *key)
{
        const struct value *flag = value_map_get(v, key);

        return value_is(flag, VALUE_BOOL) && flag->boolean;
}

static void take_texts(const struct value *v, const char *key, struct strv *ret)
{
        const struct value *list = value_map_get(v, key);

        for (size_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count; i++)
                strv_add(ret, value_string(list->list.items[i], ""));
}

/* v has been checked against the types and validated. */
static int take(const struct value *v, struct reset_config *ret, struct err *err)
{
        const struct value *timeout = value_get(v, "timeouts", "etcdAPICall", NULL);

        ret->certificates_dir = xstrdup(value_string(value_map_get(v, "certificatesDir"), ""));
        ret->cleanup_tmp_dir = flag_of(v, "cleanupTmpDir");
        ret->dry_run = flag_of(v, "dryRun");
        ret->force = flag_of(v, "force");
        take_texts(v, "ignorePreflightErrors", &ret->ignore_preflight_errors);
        take_texts(v, "skipPhases", &ret->skip_phases);
        take_texts(v, "unmountFlags", &ret->unmount_flags);
        if (!value_is(timeout, VALUE_STRING))
                return 0;
        int r = duration_parse(timeout->text, &ret->etcd_api_call_nsec, err);
        return r < 0 ? value_error(&timeout->place, err, ERR_INVALID, "timeouts.etcdAPICall: %s", err ? err->msg : "")
                     : 0;
}

/* umount2() takes MNT_EXPIRE with neither: each call would fail with what kubeadm ignores, and the files that are
 * mounted would go with the directory. */
static void check_unmount_flags(const struct value *document, struct config_problems *problems)
{
        const struct value *flags = value_map_get(document, "unmountFlags");
        struct strv names CLEANUP_STRV = STRV_INIT;

        take_texts(document, "unmountFlags", &names);
        if (strv_contains(&names, "MNT_EXPIRE") &&
            (strv_contains(&names, "MNT_FORCE") || strv_contains(&names, "MNT_DETACH")))
                config_problem_error(problems, &flags->place,
                                     "unmountFlags: MNT_EXPIRE cannot stand beside MNT_FORCE or MNT_DETACH");
}

/* An API version that this kubeadm reads may lack the kind all the same. */
static int check_kind(const struct phase *phase, const struct config_document *doc, struct config_problems *problems,
                      struct err *err)
{
        if (str_eq(doc->group, GROUP) && config_documents_has_kind(phase->era, doc->version, KIND))
                return 0;
        (void)err_set(err, ERR_UNSUPPORTED, "no kind \"" KIND "\" is registered for version \"%s/%s\" in scheme \"%s\"",
                      doc->group, doc->version, era_text(phase->era, "messages", "scheme", "?"));
        config_problem_error(problems, &doc->value->place, "%s", err->msg);
        return -ERR_UNSUPPORTED;
}

static int decode(struct phase *phase, const struct config_document *doc, struct config_problems *problems,
                  struct reset_config *ret, struct err *err)
{
        const struct config_node_document node = {KIND, doc->version, doc->value};
        unsigned flags = phase_is_lenient(phase) ? 0 : CONFIG_NODE_STRICT;
        struct value *v CLEANUP_VALUE = NULL;
        int r = config_node_render(phase, &node, node.version, flags, problems, &v, &phase->exit_code, err);

        if (r < 0)
                return r;
        check_unmount_flags(doc->value, problems);
        r = config_problems_aggregate(problems, err);
        if (r < 0)
                phase->exit_code = phase_validation_exit_code(phase);
        return r < 0 ? r : take(v, ret, err);
}

/* documentMapToResetConfiguration */
static int find_and_decode(struct phase *phase, const struct yaml_documents *documents,
                           struct config_problems *problems, struct reset_config *ret, struct err *err)
{
        struct config_document_list list CLEANUP_DOCUMENT_LIST = {0};
        int r = config_documents_split(documents, phase->era, 0, problems, &list, err);

        for (size_t i = 0; r == 0 && i < list.count; i++) {
                if (!str_eq(list.items[i].kind, KIND))
                        continue;
                r = config_documents_classify(&list, i, phase->era, CONFIG_DECODE_ALLOW_EXPERIMENTAL, problems, err);
                if (r == 0)
                        r = check_kind(phase, &list.items[i], problems, err);
                return r < 0 ? r : decode(phase, &list.items[i], problems, ret, err);
        }
        return r < 0 ? r : err_set(err, ERR_INVALID, "%s", era_text(phase->era, "reset", "noConfiguration", ""));
}

int reset_config_read(struct phase *phase, const char *file, struct reset_config *ret, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct reset_config config CLEANUP_RESET_CONFIG = {0};
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        int r = file_read(file, &text, err);

        if (r < 0)
                return err_wrap(err, "unable to read config from \"%s\" ", file);
        r = yaml_load(file, buf_str(&text), text.len, 0, &documents, err);
        if (r == 0)
                r = find_and_decode(phase, &documents, &problems, &config, err);
        config_problems_print(&problems, !phase->options.quiet, phase->options.log);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct reset_config){0};
        return 0;
}
