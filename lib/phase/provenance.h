#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What the place of a rendered value says: why the value is there. The renderer carries places along while it works
 * (struct value_place); this only puts them into words.
 */
#include <stdbool.h>

#include "codec/value.h"

struct buf;
struct era;

enum provenance_kind {
        PROVENANCE_DEFAULT,       /* of the templates, or of the configuration; with the line of the template */
        PROVENANCE_ROW,           /* a row of the era tables */
        PROVENANCE_CONFIGURATION, /* a line of the configuration file */
        PROVENANCE_FLAG,          /* of the command line */
        PROVENANCE_ENVIRONMENT,   /* of this process */
        PROVENANCE_HOST,          /* found on the host */
        PROVENANCE_PATCH,         /* a line of a patch file */
        PROVENANCE_COMPUTED,      /* nothing of these alone */
        PROVENANCE_MAX
};

/* "default", "era row", "configuration", ... */
const char *provenance_name(enum provenance_kind kind);

/* The kind of a place, without its `also`. */
enum provenance_kind provenance_kind(const struct era *era, const struct value_place *place);

/* A place that says something. */
bool provenance_known(const struct value_place *place);

/* True for what a kubeadm could not have done: a patch of arguments (arguments.h). */
bool provenance_beyond_kubeadm(const struct value_place *place);

/* Appends it for people, its `also` included: "default templates/etcd.yaml:12", "kubeadm.yaml:3:5", "flag --node-name".
 */
void provenance_text(const struct era *era, const struct value_place *place, struct buf *out);

/* The same for programs (free it): {source, file, line, column, flag, beyondKubeadm, also: {...}}, as far as known. */
struct value *provenance_object(const struct era *era, const struct value_place *place);
