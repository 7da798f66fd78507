/* SPDX-License-Identifier: Apache-2.0 */
#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strv.h"
#include "codec/timefmt.h"
#include "kube/kubeconfig.h"
#include "net/loop.h"
#include "node/client_cert.h"
#include "node/kubeconfig_watch.h"
#include "node/manifest_watch.h"
#include "pki/cert.h"

#define DAY_SECONDS ((int64_t)24 * 60 * 60)
/* The kubeconfig, the CA, a client certificate, its key, a token, the renewed one: each may be in a directory of its
 * own. */
#define DIRECTORIES_MAX 6

static const int64_t marks[] = {30 * DAY_SECONDS, 7 * DAY_SECONDS, DAY_SECONDS, 0};

struct watched {
        char *path;
        struct manifest_watch *watch;
        struct kubeconfig_watch *owner;
};

struct kubeconfig_watch {
        struct loop *loop;
        char *path, *rotated, *node_name;
        struct kubeconfig_watch_handlers handlers;
        void *userdata;
        struct loop_source *reload, *clock;
        struct watched directories[DIRECTORIES_MAX];
        struct kubeconfig used; /* as it was taken; server NULL: nothing yet */
        char problem[1024];
        char *subject; /* of the client certificate, NULL without */
        int64_t not_after;
        size_t marks_skipped; /* those of more than a third of the certificate's life: it is renewed after them */
        size_t marks_passed;  /* as they were told */
};

static void hint(void *userdata, enum manifest_hint hint, const char *name)
{
        struct watched *directory = userdata;

        (void)name;
        if (hint == MANIFEST_HINT_DIRECTORY)
                (void)manifest_watch_directory(directory->watch, directory->path, NULL);
        loop_defer_schedule(directory->owner->reload);
}

static void unwatch(struct watched *directory)
{
        directory->watch = manifest_watch_free(directory->watch);
        free(directory->path);
        directory->path = NULL;
}

static bool has_file_in(const struct strv *files, const char *directory)
{
        const char *file;

        STRV_FOREACH (file, files) {
                char *dir CLEANUP_FREE = file_dirname(file);

                if (str_eq(dir, directory))
                        return true;
        }
        return false;
}

/* Whether the directory was not watched yet: what is in it may have changed since it was read. */
static int watch_directory(struct kubeconfig_watch *watch, const char *path, struct err *err)
{
        struct watched *slot = NULL;

        for (size_t i = 0; i < DIRECTORIES_MAX; i++) {
                if (str_eq(watch->directories[i].path, path))
                        return 0;
                if (!slot && !watch->directories[i].path)
                        slot = &watch->directories[i];
        }
        if (!slot)
                return err_set(err, ERR_LIMIT, "%s: its files are in more than %d directories", watch->path,
                               DIRECTORIES_MAX);
        int r = manifest_watch_new(watch->loop, hint, slot, &slot->watch, err);
        if (r < 0)
                return r;
        slot->owner = watch;
        slot->path = xstrdup(path);
        /* A missing directory is watched for by its ancestor. */
        (void)manifest_watch_directory(slot->watch, path, NULL);
        return 1;
}

/* 1: some were not watched before. */
static int watch_files(struct kubeconfig_watch *watch, const struct strv *files, struct err *err)
{
        const char *file;
        int added = 0;

        for (size_t i = 0; i < DIRECTORIES_MAX; i++)
                if (watch->directories[i].path && !has_file_in(files, watch->directories[i].path))
                        unwatch(&watch->directories[i]);
        STRV_FOREACH (file, files) {
                char *dir CLEANUP_FREE = file_dirname(file);
                int r = watch_directory(watch, dir, err);

                if (r < 0)
                        return r;
                added |= r;
        }
        return added;
}

/* --- the client certificate --------------------------------------------------------------------------------------- */

static char *expiry_text(const struct kubeconfig_watch *watch)
{
        int64_t left = watch->not_after - (int64_t)(loop_now_realtime(watch->loop) / USEC_PER_SEC);
        char when[TIMEFMT_MAX];

        timefmt_seconds((usec_t)watch->not_after * USEC_PER_SEC, when);
        if (left <= 0)
                return xasprintf("the client certificate %s of %s has expired at %s", watch->subject, watch->path,
                                 when);
        return xasprintf("the client certificate %s of %s expires at %s, in %lld days", watch->subject, watch->path,
                         when, (long long)(left / DAY_SECONDS));
}

static void check_expiry(struct kubeconfig_watch *watch)
{
        int64_t left = watch->not_after - (int64_t)(loop_now_realtime(watch->loop) / USEC_PER_SEC), pause = DAY_SECONDS;
        size_t passed = watch->marks_skipped;

        while (passed < ARRAY_SIZE(marks) && left <= marks[passed])
                passed++;
        if (passed > watch->marks_passed) {
                char *text CLEANUP_FREE = expiry_text(watch);

                watch->handlers.expires(watch->userdata, text);
        }
        watch->marks_passed = passed;
        /* Not longer than a day: the clock may be set. */
        if (passed < ARRAY_SIZE(marks) && left - marks[passed] < pause)
                pause = left - marks[passed];
        loop_timer_set(watch->clock, usec_add(loop_now(watch->loop), (usec_t)pause * USEC_PER_SEC));
}

static void on_clock(void *userdata, usec_t now)
{
        (void)now;
        check_expiry(userdata);
}

static void take_certificate(struct kubeconfig_watch *watch)
{
        struct pki_certs certs CLEANUP_PKI_CERTS = {0};
        const char *pem = watch->used.cert_pem;

        free(watch->subject);
        watch->subject = NULL;
        watch->marks_skipped = watch->marks_passed = 0;
        loop_timer_set(watch->clock, USEC_INFINITY);
        /* One that cannot be read was refused with the credentials. */
        if (!pem || pki_certs_load(pem, strlen(pem), &certs, NULL) < 0)
                return;
        watch->subject = xstrdup(pki_cert_facts(certs.items[0])->subject);
        watch->not_after = pki_cert_facts(certs.items[0])->not_after;
        int64_t life = watch->not_after - pki_cert_facts(certs.items[0])->not_before;
        while (marks[watch->marks_skipped] > life / 3 && marks[watch->marks_skipped] > 0)
                watch->marks_skipped++;
        watch->marks_passed = watch->marks_skipped;
        check_expiry(watch);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

static void trouble(struct kubeconfig_watch *watch, const char *message)
{
        if (str_eq(watch->problem, message))
                return;
        str_copy(watch->problem, sizeof(watch->problem), message);
        watch->handlers.trouble(watch->userdata, watch->problem);
}

static bool same(const struct kubeconfig *a, const struct kubeconfig *b)
{
        return str_eq(a->server, b->server) && str_eq(a->ca_pem, b->ca_pem) && str_eq(a->cert_pem, b->cert_pem) &&
               str_eq(a->key_pem, b->key_pem) && str_eq(a->token, b->token);
}

static int use(struct kubeconfig_watch *watch, struct kubeconfig *config, struct err *err)
{
        struct kubeconfig before = watch->used;
        int r = watch->handlers.take(watch->userdata, config, err);

        if (r < 0)
                return r;
        watch->used = *config;
        *config = before;
        take_certificate(watch);
        return 0;
}

static void reload(void *userdata)
{
        struct kubeconfig_watch *watch = userdata;
        struct kubeconfig config CLEANUP_KUBECONFIG = {0};
        struct strv files CLEANUP_STRV = STRV_INIT;
        struct err err = ERR_INIT;
        int added, r = kubeconfig_load_files(watch->path, &config, &files, &err);

        if (watch->rotated)
                strv_add(&files, watch->rotated);
        if (watch->rotated && r == 0)
                (void)client_cert_take(watch->rotated, watch->node_name,
                                       (int64_t)(loop_now_realtime(watch->loop) / USEC_PER_SEC), &config);
        added = watch_files(watch, &files, r < 0 ? NULL : &err);
        if (added > 0)
                loop_defer_schedule(watch->reload);
        /* What was loaded stays in use: a file that is being replaced is gone for a moment. */
        if (r == -ENOENT && watch->used.server)
                return;
        if (r == -ENOENT) {
                char *text CLEANUP_FREE = xasprintf("waiting for %s", watch->path);

                trouble(watch, text);
                return;
        }
        if (r == 0 && added < 0)
                r = added;
        if (r == 0 && !same(&watch->used, &config))
                r = use(watch, &config, &err);
        if (r < 0)
                trouble(watch, err.msg);
        else
                watch->problem[0] = '\0';
}

int kubeconfig_watch_new(struct loop *loop, const struct kubeconfig_watch_options *options,
                         const struct kubeconfig_watch_handlers *handlers, void *userdata,
                         struct kubeconfig_watch **ret, struct err *err)
{
        struct kubeconfig_watch *watch = xcalloc(1, sizeof(*watch));
        struct strv files CLEANUP_STRV = STRV_INIT;

        watch->loop = loop;
        watch->path = xstrdup(options->path);
        watch->rotated = options->rotated ? xstrdup(options->rotated) : NULL;
        watch->node_name = options->node_name ? xstrdup(options->node_name) : NULL;
        watch->handlers = *handlers;
        watch->userdata = userdata;
        watch->reload = loop_defer_new(loop, "kubeconfig", reload, watch);
        watch->clock = loop_timer_new(loop, "client certificate", on_clock, watch);
        strv_add(&files, watch->path);
        int r = watch_files(watch, &files, err);
        if (r < 0) {
                (void)kubeconfig_watch_free(watch);
                return r;
        }
        loop_defer_schedule(watch->reload);
        *ret = watch;
        return 0;
}

struct kubeconfig_watch *kubeconfig_watch_free(struct kubeconfig_watch *watch)
{
        if (!watch)
                return NULL;
        for (size_t i = 0; i < DIRECTORIES_MAX; i++)
                unwatch(&watch->directories[i]);
        loop_source_free(watch->reload);
        loop_source_free(watch->clock);
        kubeconfig_release(&watch->used);
        free(watch->subject);
        free(watch->rotated);
        free(watch->node_name);
        free(watch->path);
        free(watch);
        return NULL;
}

const char *kubeconfig_watch_problem(const struct kubeconfig_watch *watch)
{
        return watch->problem;
}

void kubeconfig_watch_status(const struct kubeconfig_watch *watch, struct cJSON *status)
{
        char when[TIMEFMT_MAX];

        if (!watch->subject)
                return;
        struct cJSON *certificate = cJSON_AddObjectToObject(status, "clientCertificate");
        timefmt_seconds((usec_t)watch->not_after * USEC_PER_SEC, when);
        cJSON_AddStringToObject(certificate, "subject", watch->subject);
        cJSON_AddStringToObject(certificate, "expires", when);
        if (watch->marks_passed > watch->marks_skipped) {
                char *text CLEANUP_FREE = expiry_text(watch);

                cJSON_AddStringToObject(certificate, "warning", text);
        }
}
