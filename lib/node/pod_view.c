/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "node/pod_view.h"

struct pod_view *pod_view_new(const char *key)
{
        struct pod_view *view = xcalloc(1, sizeof(*view));

        view->key = xstrdup(key);
        return view;
}

struct pod_view *pod_view_free(struct pod_view *view)
{
        if (!view)
                return NULL;
        pod_incarnation_free(view->current);
        pod_incarnation_free(view->next);
        pod_incarnation_free(view->old);
        pod_unref(view->fallback);
        free(view->garbage);
        free(view->key);
        free(view);
        return NULL;
}

static void container_init(struct pod_container_view *c)
{
        c->restart_grace_usec = -1;
        c->probes[POD_PROBE_LIVENESS].success = true; /* until it says otherwise */
}

struct pod_incarnation *pod_incarnation_new(struct pod *pod, unsigned revision, usec_t now, usec_t now_wall)
{
        struct pod_incarnation *inc = xcalloc(1, sizeof(*inc));

        inc->pod = pod_ref(pod);
        inc->revision = revision;
        inc->first_seen = now;
        inc->first_seen_wall = now_wall;
        inc->containers = xcalloc(pod->container_count, sizeof(*inc->containers));
        for (size_t i = 0; i < pod->container_count; i++)
                container_init(&inc->containers[i]);
        return inc;
}

struct pod_incarnation *pod_incarnation_free(struct pod_incarnation *inc)
{
        if (!inc)
                return NULL;
        free(inc->containers);
        pod_unref(inc->pod);
        free(inc);
        return NULL;
}

static struct pod_incarnation *incarnation_copy(const struct pod_incarnation *from)
{
        struct pod_incarnation *to;

        if (!from)
                return NULL;
        to = xmalloc(sizeof(*to));
        *to = *from;
        to->pod = pod_ref(from->pod);
        to->containers = xcalloc(from->pod->container_count, sizeof(*to->containers));
        for (size_t i = 0; i < from->pod->container_count; i++)
                to->containers[i] = from->containers[i];
        return to;
}

struct pod_view *pod_view_copy(const struct pod_view *view)
{
        struct pod_view *to = xmalloc(sizeof(*to));

        *to = *view;
        to->key = xstrdup(view->key);
        to->current = incarnation_copy(view->current);
        to->next = incarnation_copy(view->next);
        to->old = incarnation_copy(view->old);
        to->fallback = view->fallback ? pod_ref(view->fallback) : NULL;
        to->garbage = NULL;
        if (view->garbage_count) {
                to->garbage = xcalloc(view->garbage_count, sizeof(*to->garbage));
                memcpy(to->garbage, view->garbage, view->garbage_count * sizeof(*to->garbage));
        }
        return to;
}

void pod_view_text(char *to, size_t size, const char *text)
{
        size_t at = 0;

        for (size_t left = text ? strlen(text) : 0; left > 0;) {
                size_t n = utf8_sequence_length(text, left);

                if (at + (n ? n : 1) >= size)
                        break;
                if (n) /* to and text may be the same */
                        memmove(to + at, text, n);
                else
                        to[at] = '?';
                at += n ? n : 1;
                text += n ? n : 1;
                left -= n ? n : 1;
        }
        memset(to + at, 0, size - at);
}

bool pod_incarnation_same_version(const struct pod_incarnation *inc, const struct pod *pod)
{
        return pod_same_version(inc->pod, pod);
}

static struct pod_instance *find_in(struct pod_incarnation *inc, const char *id, int *ret_container)
{
        if (str_eq(inc->sandbox.id, id)) {
                *ret_container = -1;
                return &inc->sandbox;
        }
        for (size_t i = 0; i < inc->pod->container_count; i++) {
                struct pod_container_view *c = &inc->containers[i];

                *ret_container = (int)i;
                if (str_eq(c->now.id, id))
                        return &c->now;
                if (str_eq(c->last.id, id))
                        return &c->last;
        }
        return NULL;
}

bool pod_view_has(const struct pod_view *view, const struct pod *pod)
{
        const struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (all[i] && all[i]->pod == pod)
                        return true;
        return false;
}

struct pod_instance *pod_view_find_id(const struct pod_view *view, const char *id,
                                      struct pod_incarnation **ret_incarnation, int *ret_container)
{
        struct pod_incarnation *const all[] = {view->current, view->next, view->old};

        if (str_empty(id))
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                int container;
                struct pod_instance *found = all[i] ? find_in(all[i], id, &container) : NULL;

                if (found) {
                        *ret_incarnation = all[i];
                        *ret_container = container;
                        return found;
                }
        }
        return NULL;
}

#define NAMES(prefix, type, ...)                                                               \
        const char *prefix##_name(enum type value)                                             \
        {                                                                                      \
                static const char *const names[] = {__VA_ARGS__};                              \
                return (size_t)value < ARRAY_SIZE(names) && names[value] ? names[value] : "?"; \
        }

NAMES(instance_state, instance_state, [INSTANCE_ABSENT] = "absent", [INSTANCE_CREATED] = "created",
      [INSTANCE_RUNNING] = "running", [INSTANCE_EXITED] = "exited")
NAMES(pod_op, pod_op, [POD_OP_NONE] = "none", [POD_OP_VOLUMES] = "volumes", [POD_OP_SANDBOX_CREATE] = "sandbox-create",
      [POD_OP_SANDBOX_START] = "sandbox-start", [POD_OP_SANDBOX_STOP] = "sandbox-stop", [POD_OP_CLEANUP] = "cleanup",
      [POD_OP_IMAGE] = "image", [POD_OP_CREATE] = "create", [POD_OP_START] = "start",
      [POD_OP_POST_START] = "post-start", [POD_OP_PRE_STOP] = "pre-stop", [POD_OP_SIGNAL] = "signal",
      [POD_OP_KILL] = "kill", [POD_OP_REMOVE] = "remove", [POD_OP_PROBE] = "probe")
NAMES(pod_stop_reason, pod_stop_reason, [POD_STOP_NONE] = "none", [POD_STOP_REMOVED] = "removed",
      [POD_STOP_REPLACED] = "replaced", [POD_STOP_DEADLINE] = "deadline", [POD_STOP_ORPHAN] = "orphan",
      [POD_STOP_SANDBOX] = "sandbox", [POD_STOP_COMPLETED] = "completed", [POD_STOP_DRAINED] = "drained")
NAMES(pod_incarnation_phase, pod_incarnation_phase, [POD_PREPARING] = "preparing", [POD_ACTIVE] = "active",
      [POD_STOPPING] = "stopping", [POD_ENDED] = "ended")
