/* SPDX-License-Identifier: Apache-2.0
 *
 * What lasts: the event stream and logs.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "docker/docker_call.h"
#include "docker/docker_decode.h"
#include "docker/docker_record.h"
#include "docker/docker_split.h"

/* ---- events ---- */

struct events_call {
        struct docker_call call;
        struct docker_lines lines;
        docker_done_fn connected;
        docker_event_fn event;
        struct err broken;
};

static void events_release(struct docker_call *call)
{
        docker_lines_release(&((struct events_call *)call)->lines);
}

static void on_events_head(struct docker_call *call)
{
        struct events_call *events = (struct events_call *)call;
        if (events->connected && !docker_call_muted(call))
                events->connected(call->userdata, NULL);
}

static bool on_event_line(void *userdata, const char *line, size_t len)
{
        struct events_call *events = userdata;
        struct docker_event_owned event;
        if (docker_call_muted(&events->call))
                return false;
        if (docker_decode_event(line, len, &event, &events->broken) < 0)
                return false;
        events->event(events->call.userdata, &event.event);
        docker_event_owned_release(&event);
        return true;
}

static bool on_events_data(struct docker_call *call, const char *data, size_t len)
{
        struct events_call *events = (struct events_call *)call;
        return docker_lines_feed(&events->lines, data, len, &events->broken) == 0;
}

static void on_events_end(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct events_call *events = (struct events_call *)call;
        struct err err = ERR_INIT;
        (void)response;
        if (events->broken.code) {
                err = events->broken;
                (void)err_wrap(&err, "Docker: event stream");
        } else if (!from) {
                (void)err_set(&err, ECONNRESET, "Docker: the event stream ended");
        }
        docker_call_finish(call, err.code ? &err : from);
}

static void add_time(struct buf *target, const char *key, usec_t t)
{
        buf_addf(target, "&%s=%" PRIu64 ".%06" PRIu64 "000", key, t / USEC_PER_SEC, t % USEC_PER_SEC);
}

struct docker_call *docker_op_events(struct docker *d, usec_t since, docker_done_fn connected, docker_event_fn event,
                                     docker_done_fn done, void *userdata)
{
        struct events_call *events = docker_call_new(d, sizeof(*events), (union docker_done){.done = done}, userdata);
        struct docker_call *call = &events->call;
        struct buf target = BUF_INIT(LIMIT_DOCKER_BODY);

        events->connected = connected;
        events->event = event;
        docker_lines_init(&events->lines, LIMIT_DOCKER_EVENT, on_event_line, events);
        call->release = events_release;
        call->head = on_events_head;
        call->data = on_events_data;
        buf_addstr(&target, "/events?filters=");
        buf_add_escaped(&target, "{\"type\":[\"container\"]}", "");
        /* The daemon sends the head of its answer a moment before it subscribes. With a time given it adds what it
         * remembers since then, so the moment is covered. */
        add_time(&target, "since", since ? since : clock_realtime());
        docker_call_send(call, "GET", buf_steal(&target, &(size_t){0}), USEC_INFINITY, on_events_end);
        return call;
}

/* ---- logs ---- */

struct logs_call {
        struct docker_call call;
        struct docker_output output;
        struct docker_records records;
        docker_done_fn connected;
        docker_data_fn data; /* NULL: records have it */
        docker_record_fn record;
        struct err broken;
};

static void logs_release(struct docker_call *call)
{
        docker_records_release(&((struct logs_call *)call)->records);
}

static void on_logs_head(struct docker_call *call)
{
        struct logs_call *logs = (struct logs_call *)call;
        if (logs->connected && !docker_call_muted(call))
                logs->connected(call->userdata, NULL);
}

static bool on_log_output(void *userdata, int stream, const char *data, size_t len)
{
        struct logs_call *logs = userdata;
        if (docker_call_muted(&logs->call))
                return false;
        if (logs->data)
                logs->data(logs->call.userdata, stream, data, len);
        else if (logs->output.format == DOCKER_OUTPUT_RAW)
                return docker_records_raw(&logs->records, data, len, &logs->broken) == 0;
        else
                return docker_records_frame(&logs->records, stream, data, len, logs->output.left == 0, &logs->broken) ==
                       0;
        return true;
}

static void on_log_record(void *userdata, const struct docker_record *record)
{
        struct logs_call *logs = userdata;
        if (!docker_call_muted(&logs->call))
                logs->record(logs->call.userdata, record);
}

static bool on_logs_data(struct docker_call *call, const char *data, size_t len)
{
        struct logs_call *logs = (struct logs_call *)call;
        return docker_output_feed(&logs->output, data, len, &logs->broken) == 0;
}

static void on_logs_end(struct docker_call *call, const struct curl_glue_response *response, const struct err *from)
{
        struct logs_call *logs = (struct logs_call *)call;
        struct err err = ERR_INIT;
        (void)response;
        if (!from && docker_output_end(&logs->output, &logs->broken) == 0)
                docker_records_end(&logs->records);
        if (logs->broken.code) {
                err = logs->broken;
                (void)err_wrap(&err, "Docker: logs");
        }
        docker_call_finish(call, err.code ? &err : from);
}

struct docker_call *docker_op_logs(struct docker *d, const struct docker_logs *request, void *userdata)
{
        struct logs_call *logs =
                docker_call_new(d, sizeof(*logs), (union docker_done){.done = request->done}, userdata);
        struct docker_call *call = &logs->call;
        struct buf rest CLEANUP_BUF = BUF_INIT(LIMIT_DOCKER_BODY);

        logs->connected = request->connected;
        logs->data = request->record ? NULL : request->data;
        logs->record = request->record;
        docker_records_init(&logs->records, on_log_record, logs);
        call->release = logs_release;
        docker_output_init(&logs->output, on_log_output, logs);
        call->head = on_logs_head;
        call->data = on_logs_data;
        buf_addf(&rest, "/logs?stdout=1&stderr=1&timestamps=%d&follow=%d", request->timestamps || request->record,
                 request->follow);
        if (request->tail >= 0)
                buf_addf(&rest, "&tail=%" PRId64, request->tail);
        if (request->since)
                add_time(&rest, "since", request->since);
        docker_call_send(call, "GET", docker_target_container(request->id, buf_str(&rest)),
                         request->follow || request->unhurried ? USEC_INFINITY : DOCKER_TIMEOUT_ACT, on_logs_end);
        return call;
}
