#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of kubeadm's kinds, one table for each kind and API version. A row says where in struct config_init or
 * config_cluster its value goes, so all versions are decoded into the same structs by one decoder.
 */
#include <stdbool.h>
#include <stddef.h>

struct config_schema;

enum config_type {
        CONFIG_TEXT,     /* struct config_text */
        CONFIG_NUMBER,   /* struct config_number, 32 bits */
        CONFIG_BOOL,     /* struct config_bool */
        CONFIG_DURATION, /* struct config_duration, a Go duration in a string */
        CONFIG_TEXTS,    /* struct config_texts */
        CONFIG_ARG_MAP,  /* struct config_args from a map of strings */
        CONFIG_ARG_LIST, /* struct config_args from a list of {name, value} */
        CONFIG_ENVS,     /* struct config_envs */
        CONFIG_GATES,    /* struct config_gates from a map of booleans */
        CONFIG_LIST,     /* a list of structs: sub and item_size */
        CONFIG_STRUCT,   /* an embedded struct: sub */
        CONFIG_TOKEN,    /* struct config_text in the form of a bootstrap token */
        CONFIG_IGNORED,  /* read by kubeadm and of no effect here: any value */
        CONFIG_TYPE_MAX
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
        const char *name; /* the Go type, for messages */
        const struct config_field *fields;
        size_t set_offset;   /* bool that says the struct was written; CONFIG_NO_OFFSET: none */
        size_t place_offset; /* struct value_place of the whole; CONFIG_NO_OFFSET: none */
};

/* The tables of a kind ("InitConfiguration" or "ClusterConfiguration") in a version ("v1beta4"); NULL: unknown. */
const struct config_schema *config_schema(const char *version, const char *kind);
/* Whether extra arguments are lists of {name, value} in a version, as from v1beta4 on, and not maps; true where it is
 * unknown. */
bool config_has_argument_lists(const char *version);
