# SPDX-License-Identifier: Apache-2.0
"""Hooks, what a container leaves when it ends, restarts by rule, deadlines, gRPC probes; as a kubelet does them.

Everything is put there at once, so that the waiting of one test is the running of another.
"""
import json
import os
import subprocess
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, hold, peers, slower, wait_for

OUT = '/etc/kubernetes/out'
SLEEP = 'trap "exit 0" TERM; while :; do sleep 0.1; done'
STUBBORN = 'trap "" TERM; while :; do sleep 0.05; done'
VOLUMES = [{'name': 'out', 'hostPath': {'path': OUT, 'type': 'DirectoryOrCreate'}}]
MOUNT = [{'name': 'out', 'mountPath': '/out'}]


# Takes its time for one answer, which is a refusal.
GREETED = f"""
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(1.5)
        with open('{OUT}/greeting', 'a') as f:
            print(self.path, self.headers['X-Greeting'], file=f)
        self.send_error(404)
server = http.server.HTTPServer(('127.0.0.1', 18081), Handler)
print('listening', flush=True)
server.serve_forever()
"""


def shell(name, script=SLEEP, **more):
    return {'name': name, 'image': 'localhost/busybox:1', 'command': ['sh', '-c', script], 'volumeMounts': MOUNT, **more}


def execs(script):
    return {'exec': {'command': ['sh', '-c', script]}}


def manifest(name, *containers, **spec):
    spec.setdefault('terminationGracePeriodSeconds', 10)
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name}, 'spec': {
        'hostNetwork': True, 'volumes': VOLUMES, 'containers': list(containers), **spec}})


def pods():
    return {
        'ordered': manifest('ordered', shell('first', lifecycle={'postStart': execs('sleep 1.5; echo hooked >> /out/ordered')}),
                            shell('second', 'echo second >> /out/ordered; ' + SLEEP)),
        'greeting': manifest('greeting', shell('first', lifecycle={'postStart': {'httpGet': {
            'port': 18081, 'path': '/hello?to=you', 'host': '127.0.0.1', 'httpHeaders': [{'name': 'X-Greeting', 'value': 'from first'}]}}}),
                             shell('second', 'echo second >> /out/greeting; ' + SLEEP)),
        'nobody': manifest('nobody', shell('main', lifecycle={'postStart': {'httpGet': {'port': 18082, 'host': '127.0.0.1'}}})),
        'rested': manifest('rested', shell('first', lifecycle={'postStart': {'sleep': {'seconds': 2}}}), shell('second')),
        'badhook': manifest('badhook', shell('main', STUBBORN, lifecycle={'postStart': execs('echo no such thing; exit 3')}),
                            terminationGracePeriodSeconds=3),
        'stopping': manifest('stopping', shell('main', 'trap "read a b < /proc/uptime; echo \\$a > /out/term; exit 0" TERM; while :; do sleep 0.05; done', lifecycle={
            'preStop': execs('read a b < /proc/uptime; echo $a > /out/prestop; sleep 2')})),
        'sleepy': manifest('sleepy', shell('main', 'trap "read a b < /proc/uptime; echo \\$a > /out/sleepy; exit 0" TERM; while :; do sleep 0.05; done',
                                           lifecycle={'preStop': {'sleep': {'seconds': 2}}})),
        'cut': manifest('cut', shell('main', STUBBORN, lifecycle={'preStop': execs('sleep 60')}),
                        terminationGracePeriodSeconds=2),
        'web': manifest('web', shell('main', lifecycle={'preStop': {'httpGet': {'port': 18080, 'path': '/bye', 'host': '127.0.0.1'}}})),
        'message': manifest('message', shell('file', 'echo -n last words > /tell; exit 4', terminationMessagePath='/tell'),
                            shell('logs', 'echo from the log; exit 5', terminationMessagePolicy='FallbackToLogsOnError'),
                            shell('quiet', 'echo not this; exit 0', terminationMessagePolicy='FallbackToLogsOnError'),
                            restartPolicy='Never'),
        'input': manifest('input', *(shell(name, 'read x; echo got $x; cat > /dev/null; echo end of input; ' + SLEEP, stdin=True, **more)
                                     for name, more in (('once', {'stdinOnce': True}), ('kept', {})))),
        'terminal': manifest('terminal', shell('tty', 'if test -t 0 && test -t 1; then echo a terminal; fi; ' + SLEEP, stdin=True, tty=True),
                             shell('plain', 'if cat | read x; then :; else echo end of input; fi; ' + SLEEP)),
        'rules': manifest('rules', shell('again', 'echo x >> /out/again; test $(wc -l < /out/again) -ge 3 && exit 1; exit 42',
                                         restartPolicy='Never', restartPolicyRules=[
                                             {'action': 'Restart', 'exitCodes': {'operator': 'In', 'values': [42]}}]),
                          shell('once', 'echo x >> /out/once; exit 0', restartPolicy='OnFailure'), shell('stays')),
        'deadline': manifest('deadline', shell('main'), activeDeadlineSeconds=4),
        'liveness': manifest('liveness', shell('main', STUBBORN, livenessProbe={
            **execs('exit 1'), 'periodSeconds': 1, 'failureThreshold': 1, 'terminationGracePeriodSeconds': 3}),
            terminationGracePeriodSeconds=60),
        'family': json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'family'}, 'spec': {
            'shareProcessNamespace': True, 'hostname': 'kin', 'subdomain': 'clan', 'setHostnameAsFQDN': True,
            'terminationGracePeriodSeconds': 0, 'containers': [
                {'name': 'one', 'image': 'localhost/busybox:1', 'command': ['sleep', '54321']},
                {'name': 'two', 'image': 'localhost/busybox:1', 'command': ['sleep', '54322']}]}}),
        'health': manifest('health', shell('main', readinessProbe={'grpc': {'port': 12379}, 'periodSeconds': 1}),
                           shell('other', readinessProbe={'grpc': {'port': 12379, 'service': 'nobody'}, 'periodSeconds': 1})),
    }


class State:
    def put(self, name, text):
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', text)

    def drop(self, name):
        os.unlink(self.host.path(f'/etc/kubernetes/manifests/{name}.yaml'))

    def status(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['status']

    def container(self, name, container):
        return next(c for c in self.status(name)['containerStatuses'] if c['name'] == container)

    def events(self, name, reason):
        items = json.loads(self.podwatch.api('/events')[1])
        items = items.get('items', items) if isinstance(items, dict) else items
        return [json.dumps(e) for e in items if f'{name}-node1' in json.dumps(e) and reason in json.dumps(e)]

    def read(self, name):
        try:
            with open(self.host.path(f'{OUT}/{name}')) as f:
                return f.read()
        except FileNotFoundError:
            return ''

    def running(self, name):
        return self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')

    def container_id(self, name, container):
        return self.container(name, container)['containerID'].removeprefix('docker://')

    def inside(self, name, container, *command):
        return self.host.docker.exec(self.container_id(name, container), *command)

    def output(self, name, container):
        return self.host.docker.logs(self.container_id(name, container))


def setup():
    state = State()
    state.host = Host('lifecycle')
    state.host.docker.make_busybox()
    state.recorder = state.host.record_events(type=['container'])
    state.etcd = state.host.popen([f'{peers()}/etcd', '--data-dir', '/run/etcd', '--listen-client-urls', 'http://0.0.0.0:12379',
                                   '--advertise-client-urls', 'http://127.0.0.1:12379', '--listen-peer-urls', 'http://127.0.0.1:12380'],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state.greeted = state.host.popen(['python3', '-c', GREETED], stdout=subprocess.PIPE, text=True)
    assert state.greeted.stdout.readline() == 'listening\n'
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + 'clusterDomain: cluster.local\n')
    state.podwatch = Podwatch(state.host).start()
    for name, text in pods().items():
        state.put(name, text)
    return state


def test_post_start_ends_before_the_next_container_starts(state):
    # The second container's own first word comes a moment after its start.
    wait_for(lambda: 'second\n' in state.read('ordered'), 30, 'both containers')
    assert state.read('ordered') == 'hooked\nsecond\n', state.read('ordered')


def test_post_start_by_http(state):
    """The next container waits for the answer, whatever it is; a server that is not there has the container stopped."""
    wait_for(lambda: 'second\n' in state.read('greeting'), 30, 'both containers')
    assert state.read('greeting') == '/hello?to=you from first\nsecond\n', state.read('greeting')
    assert not state.events('greeting', 'FailedPostStartHook')
    wait_for(lambda: state.events('nobody', 'FailedPostStartHook'), 20, 'the event')
    assert 'connection refused' in state.events('nobody', 'FailedPostStartHook')[0], state.events('nobody', 'FailedPostStartHook')
    wait_for(lambda: state.container('nobody', 'main')['restartCount'] >= 1, 40, 'a restart')


def test_post_start_sleep(state):
    wait_for(lambda: len(state.running('rested')) == 3, 30, 'both containers')
    first, second = (state.recorder.find('start', f'k8s_{name}_rested')[0]['timeNano'] / 1e9 for name in ('first', 'second'))
    assert 2 <= second - first < 2 + 4 * slower(), (first, second)


def test_failed_post_start_stops_the_container_and_says_so(state):
    wait_for(lambda: state.events('badhook', 'FailedPostStartHook'), 20, 'the event')
    event = state.events('badhook', 'FailedPostStartHook')[0]
    assert 'no such thing' in event, event
    assert any('FailedPostStartHook' in e for e in state.events('badhook', 'Killing')), state.events('badhook', 'Killing')

    def stopping():
        text = state.podwatch.command('status', 'badhook').stdout
        # First as PostStartHookError, and as soon as the signal is sent as the reason of the restart.
        return 'PostStart hook failed: no such thing' in text
    wait_for(stopping, 40, 'the reason in the status, while it is being stopped, which takes all of the grace')
    wait_for(lambda: state.container('badhook', 'main')['restartCount'] >= 1, 40, 'a restart')
    starts, kills, deaths = (state.recorder.find(action, 'k8s_main_badhook') for action in ('start', 'kill', 'die'))
    first = starts[0]['Actor']['ID']
    signals = [(e['timeNano'], e['Actor']['Attributes']['signal']) for e in kills if e['Actor']['ID'] == first]
    assert [signal for _, signal in signals] == ['15', '9'], kills
    died = next(e['timeNano'] for e in deaths if e['Actor']['ID'] == first)
    assert signals[0][0] < died < starts[1]['timeNano'], (signals, died, starts)


def test_termination_message(state):
    wait_for(lambda: state.status('message')['phase'] == 'Failed', 30, 'all three to have ended')
    words = {c: state.container('message', c)['state']['terminated'].get('message') for c in ('file', 'logs', 'quiet')}
    wait_for(lambda: state.container('message', 'logs')['state']['terminated'].get('message'), 10, 'the end of the log')
    words['logs'] = state.container('message', 'logs')['state']['terminated']['message'].strip()
    assert words == {'file': 'last words', 'logs': 'from the log', 'quiet': None}, words


def test_tty_and_stdin(state):
    wait_for(lambda: 'a terminal' in state.output('terminal', 'tty'), 20, 'the terminal')
    wait_for(lambda: 'end of input' in state.output('terminal', 'plain'), 20, 'the end of input without stdin')


def test_stdin_is_for_one_client_with_stdin_once(state):
    """The first client that goes takes the input with it; without stdinOnce it stays open for the next."""
    for name in ('once', 'kept'):
        wait_for(lambda: 'running' in state.container('input', name)['state'], 20, 'it to run')
        client = state.host.popen(['docker', 'attach', state.container_id('input', name)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        client.stdin.write(f'word for {name}\n'.encode())
        client.stdin.close()
        wait_for(lambda: f'got word for {name}' in state.output('input', name), 10, 'the word')
        if name == 'once':
            wait_for(lambda: 'end of input' in state.output('input', name), 10, 'the end of input')
        client.kill()
        client.wait()
    hold(lambda: 'end of input' not in state.output('input', 'kept'), 0.5, 'open input')


def test_restart_rules_of_containers(state):
    wait_for(lambda: state.read('again').count('x') == 3, 40, 'two restarts by rule, the second after 10 s')
    wait_for(lambda: state.container('rules', 'again')['state'].get('terminated', {}).get('exitCode') == 1, 10, 'the end by its policy')
    time.sleep(1)
    assert state.container('rules', 'again')['restartCount'] == 2
    assert state.read('once') == 'x\n' and state.container('rules', 'once')['restartCount'] == 0
    assert 'running' in state.container('rules', 'stays')['state'] and state.status('rules')['phase'] == 'Running'


def test_active_deadline(state):
    status = wait_for(lambda: state.status('deadline')['phase'] == 'Failed' and state.status('deadline'), 30, 'the deadline')
    assert status['reason'] == 'DeadlineExceeded' and 'longer than the specified deadline' in status['message'], status
    wait_for(lambda: not state.running('deadline'), 15, 'the containers to have gone')
    assert state.events('deadline', 'DeadlineExceeded')


def test_grace_of_a_probe(state):
    """The pod's own grace is a minute; the probe's is 3 s, then comes the kill."""
    first = wait_for(lambda: state.container('liveness', 'main')['lastState'].get('terminated'), 30, 'the end of the first run')
    assert first['exitCode'] == 137, first
    killing = [e for e in state.recorder.find('kill') if e['Actor']['Attributes'].get('name', '').startswith('k8s_main_liveness')]
    times = sorted((e['timeNano'] / 1e9, e['Actor']['Attributes']['signal']) for e in killing)[:2]
    assert [s for _, s in times] == ['15', '9'] and 2.5 < times[1][0] - times[0][0] < 3 + 2 * slower(), times


def test_shared_process_namespace_and_hostname(state):
    state.podwatch.wait_ready('default/family-node1')
    seen = state.inside('family', 'one', 'ps', '-o', 'args')
    assert 'sleep 54321' in seen and 'sleep 54322' in seen and 'pause' in seen, seen
    assert state.inside('family', 'one', 'hostname').strip() == 'kin.clan.default.svc.cluster.local'
    hosts = state.inside('family', 'one', 'cat', '/etc/hosts')
    assert 'kin.clan.default.svc.cluster.local\tkin\n' in hosts, hosts


def test_grpc_probe(state):
    """etcd answers for itself and for no service of another name."""
    wait_for(lambda: state.container('health', 'main')['ready'], 30, 'readiness by gRPC')
    assert not state.container('health', 'other')['ready']
    wait_for(lambda: state.events('health', 'Unhealthy'), 10, 'the event')
    assert 'rpc' in state.events('health', 'Unhealthy')[0], state.events('health', 'Unhealthy')
    state.etcd.kill()
    state.etcd.wait()
    wait_for(lambda: not state.container('health', 'main')['ready'], 15, 'no readiness without the server')


def test_pre_stop_runs_before_the_signal(state):
    wait_for(lambda: len(state.running('stopping')) == 2, 20, 'it to run')
    state.drop('stopping')
    wait_for(lambda: not state.running('stopping') and state.read('term'), 20, 'its end')
    gap = float(state.read('term')) - float(state.read('prestop'))
    assert 1.9 < gap < 2 + 3 * slower(), gap


def test_pre_stop_sleep(state):
    begin = time.clock_gettime(time.CLOCK_BOOTTIME)
    state.drop('sleepy')
    wait_for(lambda: not state.running('sleepy') and state.read('sleepy'), 20, 'its end')
    took = float(state.read('sleepy')) - begin
    assert 2 <= took < 2 + 4 * slower(), took


def test_pre_stop_that_outlives_the_grace_is_cut(state):
    begin = time.time()
    state.drop('cut')
    wait_for(lambda: not state.running('cut'), 30, 'its end')
    took = time.time() - begin
    assert 4 <= took < 4 + 8 * slower(), took  # the grace of 2 s, and 2 s more after the signal


def test_pre_stop_by_http(state):
    server = state.host.popen(['python3', '-m', 'http.server', '18080', '--bind', '127.0.0.1', '--directory', '/run'],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: state.host.run(['python3', '-c', 'import socket; socket.create_connection(("127.0.0.1", 18080))'], check=False).returncode == 0,
             10, 'the server')
    state.drop('web')
    wait_for(lambda: not state.running('web'), 20, 'its end')
    server.kill()
    assert 'GET /bye' in server.communicate()[1]
    assert not state.events('web', 'FailedPreStopHook')  # the answer, a 404, does not count
