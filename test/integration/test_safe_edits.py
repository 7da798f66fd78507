# SPDX-License-Identifier: Apache-2.0
"""Edits that cannot break a node: looking back, going back, restarting by hand."""
import json
import os
import shlex
import stat
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML, ROOT, Podwatch, pod, program, slower
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

    def version(self, name='web'):
        ids = self.running(f'{name}-node1')
        return self.host.docker.logs(ids['main']).strip() if 'main' in ids else None

    def wait_version(self, version, name='web'):
        wait_for(lambda: self.version(name) == version, 20, f'version {version} of {name} to run', 0.1)

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


def test_rollback_to_a_number(state):
    assert f'{WEB} now holds revision 2 of default/web-node1' in state.podwatch.command('rollback', 'web', '2').stdout
    state.wait_version('v2')
    assert 'holds already revision 2' in state.podwatch.command('rollback', 'web', '2').stdout
    before, held = state.running(), state.host.read(WEB)
    known = [r['revision'] for r in json.loads(state.podwatch.command('history', 'web', '-o', 'json').stdout)['revisions']]
    for word, reason in (('99', f'no revision 99 of default/web-node1 is kept: there are {known[0]} to {known[-1]}'),
                         ('0', '0 is no revision: `podwatch history` lists them by number'), ('first', 'first is no revision')):
        refused = state.podwatch.command('rollback', 'web', word, check=False)
        assert refused.returncode == 1 and reason in refused.stderr, refused
    assert state.host.read(WEB) == held and state.running() == before
    state.podwatch.command('rollback', 'web', '1')
    state.wait_version('v1')


def test_restart_by_hand_is_at_once(state):
    before, counts = state.running(), state.restarts()
    begin = time.monotonic()
    assert 'restarts' in state.podwatch.command('restart', 'web', '-c', 'main').stdout
    wait_for(lambda: state.running().get('main', before['main']) != before['main'], 10, 'another container', 0.05)
    took = time.monotonic() - begin
    assert took < 2 + slower(), took  # SIGTERM is ignored, and the least grace is 2 s
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
    wait_for(lambda: restarts() > count, 20, 'the next try', 0.05)
    took = time.monotonic() - begin
    assert took < 8, took  # of the backoff's ten seconds at most two have passed
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


def on_trial(version, ready, seconds='6s'):
    return web(version, metadata={'annotations': {'podwatch.io/revert-after': seconds}}, container={
        'readinessProbe': {'exec': {'command': [ready]}, 'periodSeconds': 1}})


def events(state):
    return [(e['reason'], e['message']) for e in json.loads(state.podwatch.api('/events')[1])['items']]


def test_health_gated_change_goes_back_by_itself(state):
    state.host.write(WEB, web('good'), 0o640)
    state.wait_version('good')
    good = json.loads(state.podwatch.command('history', 'web', '-o', 'json').stdout)['revisions'][-1]['revision']
    state.podwatch.wait_ready('default/web-node1', timeout=20)
    state.host.write(WEB, on_trial('bad', 'false'), 0o640)
    state.wait_version('bad')
    assert 'OnTrial' in state.podwatch.command('status').stdout
    # A restart of podwatch in the middle of the trial does not end it.
    state.podwatch.kill9()
    state.podwatch.start()
    begin = time.monotonic()
    state.wait_version('good')
    took = time.monotonic() - begin
    assert took < 6 + 6 * slower(), took
    text = state.podwatch.command('status').stdout
    assert f'version {good + 1} was not Ready in its time' in text and f'version {good} of default/web-node1 stays in force' in text, text
    told = [m for r, m in events(state) if r == 'RevisionReverted']
    assert told and f'going back to version {good}' in told[0], events(state)
    assert 'was not Ready within 6 s' in state.podwatch.log_text()


def test_bad_version_is_not_tried_again_until_the_file_changes(state):
    before = state.running()
    state.podwatch.stop()
    state.podwatch.start()
    state.host.run(['touch', WEB])
    hold(lambda: state.running() == before, 4, 'the good version over a restart and a touch', 0.3)
    state.podwatch.command('retry', 'web')
    state.wait_version('bad')
    state.wait_version('good')
    state.host.write(WEB, on_trial('better', 'true'), 0o640)
    state.wait_version('better')
    wait_for(lambda: any(r == 'RevisionAccepted' for r, _ in events(state)), 15, 'the version to be accepted')
    hold(lambda: state.version() == 'better', 2, 'the accepted version', 0.3)
    assert 'web.yaml:' not in state.podwatch.command('status').stdout


def test_every_change_is_on_trial_where_podwatch_is_told_so(state):
    """revertAfter of PodwatchConfiguration; what a pod says itself comes first."""
    def changed(name, version, ready, **annotations):
        text = pod(name, ['sh', '-c', f'echo {version}; sleep 100000'], hostNetwork=True, terminationGracePeriodSeconds=0,
                   metadata={'annotations': annotations}, container={'readinessProbe': {'exec': {'command': [ready]}, 'periodSeconds': 1}})
        state.host.write(f'{DIRECTORY}/{name}.yaml', text)

    pods = {'gated': {}, 'free': {'podwatch.io/revert-after': 'never'}, 'patient': {'podwatch.io/revert-after': '10m'}}
    state.podwatch.stop()
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + '---\napiVersion: podwatch.io/v1alpha1\nkind: PodwatchConfiguration\nrevertAfter: 4s\n')
    state.podwatch.start()
    for name, annotations in pods.items():
        changed(name, 'good', 'true', **annotations)
    state.podwatch.wait_ready(*(f'default/{name}-node1' for name in pods))
    for name in ('free', 'patient', 'gated'):
        changed(name, 'bad', 'false', **pods[name])
        state.wait_version('bad', name)
    state.wait_version('good', 'gated')
    reverted = [e['involvedObject']['name'] for e in json.loads(state.podwatch.api('/events')[1])['items']
                if e['reason'] == 'RevisionReverted' and e['involvedObject']['name'] != 'web-node1']
    assert reverted == ['gated-node1'], events(state)
    assert 'gated.yaml: version 2 was not Ready in its time' in state.podwatch.command('status').stdout
    hold(lambda: {n: state.version(n) for n in pods} == {'gated': 'good', 'free': 'bad', 'patient': 'bad'}, 1, 'each as it is', 0.2)
    for name in pods:
        os.unlink(state.host.path(f'{DIRECTORY}/{name}.yaml'))
    wait_for(lambda: not any(state.running(f'{name}-node1') for name in pods), 20, 'the pods to go')
    state.podwatch.stop()
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML)
    state.podwatch.start()


def test_first_by_name_of_two_files_counts(state):
    def put(file):
        state.host.write(f'{DIRECTORY}/{file}.yaml', pod('twin', ['sh', '-c', f'echo of {file}; sleep 100000'], hostNetwork=True, terminationGracePeriodSeconds=0))

    def drop(file):
        os.unlink(state.host.path(f'{DIRECTORY}/{file}.yaml'))

    def shadowed(by, *files):
        """Status names each file that does not count, and the one that does."""
        text = state.podwatch.command('status').stdout
        return text.count('already, which counts') == len(files) and all(
            f'{DIRECTORY}/{f}.yaml: pod default/twin-node1 is in {by}.yaml already, which counts' in text for f in files)
    put('mtwin')
    state.wait_version('of mtwin', 'twin')
    before = state.running('twin-node1')
    put('ztwin')
    wait_for(lambda: shadowed('mtwin', 'ztwin'), 10, 'the other in status')
    state.podwatch.stop()
    state.podwatch.start()
    wait_for(lambda: shadowed('mtwin', 'ztwin'), 10, 'the other after a restart')
    assert state.running('twin-node1') == before
    put('atwin')
    state.wait_version('of atwin', 'twin')
    wait_for(lambda: shadowed('atwin', 'mtwin', 'ztwin'), 10, 'both others')
    drop('atwin')
    state.wait_version('of mtwin', 'twin')
    wait_for(lambda: shadowed('mtwin', 'ztwin'), 10, 'the last one alone')
    drop('mtwin')
    state.wait_version('of ztwin', 'twin')
    wait_for(lambda: shadowed('ztwin'), 10, 'nothing to report')
    drop('ztwin')
    wait_for(lambda: not state.running('twin-node1'), 20, 'the pod to go')


def ordered(name, after=None, **fields):
    metadata = {'annotations': {'podwatch.io/after': after}} if after else {}
    return pod(name, ['sleep', '100000'], hostNetwork=True, terminationGracePeriodSeconds=1, metadata=metadata, **fields)


def test_start_order_waits_and_says_why(state):
    os.unlink(state.host.path(WEB))
    wait_for(lambda: not state.running(), 20, 'web gone')
    probe = {'readinessProbe': {'exec': {'command': ['test', '-f', '/tmp/ready']}, 'periodSeconds': 1}}
    state.host.write(f'{DIRECTORY}/a-api.yaml', ordered('api', 'db:ready'))
    state.host.write(f'{DIRECTORY}/b-front.yaml', ordered('front', 'api:started, default/db'))
    wait_for(lambda: 'starts after pod default/db is Ready, which no manifest describes' in state.podwatch.command('status').stdout, 10,
             'the reason for waiting')
    state.host.write(f'{DIRECTORY}/c-db.yaml', ordered('db', container=probe))
    wait_for(lambda: state.running('db-node1'), 20, 'db to run')
    wait_for(lambda: 'starts after pod default/db is Ready, which it is not yet' in state.podwatch.command('status').stdout, 10, 'the reason')
    hold(lambda: not state.running('api-node1') and not state.running('front-node1'), 2, 'nothing to start before', 0.3)
    state.host.run(['docker', 'exec', state.running('db-node1')['main'], 'touch', '/tmp/ready'])
    wait_for(lambda: state.running('api-node1') and state.running('front-node1'), 10, 'all three')
    started = {n: state.host.docker.inspect(state.running(f'{n}-node1')['main'])['State']['StartedAt'] for n in ('db', 'api', 'front')}
    assert started['db'] < started['api'] < started['front'], started


def test_drain_stops_in_the_reverse_order_and_survives_a_restart(state):
    ids = {n: state.running(f'{n}-node1')['main'] for n in ('db', 'api', 'front')}
    assert 'no pod runs' in state.podwatch.command('drain', '--timeout', '30').stdout
    ended = {n: state.host.docker.inspect(i)['State'] for n, i in ids.items()}
    assert not any(s['Running'] for s in ended.values())
    assert ended['front']['FinishedAt'] < ended['api']['FinishedAt'] < ended['db']['FinishedAt'], ended
    state.podwatch.stop()
    state.podwatch.start()
    wait_for(lambda: 'Drained' in state.podwatch.command('status').stdout, 10, 'the reason, once Docker has answered')
    hold(lambda: not state.running('db-node1'), 2, 'nothing to start', 0.3)
    state.podwatch.command('resume')
    wait_for(lambda: state.running('db-node1'), 10, 'db to run again')
    state.host.run(['docker', 'exec', state.running('db-node1')['main'], 'touch', '/tmp/ready'])
    wait_for(lambda: state.running('api-node1') and state.running('front-node1'), 15, 'all three')


def test_unit_drains_when_the_machine_goes_down(state):
    """What the installed unit runs when it is stopped, with a systemctl that says what systemd would."""
    with open(f'{ROOT}/etc-kubernetes/systemd/podwatch.service.in') as f:
        line = next(line for line in f if line.startswith('ExecStop='))
    command = shlex.split(line.removeprefix('ExecStop=-').replace('@bindir@', os.path.dirname(program('podwatch'))))
    shim = '/etc/kubernetes/shim'

    def stop(system):
        state.host.write(f'{shim}/systemctl', f'#!/bin/sh\n[ "$*" = is-system-running ] || exit 9\necho {system}\n[ {system} = running ]\n', 0o755)
        return state.host.run(command, env={'PATH': f'{shim}:{state.host.search_path}'})
    names = [f'{name}-node1' for name in ('db', 'api', 'front')]
    before = {name: state.running(name) for name in names}
    for system in ('running', 'degraded', 'starting'):
        assert stop(system).stdout == ''
    assert all(before.values()) and {name: state.running(name) for name in names} == before
    assert 'no pod runs' in stop('stopping').stdout
    assert not any(state.running(name) for name in names)
    state.podwatch.command('resume')
    wait_for(lambda: state.running('db-node1'), 10, 'db to run again')


def test_circle_of_start_order_is_reported_and_holds_nobody(state):
    for name in ('a-api', 'b-front', 'c-db'):
        os.unlink(state.host.path(f'{DIRECTORY}/{name}.yaml'))
    state.host.write(f'{DIRECTORY}/x.yaml', ordered('x', 'y'))
    state.host.write(f'{DIRECTORY}/y.yaml', ordered('y', 'x'))
    wait_for(lambda: state.running('x-node1') and state.running('y-node1'), 20, 'both to run')
    told = [m for r, m in events(state) if r == 'StartOrderCircle']
    assert any('x-node1 -> y-node1 -> x-node1' in m or 'y-node1 -> x-node1 -> y-node1' in m for m in told), events(state)


def test_journal_of_all_this_replays(state):
    state.podwatch.stop()
    result = state.host.run([program('podwatch'), 'replay', '/var/lib/podwatch/journal'], check=False)
    assert result.returncode == 0 and 'all decisions are the same' in result.stdout, result.stdout[-3000:]
    state.podwatch.start()


def teardown(state):
    state.host.close()
