/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "node/event_log.h"
#include "node/event_store.h"
#include "node/plain_json.h"

#define FILE_MODE 0600
#define DIRECTORY_MODE 0700
/* A file below this is never worth to be written anew. */
#define GROWTH_MIN (256 * 1024)

struct event_store {
        char *path;
        struct event_log *log;
        int fd; /* appends; -1: the file is to be written anew */
        size_t size, limit;
        struct buf lines;  /* to be appended */
        bool pending;      /* there is something to write, be it more than lines holds */
        usec_t not_before; /* after a failure; 0: the last write went well */
};

static const struct plain_field fields[] = {
        PLAIN(PLAIN_USEC, struct event_log_entry, first),     PLAIN(PLAIN_USEC, struct event_log_entry, last),
        PLAIN(PLAIN_UNSIGNED, struct event_log_entry, count), PLAIN(PLAIN_STRING, struct event_log_entry, key),
        PLAIN(PLAIN_STRING, struct event_log_entry, uid),     PLAIN(PLAIN_STRING, struct event_log_entry, object),
        PLAIN(PLAIN_BOOL, struct event_log_entry, warning),   PLAIN(PLAIN_STRING, struct event_log_entry, reason),
        PLAIN(PLAIN_STRING, struct event_log_entry, message), PLAIN_END,
};

static void write_line(const struct event_log_entry *entry, struct buf *out)
{
        plain_write(fields, entry, out);
        buf_addch(out, '\n');
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool read_line(struct event_log *log, const char *line, size_t len)
{
        struct value *value CLEANUP_VALUE = NULL;
        struct event_log_entry entry = {0};
        bool good = json_load("events", line, len, &value, NULL) >= 0 && plain_read(fields, value, &entry, NULL) >= 0;

        if (good)
                event_log_restore(log, &entry);
        plain_release(fields, &entry);
        return good;
}

static char *load(struct event_store *store, const char *text, size_t len)
{
        const char *end = text + len;
        unsigned bad = 0;

        while (text < end) {
                const char *stop = memchr(text, '\n', (size_t)(end - text));

                /* A last line without its end was being written when the machine went down. */
                if (!stop)
                        break;
                if (!read_line(store->log, text, (size_t)(stop - text)))
                        bad++;
                text = stop + 1;
        }
        return bad ? xasprintf("%s: %u lines are no events", store->path, bad) : NULL;
}

struct event_store *event_store_new(const char *path, struct event_log *log, char **ret_problem)
{
        struct event_store *store = xcalloc(1, sizeof(*store));
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_EVENT_FILE);
        struct err err = ERR_INIT;
        int r;

        store->path = xstrdup(path);
        store->log = log;
        store->lines = BUF_INIT(LIMIT_EVENT_FILE);
        store->fd = -1; /* the first event after a start writes the file anew, without what has dropped out */
        *ret_problem = NULL;
        r = file_read(path, &text, &err);
        if (r >= 0)
                *ret_problem = load(store, buf_str(&text), text.len);
        else if (r != -ENOENT)
                *ret_problem = xstrdup(err.msg);
        return store;
}

struct event_store *event_store_free(struct event_store *store)
{
        if (!store)
                return NULL;
        (void)fd_close(store->fd);
        buf_release(&store->lines);
        free(store->path);
        free(store);
        return NULL;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static int write_all(struct event_store *store, struct err *err)
{
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_EVENT_FILE);
        char *directory CLEANUP_FREE = file_dirname(store->path);
        int r;

        for (size_t i = 0; i < event_log_count(store->log); i++)
                write_line(event_log_get(store->log, i), &text);
        r = buf_check(&text, "the events", err);
        if (r >= 0)
                r = file_mkdir_p(directory, DIRECTORY_MODE, err);
        if (r >= 0)
                r = file_write_atomic(store->path, buf_str(&text), text.len, FILE_MODE, FILE_WRITE_NO_SYNC, err);
        if (r < 0)
                return r;
        store->fd = open(store->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        store->size = text.len;
        store->limit = 2 * text.len > GROWTH_MIN ? 2 * text.len : GROWTH_MIN;
        return store->fd < 0 ? err_set_errno(err, errno, "opening %s", store->path) : 0;
}

void event_store_add(struct event_store *store, const struct event_log_entry *entry)
{
        store->pending = true;
        /* Without a file to append to, all that the log holds is written. */
        if (store->fd >= 0)
                write_line(entry, &store->lines);
}

static int append(struct event_store *store, struct err *err)
{
        int r = fd_write_all(store->fd, buf_str(&store->lines), store->lines.len);

        store->size += store->lines.len;
        return r < 0 ? err_set_errno(err, -r, "writing %s", store->path) : 0;
}

static bool must_be_written_anew(const struct event_store *store)
{
        struct stat st;

        /* Links of 0: somebody took the file away. */
        return store->fd < 0 || store->lines.failed || store->size > store->limit || fstat(store->fd, &st) < 0 ||
               st.st_nlink == 0;
}

int event_store_write(struct event_store *store, usec_t now, struct err *err)
{
        int r;

        if (!store->pending || now < store->not_before)
                return 1;
        if (must_be_written_anew(store)) {
                store->fd = fd_close(store->fd);
                r = write_all(store, err);
        } else {
                r = append(store, err);
        }
        buf_clear(&store->lines);
        store->pending = r < 0;
        store->not_before = r < 0 ? usec_add(now, EVENT_STORE_RETRY_USEC) : 0;
        if (r < 0)
                store->fd = fd_close(store->fd);
        return r;
}

usec_t event_store_again(const struct event_store *store)
{
        return store->pending ? store->not_before : USEC_INFINITY;
}
