# SPDX-License-Identifier: Apache-2.0
"""kubelet-start beside a real kubeadm: the same files, byte for byte, and the same words."""
import os
import shutil
import tempfile

from kubeadm_beside import Beside, last_line

INIT = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
"""
CLUSTER = """\
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
"""
FULL = INIT + """\
nodeRegistration:
  criSocket: 'unix:///run/containerd/containerd.sock'
  name: node1
  kubeletExtraArgs:
  - {name: v, value: "2"}
  - {name: node-ip, value: "192.0.2.10"}
  - {name: node-labels, value: "a=b,c=\\"d\\""}
""" + CLUSTER + """\
networking: {serviceSubnet: "10.32.0.0/16,fd00::/108", dnsDomain: k8s.example}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
syncFrequency: 90s
evictionHard: {memory.available: "5%", nodefs.available: "10%"}
authentication: {anonymous: {enabled: true}, webhook: {cacheTTL: 120s}}
authorization: {mode: AlwaysAllow}
healthzPort: 10999
maxPods: 50
logging: {flushFrequency: 5s, verbosity: 3, format: json, vmodule: [{filePattern: "a*", verbosity: 2}]}
featureGates: {B: true, A: false}
reservedMemory: [{numaNode: 0, limits: {memory: 1024Mi}}]
registerWithTaints: [{key: a, effect: NoSchedule}]
memoryThrottlingFactor: 0.9
memorySwap: {swapBehavior: LimitedSwap}
shutdownGracePeriod: 30s
resolvConf: ""
staticPodURLHeader: {x: [a, b]}
clusterDNS: []
unknown: 1
"""
PATCHES = {
    'kubeletconfiguration.yaml': 'maxPods: 77\nevictionHard:\n  nodefs.available: null\nsyncFrequency: 120s\nnot: known\n',
    'kubeletconfiguration0+json.json': '[{"op": "add", "path": "/cpuCFSQuota", "value": false}]',
    'kubeletconfiguration1+merge.yaml': 'registerWithTaints: [{key: b, effect: NoExecute}]\n',
}


def compare(config, patches=None):
    with tempfile.TemporaryDirectory(prefix='kubelet-start-') as directory:
        beside = Beside(directory, config)
        args = ['init', 'phase', 'kubelet-start', '--config', 'kubeadm.yaml']
        if patches:
            # The directory of the configuration is below --rootfs for genphase, and this machine's for kubeadm.
            where = f'{directory}/patches'
            for root in (where, beside.path('genphase', where)):
                os.makedirs(root)
                for name, text in patches.items():
                    with open(f'{root}/{name}', 'w') as f:
                        f.write(text)
            beside.configure(config.replace('nodeRegistration:', f'patches: {{directory: {where}}}\nnodeRegistration:', 1))
        theirs, ours = beside.both(*args)
        assert (ours.code, ours.out) == (theirs.code, theirs.out), f'{theirs.out}{theirs.err}\n{ours.out}{ours.err}'
        if theirs.code:
            assert last_line(ours.err) == last_line(theirs.err), f'{theirs.err}\n{ours.err}'
        shutil.rmtree(beside.path('genphase', os.path.dirname(directory)), ignore_errors=True)
        assert beside.files('genphase') == beside.files('kubeadm')
        for path, mode in beside.files('kubeadm').items():
            if mode.startswith('0o100'):
                assert beside.read('kubeadm', path) == beside.read('genphase', path), path
        return beside.files('kubeadm')


def test_defaults():
    files = compare(INIT + CLUSTER)
    assert '/var/lib/kubelet/instance-config.yaml' in files and '/var/lib/kubelet/config.yaml' in files


def test_everything():
    compare(FULL)


def test_patches():
    compare(FULL, PATCHES)


def test_gate():
    """With the gate off the socket is a flag."""
    compare(INIT + CLUSTER + 'featureGates: {NodeLocalCRISocket: false}\n')


def test_finalize():
    """kubelet.conf of a kubeadm points to the kubelet's own certificate afterwards."""
    with tempfile.TemporaryDirectory(prefix='kubelet-finalize-') as directory:
        beside = Beside(directory, FULL)
        for args in (['certs', 'ca'], ['kubeconfig', 'kubelet']):
            made = beside.kubeadm('init', 'phase', *args, '--config', 'kubeadm.yaml')
            assert made.code == 0, made.err
        beside.share('kubeadm', 'genphase')
        for present in (False, True):
            for root in beside.roots.values():
                if present:
                    os.makedirs(f'{root}/var/lib/kubelet/pki')
                    with open(f'{root}/var/lib/kubelet/pki/kubelet-client-current.pem', 'w'):
                        pass
            for args in (['--dry-run'], []):
                theirs, ours = beside.both('init', 'phase', 'kubelet-finalize', 'all', '--config', 'kubeadm.yaml', *args)
                assert (ours.code, ours.out) == (theirs.code, theirs.out), f'{theirs.out}{theirs.err}\n{ours.out}{ours.err}'
                path = '/etc/kubernetes/kubelet.conf'
                assert beside.read('kubeadm', path) == beside.read('genphase', path)
        assert 'kubelet-client-current.pem' in beside.read('genphase', path)
