# SPDX-License-Identifier: Apache-2.0
"""Bad input and failing writes: genphase names the place, fails, and leaves the tree exactly as it was."""
import hashlib
import os
import shutil
import stat
import subprocess
import tempfile

from harness import program

GENPHASE = program('genphase')
CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: 192.0.2.10
nodeRegistration:
  name: node1
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
networking:
  podSubnet: 10.244.0.0/16
"""
PHASES = [['control-plane', 'all'], ['etcd', 'local'], ['proxy', '-o', 'yaml'], ['config', 'validate'], ['config', 'images', 'list']]
WRITING = [['control-plane', 'all'], ['etcd', 'local'], ['proxy']]


def digest(root):
    """One hash of everything below root: names, kinds, modes, inodes, times and content."""
    h = hashlib.sha256()
    for directory, names, files in os.walk(root):
        names.sort()
        for name in ['.', *sorted(files)]:
            path = os.path.join(directory, name)
            st = os.lstat(path)
            h.update(f'{path} {st.st_mode} {st.st_ino} {st.st_mtime_ns} {st.st_uid}\n'.encode())
            if stat.S_ISREG(st.st_mode):
                with open(path, 'rb') as f:
                    h.update(f.read())
    return h.hexdigest()


class Tree:
    """A root with manifests and a data directory of an earlier run in it, and a configuration beside it."""

    def __init__(self, directory, config=CONFIG):
        self.directory = directory
        self.root = f'{directory}/root'
        os.makedirs(self.root, exist_ok=True)
        self.configure(config)

    def configure(self, text):
        with open(f'{self.directory}/kubeadm.yaml', 'w') as f:
            f.write(text)

    def run(self, phase, before=()):
        return subprocess.run([*before, GENPHASE, *phase, '--rootfs', self.root, '--config', 'kubeadm.yaml'], cwd=self.directory,
                              env={'PATH': os.environ['PATH'], 'ASAN_OPTIONS': 'detect_leaks=0'}, capture_output=True, text=True,
                              timeout=60)

    def fill(self):
        for phase in WRITING:
            result = self.run(phase)
            assert result.returncode == 0, result.stderr


def fails(tree, phase, *parts, before=()):
    """The phase ends with 1, says each part on standard error, and changes nothing."""
    was = digest(tree.root)
    result = tree.run(phase, before)
    assert result.returncode == 1, (phase, result)
    assert result.stderr.splitlines()[-1].startswith('error: '), result.stderr
    for part in parts:
        assert part in result.stderr, (part, result.stderr)
    assert digest(tree.root) == was, phase


def with_tree(function):
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        tree.fill()
        function(tree)


def test_bad_configuration():
    cases = [
        (CONFIG.replace('podSubnet', 'podSubnets'), ['kubeadm.yaml:12:3: unknown field "networking.podSubnets"; did you mean "podSubnet"?']),
        (CONFIG + 'apiServer:\n  extraArgs: x\n', ['kubeadm.yaml:14:14: apiServer.extraArgs: expected a list of {name, value}']),
        (CONFIG + 'clusterName: [a]\n', ['kubeadm.yaml:13:14: clusterName: expected a string, found a list']),
        (CONFIG.replace('10.244.0.0/16', '10.244.0.0/33'),
         ['kubeadm.yaml:12:14: networking.podSubnet: Invalid value: "10.244.0.0/33": couldn\'t parse subnet']),
        (CONFIG.replace('192.0.2.10', '192.0.2.x'), ['kubeadm.yaml:4:21: couldn\'t use "192.0.2.x"']),
        (CONFIG.replace('v1.36.3', 'v1.99.0'), ['no kubeadm 1.99 is known']),
        (CONFIG.replace('name: node1', 'name: "node1'), ['kubeadm.yaml:']),
        (CONFIG + '\tclusterName: x\n', ['kubeadm.yaml:13:']),
        (CONFIG + 'clusterName: a\nclusterName: b\n', ['kubeadm.yaml:14:1: duplicate key "clusterName"']),
        (CONFIG + 'clusterName: "a\\0b"\n', ['kubeadm.yaml:13:14: ', 'NUL']),
        (CONFIG + 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
            f'{chr(98 + i)}: &{chr(98 + i)} [{", ".join("*" + chr(97 + i) for _ in range(9))}]\n' for i in range(8)), ['kubeadm.yaml:']),
        ('[' * 5000, ['kubeadm.yaml:1:']),
        ('', ['no InitConfiguration or ClusterConfiguration']),
        (CONFIG.replace('v1beta4\nkind: Init', 'v1beta1\nkind: Init'), ['your configuration file uses an old API spec']),
        (CONFIG.replace('node1', 'Node_1').replace('10.244.0.0/16', '10.0.0.0/7'),
         ['kubeadm.yaml:6:9: nodeRegistration.name: Invalid value: "node_1"', 'kubeadm.yaml:12:14: networking.podSubnet: Invalid value']),
    ]

    def check(tree):
        for config, parts in cases:
            tree.configure(config)
            for phase in PHASES:
                # An empty file holds nothing invalid: kubeadm config validate has no objection either.
                if config or phase != ['config', 'validate']:
                    fails(tree, phase, *parts)
    with_tree(check)


def test_missing_and_unreadable_configuration():
    def check(tree):
        os.unlink(f'{tree.directory}/kubeadm.yaml')
        fails(tree, ['control-plane', 'all'], 'unable to read config from "kubeadm.yaml" : open kubeadm.yaml: no such file or directory')
        os.mkdir(f'{tree.directory}/kubeadm.yaml')
        fails(tree, ['control-plane', 'all'], 'kubeadm.yaml: ')
        os.rmdir(f'{tree.directory}/kubeadm.yaml')
        os.mkfifo(f'{tree.directory}/kubeadm.yaml')
        fails(tree, ['control-plane', 'all'], 'kubeadm.yaml: not a regular file')
    with_tree(check)


def test_mixed_arguments():
    with_tree(lambda tree: fails(tree, ['control-plane', 'all', '--pod-network-cidr', '10.0.0.0/8', '--cert-dir', '/x'],
                                 "can not mix '--config' with arguments [cert-dir pod-network-cidr]"))


def test_unwritable_directory():
    """As a user who may read the tree and not write it."""
    user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']

    def check(tree):
        os.chmod(tree.directory, 0o755)
        for directory, names, files in os.walk(tree.root):
            for name in names + files:
                path = os.path.join(directory, name)
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
        tree.configure(CONFIG.replace('v1.36.3', 'v1.36.2'))
        fails(tree, ['control-plane', 'all'],
              'error execution phase control-plane/apiserver: failed to write static pod manifest file for "kube-apiserver" '
              '("/etc/kubernetes/manifests/kube-apiserver.yaml"): open /etc/kubernetes/manifests/kube-apiserver.yaml: permission denied',
              before=user)
        shutil.rmtree(f'{tree.root}/var')
        fails(tree, ['etcd', 'local'], 'failed to create the etcd data directory: "/var/lib/etcd": mkdir /var/lib/etcd: permission denied',
              before=user)
    with_tree(check)


def in_small_file_system(script, **values):
    """Run a shell script in a mount namespace with a tmpfs of 96 KiB at $ROOT; gives what it printed."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        setup = f'set -eu; cd {directory}; ROOT={tree.root}; mount -t tmpfs -o size=96k,mode=755 tmpfs $ROOT\n'
        env = {**os.environ, 'GENPHASE': GENPHASE, 'ASAN_OPTIONS': 'detect_leaks=0', **values}
        result = subprocess.run(['unshare', '-m', 'sh', '-c', setup + script], env=env, capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result
        return result.stdout


STATE = '(cd $ROOT && find . -exec stat -c "%n %i %a %s %y %F" {} + | sort; find . -type f ! -name full -exec sha256sum {} +)'


def test_full_disk():
    """Room for one or two of the three files: none is written, and what was there stays, byte for byte."""
    for free in ('0', '4', '8'):
        out = in_small_file_system(f'''
            "$GENPHASE" control-plane all --rootfs $ROOT --config kubeadm.yaml >/dev/null
            sed -i s/v1.36.3/v1.36.2/ kubeadm.yaml
            dd if=/dev/zero of=$ROOT/full bs=1k count=100 2>/dev/null || true
            truncate -s -{free}k $ROOT/full
            {STATE} >before
            if "$GENPHASE" control-plane all --rootfs $ROOT --config kubeadm.yaml >/dev/null 2>err; then echo written; fi
            {STATE} >after
            cmp before after
            cat err
            ''')
        assert 'no space left on device' in out and 'written' not in out, (free, out)
        assert 'error execution phase control-plane/' in out and '/root/' not in out, out


def test_full_disk_makes_no_directories():
    out = in_small_file_system(f'''
        dd if=/dev/zero of=$ROOT/full bs=1k count=100 2>/dev/null || true
        truncate -s -4k $ROOT/full
        {STATE} | grep -v '^[.] ' >before
        if "$GENPHASE" proxy -o yaml --rootfs $ROOT --config kubeadm.yaml >/dev/null; then echo printed; fi
        if "$GENPHASE" control-plane all --rootfs $ROOT --config kubeadm.yaml >/dev/null 2>err; then echo written; fi
        {STATE} | grep -v '^[.] ' >after
        cmp before after
        cat err
        ''')
    assert 'printed' in out and 'written' not in out and 'no space left on device' in out, out


def test_read_only_file_system():
    out = in_small_file_system(f'''
        "$GENPHASE" etcd local --rootfs $ROOT --config kubeadm.yaml >/dev/null
        mount -o remount,ro $ROOT
        {STATE} >before
        "$GENPHASE" etcd local --rootfs $ROOT --config kubeadm.yaml && echo unchanged
        if "$GENPHASE" control-plane scheduler --rootfs $ROOT --config kubeadm.yaml >/dev/null 2>err; then echo written; fi
        {STATE} >after
        cmp before after
        cat err
        ''')
    assert 'unchanged' in out and 'written' not in out and 'read-only file system' in out, out


def test_manifests_to_a_full_pipe():
    """What is printed and cannot be is an error too."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        with open('/dev/full', 'w') as full:
            result = subprocess.run([GENPHASE, 'control-plane', 'all', '-o', 'yaml', '--config', 'kubeadm.yaml'], cwd=tree.directory,
                                    env={'PATH': os.environ['PATH']}, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert result.returncode == 1 and 'standard output: No space left on device' in result.stderr, result
