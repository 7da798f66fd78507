/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/cjson_get.h"
#include "codec/timefmt.h"
#include "node/pod_find.h"
#include "node/status_table.h"

#define COLUMNS_MAX 9
#define CELL_MAX 256
#define INDENT "  "

struct row {
        char cells[COLUMNS_MAX][CELL_MAX];
};

struct table {
        struct row *rows;
        size_t count, columns;
};

/* --- words -------------------------------------------------------------------------------------------------------- */

static const cJSON *state_of(const cJSON *container, const char *which)
{
        return cjson_get(container, "state", which, NULL);
}

/* Reason of a container that is not running well, "" for one that is (kubectl's printPod). */
static void container_word(const cJSON *container, char *ret_text, size_t size)
{
        const cJSON *waiting = state_of(container, "waiting"), *ended = state_of(container, "terminated");
        const char *reason = cjson_text(waiting ? waiting : ended, "reason", "");

        if (*reason)
                (void)snprintf(ret_text, size, "%s", reason);
        else if (ended && cjson_int(ended, "signal", 0))
                (void)snprintf(ret_text, size, "Signal:%" PRId64, cjson_int(ended, "signal", 0));
        else if (ended)
                (void)snprintf(ret_text, size, "ExitCode:%" PRId64, cjson_int(ended, "exitCode", 0));
        else
                (void)snprintf(ret_text, size, "%s", "");
}

/* "Init:..." while an init container keeps the pod from going on. */
static bool init_word(const cJSON *status, char *ret_text, size_t size)
{
        const cJSON *list = cjson_get(status, "initContainerStatuses", NULL), *c;
        int done = 0, total = cJSON_GetArraySize(list);

        cJSON_ArrayForEach (c, list) {
                const cJSON *ended = state_of(c, "terminated"), *waiting = state_of(c, "waiting");
                char word[CELL_MAX];

                if (ended && cjson_int(ended, "exitCode", 0) == 0) {
                        done++;
                        continue;
                }
                if (state_of(c, "running") && cjson_bool(c, "started")) { /* a sidecar that is up */
                        done++;
                        continue;
                }
                container_word(c, word, sizeof(word));
                if (ended || (waiting && *word && !str_eq(word, "PodInitializing")))
                        (void)snprintf(ret_text, size, "Init:%s", word);
                else
                        (void)snprintf(ret_text, size, "Init:%d/%d", done, total);
                return true;
        }
        return false;
}

void status_word(const struct cJSON *pod_status, bool stopping, char *ret_text, unsigned long size)
{
        const cJSON *list = cjson_get(pod_status, "containerStatuses", NULL), *c;
        const char *reason = cjson_text(pod_status, "reason", "");
        bool running = false;

        (void)snprintf(ret_text, size, "%s", *reason ? reason : cjson_text(pod_status, "phase", "Pending"));
        if (stopping) {
                (void)snprintf(ret_text, size, "Terminating");
                return;
        }
        if (init_word(pod_status, ret_text, size))
                return;
        for (int i = cJSON_GetArraySize(list); i-- > 0;) {
                char word[CELL_MAX];

                c = cJSON_GetArrayItem(list, i);
                container_word(c, word, sizeof(word));
                if (*word)
                        (void)snprintf(ret_text, size, "%s", word);
                running = running || (cjson_bool(c, "ready") && state_of(c, "running"));
        }
        if (str_eq(ret_text, "Completed") && running)
                (void)snprintf(ret_text, size, "Running");
}

/* --- table -------------------------------------------------------------------------------------------------------- */

static usec_t time_of(const cJSON *object, const char *key)
{
        usec_t t = 0;

        (void)timefmt_parse(cjson_text(object, key, ""), &t);
        return t;
}

static void age_text(usec_t now, usec_t then, char ret_text[TIMEFMT_MAX])
{
        if (then == 0)
                (void)snprintf(ret_text, TIMEFMT_MAX, "<none>");
        else
                duration_human(usec_sub(now, then), ret_text);
}

static void counts(const cJSON *status, int *ret_ready, int64_t *ret_restarts, usec_t *ret_last)
{
        const cJSON *c;

        *ret_ready = 0;
        *ret_restarts = 0;
        *ret_last = 0;
        cJSON_ArrayForEach (c, cjson_get(status, "containerStatuses", NULL)) {
                usec_t ended = time_of(cjson_get(c, "lastState", "terminated", NULL), "finishedAt");

                *ret_ready += cjson_bool(c, "ready") && state_of(c, "running");
                *ret_restarts += cjson_int(c, "restartCount", 0);
                if (ended > *ret_last)
                        *ret_last = ended;
        }
}

static void fill_row(const cJSON *pod, usec_t now, struct row *row)
{
        const cJSON *status = cjson_get(pod, "status", NULL);
        char age[TIMEFMT_MAX], ago[TIMEFMT_MAX];
        int64_t restarts;
        usec_t last;
        int ready;

        counts(status, &ready, &restarts, &last);
        (void)snprintf(row->cells[0], CELL_MAX, "%s", cjson_text(pod, "namespace", ""));
        (void)snprintf(row->cells[1], CELL_MAX, "%s", cjson_text(pod, "name", ""));
        (void)snprintf(row->cells[2], CELL_MAX, "%d/%" PRId64, ready, cjson_int(pod, "containers", 0));
        status_word(status, str_eq(cjson_text(pod, "step", ""), "Stopping"), row->cells[3], CELL_MAX);
        age_text(now, last, ago);
        if (restarts > 0 && last > 0)
                (void)snprintf(row->cells[4], CELL_MAX, "%" PRId64 " (%s ago)", restarts, ago);
        else
                (void)snprintf(row->cells[4], CELL_MAX, "%" PRId64, restarts);
        age_text(now, time_of(pod, "firstSeen"), age);
        (void)snprintf(row->cells[5], CELL_MAX, "%s", age);
        (void)snprintf(row->cells[6], CELL_MAX, "%s", cjson_text(status, "podIP", "<none>"));
        (void)snprintf(row->cells[7], CELL_MAX, "%" PRId64, cjson_int(pod, "revision", 0));
        (void)snprintf(row->cells[8], CELL_MAX, "%s", cjson_text(pod, "file", "<none>"));
}

static void print_table(const struct table *table, struct buf *out)
{
        static const char *const titles[COLUMNS_MAX] = {"NAMESPACE", "NAME", "READY",    "STATUS", "RESTARTS",
                                                        "AGE",       "IP",   "REVISION", "FILE"};
        size_t width[COLUMNS_MAX];

        for (size_t k = 0; k < table->columns; k++) {
                width[k] = strlen(titles[k]);
                for (size_t i = 0; i < table->count; i++)
                        if (strlen(table->rows[i].cells[k]) > width[k])
                                width[k] = strlen(table->rows[i].cells[k]);
        }
        for (size_t i = 0; i <= table->count; i++) {
                for (size_t k = 0; k < table->columns; k++) {
                        const char *cell = i == 0 ? titles[k] : table->rows[i - 1].cells[k];

                        if (k + 1 == table->columns)
                                buf_addf(out, "%s\n", cell);
                        else
                                buf_addf(out, "%-*s   ", (int)width[k], cell);
                }
        }
}

/* --- what else to know -------------------------------------------------------------------------------------------- */

static void print_indented(struct buf *out, const char *indent, const char *text)
{
        while (*text) {
                size_t len = strcspn(text, "\n");

                buf_addf(out, "%s%.*s\n", indent, (int)len, text);
                text += len + (text[len] == '\n');
        }
}

static void print_waits(const cJSON *pod, usec_t now, struct buf *out)
{
        const cJSON *wait;

        cJSON_ArrayForEach (wait, cjson_get(pod, "waits", NULL)) {
                const char *container = cjson_text(wait, "container", NULL);
                const char *message = cjson_text(wait, "message", "");
                usec_t until = time_of(wait, "until");
                char left[TIMEFMT_MAX];

                buf_addf(out, INDENT "%s%s%s%s", cjson_bool(wait, "replacement") ? "new version: " : "",
                         container ? container : "", container ? ": " : "", cjson_text(wait, "reason", ""));
                if (*message)
                        buf_addf(out, ": %s", message);
                if (until > 0) {
                        duration_human(usec_sub(until, now), left);
                        buf_addf(out, " (next try in %s)", left);
                }
                buf_addch(out, '\n');
        }
}

/* Who refused it, and who would serve that. */
static void print_refused(const cJSON *words, struct buf *out)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, cjson_get(words, "refused", NULL)) {
                const char *pod = cjson_text(item, "pod", NULL), *status = cjson_text(item, "status", "not there yet");

                buf_addf(out, INDENT INDENT "-> %s refused it: ", cjson_text(item, "address", ""));
                if (pod && cjson_bool(item, "ready"))
                        buf_addf(out, "%s serves it, and is Ready by now\n", pod);
                else if (pod)
                        buf_addf(out, "%s serves it, and is %s%s\n", pod, status,
                                 str_eq(status, "Running") ? ", not Ready" : "");
                else
                        buf_addstr(out, "no static pod of this node serves it\n");
        }
}

static void print_probes(const cJSON *pod, usec_t now, struct buf *out)
{
        const cJSON *probe;

        cJSON_ArrayForEach (probe, cjson_get(pod, "probes", NULL)) {
                const cJSON *result = cJSON_GetArrayItem(cjson_get(probe, "results", NULL), 0);
                char ago[TIMEFMT_MAX], next[TIMEFMT_MAX];

                duration_human(usec_sub(now, time_of(result, "time")), ago);
                duration_human(usec_sub(time_of(probe, "next"), now), next);
                buf_addf(out, INDENT "%s: %s probe %s %s ago: %s", cjson_text(probe, "container", ""),
                         cjson_text(probe, "kind", ""),
                         str_eq(cjson_text(result, "outcome", ""), "error") ? "could not be made" : "failed", ago,
                         cjson_text(result, "output", "no answer"));
                if (cjson_text(probe, "next", NULL))
                        buf_addf(out, " (next try in %s)", next);
                buf_addch(out, '\n');
        }
}

static void print_last_words(const cJSON *pod, struct buf *out)
{
        const cJSON *item;

        cJSON_ArrayForEach (item, cjson_get(pod, "lastWords", NULL)) {
                buf_addf(out, INDENT "%s: ended with code %" PRId64 ", its last words:\n",
                         cjson_text(item, "container", ""), cjson_int(item, "exitCode", 0));
                print_indented(out, INDENT INDENT, cjson_text(item, "text", ""));
                print_refused(item, out);
        }
}

static bool has_more(const cJSON *pod)
{
        return cJSON_GetArraySize(cjson_get(pod, "waits", NULL)) > 0 ||
               cJSON_GetArraySize(cjson_get(pod, "lastWords", NULL)) > 0 || cjson_text(pod, "pull", NULL) ||
               cJSON_GetArraySize(cjson_get(pod, "probes", NULL)) > 0 ||
               !str_empty(cjson_text(cjson_get(pod, "mirror", NULL), "refusal", ""));
}

static void print_more(const cJSON *pod, usec_t now, struct buf *out)
{
        const char *refusal = cjson_text(cjson_get(pod, "mirror", NULL), "refusal", "");

        print_waits(pod, now, out);
        if (cjson_text(pod, "pull", NULL))
                buf_addf(out, INDENT "pulling %s\n", cjson_text(pod, "pull", ""));
        print_last_words(pod, out);
        if (*refusal)
                buf_addf(out, INDENT "the API server refuses its mirror: %s\n", refusal);
}

void status_more(const struct cJSON *pod, usec_t now, struct buf *out)
{
        struct buf more CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        print_more(pod, now, &more);
        if (more.len > 0)
                buf_addf(out, "Waits and Troubles:\n%s", buf_str(&more));
}

static void print_pod_more(const cJSON *pod, usec_t now, struct buf *out)
{
        if (!has_more(pod))
                return;
        buf_addf(out, "\n%s/%s\n", cjson_text(pod, "namespace", ""), cjson_text(pod, "name", ""));
        print_probes(pod, now, out);
        print_more(pod, now, out);
}

static void print_manifests(const cJSON *manifests, struct buf *out)
{
        const cJSON *file, *finding;

        if (cjson_text(manifests, "missing", NULL))
                buf_addf(out, "\nThe manifest directory is missing, its pods stay as they are: %s\n",
                         cjson_text(manifests, "missing", ""));
        if (cjson_text(manifests, "disk", NULL))
                buf_addf(out, "\n%s\n", cjson_text(manifests, "disk", ""));
        cJSON_ArrayForEach (file, cjson_get(manifests, "files", NULL)) {
                const char *problem = cjson_text(file, "problem", NULL);

                if (problem && cjson_text(file, "pod", NULL))
                        buf_addf(out, "\n%s\n" INDENT "version %" PRId64 " of %s stays in force\n", problem,
                                 cjson_int(file, "revision", 0), cjson_text(file, "pod", ""));
                else if (problem && cjson_get(file, "serves", NULL))
                        buf_addf(out, "\n%s\n" INDENT "what it served before stays in force\n", problem);
                else if (problem)
                        buf_addf(out, "\n%s\n" INDENT "nothing runs by this file\n", problem);
                cJSON_ArrayForEach (finding, cjson_get(file, "findings", NULL)) {
                        if (!str_eq(cjson_text(finding, "text", ""), problem))
                                buf_addf(out, "%s%s: %s\n", problem ? INDENT : "\n",
                                         cjson_bool(finding, "fatal") ? "error" : "warning",
                                         cjson_text(finding, "text", ""));
                }
        }
}

static void print_ignored(const cJSON *manifests, struct buf *out)
{
        const cJSON *file;
        bool first = true;

        cJSON_ArrayForEach (file, cjson_get(manifests, "ignored", NULL)) {
                const char *name = cjson_text(file, "file", "");

                if (name[0] == '.')
                        continue;
                buf_addf(out, "%s%s (%s)", first ? "\nNot read: " : ", ", name, cjson_text(file, "why", ""));
                first = false;
        }
        if (!first)
                buf_addch(out, '\n');
}

/* Nothing where it is open and well. */
static void print_port(const cJSON *port, struct buf *out)
{
        const char *why = cjson_text(port, "why", NULL);

        if (why)
                buf_addf(out, "\nPort %d%s: %s\n", (int)cjson_int(port, "port", 0),
                         cjson_bool(port, "open") ? "" : " is closed", why);
}

static bool selected(const struct strv *only, const cJSON *status, const cJSON *pod)
{
        const char *word;

        STRV_FOREACH (word, only)
                if (pod_find_match(word, cjson_text(pod, "namespace", ""), cjson_text(pod, "name", ""),
                                   cjson_text(status, "node", "")) != POD_FIND_NO)
                        return true;
        return only->len == 0;
}

void status_table(const struct cJSON *status, const struct strv *only, bool wide, struct buf *out)
{
        const cJSON *pods = cjson_get(status, "pods", NULL), *manifests = cjson_get(status, "manifests", NULL), *pod;
        const char *waits = cjson_text(status, "waitsFor", "");
        const cJSON *certificate = cjson_get(status, "api", "clientCertificate", NULL);
        const char *expiry = cjson_text(certificate, "warning", NULL),
                   *trouble = cjson_text(certificate, "problem", NULL);
        usec_t now = time_of(status, "now");
        struct table table = {.columns = wide ? COLUMNS_MAX : 6};
        size_t from = out->len;

        table.rows = xcalloc((size_t)cJSON_GetArraySize(pods) + 1, sizeof(*table.rows));
        cJSON_ArrayForEach (pod, pods) {
                if (selected(only, status, pod))
                        fill_row(pod, now, &table.rows[table.count++]);
        }
        if (*waits)
                buf_addf(out, "Waits for %s\n\n", waits);
        if (table.count > 0)
                print_table(&table, out);
        else
                buf_addf(out, "No pods%s.\n", only->len ? " of that name" : "");
        free(table.rows);
        cJSON_ArrayForEach (pod, pods) {
                if (selected(only, status, pod))
                        print_pod_more(pod, now, out);
        }
        if (only->len == 0) {
                print_manifests(manifests, out);
                print_ignored(manifests, out);
                if (cjson_text(status, "disk", NULL))
                        buf_addf(out, "\nState cannot be stored: %s\n", cjson_text(status, "disk", ""));
                print_port(cjson_get(status, "port", NULL), out);
                if (expiry)
                        buf_addf(out, "\nTo be renewed: %s\n", expiry);
                if (trouble)
                        buf_addf(out, "\nCertificate: %s\n", trouble);
        }
        buf_hide_controls(out, from);
}

/* --- changes ------------------------------------------------------------------------------------------------------ */

static const cJSON *same_pod(const cJSON *status, const cJSON *pod)
{
        const cJSON *other;

        cJSON_ArrayForEach (other, cjson_get(status, "pods", NULL)) {
                if (str_eq(cjson_text(other, "namespace", ""), cjson_text(pod, "namespace", "")) &&
                    str_eq(cjson_text(other, "name", ""), cjson_text(pod, "name", "")))
                        return other;
        }
        return NULL;
}

/* Without what goes on by itself: ages, the time to the next try. */
static void pod_line(const cJSON *pod, struct buf *out)
{
        const cJSON *status = cjson_get(pod, "status", NULL), *wait;
        const char *between = "   ";
        char word[CELL_MAX];
        int64_t restarts;
        usec_t last;
        int ready;

        counts(status, &ready, &restarts, &last);
        status_word(status, str_eq(cjson_text(pod, "step", ""), "Stopping"), word, sizeof(word));
        buf_addf(out, "%s/%s   %d/%" PRId64 "   %s   %" PRId64 " restarts", cjson_text(pod, "namespace", ""),
                 cjson_text(pod, "name", ""), ready, cjson_int(pod, "containers", 0), word, restarts);
        cJSON_ArrayForEach (wait, cjson_get(pod, "waits", NULL)) {
                const char *container = cjson_text(wait, "container", NULL);

                buf_addf(out, "%s%s%s%s", between, container ? container : "", container ? ": " : "",
                         cjson_text(wait, "reason", ""));
                between = ", ";
        }
        buf_addch(out, '\n');
}

static bool line_changed(const cJSON *before, const char *line)
{
        struct buf old CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

        if (!before)
                return true;
        pod_line(before, &old);
        return !str_eq(buf_str(&old), line);
}

static bool had_problem(const cJSON *before, const char *problem)
{
        const cJSON *file;

        cJSON_ArrayForEach (file, cjson_get(before, "manifests", "files", NULL)) {
                if (str_eq(cjson_text(file, "problem", ""), problem))
                        return true;
        }
        return false;
}

/* What concerns the node rather than a pod. */
static void node_changes(const cJSON *status, const cJSON *before, const char *now, struct buf *out)
{
        const char *waits = cjson_text(status, "waitsFor", ""), *waited = cjson_text(before, "waitsFor", "");
        const cJSON *file;

        if (!str_eq(waits, waited))
                buf_addf(out, "%s   waits for %s\n", now, *waits ? waits : "nothing any more");
        cJSON_ArrayForEach (file, cjson_get(status, "manifests", "files", NULL)) {
                const char *problem = cjson_text(file, "problem", NULL);

                if (problem && !had_problem(before, problem))
                        buf_addf(out, "%s   %s\n", now, problem);
        }
}

void status_changes(const struct cJSON *status, const struct cJSON *before, const struct strv *only, struct buf *out)
{
        const char *now = cjson_text(status, "now", "");
        size_t from = out->len;
        const cJSON *pod;

        if (only->len == 0)
                node_changes(status, before, now, out);
        cJSON_ArrayForEach (pod, cjson_get(status, "pods", NULL)) {
                struct buf line CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);

                pod_line(pod, &line);
                if (selected(only, status, pod) && line_changed(same_pod(before, pod), buf_str(&line)))
                        buf_addf(out, "%s   %s", now, buf_str(&line));
        }
        cJSON_ArrayForEach (pod, cjson_get(before, "pods", NULL)) {
                if (selected(only, before, pod) && !same_pod(status, pod))
                        buf_addf(out, "%s   %s/%s   gone\n", now, cjson_text(pod, "namespace", ""),
                                 cjson_text(pod, "name", ""));
        }
        buf_hide_controls(out, from);
}
