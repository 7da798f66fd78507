#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML to values and back. Reading is libyaml's events plus the resolution rules of the YAML library that kubeadm and
 * the kubelet use (YAML 1.1 as go-yaml v2 has it: yes/no/on/off are booleans, 0x/0o/0b and underscores in
 * integers, merge keys <<, timestamps stay strings for JSON), and JSON is read by the same way, since it is
 * nearly a subset. Writing gives the bytes of sigs.k8s.io/yaml (go-yaml v2's fork) for the same JSON object:
 * ../../docs/YAML.md tells the rules.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/value.h"

struct buf;
struct err;

/* A key that its map had already, where YAML_DUPLICATE_LAST_WINS let it pass. */
struct yaml_duplicate {
        size_t document; /* index among the documents */
        char *key;
        struct value_place place;
        uint32_t line, column; /* of the one before it */
};

struct yaml_documents {
        struct value **items; /* no NULL in it: an empty document is left out */
        size_t count;
        struct yaml_duplicate *duplicates; /* in the order of the text */
        size_t duplicate_count;
};

#define CLEANUP_YAML_DOCUMENTS __attribute__((cleanup(yaml_documents_release)))

enum yaml_load_flags {
        YAML_DUPLICATE_LAST_WINS = 1 << 0, /* told as a duplicate; else an error at the second one's place */
        YAML_FIRST_ALONE = 1 << 1, /* what follows the first document is not looked at, as by go-yaml's Unmarshal */
};

/* Reads all documents of data. file_name is for places and messages (interned). Bounded by LIMIT_YAML_*. Errors carry
 * file:line:column. Anchors and aliases are expanded (copies), a UTF-8 BOM is skipped, other encodings, NUL and invalid
 * UTF-8 are errors. Map keys that are not strings become their text, as in Go's YAMLToJSON. */
int yaml_load(const char *file_name, const char *data, size_t len, unsigned flags, struct yaml_documents *ret_documents,
              struct err *err);
/* As yaml_load where exactly one document is wanted: another count is an error ("... holds N documents"). */
int yaml_load_one(const char *file_name, const char *data, size_t len, unsigned flags, struct value **ret,
                  struct err *err);
/* Moves the duplicates of `from` behind those of `to`, whose document number `document` they are of from then on. */
void yaml_documents_move_duplicates(struct yaml_documents *to, struct yaml_documents *from, size_t document);
/* What is wrong with a duplicate, to stand behind its place. */
#define YAML_DUPLICATE_FORMAT "duplicate key \"%s\": it is already at line %u, column %u"
void yaml_documents_release(struct yaml_documents *documents);

enum yaml_write_flags {
        YAML_WRITE_KEEP_ORDER = 1 << 0, /* maps in their own order; else go-yaml's "natural" key order */
        YAML_WRITE_NO_FOLD = 1 << 1,    /* long scalars stay on one line (yaml.v2 2.3.0 alone did so) */
};

/* Appends v as one document: no "---", one newline at the end. */
void yaml_write(const struct value *v, unsigned flags, struct buf *out);

/* A node as it is written: an entry of a map (key) or an item of a list (key NULL). */
struct yaml_written {
        size_t depth; /* 1 below the root */
        const char *key;
        size_t index; /* of the item */
        const struct value *value;
        const struct value_place *key_place; /* NULL for items */
        size_t offset;                       /* where in `out` its text begins */
};
typedef void (*yaml_written_fn)(void *userdata, const struct yaml_written *node);

/* As yaml_write, telling fn of each node before it is written, in the order of the text: the same bytes. */
void yaml_write_traced(const struct value *v, unsigned flags, struct buf *out, yaml_written_fn fn, void *userdata);
