#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Docker Engine as this project uses it: a table of asynchronous operations. docker_http.c carries them out over the
 * Engine API; the simulator has a model of its own behind the same table.
 *
 * Contract of every operation:
 *  - it never blocks and never calls back before it has returned;
 *  - `done` is called exactly once, with the result or with an error, also after a cancel (code ECANCELED), when the
 *    daemon goes away (code ECONNRESET/ECONNREFUSED), or when its deadline passes (ETIMEDOUT);
 *  - err->status is the daemon's HTTP status where it answered (404 no such object, 409 conflict, ...), and the message
 *    holds the request and the daemon's own text;
 *  - result structs belong to the caller of `done` and are valid during the call only;
 *  - a request whose answer was lost may have been carried out: names are the idempotency keys.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/strv.h"
#include "docker/docker_record.h"

struct err;

struct docker_label {
        char *key, *value;
};

struct docker_labels {
        struct docker_label *items;
        size_t count;
};

enum docker_state {
        DOCKER_STATE_CREATED,
        DOCKER_STATE_RUNNING,
        DOCKER_STATE_PAUSED,
        DOCKER_STATE_RESTARTING,
        DOCKER_STATE_REMOVING,
        DOCKER_STATE_EXITED,
        DOCKER_STATE_DEAD,
        DOCKER_STATE_MAX
};

/* A container, as /containers/json (summary) or /containers/ID/json (all) shows it. */
struct docker_container {
        char *id;       /* 64 hex digits */
        char *name;     /* without the leading slash */
        char *image;    /* reference as created */
        char *image_id; /* sha256:... */
        enum docker_state state;
        struct docker_labels labels;
        usec_t created; /* wall clock */
        /* What follows is filled by inspect only. */
        bool inspected;
        int pid; /* 0 when not running */
        int exit_code;
        bool oom_killed;
        char *error;        /* State.Error, "" without */
        usec_t started;     /* wall clock, 0 never */
        usec_t finished;    /* wall clock, 0 never */
        char *ip;           /* of the first network, "" without (host network, stopped) */
        char *log_path;     /* json-file, "" with other drivers */
        char *resolv_conf;  /* ResolvConfPath on the host */
        char *hosts_path;   /* HostsPath on the host */
        char *network_mode; /* HostConfig.NetworkMode */
};

struct docker_containers {
        struct docker_container *items;
        size_t count;
};

struct docker_version {
        char *version;     /* Engine version, 20.10.24 */
        char *api_version; /* highest that the daemon speaks */
        char *api_used;    /* negotiated: min(daemon's, ours) */
        char *os, *arch, *kernel;
};

struct docker_info {
        char *id;
        char *name;          /* hostname of the daemon */
        char *cgroup_driver; /* cgroupfs or systemd */
        int cgroup_version;  /* 1 or 2 */
        char *storage_driver;
        char *root_dir; /* DockerRootDir */
        char *logging_driver;
        char *os_name; /* OperatingSystem, "Debian GNU/Linux 12 (bookworm)" */
        bool live_restore;
        bool apparmor, seccomp;
        int64_t memory_total; /* bytes */
        int cpus;
};

struct docker_image {
        char *id; /* sha256:... */
        struct strv repo_tags, repo_digests;
        char *user; /* Config.User, "" without */
        struct strv entrypoint, cmd, env;
        char *working_dir;
        char *stop_signal; /* "" without */
        int64_t size_bytes;
};

struct docker_images {
        struct docker_image *items; /* from the list: id, tags, digests and size only */
        size_t count;
};

/* One event of /events. */
struct docker_event {
        const char *type;   /* "container", "image", "network", "daemon" */
        const char *action; /* "create", "start", "die", "oom", "kill", "destroy", "health_status: ..." */
        const char *id;
        const char *name;                       /* attribute "name", "" without */
        const struct docker_labels *attributes; /* labels of the container among them; exitCode, signal */
        usec_t time;                            /* wall clock */
};

struct docker_exec_result {
        int exit_code;
        bool timed_out;     /* the process may still be running: Docker cannot end it */
        const char *output; /* stdout and stderr, mixed, cut at the limit asked for */
        size_t output_len;
};

typedef void (*docker_done_fn)(void *userdata, const struct err *err); /* err NULL: done */
typedef void (*docker_version_fn)(void *userdata, const struct docker_version *version, const struct err *err);
typedef void (*docker_info_fn)(void *userdata, const struct docker_info *info, const struct err *err);
typedef void (*docker_list_fn)(void *userdata, const struct docker_containers *list, const struct err *err);
typedef void (*docker_inspect_fn)(void *userdata, const struct docker_container *container, const struct err *err);
typedef void (*docker_create_fn)(void *userdata, const char *id, const struct err *err);
typedef void (*docker_exec_fn)(void *userdata, const struct docker_exec_result *result, const struct err *err);
typedef void (*docker_image_fn)(void *userdata, const struct docker_image *image, const struct err *err);
typedef void (*docker_images_fn)(void *userdata, const struct docker_images *images, const struct err *err);
typedef void (*docker_progress_fn)(void *userdata, const char *line); /* one line for a person */
typedef void (*docker_event_fn)(void *userdata, const struct docker_event *event);
typedef void (*docker_data_fn)(void *userdata, int stream /* 1 stdout, 2 stderr */, const char *data, size_t len);

/* What of a container's output is wanted. */
struct docker_logs {
        const char *id;  /* of the container */
        int64_t tail;    /* lines from the end, -1 all */
        usec_t since;    /* wall clock, 0 all */
        bool timestamps; /* RFC 3339 with nanoseconds and a space in front of each line */
        bool follow;     /* until the container ends or the call is cancelled */
        bool unhurried;  /* it may take as long as its reader does (with follow it always may); else two minutes */
        docker_done_fn connected; /* the daemon has said that output follows; may be NULL */
        docker_data_fn data;      /* a piece of it, as it comes */
        docker_record_fn record;  /* NULL, or in the place of data: whole records, each with its time */
        docker_done_fn done;
};

struct docker;
struct docker_call; /* a request under way; valid until its `done` returned */

/* The table. Each member starts one request and returns its handle (never NULL: what cannot be sent fails through
 * `done` from the loop). */
struct docker_ops {
        /* Negotiates the API version as well; every other operation does so first where it has not happened yet. */
        struct docker_call *(*version)(struct docker *d, docker_version_fn done, void *userdata);
        struct docker_call *(*info)(struct docker *d, docker_info_fn done, void *userdata);

        /* All containers, stopped ones too, that carry the label (key, or key=value); NULL: all there are. */
        struct docker_call *(*list)(struct docker *d, const char *label, docker_list_fn done, void *userdata);
        struct docker_call *(*inspect)(struct docker *d, const char *id, docker_inspect_fn done, void *userdata);
        /* body: JSON of POST /containers/create. The name is the idempotency key: 409 when it is taken. */
        struct docker_call *(*create)(struct docker *d, const char *name, const char *body, docker_create_fn done,
                                      void *userdata);
        /* A container that runs already is done. */
        struct docker_call *(*start)(struct docker *d, const char *id, docker_done_fn done, void *userdata);
        /* signal by name ("SIGTERM") or number. A container that is not running: error with status 409. */
        struct docker_call *(*kill)(struct docker *d, const char *id, const char *signal, docker_done_fn done,
                                    void *userdata);
        /* With its anonymous volumes. A container that is gone is done. Running without force: status 409. */
        struct docker_call *(*remove)(struct docker *d, const char *id, bool force, docker_done_fn done,
                                      void *userdata);
        /* Runs argv in the container, without a terminal; output cut at max_output bytes. timeout: microseconds. */
        struct docker_call *(*exec)(struct docker *d, const char *id, const struct strv *argv, usec_t timeout,
                                    size_t max_output, docker_exec_fn done, void *userdata);
        /* Output of the container (a log driver that can be read: json-file, local, journald). */
        struct docker_call *(*logs)(struct docker *d, const struct docker_logs *logs, void *userdata);

        struct docker_call *(*image_inspect)(struct docker *d, const char *ref, docker_image_fn done, void *userdata);
        struct docker_call *(*image_list)(struct docker *d, docker_images_fn done, void *userdata);
        /* auth: base64url JSON for X-Registry-Auth, or NULL. progress may be NULL. */
        struct docker_call *(*image_pull)(struct docker *d, const char *ref, const char *auth,
                                          docker_progress_fn progress, docker_done_fn done, void *userdata);
        /* Loads a tar as of `docker save`, read from fd (not closed) or, with fd -1, from data/len (borrowed until
         * done). */
        struct docker_call *(*image_load)(struct docker *d, int fd, const void *data, size_t len, docker_done_fn done,
                                          void *userdata);
        struct docker_call *(*image_tag)(struct docker *d, const char *id, const char *ref, docker_done_fn done,
                                         void *userdata);

        /* Takes a reference away, and the image with its last one; by id: the image. Gone already is done; in use, or
         * with several references: status 409. */
        struct docker_call *(*image_remove)(struct docker *d, const char *ref, docker_done_fn done, void *userdata);

        /* Events of containers, from `since` (wall clock, 0: now) until the stream ends (then `done`, with the error).
         * `connected` is called once the daemon has taken the subscription: what happens after it is reported. */
        struct docker_call *(*events)(struct docker *d, usec_t since, docker_done_fn connected, docker_event_fn event,
                                      docker_done_fn done, void *userdata);

        /* Flow control of `logs`: true lets the daemon wait, once `data` was called for what was received already (some
         * 16 KiB); false goes on. */
        void (*pause)(struct docker *d, struct docker_call *call, bool pause);
        /* `done` will be called with ECANCELED, from the loop. */
        void (*cancel)(struct docker *d, struct docker_call *call);
        struct docker *(*free)(struct docker *d); /* pending calls end without `done`; takes NULL, returns NULL */
};

/* What an implementation begins with. */
struct docker {
        const struct docker_ops *ops;
};

/* Value of a label, or NULL. */
const char *docker_label(const struct docker_labels *labels, const char *key);
void docker_labels_add(struct docker_labels *labels, const char *key, const char *value);
void docker_labels_release(struct docker_labels *labels);
void docker_container_release(struct docker_container *container);
void docker_container_copy(struct docker_container *to, const struct docker_container *from);
void docker_image_release(struct docker_image *image);
const char *docker_state_name(enum docker_state state);     /* as Docker writes it: "created", "running", ... */
enum docker_state docker_state_from_name(const char *name); /* DOCKER_STATE_MAX for another; name may be NULL */
