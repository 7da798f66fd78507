#pragma once
/* SPDX-License-Identifier: Apache-2.0
 *
 * The state directory under the simulator: what survives a kill, by pod name.
 */
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct rng;
struct sim_disk;

struct sim_disk_file {
        char *key, *text; /* text NULL: nothing was written yet */
        uint64_t digest;  /* of the view that text was written from, 0: not known */
        bool stale;       /* what was to be written last is not there */
        UT_hash_handle hh;
};

struct sim_disk *sim_disk_new(void);
struct sim_disk *sim_disk_free(struct sim_disk *disk);
/* So many writes in a thousand fail. */
void sim_disk_set_fails(struct sim_disk *disk, unsigned chance);
uint64_t sim_disk_failures(const struct sim_disk *disk);
/* What stands there is older than what was to be written last. */
bool sim_disk_is_stale(struct sim_disk *disk, const char *key);
/* NULL: nothing was written. */
const char *sim_disk_read(struct sim_disk *disk, const char *key);
/* Of this pod; made where there is none. */
struct sim_disk_file *sim_disk_file(struct sim_disk *disk, const char *key);
/* False: the write failed. */
bool sim_disk_write(struct sim_disk *disk, struct rng *rng, struct sim_disk_file *file, const char *text,
                    uint64_t digest);
