# SPDX-License-Identifier: Apache-2.0
"""quickstart, as a person runs it: from nothing to a control plane, again, and back to nothing. Docker is started by it too."""
import hashlib
import json
import os

from harness import Cluster, Host, peers, program, wait_for

ORDERED = True
TIMEOUT = 400
COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler']
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Node:
    def __init__(self):
        self.build = os.path.dirname(os.path.dirname(os.path.dirname(program('genphase'))))
        self.host = Host('quickstart', docker=False)
        self.before = None

    def quickstart(self, *args, check=True):
        return self.host.run([f'{ROOT}/quickstart', *args, '--build', self.build], check=check, timeout=380)

    def up(self, *args, **kwargs):
        return self.quickstart('--images', peers(), *args, **kwargs)

    def state(self):
        """What must not change: files with their times, containers with their start, the processes of ours."""
        files = {}
        for directory, _, names in os.walk(self.host.path('/etc/kubernetes')):
            for name in names:
                path = os.path.join(directory, name)
                with open(path, 'rb') as f:
                    files[path] = (hashlib.sha256(f.read()).hexdigest(), os.stat(path).st_mtime_ns, os.stat(path).st_mode)
        containers = {c['Id']: self.host.docker.inspect(c['Id'])['State'] for c in self.host.docker.containers()}
        started = {i: (s['Pid'], s['StartedAt'], s['Running']) for i, s in containers.items()}
        return files, started, self.process('podwatch'), self.process('dockerd')

    def process(self, name):
        return self.host.read(f'/var/lib/podwatch/quickstart/{name}.pid')


def setup():
    return Node()


def test_up(node):
    out = node.up().stdout
    for command in ('genphase certs all', 'genphase kubeconfig all', 'genphase etcd local', 'genphase control-plane all',
                    'genphase proxy', 'genphase upload-config all', 'genphase images build', 'podwatch run', 'podwatch status', 'dockerd --live-restore'):
        assert any(line.startswith('+ ') and command in line for line in out.splitlines()), f'{command}: {out}'
    assert '\nDone:\n' in out and 'Nothing changed' not in out, out
    for component in COMPONENTS:
        assert f'{component}-node1' in out, out


def test_administrator_sees_the_node_and_its_pods(node):
    items = json.loads(kubectl(node, 'get', 'nodes,pods', '-A', '-o', 'json'))['items']
    assert [i['metadata']['name'] for i in items if i['kind'] == 'Node'] == ['node1']
    pods = {i['metadata']['name']: i for i in items if i['kind'] == 'Pod'}
    assert sorted(pods) == [f'{c}-node1' for c in COMPONENTS]
    for pod in pods.values():
        conditions = {c['type']: c['status'] for c in pod['status']['conditions']}
        assert pod['status']['phase'] == 'Running' and conditions['Ready'] == 'True', pod['status']
        assert pod['status']['hostIP'] == node.host.node_address


def kubectl(node, *args):
    return node.host.output(f'{peers()}/kubectl', '--kubeconfig', '/etc/kubernetes/admin.conf', *args)


def test_api_server_reaches_the_port_of_the_node(node):
    """With kubeadm's client certificate, which the node checks against the cluster's CA, and the API server's own word on what it may do."""
    config = json.loads(kubectl(node, 'get', '--raw', '/api/v1/nodes/node1/proxy/configz'))['kubeletconfig']
    assert config['staticPodPath'] == '/etc/kubernetes/manifests' and config['authorization']['mode'] == 'Webhook', config
    assert kubectl(node, 'get', '--raw', '/api/v1/nodes/node1/proxy/healthz') == 'ok'
    assert len(kubectl(node, 'logs', '-n', 'kube-system', 'etcd-node1', '--tail=3').splitlines()) == 3


def test_again_changes_nothing(node):
    before = node.state()
    out = node.up().stdout
    assert 'Nothing changed' in out and '\nDone:\n' not in out, out
    assert node.state() == before


def test_another_address_is_refused(node):
    before = node.state()
    result = node.up('--node-address', '10.88.0.99', check=False)
    assert result.returncode == 1 and '10.88.0.2' in result.stderr, result.stderr
    assert node.state() == before


def test_podwatch_that_was_killed_is_started_and_touches_nothing(node):
    files, started, podwatch, dockerd = node.state()
    node.host.run(['kill', '-9', podwatch.split()[0]])
    out = node.up().stdout
    assert '  started podwatch\n' in out, out
    after = node.state()
    assert after[:2] == (files, started) and after[2] != podwatch and after[3] == dockerd


def test_down_removes_everything(node):
    node.quickstart('down')
    host = node.host
    for directory in ('/etc/kubernetes', '/var/lib/etcd', '/var/lib/kubelet', '/var/lib/podwatch', '/var/log/pods'):
        assert os.listdir(host.path(directory)) == [], directory
    wait_for(lambda: host.cgroups.pids() == {host.anchor.pid}, 10, 'every process to be gone')
    rules = host.output('sh', '-c', 'iptables-save; ip6tables-save; nft list ruleset')
    assert 'KUBE-' not in rules, rules
    assert '/var/lib/kubelet/' not in host.read('/proc/self/mountinfo').replace(host.directory, '')
    host.docker_start()
    assert host.docker.containers() == []
    assert [i for i in host.docker.request('GET', '/images/json') if any('/kube-' in t for t in i['RepoTags'] or [])] == []
    host.docker_stop()


def test_down_again_has_nothing_to_do(node):
    assert node.quickstart('down').stdout == 'Nothing to remove.\n'


def test_down_leaves_what_it_did_not_make(node):
    node.host.write('/etc/kubernetes/manifests/own.yaml', 'mine\n')
    result = node.quickstart('down', check=False)
    assert result.returncode == 1 and 'not made by quickstart' in result.stderr, result.stderr
    assert node.host.read('/etc/kubernetes/manifests/own.yaml') == 'mine\n'


def test_down_without_docker_or_build(node):
    result = node.host.run([f'{ROOT}/quickstart', 'down', '--build', '/nonexistent'], check=False)
    assert result.returncode == 1 and 'not made by quickstart' in result.stderr, result.stderr


def test_up_after_down_with_docker_running(node):
    """A daemon that answers is used as it is, and down leaves it alone."""
    os.unlink(node.host.path('/etc/kubernetes/manifests/own.yaml'))
    os.rmdir(node.host.path('/etc/kubernetes/manifests'))
    node.host.docker_start()
    out = node.up().stdout
    assert 'dockerd' not in ''.join(line for line in out.splitlines() if line.startswith('+ ')), out
    Cluster(node.host).wait_mirrors(*COMPONENTS, timeout=5)
    node.quickstart('down')
    assert node.host.docker.answers() and node.host.docker.containers() == []
