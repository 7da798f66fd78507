#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * A Corefile, the configuration of CoreDNS, as the library that kubeadm migrates it with reads and writes it
 * (coredns/corefile-migration over coredns/caddy's lexer): server blocks, in them plugins, in them options. What is
 * deeper is dropped, and so are comments.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct buf;
struct err;

/* How deep a line may be; the Corefile itself is no line. */
enum corefile_depth { COREFILE_SERVER = 1, COREFILE_PLUGIN, COREFILE_OPTION };

/* The Corefile (no words), a server block (its domains), a plugin or an option (its name, then its arguments). Owns
 * what is below it. */
struct corefile {
        struct strv words;
        struct corefile **items;
        size_t count, cap;
};

/* Reads text, of at most LIMIT_COREFILE_BYTES and LIMIT_COREFILE_LINES lines. Whatever is between white space is a
 * word, so next to nothing is wrong: -ERR_INVALID where a plugin or an option stands before the first server block or
 * plugin, on which kubeadm itself dies; -ERR_LIMIT. Free *ret. */
int corefile_parse(const char *text, size_t len, struct corefile **ret, struct err *err);
/* Appends it as the library writes it, with four columns for each depth. */
void corefile_write(const struct corefile *corefile, struct buf *out);
/* Whether the lines are those of a pattern, in any order; in a pattern the word "*" stands for one word and "***" for
 * the rest of the line. */
bool corefile_matches(const struct corefile *corefile, const struct corefile *pattern);

/* The name of a plugin or option, "" where there is none. */
const char *corefile_name(const struct corefile *line);
/* Whether a line below has that name. */
bool corefile_has(const struct corefile *corefile, const char *name);
/* A new last line below, with one word; borrowed, valid while it is there. */
struct corefile *corefile_add(struct corefile *corefile, const char *word);
/* Takes a line out, which is the caller's then; and puts one in as the last. */
struct corefile *corefile_take(struct corefile *corefile, size_t at);
void corefile_put(struct corefile *corefile, struct corefile *line);
/* Appends the words of a line to another, but for those before number `from`. */
void corefile_copy_words(struct corefile *to, const struct corefile *line, size_t from);

struct corefile *corefile_free(struct corefile *corefile); /* takes NULL, returns NULL */
static inline void cleanup_corefile(struct corefile **corefile)
{
        *corefile = corefile_free(*corefile);
}
#define CLEANUP_COREFILE __attribute__((cleanup(cleanup_corefile)))
