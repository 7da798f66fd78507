/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "phase/config_decode.h"
#include "phase/config_documents.h"

#define GROUP "kubeadm.k8s.io"

static const struct {
        const char *group;
        const char *kind;    /* NULL: any kind of the group */
        const char *version; /* the only one that is read; NULL: the era's rows tell */
        enum config_document_use use;
        const char *object; /* what a document of the group has to be; NULL: told by the kind */
} uses[] = {
        {GROUP, "InitConfiguration", NULL, CONFIG_DOCUMENT_INIT, NULL},
        {GROUP, "ClusterConfiguration", NULL, CONFIG_DOCUMENT_CLUSTER, NULL},
        {GROUP, "JoinConfiguration", NULL, CONFIG_DOCUMENT_NODE, NULL},
        {GROUP, "ResetConfiguration", NULL, CONFIG_DOCUMENT_NODE, NULL},
        {GROUP, "UpgradeConfiguration", NULL, CONFIG_DOCUMENT_NODE, NULL},
        {"kubeproxy.config.k8s.io", NULL, "v1alpha1", CONFIG_DOCUMENT_KUBE_PROXY, "KubeProxyConfiguration"},
        {"kubelet.config.k8s.io", NULL, "v1beta1", CONFIG_DOCUMENT_KUBELET, "KubeletConfiguration"},
        {"podwatch.io", "ArgumentsConfiguration", "v1alpha1", CONFIG_DOCUMENT_ARGUMENTS, NULL},
};

static void document_release(struct config_document *doc)
{
        free(doc->group);
        free(doc->version);
}

void config_document_list_release(struct config_document_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                document_release(&list->items[i]);
        free(list->items);
        *list = (struct config_document_list){0};
}

static int compare_documents(const void *a, const void *b)
{
        const struct config_document *x = a, *y = b;
        int c = strcmp(x->group, y->group);

        if (c == 0)
                c = strcmp(x->version, y->version);
        return c ? c : strcmp(x->kind, y->kind);
}

/* The entry that Go's encoding/json takes for a field: letter case does not count, and of several, which it sees in
 * order of their keys, the last that is not null. */
static const struct value *find_folded(const struct value *map, const char *name)
{
        const struct value_entry *found = NULL;

        for (size_t i = 0; value_is(map, VALUE_MAP) && i < map->map.count; i++) {
                const struct value_entry *e = &map->map.entries[i];

                if (strcasecmp(e->key, name) == 0 && e->value->kind != VALUE_NULL &&
                    (!found || strcmp(e->key, found->key) > 0))
                        found = e;
        }
        return found ? found->value : NULL;
}

/* apiVersion or kind as text; "" where absent. */
static int meta_text(const struct value *doc, const char *key, const char **ret, struct err *err)
{
        const struct value *v = find_folded(doc, key);

        *ret = "";
        if (!v)
                return 0;
        /* YAML's numbers and booleans are taken as the text they are. */
        if (v->kind == VALUE_BOOL) {
                *ret = v->boolean ? "true" : "false";
                return 0;
        }
        if (v->kind != VALUE_STRING && v->kind != VALUE_NUMBER)
                return value_error(&v->place, err, ERR_INVALID, "%s: expected a string, found a %s", key,
                                   value_kind_name(v->kind));
        *ret = v->text;
        return 0;
}

/* A mistake of a whole document: its place goes to problems, kubeadm's words are the error. */
__attribute__((format(printf, 4, 5))) static int
refuse(struct config_problems *problems, const struct value_place *place, struct err *err, const char *fmt, ...)
{
        struct err why = ERR_INIT;
        va_list ap;

        va_start(ap, fmt);
        (void)err_setv(&why, ERR_INVALID, fmt, ap);
        va_end(ap);
        config_problem_error(problems, place, "%s", why.msg);
        return err_set(err, ERR_INVALID, "%s", why.msg);
}

static int read_meta(const struct value *value, struct config_document *doc, struct config_problems *problems,
                     struct err *err)
{
        const char *api_version, *kind;

        if (value->kind == VALUE_NULL)
                return refuse(problems, &value->place, err,
                              "invalid configuration for GroupVersionKind /, Kind=: kind and apiVersion is mandatory "
                              "information that must be specified");
        if (value->kind != VALUE_MAP)
                return value_error(&value->place, err, ERR_INVALID,
                                   "expected a map with apiVersion and kind, found a %s", value_kind_name(value->kind));
        int r = meta_text(value, "apiVersion", &api_version, err);
        if (r == 0)
                r = meta_text(value, "kind", &kind, err);
        if (r < 0)
                return r;
        const char *slash = strchr(api_version, '/');
        if (slash && strchr(slash + 1, '/'))
                return refuse(problems, &value->place, err, "unexpected GroupVersion string: %s", api_version);
        *doc = (struct config_document){
                .value = value,
                .group = slash ? xstrndup(api_version, (size_t)(slash - api_version)) : xstrdup(""),
                .version = xstrdup(slash ? slash + 1 : api_version),
                .kind = kind,
                .use = CONFIG_DOCUMENT_IGNORED,
        };
        if (!*doc->group || !*doc->version || !*kind)
                return refuse(problems, &value->place, err,
                              "invalid configuration for GroupVersionKind %s/%s, Kind=%s: kind and apiVersion is "
                              "mandatory information that must be specified",
                              doc->group, doc->version, kind);
        return 0;
}

/* The nearest of the API versions that this kubeadm reads. */
static void suggest_version(const struct config_document *doc, const struct era *era, struct config_problems *problems)
{
        static const char *const all[] = {"v1beta4", "v1beta3", "v1beta2", "v1beta1"};
        const char *read[ARRAY_SIZE(all)];
        size_t count = 0;

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                const char *state = era_text(era, "api", all[i], "");
                if (str_eq(state, "current") || str_eq(state, "deprecated"))
                        read[count++] = all[i];
        }
        config_problem_suggest(problems, doc->version, read, count);
}

static bool is_init_kind(const struct config_document *doc)
{
        return str_eq(doc->kind, "InitConfiguration") || str_eq(doc->kind, "ClusterConfiguration");
}

static int refuse_kind(const struct config_document *doc, const struct era *era, struct config_problems *problems,
                       struct err *err)
{
        return refuse(problems, &doc->value->place, err,
                      "no kind \"%s\" is registered for version \"%s/%s\" in scheme \"%s\"", doc->kind, doc->group,
                      doc->version, era_text(era, "messages", "scheme", "?"));
}

/* What the rows of this kubeadm say of an API version: see templates/eras.yaml, component "api". */
static int check_api_version(const struct config_document *doc, const struct era *era, unsigned flags,
                             struct config_problems *problems, struct err *err)
{
        const char *state = era_text(era, "api", doc->version, "unknown"), *use = str_after(state, "removed ");
        const struct value_place *place = &doc->value->place;

        /* "old-config-file": what the example in the message calls the files. */
        const char *file = era_text(era, "messages", "migrateFiles", "");
        char *kind CLEANUP_FREE =
                era_flag(era, "messages", "kindOfAPI") ? xasprintf(" (kind: \"%s\")", doc->kind) : xstrdup("");

        if (use)
                return refuse(problems, place, err,
                              "your configuration file uses an old API spec: \"%s/%s\"%s. Please use kubeadm %s "
                              "instead and run 'kubeadm config migrate --old-config old%s --new-config new%s', which "
                              "will write the new, similar spec using a newer API version.",
                              doc->group, doc->version, kind, use, file, file);
        if (str_eq(state, "experimental") && !(flags & CONFIG_DECODE_ALLOW_EXPERIMENTAL))
                return refuse(problems, place, err,
                              "experimental API spec: \"%s/%s\"%s is not allowed. You can use the "
                              "--allow-experimental-api flag if the command supports it.",
                              doc->group, doc->version, kind);
        if (str_eq(state, "unknown")) {
                int r = refuse_kind(doc, era, problems, err);

                suggest_version(doc, era, problems);
                return r;
        }
        if (str_eq(state, "deprecated") && !(flags & CONFIG_DECODE_ALLOW_DEPRECATED))
                config_problem_warning(problems, place,
                                       "your configuration file uses a deprecated API spec: \"%s/%s\" (kind: \"%s\")",
                                       doc->group, doc->version, doc->kind);
        return 0;
}

/* The nearest kind of a known group, or the nearest group. */
static void suggest_document(const struct config_document *doc, struct config_problems *problems)
{
        const char *kinds[ARRAY_SIZE(uses)], *groups[ARRAY_SIZE(uses)];
        size_t count = 0;

        for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
                groups[i] = uses[i].group;
                if (uses[i].kind && strcmp(uses[i].group, doc->group) == 0)
                        kinds[count++] = uses[i].kind;
        }
        config_problem_suggest(problems, doc->kind, kinds, count);
        if (count == 0)
                config_problem_suggest(problems, doc->group, groups, ARRAY_SIZE(uses));
}

static void tell_ignored(const struct config_document *doc, const struct era *era, struct config_problems *problems)
{
        bool printed = era_flag(era, "messages", "ignoredDocumentPrinted");

        config_problem_warning(problems, &doc->value->place, "%s with GroupVersionKind %s/%s, Kind=%s",
                               printed ? "[config] WARNING: Ignored YAML document" : "Ignored configuration document",
                               doc->group, doc->version, doc->kind);
        if (printed)
                config_problem_say(problems);
        else
                suggest_document(doc, problems);
}

/* Init- and ClusterConfiguration are decoded whatever group they are of. An API version of kubeadm's own is looked at
 * whatever the kind. */
static int check_foreign(const struct config_document *doc, const struct era *era, unsigned flags,
                         struct config_problems *problems, struct err *err)
{
        bool own = str_eq(doc->group, GROUP) && !str_eq(era_text(era, "api", doc->version, "unknown"), "unknown");

        if (!is_init_kind(doc)) {
                int r = own ? check_api_version(doc, era, flags, problems, err) : 0;

                if (r == 0)
                        tell_ignored(doc, era, problems);
                return r;
        }
        int r = refuse_kind(doc, era, problems, err);

        suggest_document(doc, problems);
        return r;
}

static int classify(struct config_document *doc, const struct era *era, unsigned flags,
                    struct config_problems *problems, struct err *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
                if (strcmp(doc->group, uses[i].group) != 0 || (uses[i].kind && strcmp(doc->kind, uses[i].kind) != 0))
                        continue;
                doc->use = uses[i].use;
                return uses[i].version ? 0 : check_api_version(doc, era, flags, problems, err);
        }
        return check_foreign(doc, era, flags, problems, err);
}

bool config_documents_has_kind(const struct era *era, const char *version, const char *kind)
{
        char *path CLEANUP_FREE = xasprintf("kinds.%s", version);

        return era_text(era, "api", version, NULL) && era_lists(era, "api", path, kind);
}

/* The group of the kubelet has kinds that kubeadm can read and has no use for. */
static bool is_other_kind(const struct era *era, enum config_document_use use, const char *kind)
{
        return use == CONFIG_DOCUMENT_KUBELET && era_lists(era, "config", "otherKubeletKinds", kind);
}

/* validateKnownGVKs: an API version that a kubeadm has read once counts as known, whatever the kind. */
static bool is_known(const struct config_document *doc, const struct era *era)
{
        const char *state = era_text(era, "api", doc->version, "unknown");

        for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
                if (strcmp(doc->group, uses[i].group) != 0)
                        continue;
                if (!uses[i].version && str_after(state, "removed "))
                        return true;
                if (!uses[i].version)
                        return config_documents_has_kind(era, doc->version, doc->kind);
                if (uses[i].kind && strcmp(doc->kind, uses[i].kind) != 0)
                        continue;
                return strcmp(doc->version, uses[i].version) == 0 &&
                       (!uses[i].object || str_eq(doc->kind, uses[i].object) ||
                        is_other_kind(era, uses[i].use, doc->kind));
        }
        return false;
}

/* With CONFIG_DECODE_KNOWN_ONLY what is not known is told before anything else. */
static int refuse_unknown(const struct config_document_list *list, const struct era *era,
                          struct config_problems *problems, struct err *err)
{
        struct buf all CLEANUP_BUF = BUF_INIT(LIMIT_FINDING_BYTES);

        for (size_t i = 0; i < list->count; i++) {
                const struct config_document *doc = &list->items[i];

                if (is_known(doc, era))
                        continue;
                config_problem_error(problems, &doc->value->place, "unknown configuration API %s/%s, Kind=%s",
                                     doc->group, doc->version, doc->kind);
                suggest_document(doc, problems);
                buf_addf(&all, "%sschema.GroupVersionKind{Group:\"%s\", Version:\"%s\", Kind:\"%s\"}",
                         all.len ? ", " : "", doc->group, doc->version, doc->kind);
        }
        if (all.len == 0)
                return 0;
        return err_set(err, ERR_INVALID, "unknown configuration APIs: []schema.GroupVersionKind{%s}", buf_str(&all));
}

int config_documents_check_kinds(const struct yaml_documents *documents, struct config_problems *problems,
                                 struct err *err)
{
        for (size_t i = 0; i < documents->count; i++) {
                struct config_document doc = {0};
                int r = read_meta(documents->items[i], &doc, problems, err);

                document_release(&doc);
                if (r < 0)
                        return r;
        }
        return 0;
}

static bool kind_seen(const struct config_document_list *list, const char *kind)
{
        for (size_t i = 0; i < list->count; i++)
                if (strcmp(list->items[i].kind, kind) == 0)
                        return true;
        return false;
}

/* All documents with their kinds; the same kind twice is an error that names each. */
static int collect(const struct yaml_documents *documents, struct config_document_list *list,
                   struct config_problems *problems, struct err *err)
{
        struct config_problems twice CLEANUP_PROBLEMS = {0};

        list->items = xcalloc(documents->count, sizeof(*list->items));
        for (size_t i = 0; i < documents->count; i++) {
                struct config_document doc = {0};
                int r = read_meta(documents->items[i], &doc, problems, err);

                doc.index = i;
                bool seen = r == 0 && kind_seen(list, doc.kind);
                if (seen)
                        config_problem_error(&twice, &doc.value->place,
                                             "invalid configuration: kind \"%s\" is specified twice in YAML file",
                                             doc.kind);
                if (r < 0 || seen)
                        document_release(&doc);
                else
                        list->items[list->count++] = doc;
                if (r < 0)
                        return r;
        }
        int r = config_problems_aggregate(&twice, err);
        problems->aggregate = r < 0;
        return r;
}

bool config_documents_has_init(const struct config_document_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                if (is_init_kind(&list->items[i]))
                        return true;
        return false;
}

/* Where kubeadm looks for documents of certain kinds alone, it does not even look at the API version of others. */
static bool is_passed_over(const struct config_document *doc, const struct era *era)
{
        return strcmp(doc->group, GROUP) == 0 && !era_lists(era, "config", "nodeKinds", doc->kind);
}

int config_documents_split(const struct yaml_documents *documents, const struct era *era, unsigned flags,
                           struct config_problems *problems, struct config_document_list *ret, struct err *err)
{
        struct config_document_list list CLEANUP_DOCUMENT_LIST = {0};

        int r = collect(documents, &list, problems, err);
        if (r < 0)
                return r;
        r = flags & CONFIG_DECODE_KNOWN_ONLY ? refuse_unknown(&list, era, problems, err) : 0;
        if (r < 0)
                return r;
        if (str_eq(era_text(era, "config", "documentOrder", ""), "sorted"))
                qsort(list.items, list.count, sizeof(*list.items), compare_documents);
        *ret = list;
        list = (struct config_document_list){0};
        return 0;
}

int config_documents_classify(struct config_document_list *list, size_t i, const struct era *era, unsigned flags,
                              struct config_problems *problems, struct err *err)
{
        const bool nodes = flags & CONFIG_DECODE_NODE_KINDS, init = config_documents_has_init(list);
        struct config_document *doc = &list->items[i];

        if (nodes && !init && is_passed_over(doc, era))
                return 0;
        int r = classify(doc, era, flags, problems, err);
        if (r == 0 && doc->use == CONFIG_DOCUMENT_NODE && (init || !nodes))
                tell_ignored(doc, era, problems);
        return r;
}

/* Of a document of a component's group: its version, then its kind. */
static int check_component(const struct config_document *doc, size_t use, const struct era *era,
                           struct config_problems *problems, struct err *err)
{
        const char *version = uses[use].version, *object = uses[use].object;

        if (!str_eq(doc->version, version))
                return refuse(problems, &doc->value->place, err,
                              "unsupported apiVersion \"%s/%s\", you may have to do manual conversion to \"%s/%s\" "
                              "and run kubeadm again",
                              doc->group, doc->version, doc->group, version);
        if (!object || str_eq(doc->kind, object))
                return 0;
        if (!is_other_kind(era, doc->use, doc->kind))
                return refuse_kind(doc, era, problems, err);
        return refuse(problems, &doc->value->place, err, "converting (%s.%s) to (%s.%s): unknown conversion", version,
                      doc->kind, version, object);
}

/* FetchFromDocumentMap, in its order. */
static int check_components(const struct config_document_list *list, const struct era *era,
                            struct config_problems *problems, struct err *err)
{
        int r = 0;

        for (size_t u = 0; u < ARRAY_SIZE(uses); u++)
                for (size_t i = 0; i < list->count && uses[u].version && r == 0; i++)
                        if (list->items[i].use == uses[u].use)
                                r = check_component(&list->items[i], u, era, problems, err);
        return r;
}

int config_documents_check(const struct config_document_list *list, const struct era *era, unsigned flags,
                           struct config_problems *problems, struct err *err)
{
        /* Where other kinds will do, kubeadm takes a file with nothing of its own in it, too. */
        bool found = flags & CONFIG_DECODE_NODE_KINDS;

        for (size_t i = 0; i < list->count && !found; i++)
                found = list->items[i].use == CONFIG_DOCUMENT_INIT || list->items[i].use == CONFIG_DOCUMENT_CLUSTER;
        const char *what = era_text(era, "messages", "configurationFile", "");
        if (!found && list->count == 0)
                return err_set(err, ERR_INVALID,
                               "no InitConfiguration or ClusterConfiguration kind was found in the %s", what);
        if (!found)
                return refuse(problems, &list->items[0].value->place, err,
                              "no InitConfiguration or ClusterConfiguration kind was found in the %s", what);
        return check_components(list, era, problems, err);
}

static struct value *find_kind(const struct yaml_documents *documents, const char *kind)
{
        for (size_t i = 0; i < documents->count; i++)
                if (str_eq(value_string(value_map_get(documents->items[i], "kind"), ""), kind))
                        return documents->items[i];
        return NULL;
}

const char *config_documents_version(const struct yaml_documents *documents)
{
        return value_string(value_map_get(find_kind(documents, "ClusterConfiguration"), "kubernetesVersion"), NULL);
}

void config_documents_set_version(struct yaml_documents *documents, const char *version)
{
        struct value *cluster = find_kind(documents, "ClusterConfiguration"),
                     *init = find_kind(documents, "InitConfiguration");

        if (!cluster && !init)
                return;
        if (!cluster) {
                cluster = value_new_map();
                value_map_set(cluster, "apiVersion", value_copy(value_map_get(init, "apiVersion") ?: init));
                value_map_set(cluster, "kind", value_new_string("ClusterConfiguration"));
                documents->items = xrealloc(documents->items, documents->count + 1, sizeof(*documents->items));
                documents->items[documents->count++] = cluster;
        }
        value_map_set(cluster, "kubernetesVersion", value_new_string(version))->place.origin = "kubernetes-version";
}
