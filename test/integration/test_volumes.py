# SPDX-License-Identifier: Apache-2.0
"""Volumes on real Docker: what a container sees, what the host keeps, and what leads out of a volume and must not."""
import json
import os
import stat

from cluster import PODWATCH_CONFIG, PODWATCH_YAML
from harness import Host, Podwatch, wait_for

DATA = '/etc/kubernetes/data'
SLEEP = ['sleep', '100000']


def manifest(name, volumes, mounts, command=SLEEP, **more):
    container = {'name': 'main', 'image': 'localhost/busybox:1', 'command': command, 'volumeMounts': mounts, **more.pop('container', {})}
    metadata = {'name': name, **more.pop('metadata', {})}
    return json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': metadata, 'spec': {
        'terminationGracePeriodSeconds': 0, 'hostNetwork': True, 'volumes': volumes, 'containers': [container], **more}})


def host_path(name, path, kind=None):
    return {'name': name, 'hostPath': {'path': path, **({'type': kind} if kind is not None else {})}}


class State:
    def put(self, name, text):
        self.host.write(f'/etc/kubernetes/manifests/{name}.yaml', text)

    def pod(self, name):
        return self.podwatch.pods()[f'default/{name}-node1']

    def ready(self, *names):
        self.podwatch.wait_ready(*(f'default/{n}-node1' for n in names))

    def inside(self, name, script, container='main'):
        status = next(c for c in self.pod(name)['status']['containerStatuses'] if c['name'] == container)
        return self.host.docker.exec(status['containerID'].removeprefix('docker://'), 'sh', '-c', script)

    def waits(self, name):
        """Everything that status says of a pod."""
        return json.dumps(self.podwatch.status()) + json.dumps(self.pod(name)['status'])

    def path(self, name):
        return self.host.path(f'{DATA}/{name}')


def setup():
    state = State()
    state.host = Host('volumes')
    state.host.docker.make_busybox()
    state.host.run(['mkdir', '-p', f'{DATA}/tree/inner', f'{DATA}/secret'])
    state.host.write(f'{DATA}/secret/key', 'do not show\n')
    state.host.write(f'{DATA}/file', 'one file\n')
    state.host.run(['ln', '-s', f'{DATA}/secret', f'{DATA}/tree/escape'])
    state.host.run(['ln', '-s', '../../secret', f'{DATA}/tree/inner/up'])
    state.host.run(['ln', '-s', 'inner', f'{DATA}/tree/within'])
    state.host.write('/etc/kubernetes/resolv.conf', 'nameserver 192.0.2.9\nsearch node.test\noptions timeout:1\n')
    state.host.write(PODWATCH_CONFIG, PODWATCH_YAML + 'resolvConf: /etc/kubernetes/resolv.conf\nclusterDNS: [10.32.0.10]\nclusterDomain: k8s.test\n')
    state.podwatch = Podwatch(state.host).start()
    return state


def test_host_path_types(state):
    state.host.run(['python3', '-c', f'import socket; socket.socket(socket.AF_UNIX).bind("{DATA}/sock")'])
    good = {'': 'made', 'DirectoryOrCreate': 'dir', 'Directory': 'tree', 'FileOrCreate': 'newfile', 'File': 'file', 'Socket': 'sock'}
    volumes = [host_path(f'v{i}', f'{DATA}/{p}', k) for i, (k, p) in enumerate(good.items())]
    state.host.run(['mknod', f'{DATA}/block', 'b', '7', '250'])
    volumes += [host_path('char', '/dev/null', 'CharDevice'), host_path('block', f'{DATA}/block', 'BlockDevice')]
    state.put('types', manifest('types', volumes, [{'name': v['name'], 'mountPath': f"/mnt/{v['name']}"} for v in volumes]))
    bad = {'File': 'tree', 'Directory': 'file', 'Socket': 'file', 'BlockDevice': 'file', 'CharDevice': 'none'}
    for kind, path in bad.items():
        name = f'bad-{kind.lower()}'
        state.put(name, manifest(name, [host_path('v', f'{DATA}/{path}', kind)], [{'name': 'v', 'mountPath': '/v'}]))
    state.ready('types')
    assert state.inside('types', 'test -d /mnt/v0 && test -d /mnt/v1 && test -f /mnt/v3 && cat /mnt/v4 && test -S /mnt/v5 && test -c /mnt/char && test -b /mnt/block') == 'one file\n'
    assert stat.S_IMODE(os.stat(state.path('dir')).st_mode) == 0o755 and stat.S_IMODE(os.stat(state.path('newfile')).st_mode) == 0o644
    for kind in bad:
        wait_for(lambda: 'hostPath type check failed' in state.waits(f'bad-{kind.lower()}'), 15, f'the refusal of {kind}')
    # What was missing is put there: the pod starts by itself.
    os.unlink(state.path('file'))
    os.mkdir(state.path('file'))
    state.ready('bad-directory')


def test_empty_dirs(state):
    volumes = [{'name': 'disk', 'emptyDir': {}}, {'name': 'memory', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '1Mi'}}]
    mounts = [{'name': 'disk', 'mountPath': '/disk'}, {'name': 'memory', 'mountPath': '/memory'},
              {'name': 'disk', 'mountPath': '/again', 'readOnly': True}]
    state.put('empty', manifest('empty', volumes, mounts))
    state.ready('empty')
    text = state.inside('empty', 'echo kept > /disk/x; cat /again/x; touch /again/y; stat -c %a /disk; df -k /memory | tail -1; '
                                 'dd if=/dev/zero of=/memory/x bs=1k count=2000; grep " /memory " /proc/mounts')
    assert text.startswith('kept\n') and 'Read-only file system' in text and '\n777\n' in text, text
    assert 'No space left' in text and 'tmpfs' in text and 'size=1024k' in text, text
    directory = state.host.path(f"/var/lib/kubelet/pods/{state.pod('empty')['metadata']['uid']}")
    assert os.path.isdir(directory)
    os.unlink(state.host.path('/etc/kubernetes/manifests/empty.yaml'))
    wait_for(lambda: not os.path.exists(directory), 20, 'the directory and its mounts to go')


def test_sub_paths(state):
    mounts = [{'name': 'v', 'mountPath': '/inner', 'subPath': 'inner'}, {'name': 'v', 'mountPath': '/within', 'subPath': 'within'},
              {'name': 'v', 'mountPath': '/made', 'subPath': 'new/deep'}, {'name': 'v', 'mountPath': '/mine', 'subPathExpr': 'of-$(WHO)'}]
    state.put('sub', manifest('sub', [host_path('v', f'{DATA}/tree')], mounts, container={
        'env': [{'name': 'WHO', 'valueFrom': {'fieldRef': {'fieldPath': 'metadata.name'}}}]}))
    state.ready('sub')
    state.inside('sub', 'echo a > /inner/a; echo b > /within/b; echo c > /made/c; echo d > /mine/d')
    assert os.listdir(state.path('tree/new/deep')) == ['c'] and os.listdir(state.path('tree/of-sub-node1')) == ['d']
    assert sorted(os.listdir(state.path('tree/inner'))) == ['a', 'b', 'up']


def test_sub_path_does_not_follow_a_link_out_of_the_volume(state):
    for i, path in enumerate(('escape', 'escape/key', 'inner/up', 'inner/up/key')):
        state.put(f'escape{i}', manifest(f'escape{i}', [host_path('v', f'{DATA}/tree')], [{'name': 'v', 'mountPath': '/v', 'subPath': path}]))
    for i in range(4):
        wait_for(lambda: 'leads out of the volume' in state.waits(f'escape{i}'), 15, 'the refusal')
        made = state.host.docker.containers(all=True, label=f'io.kubernetes.pod.name=escape{i}-node1')
        assert all(c['Labels']['io.kubernetes.container.name'] == 'POD' for c in made), made
    for i in range(4):
        os.unlink(state.host.path(f'/etc/kubernetes/manifests/escape{i}.yaml'))


def test_mount_propagation(state):
    """What the host mounts later is seen with HostToContainer alone; what a container mounts, by the host with Bidirectional."""
    state.host.run(['sh', '-c', f'mkdir -p {DATA}/shared/late {DATA}/shared/back; mount --bind {DATA}/shared {DATA}/shared; mount --make-rshared {DATA}/shared'])
    volume = [host_path('v', f'{DATA}/shared')]
    for name, mode in (('none', 'None'), ('slave', 'HostToContainer'), ('both', 'Bidirectional')):
        state.put(name, manifest(name, volume, [{'name': 'v', 'mountPath': '/v', 'mountPropagation': mode}],
                                 container={'securityContext': {'privileged': mode == 'Bidirectional'}}))
    state.ready('none', 'slave', 'both')
    state.host.run(['sh', '-c', f'mount -t tmpfs none {DATA}/shared/late; touch {DATA}/shared/late/seen'])
    assert [state.inside(n, 'ls /v/late').strip() for n in ('none', 'slave', 'both')] == ['', 'seen', 'seen']
    state.inside('both', 'mount -t tmpfs none /v/back; touch /v/back/from-inside')
    assert state.host.output('ls', f'{DATA}/shared/back').split() == ['from-inside']


def test_downward_api_and_projected(state):
    volumes = [{'name': 'd', 'downwardAPI': {'defaultMode': 0o640, 'items': [
        {'path': 'labels', 'fieldRef': {'fieldPath': 'metadata.labels'}}, {'path': 'deep/name', 'fieldRef': {'fieldPath': 'metadata.name'}},
        {'path': 'memory', 'mode': 0o444, 'resourceFieldRef': {'containerName': 'main', 'resource': 'limits.memory', 'divisor': '1Mi'}}]}},
        {'name': 'p', 'projected': {'sources': [{'downwardAPI': {'items': [{'path': 'one', 'fieldRef': {'fieldPath': "metadata.labels['app']"}}]}},
                                                {'downwardAPI': {'items': [{'path': 'two', 'fieldRef': {'fieldPath': 'metadata.uid'}}]}}]}}]
    state.put('down', manifest('down', volumes, [{'name': 'd', 'mountPath': '/d'}, {'name': 'p', 'mountPath': '/p'}],
                               metadata={'labels': {'app': 'x', 'tier': 'a-b'}}, securityContext={'fsGroup': 4321},
                               container={'resources': {'limits': {'memory': '64Mi'}}, 'env': [
                                   {'name': 'MEM', 'valueFrom': {'resourceFieldRef': {'resource': 'limits.memory'}}},
                                   {'name': 'NODE', 'valueFrom': {'fieldRef': {'fieldPath': 'spec.nodeName'}}},
                                   {'name': 'IP', 'valueFrom': {'fieldRef': {'fieldPath': 'status.hostIP'}}}]}))
    state.ready('down')
    text = state.inside('down', 'cat /d/labels; echo; cat /d/deep/name /d/memory /p/one; echo; stat -Lc "%a %g" /d/labels /d/memory; echo x > /d/x; '
                                'grep -c " /d tmpfs" /proc/mounts; echo $MEM $NODE $IP; cat /p/two')
    uid = state.pod('down')['metadata']['uid']
    lines = text.splitlines()
    assert lines[:5] == ['app="x"', 'tier="a-b"', 'down-node164x', '640 4321', '444 4321'], lines
    assert 'Read-only' in lines[5] and lines[6:] == ['1', '67108864 node1 10.88.0.2', uid], lines


def test_hosts_resolv_conf_and_hostname(state):
    spec = {'hostNetwork': False, 'hostname': 'named', 'hostAliases': [{'ip': '192.0.2.7', 'hostnames': ['far', 'away']}], 'dnsPolicy': 'None',
            'dnsConfig': {'nameservers': ['192.0.2.53'], 'searches': ['example.test'], 'options': [{'name': 'ndots', 'value': '3'}, {'name': 'rotate'}]}}
    state.put('names', manifest('names', [], [], **spec))
    state.ready('names')
    assert state.inside('names', 'hostname; cat /etc/resolv.conf') == 'named\nnameserver 192.0.2.53\nsearch example.test\noptions ndots:3 rotate\n'
    ip = state.pod('names')['status']['podIP']
    hosts = state.inside('names', 'cat /etc/hosts')
    assert f'{ip}\tnamed\n' in hosts and '192.0.2.7\tfar\taway\n' in hosts and hosts.startswith('# Kubernetes-managed hosts file.\n'), hosts


def test_dns_policies(state):
    node = 'nameserver 192.0.2.9\nsearch node.test\noptions timeout:1\n'
    cluster = 'nameserver 10.32.0.10\nsearch default.svc.k8s.test svc.k8s.test k8s.test node.test\noptions ndots:5\n'
    more = {'nameservers': ['192.0.2.53'], 'searches': ['more.test'], 'options': [{'name': 'ndots', 'value': '2'}]}
    cases = {
        'unsaid': ({}, cluster), 'first': ({'dnsPolicy': 'ClusterFirst'}, cluster), 'default': ({'dnsPolicy': 'Default'}, node),
        'onhost': ({'dnsPolicy': 'ClusterFirst', 'hostNetwork': True}, node),  # the node's network has the node's servers
        'withhost': ({'dnsPolicy': 'ClusterFirstWithHostNet', 'hostNetwork': True}, cluster),
        'more': ({'dnsPolicy': 'ClusterFirst', 'dnsConfig': more}, 'nameserver 10.32.0.10\nnameserver 192.0.2.53\n'
                 'search default.svc.k8s.test svc.k8s.test k8s.test node.test more.test\noptions ndots:2\n'),
    }
    for name, (spec, _) in cases.items():
        state.put(f'dns-{name}', manifest(f'dns-{name}', [], [], **{'hostNetwork': False, **spec}))
    state.ready(*(f'dns-{name}' for name in cases))
    for name, (_, text) in cases.items():
        assert state.inside(f'dns-{name}', 'cat /etc/resolv.conf') == text, (name, state.inside(f'dns-{name}', 'cat /etc/resolv.conf'))
    # Docker writes the file anew at each start of the sandbox.
    sandbox = state.host.docker.containers(all=False, label='io.kubernetes.pod.name=dns-first-node1')
    state.host.docker.kill(next(c['Id'] for c in sandbox if c['Labels']['io.kubernetes.docker.type'] == 'podsandbox'))
    wait_for(lambda: state.pod('dns-first')['status']['containerStatuses'][0]['restartCount'] == 1, 20, 'the pod again')
    state.ready('dns-first')
    assert state.inside('dns-first', 'cat /etc/resolv.conf') == cluster


def test_edit_of_a_pod_with_a_uid_of_its_own(state):
    """Its directories are those of the version that runs: they change when that has ended, and stay where nothing takes its place."""
    def version(n, volumes=()):
        own = [{'name': 'd', 'downwardAPI': {'items': [{'path': 'n', 'fieldRef': {'fieldPath': "metadata.labels['n']"}}]}}, {'name': 'e', 'emptyDir': {}}]
        return manifest('uid', [*own, *volumes], [{'name': 'd', 'mountPath': '/d'}, {'name': 'e', 'mountPath': '/e'}],
                        metadata={'uid': 'fixed-uid', 'labels': {'n': n}}, hostNetwork=False, hostAliases=[{'ip': '192.0.2.9', 'hostnames': [n]}],
                        # It says at its end what its directories hold by then.
                        command=['sh', '-c', f'trap "cat /d/n /etc/hosts > /e/{n}; exit" TERM; while :; do sleep 0.1; done'],
                        terminationGracePeriodSeconds=20)
    state.put('uid', version('one'))
    state.ready('uid')
    ip = state.pod('uid')['status']['podIP']
    # What cannot be made stops nothing and changes nothing.
    state.put('uid', version('two', volumes=[host_path('none', f'{DATA}/nothing', 'Directory')]))
    wait_for(lambda: 'hostPath type check failed' in json.dumps(state.podwatch.status()), 15, 'the refusal')
    text = state.inside('uid', 'cat /d/n /etc/hosts')
    assert text.startswith('one') and f'{ip}\tuid-node1' in text and '192.0.2.9\tone' in text, text
    state.put('uid', version('three'))
    wait_for(lambda: state.inside('uid', 'cat /d/n') == 'three', 30, 'the new version')
    text = state.inside('uid', 'cat /e/one')
    assert text.startswith('one') and f'{ip}\tuid-node1' in text and '192.0.2.9\tone' in text, text
    assert '192.0.2.9\tthree' in state.inside('uid', 'cat /etc/hosts')


def test_another_pod_with_the_uid_of_one_that_goes(state):
    """A pod that is renamed and keeps the UID of its manifest keeps its directories too."""
    metadata = {'uid': 'renamed-uid'}
    state.put('before', manifest('before', [], [], metadata=metadata))
    state.ready('before')
    hosts = state.host.path(f'{PODS}/renamed-uid/etc-hosts')
    state.put('after', manifest('after', [], [], metadata=metadata))
    state.ready('after')
    os.unlink(state.host.path('/etc/kubernetes/manifests/before.yaml'))
    wait_for(lambda: all(p['name'] != 'before-node1' for p in state.podwatch.status()['pods']), 20, 'the one before to go')
    assert os.path.exists(hosts)
    os.unlink(state.host.path('/etc/kubernetes/manifests/after.yaml'))
    wait_for(lambda: not os.path.exists(hosts), 20, 'the directory to go with the last of them')


PODS = '/var/lib/kubelet/pods'
LINKS = 50000  # names of one file: ext4 has at most 65,000


def fill(state, name, files):
    """Puts files into the only volume of a pod that runs; gives the path of the pod's directory and its UID."""
    state.put(name, manifest(name, [{'name': 'v', 'emptyDir': {}}], [{'name': 'v', 'mountPath': '/v'}]))
    state.ready(name)
    uid = state.pod(name)['metadata']['uid']
    directory = state.host.path(f'{PODS}/{uid}')
    volume = f'{directory}/volumes/kubernetes.io~empty-dir/v'
    for part in range(files // LINKS):
        os.mkdir(f'{volume}/{part}')
        first = f'{volume}/{part}/first'
        open(first, 'w').close()
        for i in range(LINKS - 1):
            os.link(first, f'{volume}/{part}/{i}')
    return directory, uid


def remove(state, name, directory):
    """Takes the manifest away, and comes back once the pod's directory has left its place."""
    os.unlink(state.host.path(f'/etc/kubernetes/manifests/{name}.yaml'))
    wait_for(lambda: not os.path.exists(directory), 60, 'the directory of the pod to go', 0.002)


def left(state, uid):
    """Whether something of the pod is there, in the trash or not."""
    trash = state.host.path(f'{PODS}/.trash')
    return os.path.exists(state.host.path(f'{PODS}/{uid}')) or (os.path.exists(trash) and bool(os.listdir(trash)))


def test_a_huge_volume_holds_up_nobody(state):
    probe = {'readinessProbe': {'exec': {'command': ['true']}, 'periodSeconds': 1}}
    state.put('beside', manifest('beside', [], [], command=['sleep', '100001'], container=probe))
    state.ready('beside')
    directory, uid = fill(state, 'huge', 4 * LINKS)
    first = state.pod('beside')['metadata']['uid']
    remove(state, 'huge', directory)
    state.put('beside', manifest('beside', [], [], command=['sleep', '100002'], container=probe))
    answers = 0
    while left(state, uid):
        answers += state.podwatch.api('/healthz')[0] == 200
    assert answers >= 10, answers
    wait_for(lambda: state.pod('beside')['metadata']['uid'] != first, 20, 'the edit to be taken')
    state.ready('beside')
    assert not os.path.exists(state.host.path(f'{PODS}/.trash'))
    os.unlink(state.host.path('/etc/kubernetes/manifests/beside.yaml'))


def test_a_removal_that_was_cut_short_goes_on(state):
    directory, uid = fill(state, 'huge', LINKS)
    remove(state, 'huge', directory)
    state.podwatch.kill9()
    assert left(state, uid) and not os.path.exists(directory)
    state.podwatch.start()
    wait_for(lambda: not left(state, uid), 60, 'the trash to be emptied')
    assert 'what is left of a pod that is gone' not in state.podwatch.log_text()


def test_root_dir_may_be_a_symlink(state):
    """All that pods have below --root-dir is made, found again and removed by its real name; what only leads there stays."""
    manifests, real = state.host.path('/etc/kubernetes/manifests'), state.host.path('/etc/kubernetes/elsewhere/kubelet')
    for name in os.listdir(manifests):
        os.unlink(f'{manifests}/{name}')
    wait_for(lambda: not state.podwatch.pods(), 30, 'the pods of before to go')
    state.podwatch.stop()
    state.host.run(['sh', '-c', 'mkdir -p /etc/kubernetes/elsewhere/kubelet; ln -s elsewhere/kubelet /etc/kubernetes/link'])
    state.podwatch.args = ['--root-dir', '/etc/kubernetes/link/']
    state.podwatch.start()
    volumes = [{'name': 'disk', 'emptyDir': {}}, {'name': 'memory', 'emptyDir': {'medium': 'Memory'}}, host_path('host', f'{DATA}/tree'),
               {'name': 'down', 'downwardAPI': {'items': [{'path': 'name', 'fieldRef': {'fieldPath': 'metadata.name'}}]}}]
    mounts = [{'name': v['name'], 'mountPath': f"/{v['name']}"} for v in volumes] + [{'name': 'host', 'mountPath': '/inner', 'subPath': 'inner'}]
    state.put('linked', manifest('linked', volumes, mounts, command=['sh', '-c', 'echo last words > /dev/termination-log; sleep 100000']))
    state.ready('linked')
    directory = f"{real}/pods/{state.pod('linked')['metadata']['uid']}"
    see = 'cat /disk/x /memory/x /inner/x; cat /down/name; grep -c " /memory tmpfs" /proc/mounts; grep -c linked /etc/hosts'
    state.inside('linked', 'for d in disk memory inner; do echo $d > /$d/x; done')
    seen = 'disk\nmemory\ninner\nlinked-node11\n0\n'
    assert state.inside('linked', see) == seen, state.inside('linked', see)
    assert os.path.isdir(directory) and os.path.exists(state.path('tree/inner/x'))

    def container():
        return state.pod('linked')['status']['containerStatuses'][0]
    before = container()['containerID']
    state.podwatch.kill9()
    state.podwatch.start()
    state.ready('linked')
    assert container()['containerID'] == before
    state.host.docker.kill(before.removeprefix('docker://'))
    wait_for(lambda: container()['restartCount'] == 1, 20, 'the restart')
    state.ready('linked')
    assert state.inside('linked', see) == seen, state.inside('linked', see)
    assert container()['lastState']['terminated']['message'] == 'last words\n', container()
    os.unlink(f'{manifests}/linked.yaml')
    wait_for(lambda: not os.path.exists(directory), 20, 'the directory of the pod to go')
    assert '/elsewhere/kubelet/pods/' not in state.host.read('/proc/self/mounts')
    assert sorted(os.listdir(state.path('tree/inner'))) == ['a', 'b', 'up', 'x'] and os.path.islink(state.host.path('/etc/kubernetes/link'))
