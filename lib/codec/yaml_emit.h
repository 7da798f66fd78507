#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of scalars and indicators: go-yaml v2's emitterc.go for what JSON objects need (block collections, no
 * anchors, tags or comments). Inside the codec only.
 *
 * It is not libyaml's emitter, from which emitterc.go was ported, because the two have drifted apart where strings can
 * take us: libyaml 0.2.5 closes a document that ends in a literal with "+" with "...", indents a closing quote behind a
 * U+2028, and escapes a BOM alone where go-yaml escapes the whole string that starts with one. What is
 * left once anchors, tags, flow style and encodings are gone is small, and needs no copy of every string.
 */
#include <stdbool.h>
#include <stddef.h>

#include "codec/yaml.h"

struct buf;

struct yaml_emitter {
        struct buf *out;
        int indent;            /* -1 outside of the root */
        int column;            /* characters since the last break */
        int width;             /* a space behind this column may become a break */
        bool whitespace;       /* the last character was a space, or none was needed */
        bool indention;        /* only indentation and "-", "?", ":" so far on this line */
        bool mapping_value;    /* the node to come is a key or a value of a map */
        yaml_written_fn trace; /* NULL: nobody asks */
        void *trace_userdata;
        size_t depth; /* of the collection that is being written; kept for the trace */
};

#define YAML_EMITTER_INIT(buffer, line_width) \
        ((struct yaml_emitter){               \
                .out = (buffer), .indent = -1, .width = (line_width), .whitespace = true, .indention = true})

/* Starts a line at the current indentation unless there already. */
void yaml_emit_indent(struct yaml_emitter *e);

enum yaml_indicator_flags {
        YAML_INDICATOR_SPACED = 1 << 0,     /* needs white space before */
        YAML_INDICATOR_WHITESPACE = 1 << 1, /* counts as white space for what follows */
        YAML_INDICATOR_INDENTION = 1 << 2,  /* counts as indentation for what follows */
};
void yaml_emit_indicator(struct yaml_emitter *e, const char *indicator, unsigned flags);

/* Goes one level in; returns the indentation to put back into e->indent behind it. flow: as for scalars and flow
 * collections. indentless: a list that is the value of a key. */
int yaml_emit_increase_indent(struct yaml_emitter *e, bool flow, bool indentless);

/* A key fits on a line ("key: value"), or needs the "? key" form. */
bool yaml_emit_is_simple_key(const char *s, size_t len);

/* Most strings are words ("kube-apiserver", "--secure-port=6443"): they are written as they are, without the whole
 * analysis. False where s is not certainly one, and nothing was written. */
bool yaml_emit_word(struct yaml_emitter *e, const char *s, size_t len);

/* s is valid UTF-8. plain: text of a number, boolean or null, which needs no quotes; else a string. */
void yaml_emit_scalar(struct yaml_emitter *e, const char *s, size_t len, bool plain, bool simple_key);
