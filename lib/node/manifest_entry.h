#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What manifest_dir knows of each name in the directory, and what follows of it: when the file is to be read. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "node/manifest_file.h"

struct manifest_entry {
        char *name;
        const char *why; /* not read, and why; NULL: a manifest */
        bool marked;     /* the scan under way saw it */
        bool present;
        bool pending;    /* to be read at quiet_at */
        bool whole;      /* a file was renamed to this name, it is said */
        bool told;       /* content() was called; its hash is below */
        bool unreadable; /* unreadable() was called since */
        bool again;      /* its content is told again, though it be the same */
        bool busy;       /* a writer had it open at the last try; pending then */
        bool expected;   /* was there before we started */
        bool removed;    /* was taken away, which counts even though it is there again */
        bool linked;
        int link_watch;
        usec_t quiet_at;
        usec_t busy_wait; /* between the last try and the next, while busy and nothing happens to it; else 0 */
        usec_t again_at;  /* could not be read: tried again then, though nothing is told; 0: not */
        usec_t remove_at; /* gone: counts as removed then; 0: it is there */
        struct manifest_stat stat;
        char hash[33];
        char *message; /* of unreadable */
};

struct manifest_entries {
        struct manifest_entry **items; /* in order of names; free it when all were removed */
        size_t count;
};

/* NULL: it is not known. */
struct manifest_entry *manifest_entries_find(const struct manifest_entries *entries, const char *name);
/* Made where it is not known. */
struct manifest_entry *manifest_entries_get(struct manifest_entries *entries, const char *name);
void manifest_entries_remove(struct manifest_entries *entries, size_t at);

/* A file that has just been found so, and that a hint calls whole since it was renamed, need not be quiet first. A hint
 * that comes late may be about what was there before, though: where the file is the one that is known, or had just
 * gone, or is empty, somebody may be writing it by now. */
bool manifest_entry_is_whole(const struct manifest_entry *entry, const struct manifest_stat *found);
/* When it is to be read; USEC_INFINITY: not before something happens to it. */
usec_t manifest_entry_read_at(const struct manifest_entry *entry);
