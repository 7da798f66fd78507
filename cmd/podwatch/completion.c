/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/cli_completion.h"
#include "base/cli_man.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "codec/cjson_get.h"
#include "node/pod_find.h"
#include "node/revision.h"
#include "node/revision_history.h"
#include "podwatch.h"

#define SCRIPT_MAX (1024 * 1024)

static bool names_pod(const struct strv *words, const cJSON *pod)
{
        const cJSON *metadata = cjson_get(pod, "metadata", NULL);
        const char *word, *node = cjson_text(cjson_get(pod, "spec", NULL), "nodeName", NULL);

        STRV_FOREACH (word, words)
                if (pod_find_match(word, cjson_text(metadata, "namespace", ""), cjson_text(metadata, "name", ""),
                                   node) != POD_FIND_NO)
                        return true;
        return false;
}

/* The containers of the pods that words name; of all pods where none is named. */
static void print_containers(const struct podwatch *p, const struct strv *words)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY);
        cJSON *list CLEANUP_CJSON = NULL, *pod, *container;
        struct err err = ERR_INIT;
        bool named = false;

        if (podwatch_get(p, "/pods", &answer, &err) == 0)
                list = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        for (int round = 0; round < 2 && !named; round++) {
                cJSON_ArrayForEach (pod, cjson_get(list, "items", NULL)) {
                        bool match = names_pod(words, pod);

                        named = named || match;
                        if (!match && round == 0)
                                continue;
                        cJSON_ArrayForEach (container, cjson_get(pod, "spec", "initContainers", NULL))
                                (void)printf("%s\n", cjson_text(container, "name", ""));
                        cJSON_ArrayForEach (container, cjson_get(pod, "spec", "containers", NULL))
                                (void)printf("%s\n", cjson_text(container, "name", ""));
                }
        }
}

/* Of what runs, else of what is kept on disk; who may read neither gets no words. */
static void print_pods(const struct podwatch *p)
{
        struct buf answer CLEANUP_BUF = BUF_INIT(LIMIT_API_BODY), names CLEANUP_BUF = BUF_INIT(SCRIPT_MAX);
        struct revisions *revisions;
        cJSON *list CLEANUP_CJSON = NULL, *pod;
        struct err err = ERR_INIT;

        if (podwatch_get(p, "/pods", &answer, &err) == 0)
                list = cJSON_ParseWithLength(buf_str(&answer), answer.len);
        cJSON_ArrayForEach (pod, cjson_get(list, "items", NULL)) {
                const cJSON *metadata = cjson_get(pod, "metadata", NULL);

                (void)printf("%s\n%s/%s\n", cjson_text(metadata, "name", ""), cjson_text(metadata, "namespace", ""),
                             cjson_text(metadata, "name", ""));
        }
        if (list)
                return;
        revisions = revisions_new(p->state, 0);
        revision_history_keys(revisions, &names);
        (void)fputs(buf_str(&names), stdout);
        (void)revisions_free(revisions);
}

int verb_completion(void *userdata, const struct strv *args)
{
        struct buf out CLEANUP_BUF = BUF_INIT(SCRIPT_MAX);
        struct err err = ERR_INIT;

        /* The words behind verbs that take a pod: the scripts ask for them. */
        if (str_eq(args->items[0], "pods")) {
                print_pods(userdata);
                return 0;
        }
        if (str_eq(args->items[0], "containers")) {
                print_containers(userdata, args);
                return 0;
        }
        if (args->len > 1) {
                (void)err_set(&err, ERR_USAGE, "completion takes one argument");
                return podwatch_fail(&err);
        }
        /* The manual page comes from the same tables; the build asks for it. */
        if (str_eq(args->items[0], "man"))
                cli_man(&podwatch_program, &out);
        else if (cli_completion(&podwatch_program, args->items[0], &out, &err) < 0)
                return podwatch_fail(&err);
        if (buf_check(&out, "the completion script", &err) < 0)
                return podwatch_fail(&err);
        (void)fputs(buf_str(&out), stdout);
        return 0;
}
