/* SPDX-License-Identifier: Apache-2.0
 *
 * podwatch history, diff: versions of manifests, from disk.
 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/revision.h"
#include "node/revision_history.h"
#include "podwatch.h"

/* Of diff, as diff(1): 1 is a difference. */
#define DIFF_ERROR 2

static void print_json(const cJSON *object)
{
        char *text = cJSON_Print(object);

        (void)printf("%s\n", text ? text : "{}");
        cJSON_free(text);
}

static void cleanup_revisions(struct revisions **revisions)
{
        *revisions = revisions_free(*revisions);
}
#define CLEANUP_REVISIONS __attribute__((cleanup(cleanup_revisions)))

int verb_history(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct revisions *revisions CLEANUP_REVISIONS = revisions_new(p->state, 0);
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct buf table CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *history CLEANUP_CJSON = NULL;
        struct err err = ERR_INIT;

        if (revision_history_find(revisions, args->items[0], &pod, &err) < 0 ||
            revision_history_json(revisions, &pod, &history, &err) < 0)
                return podwatch_fail(&err);
        if (str_eq(p->output, "json")) {
                print_json(history);
                return 0;
        }
        revision_history_table(history, clock_realtime(), &table);
        (void)fputs(buf_str(&table), stdout);
        return 0;
}

int podwatch_revision(const char *word, unsigned *ret, struct err *err)
{
        int number;

        if (str_to_int(word, 1, 1000000000, &number) < 0)
                return err_set(err, ERR_USAGE, "%s is no revision: `podwatch history` lists them by number", word);
        *ret = (unsigned)number;
        return 0;
}

/* from and to; to 0 is the file as it is now. */
static int choose(struct revisions *revisions, const struct revision_pod *pod, const struct strv *args,
                  unsigned *ret_from, unsigned *ret_to, struct err *err)
{
        struct buf same CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        int r;

        *ret_to = pod->current ? pod->current : pod->numbers[pod->count - 1];
        if (args->len > 1) {
                r = podwatch_revision(args->items[1], ret_from, err);
                return r < 0 || args->len < 3 ? r : podwatch_revision(args->items[2], ret_to, err);
        }
        *ret_from = *ret_to;
        if (pod->file && revision_history_diff(revisions, pod, *ret_from, 0, &same, err) == 0 && same.len > 0) {
                *ret_to = 0;
                return 0;
        }
        err_clear(err);
        *ret_from = revision_history_before(pod, *ret_to);
        if (*ret_from == 0)
                return err_set(err, ENOENT, "no revision before %u of %s/%s is kept", *ret_to, pod->namespace,
                               pod->name);
        return 0;
}

static int print_fields(struct revisions *revisions, const struct revision_pod *pod, unsigned from, unsigned to,
                        struct err *err)
{
        cJSON *fields CLEANUP_CJSON = NULL;

        if (to == 0)
                return err_set(err, ERR_USAGE, "%s is not in force: `podwatch plan %s` tells its fields", pod->file,
                               pod->file);
        if (revision_history_fields(revisions, pod, from, to, &fields, err) < 0)
                return -err->code;
        print_json(fields);
        return cJSON_GetArraySize(fields) > 0;
}

int verb_diff(void *userdata, const struct strv *args)
{
        const struct podwatch *p = userdata;
        struct revisions *revisions CLEANUP_REVISIONS = revisions_new(p->state, 0);
        struct revision_pod pod CLEANUP_REVISION_POD = {0};
        struct buf text CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        struct err err = ERR_INIT;
        unsigned from = 0, to = 0;
        int r = revision_history_find(revisions, args->items[0], &pod, &err);

        if (r >= 0)
                r = choose(revisions, &pod, args, &from, &to, &err);
        if (r >= 0 && str_eq(p->output, "json"))
                r = print_fields(revisions, &pod, from, to, &err);
        else if (r >= 0)
                r = revision_history_diff(revisions, &pod, from, to, &text, &err);
        if (r < 0) {
                (void)podwatch_fail(&err);
                return DIFF_ERROR;
        }
        (void)fputs(buf_str(&text), stdout);
        return r > 0 || text.len > 0;
}
