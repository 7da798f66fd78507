/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known of the names in the manifest directory, and when their files are to be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/manifest_entry.h"

static void entries_are_in_order_of_names(void **state)
{
        struct manifest_entries entries = {0};

        (void)state;
        assert_null(manifest_entries_find(&entries, "b"));
        (void)manifest_entries_get(&entries, "b");
        (void)manifest_entries_get(&entries, "c");
        (void)manifest_entries_get(&entries, "a");
        assert_ptr_equal(manifest_entries_get(&entries, "b"), manifest_entries_find(&entries, "b"));
        assert_int_equal(entries.count, 3);
        for (size_t i = 0; i < entries.count; i++)
                assert_int_equal(entries.items[i]->name[0], "abc"[i]);
        while (entries.count > 0)
                manifest_entries_remove(&entries, 0);
        free(entries.items);
}

static char name[] = "a.yaml";

/* A hint that is told late is about what was there before. */
static void what_was_renamed_is_whole_where_it_is_another_file(void **state)
{
        static const struct manifest_stat known = {.device = 1, .inode = 5, .size = 100},
                                          rewritten = {.device = 1, .inode = 5, .size = 7},
                                          another = {.device = 1, .inode = 6, .size = 100},
                                          truncated = {.device = 1, .inode = 6};
        struct manifest_entry entry = {.name = name, .present = true, .told = true, .stat = known};

        (void)state;
        assert_false(manifest_entry_is_whole(&entry, &another)); /* no hint says so */
        entry.whole = true;
        assert_true(manifest_entry_is_whole(&entry, &another));
        assert_false(manifest_entry_is_whole(&entry, &rewritten));
        assert_false(manifest_entry_is_whole(&entry, &truncated));
        /* Removed and made again, which a rename was before. */
        entry.present = false;
        entry.remove_at = 1;
        assert_false(manifest_entry_is_whole(&entry, &another));
        entry = (struct manifest_entry){.name = name, .whole = true};
        assert_true(manifest_entry_is_whole(&entry, &another));
}

/* What could not be read is tried again though nothing is told of it; where something is, when it is quiet. */
static void what_could_not_be_read_is_tried_again(void **state)
{
        struct manifest_entry entry = {.name = name, .present = true};

        (void)state;
        assert_true(manifest_entry_read_at(&entry) == USEC_INFINITY);
        entry.again_at = 20;
        assert_true(manifest_entry_read_at(&entry) == 20);
        entry.pending = true;
        entry.quiet_at = 30;
        assert_true(manifest_entry_read_at(&entry) == 30);
        entry.quiet_at = 10;
        assert_true(manifest_entry_read_at(&entry) == 10);
        entry.present = false;
        assert_true(manifest_entry_read_at(&entry) == USEC_INFINITY);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entries_are_in_order_of_names),
                cmocka_unit_test(what_was_renamed_is_whole_where_it_is_another_file),
                cmocka_unit_test(what_could_not_be_read_is_tried_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
