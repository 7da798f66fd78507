#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigMaps and Secrets from documents in the manifest directory, which serve env, envFrom and volumes of static pods.
 * Values are bytes and never part of a message.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct pod_findings;
struct value;

enum config_kind { CONFIG_MAP, CONFIG_SECRET, CONFIG_KIND_MAX };

/* All of one object, as the API server has it. */
#define CONFIG_BYTES_MAX (1024 * 1024)

struct config_item {
        char *key;
        char *data; /* followed by a NUL that does not count */
        size_t len;
};

struct config_object {
        enum config_kind kind;
        char *namespace, *name;
        bool immutable;
        struct config_item *items; /* sorted by key */
        size_t count;
};

struct config_objects {
        struct config_object **items; /* borrowed or owned, as its holder says */
        size_t count;
};

/* Bytes of a file may hold such documents: a quick look that spares reading pods twice. */
bool config_object_likely(const char *data, size_t len);
/* The document says that it is one. */
bool config_object_is(const struct value *document);

/* Reads a file of such documents, one or several. 0 and owned objects (config_objects_release), findings may be
 * warnings; 1: it holds none of them, but something else; negative: wrong, err has the first of the findings. */
int config_objects_read(const char *file, const char *data, size_t len, bool strict, struct config_objects *ret,
                        struct pod_findings *findings, struct err *err);
/* Frees the objects and the list; secrets are overwritten first. */
void config_objects_release(struct config_objects *objects);

const struct config_object *config_objects_find(const struct config_objects *objects, enum config_kind kind,
                                                const char *namespace, const char *name);          /* NULL without */
const struct config_item *config_object_item(const struct config_object *object, const char *key); /* NULL without */
bool config_object_equal(const struct config_object *a, const struct config_object *b); /* all but the flags */
const char *config_kind_name(enum config_kind kind);                                    /* "ConfigMap" */
