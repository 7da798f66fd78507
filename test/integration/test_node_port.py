# SPDX-License-Identifier: Apache-2.0
"""The node's HTTPS port: who may ask what, by a real API server's word, `kubectl logs` through it, and strangers who hold connections."""
import json
import os
import re
import signal
import subprocess
import sys
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML, Podwatch, pod
from harness import Host, hold, wait_for
from test_api_side import ADMIN_TOKEN, NODE, Server

ORDERED = True
SETUP_TIMEOUT = 240
DIRECTORY = '/etc/kubernetes/manifests'
PKI = '/etc/kubernetes/pki'
PORT = 10250
CONFIG = PODWATCH_YAML + f'''\
authentication:
  x509: {{clientCAFile: {PKI}/ca.crt}}
  webhook: {{enabled: true, cacheTTL: 1s}}
authorization:
  mode: Webhook
  webhook: {{cacheAuthorizedTTL: 1s, cacheUnauthorizedTTL: 1s}}
'''
CROWD = 1000
SPEAKS = 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.2; done'
# Holds COUNT connections to the port open without a word; those that are shut are opened again until its standard input ends.
HOLD = '''
import os, selectors, socket, sys, threading, time
count, s = int(sys.argv[1]), selectors.DefaultSelector()
def dial():
    c = socket.create_connection(('127.0.0.1', 10250))
    c.setblocking(False)
    s.register(c, selectors.EVENT_READ)
for _ in range(count):
    dial()
print('up', flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True:
    for key, _ in s.select(1):
        s.unregister(key.fileobj)
        key.fileobj.close()
        time.sleep(0.02)
        dial()
'''


class State:
    def put(self, name, *args, **kwargs):
        self.host.write(f'{DIRECTORY}/{name}.yaml', pod(name, *args, hostNetwork=True, terminationGracePeriodSeconds=0, **kwargs))

    def ask(self, path, *args, timeout=20, expect=None):
        """(status, body) of a GET by curl on the host."""
        out = self.host.output('curl', '-sk', '--max-time', str(timeout), '-w', '\n%{http_code}', *args, f'https://127.0.0.1:{PORT}{path}', timeout=timeout + 10)
        body, status = out.rsplit('\n', 1)
        if expect is not None:
            assert int(status) == expect, (path, args, out)
        return int(status), body

    def certificate(self, name):
        return ['--cert', f'{PKI}/{name}.crt', '--key', f'{PKI}/{name}.key']

    def logs(self, *args, check=True):
        return self.server.kubectl('logs', *args, check=check)


def token(text):
    return ['-H', f'Authorization: Bearer {text}']


def make_certificates(host):
    def openssl(*args):
        host.output('openssl', *args, cwd=PKI)

    os.makedirs(host.path(PKI), exist_ok=True)
    host.write(f'{PKI}/client.ext', 'extendedKeyUsage=clientAuth\n')
    for ca in ('ca', 'other-ca'):
        openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{ca}.key', '-out', f'{ca}.crt', '-subj', '/CN=kubernetes', '-days', '10')
    for name, ca, subject in (('apiserver-kubelet-client', 'ca', '/CN=kube-apiserver-kubelet-client'), ('monitor', 'ca', '/O=watchers/CN=monitor'),
                              ('nameless', 'ca', '/O=system:masters'), ('stranger', 'other-ca', '/O=system:masters/CN=stranger')):
        openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', subject)
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', f'{ca}.crt', '-CAkey', f'{ca}.key', '-CAcreateserial', '-out', f'{name}.crt', '-days', '10',
                '-extfile', 'client.ext')


def setup():
    state = State()
    state.host = Host('port')
    state.host.docker.make_busybox()
    make_certificates(state.host)
    state.host.write(PODWATCH_CONFIG, CONFIG)
    state.put('speaks', ['sh', '-c', SPEAKS])
    state.put('crash', ['sh', '-c', 'echo about to end; echo cannot reach it >&2; sleep 1; exit 7'])
    state.podwatch = Podwatch(state.host, kubeconfig='/etc/kubernetes/kubelet.conf').start()
    state.podwatch.wait_ready('default/speaks-node1')
    return state


# --- no API server yet ---

def test_without_an_api_server_everybody_hears_no_at_once(state):
    begin = time.monotonic()
    assert state.ask('/configz') == (401, 'Unauthorized')
    assert state.ask('/configz', *token('x')) == (401, 'Unauthorized')
    assert state.ask('/configz', *state.certificate('stranger')) == (401, 'Unauthorized')
    assert state.ask('/configz', *state.certificate('monitor')) == (
        500, 'Authorization error (user=monitor, verb=get, resource=nodes, subresource=configz)')
    assert time.monotonic() - begin < 10


def test_own_certificate_is_kept(state):
    before = state.host.read('/var/lib/kubelet/pki/kubelet.crt')
    state.podwatch.stop()
    state.podwatch.start()
    assert state.host.read('/var/lib/kubelet/pki/kubelet.crt') == before
    shown = state.host.run(['openssl', 's_client', '-connect', f'127.0.0.1:{PORT}', '-tls1_2'], input='', check=False).stdout
    assert before.split('-----')[2].strip() in shown, shown
    old = state.host.run(['openssl', 's_client', '-connect', f'127.0.0.1:{PORT}', '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], input='', check=False)
    assert 'Cipher is (NONE)' in old.stdout, old


# --- with one ---

def test_node_names_the_port(state):
    state.server = Server(state.host, api=[f'--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt',
                                           f'--kubelet-client-key={PKI}/apiserver-kubelet-client.key',
                                           '--kubelet-preferred-address-types=InternalIP'])
    wait_for(state.server.ready, 120, 'the API server')
    state.server.kubeconfig()
    wait_for(lambda: state.server.get('node', NODE)['status']['daemonEndpoints']['kubeletEndpoint']['Port'] == PORT, 60, 'the Node to name its port')


def test_strangers_are_not_let_in(state):
    for args in ([], token('nonsense'), token(''), ['-u', 'admin:admin'], state.certificate('stranger'), state.certificate('nameless'),
                 state.certificate('stranger') + token('nonsense')):
        for path in ('/configz', '/pods', '/healthz', '/containerLogs/default/speaks-node1/main', '/nothing'):
            assert state.ask(path, *args) == (401, 'Unauthorized'), (path, args)
    # A token is good beside a certificate that is not.
    state.ask('/configz', *state.certificate('stranger'), *token(ADMIN_TOKEN), expect=200)


def test_rights_are_those_that_the_api_server_gives(state):
    monitor = state.certificate('monitor')
    assert state.ask('/configz', *monitor) == (403, 'Forbidden (user=monitor, verb=get, resource=nodes, subresource(s)=[configz proxy])\n')
    assert state.ask('/containerLogs/default/speaks-node1/main', *monitor) == (
        403, 'Forbidden (user=monitor, verb=get, resource=nodes, subresource(s)=[proxy])\n')
    state.server.kubectl('create', 'clusterrole', 'health', '--verb=get', '--resource=nodes/healthz')
    state.server.kubectl('create', 'clusterrolebinding', 'health', '--clusterrole=health', '--group=watchers')
    wait_for(lambda: state.ask('/healthz', *monitor) == (200, 'ok'), 30, 'the right to nodes/healthz to count')
    assert 'syncloop ok' in state.ask('/healthz?verbose', *monitor, expect=200)[1]
    state.ask('/healthz/syncloop', *monitor, expect=200)
    state.ask('/configz', *monitor, expect=403)
    state.ask('/healthz', '-X', 'POST', *monitor, expect=403)  # create, not get
    # Taken away, it is gone when the answer has had its time.
    state.server.kubectl('delete', 'clusterrolebinding', 'health')
    wait_for(lambda: state.ask('/healthz', *monitor)[0] == 403, 30, 'the right to be gone')


def test_answers(state):
    admin = token(ADMIN_TOKEN)
    config = json.loads(state.ask('/configz', *admin, expect=200)[1])['kubeletconfig']
    assert (config['kind'], config['staticPodPath'], config['port'], config['authentication']['webhook']['cacheTTL']) == (
        'KubeletConfiguration', DIRECTORY, PORT, '1s'), config
    pods = json.loads(state.ask('/pods', *admin, expect=200)[1])
    assert {p['metadata']['name'] for p in pods['items']} == {'speaks-node1', 'crash-node1'}
    running = {p['metadata']['name']: p for p in json.loads(state.ask('/runningpods/', *admin, expect=200)[1])['items']}
    assert running['speaks-node1']['spec']['containers'] == [{'name': 'main', 'image': 'localhost/busybox:1', 'resources': {}}], running
    assert state.ask('/nothing', *admin) == (404, '404 page not found\n')
    assert state.ask('/status', *admin)[0] == 404  # of the unix socket alone
    state.ask('/configz', '-X', 'POST', *admin, expect=405)


def test_ca_file_is_read_again(state):
    bundle = state.host.read(f'{PKI}/ca.crt')
    state.host.write(f'{PKI}/ca.crt', bundle + state.host.read(f'{PKI}/other-ca.crt'))
    state.ask('/configz', *state.certificate('stranger'), expect=200)  # system:masters
    state.ask('/configz', *state.certificate('monitor'), expect=403)
    os.unlink(state.host.path(f'{PKI}/ca.crt'))
    state.ask('/configz', *state.certificate('monitor'), expect=401)
    state.host.write(f'{PKI}/ca.crt', bundle)
    state.ask('/configz', *state.certificate('stranger'), expect=401)
    state.ask('/configz', *state.certificate('monitor'), expect=403)


# --- metrics ---

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([-+0-9.eInf]+)(?: [0-9]{13})?')


def parse(text):
    """Prometheus' text format, strictly: {(name, labels as a dict's sorted items): value}, {family: type}."""
    samples, families = {}, {}
    assert text.endswith('\n')
    for line in text.splitlines():
        if line.startswith('# TYPE '):
            _, _, family, kind = line.split(' ')
            assert family not in families, f'{family} twice'
            families[family] = kind
        elif not line.startswith('# HELP '):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            family = name if name in families else re.sub('_(bucket|sum|count)$', '', name)
            assert family in families, line
            key = name, tuple(sorted(re.findall(r'([a-zA-Z_0-9]+)="((?:[^"\\]|\\.)*)"', labels or '')))
            assert key not in samples, f'{line} twice'
            samples[key] = float(value)
    return samples, families


def test_metrics(state):
    monitor, admin = state.certificate('monitor'), token(ADMIN_TOKEN)
    assert state.ask('/metrics', *monitor) == (403, 'Forbidden (user=monitor, verb=get, resource=nodes, subresource(s)=[metrics])\n')
    state.server.kubectl('create', 'clusterrole', 'metrics', '--verb=get', '--resource=nodes/metrics')
    state.server.kubectl('create', 'clusterrolebinding', 'metrics', '--clusterrole=metrics', '--user=monitor')
    wait_for(lambda: state.ask('/metrics', *monitor)[0] == 200, 30, 'the right to nodes/metrics')
    state.put('probed', container={'livenessProbe': {'exec': {'command': ['true']}, 'periodSeconds': 1},
                                   'readinessProbe': {'exec': {'command': ['test', '-e', '/tmp/ready']}, 'periodSeconds': 1}})
    state.put('broken', image='localhost/none:1', container={'imagePullPolicy': 'Never'})

    def get(path='/metrics'):
        return parse(state.ask(path, *admin, expect=200)[1])[0]
    wait_for(lambda: get()['kubelet_running_pods', ()] >= 3 and get()['kubelet_started_containers_errors_total', (
        ('code', 'ErrImageNeverPull'), ('container_type', 'container'))] >= 1, 60, 'the metrics of what runs and what cannot')
    wait_for(lambda: get()['kubelet_pod_start_duration_seconds_count', ()] >= 1, 30, 'a pod that has started to be counted')
    samples, families = parse(state.ask('/metrics', *monitor, expect=200)[1])
    containers = samples['kubelet_started_containers_total', (('container_type', 'container'),)]
    assert containers >= 3 and samples['kubelet_started_pods_total', ()] >= 1, samples
    assert samples['kubelet_node_name', (('node', NODE),)] == 1
    assert samples['kubelet_desired_pods', (('static', 'true'),)] == 4 == samples['kubelet_mirror_pods', ()], samples
    assert samples['kubelet_working_pods', (('config', 'desired'), ('lifecycle', 'sync'), ('static', 'true'))] == 4
    assert len([k for k in samples if k[0] == 'kubelet_working_pods']) == 15
    assert families['kubelet_pod_start_duration_seconds'] == 'histogram'
    assert samples['kubelet_runtime_operations_total', (('operation_type', 'start_container'),)] >= 1
    starts = (('operation_type', 'start_container'),)
    assert samples['kubelet_runtime_operations_duration_seconds_count', starts] == samples['kubelet_runtime_operations_total', starts]
    assert 0 < samples['kubelet_runtime_operations_duration_seconds_sum', starts] < 60 * samples['kubelet_runtime_operations_total', starts]
    assert samples['process_resident_memory_bytes', ()] > 1e6 and samples['process_open_fds', ()] > 5
    assert abs(samples['process_start_time_seconds', ()] - time.time()) < 3600
    assert any(k[0] == 'kubernetes_build_info' and ('major', '1') in k[1] for k in samples)
    # The same over the unix socket and the read-only port.
    assert parse(state.podwatch.api('/metrics')[1])[1] == families
    assert parse(state.host.output('curl', '-s', 'http://127.0.0.1:10255/metrics'))[1] == families

    def probes():
        return {(dict(k[1])['probe_type'], dict(k[1])['result']): v for k, v in get('/metrics/probes').items() if dict(k[1])['pod'] == f'probed-{NODE}'}
    wait_for(lambda: probes().get(('Liveness', 'successful'), 0) >= 3 and probes().get(('Readiness', 'failed'), 0) >= 3, 30, 'probes to be counted')
    for name in ('probed', 'broken'):
        os.unlink(state.host.path(f'{DIRECTORY}/{name}.yaml'))
    wait_for(lambda: get()['kubelet_desired_pods', (('static', 'true'),)] == 2, 30, 'the pods to be gone')


def test_what_containers_pods_and_the_node_take(state):
    """Beside what Docker says of the same container before and after."""
    admin = token(ADMIN_TOKEN)
    state.put('burns', ['sh', '-c', 'dd if=/dev/zero of=/dev/shm/x bs=1M count=20 2>/dev/null; while :; do :; done'])
    name = f'burns-{NODE}'
    found = wait_for(lambda: [c['Id'] for c in state.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}')
                              if c['Labels']['io.kubernetes.container.name'] == 'main'], 30, 'the container')[0]

    def docker():
        stats = json.loads(state.host.output('curl', '-s', '--unix-socket', '/run/docker.sock', f'http://d/containers/{found}/stats?stream=false&one-shot=true'))
        return stats['cpu_stats']['cpu_usage']['total_usage'], stats['memory_stats'].get('usage', 0)
    wait_for(lambda: docker()[0] > 5e8 and docker()[1] > 20 << 20, 60, 'half a second of processor time and 20 MiB')
    before = docker()
    samples, families = parse(state.ask('/metrics/resource', *admin, expect=200)[1])
    summary = json.loads(state.ask('/stats/summary', *admin, expect=200)[1])
    after = docker()
    labels = (('container', 'main'), ('namespace', 'default'), ('pod', name))
    assert before[0] <= samples['container_cpu_usage_seconds_total', labels] * 1e9 <= after[0], (before, samples, after)
    assert 20 << 20 <= samples['container_memory_working_set_bytes', labels] <= 80 << 20, samples
    assert abs(samples['container_start_time_seconds', labels] - time.time()) < 120
    pod = {k: v for k, v in samples.items() if dict(k[1]) == {'namespace': 'default', 'pod': name}}
    assert pod['pod_cpu_usage_seconds_total', labels[1:]] >= samples['container_cpu_usage_seconds_total', labels], pod
    assert pod['pod_memory_working_set_bytes', labels[1:]] >= 20 << 20, pod
    assert samples['node_cpu_usage_seconds_total', ()] > 0 and samples['node_memory_working_set_bytes', ()] > 20 << 20
    assert samples['resource_scrape_error', ()] == 0 and families['container_cpu_usage_seconds_total'] == 'counter'
    entry = next(p for p in summary['pods'] if p['podRef']['name'] == name)
    main = next(c for c in entry['containers'] if c['name'] == 'main')
    assert before[0] <= main['cpu']['usageCoreNanoSeconds'] <= after[0], (before, main, after)
    assert 20 << 20 <= main['memory']['workingSetBytes'] <= main['memory']['usageBytes'], main
    node = summary['node']
    assert node['nodeName'] == NODE and node['memory']['workingSetBytes'] > 0 and node['fs']['capacityBytes'] > node['fs']['availableBytes'] > 0, node
    status, words = state.ask('/stats/summary', *state.certificate('monitor'))
    assert status == 403 and 'stats' in words, (status, words)
    os.unlink(state.host.path(f'{DIRECTORY}/burns.yaml'))


def test_what_is_not_served_says_so(state):
    for path in ('/exec/default/speaks-node1/main?command=ls&output=1', '/attach/default/speaks-node1/main', '/portForward/default/speaks-node1',
                 '/run/default/speaks-node1/main'):
        status, words = state.ask(path, *token(ADMIN_TOKEN))
        assert status == 501 and 'podwatch does not serve' in words, (path, status, words)


# --- kubectl ---

def test_kubectl_logs(state):
    state.server.kubectl('create', 'clusterrolebinding', 'kubeadm:apiserver-kubelet-client', '--clusterrole=system:kubelet-api-admin',
                         '--user=kube-apiserver-kubelet-client')
    lines = wait_for(lambda: state.logs('speaks-node1').stdout.splitlines(), 60, 'kubectl logs', 0.5)
    assert lines[0] == 'line 1', lines
    summary = json.loads(state.server.kubectl('get', '--raw', f'/api/v1/nodes/{NODE}/proxy/stats/summary').stdout)
    assert f'speaks-{NODE}' in {p['podRef']['name'] for p in summary['pods']}, summary
    wait_for(lambda: len(state.logs('speaks-node1').stdout.splitlines()) > 12, 30, 'some seconds of log')
    assert len(state.logs('speaks-node1', '--tail=2').stdout.splitlines()) == 2
    assert state.logs('speaks-node1', '--limit-bytes=6').stdout == 'line 1'
    assert state.logs('speaks-node1', '--since-time=2100-01-01T00:00:00Z').stdout == ''
    newest = state.logs('speaks-node1', '--since=1s').stdout
    assert newest and 'line 1\n' not in newest, newest
    assert re.fullmatch(r'2\d{3}-\d\d-\d\dT[0-9:.]+Z line \d+\n', state.logs('speaks-node1', '--tail=1', '--timestamps').stdout)
    refused = state.logs('speaks-node1', '--previous', check=False)
    assert refused.returncode != 0 and 'previous terminated container "main" in pod "speaks-node1" not found' in refused.stderr, refused


def test_kubectl_logs_follow(state):
    path = f'{state.host.logs}/follow'
    with open(path, 'w') as out:
        process = state.host.popen([f'{state.server.bin}/kubectl', '--server=https://127.0.0.1:6443', '--insecure-skip-tls-verify',
                                    f'--token={ADMIN_TOKEN}', 'logs', '-f', '--tail=1', 'speaks-node1'], stdout=out, stderr=subprocess.STDOUT)

    def lines():
        with open(path) as f:
            return [x for x in f.read().splitlines() if x.startswith('line ')]
    first = int(wait_for(lines, 30, 'the first line')[0].split()[1])
    wait_for(lambda: len(lines()) >= 10, 30, 'lines as they come')
    assert [int(x.split()[1]) for x in lines()[:10]] == list(range(first, first + 10))
    # It ends when the container does.
    state.host.docker.kill(state.podwatch.pods()['default/speaks-node1']['status']['containerStatuses'][0]['containerID'].split('//')[1])
    assert wait_for(lambda: process.poll() is not None, 30, 'kubectl logs -f to end')
    assert process.returncode == 0


def test_kubectl_logs_previous(state):
    wait_for(lambda: state.podwatch.pods()['default/crash-node1']['status']['containerStatuses'][0]['restartCount'] >= 1, 60, 'a restart')
    for args in (['--previous'], []):
        wait_for(lambda: state.logs('crash-node1', *args).stdout == 'about to end\ncannot reach it\n', 60, f'the log of a run that crashed {args}', 0.5)


def test_logs_refused(state):
    admin = token(ADMIN_TOKEN)
    for path, status, words in (('default/nothing/main', 404, 'pod "nothing" does not exist'),
                                ('default/speaks-node1/side', 404, 'container "side" not found in pod "speaks-node1"'),
                                ('default/speaks-node1/main?tailLines=x', 400, 'tailLines'), ('default/speaks-node1', 404, 'page not found'),
                                ('default//main', 404, 'page not found'), ('default/speaks-node1/main?stream=Stdout', 400, 'Stdout')):
        answer = state.ask(f'/containerLogs/{path}', *admin)
        assert answer[0] == status and words in answer[1], answer
    state.ask('/containerLogs/default/speaks-node1/main', '-X', 'POST', *admin, expect=405)
    assert len(state.ask('/containerLogs/default/speaks-node1/main?tail=1', *admin, expect=200)[1].splitlines()) == 1


# --- strangers in numbers ---

def descriptors(state):
    return len(os.listdir(f'/proc/{state.podwatch.pid}/fd'))


def resident(state):
    with open(f'/proc/{state.podwatch.pid}/status') as f:
        return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))


def test_a_crowd_that_holds_connections_keeps_nobody_out(state):
    before, kib = descriptors(state), resident(state)
    crowd = state.host.popen([sys.executable, '-c', HOLD, str(CROWD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert crowd.stdout.readline() == 'up\n'
        for _ in range(5):
            state.ask('/configz', *state.certificate('apiserver-kubelet-client'), timeout=30, expect=200)
            assert state.podwatch.api('/healthz') == (200, 'ok')
        # No container waits for it.
        def main():
            return state.podwatch.pods()['default/speaks-node1']['status']['containerStatuses'][0]
        old = main()
        state.host.docker.kill(old['containerID'].split('//')[1])
        wait_for(lambda: main()['containerID'] != old['containerID'] and main()['state'].get('running'), 60, 'the container to run again')
        assert descriptors(state) < before + 350
        print(f'# resident: {kib} KiB before, {resident(state)} KiB with {CROWD} connections', flush=True)
    finally:
        crowd.stdin.close()
        crowd.wait(30)
    wait_for(lambda: descriptors(state) <= before + 2, 60, 'their descriptors to be gone')
    print(f'# resident: {resident(state)} KiB afterwards', flush=True)


# --- an API server that goes ---

def test_api_server_that_hangs_holds_up_nobody(state):
    server, monitor = state.server.processes['kube-apiserver'], state.certificate('monitor')
    state.ask('/configz', *monitor, expect=403)
    server.send_signal(signal.SIGSTOP)
    try:
        # What was answered counts for its time; then the port waits for an answer, and for no longer than a request may take.
        wait_for(lambda: state.ask('/configz', *monitor, timeout=60) == (
            500, 'Authorization error (user=monitor, verb=get, resource=nodes, subresource=configz)'), 120, 'an error')
        assert state.ask('/configz', *token('another'), timeout=60) == (401, 'Unauthorized')
        assert state.podwatch.api('/healthz') == (200, 'ok')
    finally:
        server.send_signal(signal.SIGCONT)
    wait_for(lambda: state.ask('/configz', *monitor, timeout=60)[0] == 403, 120, 'the API server to be asked again', 0.5)


# --- and where nobody can be known ---

def test_no_listener_without_anything_to_know_callers_by(state):
    state.podwatch.stop()
    state.host.write('/etc/kubernetes/closed.yaml', PODWATCH_YAML)
    state.podwatch = Podwatch(state.host, config='/etc/kubernetes/closed.yaml').start()
    assert state.host.run(['curl', '-sk', f'https://127.0.0.1:{PORT}/healthz'], check=False).returncode == 7
    port = state.podwatch.status()['port']
    assert port['open'] is False and 'nothing to know callers by' in port['why'], port
    assert 'Port 10250 is closed: there is nothing to know callers by' in state.podwatch.command('status').stdout
    assert state.podwatch.log_text().count('port 10250 is not opened') == 1
    hold(state.podwatch.alive, 1, 'podwatch to go on')


def teardown(state):
    state.podwatch.stop()
    state.host.close()
