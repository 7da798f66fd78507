# SPDX-License-Identifier: Apache-2.0
"""genphase images: made from local binaries, pulled, loaded; and what is in them runs."""
import json
import os
import re
import subprocess
import time

from docker_api import DockerError, busybox_tar
from harness import Host, kubernetes_version, peers, program

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 300


def genphase(host, *args, code=0, **kwargs):
    result = host.run([program('genphase'), *args], check=False, timeout=240, **kwargs)
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    return result


def names(host):
    return sorted(t for i in host.docker.request('GET', '/images/json') for t in i['RepoTags'] or [])


def ids(host):
    return sorted(i['Id'] for i in host.docker.request('GET', '/images/json'))


def version():
    return '--kubernetes-version=v' + kubernetes_version()


def needed(host):
    lines = genphase(host, 'images', 'list', version()).stdout.split()
    return {line.rpartition('/')[2].partition(':')[0]: line for line in lines}


def setup():
    return Host('images')


def test_dry_run_changes_nothing(host):
    for args in (['pull', version()], ['build', '--from', peers(), version()]):
        out = genphase(host, 'images', *args, '--dry-run', env={'DOCKER_HOST': 'unix:///run/none.sock'}).stdout
        assert '[dryrun] Would ' in out and 'kube-scheduler' in out, out
    assert ids(host) == []


def test_build(host):
    out = genphase(host, 'images', 'build', '--from', peers(), version()).stdout
    images = needed(host)
    assert names(host) == sorted(ref for name, ref in images.items() if name != 'coredns'), names(host)
    for name, ref in images.items():
        word = 'Skipped' if name == 'coredns' else 'Built'
        assert re.search(rf'^\[images\] {word} {re.escape(ref)}[ :]', out, re.M), out
    before = ids(host)
    again = genphase(host, 'images', 'build', '--from', peers(), version()).stdout
    assert again.count('is up to date') == len(images) - 1 and ids(host) == before, again
    told = [json.loads(line) for line in genphase(host, 'images', 'build', '--from', peers(), version(), '-o', 'json').stdout.splitlines()]
    assert told == [{'action': 'keep', 'image': ref} for name, ref in images.items() if name != 'coredns'], told


def output_of(host, image, command, host_config=None):
    container = host.docker.create('asked', {'Image': image, 'Cmd': command[1:], 'Entrypoint': command[:1], 'HostConfig': host_config or {}})
    try:
        host.docker.start(container)
        code = host.docker.wait(container)
        return code, host.docker.logs(container)
    finally:
        host.docker.remove(container)


def test_components_run(host):
    images = needed(host)
    for name in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy'):
        code, out = output_of(host, images[name], [name, '--version'])
        assert (code, out.strip()) == (0, 'Kubernetes v' + kubernetes_version()), out
    assert output_of(host, images['etcd'], ['etcd', '--version'])[1].startswith('etcd Version: ')
    assert output_of(host, images['etcd'], ['etcdctl', 'version'])[1].startswith('etcdctl version: ')
    assert output_of(host, images['pause'], ['/pause', '-v'])[1].startswith('pause ')


def test_images_have_what_programs_look_for(host):
    container = host.docker.create('files', {'Image': needed(host)['kube-apiserver']})
    archive = host.docker.request('GET', f'/containers/{container}/archive?path=/etc/ssl/certs/ca-certificates.crt', raw=True)
    assert b'BEGIN CERTIFICATE' in archive
    assert b'nobody:x:65534' in host.docker.request('GET', f'/containers/{container}/archive?path=/etc/passwd', raw=True)
    host.docker.remove(container)
    config = host.docker.request('GET', f"/images/{needed(host)['etcd']}/json")
    assert config['Config']['Entrypoint'] == ['/usr/local/bin/etcd'] and config['Architecture'] == host.docker.version()['Arch']


def test_packet_filter_tools_of_kube_proxy(host):
    """Each does real work in a network namespace of its own; iptables is the machine's choice of the two."""
    image = needed(host)['kube-proxy']
    caps = {'CapAdd': ['NET_ADMIN', 'NET_RAW']}
    machine = subprocess.run(['iptables', '-V'], capture_output=True, text=True, check=True).stdout
    assert output_of(host, image, ['iptables', '-V'])[1] == machine
    for command in (['iptables', '-t', 'nat', '-A', 'OUTPUT', '-p', 'tcp', '--dport', '80', '-m', 'comment', '--comment', 'x', '-m',
                     'statistic', '--mode', 'random', '--probability', '0.5', '-j', 'DNAT', '--to-destination', '10.0.0.1:8080'],
                    ['ip6tables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP'],
                    ['iptables', '-A', 'FORWARD', '-m', 'mark', '--mark', '0x4000/0x4000', '-j', 'ACCEPT'],
                    ['nft', 'add', 'table', 'ip', 'kube-proxy'],
                    ['nft', 'add rule ip filter x meta l4proto tcp accept; list ruleset', '--check'],
                    ['conntrack', '-L']):
        code, out = output_of(host, image, command, caps)
        unresolved = 'error while loading' in out or "Couldn't load" in out or 'not found' in out or 'Could not resolve' in out
        assert not unresolved, (command, out)
        if command[0] != 'nft' or 'table' in command:
            assert code == 0, (command, out)


def test_one_component_alone(host):
    ref = needed(host)['kube-scheduler']
    host.docker.request('DELETE', f'/images/{ref}')
    out = genphase(host, 'images', 'build', 'kube-scheduler', '--from', peers(), version()).stdout
    assert out.splitlines()[-1].startswith(f'[images] Built {ref}') and len(out.splitlines()) == 1, out
    assert ref in names(host)


def test_mistakes_are_told(host):
    before = ids(host)
    empty = '/run/empty'
    host.run(['mkdir', empty])
    for args, message in (
            (['build', version()], 'error: the --from flag is mandatory'),
            (['build', '--from', '/no/such', version()], 'error: /no/such: No such file'),
            (['build', '--from', empty, version()], f'{empty} has no program kube-apiserver'),
            (['build', 'kube-schduler', '--from', peers(), version()], 'no component "kube-schduler" in this configuration; there are kube-'),
            (['load', '/etc/passwd'], 'error: /etc/passwd: '),
            (['load', '/no/such.tar'], 'error: /no/such.tar: No such file'),
            (['load', '/etc'], 'error: /etc: not a regular file'),
            (['load'], 'load'),
            (['pull', version(), '--docker-host', 'unix:///run/none.sock'], '/run/none.sock'),
            (['pull', version(), '--docker-host', 'nonsense'], "'nonsense'")):
        result = genphase(host, 'images', *args, code=1)
        assert message in result.stderr, (args, result.stderr)
    host.write('/etc/kubernetes/bin/kube-apiserver', '#!/bin/sh\n', 0o755)
    result = genphase(host, 'images', 'build', 'kube-apiserver', '--from', '/etc/kubernetes/bin', version(), code=1)
    assert '/etc/kubernetes/bin/kube-apiserver: not an ELF program' in result.stderr, result.stderr
    assert ids(host) == before


def test_load(host):
    ref = needed(host)['pause']
    saved = host.docker.request('GET', f'/images/{ref}/get', raw=True)
    path = f'{host.directory}/pause.tar'
    with open(path, 'wb') as f:
        f.write(saved)
    host.docker.request('DELETE', f'/images/{ref}')
    assert genphase(host, 'images', 'load', path, '--dry-run').stdout.startswith(f'[dryrun] Would load {path}')
    assert ref not in names(host)
    assert genphase(host, 'images', 'load', path).stdout == f'[images] Loaded {path}\n'
    assert ref in names(host)


def test_pull(host):
    rootfs = f'{host.directory}/rootfs.tar'
    with open(rootfs, 'wb') as f:
        f.write(busybox_tar())
    registry = host.popen(['python3', f'{HERE}/registry.py', '5000', '*', '*', rootfs, 'me:secret'], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    assert registry.stdout.readline() == 'listening\n'
    args = ['images', 'pull', version(), '--image-repository', '127.0.0.1:5000/mirror']
    result = genphase(host, *args, code=1)
    assert 'failed to pull image 127.0.0.1:5000/mirror/kube-apiserver:v' in result.stderr, result.stderr
    host.write('/etc/docker/client/config.json', json.dumps({'auths': {'127.0.0.1:5000': {'username': 'me', 'password': 'secret'}}}), 0o600)
    env = {'DOCKER_CONFIG': '/etc/docker/client'}
    result = genphase(host, *args, '-v', '1', env=env)
    pulled = [line.split()[-1] for line in result.stdout.splitlines() if line.startswith('[config/images] Pulled ')]
    assert len(pulled) == len(needed(host)) and set(pulled) <= set(names(host)), result.stdout
    assert ': Pull complete' in result.stderr and 'Downloading' not in result.stderr and 'secret' not in result.stderr
    registry.kill()
    registry.wait()
    again = genphase(host, *['config' if a == 'images' else a for a in args[:1]], *args, env=env).stdout
    assert again == result.stdout, 'what is there is not asked for again'
    start = time.monotonic()
    result = genphase(host, 'images', 'pull', version(), '--image-repository', '127.0.0.1:5999/none', code=1)
    assert 'connection refused' in result.stderr and time.monotonic() - start < 20
    try:
        host.docker.request('GET', '/images/127.0.0.1:5999/none/pause/json')
    except DockerError as e:
        assert e.status == 404
