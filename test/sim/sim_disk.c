/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/str.h"
#include "rng.h"
#include "sim_disk.h"

struct sim_disk {
        struct sim_disk_file *files;
        unsigned fails;
        uint64_t failures;
};

struct sim_disk *sim_disk_new(void)
{
        return xcalloc(1, sizeof(struct sim_disk));
}

struct sim_disk *sim_disk_free(struct sim_disk *disk)
{
        struct sim_disk_file *s, *next;

        HASH_ITER (hh, disk->files, s, next) {
                HASH_DEL(disk->files, s);
                free(s->key);
                free(s->text);
                free(s);
        }
        free(disk);
        return NULL;
}

void sim_disk_set_fails(struct sim_disk *disk, unsigned chance)
{
        disk->fails = chance;
}

uint64_t sim_disk_failures(const struct sim_disk *disk)
{
        return disk->failures;
}

bool sim_disk_is_stale(struct sim_disk *disk, const char *key)
{
        struct sim_disk_file *s;

        HASH_FIND_STR(disk->files, key, s);
        return s && s->stale;
}

const char *sim_disk_read(struct sim_disk *disk, const char *key)
{
        struct sim_disk_file *s;

        HASH_FIND_STR(disk->files, key, s);
        return s ? s->text : NULL;
}

struct sim_disk_file *sim_disk_file(struct sim_disk *disk, const char *key)
{
        struct sim_disk_file *s;

        HASH_FIND_STR(disk->files, key, s);
        if (!s) {
                s = xcalloc(1, sizeof(*s));
                s->key = xstrdup(key);
                HASH_ADD_KEYPTR(hh, disk->files, s->key, strlen(s->key), s);
        }
        return s;
}

bool sim_disk_write(struct sim_disk *disk, struct rng *rng, struct sim_disk_file *s, const char *text, uint64_t digest)
{
        bool same = str_eq(s->text, text);

        s->stale = !same && rng_chance(rng, disk->fails);
        disk->failures += s->stale;
        if (s->stale)
                return false;
        s->digest = digest;
        if (!same) {
                free(s->text);
                s->text = xstrdup(text);
        }
        return true;
}
