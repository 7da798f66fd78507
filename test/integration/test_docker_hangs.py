# SPDX-License-Identifier: Apache-2.0
"""A dockerd that hangs in /info, as 20.10 does while its name servers do not answer; all else of it works."""
import socket
import threading
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML, Podwatch, pod, slower
from harness import Host, hold, wait_for

ORDERED = True
MANIFEST = '/etc/kubernetes/manifests/one.yaml'
PROXY = '/run/hangs.sock'


class Proxy:
    """Between podwatch and dockerd; keeps requests of /info while `hangs`."""

    def __init__(self, listen, target):
        self.target = target
        self.hangs = True
        self.asked = 0
        self.open = []
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(listen)
        self.socket.listen(64)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            self.open += [client, server]
            for a, b, filtered in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.pump, args=(a, b, filtered), daemon=True).start()

    def pump(self, a, b, filtered):
        try:
            while data := a.recv(65536):
                if filtered and b'/info HTTP/' in data.split(b'\r\n', 1)[0]:
                    self.asked += 1
                    while self.hangs:
                        time.sleep(0.05)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def cut(self):
        """As if dockerd had gone and come back."""
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def close(self):
        self.hangs = False
        self.cut()
        self.socket.close()


class State:
    def running(self):
        return self.host.docker.containers(all=False, label='io.kubernetes.container.name=main')


def setup():
    state = State()
    state.host = Host('hangs')
    state.host.docker.make_busybox()
    state.proxy = Proxy(state.host.path(PROXY), state.host.path('/run/docker.sock'))
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + '---\napiVersion: podwatch.io/v1alpha1\nkind: PodwatchConfiguration\n'
                     f'dockerEndpoint: unix://{PROXY}\n')
    state.host.write(MANIFEST, pod('one', hostNetwork=True, terminationGracePeriodSeconds=0))
    state.podwatch = Podwatch(state.host).start()
    return state


def test_status_answers_and_says_what_is_waited_for(state):
    wait_for(lambda: state.proxy.asked, 10, 'podwatch to ask')
    begin = time.monotonic()
    assert state.podwatch.command('status').returncode == 0 and state.podwatch.api('/healthz')[0] == 200
    took = time.monotonic() - begin
    assert took < 3 * slower(), took
    wait_for(lambda: '/info' in state.podwatch.status()['docker'].get('why', ''), 10, 'the reason')
    assert 'does not answer /info' in state.podwatch.command('status').stdout
    hold(lambda: not state.running(), 1, 'no container whose cgroup would be a guess', 0.2)


def test_pods_start_when_it_answers(state):
    state.proxy.hangs = False
    state.podwatch.wait_ready('default/one-node1', timeout=40)


def test_what_it_said_before_counts(state):
    before = {c['Id'] for c in state.running()}
    state.proxy.hangs = True
    state.proxy.cut()
    wait_for(lambda: not state.podwatch.status()['docker']['ready'], 10, 'podwatch to notice')
    wait_for(lambda: state.podwatch.status()['docker']['ready'], 15, 'podwatch to go on without')
    assert {c['Id'] for c in state.running()} == before
    state.host.write(MANIFEST.replace('one', 'two'), pod('two', hostNetwork=True, terminationGracePeriodSeconds=0))
    state.podwatch.wait_ready('default/two-node1', timeout=30)


def teardown(state):
    state.podwatch.stop()
    state.proxy.close()
    state.host.close()
