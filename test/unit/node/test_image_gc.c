/* SPDX-License-Identifier: Apache-2.0
 *
 * Which images go when the disk fills.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "docker/docker.h"
#include "node/image_gc.h"

#define MIN (60 * USEC_PER_SEC)

static const struct image_gc_policy policy = {85, 80, 2 * MIN, 0};

/* Images "a", "b", ... of 10 bytes each, with the tag "a:1" and a digest. */
static void make(struct docker_images *images, size_t count)
{
        images->items = xcalloc(count, sizeof(*images->items));
        images->count = count;
        for (size_t i = 0; i < count; i++) {
                struct docker_image *image = &images->items[i];

                image->id = xasprintf("%c", (char)('a' + i));
                image->size_bytes = 10;
                strv_addf(&image->repo_tags, "%s:1", image->id);
                strv_addf(&image->repo_digests, "%s@d", image->id);
        }
}

static void release(struct docker_images *images)
{
        for (size_t i = 0; i < images->count; i++) {
                free(images->items[i].id);
                strv_release(&images->items[i].repo_tags);
                strv_release(&images->items[i].repo_digests);
        }
        free(images->items);
}

static void excess(void **state)
{
        static const struct {
                int high, low;
                int64_t disk, available, want;
        } rows[] = {
                {85, 80, 1000, 160, 0}, {85, 80, 1000, 151, 49}, {85, 80, 1000, 0, 200},
                {100, 80, 1000, 0, 0},  {85, 80, 0, 0, 0},       {0, 0, 1000, 900, 100},
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct image_gc_policy p = {rows[i].high, rows[i].low, 0, 0};

                assert_int_equal(image_gc_excess(&p, rows[i].disk, rows[i].available), rows[i].want);
        }
}

static char *plan(struct image_gc *gc, const struct image_gc_policy *p, const struct docker_images *images,
                  const struct strv *in_use, int64_t to_free, usec_t now, usec_t *ret_again)
{
        struct strv remove CLEANUP_STRV = STRV_INIT;

        *ret_again = image_gc_plan(gc, p, images, in_use, to_free, now, &remove);
        return strv_join(&remove, " ");
}

static void used_longest_ago_goes_first(void **state)
{
        struct image_gc *gc = image_gc_new();
        struct docker_images images = {0};
        struct strv in_use CLEANUP_STRV = STRV_INIT;
        usec_t again;

        (void)state;
        make(&images, 5);
        strv_release(&images.items[4].repo_digests); /* "e" was made here */
        strv_add(&in_use, "c:1");
        image_gc_used(gc, "a", 1 * MIN);
        char *young CLEANUP_FREE = plan(gc, &policy, &images, &in_use, 15, 1 * MIN, &again);
        assert_string_equal(young, "");
        assert_int_equal(again, 3 * MIN);
        char *old CLEANUP_FREE = plan(gc, &policy, &images, &in_use, 15, 3 * MIN, &again);
        assert_string_equal(old, "b:1 b@d d:1 d@d");
        assert_int_equal(again, USEC_INFINITY);
        char *all CLEANUP_FREE = plan(gc, &policy, &images, &in_use, 1000, 3 * MIN, &again);
        assert_string_equal(all, "b:1 b@d d:1 d@d a:1 a@d");
        char *none CLEANUP_FREE = plan(gc, &policy, &images, &in_use, 0, 3 * MIN, &again);
        assert_string_equal(none, "");
        release(&images);
        (void)image_gc_free(gc);
}

static void unused_for_the_maximum_age_goes(void **state)
{
        const struct image_gc_policy p = {100, 80, 2 * MIN, 10 * MIN};
        struct image_gc *gc = image_gc_new();
        struct docker_images images = {0};
        struct strv in_use CLEANUP_STRV = STRV_INIT;
        usec_t again;

        (void)state;
        make(&images, 2);
        char *first CLEANUP_FREE = plan(gc, &p, &images, &in_use, 0, 1 * MIN, &again);
        image_gc_used(gc, "b", 5 * MIN);
        char *second CLEANUP_FREE = plan(gc, &p, &images, &in_use, 0, 11 * MIN, &again);
        assert_string_equal(first, "");
        assert_string_equal(second, "a:1 a@d");
        release(&images);
        (void)image_gc_free(gc);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(excess),
                cmocka_unit_test(used_longest_ago_goes_first),
                cmocka_unit_test(unused_for_the_maximum_age_goes),
        };

        return cmocka_run_group_tests_name("node/image_gc", tests, NULL, NULL);
}
