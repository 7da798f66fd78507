#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the agent:
 *
 *      agent.c           birth, end, signals, what it waits for
 *      agent_pods.c      between sources, observer, store and executor
 *      agent_observe.c   what is seen of containers, wanted or not
 *      agent_events.c    what is worth telling
 *      agent_leftovers.c what an end at the wrong moment left behind
 *      agent_publish.c   status of each pod: to disk, to the API side
 *      agent_tail.c      last words of containers that crashed
 *      agent_show.c      what the local API answers
 *      agent_stats.c     what pods and the node take
 *      agent_port.c      the HTTPS port
 *      agent_watch.c     events and status, and who waits for news of them
 *      agent_ends.c      how the last runs of containers ended
 *      agent_metrics.c   what is counted
 *      agent_probes.c    what probes answered
 *      agent_refused.c   which pod would serve a port that refused another
 *      agent_describe.c  all of one pod
 *      agent_act.c       what people ask for through it
 *      agent_logs.c      which log they mean
 *      agent_gap.c       how long edits took
 *      agent_order.c     start order between pods, and its reverse; versions that failed their trial
 */
#include <stdbool.h>
#include <stdint.h>

#include "node/agent.h"
#include "node/agent_metrics.h"
#include "node/container_log.h"
#include "node/host.h"
#include "node/pod_store.h"
#include "node/revert.h"

struct api_side;
struct buf;
struct cJSON;
struct curl_glue;
struct docker;
struct docker_call;
struct docker_container;
struct docker_containers;
struct event_log;
struct event_log_entry;
struct event_store;
struct http_server_request;
struct journal;
struct local_api;
struct local_feed;
struct loop;
struct loop_source;
struct manifest_source;
struct node_lock;
struct node_port;
struct observer;
struct pod_exec;
struct pod_exec_job;
struct pod_status_message;
struct probes;
struct slices;
struct revisions;
struct trash;

/* Edits of a pod whose time is kept. */
#define AGENT_GAPS_MAX 5

/* Last words of one container instance, or its termination message. */
struct agent_tail {
        struct agent *agent;
        char *key;       /* of the pod */
        char *container; /* name */
        char id[POD_VIEW_ID_MAX];
        char *text;               /* NULL until it was fetched */
        struct docker_call *call; /* under way */
        unsigned tries;           /* that failed */
        usec_t again;             /* no sooner */
        struct agent_tail *next;
};

struct agent_probe;

/* entry->userdata */
struct agent_pod {
        bool dirty;           /* its status is to be made again */
        uint64_t digest;      /* of what was last looked at for status and disk */
        struct cJSON *status; /* as last made */
        char *status_text;
        bool status_unwritten; /* the disk did not take it */
        char *status_version;  /* of the pod that it is of, see pod_status_version */
        uint64_t persisted;    /* pod_persist_digest of what was written last, 0: nothing was */
        struct agent_tail *tails;
        struct agent_probe *probes;
        unsigned leftovers;                      /* of the view, as looked at last */
        bool hold_told;                          /* why it is held was told */
        usec_t backoff_told;                     /* the latest wait for a backoff that an event was posted of */
        char *progress;                          /* last line of an image pull */
        char *circle;                            /* of its start order, as told; NULL without */
        struct cJSON *gaps;                      /* milliseconds that the last edits took; NULL: not read yet */
        struct cJSON *ends;                      /* of runs of its containers; NULL: not read yet */
        bool ends_changed;                       /* and not written yet */
        usec_t gap_from;                         /* when the version that is being replaced began to stop, 0: none is */
        char *probe_uid, *probe_hash;            /* of the version whose probes are counted; NULL without */
        struct agent_probe_counts *probe_counts; /* for each of its containers */
        size_t probe_containers;
        struct revert reverted; /* version that failed its trial just now */
};

struct agent {
        const struct agent_config *config;
        struct host host;
        struct loop *loop;
        struct node_lock *lock;
        struct docker *docker;
        struct curl_glue *glue;
        struct probes *probes;
        struct slices *slices;
        struct pod_exec *exec;
        struct observer *observer;
        struct revisions *revisions;
        struct manifest_source *source;
        struct pod_store *store;
        struct api_side *api;
        struct event_log *events;
        struct event_store *event_store;
        bool events_unstored; /* the last one could not be stored */
        struct local_feed *event_feed, *status_feed;
        char *status_told; /* to those who follow the status, less what always changes; NULL: nothing yet */
        struct journal *journal;
        struct local_api *local;
        struct container_logs *logs;
        struct node_port *port;
        struct agent_metrics metrics;
        struct trash *trash; /* directories of pods that are gone */
        struct loop_source *step, *step_timer, *publish, *sigterm, *sigint;
        struct loop_source *image_timer;
        struct loop_source *trim; /* a while after pods have gone: what the heap keeps of them goes back */
        struct image_gc *image_gc;
        int64_t image_excess; /* bytes that images take too much, when it was looked at last */
        char boot_id[37];
        bool source_complete, observed; /* once */
        bool leftovers_due;             /* agent_leftovers() wants another list */
        bool runtime_ready, api_complete;
        bool draining;        /* the node is emptied */
        bool reverts;         /* a pod has `reverted` */
        bool prune;           /* a pod has gone: what is on disk of those before it is to be bounded */
        char *runtime_why;    /* NULL while ready */
        char *docker_version; /* "" while unknown */
        char *docker_root;
        int64_t class_milli; /* what Burstable pods ask for together, as their control group has it; -1: not yet */
        bool class_told;     /* that it could not be set */
        bool told_cgroup_driver;
        char *node_ip;
        char *root_dir;     /* of the configuration, as the kernel spells it */
        char *disk_problem; /* state cannot be written; NULL while it can */
        usec_t started_wall;
};

/* agent.c */
void agent_kick(struct agent *agent);         /* step the store soon */
void agent_say_waits(struct agent *agent);    /* to the service manager and the log, where it changed */
char *agent_waits(const struct agent *agent); /* what is waited for, "" for nothing; free it */

/* agent_pods.c */
int agent_pods_new(struct agent *agent, struct err *err);
struct agent_pod *agent_pod_of(struct pod_entry *entry); /* made where it is missing */

/* Volumes of what runs show what documents say; variables are those of a container's start. */
void agent_take_configs(struct agent *agent);

/* agent_observe.c */
void agent_observer_new(struct agent *agent); /* when it is known what is wanted */
void agent_observe(struct agent *agent, const struct docker_container *container);
void agent_observe_gone(struct agent *agent, const char *id);

/* agent_events.c: to the log, the ring and the API side. object: "spec.containers{name}", "" for the pod. */
void agent_post_event(struct agent *agent, const char *key, const struct pod *pod, const char *object, bool warning,
                      const char *reason, const char *message);
void agent_event(struct agent *agent, const struct pod_entry *entry, const struct pod_action *action);
void agent_events_of_outcome(struct agent *agent, const struct pod_exec_job *job, const struct pod_outcome *outcome);
void agent_event_of_probe(struct agent *agent, const struct pod_exec_job *job, bool error, const char *output);
void agent_event_of_pull(struct agent *agent, const struct pod_exec_job *job);
void agent_events_of_waits(struct agent *agent, struct pod_entry *entry);
void agent_event_of_hold(struct agent *agent, struct pod_entry *entry);

/* agent_publish.c */
void agent_mark(struct agent *agent, struct pod_entry *entry); /* its status may have changed */
/* Of its status something can be told at that time. */
void agent_mark_at(struct agent *agent, struct pod_entry *entry, usec_t at);
void agent_publish_soon(struct agent *agent);
void agent_publish(void *userdata, usec_t now);
void agent_pod_free(struct agent *agent, struct pod_entry *entry);
/* observed: see pod_persist_restore. */
void agent_restore(struct agent *agent, struct pod_entry *entry, bool observed);
void agent_persist(struct agent *agent, struct pod_entry *entry);
void agent_forget_status(struct agent *agent, const char *key); /* on disk */
void agent_prune(struct agent *agent);                          /* what is on disk of pods that are gone */
/* The incarnation that status shows; NULL where there is none. */
const struct pod_incarnation *agent_shown(const struct pod_entry *entry);
/* Writes a state file; says once when the disk takes nothing, and when it does again. */
int agent_read_state(const struct agent *agent, const char *kind, const char *key, struct buf *text);
/* False: it could not be written, which has been told. */
bool agent_write_state(struct agent *agent, const char *kind, const char *key, const char *text, size_t len);

void agent_write_again(struct agent *agent, struct pod_entry *entry); /* some of its state, when the disk may take it */

/* agent_leftovers.c. true: some of the list's containers are of pods that no view has, so that what is left of these
 * has to be looked for again when the containers are gone. */
bool agent_leftovers(const struct agent *agent, const struct docker_containers *list);
void agent_leftovers_stepped(struct agent *agent, struct pod_entry *entry); /* perhaps there are some by now */

/* agent_tail.c */
void agent_tails_update(struct agent *agent, struct pod_entry *entry);
const char *agent_tail_find(const struct agent_pod *pod, const char *container, const char *id);
void agent_tails_free(struct agent *agent, struct agent_pod *pod);

/* agent_show.c: free the text, and objects with cJSON_Delete. */
char *agent_show_pods(void *userdata);
char *agent_show_running_pods(void *userdata);
/* pod->json with its status (NULL: none) as one more member. */
void agent_pod_json(const struct pod *pod, const char *status, struct buf *out);
struct cJSON *agent_status(struct agent *agent);
struct cJSON *agent_show_pod(struct agent *agent, struct pod_entry *entry); /* one that agent_shown has */

/* agent_stats.c: texts of /metrics/resource and /stats/summary; free them. */
char *agent_show_resource_metrics(void *userdata);
char *agent_show_stats(void *userdata);

/* agent_watch.c */
void agent_watch_init(struct agent *agent);
void agent_watch_free(struct agent *agent);
/* Keeps the event, to be written with what is published next, and tells those who follow; how often it was seen. */
unsigned agent_keep_event(struct agent *agent, const struct event_log_entry *entry);
/* When to call it again because the disk took nothing; USEC_INFINITY: all is written. */
usec_t agent_write_events(struct agent *agent, usec_t now);
void agent_status_changed(struct agent *agent); /* perhaps: looks, and tells those who follow it */
/* GET /status and /events of the local API. */
void agent_show_status(void *userdata, struct http_server_request *request);
void agent_show_events(void *userdata, struct http_server_request *request);

/* agent_describe.c: GET /describe of the local API */
void agent_describe(void *userdata, struct http_server_request *request);

/* agent_refused.c: adds "refused" for the connections that text says were refused to the pod */
void agent_refused_show(struct agent *agent, struct pod_entry *entry, const char *text, struct cJSON *object);

/* agent_probes.c */
void agent_probe_answered(struct agent *agent, struct pod_entry *entry, const struct pod_exec_job *job, bool success,
                          bool error, const char *output);
void agent_probes_free(struct agent_pod *pod);
/* A list: of all probes with the results that are kept, or the newest result of those that fail. */
struct cJSON *agent_show_probes(struct agent *agent, struct pod_entry *entry, bool all);

/* agent_ends.c */
void agent_ends_stepped(struct agent *agent, struct pod_entry *entry);
void agent_ends_write(struct agent *agent, struct pod_entry *entry);
void agent_ends_show(struct agent *agent, struct pod_entry *entry, struct cJSON *object); /* adds "ends" */

/* agent_port.c */
int agent_port_new(struct agent *agent, struct err *err);
char *agent_show_configz(void *userdata);

/* agent_act.c */
struct local_act_request;
struct local_act_answer;
void agent_act(void *userdata, const struct local_act_request *request, struct local_act_answer *ret);

/* The pod that a person means by word (pod_find.h), one that agent_shown has; NULL: err says why (ENOENT: there is
 * none). */
struct pod_entry *agent_find_entry(struct agent *agent, const char *word, struct err *err);

/* agent_logs.c */
void agent_logs(void *userdata, struct http_server_request *request);
/* The same for the node's port; rest: NAMESPACE/POD/CONTAINER. */
void agent_port_logs(void *userdata, struct http_server_request *request,
                     const char *rest); /* GET /logs of the local API */
enum container_log_next agent_log_next(void *userdata, const char *key, const char *container, const char *after,
                                       struct container_log_run *ret);
/* Answers with the log of a container; NULL or "": the pod's default one. entry is one that agent_shown has. Refusals
 * as the kubelet's: 404: no such container; 400: it has not run (so often) yet. */
void agent_logs_serve(struct agent *agent, struct http_server_request *request, struct pod_entry *entry,
                      const char *container, const struct container_log_query *query);

/* agent_images.c */
void agent_images_init(struct agent *agent);
void agent_images_free(struct agent *agent);
void agent_image_used(struct agent *agent, const char *id, bool pulled);

/* agent_admit.c: writes why entry must wait (a port, room, what the node cannot do); leaves text where it need not. */
void agent_admit(const struct agent *agent, const struct pod_entry *entry, char *text, size_t size);

/* agent_order.c */
void agent_order_init(struct agent *agent);
/* Writes why entry must wait for other pods; leaves ret_text where it need not. */
void agent_hold_by_order(struct agent *agent, struct pod_entry *entry, char *ret_text, size_t size);
bool agent_drains(void *userdata, const struct pod_entry *entry); /* hook drain of the store */
void agent_order_changed(struct agent *agent);                    /* something that others may wait for has changed */
/* 0: changed; 1: it was so. */
int agent_set_draining(struct agent *agent, bool draining, struct err *err);
char *agent_still_running(struct agent *agent); /* keys, "" without; free it */
void agent_take_reverts(struct agent *agent);   /* tells the source which versions failed */

/* agent_gap.c */
void agent_gap_promoted(struct pod_entry *entry);
void agent_gap_stepped(struct agent *agent, struct pod_entry *entry);
void agent_gap_show(struct agent *agent, struct pod_entry *entry, struct cJSON *object); /* adds "gapsMs" */
