#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a configuration file as kubeadm takes it apart: it splits the text at lines "---" before any YAML is
 * read, so that a piece with nothing in it is a document too (without a kind, which is an error), and what follows the
 * first document of a piece is not looked at.
 */
struct buf;
struct era;
struct err;
struct yaml_documents;

/* All documents of data, an empty one as null. flags: enum yaml_load_flags. file_name is for places and messages.
 * -ERR_INVALID, -ERR_LIMIT (LIMIT_YAML_DOCUMENTS); ret then has the documents before the one that cannot be read. */
int config_text_load(const char *file_name, const struct buf *data, const struct era *era, unsigned flags,
                     struct yaml_documents *ret, struct err *err);
