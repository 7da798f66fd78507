# SPDX-License-Identifier: Apache-2.0
"""A real kubelet with the same static pods: containerd with its CRI plugin in place of Docker, no API server.

The kubelet comes from test/peer/build --kubelet, containerd with Debian's docker.io. Both run on a host of their own. Starts and ends are
taken from containerd's own event stream.
"""
import datetime
import json
import os
import signal
import statistics
import subprocess
import time

MANIFESTS = '/etc/kubernetes/manifests'
SOCKET = '/run/containerd/containerd.sock'
PAUSE = 'localhost/pause:1'

CONTAINERD = f'''\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
'''

KUBELET = f'''\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
staticPodPath: {MANIFESTS}
containerRuntimeEndpoint: unix://{SOCKET}
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {{memory.available: "0%", nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}}
maxPods: 300
readOnlyPort: 10255
'''


def find_kubelet():
    """The kubelet that was built beside the other peers, or None."""
    from cluster import peers
    path = f'{peers()}/kubelet'
    return path if os.access(path, os.X_OK) else None


class Kubelet:
    """containerd and a kubelet on a host."""

    def __init__(self, host, binary):
        from docker_api import busybox_tar
        self.host = host
        host.docker.make_busybox()
        host.docker.import_image(PAUSE, busybox_tar(), ['CMD ["/bin/sleep", "1000000"]'])
        images = host.docker.request('GET', f'/images/get?names=localhost/busybox:1&names={PAUSE}', raw=True)
        host.docker_stop()
        host.write('/run/images.tar', images)
        host.write('/etc/kubernetes/containerd.toml', CONTAINERD)
        host.write('/etc/kubernetes/kubelet.yaml', KUBELET)
        host.write(f'{MANIFESTS}/.keep', '')
        self._start('containerd', ['containerd', '--config', '/etc/kubernetes/containerd.toml'])
        from waiting import wait_for
        ctr = ['ctr', '--address', SOCKET, '--namespace', 'k8s.io']
        wait_for(lambda: host.run([*ctr, 'version'], check=False).returncode == 0, 60, 'containerd to answer')
        host.run([*ctr, 'images', 'import', '/run/images.tar'], timeout=120)
        # Without its address it asks name servers for the node's name at each pod, and there are none here: ten seconds a pod.
        self.process = self._start('kubelet', [binary, '--config', '/etc/kubernetes/kubelet.yaml', '--hostname-override', 'node1',
                                               '--node-ip', host.node_address])
        wait_for(lambda: self.running() == 0, 120, 'the kubelet to answer')

    def _start(self, name, command):
        with open(f'{self.host.logs}/{name}.log', 'a') as log:
            return self.host.popen(command, stdout=log, stderr=subprocess.STDOUT)

    @property
    def pid(self):
        return self.process.pid

    def record_events(self):
        """From now on every task's start and end goes to a file."""
        self.events_path = f'{self.host.logs}/containerd-events.log'
        with open(self.events_path, 'w') as out:
            self.host.popen(['ctr', '--address', SOCKET, '--namespace', 'k8s.io', 'events'], stdout=out, stderr=subprocess.STDOUT)
        time.sleep(0.5)

    def events(self, topic, since=0):
        """The events of /tasks/TOPIC as (seconds, what they say); a line is DATE TIME ZONE ZONE NAMESPACE TOPIC JSON."""
        found = []
        with open(self.events_path) as f:
            for line in f.read().splitlines():
                date, clock, zone, _, _, name, said = line.split(' ', 6)
                if name == f'/tasks/{topic}':
                    whole, _, part = clock.partition('.')
                    at = datetime.datetime.strptime(f'{date} {whole} {zone}', '%Y-%m-%d %H:%M:%S %z').timestamp() + float(f'0.{part or 0}')
                    if at > since:
                        found.append((at, json.loads(said)))
        return found

    def last_start(self, count, since, timeout):
        """When the last of `count` pods began to run: each starts a sandbox and a container."""
        from waiting import wait_for
        starts = wait_for(lambda: len(s := self.events('start', since)) >= 2 * count and s, timeout, f'{count} pods to start', 0.02)
        return max(at for at, _ in starts)

    def running(self):
        """How many pods it says are running."""
        answer = self.host.output('curl', '-sf', 'http://127.0.0.1:10255/pods', timeout=30)
        return sum(p['status'].get('phase') == 'Running' for p in json.loads(answer)['items'] or [])


def drop(kubelet, names, seconds=1000000):
    """Puts manifests there at once; gives the time before the first."""
    from cluster import pod
    begin = time.time()
    for name in names:
        kubelet.host.write(f'{MANIFESTS}/{name}.yaml', pod(name, ('sleep', str(seconds)), hostNetwork=True, terminationGracePeriodSeconds=0))
    return begin


def clear(kubelet, names):
    from waiting import wait_for
    for name in names:
        kubelet.host.output('rm', '-f', f'{MANIFESTS}/{name}.yaml')
    wait_for(lambda: kubelet.running() == 0, 120 + 5 * len(names), 'the kubelet to run nothing', 0.5)


def bench_times(table, kubelet, repeat=3):
    """Starts, a crash and an edit, as bench/run has them of podwatch."""
    from waiting import wait_for
    kubelet.record_events()
    for count in (1, 20, 110):
        times = []
        for i in range(repeat if count == 1 else 1):
            names = [f'k{count}r{i}x{n}' for n in range(count)]
            begin = drop(kubelet, names)
            times.append(kubelet.last_start(count, begin, 60 + 5 * count) - begin)
            clear(kubelet, names)
        table.add(f'kubelet, {count} pod{"s" if count > 1 else ""} at once, host network: last start', statistics.median(times), None, 's', None, '')
    begin = drop(kubelet, ['crash'])
    kubelet.last_start(1, begin, 60)
    _, app = max(kubelet.events('start', begin), key=lambda event: event[0])
    os.kill(app['pid'], signal.SIGKILL)
    died, _ = wait_for(lambda: kubelet.events('exit', begin), 10, 'the end of the container', 0.01)[0]
    again, _ = wait_for(lambda: kubelet.events('start', died), 30, 'the restart', 0.01)[0]
    table.add('kubelet, container death to restart', again - died, None, 's', None, '')
    edited = drop(kubelet, ['crash'], 2000000)
    died, _ = wait_for(lambda: kubelet.events('exit', edited), 60, 'the end of the old container', 0.01)[0]
    table.add('kubelet, edit: gap between old stop and new start', kubelet.last_start(1, died, 120) - died, None, 's', None, '')
    clear(kubelet, ['crash'])


def bench_kubelet(table, long):
    """Starts and ends, and rows as growth.py has them; gives whether there was a kubelet to measure."""
    from growth import LONG, SHORT, rows
    from harness import Host
    from waiting import wait_for
    binary = find_kubelet()
    if not binary:
        return False
    counts, seconds = ([c for c in LONG[0] if c <= 110], 30) if long else SHORT
    with Host('bench-kubelet') as host:
        kubelet = Kubelet(host, binary)
        bench_times(table, kubelet)
        have = 0
        for count in counts:
            drop(kubelet, [f'cost{i}' for i in range(have, count)])
            have = count
            wait_for(lambda: kubelet.running() == count, 120 + 5 * count, f'the kubelet to run {count} pods', 0.5)
            # It is never quiet: its own rounds go on.
            rows(table, 'kubelet, idle, ', kubelet.pid, count, seconds, {}, patience=10)
    return True
