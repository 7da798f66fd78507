#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what the Docker daemon of this machine's version answers, for the unit tests of lib/docker (test/data/docker).

    record_docker.py OUTDIR

It makes a test host and asks its daemon; ids and times in the answers are as they came.
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from docker_api import busybox_tar, unix_request  # noqa: E402
from harness import Host  # noqa: E402

LABELS = {'io.kubernetes.pod.name': 'etcd-node1', 'io.kubernetes.pod.namespace': 'kube-system', 'with "quotes"': 'a\nb\u20ac'}


def start_registry(host, *credentials):
    rootfs = f'{host.directory}/rootfs.tar'
    with open(rootfs, 'wb') as f:
        f.write(busybox_tar())
    here = os.path.dirname(os.path.abspath(__file__))
    process = host.popen(['python3', f'{here}/registry.py', '5000', 'team/box', 'v1', rootfs, *credentials], stdout=-1)
    process.stdout.readline()
    return process


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('outdir')
    out = parser.parse_args().outdir
    os.makedirs(out, exist_ok=True)
    with Host('record') as host:
        docker = host.docker
        docker.make_busybox()

        def save(name, method, target, body=None, headers=None):
            data = body if body is None or isinstance(body, bytes) else json.dumps(body)
            headers = headers or ({'Content-Type': 'application/json'} if body is not None else {})
            status, _, answer = unix_request(docker.path, method, '/v1.41' + target, data, headers)
            with open(f'{out}/{name}', 'wb') as f:
                f.write(answer)
            print(status, name, len(answer))
            return answer

        since = time.time()
        save('version.json', 'GET', '/version')
        save('info.json', 'GET', '/info')
        config = {'Image': 'localhost/busybox:1', 'Labels': LABELS, 'HostConfig': {}}
        save('create.json', 'POST', '/containers/create?name=never-started', config)
        save('create-conflict.json', 'POST', '/containers/create?name=never-started', config)
        save('create-no-image.json', 'POST', '/containers/create?name=x', {**config, 'Image': 'none:1'})
        save('create-bad.json', 'POST', '/containers/create?name=x', b'{', {'Content-Type': 'application/json'})
        docker.run('runs', ['sh', '-c', 'echo out; echo err >&2; sleep 1000'], labels=LABELS)
        docker.run('on-host', ['sleep', '1000'], host_config={'NetworkMode': 'host'})
        ended = docker.run('ended', ['sh', '-c', 'exit 3'])
        docker.wait(ended)
        eaten = docker.run('out-of-memory', ['sh', '-c', 'tail -f -n 999999999 /dev/zero'],
                           host_config={'Memory': 16 << 20, 'MemorySwap': 16 << 20})
        docker.wait(eaten)
        unstartable = docker.create('cannot-start', {**config, 'Cmd': ['/does/not/exist']})
        save('start-fails.json', 'POST', f'/containers/{unstartable}/start')
        docker.run('paused', ['sleep', '1000'])
        docker.request('POST', '/containers/paused/pause')
        save('containers.json', 'GET', '/containers/json?all=true')
        for name in ('runs', 'on-host', 'ended', 'out-of-memory', 'never-started', 'cannot-start', 'paused'):
            save(f'inspect-{name}.json', 'GET', f'/containers/{name}/json')
        save('inspect-none.json', 'GET', '/containers/none/json')
        save('kill-not-running.json', 'POST', '/containers/ended/kill?signal=SIGTERM')
        save('remove-running.json', 'DELETE', '/containers/runs')
        save('logs.bin', 'GET', '/containers/runs/logs?stdout=true&stderr=true')
        save('logs-timestamps.bin', 'GET', '/containers/runs/logs?stdout=true&stderr=true&timestamps=true')
        exec_id = json.loads(save('exec-create.json', 'POST', '/containers/runs/exec', {
            'AttachStdout': True, 'AttachStderr': True, 'Cmd': ['sh', '-c', 'echo hello; echo bad >&2; exit 5']}))['Id']
        save('exec-start.bin', 'POST', f'/exec/{exec_id}/start', {'Detach': False, 'Tty': False})
        save('exec-inspect.json', 'GET', f'/exec/{exec_id}/json')
        save('image-inspect.json', 'GET', '/images/localhost/busybox:1/json')
        save('image-none.json', 'GET', '/images/none:1/json')
        save('images.json', 'GET', '/images/json')
        registry = start_registry(host)
        save('pull.jsonl', 'POST', '/images/create?fromImage=127.0.0.1:5000/team/box&tag=v1')
        save('pull-again.jsonl', 'POST', '/images/create?fromImage=127.0.0.1:5000/team/box&tag=v1')
        save('pull-none.jsonl', 'POST', '/images/create?fromImage=127.0.0.1:5000/team/box&tag=none')
        save('pull-unreachable.jsonl', 'POST', '/images/create?fromImage=127.0.0.1:5001/x&tag=1')
        save('image-pulled.json', 'GET', '/images/127.0.0.1:5000/team/box:v1/json')
        registry.kill()
        registry.wait()
        registry.stdout.close()
        save('load.jsonl', 'POST', '/images/load', save('image.tar', 'GET', '/images/127.0.0.1:5000/team/box:v1/get'),
             {'Content-Type': 'application/x-tar'})
        os.unlink(f'{out}/image.tar')
        save('load-bad.jsonl', 'POST', '/images/load', b'no tar', {'Content-Type': 'application/x-tar'})
        docker.remove('runs')
        save('events.jsonl', 'GET', f'/events?since={since}&until={time.time()}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
