# SPDX-License-Identifier: Apache-2.0
"""A real kubelet with the same static pods: containerd with its CRI plugin in place of Docker, no API server.

The kubelet comes from test/peer/build --kubelet, containerd with Debian's docker.io. Both run on a host of their own.
"""
import json
import os
import subprocess

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

    def running(self):
        """How many pods it says are running."""
        answer = self.host.output('curl', '-sf', 'http://127.0.0.1:10255/pods', timeout=30)
        return sum(p['status'].get('phase') == 'Running' for p in json.loads(answer)['items'] or [])


def bench_kubelet(table, long):
    """Rows as growth.py has them; gives whether there was a kubelet to measure."""
    from cluster import pod
    from growth import LONG, SHORT, rows
    from harness import Host
    from waiting import wait_for
    binary = find_kubelet()
    if not binary:
        return False
    counts, seconds = ([c for c in LONG[0] if c <= 110], 30) if long else SHORT
    with Host('bench-kubelet') as host:
        kubelet = Kubelet(host, binary)
        have = 0
        for count in counts:
            for i in range(have, count):
                host.write(f'{MANIFESTS}/cost{i}.yaml', pod(f'cost{i}', ('sleep', '1000000'), hostNetwork=True, terminationGracePeriodSeconds=0))
            have = count
            wait_for(lambda: kubelet.running() == count, 120 + 5 * count, f'the kubelet to run {count} pods', 0.5)
            # It is never quiet: its own rounds go on.
            rows(table, 'kubelet, idle, ', kubelet.pid, count, seconds, {}, patience=10)
    return True
