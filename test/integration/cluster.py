# SPDX-License-Identifier: Apache-2.0
"""The programs under test and their peers, run on a test host.

GENPHASE and PODWATCH name the programs (meson sets them; else those of build/ are taken), GENPHASE_PEERS the directory with
etcd, kube-apiserver and the rest (else test/peer/build is asked, which builds what is missing).
"""
import functools
import json
import os
import signal
import subprocess
import time

from docker_api import unix_request
from waiting import wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEER_BUILD = f'{ROOT}/test/peer/build'
SOCKET = '/run/podwatch/podwatch.sock'
CONFIG = '/etc/kubernetes/kubeadm.yaml'
PODWATCH_CONFIG = '/etc/kubernetes/podwatch.yaml'
MANIFESTS = '/etc/kubernetes/manifests'

KUBEADM_YAML = '''\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: {address}
  bindPort: 6443
nodeRegistration:
  name: {node}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v{version}
networking:
  podSubnet: 10.244.0.0/16
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack:
  maxPerCore: 0
'''

PODWATCH_YAML = '''\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: /etc/kubernetes/manifests
readOnlyPort: 10255
'''


def program(name):
    """The path of genphase or podwatch."""
    path = os.environ.get(name.upper()) or f'{ROOT}/build/cmd/{name}/{name}'
    if not os.access(path, os.X_OK):
        raise AssertionError(f'{path} is not there; build it or set {name.upper()}')
    return path


def sanitized():
    """Whether the programs under test are built with sanitizers, so that their memory and times say nothing."""
    return os.environ.get('PWT_SANITIZE', 'none') != 'none'


QUIET_START = 0.003  # seconds: the slowest of some starts of a program where nothing else runs
SANITIZED_SLOWER = 5


def slower():
    """How many times longer than on a quiet machine a thing may take now: at least 1, by the slowest of some starts of a program.

    An upper limit of a time is multiplied by it; a test that proves something by such a limit says what would take longer by far.
    """
    slowest = 0
    for _ in range(9):
        begin = time.monotonic()
        subprocess.run(['true'], check=True)
        slowest = max(slowest, time.monotonic() - begin)
    return max(1, slowest / QUIET_START) * (SANITIZED_SLOWER if sanitized() else 1)


@functools.cache
def peers(version=None):
    """The directory of the Kubernetes and etcd binaries; builds them where they are missing."""
    given = os.environ.get('GENPHASE_PEERS')
    if given and version is None:
        return given
    command = [PEER_BUILD] + (['--version', version] if version else [])
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=3600)
    if result.returncode != 0:
        raise AssertionError(f'{" ".join(command)}: exit {result.returncode}')
    return result.stdout.strip()


def kubernetes_version():
    """The version that the peers are, without the v."""
    out = subprocess.run([f'{peers()}/kube-apiserver', '--version'], capture_output=True, text=True, check=True).stdout
    return out.split()[1].lstrip('v')


def pod(name, command=('sleep', '100000'), *, image='localhost/busybox:1', namespace=None, metadata=None, container=None, **spec):
    """A manifest with one container, as text. JSON, which is YAML as well."""
    meta = {'name': name, **({'namespace': namespace} if namespace else {}), **(metadata or {})}
    first = {'name': 'main', 'image': image, 'command': list(command), **(container or {})}
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': meta, 'spec': {'containers': [first], **spec}}, indent=2) + '\n'


class Podwatch:
    """podwatch on a host: `podwatch run` with its log in podwatch.log of the host's logs, over all its lives. config None: the files that
    it finds by itself."""

    def __init__(self, host, *, config=PODWATCH_CONFIG, kubeconfig=None, args=(), env=None):
        self.host = host
        self.config = config
        self.kubeconfig = kubeconfig
        self.args = list(args)
        self.env = env
        self.process = None
        self.log = f'{host.logs}/podwatch.log'

    def start(self, wait=True, timeout=10):
        if self.alive():
            raise RuntimeError('podwatch is running already')
        if self.config == PODWATCH_CONFIG and not os.path.exists(self.host.path(PODWATCH_CONFIG)):
            self.host.write(PODWATCH_CONFIG, PODWATCH_YAML)
        command = [program('podwatch'), 'run'] + (['--config', self.config] if self.config else [])
        if self.kubeconfig:
            command += ['--kubeconfig', self.kubeconfig]
        with open(self.log, 'a') as log:
            self.process = self.host.popen(command + self.args, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        if wait:
            self.wait(timeout)
        return self

    def wait(self, timeout=10):
        """Wait until the unix socket answers."""
        def up():
            if not self.alive():
                return True
            return self.api('/healthz', check=False)[0] > 0
        wait_for(up, timeout, 'podwatch to answer on its socket', 0.01)
        if not self.alive():
            raise AssertionError(f'podwatch ended with {self.process.returncode}; it said last: {self.last_words()}')

    def alive(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def kill9(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self, timeout=30):
        """SIGTERM; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def api(self, target, check=True, method='GET', body=None):
        """Ask the unix socket: (status, body as text)."""
        status, _, data = unix_request(self.host.path(SOCKET), method, target, body, timeout=10)
        if check and status != 200:
            raise AssertionError(f'{target}: {status}: {data[:1000]!r}')
        return status, data.decode(errors='replace')

    def pods(self):
        """The PodList: NAMESPACE/NAME to pod object."""
        return {f"{p['metadata']['namespace']}/{p['metadata']['name']}": p for p in json.loads(self.api('/pods')[1])['items']}

    def command(self, *args, check=True, timeout=30):
        """Run a podwatch verb on the host; gives the completed process."""
        return self.host.run([program('podwatch'), *args], check=check, timeout=timeout)

    def status(self):
        """`podwatch status -o json`, decoded."""
        return json.loads(self.command('status', '-o', 'json').stdout)

    def log_text(self):
        with open(self.log, errors='replace') as f:
            return f.read()

    def last_words(self):
        return ''.join(self.log_text().splitlines(keepends=True)[-20:])

    def wait_ready(self, *names, timeout=60):
        """Wait until the named pods (NAMESPACE/NAME) are there and Ready; gives the PodList as pods() does."""
        def ready():
            pods = self.pods()
            waiting = {n: conditions(pods[n]) if n in pods else 'absent' for n in names if n not in pods or not is_ready(pods[n])}
            if waiting:
                raise AssertionError(f'not ready: {waiting}')
            return pods
        return wait_for(ready, timeout, f'{", ".join(names)} to be Ready')


def conditions(pod_object):
    status = pod_object.get('status', {})
    return {'phase': status.get('phase'), **{c['type']: c['status'] for c in status.get('conditions', [])}}


def is_ready(pod_object):
    return conditions(pod_object).get('Ready') == 'True'


class Cluster:
    """genphase, kubectl and etcdctl on a host, with one kubeadm configuration for all."""

    def __init__(self, host, *, node='node1', config=None):
        self.host = host
        self.node = node
        self.version = kubernetes_version()
        self.write_config(config or KUBEADM_YAML.format(address=host.node_address, node=node, version=self.version))

    def write_config(self, text):
        self.host.write(CONFIG, text, 0o600)

    def genphase(self, *args, check=True, timeout=120):
        """Run `genphase ARGS --config CONFIG` on the host."""
        return self.host.run([program('genphase'), *args, '--config', CONFIG], check=check, timeout=timeout)

    def build_images(self):
        """Load the images that the manifests name, made from the peer binaries."""
        self.genphase('images', 'build', '--from', peers(), timeout=600)

    def render(self, *phases):
        """Run phases, each given as its words: render('certs all', 'etcd local')."""
        for phase in phases:
            self.genphase(*phase.split())

    def kubectl(self, *args, check=True, timeout=60, kubeconfig='/etc/kubernetes/admin.conf', input=None):
        return self.host.run([f'{peers()}/kubectl', '--kubeconfig', kubeconfig, *args], check=check, timeout=timeout, input=input)

    def get(self, *args, **kwargs):
        """`kubectl get ARGS -o json`, decoded."""
        return json.loads(self.kubectl('get', *args, '-o', 'json', **kwargs).stdout)

    def mirror(self, component, namespace='kube-system'):
        """The mirror pod of a control-plane component, or None."""
        result = self.kubectl('get', 'pod', '-n', namespace, f'{component}-{self.node}', '-o', 'json', '--ignore-not-found')
        return json.loads(result.stdout) if result.stdout.strip() else None

    def wait_api(self, timeout=60):
        """Wait until the API server says it is ready. As super-admin, who needs no role binding."""
        wait_for(lambda: self.kubectl('get', '--raw', '/readyz', kubeconfig='/etc/kubernetes/super-admin.conf').stdout == 'ok',
                 timeout, 'the API server to be ready', 0.2)

    def bind_admins(self):
        """What makes admin.conf useful, as kubeadm does it."""
        self.kubectl('create', 'clusterrolebinding', 'kubeadm:cluster-admins', '--clusterrole=cluster-admin',
                     '--group=kubeadm:cluster-admins', kubeconfig='/etc/kubernetes/super-admin.conf')

    def wait_mirrors(self, *components, timeout=60):
        """Wait until the mirror of each component is Ready; gives them by component."""
        def ready():
            mirrors = {c: self.mirror(c) for c in components}
            waiting = {c: conditions(m) if m else 'absent' for c, m in mirrors.items() if not m or not is_ready(m)}
            if waiting:
                raise AssertionError(f'mirrors not ready: {waiting}')
            return mirrors
        return wait_for(ready, timeout, f'the mirrors of {", ".join(components)} to be Ready', 0.2)

    def etcdctl(self, *args, check=True):
        pki = '/etc/kubernetes/pki'
        return self.host.run([f'{peers()}/etcdctl', '--endpoints=https://127.0.0.1:2379', f'--cacert={pki}/etcd/ca.crt',
                              f'--cert={pki}/apiserver-etcd-client.crt', f'--key={pki}/apiserver-etcd-client.key', *args], check=check)
