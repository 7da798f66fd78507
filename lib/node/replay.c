/* SPDX-License-Identifier: Apache-2.0 */
#include <uthash.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/json.h"
#include "codec/value.h"
#include "node/journal.h"
#include "node/journal_segment.h"
#include "node/plain_json.h"
#include "node/pod_change.h"
#include "node/pod_view_json.h"
#include "node/replay.h"

struct replay_view {
        struct pod_view *view;
        UT_hash_handle hh;
};

struct replay {
        struct replay_view *views;
        struct replay_count count;
        uint64_t run;  /* of the segment being read */
        uint64_t head; /* views of its head that are still to come */
        struct pod_plan plan;
        struct buf text;
        replay_difference_fn difference;
        void *userdata;
};

struct replay *replay_new(replay_difference_fn difference, void *userdata)
{
        struct replay *replay = xcalloc(1, sizeof(*replay));

        replay->difference = difference;
        replay->userdata = userdata;
        replay->text = BUF_INIT(LIMIT_NODE_RECORD);
        return replay;
}

static void view_free(struct replay *replay, struct replay_view *v)
{
        HASH_DEL(replay->views, v);
        pod_view_free(v->view);
        free(v);
}

static void forget_all(struct replay *replay)
{
        struct replay_view *v, *next;

        HASH_ITER (hh, replay->views, v, next)
                view_free(replay, v);
}

struct replay *replay_free(struct replay *replay)
{
        if (!replay)
                return NULL;
        forget_all(replay);
        pod_plan_release(&replay->plan);
        buf_release(&replay->text);
        free(replay);
        return NULL;
}

const struct replay_count *replay_counts(const struct replay *replay)
{
        return &replay->count;
}

static struct replay_view *find(const struct replay *replay, const char *key)
{
        struct replay_view *v;

        HASH_FIND_STR(replay->views, key, v);
        return v;
}

static void differs(struct replay *replay, const char *what, const char *recorded, const char *now)
{
        replay->count.differences++;
        if (replay->difference)
                replay->difference(replay->userdata, what, recorded, now);
}

/* --- kinds of records ----------------------------------------------------------------------------------------- */

/* Head of a segment. Within one run the views of its head must be those that we have; another run begins anew. */
static int record_head(struct replay *replay, const struct value *v, struct err *err)
{
        uint64_t run, views;
        int64_t version;
        int r;

        if (value_int(value_map_get(v, "journal"), &version) < 0 || version != JOURNAL_VERSION)
                return value_error(&v->place, err, ERR_INVALID, "journal: not of version %d", JOURNAL_VERSION);
        r = plain_usec(v, "run", &run, err);
        if (r == 0)
                r = plain_usec(v, "views", &views, err);
        if (r < 0)
                return r;
        if (run != replay->run || !replay->count.runs) {
                forget_all(replay);
                replay->count.runs++;
        }
        replay->run = run;
        replay->head = views;
        return 0;
}

static int record_view(struct replay *replay, const struct value *v, struct err *err)
{
        struct pod_view *view = NULL;
        struct replay_view *known;
        int r = pod_view_json_read(v, &view, err);

        if (r < 0)
                return r;
        known = find(replay, view->key);
        if (replay->head > 0) {
                replay->head--;
                if (known) {
                        struct buf ours CLEANUP_BUF = BUF_INIT(LIMIT_NODE_RECORD);

                        buf_clear(&replay->text);
                        pod_view_json_write(view, &replay->text);
                        pod_view_json_write(known->view, &ours);
                        if (!str_eq(buf_str(&replay->text), buf_str(&ours)))
                                differs(replay, "view", buf_str(&replay->text), buf_str(&ours));
                }
        }
        if (known)
                view_free(replay, known);
        known = xcalloc(1, sizeof(*known));
        known->view = view;
        HASH_ADD_KEYPTR(hh, replay->views, view->key, strlen(view->key), known);
        return 0;
}

static int record_step(struct replay *replay, struct replay_view *v, const struct value *record, const char *text,
                       struct err *err)
{
        usec_t now;
        int r = plain_usec(record, "now", &now, err);

        if (r < 0)
                return r;
        pod_step(v->view, now, &replay->plan);
        buf_clear(&replay->text);
        pod_plan_write(v->view->key, now, &replay->plan, &replay->text);
        replay->count.steps++;
        replay->count.actions += replay->plan.count;
        if (!str_eq(buf_str(&replay->text), text))
                differs(replay, "step", text, buf_str(&replay->text));
        for (size_t i = 0; i < replay->plan.count; i++)
                (void)pod_apply_action(v->view, &replay->plan.actions[i], now);
        return 0;
}

static int record_change(struct replay *replay, struct replay_view *v, const struct value *record, struct err *err)
{
        struct pod_change change;
        int r = pod_change_read(record, &change, err);

        if (r < 0)
                return r;
        /* What podwatch could not take in then (a broken state file), it cannot now either. */
        (void)pod_change_apply(v->view, &change, NULL);
        pod_change_release(&change);
        replay->count.changes++;
        return 0;
}

int replay_record(struct replay *replay, const char *text, size_t len, struct err *err)
{
        struct value *v CLEANUP_VALUE = NULL;
        const struct value *view;
        const char *key, *forget;
        struct replay_view *known;
        int r = json_load(NULL, text, len, &v, err);

        if (r < 0)
                return r;
        replay->count.records++;
        if (value_map_get(v, "journal"))
                return record_head(replay, v, err);
        view = value_map_get(v, "view");
        if (view)
                return record_view(replay, view, err);
        forget = value_string(value_map_get(v, "forget"), NULL);
        key = forget ? forget : value_string(value_map_get(v, "key"), NULL);
        known = key ? find(replay, key) : NULL;
        if (!known)
                return err_set(err, ERR_INVALID, "a record of %s, which no view was recorded of", key ? key : "no pod");
        if (forget) {
                view_free(replay, known);
                return 0;
        }
        if (value_map_get(v, "step"))
                return record_step(replay, known, v, text, err);
        return record_change(replay, known, v, err);
}

int replay_journal(const char *path, replay_difference_fn difference, void *userdata, struct replay_count *ret,
                   struct err *err)
{
        struct journal_reader *reader;
        struct replay *replay;
        const char *text;
        size_t len;
        int r = journal_reader_new(path, &reader, err);

        if (r < 0)
                return r;
        replay = replay_new(difference, userdata);
        while ((r = journal_reader_next(reader, &text, &len, err)) == 0) {
                r = replay_record(replay, text, len, err);
                if (r < 0) {
                        r = err_wrap(err, "%s", journal_reader_place(reader));
                        break;
                }
        }
        if (r > 0) {
                *ret = *replay_counts(replay);
                r = ret->differences > 0;
        }
        replay_free(replay);
        journal_reader_free(reader);
        return r;
}
