/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/timefmt.h"
#include "codec/value.h"
#include "docker/docker_log_file.h"
#include "docker/docker_split.h"

#define FRACTION_DIGITS 9

struct docker_log_file {
        struct {
                int fd;
                off_t size;              /* when it was opened */
        } files[LIMIT_DOCKER_LOG_FILES]; /* the newest first */
        size_t count;
        size_t at;    /* the one that is read */
        off_t place;  /* in it */
        bool looking; /* for the first line that is wanted, from the end; then the other way */
        int64_t left; /* lines to go back yet */
        struct docker_log_wanted wanted;
        struct docker_lines lines;
        struct buf *out; /* of the step */
};

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int open_one(const char *path, struct docker_log_file *file, struct err *err)
{
        int fd CLEANUP_FD = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return err_set_errno(err, errno, "reading the log %s", path);
        if (!S_ISREG(st.st_mode))
                return err_set(err, ERR_INVALID, "reading the log %s: no regular file", path);
        file->files[file->count].size = st.st_size;
        file->files[file->count++].fd = TAKE_FD(fd);
        return 0;
}

static bool on_line(void *userdata, const char *line, size_t len);

int docker_log_file_open(const char *path, const struct docker_log_wanted *wanted, struct docker_log_file **ret,
                         struct err *err)
{
        struct docker_log_file *file = xcalloc(1, sizeof(*file));
        struct err none = ERR_INIT;
        int r;

        file->wanted = *wanted;
        docker_lines_init(&file->lines, LIMIT_DOCKER_LOG_RECORD, on_line, file);
        r = open_one(path, file, err);
        if (r < 0) {
                docker_log_file_free(file);
                return r;
        }
        while (file->count < LIMIT_DOCKER_LOG_FILES) {
                char *older CLEANUP_FREE = xasprintf("%s.%zu", path, file->count);

                if (open_one(older, file, &none) < 0)
                        break;
        }
        file->looking = wanted->tail >= 0;
        file->left = wanted->tail;
        file->at = file->looking ? 0 : file->count - 1;
        file->place = file->looking ? file->files[0].size : 0;
        *ret = file;
        return 0;
}

struct docker_log_file *docker_log_file_free(struct docker_log_file *file)
{
        if (!file)
                return NULL;
        for (size_t i = 0; i < file->count; i++)
                (void)close(file->files[i].fd);
        docker_lines_release(&file->lines);
        free(file);
        return NULL;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

/* RFC3339Nano leaves zeros at the end of the fraction out, what Docker shows has them. */
static void add_time(struct buf *out, const char *time)
{
        size_t whole = strcspn(time, ".Z"), digits = time[whole] == '.' ? strspn(time + whole + 1, "0123456789") : 0;
        const char *zone = time + whole + (digits ? digits + 1 : 0);

        buf_add(out, time, whole);
        buf_addch(out, '.');
        buf_add(out, time + whole + 1, digits);
        for (size_t i = digits; i < FRACTION_DIGITS; i++)
                buf_addch(out, '0');
        buf_addstr(out, zone);
}

static void give_record(const struct docker_log_file *file, const char *stream, const char *time,
                        const struct value *text)
{
        struct buf whole CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_LOG_RECORD);

        add_time(&whole, time);
        file->wanted.record(file->wanted.userdata,
                            &(const struct docker_record){.stream = str_eq(stream, "stderr") ? 2 : 1,
                                                          .time = buf_str(&whole),
                                                          .text = text->text,
                                                          .len = text->len});
}

static bool on_line(void *userdata, const char *line, size_t len)
{
        struct docker_log_file *file = userdata;
        struct value *record CLEANUP_VALUE = NULL;
        struct err err = ERR_INIT;
        const struct value *text;
        const char *time;
        usec_t at = 0;

        if (json_load(NULL, line, len, &record, &err) < 0 || !value_is(record, VALUE_MAP))
                return true;
        text = value_map_get(record, "log");
        time = value_string(value_map_get(record, "time"), "");
        if (!value_is(text, VALUE_STRING) || timefmt_parse(time, &at) < 0 || at < file->wanted.since)
                return true;
        if (file->wanted.record) {
                give_record(file, value_string(value_map_get(record, "stream"), ""), time, text);
                return true;
        }
        if (file->wanted.timestamps) {
                add_time(file->out, time);
                buf_addch(file->out, ' ');
        }
        buf_add(file->out, text->text, text->len);
        return true;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* Reads up to len bytes at `place`; what is not there any more (the file was cut) is as nothing. */
static ssize_t read_at(const struct docker_log_file *file, char *data, off_t place, size_t len, struct err *err)
{
        ssize_t n;

        do
                n = pread(file->files[file->at].fd, data, len, place);
        while (n < 0 && errno == EINTR);
        return n < 0 ? err_set_errno(err, errno, "reading a log") : n;
}

/* One block towards the beginning. A line that has not ended comes on top of those that are counted. */
static int look_back(struct docker_log_file *file, struct err *err)
{
        size_t len = file->place < DOCKER_LOG_STEP ? (size_t)file->place : DOCKER_LOG_STEP;
        char *data CLEANUP_FREE = xmalloc(DOCKER_LOG_STEP);
        ssize_t n = read_at(file, data, file->place - (off_t)len, len, err);

        if (n < 0)
                return (int)n;
        file->place -= (off_t)len;
        for (const char *end = data + n; (end = memrchr(data, '\n', (size_t)(end - data)));) {
                if (file->left-- > 0)
                        continue;
                file->place += end + 1 - data;
                file->looking = false;
                return 1;
        }
        if (file->place > 0)
                return 1;
        if (file->at + 1 < file->count)
                file->place = file->files[++file->at].size;
        else
                file->looking = false;
        return 1;
}

int docker_log_file_step(struct docker_log_file *file, struct buf *out, struct err *err)
{
        off_t left = file->files[file->at].size - file->place;
        char *data CLEANUP_FREE = NULL;
        ssize_t n = 0;
        int r;

        if (file->looking)
                return look_back(file, err);
        data = xmalloc(DOCKER_LOG_STEP);
        if (left > 0)
                n = read_at(file, data, file->place, left < DOCKER_LOG_STEP ? (size_t)left : DOCKER_LOG_STEP, err);
        if (n < 0)
                return (int)n;
        if (n > 0) {
                file->place += n;
                file->out = out;
                r = docker_lines_feed(&file->lines, data, (size_t)n, err);
                return r < 0 ? r : 1;
        }
        /* What stands behind the last end of a line is half of one. */
        buf_clear(&file->lines.rest);
        if (file->at == 0)
                return 0;
        file->at--;
        file->place = 0;
        return 1;
}
