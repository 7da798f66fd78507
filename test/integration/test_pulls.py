# SPDX-License-Identifier: Apache-2.0
"""Images of pods from a registry: policies, credentials, digests, backoff, progress."""
import io
import json
import os
import re
import subprocess
import tarfile
import threading
import time

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from docker_api import busybox_tar
from harness import Host, Podwatch, hold, pod, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGE = '127.0.0.1:5000/team/app'


class State:
    def put(self, name, **kwargs):
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', pod(name, hostNetwork=True, terminationGracePeriodSeconds=0, **kwargs))

    def container(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']['status']['containerStatuses'][0]

    def waiting(self, name):
        return self.container(name)['state'].get('waiting', {})

    def events(self, name, reason):
        return [e for e in json.loads(self.podwatch.api('/events')[1])['items'] if f'{name}-node1' in json.dumps(e) and reason in json.dumps(e)]

    def requests(self):
        with open(self.host.path('/run/registry.log')) as f:
            return [line.split('"')[1] for line in f if '"' in line]

    def serve(self):
        with open(self.host.path('/run/registry.log'), 'a') as log:
            self.registry = self.host.popen(['python3', f'{HERE}/registry.py', '5000', '*', '*', self.rootfs, 'me:secret'],
                                            stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.registry.stdout.readline() == 'listening\n'

    def stop(self):
        self.registry.kill()
        self.registry.wait()


def setup():
    state = State()
    state.host = Host('pulls')
    state.rootfs = f'{state.host.directory}/rootfs.tar'
    with open(state.rootfs, 'wb') as f:
        f.write(busybox_tar())
    state.serve()
    state.podwatch = Podwatch(state.host).start()
    return state


def test_without_credentials_the_pull_fails_and_backs_off(state):
    state.put('early', image=f'{IMAGE}:1')
    wait_for(lambda: state.waiting('early').get('reason') == 'ImagePullBackOff', 15, 'the backoff')
    assert 'no basic auth credentials' in state.waiting('early')['message'], state.waiting('early')
    assert state.events('early', 'Pulling') and state.events('early', 'BackOff')
    assert any('Failed to pull image "' in e['message'] for e in state.events('early', 'Failed')), state.events('early', 'Failed')
    message = state.waiting('early')['message']
    assert message.startswith('Back-off pulling image "') and '": ErrImagePull: ' in message, message
    status = state.podwatch.command('status').stdout
    assert 'ImagePullBackOff' in status, status


def test_credentials_of_docker_config(state):
    state.host.write('/var/lib/kubelet/config.json', json.dumps({'auths': {'127.0.0.1:5000': {'username': 'me', 'password': 'secret'}}}), 0o600)
    state.podwatch.wait_ready('default/early-node1', timeout=30)
    pulled = state.events('early', 'Successfully pulled image')[0]['message']
    assert re.search(r' in [0-9.]+m?s \([0-9.]+m?s including waiting\)\. Image size: [1-9][0-9]* bytes\.', pulled), pulled
    assert 'secret' not in state.podwatch.log_text()


def test_if_not_present_asks_nobody(state):
    before = len(state.requests())
    state.put('present', image=f'{IMAGE}:1')
    state.podwatch.wait_ready('default/present-node1')
    assert len(state.requests()) == before and state.events('present', 'already present on machine')


def test_by_digest(state):
    image = state.host.docker.request('GET', f'/images/{IMAGE}:1/json')
    digest = image['RepoDigests'][0].partition('@')[2]
    state.put('digest', image=f'{IMAGE}@{digest}')
    state.podwatch.wait_ready('default/digest-node1')
    assert state.container('digest')['imageID'].endswith(image['Id'])


def test_always_asks_for_each_start(state):
    state.put('always', image=f'{IMAGE}:1', container={'imagePullPolicy': 'Always'})
    state.podwatch.wait_ready('default/always-node1')
    before = len(state.requests())
    state.host.docker.kill(state.container('always')['containerID'].removeprefix('docker://'))
    wait_for(lambda: state.container('always')['restartCount'] == 1 and 'running' in state.container('always')['state'], 15, 'the restart')
    assert len(state.requests()) > before


def test_always_waits_for_the_registry(state):
    """As the kubelet: what must be asked for and cannot be is not started; never mind that an older one is there."""
    state.stop()
    state.host.docker.kill(state.container('always')['containerID'].removeprefix('docker://'))
    wait_for(lambda: state.waiting('always').get('reason') in ('ErrImagePull', 'ImagePullBackOff'), 30, 'the failed pull')
    state.serve()
    wait_for(lambda: 'running' in state.container('always')['state'], 40, 'the restart')


test_always_waits_for_the_registry.timeout = 120


def test_never_pulls_nothing(state):
    state.put('never', image=f'{IMAGE}:other', container={'imagePullPolicy': 'Never'})
    wait_for(lambda: state.waiting('never').get('reason') == 'ErrImageNeverPull', 10, 'the reason')
    hold(lambda: state.waiting('never').get('reason') == 'ErrImageNeverPull', 1, 'the reason', 0.2)
    assert not any('/other' in r for r in state.requests())


# Takes connections, says so, and never answers.
SILENT = """
import socket
server, kept = socket.create_server(('127.0.0.1', 5002), backlog=64), []
while True:
    print('listening' if not kept else 'taken', flush=True)
    kept.append(server.accept())
"""


def test_edits_do_not_pile_up_pulls(state):
    """Ten images in a row that a registry does not give: five are asked for, and what is wanted in the end comes."""
    silent = state.host.popen(['python3', '-c', SILENT], stdout=subprocess.PIPE, text=True)
    assert silent.stdout.readline() == 'listening\n'
    taken, waited, began = [], False, time.monotonic()
    threading.Thread(target=lambda: taken.extend(silent.stdout), daemon=True).start()

    def most():
        """Docker gives up after ten seconds, and tries once more without TLS."""
        return 5 * (1 + 2 * int((time.monotonic() - began) / 9))
    for i in range(10):
        state.put('edited', image=f'127.0.0.1:5002/none:{i}')
        wait_for(lambda: os.path.exists(state.host.path(f'/var/lib/podwatch/pods/default_edited-node1/{i + 1}.json')), 10, f'version {i + 1}')
        waited = waited or 'waits for the pulls of other images' in state.podwatch.command('status').stdout
    assert len(taken) <= most(), taken
    assert waited
    state.put('edited', image=f'{IMAGE}:1')
    state.podwatch.wait_ready('default/edited-node1')
    assert len(taken) <= most(), taken
    # One more that has to be pulled gets its turn when those end.
    state.put('edited', image=f'{IMAGE}:last')
    silent.kill()
    silent.wait()
    wait_for(lambda: state.container('edited')['image'].endswith(':last') and 'running' in state.container('edited')['state'], 60, 'the last image')
    os.unlink(state.host.path('/etc/kubernetes/manifests/edited.yaml'))


def test_progress_of_a_pull_is_seen(state):
    """A registry that stops half-way: status says how far the pull is, until it goes on."""
    large, gate = f'{state.host.directory}/large.tar', f'{state.host.directory}/gate'
    with tarfile.open(large, 'w') as tar:
        info = tarfile.TarInfo('noise')
        info.size = 4 << 20
        tar.addfile(info, io.BytesIO(os.urandom(info.size)))
        with tarfile.open(state.rootfs) as base:
            for member in base:
                tar.addfile(member, base.extractfile(member) if member.isfile() else None)
    stalling = state.host.popen(['python3', f'{HERE}/registry.py', '5003', '*', '*', large, '', gate], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
    assert stalling.stdout.readline() == 'listening\n'
    state.put('stalls', image='127.0.0.1:5003/large:1')

    def pull():
        found = next(p for p in state.podwatch.status()['pods'] if p['name'] == 'stalls-node1')
        return found.get('pull')
    # Docker tells the first of it, and no more than ten times a second: how much it was last is a matter of speed.
    shown = r'main: [0-9a-f]{12}: Downloading [0-9.]+[kM]?B/[0-9.]+MB'
    wait_for(lambda: re.fullmatch(shown, pull()), 20, 'how far it is')
    text = state.podwatch.command('status', 'stalls').stdout
    assert re.search('pulling ' + shown, text), text
    with open(gate, 'w'):
        pass
    state.podwatch.wait_ready('default/stalls-node1')
    assert pull() is None and 'pulling' not in state.podwatch.command('status').stdout
    os.unlink(state.host.path('/etc/kubernetes/manifests/stalls.yaml'))
    stalling.kill()
    stalling.wait()


def test_image_garbage_collection(state):
    """Beyond the threshold, what no pod uses goes; what is used stays, and so does what no registry gave."""
    names = lambda: sorted(t for i in state.host.docker.request('GET', '/images/json') for t in (i['RepoTags'] or []) + (i['RepoDigests'] or []))
    other = f'{state.host.directory}/other.tar'
    with tarfile.open(other, 'w') as tar:
        info = tarfile.TarInfo('file')
        info.size = 5
        tar.addfile(info, io.BytesIO(b'other'))
    second = state.host.popen(['python3', f'{HERE}/registry.py', '5001', '*', '*', other], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert second.stdout.readline() == 'listening\n'
    state.host.docker.request('POST', '/images/create', b'', raw=True, fromImage='127.0.0.1:5001/unused', tag='1')
    state.host.docker.make_busybox('localhost/made-here:1')
    assert '127.0.0.1:5001/unused:1' in names()
    assert state.podwatch.stop() == 0
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + 'imageGCHighThresholdPercent: 1\nimageGCLowThresholdPercent: 0\nimageMinimumGCAge: 1s\n')
    state.podwatch.start()
    state.put('filling', image=f'{IMAGE}:new')  # a pull is what fills a disk
    state.podwatch.wait_ready('default/filling-node1')
    wait_for(lambda: '127.0.0.1:5001/unused:1' not in names(), 20, 'the unused image to go')
    assert not [n for n in names() if 'unused' in n], names()
    assert f'{IMAGE}:new' in names() and f'{IMAGE}:1' in names() and 'localhost/made-here:1' in names(), names()
    assert 'removing the image 127.0.0.1:5001/unused:1' in state.podwatch.log_text()
