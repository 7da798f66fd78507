/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hash.h"
#include "node/pod_persist.h"
#include "node/pod_step.h"
#include "node/view_digest.h"

static void add_number(uint64_t *h, uint64_t n)
{
        *h = hash64_add(*h, n);
}

static void add_text(uint64_t *h, const char *s)
{
        *h = hash64_text(*h, s);
}

static void add_instance(uint64_t *h, const struct pod_instance *i)
{
        add_number(h, (uint64_t)i->state);
        add_text(h, i->id);
        add_number(h, i->attempt);
        add_number(h, i->started_wall);
        add_number(h, i->finished_wall);
        add_number(h, (uint64_t)i->exit_code);
        add_number(h, i->oom_killed);
        add_text(h, i->error);
}

static void add_retry(uint64_t *h, const struct pod_retry *r)
{
        add_number(h, r->failures);
        add_text(h, r->reason);
        add_text(h, r->message);
}

static void add_container(uint64_t *h, const struct pod_container_view *c)
{
        const bool flags[] = {c->image_ready,    c->started,         c->ready,     c->post_start_done, c->pre_stop_done,
                              c->restart_wanted, c->restart_by_user, c->init_done, c->killed};

        add_instance(h, &c->now);
        add_instance(h, &c->last);
        add_text(h, c->image_id);
        *h = hash64_bytes(*h, flags, sizeof(flags));
        add_retry(h, &c->retry);
        add_retry(h, &c->image_retry);
        add_number(h, c->backoff.count);
        add_number(h, c->backoff.until);
        add_number(h, c->next_attempt);
        add_number(h, c->signalled);
        add_number(h, c->kill_at);
        for (size_t k = 0; k < POD_PROBE_KIND_MAX; k++) {
                const struct pod_probe_state *p = &c->probes[k];

                add_number(h, (uint64_t)p->streak << 3 | (uint64_t)p->known << 2 | (uint64_t)p->success << 1 |
                                      (uint64_t)p->last_success);
        }
}

static void add_incarnation(uint64_t *h, const struct pod_incarnation *inc)
{
        add_number(h, inc != NULL);
        if (!inc)
                return;
        add_number(h, (uint64_t)(uintptr_t)inc->pod);
        add_number(h, inc->revision);
        add_number(h, (uint64_t)inc->phase << 8 | (uint64_t)inc->stop_reason);
        add_number(h, inc->stop_since);
        add_number(h, inc->first_seen_wall);
        add_number(h, (uint64_t)inc->volumes_ready << 3 | (uint64_t)inc->terminal << 2 |
                              (uint64_t)inc->terminal_failed << 1 | (uint64_t)inc->cleaned);
        add_number(h, (uint64_t)inc->proven << 1 | (uint64_t)inc->gated);
        add_number(h, inc->gate_until);
        add_number(h, inc->ready_since);
        add_instance(h, &inc->sandbox);
        add_number(h, inc->sandbox_next_attempt);
        add_number(h, inc->sandbox_backoff.until);
        add_text(h, inc->ip);
        add_retry(h, &inc->retry);
        for (size_t i = 0; i < inc->pod->container_count; i++)
                add_container(h, &inc->containers[i]);
}

uint64_t view_digest(const struct pod_view *view, const struct pod_plan *plan)
{
        uint64_t h = pod_persist_digest(view, "");

        add_number(&h, (uint64_t)view->drain << 2 | (uint64_t)view->wanted << 1 | (uint64_t)view->runtime_ready);
        add_text(&h, view->hold);
        add_incarnation(&h, view->current);
        add_incarnation(&h, view->next);
        add_incarnation(&h, view->old);
        for (size_t i = 0; i < plan->wait_count; i++) {
                const struct pod_wait *wait = &plan->waits[i];

                add_number(&h, (uint64_t)wait->which);
                add_number(&h, (uint64_t)wait->container);
                add_number(&h, wait->until);
                add_text(&h, wait->reason);
                add_text(&h, wait->message);
        }
        return h;
}
