/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/hash.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "kube/field.h"
#include "kube/pod.h"
#include "kube/pod_identity.h"

#define ANNOTATION_HASH "kubernetes.io/config.hash"
#define ANNOTATION_SOURCE "kubernetes.io/config.source"
#define ANNOTATION_SEEN "kubernetes.io/config.seen"
#define ANNOTATION_MIRROR "kubernetes.io/config.mirror"

static void hash_text(struct hash128 *h, const char *text)
{
        hash128_add(h, text, strlen(text) + 1); /* with its NUL: no two lists of texts look alike */
}

static int hash_value(struct hash128 *h, const struct value *v, struct err *err)
{
        struct buf json CLEANUP_BUF = BUF_INIT(LIMIT_YAML_OUTPUT);
        int r;

        json_write(v, JSON_SORT_KEYS, &json);
        r = buf_check(&json, "pod as JSON", err);
        if (r < 0)
                return r;
        hash128_add(h, buf_str(&json), json.len);
        return 0;
}

int pod_identity_uid(const struct value *user, const struct pod_source *source, char ret_uid[POD_UID_HASH_MAX],
                     struct err *err)
{
        struct hash128 h;
        int r;

        hash128_init(&h);
        hash_text(&h, "uid 1");
        hash_text(&h, source->node_name);
        hash_text(&h, source->file);
        r = hash_value(&h, user, err);
        if (r < 0)
                return r;
        hash128_text(&h, ret_uid);
        return 0;
}

/* Sets a string; the place of the one that it replaces is kept, for messages. */
static void set_string(struct value *map, const char *key, const char *text)
{
        const struct value *old = value_map_get(map, key);
        struct value *v = value_new_string(text);

        if (old)
                v->place = old->place;
        v->place.origin = "identity";
        (void)value_map_set(map, key, v);
}

static void apply_name(struct value *metadata, const char *node_name)
{
        const char *name = field_string(metadata, "name", NULL);
        char *full CLEANUP_FREE = NULL;

        if (str_empty(name))
                return;
        full = xasprintf("%s-%s", name, node_name);
        set_string(metadata, "name", full);
}

static void apply_annotations(struct value *metadata, const struct pod_source *source, const char *uid,
                              const struct field_path *path, struct pod_findings *findings)
{
        struct value *annotations = value_map_get(metadata, "annotations");
        char seen[TIMEFMT_MAX];

        if (!annotations)
                annotations = value_map_set(metadata, "annotations", value_new_map());
        if (!value_is(annotations, VALUE_MAP))
                return;
        if (value_map_get(annotations, ANNOTATION_MIRROR)) {
                struct field_path parent = field_child(path, "annotations");
                struct field_path at =
                        field_key(&parent, ANNOTATION_MIRROR, value_map_get(annotations, ANNOTATION_MIRROR));

                field_finding(findings, false, &at, "belongs to mirror pods, taken out here");
                (void)value_map_remove(annotations, ANNOTATION_MIRROR);
        }
        timefmt_micro(source->seen, seen);
        set_string(annotations, ANNOTATION_HASH, uid);
        set_string(annotations, ANNOTATION_SOURCE, "file");
        set_string(annotations, ANNOTATION_SEEN, seen);
}

/* The one toleration that keeps static pods on a node in trouble: effect NoExecute, any key. */
static void apply_toleration(struct value *spec)
{
        struct value *tolerations = value_map_get(spec, "tolerations"), *ours;

        if (!tolerations)
                tolerations = value_map_set(spec, "tolerations", value_new_list());
        if (!value_is(tolerations, VALUE_LIST))
                return;
        for (size_t i = 0; i < tolerations->list.count; i++) {
                struct value *t = tolerations->list.items[i];

                if (str_eq(field_string(t, "effect", ""), "NoExecute") &&
                    str_eq(field_string(t, "operator", ""), "Exists") && str_eq(field_string(t, "key", ""), "") &&
                    str_eq(field_string(t, "value", ""), "")) {
                        (void)value_map_remove(t, "tolerationSeconds");
                        return;
                }
        }
        ours = value_new_map();
        (void)value_map_set(ours, "operator", value_new_string("Exists"));
        (void)value_map_set(ours, "effect", value_new_string("NoExecute"));
        value_list_add(tolerations, ours);
}

void pod_identity_apply(struct value *pod, const struct pod_source *source, const char *uid,
                        struct pod_findings *findings)
{
        struct value *metadata = value_map_get(pod, "metadata"), *spec = value_map_get(pod, "spec");
        struct field_path root = field_root(pod);

        if (value_is(metadata, VALUE_MAP)) {
                struct field_path path = field_child(&root, "metadata");
                const char *given = field_string(metadata, "uid", NULL);

                apply_name(metadata, source->node_name);
                if (!value_map_get(metadata, "namespace"))
                        set_string(metadata, "namespace", "default");
                if (!value_map_get(metadata, "uid"))
                        set_string(metadata, "uid", uid);
                apply_annotations(metadata, source, given ? given : uid, &path, findings);
        }
        if (value_is(spec, VALUE_MAP)) {
                struct field_path parent = field_child(&root, "spec"), path = field_child(&parent, "nodeName");
                const char *node = field_string(spec, "nodeName", NULL);

                if (node && !str_eq(node, source->node_name))
                        field_finding(findings, false, &path, "has no effect: the pod runs on this node, %s",
                                      source->node_name);
                set_string(spec, "nodeName", source->node_name);
                apply_toleration(spec);
        }
}

int pod_identity_spec_hash(struct value *pod, char ret_hash[POD_SPEC_HASH_MAX], struct err *err)
{
        struct value *copy CLEANUP_VALUE = value_copy(pod), *annotations;
        char text[POD_UID_HASH_MAX];
        struct hash128 h;
        int r;

        /* A version read back from disk may have lost them. */
        annotations = value_get(copy, "metadata", "annotations", NULL);
        if (value_is(annotations, VALUE_MAP))
                (void)value_map_remove(annotations, ANNOTATION_SEEN);
        hash128_init(&h);
        hash_text(&h, "spec 1");
        r = hash_value(&h, copy, err);
        if (r < 0)
                return r;
        hash128_text(&h, text);
        (void)snprintf(ret_hash, POD_SPEC_HASH_MAX, "1-%s", text);
        return 0;
}
