#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""certs renew and check-expiration without --config, and reset: where the cluster does not answer kubeadm's words, then its defaults; where it
does, what the host and the rules for a configuration file would say of its configuration does not count. The recordings of
test/data/rows/cluster-* have the rest of a cluster that answers.

    test_cluster_config.py GENPHASE
"""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
import dialogue  # noqa: E402
import scripted_api  # noqa: E402
from tap import Tap, arguments  # noqa: E402

(GENPHASE,) = (os.path.abspath(path) for path in arguments(__doc__, 'GENPHASE'))
SECONDS = 20
CONFIG = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {criSocket: unix:///run/containerd/containerd.sock, name: node1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: 127.0.0.1:1
encryptionAlgorithm: ECDSA-P256
'''
FACTS = '''apiVersion: genphase/v1
kind: HostFacts
nodeName: node1
defaultAddress: 203.0.113.7
defaultAddressIPv6: null
loopbackAddress: null
caDirectories: []
criSockets: []
openCRISockets: []
proxyVariables: []
activeServices: []
'''
# podSubnet is none: no kubeadm validates what it has fetched.
CLUSTER = '''apiVersion: kubeadm.k8s.io/v1beta3
kind: ClusterConfiguration
kubernetesVersion: v1.27.16
featureGates: {PublicKeysECDSA: true}
networking: {podSubnet: none}
'''
TWO_SOCKETS = 'openCRISockets: [/var/run/containerd/containerd.sock, /var/run/crio/crio.sock]'


def reading(command):
    return (f'[{command}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n'
            f"[{command}] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n")


def said(command):
    return f'{reading(command)}[{command}] Error reading configuration from the Cluster. Falling back to default configuration\n\n'


def run(directory, *args, version='v1.36.3'):
    return subprocess.run([GENPHASE, *args, '--rootfs', f'{directory}/root', '--kubeadm-version', version, '--host-facts', 'facts.yaml'],
                          cwd=directory, capture_output=True, text=True, timeout=60)


def node(directory, kubeconfig=True):
    """A node whose admin.conf leads to a port where nobody listens."""
    for name, text in (('kubeadm.yaml', CONFIG), ('facts.yaml', FACTS)):
        with open(f'{directory}/{name}', 'w') as f:
            f.write(text)
    for args in (('certs', 'ca'), ('certs', 'apiserver'), ('kubeconfig', 'admin'))[:3 if kubeconfig else 2]:
        result = run(directory, *args, '--config', 'kubeadm.yaml')
        assert result.returncode == 0, result.stderr


def key_of(directory):
    with open(f'{directory}/root/etc/kubernetes/pki/apiserver.key') as f:
        return f.readline().strip()


def renew_falls_back(directory):
    node(directory)
    began = time.monotonic()
    result = run(directory, 'certs', 'renew', 'apiserver')
    problems = [] if time.monotonic() - began < SECONDS else ['it took long']
    if result.returncode or result.stdout != said('renew') + 'certificate for serving the Kubernetes API renewed\n':
        problems.append(f'{result.returncode}: {result.stdout}{result.stderr}')
    problems += [] if 'warning: failed to get config map: ' in result.stderr else [f'no reason: {result.stderr}']
    return problems + ([] if 'RSA' in key_of(directory) else [key_of(directory)])


def check_falls_back(directory):
    node(directory)
    result = run(directory, 'certs', 'check-expiration')
    return [] if result.returncode == 0 and result.stdout.startswith(said('check-expiration') + 'CERTIFICATE ') else [f'{result.stdout}{result.stderr}']


def objects_stay_alone(directory):
    node(directory)
    problems = []
    for args in (('certs', 'check-expiration', '-o', 'json'), ('certs', 'renew', 'apiserver', '-o', 'json')):
        result = run(directory, *args)
        try:
            text = result.stdout if 'renew' not in args else f'[{",".join(result.stdout.splitlines())}]'
            problems += [] if json.loads(text) and result.returncode == 0 else [f'{args}: {result.stderr}']
        except json.JSONDecodeError:
            problems.append(f'{args}: {result.stdout}{result.stderr}')
    return problems


def no_kubeconfig(directory):
    node(directory, kubeconfig=False)
    result = run(directory, 'certs', 'renew', 'apiserver')
    return [] if result.returncode == 0 and result.stdout == 'certificate for serving the Kubernetes API renewed\n' else [f'{result.stdout}{result.stderr}']


def serve(directory, path, cluster=CLUSTER):
    """An API server with that configuration, and the kubeconfig below the root that leads to it."""
    text = json.dumps({'kind': 'ConfigMap', 'apiVersion': 'v1', 'metadata': {'name': 'kubeadm-config', 'namespace': 'kube-system'},
                       'data': {'ClusterConfiguration': cluster}})
    script = {'rules': []}
    server = scripted_api.Server(scripted_api.Store(script), ('127.0.0.1', 0), dialogue.credentials())
    port = server.server_address[1]
    script['rules'].append({'port': port, 'path': '/api/v1/namespaces/kube-system/configmaps/kubeadm-config', 'status': 200, 'text': text})
    with open(f'{directory}/root{path}', 'w') as f:
        f.write(dialogue.kubeconfig('kubernetes-admin', f'https://127.0.0.1:{port}'))
    return server


def cluster_counts(directory):
    """Its keys are ECDSA, though two runtimes are open here and its podSubnet would be refused in a file."""
    node(directory, kubeconfig=False)
    with open(f'{directory}/facts.yaml', 'w') as f:
        f.write(FACTS.replace('openCRISockets: []', TWO_SOCKETS))
    server = serve(directory, '/etc/kubernetes/admin.conf')
    problems = []
    for version in ('v1.22.17', 'v1.27.16', 'v1.28.15'):
        for command, args in (('renew', ('apiserver',)), ('check-expiration', ())):
            result = run(directory, 'certs', command, *args, version=version)
            if result.returncode or 'Falling back' in result.stdout or 'warning' in result.stderr:
                problems.append(f'{version} {command}: {result.returncode}: {result.stdout}{result.stderr}')
        problems += [] if 'EC ' in key_of(directory) else [f'{version}: {key_of(directory)}']
    server.shutdown()
    server.server_close()
    return problems


def reset_falls_back(directory):
    """The server is gone, and the host has no route by which it could be reached."""
    node(directory)
    with open(f'{directory}/facts.yaml', 'w') as f:
        f.write(FACTS.replace('defaultAddress: 203.0.113.7', 'defaultAddress: null'))
    result = run(directory, 'reset', '--force')
    problems = [] if result.returncode == 0 and result.stdout.startswith(f'{reading("reset")}[preflight] ') else [f'{result.stdout}{result.stderr}']
    problems += [] if '[reset] Unable to fetch the kubeadm-config ConfigMap from cluster: failed to get config map: ' in result.stderr else [result.stderr]
    root = f'{directory}/root'
    return problems + ([] if not os.path.exists(f'{root}/etc/kubernetes/admin.conf') else ['admin.conf is still there'])


def reset_asks(directory):
    """By --kubeconfig, in the words of each era (FetchInitConfigurationFromCluster in the sources of these); mistakes in what was given come first."""
    node(directory, kubeconfig=False)
    root = f'{directory}/root'
    with open(f'{root}/etc/kubernetes/admin.conf', 'w') as f:
        f.write('nothing')
    old = ('Reading configuration from the cluster...', "FYI: You can look at this config file with 'kubectl -n kube-system get cm kubeadm-config -o yaml'")
    new = 'Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...'
    problems = []
    for version, first, second in (('v1.20.15', *old), ('v1.31.14', *old),
                                   ('v1.32.0', new, "Use 'kubeadm init phase upload-config --config your-config.yaml' to re-upload it."),
                                   ('v1.33.0', new, "Use 'kubeadm init phase upload-config --config your-config-file' to re-upload it."),
                                   ('v1.36.3', new, "Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.")):
        cluster = CLUSTER.replace('v1.27.16', version)
        server = serve(directory, '/other.conf', cluster.replace('v1beta3', 'v1beta2') if version < 'v1.22' else cluster)
        result = run(directory, 'reset', '--kubeconfig', '/other.conf', '--skip-phases', 'preflight,remove-etcd-member,cleanup-node', version=version)
        if result.returncode or not result.stdout.startswith(f'[reset] {first}\n[reset] {second}\n') or 'Unable' in result.stderr:
            problems.append(f'{version}: {result.returncode}: {result.stdout[:300]}{result.stderr}')
        server.shutdown()
        server.server_close()
    result = run(directory, 'reset', '--kubeconfig', '/other.conf', '--cert-dir', 'pki')
    return problems + ([] if result.returncode and not result.stdout else [f'--cert-dir: {result.stdout}'])


def main():
    points = [renew_falls_back, check_falls_back, objects_stay_alone, no_kubeconfig, cluster_counts, reset_falls_back, reset_asks]
    tap = Tap(len(points))
    for point in points:
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(f'{directory}/root')
            tap.point(point.__name__, point(directory))
    tap.exit()


if __name__ == '__main__':
    main()
