/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/hash.h"
#include "node/journal.h"
#include "node/journal_segment.h"
#include "node/pod_store.h"

#define BUFFER_KEPT ((size_t)64 * 1024)

struct journal {
        char *directory, *boot_id;
        size_t segment_bytes;
        unsigned segments;
        usec_t run; /* wall clock at journal_new: names this run */
        unsigned long long number;
        int fd;            /* of the segment being written, -1 without */
        size_t written;    /* into it */
        size_t head;       /* bytes of its head */
        struct buf text;   /* not written yet */
        bool lost;         /* a record did not fit into text: the segment has a gap and must end */
        usec_t not_before; /* of the next try after a failure; 0: none has failed */
};

struct journal *journal_new(const struct journal_options *options, usec_t now_wall)
{
        struct journal *journal = xcalloc(1, sizeof(*journal));

        journal->directory = xstrdup(options->directory);
        journal->boot_id = xstrdup(options->boot_id ? options->boot_id : "");
        journal->segment_bytes = options->segment_bytes ? options->segment_bytes : LIMIT_JOURNAL_SEGMENT;
        journal->segments = options->segments ? options->segments : LIMIT_JOURNAL_SEGMENTS;
        journal->run = now_wall;
        journal->fd = -1;
        journal->text = BUF_INIT(LIMIT_JOURNAL_BUFFER);
        return journal;
}

static int write_out(struct journal *journal)
{
        int r = journal->fd < 0 ? 0 : fd_write_all(journal->fd, buf_str(&journal->text), journal->text.len);

        journal->written += journal->text.len;
        /* The head of a segment is large and rare: its memory is not kept. */
        if (journal->text.cap > BUFFER_KEPT)
                buf_release(&journal->text);
        buf_clear(&journal->text);
        return r;
}

struct journal *journal_free(struct journal *journal)
{
        if (!journal)
                return NULL;
        (void)write_out(journal);
        (void)fd_close(journal->fd);
        buf_release(&journal->text);
        free(journal->directory);
        free(journal->boot_id);
        free(journal);
        return NULL;
}

static void add_line(struct journal *journal, const char *text, size_t len)
{
        if (!buf_reserve(&journal->text, len + 10)) {
                journal->lost = true;
                buf_clear(&journal->text);
                return;
        }
        buf_addf(&journal->text, "%08x ", hash_fnv32a(text, len));
        buf_add(&journal->text, text, len);
        buf_addch(&journal->text, '\n');
}

void journal_record(void *userdata, const char *record, size_t len)
{
        struct journal *journal = userdata;

        /* Before the first turn and after a failure there is no segment: its head will show what is missed here. */
        if (journal->fd >= 0 && !journal->lost)
                add_line(journal, record, len);
}

/* --- segments ------------------------------------------------------------------------------------------------- */

/* Removes what is more than `segments`, the one that was begun included. */
static int make_room(struct journal *journal, struct err *err)
{
        struct journal_segments list = {0};
        int r = journal_segments_list(journal->directory, &list, err);

        if (r < 0)
                return r;
        for (size_t i = 0; i + journal->segments < list.count; i++) {
                char *path CLEANUP_FREE = journal_segment_path(journal->directory, list.numbers[i]);

                if (unlink(path) < 0 && errno != ENOENT && r == 0)
                        r = err_set_errno(err, errno, "removing %s", path);
        }
        free(list.numbers);
        return r;
}

static int open_segment(struct journal *journal, struct err *err)
{
        struct journal_segments list = {0};
        char *path CLEANUP_FREE = NULL;
        int r = file_mkdir_p(journal->directory, 0700, err);

        if (r >= 0)
                r = journal_segments_list(journal->directory, &list, err);
        if (r < 0)
                return r;
        journal->number = list.count ? list.numbers[list.count - 1] + 1 : 1;
        free(list.numbers);
        path = journal_segment_path(journal->directory, journal->number);
        journal->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (journal->fd < 0)
                return err_set_errno(err, errno, "making %s", path);
        journal->written = 0;
        return 0;
}

/* The first lines: who writes, how many views follow, the views. */
static void add_head(struct journal *journal, struct pod_store *store, usec_t now, usec_t now_wall)
{
        struct buf line CLEANUP_BUF = BUF_INIT(4096);

        buf_addf(&line, "{\"journal\":%d,\"segment\":%llu,\"run\":%llu,\"boot_id\":", JOURNAL_VERSION, journal->number,
                 (unsigned long long)journal->run);
        buf_add_json_string(&line, journal->boot_id, strlen(journal->boot_id));
        buf_addf(&line, ",\"program\":\"%s\",\"now\":%llu,\"now_wall\":%llu,\"views\":%zu}", GENPHASE_PROJECT_VERSION,
                 (unsigned long long)now, (unsigned long long)now_wall, pod_store_count(store));
        add_line(journal, buf_str(&line), line.len);
        pod_store_snapshot(store, now, now_wall);
        journal->head = journal->text.len;
}

static int write_head(struct journal *journal, struct pod_store *store, usec_t now, usec_t now_wall, struct err *err)
{
        int r;

        add_head(journal, store, now, now_wall);
        if (journal->lost)
                return err_set(err, ERR_LIMIT, "%s: the views at the head of a segment are larger than %d bytes",
                               journal->directory, LIMIT_JOURNAL_BUFFER);
        r = write_out(journal);
        return r < 0 ? err_set_errno(err, -r, "writing to %s", journal->directory) : 0;
}

static int begin_segment(struct journal *journal, struct pod_store *store, usec_t now, usec_t now_wall, struct err *err)
{
        int r;

        journal->fd = fd_close(journal->fd);
        journal->lost = false;
        buf_clear(&journal->text);
        r = open_segment(journal, err);
        if (r < 0)
                return r;
        /* An older segment goes for one that can be replayed, not for one that the disk does not take. */
        r = write_head(journal, store, now, now_wall, err);
        if (r >= 0)
                r = make_room(journal, err);
        if (r < 0) {
                char *path CLEANUP_FREE = journal_segment_path(journal->directory, journal->number);

                (void)unlink(path);
        }
        return r;
}

static bool segment_is_due(const struct journal *journal)
{
        return journal->fd < 0 || journal->lost ||
               (journal->written >= journal->segment_bytes && journal->written >= 2 * journal->head);
}

int journal_turn(struct journal *journal, struct pod_store *store, usec_t now, usec_t now_wall, struct err *err)
{
        int r = 0;

        if (journal->fd < 0 && now < journal->not_before)
                return 0;
        if (!journal->lost) {
                r = write_out(journal);
                if (r < 0)
                        r = err_set_errno(err, -r, "writing to %s", journal->directory);
        }
        if (r == 0 && segment_is_due(journal))
                r = begin_segment(journal, store, now, now_wall, err);
        if (r == 0) {
                journal->not_before = 0;
                return 0;
        }
        journal->fd = fd_close(journal->fd);
        buf_clear(&journal->text);
        /* Tried before without success: that was told already. */
        if (journal->not_before)
                r = 0;
        journal->not_before = usec_add(now, JOURNAL_RETRY_USEC);
        return r;
}
