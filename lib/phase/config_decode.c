/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_documents.h"
#include "phase/config_fields.h"
#include "phase/config_no_effect.h"
#include "phase/config_node.h"

struct decoder {
        struct phase_config *config;
        const struct era *era;
        bool lenient;
        bool init; /* an InitConfiguration or a ClusterConfiguration is there */
        struct config_problems *problems;
        struct config_fields fields;
};

/* The text that kubeadm ends with when this document has mistakes; the first document's counts. */
static void summarise(struct decoder *d, const struct config_document *doc, size_t errors_before, struct err *err)
{
        if (d->problems->errors == errors_before || (err && err->code))
                return;
        if (d->problems->errors - errors_before > d->fields.unknown.len || d->lenient) {
                /* Wrong types: kubeadm shows the text of Go's JSON decoder, which names no place. */
                for (size_t i = 0; i < d->problems->count; i++) {
                        const struct config_problem *p = &d->problems->items[i];
                        if (p->warning || str_starts(p->text, "unknown field"))
                                continue;
                        if (str_starts(p->text, "the bootstrap token")) /* kubeadm's own message */
                                (void)err_set(err, ERR_INVALID, "%s", p->text);
                        else
                                (void)value_error(&p->place, err, ERR_INVALID, "%s", p->text);
                        return;
                }
        }
        /* Go sees the document as JSON with sorted keys. */
        strv_sort(&d->fields.unknown);
        char *all CLEANUP_FREE = strv_join(&d->fields.unknown, ", ");
        (void)err_set(err, ERR_INVALID,
                      "error unmarshaling configuration schema.GroupVersionKind{Group:\"%s\", Version:\"%s\", "
                      "Kind:\"%s\"}: strict decoding error: %s",
                      doc->group, doc->version, doc->kind, all);
}

static void decode_document(struct decoder *d, const struct config_document *doc, struct err *err)
{
        size_t errors_before = d->problems->errors;
        bool cluster = strcmp(doc->kind, "ClusterConfiguration") == 0;
        struct config_text api_version = {
                config_keepf(d->config, "%s/%s", doc->group, doc->version),
                doc->value->place,
        };

        if (cluster)
                d->config->cluster.api_version = api_version;
        else
                d->config->init.api_version = api_version;
        config_fields_decode(&d->fields, doc->kind, doc->version, doc->value,
                             cluster ? (void *)&d->config->cluster : &d->config->init);
        summarise(d, doc, errors_before, err);
        strv_release(&d->fields.unknown);
}

/* The keys of an ArgumentsConfiguration are manifests; what is below them is looked at where it is carried out. */
static void check_arguments(struct config_problems *problems, const struct value *document)
{
        static const char *const names[] = {
                "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "apiVersion",
                "kind"};

        for (size_t i = 0; i < document->map.count; i++) {
                const struct value_entry *e = &document->map.entries[i];
                const char *near;
                size_t k = 0;

                while (k < ARRAY_SIZE(names) && strcmp(names[k], e->key) != 0)
                        k++;
                if (k < ARRAY_SIZE(names))
                        continue;
                near = str_did_you_mean(e->key, names, ARRAY_SIZE(names));
                config_problem_error(problems, &e->place, "unknown field \"%s\"%s%s%s", e->key,
                                     near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        }
}

/* A kind is there at most once, so they fit. */
static void keep_node_document(struct decoder *d, const struct config_document *doc, struct err *err)
{
        const struct config_node_document node = {doc->kind, config_keepf(d->config, "%s", doc->version), doc->value};

        if (d->config->node_count < CONFIG_NODE_DOCUMENTS_MAX)
                d->config->nodes[d->config->node_count++] = node;
        if (d->init && !d->lenient)
                (void)config_node_look(d->era, &node, d->problems, err);
}

/* Keys that are there twice. The text is read before it is decoded, so they come before all else of the document; the
 * last one counts. */
static void report_duplicates(struct decoder *d, const struct yaml_documents *documents, size_t index, bool mistake,
                              struct err *err)
{
        for (size_t i = 0; i < documents->duplicate_count; i++) {
                const struct yaml_duplicate *dup = &documents->duplicates[i];

                if (dup->document != index)
                        continue;
                if (!mistake) {
                        config_problem_warning(d->problems, &dup->place, YAML_DUPLICATE_FORMAT, dup->key, dup->line,
                                               dup->column);
                        continue;
                }
                config_problem_error(d->problems, &dup->place, YAML_DUPLICATE_FORMAT, dup->key, dup->line, dup->column);
                if (!err->code)
                        (void)value_error(&dup->place, err, ERR_INVALID, YAML_DUPLICATE_FORMAT, dup->key, dup->line,
                                          dup->column);
        }
}

/* Takes a document over for what it is for. */
static void decode_use(struct decoder *d, const struct config_document *doc, unsigned flags, struct err *err)
{
        switch (doc->use) {
        case CONFIG_DOCUMENT_INIT:
        case CONFIG_DOCUMENT_CLUSTER:
                decode_document(d, doc, err);
                break;
        case CONFIG_DOCUMENT_KUBE_PROXY:
                d->config->kube_proxy = doc->value;
                break;
        case CONFIG_DOCUMENT_KUBELET:
                d->config->kubelet = doc->value;
                break;
        case CONFIG_DOCUMENT_ARGUMENTS:
                d->config->arguments = doc->value;
                check_arguments(d->problems, doc->value);
                break;
        case CONFIG_DOCUMENT_NODE:
                if (flags & CONFIG_DECODE_NODE_KINDS)
                        keep_node_document(d, doc, err);
                break;
        case CONFIG_DOCUMENT_IGNORED:
        case CONFIG_DOCUMENT_USE_MAX:
                break;
        }
}

/* One document after the other, in kubeadm's order. What is wrong with one does not hide what is wrong with the next,
 * but the first error is the one that counts. */
static int decode_all(struct decoder *d, struct yaml_documents *documents, struct config_document_list *list,
                      unsigned flags, struct err *first)
{
        d->init = config_documents_has_init(list);
        for (size_t i = 0; i < list->count; i++) {
                const struct config_document *doc = &list->items[i];
                struct err why = ERR_INIT;
                int r = config_documents_classify(list, i, d->era, flags, d->problems, &why);

                report_duplicates(d, documents, doc->index,
                                  !d->lenient && (d->init || doc->use == CONFIG_DOCUMENT_NODE) && r == 0, first);
                if (r == 0)
                        decode_use(d, doc, flags, first->code ? &why : first);
                if (r < 0 && !first->code)
                        *first = why;
                if (r < 0)
                        break;
        }
        if (!first->code)
                (void)config_documents_check(list, d->era, flags, d->problems, first);
        return -first->code;
}

int config_decode(struct phase_config *config, struct yaml_documents *documents, const struct era *era, unsigned flags,
                  struct config_problems *problems, struct err *err)
{
        struct config_document_list list CLEANUP_DOCUMENT_LIST = {0};
        struct api_types *types CLEANUP_API_TYPES = api_types_new(era);
        bool lenient = flags & CONFIG_DECODE_LENIENT;
        struct decoder d = {
                .config = config,
                .era = era,
                .lenient = lenient,
                .problems = problems,
                .fields = {.config = config, .types = types, .lenient = lenient, .problems = problems},
        };
        struct err first = ERR_INIT;

        int r = config_documents_split(documents, era, flags, problems, &list, &first);
        if (r == 0) {
                r = decode_all(&d, documents, &list, flags, &first);
                config_no_effect(&list, era, flags & CONFIG_DECODE_NODE_KINDS, problems);
        }
        /* Texts and places point into the documents. */
        for (size_t i = 0; i < documents->count; i++)
                (void)config_keep_value(config, documents->items[i]);
        documents->count = 0;
        if (r < 0 && err)
                *err = first;
        return r;
}
