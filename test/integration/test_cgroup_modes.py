# SPDX-License-Identifier: Apache-2.0
"""Pod-level cgroups by QoS class under cgroup version 2 and under Docker's systemd driver, on a machine that has them.

test_security.py has cgroup version 1 with the cgroupfs driver; what a pod is mapped to in each case is unit-tested
(node/container_spec). A machine has one cgroup version, and the systemd driver needs systemd as its first process.
"""
import os

from cgroups import only_version_2
from harness import Host, Podwatch, Skip, pod, wait_for

LIMITS = {'resources': {'limits': {'cpu': '250m', 'memory': '64Mi'}}}
REQUESTS = {'resources': {'requests': {'cpu': '100m', 'memory': '32Mi'}}}
PODS = {'guaranteed': LIMITS, 'burstable': REQUESTS, 'besteffort': {}}


def need_version_2():
    if not only_version_2():
        raise Skip('this machine has cgroup version 1')


def need_systemd():
    if not os.path.isdir('/run/systemd/system'):
        raise Skip('systemd is not the first process here, and the systemd driver of Docker needs it')


class Node:
    """A host whose dockerd has the driver, with a pod of each class."""

    def __init__(self, driver):
        self.host = Host('cgroups', dockerd_args=['--exec-opt', f'native.cgroupdriver={driver}'])
        self.host.docker.make_busybox()
        self.podwatch = Podwatch(self.host).start()
        for name, container in PODS.items():
            self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', pod(name, container=container, terminationGracePeriodSeconds=0))
        self.podwatch.wait_ready(*[f'default/{name}-node1' for name in PODS])
        info = self.host.docker.request('GET', '/info')
        assert info['CgroupDriver'] == driver, info['CgroupDriver']
        self.version = info['CgroupVersion']

    def uid(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['metadata']['uid']

    def groups(self, name):
        """Paths of the app container's cgroups, one a hierarchy."""
        found = self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')
        app = next(c for c in found if c['Labels']['io.kubernetes.container.name'] == 'main')
        with open(f"/proc/{self.host.docker.inspect(app['Id'])['State']['Pid']}/cgroup") as f:
            return [line.rstrip('\n').split(':', 2)[2] for line in f]

    def all_gone(self, name, directory):
        os.unlink(self.host.path(f'/etc/kubernetes/manifests/{name}.yaml'))
        wait_for(lambda: not os.path.exists(self.host.path(directory)), 30, f'{directory} to be gone')


def test_version_2_with_the_cgroupfs_driver():
    need_version_2()
    node = Node('cgroupfs')
    assert node.version == '2'
    for name, middle in (('guaranteed', ''), ('burstable', '/burstable'), ('besteffort', '/besteffort')):
        path = f'/kubepods{middle}/pod{node.uid(name)}'
        assert any(path in group for group in node.groups(name)), (path, node.groups(name))
    values = {file: node.host.read(f"/sys/fs/cgroup/kubepods/pod{node.uid('guaranteed')}/{file}").strip()
              for file in ('cpu.max', 'cpu.weight', 'memory.max')}
    # 256 shares are a weight of 10 (1 + (256 - 2) * 9999 / 262142).
    assert values == {'cpu.max': '25000 100000', 'cpu.weight': '10', 'memory.max': str(64 << 20)}, values
    node.all_gone('guaranteed', f"/sys/fs/cgroup/kubepods/pod{node.uid('guaranteed')}")


def test_the_systemd_driver():
    need_systemd()
    node = Node('systemd')
    for name, prefix in (('guaranteed', 'kubepods'), ('burstable', 'kubepods-burstable'), ('besteffort', 'kubepods-besteffort')):
        slice_name = f"{prefix}-pod{node.uid(name).replace('-', '_')}.slice"
        assert any(slice_name in group for group in node.groups(name)), (slice_name, node.groups(name))
