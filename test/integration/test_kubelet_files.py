# SPDX-License-Identifier: Apache-2.0
"""podwatch configured by the files that `genphase kubelet-start` writes, on a host whose name is not the node's, with a real API server that
lets a kubelet touch its own node alone."""
import json

from cluster import Cluster, Podwatch, kubernetes_version, pod
from harness import Host, hold, wait_for
from test_api_side import NODE, Server

ORDERED = True
SETUP_TIMEOUT = 240
HOST_NAME = 'web7'
KUBEADM_YAML = '''\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {address}}}
nodeRegistration:
  name: {node}
  kubeletExtraArgs: [{{name: node-labels, value: "disk=fast"}}]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v{version}
networking: {{serviceSubnet: 10.32.0.0/16, dnsDomain: k8s.example}}
'''
PODWATCH_YAML = '''\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
maxPods: 42
'''


class State:
    def node(self):
        return self.server.get('node', NODE)

    def pressure(self):
        return {c['type']: c['status'] == 'True' for c in self.node()['status']['conditions'] if c['type'].endswith('Pressure')}

    def ask(self, name):
        return json.loads(self.podwatch.api(name)[1])


    def restart(self, more, *args, without_node=False):
        """podwatch again, with more in podwatch.yaml and on its command line, and where wanted with the Node gone."""
        self.podwatch.stop()
        if without_node:
            self.server.kubectl('delete', 'node', NODE)
        self.host.write('/etc/kubernetes/podwatch.yaml', PODWATCH_YAML + more)
        self.podwatch.args = list(args)
        self.podwatch.start()


def setup():
    state = State()
    state.host = host = Host('files', hostname=HOST_NAME, private=['/etc/default'])
    host.docker.make_busybox()
    state.cluster = Cluster(host, node=NODE, config=KUBEADM_YAML.format(address=host.node_address, node=NODE, version=kubernetes_version()))
    state.cluster.render('kubelet-start')
    host.write('/etc/kubernetes/podwatch.yaml', PODWATCH_YAML)
    host.write('/etc/default/kubelet', 'KUBELET_EXTRA_ARGS="--v=4 --flag-of-tomorrow=1"\n')
    host.write('/etc/kubernetes/manifests/web.yaml', pod('web', terminationGracePeriodSeconds=0))
    state.server = Server(host)
    wait_for(state.server.ready, 120, 'the API server')
    state.server.kubeconfig()
    state.podwatch = Podwatch(host, config=None, kubeconfig='/etc/kubernetes/kubelet.conf').start()
    return state


def test_the_node_has_the_name_of_the_cluster_not_of_the_host(state):
    node = wait_for(state.node, 30, f'the node {NODE}')
    assert node['metadata']['labels']['disk'] == 'fast', node['metadata']['labels']
    assert {'type': 'Hostname', 'address': NODE} in node['status']['addresses'], node['status']['addresses']
    pods = state.podwatch.wait_ready(f'default/web-{NODE}')
    assert list(pods) == [f'default/web-{NODE}'], list(pods)
    mirror = wait_for(lambda: state.server.get('pod', f'web-{NODE}'), 30, 'the mirror')
    assert mirror['spec']['nodeName'] == NODE
    assert [n['metadata']['name'] for n in state.server.get('nodes')['items']] == [NODE]


def test_pods_ask_the_dns_of_the_cluster(state):
    container = state.host.docker.containers(all=False, label='io.kubernetes.container.name=main')[0]
    resolv = state.host.output('docker', 'exec', container['Id'], 'cat', '/etc/resolv.conf')
    assert 'nameserver 10.32.0.10' in resolv and 'search default.svc.k8s.example svc.k8s.example k8s.example' in resolv, resolv


def test_files_add_up_and_the_later_wins(state):
    configz = state.ask('/configz')['kubeletconfig']
    assert (configz['staticPodPath'], configz['maxPods'], configz['logging']['verbosity']) == ('/etc/kubernetes/manifests', 42, 4), configz
    assert state.node()['status']['capacity']['pods'] == '42'


def test_an_unknown_flag_is_told_once_and_stops_nothing(state):
    lines = [line for line in state.podwatch.log_text().splitlines() if 'flag-of-tomorrow' in line]
    assert len(lines) == 1 and 'unknown flag' in lines[0], lines
    # kubeadm writes systemd; the test's Docker has cgroupfs.
    lines = [line for line in state.podwatch.log_text().splitlines() if 'cgroupDriver' in line]
    assert len(lines) == 1 and "cgroupDriver is systemd, Docker's is cgroupfs" in lines[0], lines
    read = '/var/lib/kubelet/config.yaml, /etc/kubernetes/podwatch.yaml, /var/lib/kubelet/kubeadm-flags.env, /etc/default/kubelet'
    assert f'configured by {read}' in state.podwatch.log_text(), state.podwatch.last_words()


def test_the_command_line_wins(state):
    state.restart('', '--max-pods', '7')
    wait_for(lambda: state.node()['status']['capacity']['pods'] == '7', 60, 'the Node to show what the command line says')
    assert state.ask('/configz')['kubeletconfig']['maxPods'] == 7


def test_every_line_is_json_where_that_is_wanted(state):
    """The first ones too, which tell what was found in the configuration."""
    state.podwatch.stop()
    old = len(state.podwatch.log_text())
    state.restart('logging: {format: json}\n')
    said = [json.loads(line)['msg'] for line in state.podwatch.log_text()[old:].splitlines()]
    assert said[0].startswith('configured by ') and any('flag-of-tomorrow' in line for line in said), said


def test_thresholds_of_eviction_count_as_they_are_written(state):
    """A quantity of the disk and a percentage of the memory, and images' own; each more than there is, then less."""
    for much in (True, False):
        disk, memory = ('1Pi', '99.9%') if much else ('1Ki', '0.01%')
        for signal in ('nodefs.available', 'imagefs.available'):
            other = 'imagefs.available' if signal.startswith('nodefs') else 'nodefs.available'
            state.restart(f'evictionHard: {{{signal}: {disk}, {other}: 1Ki, memory.available: {memory}}}\n')
            wanted = {'DiskPressure': much, 'MemoryPressure': much, 'PIDPressure': False}
            wait_for(lambda: state.pressure() == wanted, 60, f'{wanted} with {signal} {disk}')
    status = state.node()['status']
    left, all = (int(status[k]['ephemeral-storage'].removesuffix('Ki')) for k in ('allocatable', 'capacity'))
    assert left == all - 1, status
    state.restart('evictionHard: {nodefs.available: 1Pi, pid.available: 100%}\n')
    wait_for(lambda: state.node()['status']['allocatable']['ephemeral-storage'] == '0', 60, 'nothing left of the disk')
    state.restart('evictionHard: {pid.available: "1000000000"}\n')
    wait_for(lambda: state.pressure()['PIDPressure'], 60, 'PIDPressure')


def test_the_node_is_registered_with_taints_and_provider(state):
    state.restart('registerWithTaints: [{key: a.b/c, value: d, effect: NoSchedule}, {key: e, effect: NoExecute}]\nproviderID: x://y\n', without_node=True)
    spec = wait_for(lambda: state.node()['spec'], 60, 'the node')
    assert spec['providerID'] == 'x://y' and spec['unschedulable'] is True, spec
    taints = [(t['key'], t.get('value'), t['effect']) for t in spec['taints']]
    assert taints[:2] == [('a.b/c', 'd', 'NoSchedule'), ('e', None, 'NoExecute')], taints
    assert 'node.kubernetes.io/unschedulable' in [t[0] for t in taints], taints


def test_a_node_that_others_make_is_waited_for(state):
    state.restart('registerNode: false\n', without_node=True)
    wait_for(lambda: state.podwatch.status()['api'].get('node', {}).get('reason') == 'waits for the Node: registerNode is false', 30, 'the word that it waits')
    hold(lambda: state.server.get('nodes')['items'] == [], 2, 'no node')
    state.server.kubectl('create', '-f', '-', input=json.dumps({'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': NODE}}))
    wait_for(lambda: state.node()['status'].get('nodeInfo', {}).get('containerRuntimeVersion', '').startswith('docker://'), 30, 'the status of the Node')
    assert state.podwatch.status()['api']['node']['reason'] == ''
