/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "codec/timefmt.h"
#include "docker/docker_record.h"

/* What Docker keeps of a longer line in one record (daemon/logger/copier.go, defaultBufSize). */
#define PIECE (16 * 1024)

void docker_records_init(struct docker_records *records, docker_record_fn fn, void *userdata)
{
        *records = (struct docker_records){.held = BUF_INIT(LIMIT_DOCKER_LOG_RECORD), .fn = fn, .userdata = userdata};
}

void docker_records_release(struct docker_records *records)
{
        buf_release(&records->held);
}

/* Bytes of the time and the space that the text begins with; 0: with none. */
static size_t stamp_length(const char *text, size_t len)
{
        const char *space = len ? memchr(text, ' ', len < TIMEFMT_MAX ? len : TIMEFMT_MAX) : NULL;
        size_t part = space ? (size_t)(space - text) : 0;
        char stamp[TIMEFMT_MAX + 1];
        usec_t at;

        memcpy(stamp, text, part);
        stamp[part] = '\0';
        return part > 0 && timefmt_parse(stamp, &at) == 0 ? part + 1 : 0;
}

/* The first len bytes of what is held are a record behind its time. */
static void give(struct docker_records *records, size_t stamp, size_t len)
{
        char time[TIMEFMT_MAX + 1] = "";

        if (stamp > 0)
                memcpy(time, records->held.data, stamp - 1);
        records->fn(records->userdata, &(const struct docker_record){.stream = records->stream,
                                                                     .time = time,
                                                                     .text = records->held.data + stamp,
                                                                     .len = len - stamp});
}

static void drop(struct docker_records *records, size_t from, size_t len)
{
        struct buf *held = &records->held;

        memmove(held->data + from, held->data + from + len, held->len - from - len + 1);
        held->len -= len;
}

/* Adds what there is room for; what fills the room is given as a piece, and its time stays for the next. */
static int add(struct docker_records *records, const char *data, size_t len, struct err *err)
{
        struct buf *held = &records->held;

        while (len > 0) {
                size_t room = held->max - held->len, part = len < room ? len : room, stamp;
                int r;

                buf_add(held, data, part);
                r = buf_check(held, "a log", err);
                if (r < 0)
                        return r;
                data += part;
                len -= part;
                if (held->len < held->max)
                        continue;
                stamp = stamp_length(held->data, held->len);
                give(records, stamp, held->len);
                drop(records, stamp, held->len - stamp);
        }
        return 0;
}

void docker_records_end(struct docker_records *records)
{
        struct buf *held = &records->held;
        size_t stamp = held->len ? stamp_length(held->data, held->len) : 0;

        if (held->len > stamp)
                give(records, stamp, held->len);
        buf_clear(held);
}

int docker_records_frame(struct docker_records *records, int stream, const char *data, size_t len, bool ends,
                         struct err *err)
{
        int r;

        records->stream = stream;
        r = add(records, data, len, err);
        if (r == 0 && ends)
                docker_records_end(records);
        return r;
}

/* Gives the pieces of a long line that another time stands behind. */
static void give_pieces(struct docker_records *records)
{
        struct buf *held = &records->held;

        for (;;) {
                size_t stamp = held->len > PIECE ? stamp_length(held->data, held->len) : 0, piece = stamp + PIECE;

                if (stamp == 0 || held->len <= piece || !stamp_length(held->data + piece, held->len - piece))
                        return;
                give(records, stamp, piece);
                drop(records, 0, piece);
        }
}

int docker_records_raw(struct docker_records *records, const char *data, size_t len, struct err *err)
{
        int r = 0;

        records->stream = 1;
        while (r == 0 && len > 0) {
                const char *end = memchr(data, '\n', len);
                size_t part = end ? (size_t)(end - data) + 1 : len;

                /* No more at once than what fits beside a piece: a time behind it is seen before the room is full. */
                part = part < PIECE ? part : PIECE;
                r = add(records, data, part, err);
                if (r < 0)
                        return r;
                give_pieces(records);
                if (data[part - 1] == '\n')
                        docker_records_end(records);
                data += part;
                len -= part;
        }
        return r;
}
