#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates: a value whose strings hold ${name}. They are filled in after parsing, so no value can break the YAML
 * around it. A string that is nothing but ${name} becomes the variable with its type; elsewhere its text is put in.
 * Where the variable is absent (known, but without a value) the whole string goes, and with it its map entry or list
 * item.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codec/value.h"

struct err;

struct template_variable {
        char *name;
        struct value *value; /* string or number; NULL: absent */
};

struct template_variables {
        struct template_variable *items;
        size_t count;
};

#define CLEANUP_VARIABLES __attribute__((cleanup(template_variables_release)))

void template_variables_release(struct template_variables *variables);
/* Each sets or replaces a variable; place is what the value remembers of its origin (NULL: the template's own place).
 * text NULL: absent. */
void template_set_text(struct template_variables *variables, const char *name, const char *text,
                       const struct value_place *place);
void template_set_textf(struct template_variables *variables, const struct value_place *place, const char *name,
                        const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void template_set_number(struct template_variables *variables, const char *name, int64_t number,
                         const struct value_place *place);

/* Fills in v and all below it. -ERR_INVALID for a name that is no variable, with the place of the string. */
int template_fill(struct value *v, const struct template_variables *variables, struct err *err);

/* Paths of era rows: FIELD.FIELD[NAME].FIELD; [NAME] is an item of a list by its field `name`, or by its number. Fields
 * with dots cannot be named. Missing maps are made on the way, a missing [NAME] item is appended with that name, a
 * missing number is an error. value is copied. */
int template_path_set(struct value *root, const char *path, const struct value *value, struct err *err);
/* False where there was nothing. */
bool template_path_remove(struct value *root, const char *path);
struct value *template_path_get(struct value *root, const char *path);
