#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * From struct phase_config back to documents, by the tables of config_schema.h that decoding uses: what kubeadm writes
 * of its internal configuration in an API version. Which empty fields stay is what templates/config-types.yaml says.
 */
#include <stdbool.h>

#include "phase/config.h"
#include "phase/era.h"

struct buf;
struct err;
struct value;

/* The newest API version that this kubeadm reads and does not deprecate ("v1beta4"): the one it writes. */
const char *config_written_version(const struct era *era);

/* What `config migrate` writes, with --allow-experimental-api or without. */
const char *config_migrated_version(const struct era *era, bool experimental);

/* config_written_version for one kind: where that version does not have it yet, an experimental one that does. */
const char *config_written_version_of(const struct era *era, const char *kind);

/* A document of `kind` ("InitConfiguration" or "ClusterConfiguration") as the API version `version` has it, with
 * apiVersion and kind. Free it. */
int config_encode(const struct phase_config *config, const struct era *era, const char *version, const char *kind,
                  struct value **ret, struct err *err);

/* Fills in what kubeadm has in a ClusterConfiguration that it writes and the user left out: the type of the DNS, and
 * apiServer.timeoutForControlPlane where both API versions have it. True where this kubeadm writes that timeout among
 * those of InitConfiguration instead: it is in *ret_moved then and no longer in the ClusterConfiguration. */
bool config_complete_cluster(struct phase_config *config, const struct era *era, struct config_duration *ret_moved);

/* Appends a document, behind "---" where it is not the first. */
int config_add_document(const struct value *v, struct buf *out, struct err *err);
