# SPDX-License-Identifier: Apache-2.0
"""Edits that cannot break a node: looking back, going back, restarting by hand."""
import json
import os
import stat
import time

from cluster import Podwatch, pod
from harness import Host, hold, wait_for

ORDERED = True
DIRECTORY = '/etc/kubernetes/manifests'
WEB = f'{DIRECTORY}/web.yaml'


def web(version, **spec):
    return pod('web', ['sh', '-c', f'echo {version}; sleep 100000'], hostNetwork=True, terminationGracePeriodSeconds=0, **spec)


class State:
    def running(self, name='web-node1'):
        """Container name to Docker id of the running app containers."""
        return {c['Labels']['io.kubernetes.container.name']: c['Id']
                for c in self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}')
                if c['Labels']['io.kubernetes.docker.type'] == 'container'}

    def version(self):
        ids = self.running()
        return self.host.docker.logs(ids['main']).strip() if 'main' in ids else None

    def wait_version(self, version):
        wait_for(lambda: self.version() == version, 20, f'version {version} to run', 0.1)

    def restarts(self):
        return {c['name']: c['restartCount'] for c in self.podwatch.pods()['default/web-node1']['status']['containerStatuses']}


def setup():
    state = State()
    state.host = Host('safe')
    state.host.docker.make_busybox()
    state.podwatch = Podwatch(state.host).start()
    for version in ('v1', 'v2'):
        state.host.write(WEB, web(version), 0o640)
        state.wait_version(version)
    return state


def test_history_diff_rollback(state):
    history = state.podwatch.command('history', 'web').stdout
    assert 'default/web-node1' in history and 'in force' in history and 'spec.containers[main].command' in history, history
    revisions = json.loads(state.podwatch.command('history', 'web', '-o', 'json').stdout)['revisions']
    assert [r['current'] for r in revisions] == [False, True], revisions
    difference = state.podwatch.command('diff', 'web', check=False)
    assert difference.returncode == 1 and '-          "echo v1; sleep 100000"' in difference.stdout, difference
    assert state.podwatch.command('diff', 'web', '2', '2', check=False).returncode == 0
    assert state.podwatch.command('diff', 'web', '99', check=False).returncode == 2
    os.chown(state.host.path(WEB), 0, 12)
    out = state.podwatch.command('rollback', 'web').stdout
    assert f'{WEB} now holds revision 1 of default/web-node1' in out, out
    state.wait_version('v1')
    found = os.stat(state.host.path(WEB))
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o640, 12), found


def test_rollback_of_a_broken_edit_restores_what_runs(state):
    before = state.running()
    state.host.write(WEB, 'spec: [', 0o640)
    wait_for(lambda: 'web.yaml:' in state.podwatch.command('status').stdout, 10, 'the finding in status')
    state.podwatch.command('rollback', 'default/web-node1')
    wait_for(lambda: 'web.yaml:' not in state.podwatch.command('status').stdout, 10, 'status without the finding')
    assert state.running() == before and state.version() == 'v1'


def test_restart_by_hand_is_at_once(state):
    before, counts = state.running(), state.restarts()
    begin = time.monotonic()
    assert 'restarts' in state.podwatch.command('restart', 'web', '-c', 'main').stdout
    wait_for(lambda: state.running().get('main', before['main']) != before['main'], 10, 'another container', 0.05)
    assert time.monotonic() - begin < 2 + 1  # SIGTERM is ignored, and the least grace is 2 s
    wait_for(lambda: state.restarts()['main'] == counts['main'] + 1, 5, 'the restart count')
    events = state.podwatch.api('/events')[1]
    assert 'RestartRequested' in events
    for args, word in ((('restart', 'nothing'), 'there is no pod nothing'), (('restart', 'web', '-c', 'other'), 'has no container other')):
        result = state.podwatch.command(*args, check=False)
        assert result.returncode == 1 and word in result.stderr, result


def test_retry_skips_a_backoff(state):
    state.host.write(f'{DIRECTORY}/crash.yaml', pod('crash', ['false'], hostNetwork=True))
    wait_for(lambda: 'CrashLoopBackOff' in state.podwatch.command('status', 'crash').stdout, 20, 'a backoff')
    time.sleep(1)
    def restarts():
        return state.podwatch.pods()['default/crash-node1']['status']['containerStatuses'][0]['restartCount']
    count, begin = restarts(), time.monotonic()
    state.podwatch.command('retry', 'crash')
    wait_for(lambda: restarts() > count, 5, 'the next try', 0.05)
    assert time.monotonic() - begin < 5
    os.unlink(state.host.path(f'{DIRECTORY}/crash.yaml'))


def test_restart_is_for_root_alone(state):
    os.chmod(state.host.path('/run/podwatch/podwatch.sock'), 0o666)
    os.chmod(state.host.path('/run/podwatch'), 0o755)
    before = state.running()
    script = ("import os,socket;os.setuid(65534);s=socket.socket(socket.AF_UNIX);s.connect('/run/podwatch/podwatch.sock');"
              "s.sendall(b'%s HTTP/1.0\\r\\n\\r\\n');print(s.makefile().read())")
    refused = state.host.output('python3', '-c', script % 'POST /restart?pod=web')
    assert '403' in refused and 'restart is for root alone' in refused, refused
    assert '405' in state.host.output('python3', '-c', script % 'GET /restart?pod=web')
    assert '200' in state.host.output('python3', '-c', script % 'GET /status')
    hold(lambda: state.running() == before, 1, 'the pod untouched', 0.2)


def test_completion_offers_pods(state):
    assert 'default/web-node1' in state.podwatch.command('completion', 'pods').stdout.split()
    script = state.podwatch.command('completion', 'bash').stdout
    assert '$(podwatch completion pods' in script
    state.podwatch.stop()
    assert 'default/web-node1' in state.podwatch.command('completion', 'pods').stdout.split()
    assert 'in force' in state.podwatch.command('history', 'web').stdout
    result = state.podwatch.command('restart', 'web', check=False)
    assert result.returncode == 1 and 'podwatch does not run' in result.stderr, result
    state.podwatch.start()


def teardown(state):
    state.host.close()
