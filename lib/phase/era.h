#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between kubeadm versions, as data. A tree of YAML files (templates/, embedded in the program and
 * replaceable by --templates DIR) holds
 *      versions.yaml      the kubeadm releases known, newest patch of each minor
 *      COMPONENT.yaml     the pod of the newest era, a valid manifest with ${name} inside scalars
 *      eras.yaml          rows {component, path, since, until, value}: what a version has at a path
 *      images.yaml        etcd, pause and CoreDNS versions, with rows for single patch releases
 *      addons.yaml        the texts of CoreDNS and kube-proxy as objects
 * A file in --templates DIR replaces the embedded one of that name. A row counts where since <= version < until; both
 * ends are optional, "1.31" means 1.31.0, and a pre-release counts as its release. Of several rows for one path the
 * last one that counts wins; eras.yaml tells more. No C code compares versions: it asks for a path and gets the value,
 * or the name of an algorithm that the row chooses.
 */
#include <stdbool.h>
#include <stddef.h>

#include "kube/version.h"

struct err;
struct value;
struct value_place;

struct era;

/* templates_dir: NULL for the embedded tree. The era is that of no version until era_set_version. */
int era_new(const char *templates_dir, struct era **ret, struct err *err);
struct era *era_free(struct era *era);
static inline void cleanup_era(struct era **era)
{
        *era = era_free(*era);
}
#define CLEANUP_ERA __attribute__((cleanup(cleanup_era)))

/* Chooses the kubeadm version to behave as. -ERR_UNSUPPORTED outside of what versions.yaml knows. */
int era_set_version(struct era *era, const struct kube_version *kubeadm, struct err *err);
const struct kube_version *era_version(const struct era *era);
/* The oldest kubeadm known. */
const struct kube_version *era_oldest(const struct era *era);
/* The newest kubeadm known for a Kubernetes minor (1.minor), or of all (minor < 0); 0, or -ERR_UNSUPPORTED. */
int era_newest(const struct era *era, int minor, struct kube_version *ret, struct err *err);

/* The value of the row that counts for component and path, NULL where there is none. Borrowed; its place names file and
 * line of the row. */
const struct value *era_value(const struct era *era, const char *component, const char *path);
/* As text; fallback where there is no row or it is null. */
const char *era_text(const struct era *era, const char *component, const char *path, const char *fallback);
/* As number and as yes/no; a row of another kind counts as absent (the tables are checked when they are loaded). */
long era_number(const struct era *era, const char *component, const char *path, long fallback);
bool era_flag(const struct era *era, const char *component, const char *path);
/* True where the row is a list that holds text. */
bool era_lists(const struct era *era, const char *component, const char *path, const char *text);

/* The version of the etcd image, for rows that depend on it; NULL: none, or a tag that is no version. */
void era_set_etcd(struct era *era, const struct kube_version *etcd);

struct era_row;
/* One row that counts, `rest` being what follows the prefix in its path. Non-zero ends era_each. */
typedef int (*era_row_fn)(void *userdata, const char *rest, const struct era_row *row, struct err *err);
/* Calls fn for each row of component that counts and whose path starts with prefix, in the order of the files. */
int era_each(const struct era *era, const char *component, const char *prefix, era_row_fn fn, void *userdata,
             struct err *err);

/* Whether a place is in the tree, and there in a table of rows: the default of a template, or an era row. */
enum era_place { ERA_PLACE_NONE, ERA_PLACE_TEMPLATE, ERA_PLACE_ROW };
enum era_place era_place_kind(const struct era *era, const struct value_place *place);

/* A file of the tree by name ("kube-apiserver.yaml"): its only document, borrowed. Each file is parsed when it is first
 * asked for. -ENOENT: no such template; -ERR_INVALID: its YAML is wrong. */
int era_template(const struct era *era, const char *name, const struct value **ret, struct err *err);
