#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Defects for the simulator to catch, planted one at a time into copies of podwatch's sources.

    plant.py --list                the names
    plant.py --file NAME           the source file that a defect changes, below lib
    plant.py NAME SOURCE > COPY    the file with the defect

A defect replaces a text that stands exactly once in its file; where the text has changed the build says so, and the defect
is to be planted anew.
"""
import sys

# name: (file below lib, or below lib/node, what it does, the text, the text with the defect)
DEFECTS = {
    'lists-never-again': ('observer.c', 'what an event did not tell is never seen',
        'loop_timer_set(o->timer, usec_add(loop_now(o->loop), OBSERVER_LIST_USEC));', 'loop_timer_set(o->timer, USEC_INFINITY);'),
    'no-list-after-a-reconnect': ('observer.c', 'what happened while Docker was away is not looked at',
        'o->link = LINK_LISTING;\n        observer_list(o);', 'o->link = LINK_LISTING;\n        if (o->retry_delay == RETRY_FIRST_USEC)\n                observer_list(o);'),
    'backoff-off-by-one': ('backoff.c', 'every wait is the one before it',
        'return count == 0 ? 0 : doubled(BACKOFF_INITIAL, count,', 'return count == 0 ? 0 : doubled(BACKOFF_INITIAL, count - 1,'),
    'backoff-forgiven-early': ('backoff.c', 'five minutes of running are enough to begin anew',
        '>= BACKOFF_RESET)', '>= BACKOFF_RESET / 2)'),
    'backoff-of-the-start': ('backoff.c', 'a wait counts from the start of the run',
        'usec_add(finished, b->period)', 'usec_add(started ? started : finished, b->period)'),
    'slot-never-freed': ('pod_apply.c', 'a failed request holds its slot for ever',
        'slot->op = POD_OP_NONE;\n        if (!o->success && !view->runtime_ready) {',
        'if (o->success)\n                slot->op = POD_OP_NONE;\n        if (!o->success && !view->runtime_ready) {'),
    'late-outcome-taken': ('pod_apply.c', 'the outcome of an earlier request counts for a later one',
        'if (slot->op == op && op != POD_OP_NONE && slot->generation == generation)', 'if (slot->op == op && op != POD_OP_NONE && generation)'),
    'kill-without-grace': ('pod_apply.c', 'the kill follows the signal at once',
        'if (c->kill_at < usec_add(now, STOP_GRACE_MIN))\n                c->kill_at = usec_add(now, STOP_GRACE_MIN);', 'c->kill_at = now;'),
    'sidecars-not-stopped': ('step_stop.c', 'the sandbox is taken from under the sidecars',
        'if (!others && last < 0 && inc->sandbox.state', 'if (!others && inc->sandbox.state'),
    'kill-never': ('step_stop.c', 'what is deaf to its signal is left alone',
        'if (step_due(s, c->retry.at))', 'if (c->killed && step_due(s, c->retry.at))'),
    'replaced-before-it-is-ready': ('step_edit.c', 'a replacement that cannot be prepared stops what runs',
        'if (fact_prepared(view) &&', 'if (view->next && view->next->volumes_ready &&'),
    'directories-made-over': ('pod_exec.c', 'the directories of what runs are made over by a replacement of the same UID',
        'job->checks = action->which == POD_NEXT && fact_next_shares(view);', 'job->checks = false;'),
    'directories-not-made-over': ('pod_apply.c', 'a version starts with the directories of one of the same UID before it',
        'next->volumes_ready = false;', ''),
    'next-starts-beside': ('pod_step.c', 'the replacement starts while the old one runs',
        'if (s.inc) {\n                step_start(&s, false);', 'if (s.inc) {\n                step_start(&s, true);'),
    'late-start-not-expected': ('pod_facts.c', 'what a podwatch before was to start is waited for only where it runs already',
        'if (view->garbage[i].state != INSTANCE_EXITED)', 'if (view->garbage[i].state == INSTANCE_RUNNING)'),
    'deadline-dropped': ('pod_step.c', 'the time of the next try is forgotten',
        'if (at < s->plan->deadline)\n                s->plan->deadline = at;', 'if (at < s->plan->deadline && s->which != POD_CURRENT)\n                s->plan->deadline = at;'),
    'wakes-for-nothing': ('step_start.c', 'a restart is looked at though its image is not there',
        'if (!inc->volumes_ready || !c->image_ready || !slot_free(&c->slot))\n                return;',
        '(void)step_due(s, c->backoff.until);\n        if (!inc->volumes_ready || !c->image_ready || !slot_free(&c->slot))\n                return;'),
    'rule-always': ('pod_facts.c', 'restartPolicy OnFailure restarts what ended well',
        'return pod_container_restarts(pod, spec, c->now.exit_code);', 'return spec->init || pod->restart_policy != POD_RESTART_NEVER;'),
    'rule-of-the-container-ignored': ('kube/pod_restart.c', 'the restartPolicy of a container is not read',
        'return c->has_restart_policy ? c->restart_policy : pod->restart_policy;', '(void)c;\n        return pod->restart_policy;'),
    'exit-code-ignored': ('kube/pod_restart.c', 'restartPolicyRules run nothing again',
        'exit_code >= 0 && exit_code < CODES && code_set(', 'exit_code >= CODES && code_set('),
    'start-order-ignored': ('order_hold.c', 'a pod starts before the one that it is to wait for',
        'if (!inc || inc->phase == POD_PREPARING || inc->phase == POD_STOPPING)\n                return false;', 'if (!inc || inc->phase == POD_PREPARING || inc->phase == POD_STOPPING)\n                return true;'),
    'order-never-looked-at-again': ('order_hold.c', 'a pod that waited is not told that the other one is up',
        'return entry->view->hold[0] && pod &&', 'return entry->view->hold[0] && !pod &&'),
    'step-waits-for-the-api': ('../test/sim/sim_node.c', 'no container starts or stops while an event is on its way to the API server',
        '        loop_defer_schedule(node->step);', '        if (sim_node_events_waiting(node) > 0)\n                loop_timer_set(node->timer, usec_add(loop_now(node->o.loop), USEC_PER_MSEC));\n        else\n                loop_defer_schedule(node->step);'),
    'order-of-init-ignored': ('pod_facts.c', 'an init container that has failed lets the next one pass',
        'c->now.state == INSTANCE_RUNNING && c->started : c->init_done;', 'c->now.state == INSTANCE_RUNNING && c->started : c->now.finished > 0;'),
    'backoff-lost-on-restart': ('pod_persist.c', 'a podwatch that comes back has forgotten how often it crashed',
        '*b = *saved;', '*b = *saved;\n        b->count = 0;'),
    'kill-time-lost-on-restart': ('pod_persist.c', 'a podwatch that comes back kills what was signalled',
        'c->kill_at = saved->kill_at;', 'c->kill_at = saved->signalled;'),
    'orphans-left': ('pod_want.c', 'what runs and is wanted by nobody goes on',
        'view->current->phase = POD_ACTIVE;\n        return true;', 'view->current->phase = POD_ENDED;\n        return true;'),
    'one-failure-is-enough': ('probe_state.c', 'a probe restarts at its first failure',
        'if (state->streak < threshold)\n                return PROBE_UNDECIDED;', 'if (success && state->streak < threshold)\n                return PROBE_UNDECIDED;'),
    'record-left-out': ('pod_store.c', 'the journal lacks what probes said',
        'if (store->record) {\n                pod_change_write(', 'if (store->record && c->kind != POD_CHANGE_PROBE) {\n                pod_change_write('),
    'failed-start-believed': ('exec_start.c', 'a start that Docker refused counts as one that went well',
        'if (job->body)\n                job_failed(job, failure_reason(job), "%s", job->body);\n        else\n', ''),
    'status-of-another-version': ('pod_status.c', 'a pod that had completed and is edited stays Succeeded',
        'if (!goes_on(input, version))', 'if (!goes_on(input, version) && !version)'),
    'reverted-and-again': ('manifest_trial.c', 'a version that failed its trial is taken again by the next look at its file',
        '        manifest_source_refuse(s, m, why);\n        return true;\n', '        return false;\n'),
    'trial-cut-short': ('pod_gate.c', 'a version on trial has half of its time',
        'inc->gate_until = usec_add(now, gate_period(view, inc->pod));', 'inc->gate_until = usec_add(now, gate_period(view, inc->pod) / 2);'),
    'trial-forgotten': ('pod_persist.c', 'a podwatch that comes back has forgotten the trial',
        'inc->gated = saved->gated && view->wanted;', 'inc->gated = false;'),
    'good-version-stays-good': ('pod_gate.c', 'a version that was never Ready is one to go back to',
        'if (from && from->revision > 0 && from->proven && !from->gated)', 'if (from && from->revision > 0)'),
    'documents-shown-once': ('config_refresh.c', 'volumes go on showing what a document said at first',
        'if (all[i] && all[i]->volumes_ready && volume_refresh(', 'if (all[i] && !all[i]->volumes_ready && volume_refresh('),
    'refused-for-good': ('manifest_source.c', 'a pod that wanted a missing document is not looked at when that comes',
        '                s->handlers.configs(s->userdata);\n        read_again(s);', '                s->handlers.configs(s->userdata);\n        if (!s->complete)\n                read_again(s);'),
    'read-while-open': ('manifest_file.c', 'a file that somebody writes is read',
        'if (manifest_fs_is_written(fd))', 'if (manifest_fs_is_written(fd) && out->len)'),
    'read-before-it-is-quiet': ('manifest_dir.c', 'a file that has just been written is read at once',
        'usec_t age = dir->complete ? 0 : usec_sub(wall, changed);', 'usec_t age = dir->complete ? MANIFEST_SETTLE_USEC : usec_sub(wall, changed);'),
    'no-safety-scan': ('manifest_dir.c', 'what inotify does not tell is never seen',
        'dir->next_scan = usec_add(dir->last_scan, dir->scan_interval);', 'dir->next_scan = USEC_INFINITY;'),
    'unreadable-for-good': ('manifest_dir.c', 'a file that could not be read is not looked at again until it changes',
        'entry->again_at = r < 0 ?', 'entry->again_at = r > 1 ?'),
    'gone-at-once': ('manifest_dir.c', 'a file that is removed and made again is taken for gone',
        'usec_t quiet = dir->each_removal ? 0 : MANIFEST_REMOVE_USEC;', 'usec_t quiet = 0;'),
    'new-directory-is-none': ('manifest_dir.c', 'a directory that fills anew has lost its files',
        'dir->new_until = usec_add(loop_now(dir->loop), MANIFEST_REMOVE_NEW_DIRECTORY_USEC);', 'dir->new_until = 0;'),
    'missing-document-ignored': ('config_values.c', 'a container is made though the document of its variable is not there',
        'if (!item && ref->config_optional)', 'if (!item)'),
    'refused-and-at-once-again': ('api/mirror.c', 'a mirror that is refused is tried every second',
        'm->pause = longer(m->pause);\n        }\n        look_again', '}\n        look_again'),
    'link-lost-for-good': ('api/client.c', 'an API server that came back too late is not asked again',
        '        plan_probe(client, client->pause);\n        client->pause', '        if (client->pause < PROBE_PAUSE_MAX)\n                plan_probe(client, client->pause);\n        client->pause'),
    'flapping-link-begins-anew': ('api/client.c', 'each link that came up resets the pause of the next one',
        'if (was_up && usec_sub(loop_now(client->loop), client->up_since) >= LINK_HELD)', 'if (was_up)'),
    'mirror-of-an-old-version': ('api/mirror_decide.c', 'an edit leaves the mirror of the version before',
        'return str_eq(annotation(observed, ANNOTATION_MIRROR), config_hash(desired_pod)) &&', 'return *config_hash(desired_pod) &&'),
    'orphan-mirrors-left': ('api/mirror_decide.c', 'mirrors of no pod stay',
        'return observed && *annotation(observed, ANNOTATION_MIRROR) ? MIRROR_DELETE : MIRROR_NOTHING;', 'return MIRROR_NOTHING;'),
    'mirror-of-a-deleted-node': ('api/mirror_decide.c', 'mirrors that belong to a Node of before stay',
        '(str_empty(node_uid) || str_eq(owner_uid(observed), node_uid)) &&', '(str_empty(node_uid) || *owner_uid(observed)) &&'),
    'list-keeps-what-is-gone': ('api/mirror.c', 'what a new list does not show is taken to be there',
        'if (m->listed || !m->observed || m->call)', 'if (m->listed || !m->observed || m->call || m->pod)'),
    'link-tried-without-a-pause': ('api/client.c', 'an API server that is away is asked four times a second',
        'client->pause = client->pause * 2 < PROBE_PAUSE_MAX ? client->pause * 2 : PROBE_PAUSE_MAX;', 'client->pause = PROBE_PAUSE_FIRST;'),
}


def path(file):
    return file if '/' in file else 'node/' + file


def plant(name, source):
    file, _, text, defect = DEFECTS[name]
    with open(source, encoding='utf-8') as f:
        whole = f.read()
    if whole.count(text) != 1:
        sys.exit(f'plant.py: {name}: its text stands {whole.count(text)} times in {file}, not once')
    return whole.replace(text, defect)


def main(args):
    if args == ['--list']:
        print('\n'.join(DEFECTS))
    elif len(args) == 2 and args[0] == '--file' and args[1] in DEFECTS:
        print(path(DEFECTS[args[1]][0]))
    elif len(args) == 2 and args[0] in DEFECTS:
        sys.stdout.write(plant(*args))
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
