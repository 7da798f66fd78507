/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/alloc.h"
#include "base/str.h"
#include "docker/docker.h"
#include "node/image_gc.h"

struct record {
        char *id;
        usec_t first_seen; /* 0: not listed yet */
        usec_t last_used;  /* 0: not since we look */
        bool listed;
        UT_hash_handle hh;
};

struct image_gc {
        struct record *records;
};

struct image_gc *image_gc_new(void)
{
        return xcalloc(1, sizeof(struct image_gc));
}

static void forget(struct image_gc *gc, struct record *record)
{
        HASH_DEL(gc->records, record);
        free(record->id);
        free(record);
}

struct image_gc *image_gc_free(struct image_gc *gc)
{
        struct record *record, *next;

        if (!gc)
                return NULL;
        HASH_ITER (hh, gc->records, record, next)
                forget(gc, record);
        free(gc);
        return NULL;
}

static struct record *record_of(struct image_gc *gc, const char *id)
{
        struct record *record;

        HASH_FIND_STR(gc->records, id, record);
        if (record)
                return record;
        record = xcalloc(1, sizeof(*record));
        record->id = xstrdup(id);
        HASH_ADD_KEYPTR(hh, gc->records, record->id, strlen(record->id), record);
        return record;
}

void image_gc_used(struct image_gc *gc, const char *id, usec_t now)
{
        if (!str_empty(id))
                record_of(gc, id)->last_used = now;
}

int64_t image_gc_excess(const struct image_gc_policy *policy, int64_t disk_bytes, int64_t available_bytes)
{
        int64_t excess;

        if (disk_bytes <= 0 || policy->high_percent >= 100 ||
            100 - available_bytes * 100 / disk_bytes < policy->high_percent)
                return 0;
        excess = disk_bytes / 100 * (100 - policy->low_percent) - available_bytes;
        return excess > 0 ? excess : 0;
}

struct candidate {
        const struct docker_image *image;
        usec_t last_used, first_seen;
};

/* Used longest ago first; of those the one that is here longest. */
static int compare(const void *a, const void *b)
{
        const struct candidate *x = a, *y = b;

        if (x->last_used != y->last_used)
                return x->last_used < y->last_used ? -1 : 1;
        if (x->first_seen != y->first_seen)
                return x->first_seen < y->first_seen ? -1 : 1;
        return strcmp(x->image->id, y->image->id);
}

static bool is_used(const struct docker_image *image, const struct strv *in_use)
{
        const char *ref;

        if (strv_contains(in_use, image->id))
                return true;
        STRV_FOREACH (ref, &image->repo_tags)
                if (strv_contains(in_use, ref))
                        return true;
        STRV_FOREACH (ref, &image->repo_digests)
                if (strv_contains(in_use, ref))
                        return true;
        return false;
}

/* The list as it is now; images that have gone are forgotten. Candidates are what may be removed at all. */
static size_t list_candidates(struct image_gc *gc, const struct docker_images *images, const struct strv *in_use,
                              usec_t now, struct candidate *candidates)
{
        struct record *record, *next;
        size_t count = 0;

        for (size_t i = 0; i < images->count; i++) {
                const struct docker_image *image = &images->items[i];

                record = record_of(gc, image->id);
                record->listed = true;
                if (!record->first_seen)
                        record->first_seen = now;
                if (is_used(image, in_use))
                        record->last_used = now;
                else if (image->repo_digests.len > 0)
                        candidates[count++] = (struct candidate){image, record->last_used, record->first_seen};
        }
        HASH_ITER (hh, gc->records, record, next) {
                if (!record->listed && record->first_seen)
                        forget(gc, record);
                else
                        record->listed = false;
        }
        qsort(candidates, count, sizeof(*candidates), compare);
        return count;
}

static void add_references(const struct docker_image *image, struct strv *remove)
{
        const char *ref;

        STRV_FOREACH (ref, &image->repo_tags)
                strv_add(remove, ref);
        STRV_FOREACH (ref, &image->repo_digests)
                strv_add(remove, ref);
}

usec_t image_gc_plan(struct image_gc *gc, const struct image_gc_policy *policy, const struct docker_images *images,
                     const struct strv *in_use, int64_t to_free, usec_t now, struct strv *ret_remove)
{
        struct candidate *candidates = xcalloc(images->count + 1, sizeof(*candidates));
        size_t count = list_candidates(gc, images, in_use, now, candidates);
        usec_t again = USEC_INFINITY;

        for (size_t i = 0; i < count; i++) {
                const struct candidate *c = &candidates[i];
                usec_t idle = usec_sub(now, c->last_used > c->first_seen ? c->last_used : c->first_seen);
                usec_t old_enough = usec_add(c->first_seen, policy->min_age);
                bool expired = policy->max_age && idle >= policy->max_age;

                if (!expired && to_free <= 0)
                        continue;
                if (old_enough > now) {
                        again = old_enough < again ? old_enough : again;
                        continue;
                }
                add_references(c->image, ret_remove);
                to_free -= c->image->size_bytes;
        }
        free(candidates);
        return again;
}
