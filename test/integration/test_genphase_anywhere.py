# SPDX-License-Identifier: Apache-2.0
"""genphase with the facts of a host given: a user without any right, in a network namespace in which nothing is up, on a host of another
name, writes what root writes here, and opens no socket on the way."""
import base64
import glob
import os
import re
import shutil
import subprocess
import tempfile

from harness import program

NOBODY = 65534
FACTS = '''\
apiVersion: genphase/v1
kind: HostFacts
nodeName: far-away
defaultAddress: 203.0.113.7
defaultAddressIPv6: fd00::7
loopbackAddress: null
caDirectories: [/usr/share/ca-certificates, /etc/pki]
criSockets: [/var/run/crio/crio.sock]
openCRISockets: [/var/run/crio/crio.sock]
proxyVariables: [{name: HTTPS_PROXY, value: http://proxy:3128}]
activeServices: [systemd-resolved]
'''
# No address, no name and no socket: the facts have them.
CONFIG = '''\
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
encryptionAlgorithm: ECDSA-P256
'''
OFFLINE = 'preflight,wait-control-plane,upload-config,upload-certs,mark-control-plane,bootstrap-token,addon,show-join-command,kubelet-finalize'
WRITING = [['certs', 'all'], ['kubeconfig', 'all'], ['control-plane', 'all'], ['etcd', 'local'], ['kubelet-start'], ['proxy'],
           ['certs', 'renew', 'all'], ['certs', 'generate-csr', '--cert-dir', '/new', '--kubeconfig-dir', '/new']]
PRINTING = [['control-plane', 'all', '-o', 'yaml'], ['control-plane', 'all', '-o', 'json', '--dry-run'], ['etcd', 'local', '-o', 'yaml'],
            ['proxy', '-o', 'yaml'], ['addon', 'coredns', '--print-manifest'], ['addon', 'kube-proxy', '--print-manifest'], ['images', 'list'],
            ['config', 'images', 'list'], ['config', 'validate'], ['config', 'print', 'init-defaults'], ['host-facts'],
            ['kubelet-start', '--dry-run'], ['explain', 'kube-apiserver'], ['diff']]


class Side:
    """Where genphase runs: copies of the programs and the files beside a root directory, all of it the user's own."""

    def __init__(self, directory, user):
        self.directory, self.user, self.root = directory, user, f'{directory}/root'
        os.makedirs(self.root)
        for path in [p for p in glob.glob(f'{program("genphase")}*') if os.path.isfile(p)]:
            shutil.copy(path, directory)
        for name, text in (('facts.yaml', FACTS), ('kubeadm.yaml', CONFIG)):
            with open(f'{directory}/{name}', 'w') as f:
                f.write(text)
        self.owned()

    def owned(self):
        for at, names, files in os.walk(self.directory):
            for name in ['.', *names, *files]:
                os.chown(f'{at}/{name}', self.user, self.user)

    def argv(self, verb):
        config = [] if verb[0] == 'host-facts' or 'print' in verb else ['--config', 'kubeadm.yaml']
        return [f'{self.directory}/genphase', *verb, *config, '--rootfs', self.root, '--host-facts', 'facts.yaml', '--kubeadm-version', 'v1.36.3']

    def env(self, **more):
        return {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'ASAN_OPTIONS': 'detect_leaks=0', **more}

    def spawn(self, argv, env):
        result = subprocess.run(argv, cwd=self.directory, env=env, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, (argv, result.stdout, result.stderr)
        return result.stdout.replace(self.directory, 'DIRECTORY'), result.stderr.replace(self.directory, 'DIRECTORY')

    def run(self, verb):
        return self.spawn(self.argv(verb), self.env(HOME='/root', HTTP_PROXY='http://here'))

    def files(self):
        found = {}
        for at, names, files in os.walk(self.root):
            for name in names:
                found[os.path.relpath(f'{at}/{name}', self.root)] = (os.lstat(f'{at}/{name}').st_mode, b'')
            for name in files:
                with open(f'{at}/{name}', 'rb') as f:
                    found[os.path.relpath(f'{at}/{name}', self.root)] = (os.fstat(f.fileno()).st_mode, f.read())
        return found


class Elsewhere(Side):
    """No root, no capability, no network, another host name, another environment; watched for sockets."""

    def run(self, verb):
        trace = f'{self.directory}/trace'
        inside = ['hostname elsewhere', '[ "$(ip -br link | grep -cv DOWN)" = 0 ]',
                  f'exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"']
        traced = ['strace', '-f', '-qq', '-o', trace, '-e', 'trace=network', *self.argv(verb)]
        out = self.spawn(['unshare', '--net', '--uts', 'sh', '-euc', '\n'.join(inside), 'sh', *traced], self.env(https_proxy='http://there'))
        with open(trace) as f:
            calls = f.read()
        os.unlink(trace)
        assert not re.search(r'\w\(', calls), (verb, calls)
        return out


def shown(data):
    """What a certificate or request says, but for keys, signatures, serial numbers and times."""
    for kind, command in ((b'CERTIFICATE REQUEST', 'req'), (b'CERTIFICATE', 'x509')):
        if b'-----BEGIN ' + kind in data:
            options = [f'-{"cert" if command == "x509" else "req"}opt', 'no_serial,no_validity,no_sigdump']
            text = subprocess.run(['openssl', command, '-noout', '-text', *options], input=data, capture_output=True, check=True).stdout.decode()
            return re.sub(r'(pub|X509v3 (Subject|Authority) Key Identifier): *\n( +([0-9A-F]{2}:?)+\n)+', r'\1\n', text, flags=re.I)
    return ''


def of_kubeconfig(data):
    """A kubeconfig file with its certificate as text and without the key."""
    def replaced(match):
        return match[1] + (b'' if b'key' in match[1] else shown(base64.b64decode(match[2])).encode())
    return re.sub(rb'(\S+-data: )(\S+)', replaced, data)


def without_keys(files):
    def left(name, data):
        if name.endswith(('.key', '.pub')):
            return re.findall(rb'-----.*-----', data)
        return shown(data) if name.endswith(('.crt', '.csr')) else of_kubeconfig(data)
    return {name: (mode, left(name, data)) for name, (mode, data) in files.items()}


def same(here, there):
    """The same files, byte for byte but for what is random."""
    ours, theirs = without_keys(here.files()), without_keys(there.files())
    assert set(ours) == set(theirs), set(ours) ^ set(theirs)
    for name in ours:
        assert ours[name] == theirs[name], (name, ours[name], theirs[name])
    return theirs


def sides(directory):
    os.chmod(directory, 0o755)
    return Side(f'{directory}/here', 0), Elsewhere(f'{directory}/there', NOBODY)


def test_same_bytes_without_root_network_and_name():
    with tempfile.TemporaryDirectory() as directory:
        here, there = sides(directory)
        for verb in WRITING:
            assert here.run(verb) == there.run(verb), verb
        written = same(here, there)
        pod = written['etc/kubernetes/manifests/kube-apiserver.yaml'][1].decode()
        assert '--advertise-address=203.0.113.7' in pod and 'http://proxy:3128' in pod and 'http://there' not in pod, pod
        assert '203.0.113.7' in written['etc/kubernetes/pki/apiserver.crt'][1] and 'far-away' in written['etc/kubernetes/pki/etcd/server.crt'][1]
        assert 'CN = system:node:far-away' in written['etc/kubernetes/kubelet.conf'][1].decode()
        before = there.files()
        for verb in PRINTING:
            assert here.run(verb) == there.run(verb), verb
        assert there.files() == before


def test_init_without_root_network_and_name():
    with tempfile.TemporaryDirectory() as directory:
        here, there = sides(directory)
        said = [side.run(['init', '--skip-phases', OFFLINE]) for side in (here, there)]
        assert said[0] == said[1] and 'far-away' in said[0][0], said
        same(here, there)
