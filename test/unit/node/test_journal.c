/* SPDX-License-Identifier: Apache-2.0
 *
 * Segments on a small file system of this test's own: rotation, and a disk that is full for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "node/journal.h"
#include "node/journal_segment.h"
#include "node/pod_store.h"

#define SEGMENTS 3
#define RECORD_BYTES 1000
#define NOW USEC_PER_SEC

static char root[] = "/tmp/test-journal-XXXXXX";

struct state {
        char *directory, *fill;
        struct pod_store *store;
        struct journal *journal;
        usec_t now;
};

static int mount_small(void **state)
{
        (void)state;
        return mkdtemp(root) && unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
                               mount("tmpfs", root, "tmpfs", 0, "size=256k") == 0
                       ? 0
                       : -1;
}

static int unmount_small(void **state)
{
        (void)state;
        return umount(root) < 0 ? -1 : rmdir(root);
}

static int setup(void **state)
{
        struct state *s = xcalloc(1, sizeof(*s));
        const struct pod_store_hooks hooks = {0};

        s->directory = xasprintf("%s/journal", root);
        s->fill = xasprintf("%s/fill", root);
        const struct journal_options options = {
                .directory = s->directory, .segment_bytes = 8 * RECORD_BYTES, .segments = SEGMENTS, .boot_id = "boot"};
        s->store = pod_store_new(&hooks, 0);
        s->journal = journal_new(&options, NOW);
        s->now = NOW;
        *state = s;
        return 0;
}

static int teardown(void **state)
{
        struct state *s = *state;

        s->journal = journal_free(s->journal);
        s->store = pod_store_free(s->store);
        (void)file_remove_tree(s->directory, NULL);
        free(s->directory);
        free(s->fill);
        free(s);
        return 0;
}

static int turn(struct state *s, struct err *err)
{
        return journal_turn(s->journal, s->store, s->now, s->now, err);
}

/* One record, written out. */
static int record(struct state *s, struct err *err)
{
        char text[RECORD_BYTES];
        int len = snprintf(text, sizeof(text), "{\"filler\":\"%0*d\"}", RECORD_BYTES - 20, 0);

        journal_record(s->journal, text, (size_t)len);
        return turn(s, err);
}

/* All segments as "first-last"; none may be empty. */
static void segments_are(struct state *s, unsigned long long first, unsigned long long last)
{
        struct journal_segments list = {0};
        struct err err = ERR_INIT;
        struct stat st;

        if (journal_segments_list(s->directory, &list, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(list.count, last - first + 1);
        for (size_t i = 0; i < list.count; i++) {
                char *path CLEANUP_FREE = journal_segment_path(s->directory, list.numbers[i]);

                assert_int_equal(list.numbers[i], first + i);
                assert_int_equal(stat(path, &st), 0);
                assert_true(st.st_size > 0);
        }
        free(list.numbers);
}

/* Records that can be read, all segments together. */
static unsigned readable(struct state *s, unsigned torn)
{
        struct journal_reader *reader = NULL;
        struct err err = ERR_INIT;
        const char *text;
        size_t len;
        unsigned n = 0;
        int r;

        assert_int_equal(journal_reader_new(s->directory, &reader, &err), 0);
        while ((r = journal_reader_next(reader, &text, &len, &err)) == 0)
                n++;
        if (r < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(journal_reader_torn(reader), torn);
        (void)journal_reader_free(reader);
        return n;
}

static void fill_disk(const struct state *s)
{
        char block[4096] = "";
        int fd CLEANUP_FD = open(s->fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        while (write(fd, block, sizeof(block)) > 0) {
        }
        assert_int_equal(errno, ENOSPC);
}

static void test_rotation(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;

        assert_int_equal(turn(s, &err), 0);
        segments_are(s, 1, 1);
        for (int i = 0; i < 20; i++)
                assert_int_equal(record(s, &err), 0);
        segments_are(s, 1, 3);
        assert_int_equal(readable(s, 0), 20 + 3);
        for (int i = 0; i < 20; i++)
                assert_int_equal(record(s, &err), 0);
        segments_are(s, 4, 6);
        (void)readable(s, 0);
}

/* However often a new segment is tried on a disk that is full, those before it stay and nothing is put beside them. */
static void test_full_disk(void **state)
{
        struct state *s = *state;
        struct err err = ERR_INIT;
        int r = 0;

        for (int i = 0; i < 36; i++)
                assert_int_equal(record(s, &err), 0);
        segments_are(s, 3, 5);
        fill_disk(s);
        for (int i = 0; i < 20 && r == 0; i++)
                r = record(s, &err);
        assert_int_equal(r, -ENOSPC);
        segments_are(s, 3, 5);
        unsigned kept = readable(s, 1);
        assert_in_range(kept, 16, 40);
        for (int i = 0; i < 5; i++) {
                s->now = usec_add(s->now, JOURNAL_RETRY_USEC);
                assert_int_equal(record(s, &err), 0); /* was told */
                segments_are(s, 3, 5);
                assert_int_equal(readable(s, 1), kept);
        }
        assert_int_equal(unlink(s->fill), 0);
        s->now = usec_add(s->now, JOURNAL_RETRY_USEC);
        assert_int_equal(record(s, &err), 0);
        segments_are(s, 4, 6);
        for (int i = 0; i < 5; i++)
                assert_int_equal(record(s, &err), 0);
        assert_true(readable(s, 1) > 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
                cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
        };

        return cmocka_run_group_tests(tests, mount_small, unmount_small);
}
