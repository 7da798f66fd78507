# SPDX-License-Identifier: Apache-2.0
"""The soaks of test/soak in short form, each on a host of its own: what holds after hundreds of faults by hand holds after a few here."""
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'soak'))

import audit    # noqa: E402
import soaks    # noqa: E402


def short(name):
    seed = int(os.environ.get('PWT_SOAK_SEED', random.SystemRandom().randrange(10**6)))
    print(f'# seed {seed}', flush=True)
    print('# ' + json.dumps(soaks.run(name, soaks.LENGTHS[name][1], seed)))


def event(action, container, uid, at, name='main'):
    return {'Action': action, 'timeNano': at, 'Actor': {'ID': container, 'Attributes': {
        'name': f'k8s_{name}_{container}', 'io.kubernetes.pod.uid': uid, 'io.kubernetes.pod.name': 'p', 'io.kubernetes.pod.namespace': 'd',
        'io.kubernetes.container.name': name}}}


def test_the_audit_sees_two_at_once():
    """The judge itself: two of one name, two incarnations of one pod, and what only looks like it."""
    one, other = event('start', 'a', 'u', 1), event('start', 'b', 'u', 3)
    assert audit.two_at_once([one, other], {})
    assert not audit.two_at_once([one, event('die', 'a', 'u', 2), other], {})
    assert not audit.two_at_once([other, event('die', 'a', 'u', 2), one], {})
    assert not audit.two_at_once([one, other], {'a': 2}) and audit.two_at_once([one, other], {'a': 4})
    assert audit.two_at_once([one, event('start', 'c', 'new', 3, 'second')], {})
    assert not audit.two_at_once([one, event('start', 'c', 'u', 3, 'second'), event('start', 'd', 'u', 2, 'POD')], {})
    assert not audit.two_at_once([event('start', 'd', 'u', 1, 'POD'), event('start', 'b', 'new', 3)], {})


def test_the_audit_sees_backoffs_that_are_too_short():
    def start(attempt, at):
        return {'Action': 'start', 'timeNano': int(at * 1e9), 'Actor': {'ID': f'c{attempt}', 'Attributes': {
            'name': f'k8s_main_c0-node1_default_u_{attempt}'}}}
    ends = {f'c{attempt}': int(at * 1e9) for attempt, at in enumerate((1, 2, 13, 34))}
    good = [start(0, 0), start(1, 1.1), start(2, 12.1), start(3, 33.1)]
    assert soaks.backoffs_too_short(good, ends) == ([], 2)
    assert soaks.backoffs_too_short(good, {}) == ([], 0)
    faults, checked = soaks.backoffs_too_short(good[:3] + [start(3, 32.9)], ends)
    assert checked == 2 and len(faults) == 1 and '20 s are due' in faults[0], faults


def test_killed_podwatch():
    short('kills')


def test_killed_dockerd():
    short('dockerd')


def test_overflowing_inotify_queue():
    short('overflow')


def test_full_disk():
    short('disk')


def test_crowd_with_crash_loops():
    short('crowd')
