# SPDX-License-Identifier: Apache-2.0
"""Reaping what a test host orphans.

dockerd leaves orphans whenever it is killed (containerd, the shims), and takes a process that is dead but not yet reaped for a
living one: it then waits for a containerd that will never answer. On a node the first process reaps at once. Where the tests run
it may take seconds, so the test process makes itself the parent of such orphans and reaps them.

A child that was started here belongs to its Popen object and is left to it; spawn() is how a host starts processes, so that the
two can be told apart.
"""
import ctypes
import os
import subprocess
import threading

PR_SET_CHILD_SUBREAPER = 36

_lock = threading.Lock()
_ours = set()     # process ids that a Popen object waits for
_groups = set()   # names of the control groups whose orphans are reaped
_thread = None


def watch(group):
    """Reap orphans of the control group of this name from now on."""
    global _thread
    with _lock:
        _groups.add(group)
        if _thread is None:
            if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), 'prctl(PR_SET_CHILD_SUBREAPER)')
            _thread = threading.Thread(target=_run, daemon=True)
            _thread.start()


def unwatch(group):
    with _lock:
        reap_now()
        _groups.discard(group)


def spawn(argv, **kwargs):
    """subprocess.Popen for a process that goes into a watched group."""
    with _lock:
        process = subprocess.Popen(argv, **kwargs)
        _ours.add(process.pid)
        return process


def reap_now():
    for task in os.listdir('/proc/self/task'):
        try:
            with open(f'/proc/self/task/{task}/children') as f:
                children = [int(pid) for pid in f.read().split()]
        except OSError:
            continue
        for pid in children:
            if pid not in _ours and _is_orphan(pid):
                try:
                    os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    pass


def _is_orphan(pid):
    try:
        with open(f'/proc/{pid}/cgroup') as f:
            components = {part for line in f for part in line.strip().split('/')}
    except OSError:
        return False
    return not components.isdisjoint(_groups)


def _run():
    pause = threading.Event()
    while True:
        with _lock:
            reap_now()
        pause.wait(0.02)
