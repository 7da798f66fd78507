/* SPDX-License-Identifier: Apache-2.0
 *
 * What a container writes and what a crash left on disk, on their ways to a person: the last words, in which who
 * refused a connection is looked for, and the file of events.
 */
#include <cjson/cJSON.h>
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
#include "kube/pod.h"
#include "node/event_log.h"
#include "node/event_store.h"
#include "node/refused.h"
#include "scratch.h"

#define EVENTS_KEPT 4

/* A pod of the host's network and one of its own, whose container has the text among its words and says where it
 * listens. */
static struct pod *pod_of(const char *spec)
{
        const struct pod_source source = {.node_name = "n1", .file = "/m/p.yaml", .seen = 1};
        char *manifest CLEANUP_FREE = xasprintf("{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: %s}", spec);
        struct pod_findings findings = {0};
        struct err err = ERR_INIT;
        struct pod *pod = NULL;

        MUST(pod_from_manifest(manifest, strlen(manifest), &source, false, &pod, &findings, &err) == 0);
        pod_findings_release(&findings);
        return pod;
}

static void places(const struct refused *found, const char *text)
{
        static struct pod *host, *own;

        if (!host) {
                host = pod_of("{hostNetwork: true, containers: [{name: c, image: i, command: [x, '--port', '80', "
                              "word], ports: "
                              "[{containerPort: 8080}], livenessProbe: {tcpSocket: {port: 8081}}}]}");
                own = pod_of("{containers: [{name: c, image: i, ports: [{containerPort: 80, hostPort: 8080}]}]}");
        }
        free(host->containers[0].command.items[3]);
        host->containers[0].command.items[3] = xasprintf("--listen-urls=%s", text);
        MUST(refused_place(found, host, "10.0.0.1", "10.0.0.1") != REFUSED_ITSELF);
        (void)refused_place(found, own, "172.17.0.2", "10.0.0.1");
        MUST(!refused_serves(own, REFUSED_NODE, found->port) || found->port == 8080);
        MUST(!refused_serves(own, REFUSED_ITSELF, found->port) || found->port == 80);
        MUST(found->port != 80 || refused_serves(host, REFUSED_NODE, found->port));
}

static void refused(const char *text)
{
        struct refused found[REFUSED_MAX];
        size_t count = refused_find(text, found);

        MUST(count <= REFUSED_MAX);
        for (size_t i = 0; i < count; i++) {
                MUST(found[i].port > 0 && found[i].port < 65536 && found[i].host[0]);
                MUST(strstr(text, found[i].host) && memchr(found[i].host, '\0', sizeof(found[i].host)));
                places(&found[i], text);
                for (size_t k = 0; k < i; k++)
                        MUST(found[i].port != found[k].port || !str_eq(found[i].host, found[k].host));
        }
}

static bool is_kept(void *userdata, const struct event_log_entry *entry)
{
        return userdata && entry->key && entry->message;
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
        cJSON *list;
        size_t count;

        MUST(file_write_atomic(path, text, len, 0600, FILE_WRITE_NO_SYNC, &err) == 0);
        for (int round = 0; round < 2; round++) {
                struct event_log *log = event_log_new(EVENTS_KEPT);
                struct event_store *store = event_store_new(path, log, &problem);

                MUST(event_log_count(log) <= EVENTS_KEPT &&
                     (round == 0 || (!problem && event_log_count(log) == count)));
                event_store_add(store, event_log_add(log, &one, 1));
                MUST(event_store_write(store, 1, &err) == 0);
                count = event_log_count(log);
                list = event_log_list(log, is_kept, log);
                MUST((size_t)cJSON_GetArraySize(cJSON_GetObjectItem(list, "items")) == count);
                cJSON_Delete(list);
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
