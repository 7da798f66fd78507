#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Every ceiling on what outside input can make grow, with its reason. Reaching one is a named error (ERR_LIMIT).
 * Sizes are bytes, times microseconds, unless the name says otherwise.
 */

/* One log line with its fields; a longer one is cut. */
#define LIMIT_LOG_LINE (64 * 1024)

/* One line of -o json about a file: a path has at most 4 KiB (PATH_MAX), each byte of it six in JSON. */
#define LIMIT_ACTION_LINE (64 * 1024)

/* A manifest or configuration file. The kubelet reads less than 10 MiB (pkg/kubelet/config/file.go). A pod that the
 * API server takes is below etcd's 1.5 MiB; 3 MiB leaves room for comments. */
#define LIMIT_MANIFEST_BYTES (3 * 1024 * 1024)
/* Nesting of YAML or JSON: pods need about 12, go-yaml stops at 10,000; ours recurses, so much less. */
#define LIMIT_YAML_DEPTH 100
/* Nodes of one document, aliases expanded: a large ConfigMap has some thousands (billion laughs has 10^9). */
#define LIMIT_YAML_NODES 200000
/* Documents in one file. */
#define LIMIT_YAML_DOCUMENTS 100
/* Anchors of one document, and %TAG lines of one file: each is looked for among all, so many of them take minutes.
 * Nobody has written ten by hand. */
#define LIMIT_YAML_ANCHORS 1000
#define LIMIT_YAML_TAG_DIRECTIVES 100
/* What the emitter writes for one document. */
#define LIMIT_YAML_OUTPUT (8 * 1024 * 1024)

/* /etc/passwd, /etc/group, /etc/login.defs: some thousand local users of 100 bytes are many. */
#define LIMIT_PASSWD_BYTES (1024 * 1024)

/* Patch files: annotations of an object may have 256 KiB together, and a patch is a few lines. */
#define LIMIT_PATCH_BYTES (256 * 1024)
#define LIMIT_PATCH_FILES 500
#define LIMIT_PATCH_DEPTH 20

/* The Corefile in CoreDNS' ConfigMap: etcd takes no larger object, and one that people wrote has some hundred lines. */
#define LIMIT_COREFILE_BYTES (1536 * 1024)
#define LIMIT_COREFILE_LINES 20000

/* Mistakes of one configuration that are told apart; a person mends a few and runs again. */
#define LIMIT_CONFIG_PROBLEMS 100

/* Files looked at in the manifest directory; 110 pods are the kubelet's default. */
#define LIMIT_MANIFEST_FILES 1000
#define LIMIT_PODS 1000
/* A file of variables (fileKeyRef); the kubelet takes no line longer than this. */
#define LIMIT_ENV_FILE (64 * 1024)
#define LIMIT_CONTAINERS_PER_POD 100
/* Ports, variables, mounts, volumes, ... of one container or pod: names are compared each with each. */
#define LIMIT_POD_LIST 2000
/* What is reported of one manifest, and how long one report may be. */
#define LIMIT_FINDINGS 100
#define LIMIT_FINDING_BYTES 4096

/* One record of the journal: a view of 100 containers in three incarnations is about 1 MiB. */
#define LIMIT_NODE_RECORD (4 * 1024 * 1024)
/* Records of one turn of the loop before they are written, and the head of a segment: views of 110 pods take some
 * 500 KiB, of 1,000 pods with many containers tens of MiB, which is too much to write at each segment. */
#define LIMIT_JOURNAL_BUFFER (16 * 1024 * 1024)
/* Size and number of journal segments: with 110 probed pods about an hour, quiet ones days. */
#define LIMIT_JOURNAL_SEGMENT (2 * 1024 * 1024)
#define LIMIT_JOURNAL_SEGMENTS 8

/* One answer of the Docker API: a list of 1,000 containers with long labels is some MiB. */
#define LIMIT_DOCKER_BODY (32 * 1024 * 1024)
/* One line of Docker's event stream. */
#define LIMIT_DOCKER_EVENT (256 * 1024)
/* One record of a json-file log: Docker cuts lines at 16 KiB, each byte of which is at most six as JSON; attributes.
 * And files of one log that are read (max-file). */
#define LIMIT_DOCKER_LOG_RECORD (256 * 1024)
#define LIMIT_DOCKER_LOG_FILES 100
/* One answer of the API server; a pod is below 1.5 MiB, a list of ours below 110 of them. */
#define LIMIT_API_BODY (64 * 1024 * 1024)
/* One line of a watch: an event of an object below etcd's 1.5 MiB. */
#define LIMIT_API_WATCH_LINE (4 * 1024 * 1024)
/* Events that wait while the API server is away, of which the oldest is dropped: some minutes' of a node whose pods
 * crash. And texts remembered to count repeats by, of which the oldest is forgotten: a few of each of 110 pods. */
#define LIMIT_EVENT_QUEUE 500
#define LIMIT_EVENT_TEXTS 500
/* What is kept of the text in which a server refuses a request whose good answer would be streamed. */
#define LIMIT_HTTP_ERROR_BODY (64 * 1024)
/* All header lines of one answer. */
#define LIMIT_HTTP_HEADERS (256 * 1024)
/* What is kept of a probe's answer or of an exec's output: as the kubelet (pkg/probe/http, 10 KiB). */
#define LIMIT_PROBE_OUTPUT (10 * 1024)
/* Log tail shown in status for a crashed container. */
#define LIMIT_LOG_TAIL (2 * 1024)
/* A request to one of the local sockets. */
#define LIMIT_LOCAL_REQUEST (64 * 1024)
#define LIMIT_LOCAL_CONNECTIONS 64
/* Logs that are read at once; each is a connection of a client and one to Docker, and some are left for `status`. */
#define LIMIT_LOG_STREAMS 32
/* Clients that wait for news (status -w, events -w), and what waits for one of them: the status of 1,000 pods that
 * crash has some MiB. */
#define LIMIT_FEED_CLIENTS 16
#define LIMIT_FEED_BUFFER (8 * 1024 * 1024)
/* One event's message, as the API server takes them (events.k8s.io: NoteLengthLimit), and the file of all that are
 * kept: twice 1,000 of them. */
#define LIMIT_EVENT_MESSAGE 1024
#define LIMIT_EVENT_FILE (16 * 1024 * 1024)

/* The HTTPS port: connections (each has a TLS session of some 30 KiB; the API server keeps a few, and a followed log
 * one each), and kept answers of the API server about callers (some 500 bytes each). */
#define LIMIT_PORT_CONNECTIONS 256
#define LIMIT_AUTH_ANSWERS 512

/* /etc/hosts of the node and of a pod (the API bounds neither; generated block lists have some MiB). */
#define LIMIT_HOSTS_FILE (8 * 1024 * 1024)
/* resolv.conf of a pod: 3 servers, 2 KiB of searches, options. */
#define LIMIT_RESOLV_CONF (64 * 1024)
/* A seccomp profile; Docker's default is 12 KiB. */
#define LIMIT_SECCOMP_PROFILE (1024 * 1024)
/* What is kept on disk of one pod beside its versions: status, backoff, deadlines. */
#define LIMIT_POD_STATE (1024 * 1024)
/* /proc/self/mountinfo: some 250 bytes a mount; 1,000 pods of 10 mounts with overlay options. */
#define LIMIT_MOUNTINFO (16 * 1024 * 1024)

/* A key, certificate, bundle or kubeconfig file. */
#define LIMIT_PKI_FILE (1024 * 1024)
/* A binary that goes into an image (kube-apiserver is about 90 MiB). */
#define LIMIT_IMAGE_BINARY (1024UL * 1024 * 1024)
