/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "phase/component_choice.h"
#include "phase/control_plane.h"
#include "phase/explain.h"
#include "phase/kube_proxy_config.h"
#include "phase/provenance.h"
#include "phase/proxy.h"

/* Sources are set in a column this wide at most. */
#define SOURCE_WIDTH 60
#define FIELD_MAX 4096

struct line_source {
        size_t offset;
        char *field;
        struct value_place place;
};

/* What the writer told, in the order of the text. */
struct trace {
        struct line_source *items;
        size_t count, cap;
        struct buf field;
        /* Of the node that is being written at each depth: the length of its field, and its place. */
        size_t field_len[LIMIT_YAML_DEPTH + 1];
        struct value_place places[LIMIT_YAML_DEPTH + 1];
};

static void trace_release(struct trace *t)
{
        for (size_t i = 0; i < t->count; i++)
                free(t->items[i].field);
        free(t->items);
        buf_release(&t->field);
}

/* The node's own place, else that of the first below it that has one: a list that was made to hold it. */
static const struct value_place *place_within(const struct value *v)
{
        const struct value_place *found = provenance_known(&v->place) ? &v->place : NULL;

        for (size_t i = 0; !found && v->kind == VALUE_LIST && i < v->list.count; i++)
                found = place_within(v->list.items[i]);
        for (size_t i = 0; !found && v->kind == VALUE_MAP && i < v->map.count; i++)
                found = place_within(v->map.entries[i].value);
        return found;
}

static void add_field(struct buf *field, const struct yaml_written *node)
{
        if (!node->key)
                buf_addf(field, "[%zu]", node->index);
        else if (strpbrk(node->key, ".[]\" "))
                buf_addf(field, "[\"%s\"]", node->key);
        else
                buf_addf(field, "%s%s", field->len ? "." : "", node->key);
}

static void take_node(void *userdata, const struct yaml_written *node)
{
        struct trace *t = userdata;
        size_t depth = node->depth <= LIMIT_YAML_DEPTH ? node->depth : LIMIT_YAML_DEPTH;
        const struct value_place *place = place_within(node->value);

        if (!place && node->key_place && provenance_known(node->key_place))
                place = node->key_place;
        t->places[depth] = place ? *place : t->places[depth - 1];
        t->field.len = t->field_len[depth - 1];
        add_field(&t->field, node);
        t->field_len[depth] = t->field.len;
        if (t->count == t->cap) {
                t->cap = t->cap ? t->cap * 2 : 256;
                t->items = xrealloc(t->items, t->cap, sizeof(*t->items));
        }
        t->items[t->count++] =
                (struct line_source){node->offset, xstrndup(buf_str(&t->field), t->field.len), t->places[depth]};
}

struct document {
        const struct phase *phase;
        const char *component, *path;
        bool beyond; /* kubeadm has no such file */
        struct trace trace;
        struct buf text;
};

static void explain_line_json(const struct document *d, const struct line_source *source, size_t number,
                              const char *line, size_t len, struct buf *out)
{
        struct value *object CLEANUP_VALUE = value_new_map(),
                             *from CLEANUP_VALUE = provenance_object(d->phase->era, &source->place);

        value_map_set(object, "component", value_new_string(d->component));
        value_map_set(object, "path", value_new_string(d->path));
        value_map_set(object, "line", value_new_int((int64_t)number));
        value_map_set(object, "text", value_new_stringn(line, len));
        value_map_set(object, "field", value_new_string(source->field));
        value_map_set(object, "from", TAKE_PTR(from));
        if (d->beyond || provenance_beyond_kubeadm(&source->place))
                value_map_set(object, "beyondKubeadm", value_new_bool(true));
        json_write(object, 0, out);
        buf_addch(out, '\n');
}

static int text_width(const struct document *d, size_t *ret, struct err *err)
{
        size_t width = 0;

        for (size_t i = 0; i < d->trace.count; i++) {
                struct buf text CLEANUP_BUF = BUF_INIT(FIELD_MAX);
                provenance_text(d->phase->era, &d->trace.items[i].place, &text);
                int r = buf_check(&text, "the source of a line", err);
                if (r < 0)
                        return r;
                if (text.len > width)
                        width = text.len;
        }
        *ret = width < SOURCE_WIDTH ? width : SOURCE_WIDTH;
        return 0;
}

static int explain_line_text(const struct document *d, const struct line_source *source, size_t width, const char *line,
                             size_t len, struct buf *out, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(FIELD_MAX);

        provenance_text(d->phase->era, &source->place, &text);
        buf_addf(out, "%-*s | %.*s\n", (int)width, buf_str(&text), (int)len, line);
        return buf_check(&text, "the source of a line", err);
}

/* Each line belongs to the innermost node that begins on it; one where none does, to the node before. */
static int explain_lines(const struct document *d, struct buf *out, struct err *err)
{
        bool json = str_eq(d->phase->options.output, "json");
        const char *start = buf_str(&d->text), *end = start + d->text.len, *line = start;
        size_t width = 0, at = 0;
        int r = json ? 0 : text_width(d, &width, err);

        if (!json)
                buf_addf(out, "# %s%s\n", d->path, d->beyond ? " (beyond kubeadm)" : "");
        for (size_t number = 1; r == 0 && line < end; number++) {
                const char *next = memchr(line, '\n', (size_t)(end - line));
                size_t len = (size_t)((next ? next : end) - line);

                while (at + 1 < d->trace.count && d->trace.items[at + 1].offset <= (size_t)(line - start) + len)
                        at++;
                if (json)
                        explain_line_json(d, &d->trace.items[at], number, line, len, out);
                else
                        r = explain_line_text(d, &d->trace.items[at], width, line, len, out, err);
                line += len + 1;
        }
        return r;
}

static int explain_document(const struct phase *phase, const char *component, const char *path, bool beyond,
                            const struct value *v, struct err *err)
{
        struct buf out CLEANUP_BUF = BUF_INIT(4 * LIMIT_YAML_OUTPUT);
        struct document d = {.phase = phase, .component = component, .path = path, .beyond = beyond};

        d.text = BUF_INIT(LIMIT_YAML_OUTPUT);
        d.trace.field = BUF_INIT(FIELD_MAX);
        d.trace.places[0] = v->place;
        yaml_write_traced(v, 0, &d.text, take_node, &d.trace);
        int r = buf_check(&d.text, path, err);
        if (r == 0)
                r = buf_check(&d.trace.field, "the name of a field", err);
        if (r == 0 && d.trace.count > 0)
                r = explain_lines(&d, &out, err);
        if (r == 0)
                r = buf_check(&out, path, err);
        if (r == 0)
                (void)fputs(buf_str(&out), phase->options.out);
        trace_release(&d.trace);
        buf_release(&d.text);
        return r;
}

static int explain_component(struct phase *phase, const struct component *component, struct err *err)
{
        bool proxy = component == &component_proxy;
        char *path CLEANUP_FREE = xasprintf(MANIFEST_DIRECTORY "/%s.yaml", component->name);
        struct value *pod CLEANUP_VALUE = NULL, *config CLEANUP_VALUE = NULL;

        int r = component_manifest(phase, component, &pod, err);
        if (r == 0)
                r = explain_document(phase, component->name, path, proxy, pod, err);
        if (r == 0 && proxy)
                r = kube_proxy_config_render(phase, PROXY_KUBECONFIG, &config, err);
        if (r == 0 && proxy)
                r = explain_document(phase, component->name, PROXY_CONFIG_FILE, true, config, err);
        return r;
}

int phase_explain(struct phase *phase, const struct strv *names, struct err *err)
{
        struct component_choice choice;

        int r = component_choose(names, &choice, err);
        for (size_t i = 0; i < COMPONENT_CHOICE_MAX && r == 0; i++) {
                bool there = component_is_there(phase, choice.components[i]);

                if (choice.named[i] && !there)
                        r = component_refuse(choice.components[i], err);
                else if (there && (choice.named[i] || choice.all))
                        r = explain_component(phase, choice.components[i], err);
        }
        return r;
}
