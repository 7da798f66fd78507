#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to the API server (core/v1 Event), as the kubelet posts them: repeats within 10 minutes are counted on the
 * first (client-go tools/record EventCorrelator), each object has a budget (burst 25, one more each 5 minutes), and
 * what cannot be posted waits in a bounded queue while the server is away: the oldest go first. One that the server
 * does not take is tried 12 times, 10 s apart, and then dropped, so that it does not hold up the others for ever.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_client;
struct events;
struct loop;

struct event {
        const char *kind; /* "Pod" or "Node" */
        const char *namespace, *name, *uid;
        const char *field_path; /* "spec.containers{etcd}", NULL without */
        bool warning;
        const char *reason, *message;
};

struct events *events_new(struct loop *loop, struct api_client *client, const char *component, const char *host);
struct events *events_free(struct events *events);
void events_post(struct events *events, const struct event *event); /* copied */
/* Waiting, and given up since start. */
size_t events_waiting(const struct events *events);
uint64_t events_dropped(const struct events *events);
