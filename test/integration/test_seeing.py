# SPDX-License-Identifier: Apache-2.0
"""Seeing with no API server: logs, describe, events, status, and what of them survives a restart of podwatch."""
import json
import os
import re
import subprocess
import time

from cluster import Podwatch, pod, program
from harness import Host, hold, wait_for

ORDERED = True
DIRECTORY = '/etc/kubernetes/manifests'
SPEAKS = 'i=0; while :; do i=$((i+1)); echo line $i; echo error $i >&2; sleep 0.2; done'


class Follower:
    """A podwatch command that goes on, with what it wrote so far."""

    def __init__(self, state, *args):
        self.path = f'{state.host.logs}/follow-{"-".join(a.strip("-") for a in args)}'.replace('/node', '_node')
        self.out = open(self.path, 'w')
        self.process = state.host.popen([program('podwatch'), *args], stdout=self.out, stderr=subprocess.STDOUT)

    def text(self):
        with open(self.path, errors='replace') as f:
            return f.read()

    def ended(self):
        return self.process.poll() is not None

    def stop(self):
        if not self.ended():
            self.process.terminate()
        self.process.wait(10)
        self.out.close()


class State:
    def put(self, name, text):
        self.host.write(f'{DIRECTORY}/{name}.yaml', text)

    def drop(self, name):
        os.unlink(self.host.path(f'{DIRECTORY}/{name}.yaml'))

    def container(self, name, container='main'):
        status = self.podwatch.pods()[f'default/{name}-node1']['status']
        return {c['name']: c for c in status.get('initContainerStatuses', []) + status['containerStatuses']}[container]

    def logs(self, *args, check=True):
        return self.podwatch.command('logs', *args, check=check)


def setup():
    state = State()
    state.host = Host('seeing')
    state.host.docker.make_busybox()
    state.podwatch = Podwatch(state.host).start()
    pair = json.loads(pod('pair', ['sh', '-c', SPEAKS], hostNetwork=True, terminationGracePeriodSeconds=0))
    pair['spec']['containers'].append({'name': 'side', 'image': 'localhost/busybox:1', 'command': ['sh', '-c', 'echo aside; sleep 100000']})
    pair['spec']['initContainers'] = [{'name': 'first', 'image': 'localhost/busybox:1', 'command': ['sh', '-c', 'echo begun']}]
    state.put('pair', json.dumps(pair))
    state.put('crash', pod('crash', ['sh', '-c', 'echo about to end; echo cannot reach it >&2; exit 7'], hostNetwork=True))
    state.podwatch.wait_ready('default/pair-node1')
    return state


# --- logs ---

def test_logs_of_both_streams(state):
    wait_for(lambda: 'line 3' in state.logs('pair', '-c', 'main').stdout, 10, 'some lines')
    lines = state.logs('pair', '-c', 'main').stdout.splitlines()
    for word in ('line', 'error'):  # each stream in its order; Docker does not know which came first of both
        of_one = [x for x in lines if x.startswith(word)]
        assert of_one and of_one == [f'{word} {i + 1}' for i in range(len(of_one))], lines
    defaulted = state.logs('pair')
    assert 'line 1' in defaulted.stdout and defaulted.stderr == 'Defaulted container "main" out of: main, side, first (init)\n', defaulted
    assert state.logs('default/pair-node1', '-c', 'first').stdout == 'begun\n'
    assert state.logs('pair', '-c', 'side').stdout == 'aside\n'


def test_logs_options(state):
    assert len(state.logs('pair', '-c', 'main', '--tail', '2').stdout.splitlines()) == 2
    assert state.logs('pair', '-c', 'main', '--tail', '0').stdout == ''
    assert state.logs('pair', '-c', 'main', '--limit-bytes', '3').stdout in ('lin', 'err')
    stamped = state.logs('pair', '-c', 'side', '--timestamps').stdout.split()
    assert stamped[1] == 'aside' and stamped[0].startswith('20') and stamped[0].endswith('Z'), stamped
    wait_for(lambda: 'line 12' in state.logs('pair', '-c', 'main').stdout, 20, 'some seconds of log')
    newest = state.logs('pair', '-c', 'main', '--since', '1s').stdout
    assert newest and 'line 1\n' not in newest, newest
    assert state.logs('pair', '-c', 'side', '--since-time', '2100-01-01T00:00:00Z').stdout == ''
    assert 'aside' in state.logs('pair', '-c', 'side', '--since-time', '2000-01-01T00:00:00Z').stdout
    for args, words in ((('nothing',), 'there is no pod nothing'), (('pair', '-c', 'x'), 'container x not found'),
                        (('pair', '-c', 'side', '--previous'), 'previous terminated container "side" in pod "pair-node1" not found'),
                        (('pair', '--since', 'soon'), '--since'), (('pair', '--since-time', 'soon'), '--since-time'),
                        (('pair', '--since', '-5s'), 'not longer than nothing'), (('pair', '--tail', 'x'), 'tail')):
        refused = state.logs(*args, check=False)
        assert refused.returncode == 1 and words in refused.stderr, refused


def test_logs_as_json(state):
    """Each record of Docker's log is an object, whatever it is; what Docker's own file has of it says what is right."""
    long = 20000
    speaks = f"printf 'one\\n\\n'; echo two >&2; head -c {long} /dev/zero | tr '\\0' x; echo; printf 'half\\377'"
    names = 'records', 'terminal'
    for name in names:
        state.put(name, pod(name, ['sh', '-c', speaks], hostNetwork=True, restartPolicy='Never', container={'tty': name == 'terminal'}))

    def parsed(*args):
        return [json.loads(line) for line in state.logs(*args, '-o', 'json').stdout.splitlines()]

    def recorded(name):
        container = state.host.docker.request('GET', f'/containers/{state.container(name)["containerID"].removeprefix("docker://")}/json')
        with open(state.host.path(container['LogPath'])) as f:
            return [json.loads(line) for line in f]
    for name in names:
        wait_for(lambda: state.podwatch.pods()[f'default/{name}-node1']['status']['phase'] == 'Succeeded', 20, 'its end')
        got = parsed(name)
        assert [(x['stream'], x['log']) for x in got] == [(x['stream'], x['log']) for x in recorded(name)], (got, recorded(name))
        assert {(x['pod'], x['container'], x['attempt']) for x in got} == {(f'default/{name}-node1', 'main', 0)}, got
        assert all(re.fullmatch(r'20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z', x['time']) for x in got), got
        assert {len(x['log'].rstrip()) for x in got if x['log'].startswith('x')} == {16384, long - 16384}, got
        assert got[-1]['log'] == 'half\ufffd' and {x['stream'] for x in got} == ({'stdout'} if name == 'terminal' else {'stdout', 'stderr'}), got
    assert [x['log'] for x in parsed('records', '--tail', '1', '--limit-bytes', '2')] == [parsed('records')[-1]['log'][:2]]
    assert parsed('pair', '-c', 'side', '--since-time', '2100-01-01T00:00:00Z') == []
    for name in names:
        state.drop(name)
    # Over runs: attempts are told apart.
    wait_for(lambda: state.container('crash')['restartCount'] >= 1 and 'waiting' in state.container('crash')['state'], 30, 'a restart and a backoff')
    newest = parsed('crash', '--previous')
    assert {x['log'] for x in newest} == {'about to end\n', 'cannot reach it\n'} and {x['attempt'] for x in newest} == {
        state.container('crash')['restartCount']} and {x['stream'] for x in newest} == {'stdout', 'stderr'}, newest
    follower = Follower(state, 'logs', '-f', 'crash', '--tail', '1', '-o', 'json')
    state.podwatch.command('retry', 'crash', check=False)
    wait_for(lambda: newest[0]['attempt'] + 1 in {json.loads(x)['attempt'] for x in follower.text().splitlines()}, 20, 'the next run')
    follower.stop()
    assert state.logs('pair', '-o', 'yaml', check=False).returncode == 1


def test_logs_of_what_crashed_and_of_the_run_before(state):
    wait_for(lambda: state.container('crash')['restartCount'] >= 1 and 'waiting' in state.container('crash')['state'], 30, 'a restart and a backoff')
    for args in (('crash',), ('crash', '--previous')):
        assert sorted(state.logs(*args).stdout.splitlines()) == ['about to end', 'cannot reach it']


def test_logs_follow_over_restarts_until_the_end(state):
    thrice = 'read n < /count/n; echo run $n; echo $((n+1)) > /count/n; sleep 1; test $n -ge 3 && exit 0; exit 1'
    os.makedirs(state.host.path('/etc/kubernetes/count'))
    state.host.write('/etc/kubernetes/count/n', '1\n')
    text = pod('thrice', ['sh', '-c', thrice], hostNetwork=True, restartPolicy='OnFailure',
               container={'volumeMounts': [{'name': 'count', 'mountPath': '/count'}]},
               volumes=[{'name': 'count', 'hostPath': {'path': '/etc/kubernetes/count'}}])
    state.put('thrice', text)
    wait_for(lambda: 'default/thrice-node1' in state.podwatch.pods(), 10, 'the pod')
    follower = Follower(state, 'logs', '-f', 'thrice')
    wait_for(lambda: 'run 2' in follower.text(), 20, 'the run after the first restart')
    assert not follower.ended()
    state.podwatch.command('retry', 'thrice', check=False)
    wait_for(follower.ended, 40, 'the end, once the container has ended for good')
    assert follower.process.returncode == 0 and follower.text() == 'run 1\nrun 2\nrun 3\n', follower.text()
    state.drop('thrice')
    follower.stop()


def test_logs_follow_ends_with_the_pod_and_on_interrupt(state):
    state.put('going', pod('going', ['sh', '-c', 'echo here; sleep 100000'], hostNetwork=True, terminationGracePeriodSeconds=0))
    state.podwatch.wait_ready('default/going-node1')
    ends, interrupted = Follower(state, 'logs', '-f', 'going'), Follower(state, 'logs', '--follow', 'pair', '--tail=1')
    wait_for(lambda: ends.text() == 'here\n' and 'line' in interrupted.text(), 10, 'both to follow')
    interrupted.process.send_signal(2)
    wait_for(interrupted.ended, 5, 'the end on ^C')
    state.drop('going')
    wait_for(ends.ended, 20, 'the end with the pod')
    assert ends.process.returncode == 0, ends.text()
    ends.stop(), interrupted.stop()


def test_slow_readers_hold_nothing_up(state):
    """Readers that never read, of a log that never ends: others are served, memory stays."""
    def resident():
        with open(f'/proc/{state.podwatch.pid}/status') as f:
            return int(next(line for line in f if line.startswith('VmRSS')).split()[1])
    state.put('flood', pod('flood', ['sh', '-c', 'while :; do echo a line of a flood that nobody reads to its end; done'], hostNetwork=True,
                           terminationGracePeriodSeconds=0, container={'resources': {'limits': {'cpu': '100m'}}}))
    state.podwatch.wait_ready('default/flood-node1')
    wait_for(lambda: len(state.logs('flood', '--limit-bytes', '2000000').stdout) == 2000000, 60, 'two megabytes of log')
    before = resident()
    stuck = [state.host.popen([program('podwatch'), 'logs', '-f', 'flood'], stdout=subprocess.PIPE) for _ in range(8)]
    hold(lambda: state.podwatch.command('status', timeout=5).returncode == 0, 2, 'an answer to others', 0.2)
    assert resident() - before < 12 * 1024, (before, resident())
    read = stuck[0].stdout.read(1000000)
    assert len(read) == 1000000  # it had waited, and goes on
    for process in stuck:
        process.kill()
        process.wait(10)
        process.stdout.close()
    state.drop('flood')


def test_a_log_that_breaks_off_is_no_end(state):
    follower = Follower(state, 'logs', '-f', 'pair', '-c', 'side')
    wait_for(lambda: 'aside' in follower.text(), 10, 'the log')
    state.podwatch.kill9()
    wait_for(follower.ended, 10, 'the end')
    assert follower.process.returncode == 1 and 'broke off' in follower.text(), follower.text()
    follower.stop()
    down = state.logs('pair', check=False)
    assert down.returncode == 1 and 'podwatch does not run' in down.stderr, down
    state.podwatch.start()
    wait_for(lambda: state.logs('crash', '--previous', check=False).stdout.count('about to end') == 1, 20, 'the log of before, after a restart of podwatch')


def test_logs_while_docker_is_away(state):
    def ours(*args):
        return state.logs('pair', '-c', 'main', *args)
    stamped = state.logs('pair', '-c', 'side', '--timestamps').stdout
    wait_for(lambda: 'line 5\n' in ours().stdout and state.logs('crash', '--previous', check=False).returncode == 0, 30, 'some lines')
    before, as_json = ours().stdout, json.loads(state.logs('pair', '-c', 'side', '-o', 'json').stdout)
    state.host.docker_kill()
    try:
        wait_for(lambda: not state.podwatch.status()['docker']['ready'], 10, 'podwatch to notice')
        result = wait_for(lambda: ours(), 10, 'the log')
        assert 'Docker does not answer' in result.stderr and 'line 3\n' in result.stdout, result
        assert sorted(before.splitlines()) == sorted(result.stdout.splitlines()[:len(before.splitlines())])
        assert ours('--tail', '2').stdout == ''.join(result.stdout.splitlines(keepends=True)[-2:])
        assert state.logs('pair', '-c', 'side', '--timestamps').stdout == stamped
        assert 'about to end' in state.logs('crash').stdout and 'about to end' in state.logs('crash', '--previous').stdout
        assert json.loads(state.logs('pair', '-c', 'side', '-o', 'json').stdout) == as_json
        followed = state.logs('pair', '-c', 'side', '-f', check=False)
        assert followed.returncode == 1 and followed.stdout == 'aside\n' and 'not followed' in followed.stderr, followed
        # And with a podwatch that has never seen the containers.
        state.podwatch.kill9()
        state.podwatch.start()
        wait_for(lambda: ours().stdout == result.stdout, 10, 'the same from the links alone')
        assert 'about to end' in state.logs('crash', '--previous').stdout
    finally:
        state.host.docker_start()
    wait_for(lambda: state.podwatch.status()['docker']['ready'], 30, 'Docker again')
    wait_for(lambda: ours('--tail', '1').stderr == '', 10, 'Docker to answer')


# --- events ---

def events(state, *args):
    return json.loads(state.podwatch.command('events', *args, '-o', 'json').stdout)['items']


def test_events_of_one_pod_and_of_all(state):
    wait_for(lambda: 'BackOff' in state.podwatch.command('events', 'crash').stdout, 20, 'the event of a backoff')
    rows = state.podwatch.command('events', 'crash').stdout.splitlines()
    assert rows[0].split()[:4] == ['LAST', 'SEEN', 'TYPE', 'REASON'] and all('default/crash-node1' in row for row in rows[1:]), rows
    assert any('Warning' in row and 'BackOff' in row and 'crash-node1[main]' in row for row in rows), rows
    everything = state.podwatch.command('events').stdout
    assert 'default/pair-node1[side]' in everything and 'default/crash-node1' in everything
    assert {e['involvedObject']['name'] for e in events(state, 'pair')} == {'pair-node1'}
    assert state.podwatch.command('events', 'nothing').stdout == 'No events.\n'


def test_events_survive_restarts_of_podwatch_and_their_pod(state):
    """(podwatch was killed, and the pod `going` removed, by what stands above)"""
    before = {(e['reason'], e['message'], e['firstTimestamp']) for e in events(state, 'default/going-node1')}
    assert {'Created', 'Started', 'Killing'} <= {e[0] for e in before}, before
    state.podwatch.kill9()
    path = state.host.path('/var/lib/podwatch/events')
    with open(path, 'a') as f:
        f.write('{"first":1,"key":"default/go')  # as when the machine had gone down
    state.podwatch.start()
    assert {(e['reason'], e['message'], e['firstTimestamp']) for e in events(state, 'default/going-node1')} == before
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_events_watch(state):
    text, lines = Follower(state, 'events', '-w', 'pair'), Follower(state, 'events', '--watch', '-o', 'json')
    wait_for(lambda: 'Started' in text.text() and lines.text(), 10, 'the events that were kept')
    assert 'RestartRequested' not in text.text()
    state.podwatch.command('restart', 'pair', '-c', 'side')
    wait_for(lambda: 'RestartRequested' in text.text() and 'RestartRequested' in lines.text(), 10, 'the event as it comes')
    assert all('pair-node1' in line for line in text.text().splitlines()), text.text()
    assert {json.loads(line)['type'] for line in lines.text().splitlines()} <= {'ADDED', 'MODIFIED'}
    text.stop(), lines.stop()
    wait_for(lambda: state.container('pair', 'side')['restartCount'] == 1 and state.container('pair', 'side')['ready'], 20, 'the restart')


# --- what to do next ---

def test_status_says_who_refused_what_and_who_would_serve_it(state):
    refused = 'echo "dial tcp 127.0.0.1:12379: connect: connection refused" >&2; echo "Get http://127.0.0.1:7/x: connection refused"; exit 1'
    state.put('asks', pod('asks', ['sh', '-c', refused], hostNetwork=True))
    state.put('store', pod('store', ['sh', '-c', 'sleep 100000', 'store', '--listen-client-urls=http://127.0.0.1:12379'], hostNetwork=True,
                           terminationGracePeriodSeconds=0, container={'readinessProbe': {
                               'exec': {'command': ['sh', '-c', 'echo no leader yet; exit 1']}, 'periodSeconds': 1}}))

    def said(*words):
        text = state.podwatch.command('status').stdout
        assert all(word in text for word in words), text
        return text
    text = wait_for(lambda: said('-> 127.0.0.1:12379 refused it: default/store-node1 serves it, and is Running, not Ready',
                                 '-> 127.0.0.1:7 refused it: no static pod of this node serves it', 'CrashLoopBackOff', 'its last words'), 30, 'who refused it')
    assert 'next try in' in text and 'dial tcp 127.0.0.1:12379' in text, text
    # and what a probe answered
    wait_for(lambda: said('main: Readiness probe failed', 'no leader yet'), 20, 'the answer of the probe')


# --- describe ---

def test_describe_shows_all_of_a_pod(state):
    state.host.write(f'{DIRECTORY}/config.yaml', json.dumps({'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'token'},
                                                           'stringData': {'value': 'not-to-be-seen'}}))
    whole = json.loads(pod('whole', ['sh', '-c', 'echo $TOKEN; if test -e /tmp/once; then sleep 100000; fi; touch /tmp/once; exit 5'],
                           metadata={'labels': {'app': 'whole'}, 'annotations': {'note': 'two\nlines'}},
                           hostNetwork=True, terminationGracePeriodSeconds=0))
    whole['spec']['containers'][0].update({
        'command': ['sh', '-c', 'echo $TOKEN; test -e /data/once && exec sleep 100000; touch /data/once; exit 5'],
        'env': [{'name': 'TOKEN', 'valueFrom': {'secretKeyRef': {'name': 'token', 'key': 'value'}}}, {'name': 'PLAIN', 'value': 'seen'},
                {'name': 'WHERE', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}}],
        'ports': [{'containerPort': 18099, 'name': 'web'}], 'resources': {'requests': {'cpu': '10m'}, 'limits': {'memory': '64Mi'}},
        'readinessProbe': {'exec': {'command': ['cat', '/data/once']}, 'periodSeconds': 1},
        'volumeMounts': [{'name': 'data', 'mountPath': '/data'}]})
    whole['spec']['volumes'] = [{'name': 'data', 'emptyDir': {'sizeLimit': '1Mi'}}]
    state.put('whole', json.dumps(whole))
    state.podwatch.wait_ready('default/whole-node1')
    wait_for(lambda: 'success in' in state.podwatch.command('describe', 'whole').stdout, 10, 'results of the probe')
    text = state.podwatch.command('describe', 'whole').stdout
    for line in (r'Name: +whole-node1', r'Node: +node1/', r'File: +/etc/kubernetes/manifests/whole.yaml', r'Revision: +1', r'Labels: +app=whole',
                 r'Status: +Running', r'QoS Class: +Burstable', r'Image: +localhost/busybox:1', r'Ports: +18099/TCP \(web\)', r'Host Ports: +18099/TCP',
                 r'State: +Running', r'Last State: +Terminated', r'Exit Code: +5', r'Restart Count: +1', r'Earlier Runs:',
                 r'\S+Z  exit code 5  Error', r'memory: +64Mi', r'cpu: +10m',
                 r'Readiness: +exec \[cat /data/once\] delay=0s timeout=1s period=1s #success=1 #failure=3', r'success in \d+ ms', r'next in \d+s',
                 r"TOKEN: +<set to the key 'value' in secret 'token'>", r'PLAIN: +seen', r'WHERE: +\(status.hostIP\)', r'/data from data \(rw\)',
                 r'Ready +True', r'data: +emptyDir sizeLimit=1Mi', r'Normal +Started +default/whole-node1\[main\]'):
        assert re.search(line, text), (line, text)
    everything = json.loads(state.podwatch.command('describe', 'whole', '-o', 'json').stdout)
    assert everything['pod']['status']['phase'] == 'Running' and everything['node']['revision'] == 1 and everything['events'], everything
    assert [e['exitCode'] for e in everything['node']['ends']['main']] == [5] and everything['node']['probes'][0]['results'], everything['node']
    assert 'not-to-be-seen' not in text + json.dumps(everything)
    assert state.podwatch.command('describe', 'nothing', check=False).returncode == 1


def test_ends_of_runs_survive_restarts_of_podwatch(state):
    def ends():
        return json.loads(state.podwatch.command('describe', 'asks', '-o', 'json').stdout)['node']['ends'].get('main', [])
    wait_for(lambda: len(ends()) >= 2, 30, 'two runs that ended')
    before = ends()
    state.podwatch.kill9()
    state.podwatch.start()
    wait_for(lambda: ends()[:len(before)] == before, 10, 'the same ends')
    assert {e['exitCode'] for e in before} == {1} and all(e['finishedAt'] and e['reason'] == 'Error' for e in before), before
    # What podwatch ended says so. What runs is known again when Docker has told it.
    state.podwatch.wait_ready('default/whole-node1')
    state.podwatch.command('restart', 'whole')

    def causes():
        return [e.get('cause') for e in json.loads(state.podwatch.command('describe', 'whole', '-o', 'json').stdout)['node']['ends']['main']]
    wait_for(lambda: causes()[1:] == ['a user asked for it'], 20, 'why it ended')
    for name in ('asks', 'store', 'whole', 'config'):
        state.drop(name)
    wait_for(lambda: set(state.podwatch.pods()) <= {'default/pair-node1', 'default/crash-node1'}, 30, 'the end of the pods')


def test_what_probes_decided_survives_restarts_of_podwatch(state):
    def exec_probe(*command, **more):
        return {'exec': {'command': list(command)}, 'periodSeconds': 1, 'timeoutSeconds': 8, **more}
    state.put('slow', pod('slow', hostNetwork=True, terminationGracePeriodSeconds=0, container={
        'startupProbe': exec_probe('true'), 'readinessProbe': exec_probe('sleep', '4')}))
    state.podwatch.wait_ready('default/slow-node1')

    def described():
        node = json.loads(state.podwatch.command('describe', 'slow', '-o', 'json').stdout)['node']
        return {p['kind']: p for p in node['probes']}, state.podwatch.command('describe', 'slow').stdout
    before = state.container('slow')
    assert not any('kept' in p for p in described()[0].values()), described()[0]
    state.podwatch.kill9()
    state.podwatch.start()
    # The readiness probe takes four seconds: what is said before is what was kept.
    state.podwatch.wait_ready('default/slow-node1', timeout=3)
    assert state.container('slow')['started'] and state.container('slow')['containerID'] == before['containerID']

    def kept():
        probes, text = described()
        assert probes['Readiness']['kept']['outcome'] == probes['Startup']['kept']['outcome'] == 'success' and not probes['Readiness']['results'], probes
        assert text.count('success, decided before podwatch was started') == 2, text
        return True
    wait_for(kept, 3, 'what was decided before')
    hold(lambda: state.container('slow')['ready'], 6, 'readiness while the first probe is under way', 0.2)
    probes = wait_for(lambda: (lambda p: p if p['Readiness']['results'] else None)(described()[0]), 20, 'an answer of the readiness probe')
    # The startup probe is never asked again.
    assert 'kept' not in probes['Readiness'] and probes['Startup']['kept'] and not probes['Startup']['results'], probes
    state.drop('slow')
    wait_for(lambda: 'default/slow-node1' not in state.podwatch.pods(), 30, 'the end of the pod')


# --- status -w ---

def switches(pid):
    with open(f'/proc/{pid}/status') as f:
        return int(next(line for line in f if line.startswith('voluntary_ctxt_switches')).split()[1])


def test_status_watch_appends_changes(state):
    state.drop('crash')
    wait_for(lambda: 'default/crash-node1' not in state.podwatch.pods(), 20, 'the end of what crashes')
    lines, objects = Follower(state, 'status', '-w'), Follower(state, 'status', '--watch', '-o', 'json')
    wait_for(lambda: 'default/pair-node1   2/2   Running' in lines.text() and objects.text(), 20, 'the status to begin with')
    state.put('brief', pod('brief', ['sh', '-c', 'exit 3'], hostNetwork=True, restartPolicy='Never'))
    wait_for(lambda: 'default/brief-node1   0/1   Error' in lines.text(), 20, 'the end of the pod')
    state.drop('brief')
    wait_for(lambda: 'default/brief-node1   gone' in lines.text(), 20, 'its removal')
    pair = [line.split('   ', 1)[1] for line in lines.text().splitlines() if 'pair-node1' in line]
    assert all(a != b for a, b in zip(pair, pair[1:])), pair  # a line is a change
    seen = [json.loads(line) for line in objects.text().splitlines()]
    assert any(p['name'] == 'brief-node1' for s in seen for p in s['pods']) and not any(p['name'] == 'brief-node1' for p in seen[-1]['pods'])
    # Nothing happens: nothing is told, and podwatch sleeps.
    time.sleep(0.5)
    text = objects.text()

    def asleep():
        sleeps = switches(state.podwatch.pid)
        time.sleep(1)
        assert switches(state.podwatch.pid) - sleeps < 4, switches(state.podwatch.pid) - sleeps
        return True
    wait_for(asleep, 5, 'a podwatch that sleeps')  # a list of containers may fall into one second, not into several
    assert objects.text() == text, objects.text()[len(text):]
    lines.stop(), objects.stop()


def test_status_watch_draws_a_terminal_anew(state):
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    watcher = state.host.popen([program('podwatch'), 'status', '-w', 'pair'], stdout=theirs)
    seen = b''

    def drawn():
        nonlocal seen
        try:
            seen += os.read(ours, 1 << 16)
        except BlockingIOError:
            pass
        return seen
    try:
        wait_for(lambda: b'pair-node1' in drawn(), 10, 'the table')
        assert seen.startswith(b'\x1b[H\x1b[2J') and b'RESTARTS' in seen, seen
        restarts = state.container('pair', 'side')['restartCount']
        state.podwatch.command('restart', 'pair', '-c', 'side')
        wait_for(lambda: f'{restarts + 1} ('.encode() in drawn(), 20, 'the restart in the table')
    finally:
        watcher.kill()
        watcher.wait(10)
        os.close(ours), os.close(theirs)


def test_completion_of_containers(state):
    assert state.podwatch.command('completion', 'containers', '--', 'podwatch', 'logs', 'pair', '-c').stdout.split() == ['first', 'main', 'side']
    assert 'main' in state.podwatch.command('completion', 'containers').stdout.split()


def teardown(state):
    state.podwatch.stop()
    state.host.close()
