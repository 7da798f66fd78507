# SPDX-License-Identifier: Apache-2.0
"""An idle podwatch does not wake: the kernel shows that it makes no system call, and its own count names each cause that there was."""
import re
import subprocess
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, pod, wait_for

ORDERED = True
PODS = 8
WINDOW = 20
# Beside what Docker tells, only its slow full list may wake a podwatch whose manifest directory is not scanned (fileCheckFrequency).
LIST_SECONDS = 60


class State:
    pass


def setup():
    state = State()
    state.host = Host('idle')
    state.host.docker.make_busybox()
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + 'fileCheckFrequency: 1h\n')
    for i in range(PODS):
        state.host.write(f'/etc/kubernetes/manifests/p{i}.yaml', pod(f'p{i}', hostNetwork=True, terminationGracePeriodSeconds=0))
    state.podwatch = Podwatch(state.host).start()
    state.podwatch.wait_ready(*[f'default/p{i}-node1' for i in range(PODS)])
    # Versions that were taken are synced a while later, once, each in a turn of its own.
    wait_for(lambda: wakes(state).get('versions of manifests', 0) >= PODS, 10, 'the versions to be synced')
    return state


def system_calls(state, seconds, meanwhile=lambda: None):
    """The system calls that podwatch begins within a time, as strace shows them; the one in which it sleeps began before."""
    log = f'{state.host.logs}/strace.log'
    with subprocess.Popen(['strace', '-f', '-o', log, '-p', str(state.podwatch.pid)], stderr=subprocess.PIPE, text=True) as tracer:
        try:
            line = tracer.stderr.readline()
            assert 'attached' in line, line
            meanwhile()
            time.sleep(seconds)
        finally:
            tracer.terminate()
    with open(log) as f:
        calls = [line.rstrip('\n') for line in f]
    # strace stops the process to attach; its sleep is shown once, and once more as it is let go.
    return [c for c in calls if not re.search(r'^\d+ +(restart_syscall|epoll_wait|<\.\.\.)?.*(<unfinished|<detached|detached \.\.\.>)', c)]


def test_strace_sees_a_wake_up(state):
    """The measure itself: one request to the local socket is several calls."""
    seen = system_calls(state, 0.5, lambda: state.podwatch.api('/healthz'))
    assert len(seen) > 3 and any('accept' in c for c in seen), seen


def wakes(state):
    return {w['name']: w['wakes'] for w in state.podwatch.status()['wakes']}


def test_no_system_call_between_the_safety_lists(state):
    """The windows are what the next test counts over, too: its own count must name what the kernel saw."""
    state.before, state.begin = wakes(state), time.monotonic()

    def silent():
        seen = system_calls(state, WINDOW)
        if seen:
            raise AssertionError(f'{len(seen)} system calls: {seen[:10]}')
        return True
    # A list falls into one window of three at most; what follows the start of the pods may take the first ones.
    wait_for(silent, 8 * WINDOW, f'{WINDOW} s without any system call', 0)


def test_each_wake_up_has_a_cause(state):
    after, seconds = wakes(state), time.monotonic() - state.begin
    assert seconds >= WINDOW
    more = {name: n - state.before.get(name, 0) for name, n in after.items() if n > state.before.get(name, 0)}
    # Asking for the status is a wake-up of the local socket itself; a list of Docker is a few on its connection.
    unexplained = {name: n for name, n in more.items() if 'docker' not in name.lower() and 'local' not in name.lower() and 'http' not in name.lower()}
    # What a list led to, if only to nothing, is published once after it.
    assert unexplained.pop('pod status', 0) <= more.get('docker list', 0) and not unexplained, more
    assert sum(more.values()) <= 12 + 12 * (1 + seconds // LIST_SECONDS), more


def teardown(state):
    state.host.close()
