# SPDX-License-Identifier: Apache-2.0
"""The API side alone, against a real etcd and kube-apiserver with the Node authorizer and NodeRestriction."""
import base64
import json
import os
import subprocess
import threading
import time

from cluster import peers
from harness import Host, hold, wait_for

ORDERED = True
NODE = 'node1'
KEY = 'kube-system/web-node1'
NODE_TOKEN, ADMIN_TOKEN = 'node-token', 'admin-token'
STATUS = {'phase': 'Running', 'hostIP': '10.88.0.2', 'podIP': '172.17.0.2', 'podIPs': [{'ip': '172.17.0.2'}], 'startTime': '2024-05-01T12:00:00Z',
          'conditions': [{'type': t, 'status': 'True', 'lastProbeTime': None, 'lastTransitionTime': '2024-05-01T12:00:00Z'}
                         for t in ('PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled')],
          'containerStatuses': [{'name': 'web', 'image': 'web:1', 'imageID': 'docker://sha256:1', 'containerID': 'docker://1',
                                 'ready': True, 'started': True, 'restartCount': 0, 'lastState': {},
                                 'state': {'running': {'startedAt': '2024-05-01T12:00:00Z'}}}]}


def static_pod(uid, image='web:1'):
    return {'apiVersion': 'v1', 'kind': 'Pod',
            'metadata': {'name': 'web-node1', 'namespace': 'kube-system', 'uid': uid,
                         'annotations': {'kubernetes.io/config.hash': uid, 'kubernetes.io/config.source': 'file',
                                         'kubernetes.io/config.seen': '2024-05-01T12:00:00.123456789Z'}},
            'spec': {'nodeName': NODE, 'hostNetwork': True, 'restartPolicy': 'Always', 'containers': [{'name': 'web', 'image': image}],
                     'tolerations': [{'operator': 'Exists', 'effect': 'NoExecute'}]}}


class Driver:
    """api_driver as a child, with what it said."""

    def __init__(self, host):
        self.host, self.lines, self.count = host, [], 0
        self.process = host.popen([os.environ['API_DRIVER'], '/etc/kubernetes/kubelet.conf', NODE], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=open(f'{host.logs}/api_driver.log', 'a'), text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip('\n'))

    def say(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()

    def pod(self, pod, status):
        self.count += 1
        base = f'/etc/kubernetes/{self.count}'
        self.host.write(f'{base}.pod', json.dumps(pod))
        self.host.write(f'{base}.status', json.dumps(status))
        self.say(f'pod {KEY} {base}.pod {base}.status')

    def status(self):
        before = len(self.lines)
        self.say(f'status {KEY}')
        line = wait_for(lambda: next((x for x in self.lines[before:] if x.startswith('status ')), None), 5, 'an answer to status')
        return json.loads(line[len('status '):])

    def heard(self, text):
        return any(text in line for line in self.lines)


class Server:
    """etcd and kube-apiserver inside the host, and kube-controller-manager on demand. api: further arguments of kube-apiserver."""

    def __init__(self, host, api=()):
        self.host, self.bin, self.api = host, peers(), api
        subprocess.run(['openssl', 'genrsa', '-traditional', '-out', f'{host.directory}/sa.key', '2048'], check=True, capture_output=True)
        with open(f'{host.directory}/sa.key') as f:
            host.write('/etc/kubernetes/sa.key', f.read(), 0o600)
        host.write('/etc/kubernetes/tokens.csv', f'{NODE_TOKEN},system:node:{NODE},1,"system:nodes"\n{ADMIN_TOKEN},admin,2,"system:masters"\n', 0o600)
        self.processes = {}
        self.start_etcd()
        self.start_api()

    def _start(self, name, *args):
        log = open(f'{self.host.logs}/{name}.log', 'a')
        self.processes[name] = self.host.popen([f'{self.bin}/{name}', *args], stdout=log, stderr=subprocess.STDOUT)

    def start_etcd(self):
        self._start('etcd', '--data-dir=/var/lib/etcd', '--listen-client-urls=http://127.0.0.1:2379', '--advertise-client-urls=http://127.0.0.1:2379',
                    '--listen-peer-urls=http://127.0.0.1:2380', '--unsafe-no-fsync')

    def start_api(self):
        self._start('kube-apiserver', '--etcd-servers=http://127.0.0.1:2379', '--cert-dir=/etc/kubernetes/pki', '--authorization-mode=Node,RBAC',
                    '--enable-admission-plugins=NodeRestriction', '--token-auth-file=/etc/kubernetes/tokens.csv', '--service-account-issuer=https://x',
                    '--service-account-key-file=/etc/kubernetes/sa.key', '--service-account-signing-key-file=/etc/kubernetes/sa.key',
                    '--service-cluster-ip-range=10.96.0.0/16', '--bind-address=127.0.0.1', '--secure-port=6443', '--advertise-address=10.88.0.2',
                    *self.api)

    def start_controllers(self, controllers='namespace-controller,garbage-collector-controller,resourcequota-controller', *args):
        """By default what deletes namespaces and orphans, and counts quotas."""
        self.kubeconfig('/etc/kubernetes/admin.conf', ADMIN_TOKEN)
        self._start('kube-controller-manager', '--kubeconfig=/etc/kubernetes/admin.conf', '--cert-dir=/etc/kubernetes/pki', '--leader-elect=false',
                    f'--controllers={controllers}', *args)

    def kill(self, name):
        self.processes[name].kill()
        self.processes[name].wait()

    def kubeconfig(self, path='/etc/kubernetes/kubelet.conf', token=NODE_TOKEN):
        ca = base64.b64encode(self.host.read('/etc/kubernetes/pki/apiserver.crt').encode()).decode()
        text = {'apiVersion': 'v1', 'kind': 'Config', 'current-context': 'c',
                'clusters': [{'name': 'k', 'cluster': {'server': 'https://127.0.0.1:6443', 'certificate-authority-data': ca}}],
                'users': [{'name': 'n', 'user': {'token': token}}], 'contexts': [{'name': 'c', 'context': {'cluster': 'k', 'user': 'n'}}]}
        self.host.write(path, json.dumps(text), 0o600)

    def kubectl(self, *args, **kwargs):
        return self.host.run([f'{self.bin}/kubectl', '--server=https://127.0.0.1:6443', '--insecure-skip-tls-verify', f'--token={ADMIN_TOKEN}', *args], **kwargs)

    def get(self, *args):
        return json.loads(self.kubectl('get', '-o', 'json', *args).stdout)

    def mirror(self):
        return self.get('pod', '-n', 'kube-system', 'web-node1')

    def has_mirror(self):
        return self.kubectl('get', 'pod', '-n', 'kube-system', 'web-node1', check=False).returncode == 0

    def ready(self):
        return self.kubectl('get', '--raw', '/readyz', check=False).returncode == 0


def ready_of(pod):
    return [c['status'] for c in pod.get('status', {}).get('conditions', []) if c['type'] == 'Ready'] == ['True']


class State:
    pass


def setup():
    state = State()
    state.host = Host('api', docker=False)
    state.driver = Driver(state.host)
    return state


def teardown(state):
    state.host.close()


def test_waits_for_the_kubeconfig_and_says_so(state):
    wait_for(lambda: state.driver.heard('waiting for /etc/kubernetes/kubelet.conf'), 5, 'the word that the kubeconfig is missing')
    state.driver.say('ready')
    state.driver.pod(static_pod('h1'), STATUS)
    state.driver.say('event Starting things begin')
    state.driver.say('complete')
    assert state.driver.status()['up'] is False


def test_everything_appears_once_the_server_does(state):
    state.server = Server(state.host)
    wait_for(state.server.ready, 60, 'the API server')
    state.server.kubeconfig()
    mirror = wait_for(state.server.mirror, 15, 'the mirror')
    node = state.server.get('node', NODE)
    assert mirror['metadata']['annotations']['kubernetes.io/config.mirror'] == 'h1'
    assert [o['uid'] for o in mirror['metadata']['ownerReferences']] == [node['metadata']['uid']]
    assert node['spec']['unschedulable'] is True
    assert {c['type']: c['status'] for c in node['status']['conditions']} == {
        'MemoryPressure': 'False', 'DiskPressure': 'False', 'PIDPressure': 'False', 'Ready': 'True'}
    assert node['status']['nodeInfo']['containerRuntimeVersion'] == 'docker://20.10.24'
    assert {'type': 'InternalIP', 'address': '10.88.0.2'} in node['status']['addresses']
    wait_for(lambda: ready_of(state.server.mirror()), 5, 'the status of the mirror')
    lease = wait_for(lambda: state.server.get('lease', '-n', 'kube-node-lease', NODE), 5, 'the lease')
    assert lease['spec']['holderIdentity'] == NODE and lease['spec']['leaseDurationSeconds'] == 40
    events = wait_for(lambda: [e for e in state.server.get('events', '-n', 'default')['items'] if e['reason'] == 'Starting'], 5, 'the event')
    assert events[0]['message'] == 'things begin' and events[0]['source']['component'] == 'kubelet'


def test_deleted_mirror_comes_back(state):
    before = state.server.mirror()['metadata']['uid']
    state.server.kubectl('delete', 'pod', '-n', 'kube-system', 'web-node1', '--wait=false')
    wait_for(lambda: state.server.mirror()['metadata']['uid'] != before, 10, 'another mirror')
    before = state.server.mirror()['metadata']['uid']
    state.server.kubectl('delete', 'pod', '-n', 'kube-system', 'web-node1', '--grace-period=0', '--force')
    wait_for(lambda: state.server.mirror()['metadata']['uid'] != before and ready_of(state.server.mirror()), 10, 'another mirror that is ready')


def test_foreign_status_is_put_right(state):
    patch = {'status': {'phase': 'Failed', 'message': 'said so', 'conditions': [{'type': 'Ready', 'status': 'False', 'reason': 'NodeNotReady'},
                                                                            {'type': 'example.com/Other', 'status': 'True'}]}}
    state.server.kubectl('patch', 'pod', '-n', 'kube-system', 'web-node1', '--subresource=status', '-p', json.dumps(patch))
    mirror = wait_for(lambda: (m := state.server.mirror())['status']['phase'] == 'Running' and ready_of(m) and m, 10, 'the true status')
    assert 'message' not in mirror['status']
    ready = next(c for c in mirror['status']['conditions'] if c['type'] == 'Ready')
    assert 'reason' not in ready and ready['lastTransitionTime'] == '2024-05-01T12:00:00Z'
    assert any(c['type'] == 'example.com/Other' for c in mirror['status']['conditions']), 'conditions of others stay'
    version = state.server.mirror()['metadata']['resourceVersion']
    hold(lambda: state.server.mirror()['metadata']['resourceVersion'] == version, 3, 'quiet')


def test_changed_pod_replaces_the_mirror(state):
    before = state.server.mirror()['metadata']['uid']
    state.driver.pod(static_pod('h2', 'web:2'), STATUS)
    mirror = wait_for(lambda: (m := state.server.mirror())['metadata']['uid'] != before and m, 10, 'another mirror')
    assert mirror['metadata']['annotations']['kubernetes.io/config.mirror'] == 'h2'
    assert mirror['spec']['containers'][0]['image'] == 'web:2'


def test_refusal_is_told_and_ends(state):
    bad = static_pod('h3')
    bad['spec']['priority'] = 7
    state.driver.pod(bad, STATUS)
    wait_for(lambda: state.driver.heard(f'refused {KEY}: POST /api/v1/namespaces/kube-system/pods: HTTP 403'), 10, 'the refusal')
    assert 'priority' in state.driver.status()['mirror']['refusal']
    state.driver.pod(static_pod('h2', 'web:2'), STATUS)
    wait_for(lambda: state.driver.heard(f'refused {KEY}: ') and state.driver.status()['mirror']['refusal'] == '', 10, 'the end of the refusal')
    wait_for(state.server.has_mirror, 5, 'the mirror')


def test_uncordon_and_node_status_are_put_right(state):
    state.server.kubectl('uncordon', NODE)
    wait_for(lambda: state.server.get('node', NODE)['spec'].get('unschedulable'), 15, 'the node unschedulable again')
    state.driver.say('notready runtime-is-down')
    wait_for(lambda: [c['message'] for c in state.server.get('node', NODE)['status']['conditions'] if c['type'] == 'Ready' and c['status'] == 'False']
             == ['runtime-is-down'], 10, 'the node not ready')
    state.driver.say('ready')
    wait_for(lambda: ready_of(state.server.get('node', NODE)), 10, 'the node ready')


def test_deleted_node_is_made_again(state):
    before = state.server.get('node', NODE)['metadata']['uid']
    state.server.kubectl('delete', 'node', NODE)
    node = wait_for(lambda: (n := state.server.get('node', NODE))['metadata']['uid'] != before and n, 10, 'another node')
    wait_for(lambda: state.server.mirror()['metadata']['ownerReferences'][0]['uid'] == node['metadata']['uid'], 10, 'a mirror of that node')


def test_server_away_and_back(state):
    state.server.kill('kube-apiserver')
    wait_for(lambda: state.driver.status()['up'] is False, 10, 'the link down')
    state.driver.pod(static_pod('h4', 'web:4'), STATUS)
    time.sleep(1)
    state.server.start_api()
    mirror = wait_for(lambda: (m := state.server.mirror())['metadata']['annotations']['kubernetes.io/config.mirror'] == 'h4' and m, 40, 'the new mirror')
    assert mirror['spec']['containers'][0]['image'] == 'web:4'


def test_gone_pod_and_orphans_go(state):
    state.driver.say(f'gone {KEY}')
    wait_for(lambda: not state.server.has_mirror(), 10, 'no mirror')
    orphan = static_pod('h5')
    del orphan['metadata']['uid']
    node = state.server.get('node', NODE)
    orphan['metadata']['annotations']['kubernetes.io/config.mirror'] = 'h5'
    orphan['metadata']['ownerReferences'] = [{'apiVersion': 'v1', 'kind': 'Node', 'name': NODE, 'uid': node['metadata']['uid'], 'controller': True}]
    state.server.kubectl('create', '-f', '-', input=json.dumps(orphan))
    wait_for(lambda: not state.server.has_mirror(), 10, 'no orphan')


def test_ends_clean(state):
    state.driver.process.stdin.close()
    assert state.driver.process.wait(10) == 0
