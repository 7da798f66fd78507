#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a configuration, all of it: decoding and validation go on behind the first mistake and collect
 * them here, each with its place. The text of a problem is kubeadm's own where kubeadm has one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "codec/value.h"

struct err;

struct config_problem {
        struct value_place place; /* file NULL: a flag or the host (origin), or nothing known */
        char *text;
        char *near; /* the nearest of the words that it could be; NULL: none is near */
        bool warning;
        bool said; /* a warning that kubeadm prints on standard output, which is for the caller to do */
};

struct config_problems {
        struct config_problem *items;
        size_t count;
        size_t errors;  /* those that are no warnings */
        size_t dropped; /* beyond LIMIT_CONFIG_PROBLEMS */
        bool aggregate; /* what decoding failed with is an aggregate of errors, as that of validation: it has the same
                         * exit status */
};

#define CLEANUP_PROBLEMS __attribute__((cleanup(config_problems_release)))

void config_problems_release(struct config_problems *problems);
void config_problem_error(struct config_problems *problems, const struct value_place *place, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void config_problem_warning(struct config_problems *problems, const struct value_place *place, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* The problem that was added last is one that kubeadm says on standard output. */
void config_problem_say(struct config_problems *problems);

/* What the problem that was added last may have meant; shown with it, no part of kubeadm's text. */
void config_problem_suggest(struct config_problems *problems, const char *word, const char *const *candidates,
                            size_t count);
/* The same for a list of strings as the era tables have. */
void config_problem_suggest_of(struct config_problems *problems, const char *word, const struct value *list);

/* Takes out the problems from number `from` on that speak of a field or place of which an error before them does: what
 * was read wrong is not judged again. */
void config_problems_drop_repeated(struct config_problems *problems, size_t from);

/* One line a problem, "FILE:LINE:COLUMN: text"; warnings, where they are wanted, as "FILE:LINE:COLUMN: warning: text".
 */
void config_problems_print(const struct config_problems *problems, bool warnings, FILE *out);

/* 0 where there is no error. Else -ERR_INVALID with all texts as kubeadm joins them: one alone as it is, several as
 * "[a, b]", the same text once. */
int config_problems_aggregate(const struct config_problems *problems, struct err *err);
