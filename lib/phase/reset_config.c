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
#include "phase/config_documents.h"
#include "phase/config_node.h"
#include "phase/problems.h"
#include "phase/reset_config.h"

#define KIND "ResetConfiguration"
#define GROUP "kubeadm.k8s.io/"

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

/* The API version without its group; NULL where it is not one that the era's kubeadm has this kind in. */
static const char *version_of(const struct phase *phase, const struct value *document)
{
        const char *version = str_after(value_string(value_map_get(document, "apiVersion"), ""), GROUP);

        return version && config_documents_has_kind(phase->era, version, KIND) ? version : NULL;
}

static int decode(struct phase *phase, const struct value *document, struct reset_config *ret, struct err *err)
{
        const struct value *version = value_map_get(document, "apiVersion");
        const struct config_node_document node = {KIND, version_of(phase, document), document};
        struct config_problems problems CLEANUP_PROBLEMS = {0};
        struct value *v CLEANUP_VALUE = NULL;

        if (!node.version)
                return value_error(version ? &version->place : &document->place, err, ERR_UNSUPPORTED,
                                   "a " KIND " is of apiVersion " GROUP "v1beta4");
        int r = config_node_render(phase, &node, node.version, phase_is_lenient(phase) ? 0 : CONFIG_NODE_STRICT,
                                   &problems, &v, &phase->exit_code, err);
        if (r == 0) {
                check_unmount_flags(document, &problems);
                r = config_problems_aggregate(&problems, err);
                if (r < 0)
                        phase->exit_code = phase_validation_exit_code(phase);
        }
        config_problems_print(&problems, !phase->options.quiet, phase->options.log);
        return r < 0 ? r : take(v, ret, err);
}

int reset_config_read(struct phase *phase, const char *file, struct reset_config *ret, struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct reset_config config CLEANUP_RESET_CONFIG = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_MANIFEST_BYTES);
        const struct value *found = NULL;
        int r = file_read(file, &text, err);

        if (r < 0)
                return err_wrap(err, "unable to read config from \"%s\" ", file);
        r = yaml_load(file, buf_str(&text), text.len, 0, &documents, err);
        for (size_t i = 0; r == 0 && i < documents.count && !found; i++)
                if (value_is(documents.items[i], VALUE_MAP) &&
                    str_eq(value_string(value_map_get(documents.items[i], "kind"), ""), KIND))
                        found = documents.items[i];
        if (r == 0 && !found)
                return err_set(err, ERR_INVALID, "%s: no " KIND " found in config file", file);
        if (r == 0)
                r = decode(phase, found, &config, err);
        if (r < 0)
                return r;
        *ret = config;
        config = (struct reset_config){0};
        return 0;
}
