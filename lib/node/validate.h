#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at manifests before they are in force, for a person or a pipeline: everything that podwatch would find,
 * strict, and what it cannot know of one file alone (two with one name, one port, a circle of start order), or does not
 * look at (files of the command line, executables of the image). Touches nothing of the node, needs no running
 * podwatch.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "kube/config_object.h"
#include "kube/pod.h"

struct buf;
struct cJSON;
struct err;
struct value;

struct validate_file {
        char *path;
        char *as;           /* path that counts for identity: where podwatch reads or will read it */
        struct value *tree; /* with places; NULL where it cannot be read */
        struct pod *pod;    /* NULL where a finding is fatal, or where it serves ConfigMaps and Secrets */
        bool serves;        /* ConfigMaps and Secrets */
        struct pod_findings findings;
};

struct validation {
        char *node_name;
        bool strict;
        struct config_objects configs; /* of all files, and of those beside them */
        struct validate_file *files;   /* in order of names */
        size_t count;
};

/* Adds a file, or what podwatch would read of a directory. directory: where the files are or are meant to be (the
 * manifest directory), NULL: where they are. -errno where path cannot be read at all. */
int validate_read(struct validation *v, const char *path, const char *directory, struct err *err);
void validation_release(struct validation *v);
#define CLEANUP_VALIDATION __attribute__((cleanup(validation_release)))

/* Between files: pod names, host ports, start order. */
void validate_between(struct validation *v);
/* validate_files.c: files that command lines name: on no volume, missing, certificates that have expired. now: wall. */
void validate_command_files(struct validation *v, usec_t now_wall);
/* validate_image.c: executables that images do not have, and images that are not here. socket: Docker's. 0; 1: Docker
 * cannot be asked (err says why), nothing was looked at. */
int validate_images(struct validation *v, const char *socket, struct err *err);

/* Findings as lines "error: FILE:LINE:COLUMN: field: what", and {"files":[{"file","pod","findings":[{"severity","file",
 * "line","column","message"}]}],"errors":N,"warnings":N}. */
void validate_text(const struct validation *v, struct buf *out);
struct cJSON *validate_json(const struct validation *v);
size_t validate_errors(const struct validation *v);

/* For each container of a file: its path in the tree. Index as in pod->containers. */
struct field_path;
typedef void (*validate_container_fn)(struct validate_file *file, size_t index, const struct field_path *container,
                                      void *userdata);
void validate_each_container(struct validate_file *file, validate_container_fn fn, void *userdata);
