# SPDX-License-Identifier: Apache-2.0
"""Probes on real Docker: http, https, tcp and exec; startup, liveness and readiness; named ports, thresholds, times.

A server in the host counts and times what it is asked, so that a probe is judged by what arrived and not by what podwatch
says of it. gRPC is in test_lifecycle.py.
"""
import json
import subprocess
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, wait_for

OUT = '/etc/kubernetes/out'
SLEEP = 'trap "exit 0" TERM; while :; do sleep 0.1; done'
VOLUMES = [{'name': 'out', 'hostPath': {'path': OUT, 'type': 'DirectoryOrCreate'}}]
HTTP, HTTPS, TCP = 18081, 18443, 18082

# Answers by path, behind a name: /status/N with N, /to/HOST with a redirect there, /fails/A-B with 500 from the A-th request
# to the B-th, /hang never; each request is a line of the log: when it came, its path, who asked, what it wanted.
SERVER = f'''
import http.server, json, socketserver, ssl, sys, threading, time

log = open(sys.argv[1], 'w', buffering=1)
counts = {{}}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_GET(self):
        came = time.clock_gettime(time.CLOCK_BOOTTIME)
        name, _, rest = self.path.strip('/').partition('/')
        kind, _, value = rest.partition('/')
        counts[name] = counts.get(name, 0) + 1
        status = 200
        if kind == 'status':
            status = int(value)
        elif kind == 'to':
            status = 302
        elif kind == 'fails':
            first, last = map(int, value.split('-'))
            status = 500 if first <= counts[name] <= last else 200
        print(json.dumps(dict(at=came, name=name, status=status, agent=self.headers['User-Agent'], want=self.headers['X-Want'],
                              host=self.headers['Host'])), file=log)
        if kind == 'hang':
            time.sleep(30)
            return
        self.send_response(status)
        if status == 302:
            self.send_header('Location', 'http://' + value + '/')
        self.send_header('Content-Length', '5')
        self.end_headers()
        self.wfile.write(b'words')

    def log_message(self, *args):
        pass

class Server(http.server.ThreadingHTTPServer):
    server_bind = socketserver.TCPServer.server_bind  # that of HTTPServer asks the DNS for its own name

plain = Server(('', {HTTP}), Handler)
secret = Server(('', {HTTPS}), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
secret.socket = context.wrap_socket(secret.socket, server_side=True)
threading.Thread(target=secret.serve_forever, daemon=True).start()
plain.serve_forever()
'''


def get(path, port=HTTP, **more):
    return {'httpGet': {'path': path, 'port': port, **more}}


def shell(name, script=SLEEP, **more):
    return {'name': name, 'image': 'localhost/busybox:1', 'command': ['sh', '-c', script],
            'volumeMounts': [{'name': 'out', 'mountPath': '/out'}], **more}


def manifest(name, *containers, **spec):
    spec = {'hostNetwork': True, 'terminationGracePeriodSeconds': 1, 'volumes': VOLUMES, 'containers': list(containers), **spec}
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': name}, 'spec': spec})


def pods():
    return {
        'http': manifest('http', shell('main', ports=[{'name': 'web', 'containerPort': HTTP}], readinessProbe={
            **get('/http/status/204', 'web', httpHeaders=[{'name': 'X-Want', 'value': 'an answer'}]), 'periodSeconds': 1})),
        'https': manifest('https', shell('main', readinessProbe={**get('/https', HTTPS, scheme='HTTPS'), 'periodSeconds': 1})),
        'away': manifest('away', shell('main', readinessProbe={**get('/away/to/elsewhere.test'), 'periodSeconds': 1})),
        'tcp': manifest('tcp', shell('main', readinessProbe={'tcpSocket': {'port': TCP}, 'periodSeconds': 1, 'failureThreshold': 1})),
        'slow': manifest('slow', shell(
            'main', startupProbe={'exec': {'command': ['test', '-e', '/out/started']}, 'periodSeconds': 1, 'failureThreshold': 300},
            livenessProbe={**get('/slow-live'), 'periodSeconds': 1}, readinessProbe={**get('/slow-ready'), 'periodSeconds': 1})),
        'never': manifest('never', shell('main', startupProbe={
            'exec': {'command': ['sh', '-c', 'echo not yet; exit 1']}, 'periodSeconds': 1, 'failureThreshold': 2})),
        'timed': manifest('timed', shell('main', readinessProbe={
            **get('/timed/fails/1-2'), 'initialDelaySeconds': 2, 'periodSeconds': 1, 'successThreshold': 3})),
        'dying': manifest('dying', shell('main', livenessProbe={**get('/dying/fails/3-5'), 'periodSeconds': 1, 'failureThreshold': 3})),
        'hang': manifest('hang', shell('main', readinessProbe={**get('/hang/hang'), 'periodSeconds': 1, 'timeoutSeconds': 1})),
        'bridge': manifest('bridge', shell('main', 'mkdir /www; echo hi > /www/index.html; exec httpd -f -p 8080 -h /www',
                                           ports=[{'name': 'web', 'containerPort': 8080}], readinessProbe={**get('/index.html', 'web'), 'periodSeconds': 1}),
                           hostNetwork=False),
    }


class State:
    def container(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['status']['containerStatuses'][0]

    def ready(self, name):
        return self.container(name)['ready']

    def events(self, name, reason):
        items = json.loads(self.podwatch.api('/events')[1])
        items = items.get('items', items) if isinstance(items, dict) else items
        return [json.dumps(e) for e in items if f'{name}-node1' in json.dumps(e) and reason in json.dumps(e)]

    def asked(self, name):
        lines = [json.loads(line) for line in self.host.read('/run/asked').splitlines(keepends=True) if line.endswith('\n')]
        return [line for line in lines if line['name'] == name]


def setup():
    state = State()
    state.host = Host('probes')
    state.host.docker.make_busybox()
    state.recorder = state.host.record_events(type=['container'])
    # Of another name and expired: a probe asks whether somebody serves, not who it is.
    state.host.run(['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=elsewhere',
                    '-keyout', '/run/tls.key', '-out', '/run/tls.csr'])
    state.host.run(['openssl', 'x509', '-req', '-in', '/run/tls.csr', '-signkey', '/run/tls.key', '-days', '-1', '-out', '/run/tls.crt'])
    state.host.write('/run/server.py', SERVER)
    state.server = state.host.popen(['python3', '/run/server.py', '/run/asked', '/run/tls.crt', '/run/tls.key'])
    wait_for(lambda: state.host.run(['python3', '-c', f'import socket; socket.create_connection(("127.0.0.1", {HTTPS}))'],
                                    check=False).returncode == 0, 10, 'the server')
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML)
    state.podwatch = Podwatch(state.host).start()
    for name, text in pods().items():
        state.host.write(f'/etc/kubernetes/manifests/{name}.yaml', text)
    return state


def test_http_by_a_named_port(state):
    wait_for(lambda: state.ready('http'), 30, 'readiness')
    asked = state.asked('http')[0]
    assert asked['agent'].startswith('kube-probe/') and asked['want'] == 'an answer', asked
    assert asked['host'].endswith(f':{HTTP}'), asked


def test_https_takes_any_certificate(state):
    wait_for(lambda: state.ready('https'), 30, 'readiness')


def test_redirect_to_another_host_is_success_with_a_warning(state):
    wait_for(lambda: state.ready('away'), 30, 'readiness')
    warnings = state.events('away', 'ProbeWarning')
    assert 'Readiness probe warning: Probe terminated redirects' in warnings[0], warnings


def test_http_in_the_network_of_the_pod(state):
    wait_for(lambda: state.ready('bridge'), 30, 'readiness')


def test_tcp(state):
    wait_for(lambda: state.events('tcp', 'Unhealthy'), 20, 'the event')
    assert 'connect: connection refused' in state.events('tcp', 'Unhealthy')[0], state.events('tcp', 'Unhealthy')
    assert not state.ready('tcp')
    script = f'import socket, time; s = socket.create_server(("", {TCP})); time.sleep(600)'
    listener = state.host.popen(['python3', '-c', script])
    wait_for(lambda: state.ready('tcp'), 15, 'readiness with somebody who listens')
    listener.kill()
    listener.wait()
    wait_for(lambda: not state.ready('tcp'), 15, 'no readiness without')
    assert state.container('tcp')['restartCount'] == 0


def test_nothing_else_is_probed_before_startup_succeeds(state):
    wait_for(lambda: state.container('slow')['state'].get('running'), 20, 'it to run')
    wait_for(lambda: len(state.events('slow', 'Startup probe failed')) >= 1, 20, 'a failed probe of the start')
    status = state.container('slow')
    assert status['started'] is False and not status['ready'], status
    assert not state.asked('slow-live') and not state.asked('slow-ready')
    state.host.write(f'{OUT}/started', '')
    wait_for(lambda: state.ready('slow'), 15, 'readiness after the start')
    wait_for(lambda: state.asked('slow-live'), 15, 'liveness after the start')
    status = state.container('slow')
    assert status['started'] is True and status['restartCount'] == 0, status


def test_failed_startup_restarts_the_container(state):
    wait_for(lambda: state.container('never')['restartCount'] >= 1, 30, 'a restart')
    killing = state.events('never', 'Killing')
    assert any('failed startup probe, will be restarted' in e for e in killing), killing
    assert any('not yet' in e for e in state.events('never', 'Unhealthy'))


def test_delay_period_and_thresholds(state):
    """Two failures, then three successes in a row; nothing is asked early, and no period drifts."""
    wait_for(lambda: state.ready('timed'), 30, 'readiness')
    asked = state.asked('timed')
    assert [a['status'] for a in asked[:5]] == [500, 500, 200, 200, 200], asked
    started = state.host.docker.inspect(state.container('timed')['containerID'].removeprefix('docker://'))['State']['StartedAt']
    whole, _, fraction = started.rstrip('Z').partition('.')
    begun = time.mktime(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) - time.timezone + float('0.' + fraction)
    offset = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    assert asked[0]['at'] + offset - begun >= 1.99, (asked[0], begun, offset)
    wait_for(lambda: len(state.asked('timed')) >= 9, 15, 'more probes')
    asked = [a['at'] for a in state.asked('timed')]
    # A busy machine delays one or another, but the plan does not move: the median of the phases is that of the first ones.
    phases = sorted((at - asked[0]) % 1 if (at - asked[0]) % 1 < 0.9 else (at - asked[0]) % 1 - 1 for at in asked)
    assert abs(phases[len(phases) // 2]) < 0.25, phases
    assert all(later - earlier > 0.1 for earlier, later in zip(asked, asked[1:])), asked


def test_failed_liveness_restarts_at_its_threshold(state):
    wait_for(lambda: state.container('dying')['restartCount'] == 1 and state.container('dying')['state'].get('running'), 40, 'one restart')
    wait_for(lambda: len(state.asked('dying')) >= 8, 20, 'probes of the next run')
    assert [a['status'] for a in state.asked('dying')[:8]] == [200, 200, 500, 500, 500, 200, 200, 200], state.asked('dying')
    assert state.container('dying')['restartCount'] == 1
    killing = state.events('dying', 'Killing')
    assert any('failed liveness probe, will be restarted' in e for e in killing), killing
    assert any('HTTP probe failed with statuscode: 500' in e for e in state.events('dying', 'Unhealthy'))


def test_server_that_hangs_is_a_failure_after_the_timeout(state):
    wait_for(lambda: state.events('hang', 'Unhealthy'), 20, 'the event')
    assert len(state.events('hang', 'Unhealthy')) == 1 and 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' in \
        state.events('hang', 'Unhealthy')[0], state.events('hang', 'Unhealthy')
    assert not state.ready('hang') and state.container('hang')['restartCount'] == 0


def test_results_are_seen(state):
    text = state.podwatch.command('describe', 'tcp').stdout
    assert 'refused' in text, text
