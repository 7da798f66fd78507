#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The versions that podwatch keeps of manifests, in place of revision.c and revision_reject.c, so that
 * manifest_source.c runs as it is. Manifests of pods are text that the world understands; ConfigMaps and Secrets are
 * what they are. One world at a time.
 */
#include <stdbool.h>

#include "node/revision.h"
#include "rng.h"

struct err;
struct model_files;
struct pod;
struct pod_source;

struct model_files_hooks {
        /* The pod of a manifest's text, a new reference; NULL and err: it is wrong or wants what source does not serve.
         */
        struct pod *(*decode)(void *userdata, const char *text, const struct pod_source *source, struct err *err);
        void *userdata;
};

struct model_files *model_files_new(struct rng *rng, const struct model_files_hooks *hooks);
struct model_files *model_files_free(struct model_files *files);
void model_files_set(struct model_files *files); /* NULL at the end of a world */

struct revisions *model_files_revisions(struct model_files *files);
/* Number of this version; 0: it is not kept. */
unsigned model_files_number(struct model_files *files, const struct pod *pod);
/* So many writes of versions in a thousand fail. */
void model_files_set_fails(struct model_files *files, unsigned chance);
