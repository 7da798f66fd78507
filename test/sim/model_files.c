/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/pod.h"
#include "model_files.h"
#include "node/revision.h"
#include "node/revision_reject.h"

/* All of one pod; versions by number - 1, NULL: not stored. */
struct history {
        char *namespace, *name;
        struct pod **pods;
        unsigned count;
        unsigned current; /* 0: none is */
        char *version;    /* that this is said to be */
        char *file;       /* of the current one */
        char *rejected;   /* UID and hash; NULL: none is */
        char *why;
        struct history *prev, *next;
};

struct revisions {
        struct history *list;
        struct rng *rng;
        unsigned fails;
};

struct model_files {
        struct model_files_hooks hooks;
        struct revisions revisions;
};

/* The modules replaced have no handle to hang this on. */
static struct model_files *model;

/* --- the world's side -------------------------------------------------------------------------------------------- */

struct model_files *model_files_new(struct rng *rng, const struct model_files_hooks *hooks)
{
        struct model_files *files = xcalloc(1, sizeof(*files));

        files->hooks = *hooks;
        files->revisions.rng = rng;
        return files;
}

struct model_files *model_files_free(struct model_files *files)
{
        struct history *h, *next;

        for (h = files->revisions.list; h; h = next) {
                next = h->next;
                for (unsigned i = 0; i < h->count; i++)
                        pod_unref(h->pods[i]);
                free(h->pods);
                free(h->namespace);
                free(h->name);
                free(h->file);
                free(h->version);
                free(h->rejected);
                free(h->why);
                free(h);
        }
        free(files);
        return NULL;
}

void model_files_set(struct model_files *files)
{
        model = files;
}

struct revisions *model_files_revisions(struct model_files *files)
{
        return &files->revisions;
}

void model_files_set_fails(struct model_files *files, unsigned chance)
{
        files->revisions.fails = chance;
}

/* --- revision.c -------------------------------------------------------------------------------------------------- */

static struct history *history_of(struct revisions *r, const char *namespace, const char *name)
{
        struct history *h;

        DL_FOREACH (r->list, h)
                if (str_eq(h->namespace, namespace) && str_eq(h->name, name))
                        return h;
        h = xcalloc(1, sizeof(*h));
        h->namespace = xstrdup(namespace);
        h->name = xstrdup(name);
        DL_APPEND(r->list, h);
        return h;
}

static int sometimes(const struct revisions *r, struct err *err)
{
        return rng_chance(r->rng, r->fails) ? err_set(err, ENOSPC, "model: no space left on device") : 0;
}

static char *version_name(const struct pod *pod)
{
        return xasprintf("%s %s", pod->uid, pod->spec_hash);
}

static void set_current(struct history *h, unsigned number, const struct pod *pod, const char *file)
{
        char *copy = file ? xstrdup(file) : NULL;

        free(h->version);
        h->version = pod ? version_name(pod) : NULL;
        free(h->file);
        h->file = copy;
        h->current = number;
}

int revision_save(struct revisions *revisions, const struct pod *pod, const char *file, const char *raw, size_t raw_len,
                  unsigned above, unsigned spared, unsigned *ret_number, struct err *err)
{
        struct history *h = history_of(revisions, pod->namespace, pod->name);
        unsigned number = (h->count > above ? h->count : above) + 1;
        int r = sometimes(revisions, err);

        (void)raw;
        (void)raw_len;
        (void)spared;
        *ret_number = number;
        if (r < 0)
                return r;
        h->pods = xrealloc(h->pods, number, sizeof(*h->pods));
        while (h->count < number)
                h->pods[h->count++] = NULL; /* those that could not be stored */
        h->pods[number - 1] = pod_ref((struct pod *)(uintptr_t)pod);
        set_current(h, number, pod, file);
        return 0;
}

int revision_sync(struct revisions *revisions, const struct pod *pod, unsigned number, struct err *err)
{
        (void)pod;
        (void)number;
        return sometimes(revisions, err);
}

int revision_set_current(struct revisions *revisions, const struct pod *pod, const char *file, unsigned number,
                         struct err *err)
{
        int r = sometimes(revisions, err);

        if (r == 0)
                set_current(history_of(revisions, pod->namespace, pod->name), number, pod, file);
        return r;
}

int revision_load(struct revisions *revisions, const char *namespace, const char *name, unsigned number,
                  struct pod **ret, struct err *err)
{
        const struct history *h = history_of(revisions, namespace, name);

        if (number == 0 || number > h->count || number + REVISIONS_KEPT <= h->count || !h->pods[number - 1])
                return err_set(err, ENOENT, "model: no version %u", number);
        *ret = pod_ref(h->pods[number - 1]);
        return 0;
}

unsigned model_files_number(struct model_files *files, const struct pod *pod)
{
        const struct history *h = history_of(&files->revisions, pod->namespace, pod->name);

        for (unsigned i = h->count; i-- > 0 && i + REVISIONS_KEPT >= h->count;)
                if (h->pods[i] && str_eq(h->pods[i]->uid, pod->uid) && str_eq(h->pods[i]->spec_hash, pod->spec_hash))
                        return i + 1;
        return 0;
}

static int current_of(struct revisions *revisions, const struct history *h, struct revision *ret, struct err *err)
{
        char *version CLEANUP_FREE = NULL;
        int r;

        if (!h->current)
                return 1;
        r = revision_load(revisions, h->namespace, h->name, h->current, &ret->pod, err);
        if (r < 0)
                return r;
        version = version_name(ret->pod);
        if (!str_eq(version, h->version)) {
                ret->pod = pod_unref(ret->pod);
                return err_set(err, ERR_INVALID, "model: version %u is not what is current", h->current);
        }
        ret->number = h->current;
        ret->file = xstrdup(h->file);
        return 0;
}

int revision_current(struct revisions *revisions, const char *namespace, const char *name, struct revision *ret,
                     struct err *err)
{
        return current_of(revisions, history_of(revisions, namespace, name), ret, err);
}

int revision_forget(struct revisions *revisions, const char *namespace, const char *name, struct err *err)
{
        (void)err;
        set_current(history_of(revisions, namespace, name), 0, NULL, NULL);
        return 0;
}

void revision_release(struct revision *revision)
{
        free(revision->file);
        revision->pod = pod_unref(revision->pod);
        *revision = (struct revision){0};
}

void revisions_each(struct revisions *revisions, revision_fn fn, void *userdata)
{
        struct history *h;

        DL_FOREACH (revisions->list, h) {
                struct revision revision = {0};
                struct err err = ERR_INIT;
                int r = current_of(revisions, h, &revision, &err);

                if (r <= 0)
                        fn(userdata, h->name, r == 0 ? &revision : NULL, r == 0 ? NULL : &err);
                revision_release(&revision);
        }
}

/* --- revision_reject.c ------------------------------------------------------------------------------------------- */

static void set_rejected(struct history *h, const struct pod *pod, const char *why)
{
        free(h->rejected);
        free(h->why);
        h->rejected = pod ? version_name(pod) : NULL;
        h->why = why ? xstrdup(why) : NULL;
}

int revision_reject(struct revisions *revisions, const struct pod *pod, unsigned number, const char *why,
                    const struct pod *fallback, unsigned fallback_number, const char *file, struct err *err)
{
        int r = revision_set_current(revisions, fallback, file, fallback_number, err);

        (void)number;
        if (r == 0)
                r = sometimes(revisions, err);
        if (r == 0)
                set_rejected(history_of(revisions, pod->namespace, pod->name), pod, why);
        return r;
}

bool revision_is_rejected(struct revisions *revisions, const struct pod *pod, char **ret_why)
{
        const struct history *h = history_of(revisions, pod->namespace, pod->name);
        char *version CLEANUP_FREE = version_name(pod);

        if (!str_eq(h->rejected, version))
                return false;
        *ret_why = xstrdup(h->why);
        return true;
}

void revision_unreject(struct revisions *revisions, const char *namespace, const char *name)
{
        set_rejected(history_of(revisions, namespace, name), NULL, NULL);
}

/* --- kube/pod.c, by the linker's --wrap: the rest of that file is the real one --------------------------------------
 */

int __wrap_pod_from_manifest(const char *data, size_t len, const struct pod_source *source, bool strict,
                             struct pod **ret, struct pod_findings *findings, struct err *err);

int __wrap_pod_from_manifest(const char *data, size_t len, const struct pod_source *source, bool strict,
                             struct pod **ret, struct pod_findings *findings, struct err *err)
{
        char *text CLEANUP_FREE = xstrndup(data, len);
        struct pod *pod = model->hooks.decode(model->hooks.userdata, text, source, err);

        (void)strict;
        (void)findings;
        if (!pod)
                return err->code ? -err->code : -EINVAL;
        *ret = pod;
        return 0;
}
