# SPDX-License-Identifier: Apache-2.0
"""Pod-level cgroups by QoS class under cgroup version 2 and under Docker's systemd driver.

test_security.py has cgroup version 1 with the cgroupfs driver; what a pod is mapped to in each case is unit-tested (node/cgroup,
node/slice_spec). A machine has one cgroup version. The systemd driver needs a systemd, which gets process ids of its own here.
"""
import os

from cgroups import only_version_2
from harness import Host, Podwatch, Skip, pod, wait_for

SYSTEMD = '/lib/systemd/systemd'
# It has nothing to start. What it would set of the machine it cannot; `container` has it not even try.
BOOT = """set -eu
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mkdir -p /run/systemd/system
printf '[Unit]\\nDefaultDependencies=no\\n' > /run/systemd/system/nothing.target
exec env -i container=test PATH="$PATH" %s --system --unit=nothing.target --log-target=console --show-status=no
""" % SYSTEMD
LIMITS = {'resources': {'limits': {'cpu': '250m', 'memory': '64Mi'}}}
REQUESTS = {'resources': {'requests': {'cpu': '100m', 'memory': '32Mi'}}}
PODS = {'guaranteed': LIMITS, 'burstable': REQUESTS, 'besteffort': {}}


def need_version_2():
    if not only_version_2():
        raise Skip('this machine has cgroup version 1')


def need_systemd():
    if only_version_2():
        raise Skip('with cgroup version 2 a systemd wants the top of the tree, where the host has others')
    if not os.access(SYSTEMD, os.X_OK):
        raise Skip(f'there is no {SYSTEMD}')


def boot_systemd(host):
    """Starts a systemd on the host; the process id by which this side knows it."""
    with open(f'{host.logs}/systemd.log', 'w') as log:
        unshare = host.popen(['unshare', '--pid', '--fork', '--uts', '--mount', '--propagation', 'slave', 'sh', '-c', BOOT], stdout=log, stderr=log)
    wait_for(lambda: os.path.exists(host.path('/run/systemd/private')), 30, 'systemd to listen')
    with open(f'/proc/{unshare.pid}/task/{unshare.pid}/children') as f:
        return f.read().split()[0]


class Node:
    """A host whose dockerd has the driver, with a pod of each class."""

    def __init__(self, driver):
        self.host = Host('cgroups', docker=False, dockerd_args=['--exec-opt', f'native.cgroupdriver={driver}'])
        if driver == 'systemd':
            self.host.within = ['nsenter', '--target', boot_systemd(self.host), '--pid', '--mount', '--']
        self.host.docker_start()
        self.host.docker.make_busybox()
        self.podwatch = Podwatch(self.host).start()
        for name, container in PODS.items():
            self.write(name, container)
        self.podwatch.wait_ready(*[f'default/{name}-node1' for name in PODS])
        info = self.host.docker.request('GET', '/info')
        assert info['CgroupDriver'] == driver, info['CgroupDriver']
        self.version = info['CgroupVersion']

    def write(self, name, container):
        text = pod(name, container=container, hostNetwork=True, terminationGracePeriodSeconds=0)
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', text)

    def container(self, name):
        found = self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')
        return next(c['Id'] for c in found if c['Labels']['io.kubernetes.container.name'] == 'main')

    def uid(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['metadata']['uid']

    def groups(self, name):
        """Paths of the app container's cgroups, one a hierarchy."""
        with open(f"/proc/{self.host.docker.inspect(self.container(name))['State']['Pid']}/cgroup") as f:
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


def slice_of(node, name):
    """The slice of a pod, below the mount of a hierarchy."""
    above = '' if name == 'guaranteed' else f'kubepods-{name}.slice/'
    prefix = 'kubepods' if name == 'guaranteed' else f'kubepods-{name}'
    return f"kubepods.slice/{above}{prefix}-pod{node.uid(name).replace('-', '_')}.slice"


def slices(node):
    """Directories of slices of pods, in all hierarchies."""
    return node.host.run(['find', '/sys/fs/cgroup', '-type', 'd', '-name', 'kubepods*-pod*.slice']).stdout.split()


def units(node):
    return node.host.run(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'kubepods*-pod*.slice']).stdout


def test_the_systemd_driver():
    need_systemd()
    node = Node('systemd')
    for name, shares in (('guaranteed', '256'), ('burstable', '102'), ('besteffort', '2')):
        directory = slice_of(node, name)
        assert node.host.read(f'/sys/fs/cgroup/cpu/{directory}/cpu.shares').strip() == shares, name
        assert os.path.exists(node.host.path(f'/sys/fs/cgroup/systemd/{directory}/docker-{node.container(name)}.scope')), name
    directory = slice_of(node, 'guaranteed')
    assert node.host.read(f'/sys/fs/cgroup/cpu/{directory}/cpu.cfs_quota_us').strip() == '25000'
    assert node.host.read(f'/sys/fs/cgroup/memory/{directory}/memory.limit_in_bytes').strip() == str(64 << 20)

    def of_class(name):
        return node.host.read(f'/sys/fs/cgroup/cpu/kubepods.slice/kubepods-{name}.slice/cpu.shares').strip()
    wait_for(lambda: (of_class('burstable'), of_class('besteffort')) == ('102', '2'), 30, 'the shares of the classes')
    node.write('more', {'resources': {'requests': {'cpu': '200m'}}})
    wait_for(lambda: of_class('burstable') == '307', 30, 'the share of the Burstable pods to follow them')
    # With the pod its slice goes, of which systemd alone would keep the unit for ever.
    for name in (*PODS, 'more'):
        os.unlink(node.host.path(f'/etc/kubernetes/manifests/{name}.yaml'))
    wait_for(lambda: not slices(node), 30, 'the slices to be gone')
    wait_for(lambda: not units(node), 30, 'systemd to have forgotten them')
    # What is set of a unit that somebody else made stays there.
    assert not os.path.exists(node.host.path('/run/systemd/system.control'))
