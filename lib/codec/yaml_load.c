/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/map_index.h"
#include "codec/value.h"
#include "codec/yaml.h"
#include "codec/yaml_anchors.h"
#include "codec/yaml_scalar.h"
#include "codec/yaml_text.h"

struct loader {
        yaml_parser_t parser;
        yaml_event_t event; /* the one looked at; YAML_NO_EVENT: none */
        struct yaml_text text;
        unsigned flags;
        size_t nodes; /* of this document */
        struct yaml_anchors anchors;
        struct yaml_documents *documents; /* all before this one */
        struct value *dead;               /* a list: replaced values and keys, which an anchor may still name */
        struct err *err;
};

static int load_node(struct loader *l, int depth, struct value **ret);

static struct value_place place_at(const struct loader *l, yaml_mark_t mark)
{
        return (struct value_place){
                .file = l->text.file, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

static int parser_error(struct loader *l)
{
        const yaml_parser_t *p = &l->parser;
        const char *problem = p->problem ? p->problem : "not YAML";
        struct value_place place = place_at(l, p->problem_mark);

        if (p->error == YAML_MEMORY_ERROR)
                return err_set(l->err, ENOMEM, "%s: out of memory", l->text.file);
        if (p->error == YAML_READER_ERROR) {
                place = yaml_text_place(&l->text, p->problem_offset);
                return value_error(&place, l->err, ERR_INVALID, "%s (U+%04X)", problem, (unsigned)p->problem_value);
        }
        if (p->context && p->context_mark.line != p->problem_mark.line)
                return value_error(&place, l->err, ERR_INVALID, "%s, %s that began at line %zu", problem, p->context,
                                   p->context_mark.line + 1);
        return value_error(&place, l->err, ERR_INVALID, "%s%s%s", problem, p->context ? ", " : "",
                           p->context ? p->context : "");
}

/* Makes l->event the next event. */
static int peek(struct loader *l)
{
        if (l->event.type != YAML_NO_EVENT)
                return 0;
        return yaml_parser_parse(&l->parser, &l->event) ? 0 : parser_error(l);
}

static void consume(struct loader *l)
{
        yaml_event_delete(&l->event);
        l->event = (yaml_event_t){.type = YAML_NO_EVENT};
}

static int count_nodes(struct loader *l, struct value_place place, size_t count)
{
        l->nodes += count;
        if (l->nodes <= LIMIT_YAML_NODES)
                return 0;
        return value_error(&place, l->err, ERR_LIMIT, "more than %d values in one document", LIMIT_YAML_NODES);
}

static int check_depth(struct loader *l, struct value_place place, int depth)
{
        if (depth <= LIMIT_YAML_DEPTH)
                return 0;
        return value_error(&place, l->err, ERR_LIMIT, "nested deeper than %d levels", LIMIT_YAML_DEPTH);
}

/* Counts the node at hand and registers its anchor. */
static int begin_node(struct loader *l, const yaml_char_t *anchor, ssize_t *ret_number)
{
        struct value_place place = place_at(l, l->event.start_mark);
        int r = count_nodes(l, place, 1);

        return r < 0 ? r : yaml_anchors_begin(&l->anchors, (const char *)anchor, &place, ret_number, l->err);
}

/* The anchor that the alias event at hand names. */
static int find_anchor(struct loader *l, const struct yaml_anchor **ret)
{
        struct value_place place = place_at(l, l->event.start_mark);

        return yaml_anchors_find(&l->anchors, (const char *)l->event.data.alias.anchor, &place, ret, l->err);
}

/* Values below v and itself; the levels go to *depth where they are more. */
static size_t measure(const struct value *v, int level, int *depth)
{
        size_t n = 1;

        if (level > *depth)
                *depth = level;
        if (v->kind == VALUE_LIST)
                for (size_t i = 0; i < v->list.count; i++)
                        n += measure(v->list.items[i], level + 1, depth);
        if (v->kind == VALUE_MAP)
                for (size_t i = 0; i < v->map.count; i++)
                        n += measure(v->map.entries[i].value, level + 1, depth);
        return n;
}

static int load_alias(struct loader *l, int depth, struct value **ret)
{
        struct value_place place = place_at(l, l->event.start_mark);
        const struct yaml_anchor *a;
        int deepest = 0;
        int r = find_anchor(l, &a);

        if (r < 0)
                return r;
        r = count_nodes(l, place, measure(a->value, depth, &deepest));
        if (r < 0)
                return r;
        r = check_depth(l, place, deepest);
        if (r < 0)
                return r;
        *ret = value_copy(a->value);
        consume(l);
        return 0;
}

static int load_scalar(struct loader *l, struct value **ret, char **ret_key)
{
        struct value_place place = place_at(l, l->event.start_mark);
        struct yaml_scalar_text text = {
                .s = (const char *)l->event.data.scalar.value,
                .len = l->event.data.scalar.length,
                .tag = (const char *)l->event.data.scalar.tag,
                .implicit = l->event.data.scalar.plain_implicit,
                .is_key = ret_key,
        };
        struct value *v CLEANUP_VALUE = NULL;
        char *key CLEANUP_FREE = NULL;
        ssize_t number;
        int r = begin_node(l, l->event.data.scalar.anchor, &number);

        if (r < 0)
                return r;
        r = yaml_scalar_load(&text, &place, &v, ret_key || number >= 0 ? &key : NULL, l->err);
        if (r < 0)
                return r;
        yaml_anchors_end(&l->anchors, number, v, key);
        consume(l);
        *ret = TAKE_PTR(v);
        if (ret_key)
                *ret_key = TAKE_PTR(key);
        return 0;
}

static int load_list(struct loader *l, int depth, struct value **ret)
{
        struct value *list CLEANUP_VALUE = value_new_list();
        ssize_t number;
        int r = begin_node(l, l->event.data.sequence_start.anchor, &number);

        if (r < 0)
                return r;
        list->place = place_at(l, l->event.start_mark);
        consume(l);
        for (;;) {
                struct value *item;

                r = peek(l);
                if (r < 0)
                        return r;
                if (l->event.type == YAML_SEQUENCE_END_EVENT)
                        break;
                r = load_node(l, depth + 1, &item);
                if (r < 0)
                        return r;
                value_list_add(list, item);
        }
        consume(l);
        yaml_anchors_end(&l->anchors, number, list, NULL);
        *ret = TAKE_PTR(list);
        return 0;
}

/* Sets a key over whatever it had. */
static void set_entry(struct loader *l, struct map_index *index, const char *key, struct value_place place,
                      struct value *item)
{
        struct value_entry *entry = map_index_find(index, key);

        if (!entry) {
                map_index_append(index, key, item)->place = place;
                return;
        }
        value_list_add(l->dead, entry->value);
        entry->value = item;
        entry->place = place;
}

/* Why a key is there that `<<` brought; told by the address. */
static const char merged[] = "merged by <<";

/* <<: MAP puts the entries of MAP in, at the point where it stands: go-yaml lets a merge that comes later win. */
static int merge_map(struct loader *l, struct map_index *index, const struct value *from, struct value_place place)
{
        if (!value_is(from, VALUE_MAP))
                return value_error(&place, l->err, ERR_INVALID,
                                   "map merge requires map or sequence of maps as the value");
        for (size_t i = 0; i < from->map.count; i++) {
                const struct value_entry *entry = &from->map.entries[i];
                int deepest = 0;
                int r = count_nodes(l, place, measure(entry->value, 0, &deepest));

                if (r < 0)
                        return r;
                struct value_place entry_place = entry->place;

                entry_place.origin = merged;
                set_entry(l, index, entry->key, entry_place, value_copy(entry->value));
        }
        return 0;
}

static int load_merge(struct loader *l, int depth, struct map_index *index)
{
        struct value *from = NULL;
        struct value_place place;
        int r = peek(l);

        if (r < 0)
                return r;
        place = place_at(l, l->event.start_mark);
        bool is_list = l->event.type == YAML_SEQUENCE_START_EVENT;
        r = load_node(l, depth + 1, &from);
        if (r < 0)
                return r;
        value_list_add(l->dead, from);
        if (!is_list)
                return merge_map(l, index, from, place);
        for (size_t i = from->list.count; r >= 0 && i > 0; i--)
                r = merge_map(l, index, from->list.items[i - 1], place);
        return r;
}

static bool is_merge_key(const struct loader *l)
{
        if (l->event.type != YAML_SCALAR_EVENT)
                return false;
        const char *tag = (const char *)l->event.data.scalar.tag;

        return l->event.data.scalar.length == 2 && memcmp(l->event.data.scalar.value, "<<", 2) == 0 &&
               (l->event.data.scalar.plain_implicit || str_eq(tag, YAML_TAG_PREFIX "merge"));
}

static int load_key(struct loader *l, char **ret_key)
{
        struct value_place place = place_at(l, l->event.start_mark);
        const struct yaml_anchor *a;
        struct value *v;
        char *key = NULL;
        int r;

        if (l->event.type == YAML_ALIAS_EVENT) {
                r = find_anchor(l, &a);
                if (r < 0)
                        return r;
                key = a->key ? xstrdup(a->key) : NULL;
                consume(l);
        } else if (l->event.type == YAML_SCALAR_EVENT) {
                r = load_scalar(l, &v, &key);
                if (r < 0)
                        return r;
                value_list_add(l->dead, v);
        }
        if (!key)
                return value_error(&place, l->err, ERR_INVALID, "unsupported map key: not a string, number or boolean");
        *ret_key = key;
        return 0;
}

static void add_duplicate(struct yaml_documents *documents, const struct yaml_duplicate *duplicate)
{
        documents->duplicates = xrealloc(documents->duplicates, documents->duplicate_count + 1, sizeof(*duplicate));
        documents->duplicates[documents->duplicate_count++] = *duplicate;
}

static int load_entry(struct loader *l, int depth, struct map_index *index)
{
        struct value_place place = place_at(l, l->event.start_mark);
        char *key CLEANUP_FREE = NULL;
        struct value *item;
        int r = load_key(l, &key);

        if (r < 0)
                return r;
        const struct value_entry *old = map_index_find(index, key);

        /* What a merge brought is there to be replaced. */
        if (old && old->place.origin != merged) {
                if (!(l->flags & YAML_DUPLICATE_LAST_WINS))
                        return value_error(&place, l->err, ERR_INVALID, YAML_DUPLICATE_FORMAT, key, old->place.line,
                                           old->place.column);
                add_duplicate(l->documents, &(struct yaml_duplicate){l->documents->count, xstrdup(key), place,
                                                                     old->place.line, old->place.column});
        }
        r = load_node(l, depth + 1, &item);
        if (r < 0)
                return r;
        set_entry(l, index, key, place, item);
        return 0;
}

static int load_map(struct loader *l, int depth, struct value **ret)
{
        struct value *map CLEANUP_VALUE = value_new_map();
        struct map_index index CLEANUP_MAP_INDEX = MAP_INDEX_INIT(map);
        ssize_t number;
        int r = begin_node(l, l->event.data.mapping_start.anchor, &number);

        if (r < 0)
                return r;
        map->place = place_at(l, l->event.start_mark);
        consume(l);
        for (;;) {
                r = peek(l);
                if (r < 0)
                        return r;
                if (l->event.type == YAML_MAPPING_END_EVENT)
                        break;
                if (is_merge_key(l)) {
                        consume(l);
                        r = load_merge(l, depth, &index);
                } else {
                        r = load_entry(l, depth, &index);
                }
                if (r < 0)
                        return r;
        }
        consume(l);
        yaml_anchors_end(&l->anchors, number, map, NULL);
        *ret = TAKE_PTR(map);
        return 0;
}

/* depth: the level of the node, 1 for the root. */
static int load_node(struct loader *l, int depth, struct value **ret)
{
        int r = peek(l);

        if (r < 0)
                return r;
        struct value_place place = place_at(l, l->event.start_mark);

        r = check_depth(l, place, depth);
        if (r < 0)
                return r;
        if (l->event.type == YAML_MAPPING_START_EVENT)
                return load_map(l, depth, ret);
        if (l->event.type == YAML_SEQUENCE_START_EVENT)
                return load_list(l, depth, ret);
        if (l->event.type == YAML_ALIAS_EVENT)
                return load_alias(l, depth, ret);
        if (l->event.type == YAML_SCALAR_EVENT)
                return load_scalar(l, ret, NULL);
        return value_error(&place, l->err, ERR_INVALID, "a value is missing");
}

/* Nothing but comments and blanks between two markers. */
static bool is_empty_root(const struct loader *l)
{
        return l->event.type == YAML_SCALAR_EVENT && l->event.data.scalar.length == 0 &&
               l->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !l->event.data.scalar.tag &&
               !l->event.data.scalar.anchor;
}

static int load_document(struct loader *l)
{
        struct yaml_documents *documents = l->documents;
        struct value *v CLEANUP_VALUE = NULL;
        struct value_place place = place_at(l, l->event.start_mark);
        int r;

        l->nodes = 0;
        yaml_anchors_clear(&l->anchors);
        value_free(l->dead);
        l->dead = value_new_list();
        consume(l);
        r = peek(l);
        if (r < 0)
                return r;
        if (is_empty_root(l))
                consume(l);
        else
                r = load_node(l, 1, &v);
        if (r >= 0)
                r = peek(l); /* the end of the document */
        if (r < 0)
                return r;
        consume(l);
        if (!v)
                return 0;
        if (documents->count == LIMIT_YAML_DOCUMENTS)
                return value_error(&place, l->err, ERR_LIMIT, "more than %d documents in one file",
                                   LIMIT_YAML_DOCUMENTS);
        documents->items = xrealloc(documents->items, documents->count + 1, sizeof(struct value *));
        documents->items[documents->count++] = TAKE_PTR(v);
        return 0;
}

static int load_stream(struct loader *l)
{
        for (;;) {
                int r = peek(l);

                if (r < 0)
                        return r;
                if (l->event.type == YAML_STREAM_END_EVENT)
                        return 0;
                if (l->event.type == YAML_STREAM_START_EVENT)
                        consume(l);
                else if ((r = load_document(l)) == 0 && (l->flags & YAML_FIRST_ALONE))
                        return 0;
                if (r < 0)
                        return r;
        }
}

int yaml_load(const char *file_name, const char *data, size_t len, unsigned flags, struct yaml_documents *ret_documents,
              struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        struct loader l = {
                .text = {value_place_file(file_name), data, len},
                .flags = flags,
                .documents = &documents,
                .err = err,
        };
        int r = yaml_text_check(&l.text, err);

        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&l.parser))
                return err_set(err, ENOMEM, "%s: out of memory", l.text.file);
        yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&l.parser, (const unsigned char *)l.text.s, l.text.len);
        r = load_stream(&l);
        consume(&l);
        yaml_parser_delete(&l.parser);
        yaml_anchors_release(&l.anchors);
        value_free(l.dead);
        if (r < 0)
                return r;
        *ret_documents = documents;
        documents = (struct yaml_documents){0};
        return 0;
}

int yaml_load_one(const char *file_name, const char *data, size_t len, unsigned flags, struct value **ret,
                  struct err *err)
{
        struct yaml_documents documents CLEANUP_YAML_DOCUMENTS = {0};
        int r = yaml_load(file_name, data, len, flags, &documents, err);

        if (r < 0)
                return r;
        if (documents.count != 1)
                return err_set(err, ERR_INVALID, "%s: holds %zu documents, one is wanted", file_name, documents.count);
        *ret = TAKE_PTR(documents.items[0]);
        documents.count = 0;
        return 0;
}

void yaml_documents_move_duplicates(struct yaml_documents *to, struct yaml_documents *from, size_t document)
{
        for (size_t i = 0; i < from->duplicate_count; i++) {
                from->duplicates[i].document = document;
                add_duplicate(to, &from->duplicates[i]);
        }
        from->duplicate_count = 0;
}

void yaml_documents_release(struct yaml_documents *documents)
{
        for (size_t i = 0; i < documents->count; i++)
                value_free(documents->items[i]);
        for (size_t i = 0; i < documents->duplicate_count; i++)
                free(documents->duplicates[i].key);
        free(documents->items);
        free(documents->duplicates);
        *documents = (struct yaml_documents){0};
}
