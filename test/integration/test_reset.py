# SPDX-License-Identifier: Apache-2.0
"""reset beside a real kubeadm: the same words, and the same trees afterwards."""
import http.server
import json
import os
import re
import socketserver
import subprocess
import sys
import tempfile
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../parity'))
import dialogue  # noqa: E402
import scripted_api  # noqa: E402
from harness import Cluster, Host, Podwatch, peers, wait_for  # noqa: E402
from kubeadm_beside import GENPHASE, VERSION, Beside, last_line  # noqa: E402

CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ResetConfiguration
criSocket: unix:///run/containerd/containerd.sock
"""
SOCKET = ['--cri-socket', 'unix:///run/containerd/containerd.sock']


def fill(root):
    for path in ('manifests/etcd.yaml', 'manifests/other', 'pki/ca.crt', 'pki/etcd/ca.key', 'admin.conf', 'super-admin.conf', 'kubelet.conf',
                 'bootstrap-kubelet.conf', 'controller-manager.conf', 'scheduler.conf', 'mine.conf', 'tmp/x/y', '../../srv/pki/ca.crt'):
        full = os.path.normpath(f'{root}/etc/kubernetes/{path}')
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w') as f:
            f.write('apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\nspec:\n  containers: [{name: etcd, image: e}]\n  volumes:\n'
                    '  - name: etcd-data\n    hostPath: {path: /etc/kubernetes/data}\n' if path == 'manifests/etcd.yaml' else path)
    for path in ('etc/kubernetes/data/member/snap', 'var/lib/kubelet/pods/u/volumes'):
        os.makedirs(f'{root}/{path}')


def compare(args, stdin='', genphase_args=(), config=None, inputs=()):
    with tempfile.TemporaryDirectory(prefix='reset-') as directory:
        beside = Beside(directory, config or CONFIG)
        for root in beside.roots.values():
            fill(root)
            for path, text in dict(inputs).items():
                os.makedirs(os.path.dirname(root + path), exist_ok=True)
                with open(root + path, 'w') as f:
                    f.write(text)
        socket = [] if '--config' in args else SOCKET
        theirs = beside.kubeadm('reset', *args, *socket, stdin=stdin)
        ours = beside.genphase('reset', *args, *genphase_args, stdin=stdin)
        assert (ours.code, ours.out) == (theirs.code, theirs.out), f'{theirs.out}{theirs.err}\n---\n{ours.out}{ours.err}'
        if theirs.code:
            assert last_line(ours.err) == last_line(theirs.err), f'{theirs.err}\n---\n{ours.err}'
        a, b = (beside.files(who) for who in ('kubeadm', 'genphase'))
        assert a == b, sorted(set(a) ^ set(b))
        return a, ours


def test_whole():
    files, _ = compare(['--force'])
    assert '/etc/kubernetes/mine.conf' in files and '/etc/kubernetes/tmp/x/y' in files
    assert not any(path.startswith(('/etc/kubernetes/manifests/', '/etc/kubernetes/pki/', '/var/lib/kubelet/', '/etc/kubernetes/data/'))
                   for path in files), files


def test_options():
    files, _ = compare(['-f', '--cleanup-tmp-dir'])
    assert '/etc/kubernetes/tmp/x' not in files
    files, _ = compare(['-f', '--skip-phases', 'cleanup-node'])
    assert '/etc/kubernetes/pki/ca.crt' in files
    more = 'force: true\ncleanupTmpDir: true\nskipPhases: [remove-etcd-member]\n'
    files, _ = compare(['--config', 'kubeadm.yaml'], config=CONFIG + more)
    assert '/etc/kubernetes/data/member' in files and '/etc/kubernetes/tmp/x' not in files
    for answer in ('', 'n\n', 'yes\n', 'Y\n'):
        compare([], stdin=answer)
    compare(['-f', '--cert-dir', '/srv/pki', '--config', 'kubeadm.yaml'])
    for directory in '', 'pki', './pki':
        compare(['-f', '--cert-dir', directory])
    for more in 'certificatesDir: pki\n', 'certificatesDir: ""\n', 'unmountFlags: [MNT_DETACH, MNT_NONE]\n', 'unmountFlags: [MNT_DETACH]\n':
        compare(['--config', 'kubeadm.yaml'], config=CONFIG + 'force: true\n' + more)
    compare(['-f', '--ignore-preflight-errors', 'all,Swap'])


def test_phases():
    for phase in ('preflight', 'cleanup-node'):
        with tempfile.TemporaryDirectory(prefix='reset-') as directory:
            beside = Beside(directory, CONFIG)
            for root in beside.roots.values():
                fill(root)
            force = ['--force'] if phase == 'preflight' else []
            theirs = beside.kubeadm('reset', 'phase', phase, *force)
            ours = beside.genphase('reset', 'phase', phase, *force)
            assert (ours.code, ours.out) == (theirs.code, theirs.out), f'{theirs.out}{theirs.err}\n---\n{ours.out}{ours.err}'
            assert beside.files('kubeadm') == beside.files('genphase')


def test_unmounts():
    """What is mounted below the kubelet's directory is unmounted and not deleted through."""
    with tempfile.TemporaryDirectory(prefix='reset-') as directory:
        beside = Beside(directory, CONFIG)
        root = beside.roots['genphase']
        fill(root)
        os.makedirs(f'{directory}/precious')
        with open(f'{directory}/precious/file', 'w'):
            pass
        volume = f'{root}/var/lib/kubelet/pods/u/volumes'
        script = f'mount --bind {directory}/precious {volume} && "$@" --dry-run && echo && "$@" && ! grep -q " {volume} " /proc/mounts'
        result = subprocess.run(['unshare', '--mount', 'bash', '-c', script, 'bash', GENPHASE, 'reset', '--force', '--rootfs', root, '-o', 'json'],
                                capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        dry, told = ([json.loads(line) for line in part.splitlines()] for part in result.stdout.split('\n\n'))
        assert [{**line, 'dryRun': True} for line in told] == dry, (dry, told)
        assert {'action': 'unmount', 'path': '/var/lib/kubelet/pods/u/volumes', 'phase': 'cleanup-node'} in told, told
        assert not [line for line in told if 'precious' in line['path'] or line['path'].endswith('volumes/file')], told
        assert os.path.exists(f'{directory}/precious/file')
        assert os.listdir(f'{root}/var/lib/kubelet') == []


def test_what_cannot_be_unmounted_is_not_emptied():
    """The kernel refuses a mount of a namespace above with EINVAL, as it does one that is gone already."""
    with tempfile.TemporaryDirectory(prefix='reset-') as directory:
        beside = Beside(directory, CONFIG)
        root = beside.roots['genphase']
        fill(root)
        volume = f'{root}/var/lib/kubelet/pods'
        os.makedirs(f'{directory}/precious')
        with open(f'{directory}/precious/file', 'w'):
            pass
        script = f'mount --bind {directory}/precious {volume} && exec unshare --user --map-root-user --mount "$@"'
        result = subprocess.run(['unshare', '--mount', 'bash', '-c', script, 'bash', GENPHASE, 'reset', '--force', '--rootfs', root],
                                capture_output=True, text=True)
        assert os.path.exists(f'{directory}/precious/file'), result
        assert result.returncode == 1 and '/var/lib/kubelet/pods" in "/var/lib/kubelet" is still mounted' in result.stderr, result


def test_dry_run():
    """kubeadm's dry run of reset wants a cluster; the lines are the same as far as it goes without one."""
    with tempfile.TemporaryDirectory(prefix='reset-') as directory:
        beside = Beside(directory, CONFIG)
        for root in beside.roots.values():
            fill(root)
        before = beside.files('genphase')
        ours = beside.genphase('reset', '--dry-run')
        assert ours.code == 0 and beside.files('genphase') == before
        theirs = beside.kubeadm('reset', 'phase', 'cleanup-node', '--dry-run')
        phase = beside.genphase('reset', 'phase', 'cleanup-node', '--dry-run')
        assert (phase.code, phase.out) == (theirs.code, theirs.out), f'{theirs.out}{theirs.err}\n---\n{phase.out}{phase.err}'


def test_podwatch():
    """podwatch stops its pods before anything of theirs goes, and nothing of them is left."""
    host = Host('reset')
    host.docker.make_busybox()
    podwatch = Podwatch(host).start()
    # The container says on its way out whether its files are still there.
    script = 'trap "test -e /pki/ca.crt && echo kept >/seen/kept; exit" TERM; while :; do sleep 0.1; done'
    spec = {'terminationGracePeriodSeconds': 5, 'hostNetwork': True,
            'containers': [{'name': 'main', 'image': 'localhost/busybox:1', 'command': ['sh', '-c', script],
                            'volumeMounts': [{'name': 'pki', 'mountPath': '/pki'}, {'name': 'seen', 'mountPath': '/seen'}]}],
            'volumes': [{'name': 'pki', 'hostPath': {'path': '/etc/kubernetes/pki'}},
                        {'name': 'seen', 'hostPath': {'path': '/etc/kubernetes/seen'}}]}
    host.run(['mkdir', '-p', '/etc/kubernetes/seen', '/etc/kubernetes/pki'])
    host.write('/etc/kubernetes/pki/ca.crt', 'x')
    host.write('/etc/kubernetes/manifests/a.yaml', json.dumps({'apiVersion': 'v1', 'kind': 'Pod', 'metadata': {'name': 'a'}, 'spec': spec}))
    podwatch.wait_ready('default/a-node1')
    result = host.run([GENPHASE, 'reset', '--force'])
    assert 'waiting until podwatch has stopped their pods' in result.stdout, result.stdout + result.stderr
    assert 'still there' not in result.stderr, result.stderr
    left = host.run(['docker', 'ps', '-aq', '--filter', 'label=io.kubernetes.pod.uid']).stdout
    assert left == '', left
    assert os.listdir(host.path('/etc/kubernetes/seen')) == ['kept']
    assert not os.listdir(host.path('/etc/kubernetes/pki')) and not os.listdir(host.path('/etc/kubernetes/manifests'))


CLUSTER = f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v{VERSION}
certificatesDir: /etc/kubernetes/other
etcd: {{local: {{dataDir: /etc/kubernetes/configured}}}}
"""
IN_SYSTEM = '/api/v1/namespaces/kube-system'
OF_CLUSTER = {'configmaps/kubeadm-config': {'ClusterConfiguration': CLUSTER},
              'configmaps/kubelet-config': {'kubelet': 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n'},
              'configmaps/kube-proxy': {'config.conf': 'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n'}}


def serve_cluster():
    """An API server with what kubeadm asks a cluster for: the server, its address, and its rules."""
    objects = {f'{IN_SYSTEM}/{path}': {'apiVersion': 'v1', 'kind': 'ConfigMap', 'data': data,
                                       'metadata': {'name': path.partition('/')[2], 'namespace': 'kube-system'}} for path, data in OF_CLUSTER.items()}
    objects['/api/v1/nodes/node1'] = {'apiVersion': 'v1', 'kind': 'Node', 'metadata': {
        'name': 'node1', 'annotations': {'kubeadm.alpha.kubernetes.io/cri-socket': SOCKET[1]}}}
    script = {'objects': objects, 'rules': []}
    store = scripted_api.Store(script)
    server = scripted_api.Server(store, ('127.0.0.1', 0), dialogue.credentials())
    store.port = server.server_address[1]
    return server, f'https://127.0.0.1:{store.port}', script['rules']


def test_what_the_cluster_says():
    """The data directory of its configuration goes, in kubeadm's words; where it refuses, and where nobody listens, that of the manifest."""
    server, address, rules = serve_cluster()
    kubeconfigs = {f'/etc/kubernetes/{name}.conf': dialogue.kubeconfig(user, address)
                   for name, user in (('admin', 'kubernetes-admin'), ('kubelet', 'system:node:node1'))}
    more = 'force: true\ntimeouts: {etcdAPICall: 1s, kubernetesAPICall: 1s}\n'
    reading = '[reset] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...'

    def left(config=CONFIG + more):
        files, ours = compare(['--config', 'kubeadm.yaml'], config=config, inputs={**kubeconfigs, '/etc/kubernetes/configured/member/x': 'x'})
        assert ours.out.startswith(reading), ours.out
        return [name for name in ('configured', 'data', 'pki') if f'/etc/kubernetes/{name}/member' in files], ours
    assert left()[0] == ['data']
    rules.append({'path': f'{IN_SYSTEM}/configmaps/kubeadm-config', 'status': 403, 'message': 'forbidden'})
    kept, ours = left()
    assert kept == ['configured'] and 'Unable to fetch the kubeadm-config ConfigMap from cluster: failed to get config map: forbidden' in ours.err, ours.err
    server.shutdown()
    server.server_close()
    kept, ours = left()
    assert kept == ['configured'] and 'Unable to fetch the kubeadm-config ConfigMap from cluster: failed to get config map: ' in ours.err, ours.err


class StubbornDocker(http.server.BaseHTTPRequestHandler):
    """An engine with four containers of pods, two of which it cannot remove."""
    protocol_version = 'HTTP/1.1'
    removed = []

    def answer(self, status, body):
        data = json.dumps(body).encode() if body is not None else b''
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        if data:
            self.wfile.write(data)

    def do_GET(self):
        if '/containers/json' in self.path:
            self.answer(200, [{'Id': letter * 64, 'Names': [f'/{letter}'], 'Image': 'i', 'State': 'running', 'Created': 1,
                               'Labels': {'io.kubernetes.pod.uid': 'u'}} for letter in 'abcd'])
        else:
            self.answer(200, {'Version': '24.0.7', 'ApiVersion': '1.43', 'MinAPIVersion': '1.12'})

    def do_DELETE(self):
        letter = self.path.partition('/containers/')[2][:1]
        if letter in 'ac':
            self.answer(500, {'message': f'driver failed to remove {letter}'})
        else:
            self.removed.append(letter)
            self.answer(204, None)

    def log_message(self, *args):
        pass

    def address_string(self):
        return 'a unix socket'


def test_container_that_cannot_be_removed():
    """The others go all the same, and each that stays is told."""
    host = Host('reset-stubborn', docker=False)
    server = socketserver.ThreadingUnixStreamServer(host.path('/run/stubborn.sock'), StubbornDocker)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        result = host.run([GENPHASE, 'reset', 'phase', 'cleanup-node', '--docker-host', 'unix:///run/stubborn.sock', '-o', 'json'], timeout=60)
    finally:
        server.shutdown()
        server.server_close()
    assert StubbornDocker.removed == ['b', 'd'], (StubbornDocker.removed, result)
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line['container'] for line in told if 'container' in line] == ['b' * 64, 'd' * 64], told
    for letter in 'ac':
        assert f'driver failed to remove {letter}' in result.stderr, result
    assert 'Failed to remove containers: [' + 'a' * 64 + ': ' in result.stderr, result


SECOND = '/etc/kubernetes/second'
SECOND_CLIENT, SECOND_PEER = 'https://127.0.0.1:12379', 'https://127.0.0.1:12380'


def etcdctl(host, endpoint, *args, check=True):
    return host.run([f'{peers()}/etcdctl', f'--endpoints={endpoint}', f'--cacert={SECOND}/pki/ca.crt', f'--cert={SECOND}/pki/peer.crt',
                     f'--key={SECOND}/pki/peer.key', *args], check=check)


def start_second_member(host):
    """Another member on the same host, with files of its own, as a second control-plane node would have it."""
    host.run(['sh', '-c', f'mkdir {SECOND} && cp -a /etc/kubernetes/pki/etcd {SECOND}/pki'])
    first = f'https://{host.node_address}'
    wait_for(lambda: etcdctl(host, f'{first}:2379', 'endpoint', 'health'), 60, 'etcd to be healthy', 0.5)
    # A member is not taken while the cluster is young.
    wait_for(lambda: etcdctl(host, f'{first}:2379', 'member', 'add', 'second', f'--peer-urls={SECOND_PEER}'), 60, 'the second member', 0.5)
    tls = [f'--{prefix}{option}={SECOND}/pki/{file}' for prefix in ('', 'peer-')
           for option, file in (('cert-file', 'peer.crt'), ('key-file', 'peer.key'), ('trusted-ca-file', 'ca.crt'))]
    with open(f'{host.logs}/second.log', 'w') as log:
        host.popen([f'{peers()}/etcd', '--name=second', f'--data-dir={SECOND}/data', f'--listen-client-urls={SECOND_CLIENT}',
                    f'--advertise-client-urls={SECOND_CLIENT}', f'--listen-peer-urls={SECOND_PEER}',
                    f'--initial-advertise-peer-urls={SECOND_PEER}', '--initial-cluster-state=existing', '--client-cert-auth=true',
                    '--peer-client-cert-auth=true', f'--initial-cluster=node1={first}:2380,second={SECOND_PEER}', *tls],
                   stdout=log, stderr=subprocess.STDOUT)
    wait_for(lambda: etcdctl(host, SECOND_CLIENT, 'endpoint', 'health'), 60, 'the second member to be healthy', 0.5)


def members(host):
    found = json.loads(etcdctl(host, SECOND_CLIENT, 'member', 'list', '-w', 'json').stdout)['members']
    return sorted(m['name'] for m in found)


def test_member_leaves_its_etcd_cluster():
    """Without an API server: the rest of the cluster keeps its quorum and what it holds; nothing of the member is left."""
    host = Host('reset-etcd')
    cluster = Cluster(host)
    cluster.build_images()
    podwatch = Podwatch(host).start()
    cluster.render('certs all', 'etcd local')
    podwatch.wait_ready('kube-system/etcd-node1', timeout=90)
    start_second_member(host)
    assert members(host) == ['node1', 'second']
    etcdctl(host, SECOND_CLIENT, 'put', 'kept', 'yes')
    result = host.run([GENPHASE, 'reset', '--force', '-o', 'json'], timeout=240)
    assert 'Failed to remove etcd member' not in result.stderr, result.stderr
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(line['action'], line['peerURL']) for line in told if 'etcdMember' in line] == [('remove', f'https://{host.node_address}:2380')], told
    assert '/etc/kubernetes/manifests/etcd.yaml' in [line.get('path') for line in told], told
    assert members(host) == ['second']
    assert etcdctl(host, SECOND_CLIENT, 'get', 'kept', '--print-value-only').stdout == 'yes\n'
    etcdctl(host, SECOND_CLIENT, 'put', 'kept', 'still')
    assert os.listdir(host.path('/var/lib/etcd')) == []
    assert host.run(['docker', 'ps', '-aq', '--filter', 'label=io.kubernetes.pod.uid']).stdout == ''


def test_member_that_does_not_answer():
    """A dead etcd is said at once, a dead API server too, and reset goes on."""
    host = Host('reset-dead')
    cluster = Cluster(host)
    cluster.render('certs all', 'kubeconfig admin', 'etcd local')
    host.run(['mkdir', '-p', '/var/lib/etcd/member'])
    result = host.run([GENPHASE, 'reset', '--force'], timeout=60)
    assert re.search(r'Failed to remove etcd member: .*2379.*refused.*, please manually remove this etcd member using etcdctl', result.stderr,
                     re.I), result.stderr
    assert 'Unable to fetch the kubeadm-config ConfigMap from cluster: failed to get config map: ' in result.stderr, result.stderr
    assert os.listdir(host.path('/var/lib/etcd')) == []
