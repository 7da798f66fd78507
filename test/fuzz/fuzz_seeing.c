/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container writes and what a crash left on disk, on their ways to a person: the last words, in which who
 * refused a connection is looked for, and the file of events.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "fuzz.h"
#include "node/event_log.h"
#include "node/event_store.h"
#include "node/refused.h"
#include "scratch.h"

#define EVENTS_KEPT 4

static void refused(const char *text)
{
        struct refused found[REFUSED_MAX];
        size_t count = refused_find(text, found);

        MUST(count <= REFUSED_MAX);
        for (size_t i = 0; i < count; i++) {
                MUST(found[i].port > 0 && found[i].port < 65536 && found[i].host[0]);
                MUST(strstr(text, found[i].host) && memchr(found[i].host, '\0', sizeof(found[i].host)));
                for (size_t k = 0; k < i; k++)
                        MUST(found[i].port != found[k].port || !str_eq(found[i].host, found[k].host));
        }
}

/* What was read of a file is read again once it was written anew. */
static void events(const char *text, size_t len)
{
        char *path CLEANUP_FREE = xasprintf("%s/events", scratch());
        const struct event_log_entry one = {.key = (char *)"a/b",
                                            .uid = (char *)"",
                                            .object = (char *)"",
                                            .reason = (char *)"Fuzzed",
                                            .message = (char *)"m"};
        struct err err = ERR_INIT;
        char *problem = NULL;
        size_t count;

        MUST(file_write_atomic(path, text, len, 0600, FILE_WRITE_NO_SYNC, &err) == 0);
        for (int round = 0; round < 2; round++) {
                struct event_log *log = event_log_new(EVENTS_KEPT);
                struct event_store *store = event_store_new(path, log, &problem);

                MUST(event_log_count(log) <= EVENTS_KEPT &&
                     (round == 0 || (!problem && event_log_count(log) == count)));
                MUST(event_store_add(store, event_log_add(log, &one, 1), &err) == 0);
                count = event_log_count(log);
                free(TAKE_PTR(problem));
                store = event_store_free(store);
                log = event_log_free(log);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *text CLEANUP_FREE = xstrndup((const char *)data, size);

        refused(text);
        events((const char *)data, size);
        return 0;
}
