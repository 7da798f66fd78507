#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of kubeadm's InitConfiguration and ClusterConfiguration: where in struct config_init or config_cluster the
 * value of each goes. One table a Go type has the fields of all API versions; which of them a version has in the chosen
 * kubeadm, and whether its arguments are maps or lists, is what templates/config-types.yaml says (api_types.h).
 */
#include <stdbool.h>
#include <stddef.h>

#include "codec/value.h"
#include "phase/api_types.h"

struct config_schema;
struct era;

enum config_type {
        CONFIG_TEXT,     /* struct config_text */
        CONFIG_NUMBER,   /* struct config_number, 32 bits */
        CONFIG_BOOL,     /* struct config_bool */
        CONFIG_DURATION, /* struct config_duration, a Go duration in a string */
        CONFIG_TEXTS,    /* struct config_texts */
        CONFIG_ARGS,     /* struct config_args from a map of strings or a list of {name, value} */
        CONFIG_ENVS,     /* struct config_envs */
        CONFIG_GATES,    /* struct config_gates from a map of booleans */
        CONFIG_LIST,     /* a list of structs: sub and item_size */
        CONFIG_STRUCT,   /* an embedded struct: sub */
        CONFIG_TOKEN,    /* struct config_text in the form of a bootstrap token */
        CONFIG_IGNORED,  /* read by kubeadm and of no effect here: any value */
        CONFIG_TYPE_MAX
};

/* How each list struct of config.h begins. */
struct config_any_list {
        void *items;
        size_t count;
        bool set;
        struct value_place place;
};

struct config_field {
        const char *name; /* NULL ends a table */
        enum config_type type;
        size_t offset;
        const struct config_schema *sub;
        size_t item_size; /* CONFIG_LIST */
};

#define CONFIG_NO_OFFSET ((size_t)-1)

struct config_schema {
        const struct config_field *fields;
        size_t set_offset;   /* bool that says the struct was written; CONFIG_NO_OFFSET: none */
        size_t place_offset; /* struct value_place of the whole; CONFIG_NO_OFFSET: none */
};

/* The tables of "InitConfiguration" or "ClusterConfiguration"; NULL: another kind. */
const struct config_schema *config_schema(const char *kind);

/* What a field of a type ("NodeRegistrationOptions") is in an API version ("v1beta4") as this kubeadm has it;
 * API_SHAPE_MAX: there is none. */
enum api_shape config_field_shape(const struct era *era, const char *type, const char *version, const char *field);
