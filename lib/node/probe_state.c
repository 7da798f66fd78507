/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hash.h"
#include "node/probe_state.h"

static usec_t seconds(int n)
{
        return n > 0 ? (usec_t)n * USEC_PER_SEC : 0;
}

usec_t probe_period(const struct pod_probe *probe)
{
        return probe->period_seconds > 0 ? seconds(probe->period_seconds) : 10 * USEC_PER_SEC;
}

usec_t probe_offset(const char *uid, const char *container, enum pod_probe_kind kind, usec_t period)
{
        const char tail[] = {'/', (char)('0' + (int)kind)};
        uint32_t h = hash_fnv32a(uid, strlen(uid));

        h = hash_fnv32a_more(h, "/", 1);
        h = hash_fnv32a_more(h, container, strlen(container));
        return (usec_t)hash_fnv32a_more(h, tail, sizeof(tail)) % period;
}

void probe_reset(struct pod_probe_state *state, enum pod_probe_kind kind)
{
        *state = (struct pod_probe_state){.success = kind == POD_PROBE_LIVENESS};
}

void probe_plan(struct pod_probe_state *state, const struct pod_probe *probe, usec_t started, usec_t now, usec_t offset)
{
        usec_t due;

        if (probe->handler.type == POD_HANDLER_NONE || state->due)
                return;
        due = usec_add(usec_add(started, seconds(probe->initial_delay_seconds)), offset);
        /* A container that runs for long is probed soon, still spread by its offset. */
        state->due = due > now ? due : usec_add(now, offset);
}

/* Keeps the cadence: ticks are counted from the planned time. Of those that passed while the probe ran one is kept, as
 * by the kubelet's time.Ticker, and is due at once: a server that hangs for the whole period is found out no later for
 * it. */
static void plan_next(struct pod_probe_state *state, const struct pod_probe *probe, usec_t now)
{
        usec_t period = probe_period(probe);
        usec_t late = usec_sub(now, state->due);

        state->due = usec_add(state->due, late < period ? period : late / period * period);
        state->slot.op = POD_OP_NONE;
        state->last = now;
}

void probe_error(struct pod_probe_state *state, const struct pod_probe *probe, const char *output, usec_t now)
{
        plan_next(state, probe, now);
        pod_view_text(state->last_output, sizeof(state->last_output), output);
}

enum probe_verdict probe_outcome(struct pod_probe_state *state, const struct pod_probe *probe, bool success,
                                 const char *output, usec_t now)
{
        int threshold = success ? probe->success_threshold : probe->failure_threshold;

        if (state->streak > 0 && state->last_success != success)
                state->streak = 0;
        /* More than the threshold tells nothing, and would change the state at each probe. */
        if (state->streak < threshold || state->streak == 0)
                state->streak++;
        state->last_success = success;
        pod_view_text(state->last_output, sizeof(state->last_output), output);
        plan_next(state, probe, now);

        if (state->streak < threshold)
                return PROBE_UNDECIDED;
        state->known = true;
        state->success = success;
        return success ? PROBE_PASSED : PROBE_FAILED;
}
