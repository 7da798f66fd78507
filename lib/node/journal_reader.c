/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/hash.h"
#include "node/journal.h"
#include "node/journal_segment.h"

struct journal_reader {
        struct strv paths;
        size_t next; /* path to open next */
        FILE *file;  /* NULL: between segments */
        char *line;
        size_t line_cap;
        unsigned long line_number;
        unsigned torn;
        char *place;
};

int journal_reader_new(const char *path, struct journal_reader **ret, struct err *err)
{
        struct journal_segments list = {0};
        struct journal_reader *reader;
        struct stat st;
        int r;

        if (stat(path, &st) < 0)
                return err_set_errno(err, errno, "reading %s", path);
        if (S_ISDIR(st.st_mode)) {
                r = journal_segments_list(path, &list, err);
                if (r < 0)
                        return r;
                if (!list.count)
                        return err_set(err, ENOENT, "%s: no segments of a journal (NNNNNNNN.journal)", path);
        }
        reader = xcalloc(1, sizeof(*reader));
        for (size_t i = 0; i < list.count; i++)
                strv_take(&reader->paths, journal_segment_path(path, list.numbers[i]));
        if (!S_ISDIR(st.st_mode))
                strv_add(&reader->paths, path);
        free(list.numbers);
        *ret = reader;
        return 0;
}

static void close_segment(struct journal_reader *reader)
{
        if (reader->file)
                (void)fclose(reader->file);
        reader->file = NULL;
}

struct journal_reader *journal_reader_free(struct journal_reader *reader)
{
        if (!reader)
                return NULL;
        close_segment(reader);
        strv_release(&reader->paths);
        free(reader->line);
        free(reader->place);
        free(reader);
        return NULL;
}

static int open_next(struct journal_reader *reader, struct err *err)
{
        const char *path;

        if (reader->next == reader->paths.len)
                return 1;
        path = reader->paths.items[reader->next++];
        reader->file = fopen(path, "re");
        reader->line_number = 0;
        return reader->file ? 0 : err_set_errno(err, errno, "reading %s", path);
}

/* A line that is whole: ends in a newline, has no NUL, and its hash is right. Cuts off the newline. */
static bool check_line(char *line, size_t len, const char **ret_text, size_t *ret_len)
{
        char hash[9];

        if (len < 11 || line[len - 1] != '\n' || line[8] != ' ' || strlen(line) != len)
                return false;
        line[len - 1] = '\0';
        *ret_text = line + 9;
        *ret_len = len - 10;
        (void)snprintf(hash, sizeof(hash), "%08x", hash_fnv32a(*ret_text, *ret_len));
        return memcmp(hash, line, 8) == 0;
}

/* Reads up to a newline, LIMIT_NODE_RECORD at most: what is longer was not written by us. */
static ssize_t read_line(struct journal_reader *reader)
{
        size_t len = 0;
        int c;

        while ((c = getc(reader->file)) != EOF) {
                if (len + 2 > reader->line_cap) {
                        reader->line_cap = reader->line_cap ? reader->line_cap * 2 : 4096;
                        reader->line = xrealloc(reader->line, reader->line_cap, 1);
                }
                reader->line[len++] = (char)c;
                reader->line[len] = '\0';
                if (c == '\n' || len > LIMIT_NODE_RECORD + 16)
                        break;
        }
        return (ssize_t)len;
}

int journal_reader_next(struct journal_reader *reader, const char **ret_text, size_t *ret_len, struct err *err)
{
        for (;;) {
                ssize_t len;
                int r = reader->file ? 0 : open_next(reader, err);

                if (r != 0)
                        return r;
                len = read_line(reader);
                if (len > 0 && check_line(reader->line, (size_t)len, ret_text, ret_len)) {
                        reader->line_number++;
                        free(reader->place);
                        reader->place = xasprintf("%s:%lu", reader->paths.items[reader->next - 1], reader->line_number);
                        return 0;
                }
                if (ferror(reader->file))
                        return err_set(err, EIO, "reading %s", reader->paths.items[reader->next - 1]);
                reader->torn += len > 0;
                close_segment(reader);
        }
}

const char *journal_reader_place(const struct journal_reader *reader)
{
        return reader->place ? reader->place : "";
}

unsigned journal_reader_torn(const struct journal_reader *reader)
{
        return reader->torn;
}

unsigned journal_reader_segments(const struct journal_reader *reader)
{
        return (unsigned)reader->next;
}
