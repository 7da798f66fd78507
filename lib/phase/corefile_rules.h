#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * templates/coredns.yaml, read: the CoreDNS releases by number, oldest first, and what each says of plugins and their
 * options. Strings and values are the template's.
 */
#include <stdbool.h>
#include <stddef.h>

struct corefile;
struct era;
struct err;
struct value;

#define COREFILE_NEW_DEFAULT "newdefault"
#define COREFILE_REMOVED "removed"
#define COREFILE_DEPRECATED "deprecated"

/* When an action on the whole Corefile comes, beside those on its lines. */
#define COREFILE_BEFORE "before"
#define COREFILE_AFTER "after"

struct corefile_rule {
        size_t first, end;           /* releases first <= number < end */
        const char *plugin, *option; /* option NULL: of the plugin; plugin NULL: of the whole Corefile */
        const char *status;          /* NULL: nothing is said of it */
        const char *replaced_by;     /* NULL: nothing */
        const char *add;             /* the line of a new default, as one word */
        const struct value *to;      /* a plugin that is a new default: to server blocks with one of these */
        const char *whole;           /* COREFILE_BEFORE, COREFILE_AFTER, NULL */
        bool (*option_action)(struct corefile *option); /* false: it goes away */
        void (*plugin_action)(struct corefile *plugin);
        int (*whole_action)(struct corefile *corefile, struct err *err);
};

struct corefile_rules {
        const struct value *versions, *defaults; /* lists of texts */
        struct corefile_rule *items;
        size_t count;
};

int corefile_rules_read(const struct era *era, struct corefile_rules *ret, struct err *err);
void corefile_rules_release(struct corefile_rules *rules);
#define CLEANUP_COREFILE_RULES __attribute__((cleanup(corefile_rules_release)))

/* The numbers of two releases, of which `to` is the newest that is known. */
int corefile_rules_span(const struct corefile_rules *rules, const char *from, const char *to, size_t *ret_first,
                        size_t *ret_last, struct err *err);
const char *corefile_rules_version(const struct corefile_rules *rules, size_t version);

/* The rule of a plugin (option NULL) or of an option in a release, NULL where there is none. */
const struct corefile_rule *corefile_rule_find(const struct corefile_rules *rules, size_t version, const char *plugin,
                                               const char *option);
/* The next new default from *at on, which moves behind it: options of a plugin, or plugins (plugin NULL). */
const struct corefile_rule *corefile_rule_new(const struct corefile_rules *rules, size_t version, const char *plugin,
                                              size_t *at);
/* The actions on the whole Corefile that a release has `when`. */
int corefile_rules_whole(const struct corefile_rules *rules, size_t version, const char *when,
                         struct corefile *corefile, struct err *err);
