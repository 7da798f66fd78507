/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/object.h"
#include "cluster/phases.h"
#include "codec/value.h"
#include "phase/phase.h"

#define TEXT_MAX (16 * 1024)

/* Taint.ToString */
static void taint_text(const struct config_taint *taint, struct buf *out)
{
        buf_addstr(out, taint->key.text);
        if (*taint->value.text)
                buf_addf(out, "=%s", taint->value.text);
        if (*taint->effect.text)
                buf_addf(out, ":%s", taint->effect.text);
        else if (*taint->value.text)
                buf_addch(out, ':');
}

static struct value *taint_value(const struct config_taint *taint)
{
        struct value *v = value_new_map();

        value_map_set(v, "key", value_new_string(taint->key.text));
        if (*taint->value.text)
                value_map_set(v, "value", value_new_string(taint->value.text));
        value_map_set(v, "effect", value_new_string(taint->effect.text));
        return v;
}

static bool has_item(const struct value *list, const struct value *item)
{
        for (size_t i = 0; value_is(list, VALUE_LIST) && i < list->list.count; i++)
                if (value_equal(list->list.items[i], item))
                        return true;
        return false;
}

struct marks {
        const struct config_taints *taints;
        const struct value *labels;
};

/* Ours first, then those of the node that are not among them. */
static struct value *wanted_taints(const struct config_taints *taints, const struct value *have)
{
        struct value *all = value_new_list();

        for (size_t i = 0; i < taints->count; i++)
                value_list_add(all, taint_value(&taints->items[i]));
        for (size_t i = 0; value_is(have, VALUE_LIST) && i < have->list.count; i++)
                if (!has_item(all, have->list.items[i]))
                        value_list_add(all, value_copy(have->list.items[i]));
        return all;
}

static void mark(void *userdata, const struct value *node, struct value *patch)
{
        const struct marks *marks = userdata;
        const struct value *labels = value_get(node, "metadata", "labels", NULL);
        const struct value *have = value_get(node, "spec", "taints", NULL);
        struct value *add CLEANUP_VALUE = value_new_map();
        struct value *taints CLEANUP_VALUE = wanted_taints(marks->taints, have);

        for (size_t i = 0; i < marks->labels->list.count; i++) {
                const char *label = value_string(marks->labels->list.items[i], "");
                if (!str_eq(value_string(value_map_get(labels, label), NULL), ""))
                        value_map_set(add, label, value_new_string(""));
        }
        if (add->map.count > 0)
                value_map_set(value_map_set(patch, "metadata", value_new_map()), "labels", TAKE_PTR(add));
        bool same = value_is(have, VALUE_LIST) ? value_equal(have, taints) : taints->list.count == 0;
        if (!same)
                value_map_set(value_map_set(patch, "spec", value_new_map()), "taints", TAKE_PTR(taints));
}

static void say(const struct phase *phase, const char *node, const struct config_taints *taints)
{
        struct buf text CLEANUP_BUF = BUF_INIT(TEXT_MAX);

        phase_say(phase, "[mark-control-plane] Marking the node %s as control-plane by adding the labels%s", node,
                  era_text(phase->era, "cluster", "markLabelsText", ""));
        if (taints->count == 0)
                return;
        for (size_t i = 0; i < taints->count; i++) {
                buf_addstr(&text, i ? " " : "");
                taint_text(&taints->items[i], &text);
        }
        phase_say(phase, "[mark-control-plane] Marking the node %s as control-plane by adding the taints [%s]", node,
                  buf_str(&text));
}

int cluster_mark_control_plane(struct cluster *cluster, struct err *err)
{
        const struct phase *phase = cluster->phase;
        const struct config_node_registration *node = &phase->config->init.node_registration;
        struct marks marks = {&node->taints, era_value(phase->era, "cluster", "markLabels")};

        if (!value_is(marks.labels, VALUE_LIST))
                return err_set(err, ERR_INVALID, "eras.yaml: no list markLabels in group cluster");
        say(phase, node->name.text, &node->taints);
        return object_patch_node(cluster, node->name.text, mark, &marks, err);
}
