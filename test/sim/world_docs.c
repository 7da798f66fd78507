/* SPDX-License-Identifier: Apache-2.0
 *
 * ConfigMaps and Secrets in the manifest directory: pods that take variables and volumes from them, edits of them, and
 * what must hold. Their edits stop nothing, which check_stopping sees as of any stop; what is made takes the values of
 * its time; volumes show what the document says; and a pod that wants what is not there waits with the reason.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"
#include "kube/config_object.h"
#include "node/pod_store.h"
#include "sim_loop.h"
#include "world_private.h"

/* The key that pods take, also as a variable. */
#define KEY "DOC"
/* A create that podwatch has asked for may take so long, and what it asks for was current when it did. */
#define ON_ITS_WAY (180 * USEC_PER_SEC)

/* Beside numbers: */
#define DOC_ABSENT 0
#define DOC_NO_KEY (-1) /* it is there and lacks the key */
#define DOC_BROKEN (-2) /* what the file holds is no document: podwatch keeps the one before */

static const struct {
        const char *file, *name;
        bool secret;
} places[WORLD_DOCS] = {
        {"conf0.yaml", "conf0", false}, /* read before the pods' files */
        {"zconf1.yaml", "conf1", true}, /* and after */
};

static enum config_kind kind_of(int doc)
{
        return places[doc].secret ? CONFIG_SECRET : CONFIG_MAP;
}

/* --- the documents ------------------------------------------------------------------------------------------------ */

static char *text_of(struct world *w, int doc, int value)
{
        const char *kind = config_kind_name(kind_of(doc)), *space = rng_chance(&w->rng, 500) ? "\n" : "";

        if (value == DOC_ABSENT)
                return NULL;
        if (value == DOC_BROKEN)
                return xasprintf("{\"kind\":\"%s\",", kind);
        if (value == DOC_NO_KEY)
                return xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"}}%s", kind,
                                 places[doc].name, space);
        return xasprintf("{\"apiVersion\":\"v1\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"},\"%s\":{\"" KEY
                         "\":\"%d\"}}%s",
                         kind, places[doc].name, places[doc].secret ? "stringData" : "data", value, space);
}

static void write_doc(struct world *w, int doc, int value)
{
        char *text CLEANUP_FREE = text_of(w, doc, value);

        world_say(w, "--- document %s is now %d", places[doc].name, value);
        w->docs[doc].says = value;
        w->result->doc_edits++;
        world_files_changed(w, places[doc].file, text);
}

/* Now and then the same once more: a write that changes no meaning. */
void docs_edit(struct world *w)
{
        int doc = (int)rng_below(&w->rng, WORLD_DOCS);
        struct world_doc *d = &w->docs[doc];
        uint64_t what = rng_below(&w->rng, 100);

        if (what < 25)
                write_doc(w, doc, DOC_ABSENT);
        else if (what < 35)
                write_doc(w, doc, DOC_NO_KEY);
        else if (what < 40)
                write_doc(w, doc, DOC_BROKEN);
        else if (what < 55)
                write_doc(w, doc, d->says);
        else
                write_doc(w, doc, ++d->last);
}

void docs_begin(struct world *w)
{
        w->with_docs = rng_chance(&w->rng, 400);
        for (int i = 0; w->with_docs && i < WORLD_DOCS; i++)
                if (rng_chance(&w->rng, 700))
                        write_doc(w, i, ++w->docs[i].last);
}

void docs_calm(struct world *w)
{
        for (int i = 0; w->with_docs && i < WORLD_DOCS; i++)
                if (rng_chance(&w->rng, 700) || w->docs[i].says == DOC_BROKEN)
                        write_doc(w, i, ++w->docs[i].last);
}

/* --- what podwatch knows of them ------------------------------------------------------------------------------------
 */

static void know(struct world *w, struct world_doc *d, int value)
{
        if (value == DOC_BROKEN || value == d->known)
                return;
        d->known = value;
        d->spans = xrealloc(d->spans, d->span_count + 1, sizeof(*d->spans));
        d->spans[d->span_count++] = (struct doc_span){.value = value, .since = sim_loop_elapsed(w->loop)};
}

void docs_unknown(struct world *w)
{
        for (int i = 0; i < WORLD_DOCS; i++) {
                know(w, &w->docs[i], DOC_ABSENT);
                w->docs[i].told = DOC_ABSENT;
        }
}

/* Of text_of. */
static int value_of(const char *text)
{
        static const char before[] = "\"" KEY "\":\"";
        const char *at = text ? strstr(text, before) : NULL;
        int value = DOC_NO_KEY;

        if (!text)
                return DOC_ABSENT;
        if (at) {
                char *number CLEANUP_FREE = xstrndup(at + strlen(before), strspn(at + strlen(before), "0123456789"));

                (void)str_to_int(number, 0, INT_MAX, &value);
                return value;
        }
        return strstr(text, "metadata") ? DOC_NO_KEY : DOC_BROKEN;
}

bool docs_told(struct world *w, const char *name, const char *text)
{
        for (int i = 0; i < WORLD_DOCS; i++) {
                if (!str_eq(places[i].file, name))
                        continue;
                w->docs[i].told = value_of(text);
                know(w, &w->docs[i], w->docs[i].told);
                return true;
        }
        return false;
}

void docs_check_told(struct world *w)
{
        for (int i = 0; i < WORLD_DOCS; i++)
                if (w->docs[i].told != w->docs[i].says)
                        world_problem(w, "%s says %d, and podwatch was told %d", places[i].file, w->docs[i].says,
                                      w->docs[i].told);
}

bool docs_serve(const struct world *w, const struct version *v)
{
        return v->doc < 0 || v->doc_optional || w->docs[v->doc].known != DOC_ABSENT;
}

/* As pod_config.c, which has the manifest itself. */
bool docs_admit(const struct version *v, const struct config_objects *configs, struct err *err)
{
        if (v->doc < 0 || v->doc_optional ||
            config_objects_find(configs, kind_of(v->doc), "default", places[v->doc].name))
                return true;
        (void)err_set(err, ERR_INVALID, "model: static pods may not reference %s", places[v->doc].name);
        return false;
}

/* Something of v cannot be made now, or could not be when it was tried: for want of its document or of the key. */
bool docs_lack(const struct world *w, const struct version *v)
{
        int known = v->doc < 0 ? DOC_ABSENT : w->docs[v->doc].known;

        if (v->doc < 0 || v->doc_optional)
                return false;
        return known == DOC_ABSENT || (known == DOC_NO_KEY && v->doc_use == DOC_USE_ENV);
}

/* --- pods that take them --------------------------------------------------------------------------------------------
 */

static void use_env(struct pod_container *c, const struct version *v)
{
        c->env = xrealloc(c->env, c->env_count + 1, sizeof(*c->env));
        c->env[c->env_count++] = (struct pod_env){.name = xstrdup(KEY),
                                                  .config_name = xstrdup(places[v->doc].name),
                                                  .config_key = xstrdup(KEY),
                                                  .config_secret = places[v->doc].secret,
                                                  .config_optional = v->doc_optional};
}

static void use_env_from(struct pod_container *c, const struct version *v)
{
        c->env_from = xcalloc(1, sizeof(*c->env_from));
        c->env_from_count = 1;
        c->env_from[0] = (struct pod_env_from){.name = xstrdup(places[v->doc].name),
                                               .prefix = xstrdup(""),
                                               .secret = places[v->doc].secret,
                                               .optional = v->doc_optional};
}

static void use_volume(struct pod *pod, const struct version *v)
{
        struct pod_volume *volume = xcalloc(1, sizeof(*volume));

        pod->volumes = volume;
        pod->volume_count = 1;
        volume->name = xstrdup("doc");
        volume->type = places[v->doc].secret ? POD_VOLUME_SECRET : POD_VOLUME_CONFIG_MAP;
        volume->sources = xcalloc(1, sizeof(*volume->sources));
        volume->source_count = 1;
        volume->sources[0] = (struct pod_config_source){
                .name = xstrdup(places[v->doc].name), .secret = places[v->doc].secret, .optional = v->doc_optional};
}

void docs_use(struct world *w, struct version *v)
{
        struct rng *rng = &w->rng;

        v->doc = -1;
        if (!w->with_docs || !rng_chance(rng, 500))
                return;
        v->doc = (int)rng_below(rng, WORLD_DOCS);
        v->doc_optional = rng_chance(rng, 200);
        v->doc_use = (enum doc_use)rng_below(rng, DOC_USE_MAX);
        v->doc_container = (size_t)rng_below(rng, v->pod->container_count);
        switch (v->doc_use) {
        case DOC_USE_ENV:
                use_env(&v->pod->containers[v->doc_container], v);
                break;
        case DOC_USE_ENV_FROM:
                use_env_from(&v->pod->containers[v->doc_container], v);
                break;
        case DOC_USE_VOLUME:
                use_volume(v->pod, v);
                break;
        case DOC_USE_MAX:
                break;
        }
}

/* --- what must hold -------------------------------------------------------------------------------------------------
 */

/* podwatch knew this value a while ago at most. */
static bool was_known(const struct world *w, const struct world_doc *d, int value)
{
        usec_t now = sim_loop_elapsed(w->loop), until = now;

        for (size_t i = d->span_count; i-- > 0; until = d->spans[i].since) {
                if (until + ON_ITS_WAY < now)
                        return false;
                if (d->spans[i].value == value || (value == DOC_ABSENT && d->spans[i].value == DOC_NO_KEY))
                        return true;
        }
        return value == DOC_ABSENT && until + ON_ITS_WAY >= now; /* before the first */
}

void docs_check_created(struct world *w, const struct version *v, const struct model_container *c)
{
        size_t i;

        if (v->doc < 0 || v->doc_use == DOC_USE_VOLUME || c->is_sandbox || !world_spec(v, c->container, &i) ||
            i != v->doc_container)
                return;
        w->result->doc_containers++;
        if (!was_known(w, &w->docs[v->doc], c->doc))
                world_problem(w, "%s is made with %d of %s, which is %d", c->name, c->doc, places[v->doc].name,
                              w->docs[v->doc].known);
        if (!c->doc && !v->doc_optional && v->doc_use == DOC_USE_ENV)
                world_problem(w, "%s is made without its variable", c->name);
}

/* The volume of a pod at rest shows what the document says, or what it said last. */
void docs_check_shown(struct world *w, const struct version *v, int shown)
{
        int known = v->doc < 0 ? DOC_ABSENT : w->docs[v->doc].known;

        if (v->doc < 0 || v->doc_use != DOC_USE_VOLUME || known == DOC_ABSENT)
                return;
        if (shown != (known == DOC_NO_KEY ? 0 : known))
                world_problem(w, "the volume of %s shows %d and %s is %d", v->pod->name, shown, places[v->doc].name,
                              known);
}

/* Of what waits for its document it is said. */
bool docs_said(const struct pod_plan *plan, const struct version *v)
{
        for (size_t i = 0; i < plan->wait_count; i++)
                if (strstr(plan->waits[i].message, places[v->doc].name))
                        return true;
        return false;
}

void docs_free(struct world *w)
{
        for (int i = 0; i < WORLD_DOCS; i++)
                free(w->docs[i].spans);
}
