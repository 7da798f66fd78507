/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "net/loop.h"
#include "node/manifest_config.h"
#include "node/manifest_dir.h"
#include "node/manifest_source_private.h"
#include "node/revision.h"

/* A version that the disk did not take is tried again after this long. */
#define STORE_AGAIN_USEC (10 * USEC_PER_SEC)
/* A version that was stored is synced after this long: a disk that stalls must not hold up the containers of an edit.
 */
#define SYNC_AFTER_USEC (5 * USEC_PER_SEC)

static struct manifest *file_find(const struct manifest_source *s, const char *name)
{
        for (size_t i = 0; i < s->count; i++)
                if (str_eq(s->files[i]->name, name))
                        return s->files[i];
        return NULL;
}

struct manifest *manifest_source_in_force(const struct manifest_source *s, const char *namespace, const char *name)
{
        for (size_t i = 0; i < s->count; i++) {
                struct manifest *m = s->files[i];

                if (m->pod && !m->shadowed && str_eq(m->pod->name, name) && str_eq(m->pod->namespace, namespace))
                        return m;
        }
        return NULL;
}

static struct manifest *file_get(struct manifest_source *s, const char *name)
{
        struct manifest *m = file_find(s, name);
        size_t at = 0;

        if (m)
                return m;
        m = xcalloc(1, sizeof(*m));
        m->name = xstrdup(name);
        m->path = file_join(manifest_dir_path(s->dir), name);
        while (at < s->count && strcmp(s->files[at]->name, name) < 0)
                at++;
        s->files = xrealloc(s->files, s->count + 1, sizeof(struct manifest *));
        memmove(s->files + at + 1, s->files + at, (s->count - at) * sizeof(struct manifest *));
        s->files[at] = m;
        s->count++;
        return m;
}

static void file_free(struct manifest *m)
{
        free(m->name);
        free(m->path);
        free(m->problem);
        free(m->refusal);
        free(m->rejection);
        free(m->raw);
        m->pod = pod_unref(m->pod);
        m->rejected = pod_unref(m->rejected);
        pod_findings_release(&m->findings);
        config_objects_release(&m->configs);
        free(m);
}

/* NULL: there is none (any more). Told when it changes. */
static void set_problem(struct manifest_source *s, struct manifest *m, const char *problem)
{
        if (str_eq(m->problem, problem))
                return;
        free(m->problem);
        m->problem = problem ? xstrdup(problem) : NULL;
        m->since_wall = loop_now_realtime(s->loop);
        s->handlers.problem(s->userdata, m, problem);
}

void manifest_source_refuse(struct manifest_source *s, struct manifest *m, const char *why)
{
        char *copy = why ? xstrdup(why) : NULL;

        free(m->refusal);
        m->refusal = copy;
        m->valid = !why;
        m->busy = false;
        if (why || !m->shadowed)
                set_problem(s, m, why);
}

static struct wanted *wanted_find(struct manifest_source *s, const struct pod *pod)
{
        for (size_t i = 0; i < s->wanted_count; i++)
                if (str_eq(s->wanted[i].name, pod->name) && str_eq(s->wanted[i].namespace, pod->namespace))
                        return &s->wanted[i];
        return NULL;
}

static void keep_within(struct manifest_source *s, usec_t span)
{
        usec_t at = usec_add(loop_now(s->loop), span);

        if (at < loop_timer_get(s->keep))
                loop_timer_set(s->keep, at);
}

/* Stores a version that is in force. A disk that takes nothing is told once, and again once it does. */
static void store(struct manifest_source *s, struct manifest *m, unsigned above)
{
        struct err err = ERR_INIT;
        unsigned spared = s->handlers.fallback ? s->handlers.fallback(s->userdata, m->pod) : 0;
        int r = revision_save(s->revisions, m->pod, m->path, m->raw, m->raw_len, above, spared, &m->revision, &err);

        if (r < 0) {
                keep_within(s, STORE_AGAIN_USEC);
        } else {
                free(TAKE_PTR(m->raw));
                m->unsynced = true;
                keep_within(s, SYNC_AFTER_USEC);
        }
        if (r < 0 && !s->disk) {
                char *text CLEANUP_FREE =
                        xasprintf("versions of manifests cannot be stored, going on from memory: %s", err.msg);
                s->disk = xstrdup(text);
                s->handlers.notice(s->userdata, text);
        } else if (r == 0 && s->disk) {
                free(TAKE_PTR(s->disk));
                s->handlers.notice(s->userdata, "versions of manifests are stored again");
        }
}

static void sync_version(struct manifest_source *s, struct manifest *m)
{
        struct err err = ERR_INIT;

        m->unsynced = false;
        if (revision_sync(s->revisions, m->pod, m->revision, &err) < 0)
                s->handlers.notice(s->userdata, err.msg);
}

/* What the disk has not taken yet is stored, so that a podwatch that starts while its file is broken goes by it; what
 * it has taken outlives a power failure from now on. */
static void on_keep(void *userdata, usec_t now)
{
        struct manifest_source *s = userdata;
        bool waits = false, synced = false;

        (void)now;
        for (size_t i = 0; i < s->count; i++) {
                struct manifest *m = s->files[i];

                if (!m->pod || m->shadowed)
                        continue;
                if (m->raw && m->revision > 0) {
                        store(s, m, m->revision - 1);
                } else if (m->unsynced && synced) {
                        /* One in each turn of the loop: a hundred waits for a disk would hold up everything else. */
                        keep_within(s, 0);
                } else if (m->unsynced) {
                        sync_version(s, m);
                        synced = true;
                }
                waits |= m->raw != NULL;
        }
        if (!waits && s->disk) {
                free(TAKE_PTR(s->disk));
                s->handlers.notice(s->userdata, "no version of a manifest waits to be stored any more");
        }
}

/* The version on disk, where it is this one: it keeps its number and the time when it was first seen. */
static bool take_stored(struct manifest_source *s, struct manifest *m)
{
        const struct pod *pod = m->pod;
        struct revision revision = {0};
        struct err err = ERR_INIT;
        bool same = false;
        int r = revision_current(s->revisions, pod->namespace, pod->name, &revision, &err);

        if (r < 0)
                s->handlers.notice(s->userdata, err.msg);
        if (r == 0 && pod_same_version(revision.pod, pod)) {
                m->pod = pod_unref(m->pod);
                m->pod = pod_ref(revision.pod);
                m->revision = revision.number;
                same = true;
        }
        revision_release(&revision);
        return same;
}

static void want(struct manifest_source *s, struct manifest *m)
{
        struct wanted *w = wanted_find(s, m->pod);

        if (!w) {
                s->wanted = xrealloc(s->wanted, s->wanted_count + 1, sizeof(*s->wanted));
                w = &s->wanted[s->wanted_count++];
                *w = (struct wanted){.namespace = xstrdup(m->pod->namespace), .name = xstrdup(m->pod->name)};
        }
        w->marked = true;
        if (w->pod == m->pod && (!m->raw || m->revision > 0)) {
                if (m->raw) /* told, and not stored: with the number that it has */
                        store(s, m, m->revision - 1);
                return;
        }
        if (m->raw) {
                manifest_trial_forget(s, m);
                if (take_stored(s, m))
                        free(TAKE_PTR(m->raw));
                else
                        store(s, m, w->revision);
        }
        w->pod = pod_unref(w->pod);
        w->pod = pod_ref(m->pod);
        w->revision = m->revision > w->revision ? m->revision : w->revision;
        s->handlers.want(s->userdata, m->pod, m->revision, m->path);
}

static void unwant(struct manifest_source *s, size_t at)
{
        struct wanted w = s->wanted[at];
        struct err err = ERR_INIT;

        s->wanted[at] = s->wanted[--s->wanted_count];
        /* First told: who is killed in between is told again when it is back. */
        s->handlers.unwant(s->userdata, w.namespace, w.name);
        if (revision_forget(s->revisions, w.namespace, w.name, &err) < 0)
                s->handlers.notice(s->userdata, err.msg);
        free(w.namespace);
        free(w.name);
        w.pod = pod_unref(w.pod);
}

static const struct manifest *earlier_file(const struct manifest_source *s, size_t at)
{
        const struct pod *pod = s->files[at]->pod;

        for (size_t i = 0; i < at; i++)
                if (s->files[i]->pod && pod_same_name(s->files[i]->pod, pod))
                        return s->files[i];
        return NULL;
}

void manifest_source_settle(struct manifest_source *s)
{
        if (!s->complete)
                return;
        for (size_t i = 0; i < s->wanted_count; i++)
                s->wanted[i].marked = false;
        for (size_t i = 0; i < s->count; i++) {
                struct manifest *m = s->files[i];
                const struct manifest *other = m->pod ? earlier_file(s, i) : NULL;

                if (!m->pod)
                        continue;
                if (other) {
                        char *text CLEANUP_FREE = xasprintf("%s: pod %s/%s is in %s already, which counts", m->path,
                                                            m->pod->namespace, m->pod->name, other->name);
                        m->shadowed = true;
                        set_problem(s, m, text);
                        continue;
                }
                if (m->shadowed) {
                        m->shadowed = false;
                        set_problem(s, m, m->refusal);
                }
                want(s, m);
        }
        for (size_t i = s->wanted_count; i-- > 0;)
                if (!s->wanted[i].marked)
                        unwant(s, i);
}

/* Pods that were refused may be served now. */
static void read_again(struct manifest_source *s)
{
        for (size_t i = 0; i < s->count; i++)
                if (!s->files[i]->valid && s->files[i]->refusal)
                        manifest_dir_again(s->dir, s->files[i]->name);
}

static void configs_changed(struct manifest_source *s)
{
        manifest_config_collect(s->files, s->count, &s->configs);
        if (s->handlers.configs)
                s->handlers.configs(s->userdata);
        read_again(s);
}

static void accept(struct manifest_source *s, struct manifest *m, struct pod *pod, const char *data, size_t len)
{
        if (manifest_trial_failed(s, m, pod))
                return;
        bool same = m->pod && pod_same_version(m->pod, pod);

        if (!same) {
                m->pod = pod_unref(m->pod);
                m->pod = pod_ref(pod);
                m->revision = 0;
                free(m->raw);
                m->raw = xstrndup(data, len);
                m->raw_len = len;
        }
        manifest_source_refuse(s, m, NULL);
        if (m->configs.count > 0) { /* it holds a pod now */
                config_objects_release(&m->configs);
                configs_changed(s);
        }
        manifest_source_settle(s);
}

/* True: the file serves ConfigMaps and Secrets, or should. */
static bool take_configs(struct manifest_source *s, struct manifest *m, const char *data, size_t len)
{
        struct err err = ERR_INIT;
        int r = manifest_config_take(m, data, len, s->strict, &err);

        if (r == 1)
                return false;
        m->shadowed &= r < 0;
        manifest_source_refuse(s, m, r < 0 ? err.msg : NULL);
        if (r < 0)
                return true;
        m->pod = pod_unref(m->pod);
        free(TAKE_PTR(m->raw));
        m->revision = 0;
        configs_changed(s);
        manifest_source_settle(s);
        return true;
}

static void on_content(void *userdata, const char *name, const char *data, size_t len)
{
        struct manifest_source *s = userdata;
        struct manifest *m = file_get(s, name);
        struct pod_source source = {
                .node_name = s->node_name,
                .file = m->path,
                .seen = loop_now_realtime(s->loop),
                .configs = &s->configs,
        };
        struct pod *pod CLEANUP_POD = NULL;
        struct err err = ERR_INIT;
        int r;

        pod_findings_release(&m->findings);
        m->findings = (struct pod_findings){0};
        if (take_configs(s, m, data, len))
                return;
        r = pod_from_manifest(data, len, &source, s->strict, &pod, &m->findings, &err);
        if (r == 0) {
                accept(s, m, pod, data, len);
                return;
        }
        manifest_source_refuse(s, m, err.msg);
}

static void on_unreadable(void *userdata, const char *name, bool busy, const char *message)
{
        struct manifest_source *s = userdata;
        struct manifest *m = file_get(s, name);
        char *text CLEANUP_FREE = xasprintf("%s: %s", m->path, message);

        m->valid = false;
        m->busy = busy;
        set_problem(s, m, text);
}

static void on_removed(void *userdata, const char *name)
{
        struct manifest_source *s = userdata;
        struct err err = ERR_INIT;
        bool served = false;

        for (size_t i = 0; i < s->count; i++) {
                struct manifest *m = s->files[i];

                if (!str_eq(m->name, name))
                        continue;
                /* The same version in a new file is one that was never tried. */
                if (m->pod && manifest_source_in_force(s, m->pod->namespace, m->pod->name) == m)
                        manifest_trial_forget(s, m);
                memmove(s->files + i, s->files + i + 1, (s->count - i - 1) * sizeof(struct manifest *));
                s->count--;
                /* Later, unwant() does it; before, nothing was told to be wanted. */
                if (m->pod && !s->complete && revision_forget(s->revisions, m->pod->namespace, m->pod->name, &err) < 0)
                        s->handlers.notice(s->userdata, err.msg);
                m->pod = pod_unref(m->pod);
                set_problem(s, m, NULL);
                served = m->configs.count > 0;
                file_free(m);
                break;
        }
        if (served)
                configs_changed(s);
        manifest_source_settle(s);
}

static void on_directory(void *userdata, const char *message)
{
        struct manifest_source *s = userdata;

        free(TAKE_PTR(s->missing));
        s->missing = message ? xstrdup(message) : NULL;
        s->handlers.directory(s->userdata, message);
}

static void on_complete(void *userdata)
{
        struct manifest_source *s = userdata;

        s->complete = true;
        manifest_source_settle(s);
        s->handlers.complete(s->userdata);
}

/* What was in force when podwatch ran last: it stays so for files that are wrong, busy or gone for a moment now, and
 * for all while the directory is missing. */
static void recall(void *userdata, const char *pod_directory, const struct revision *revision, const struct err *err)
{
        struct manifest_source *s = userdata;
        char *directory CLEANUP_FREE = NULL;
        struct manifest *m;

        if (!revision) {
                char *text CLEANUP_FREE = xasprintf("%s: %s", pod_directory, err->msg);
                s->handlers.notice(s->userdata, text);
                return;
        }
        directory = file_dirname(revision->file);
        if (!str_eq(directory, manifest_dir_path(s->dir)))
                return;
        m = file_get(s, file_basename(revision->file));
        if (m->pod)
                return;
        m->pod = pod_ref(revision->pod);
        m->revision = revision->number;
        manifest_dir_expect(s->dir, m->name);
}

static void notice_ignored(void *userdata, const char *name, const char *why)
{
        struct buf *text = userdata;

        /* Hidden files are what tools put beside their work; they are shown by status alone. */
        if (name[0] != '.')
                buf_addf(text, "%s%s (%s)", text->len ? ", " : "", name, why);
}

static void on_ignored(void *userdata)
{
        struct manifest_source *s = userdata;
        struct buf text CLEANUP_BUF = BUF_INIT(4096);

        manifest_dir_ignored(s->dir, notice_ignored, &text);
        if (text.len == 0)
                return;
        char *message CLEANUP_FREE =
                xasprintf("not read in %s: %s%s", manifest_dir_path(s->dir), buf_str(&text), text.failed ? " ..." : "");
        s->handlers.notice(s->userdata, message);
}

int manifest_source_new(struct loop *loop, const struct manifest_source_options *options, struct revisions *revisions,
                        const struct manifest_source_handlers *handlers, void *userdata, struct manifest_source **ret,
                        struct err *err)
{
        static const struct manifest_dir_handlers dir_handlers = {
                .content = on_content,
                .unreadable = on_unreadable,
                .removed = on_removed,
                .directory = on_directory,
                .complete = on_complete,
                .ignored = on_ignored,
        };
        struct manifest_source *s = xcalloc(1, sizeof(*s));
        int r;

        s->loop = loop;
        s->node_name = xstrdup(options->node_name);
        s->strict = options->strict;
        s->revisions = revisions;
        s->handlers = *handlers;
        s->userdata = userdata;
        s->keep = loop_timer_new(loop, "versions of manifests", on_keep, s);
        r = manifest_dir_new(loop, options->path, options->scan_interval, options->each_removal, &dir_handlers, s,
                             &s->dir, err);
        if (r < 0) {
                (void)manifest_source_free(s);
                return r;
        }
        revisions_each(revisions, recall, s);
        *ret = s;
        return 0;
}

struct manifest_source *manifest_source_free(struct manifest_source *source)
{
        if (!source)
                return NULL;
        (void)manifest_dir_free(source->dir);
        (void)loop_source_free(source->keep);
        for (size_t i = 0; i < source->count; i++)
                file_free(source->files[i]);
        free(source->files);
        for (size_t i = 0; i < source->wanted_count; i++) {
                free(source->wanted[i].namespace);
                free(source->wanted[i].name);
                (void)pod_unref(source->wanted[i].pod);
        }
        free(source->wanted);
        free(source->configs.items); /* the objects were the files' */
        free(source->node_name);
        free(source->missing);
        free(source->disk);
        free(source);
        return NULL;
}

size_t manifest_source_count(const struct manifest_source *source)
{
        return source->count;
}

const struct manifest *manifest_source_get(const struct manifest_source *source, size_t index)
{
        return source->files[index];
}

const struct manifest *manifest_source_find(const struct manifest_source *source, const char *namespace,
                                            const char *name)
{
        return manifest_source_in_force(source, namespace, name);
}

void manifest_source_ignored(const struct manifest_source *source, manifest_source_ignored_fn fn, void *userdata)
{
        manifest_dir_ignored(source->dir, fn, userdata);
}

const struct config_objects *manifest_source_configs(const struct manifest_source *source)
{
        return &source->configs;
}

const char *manifest_source_missing(const struct manifest_source *source)
{
        return source->missing;
}

const char *manifest_source_disk(const struct manifest_source *source)
{
        return source->disk;
}
