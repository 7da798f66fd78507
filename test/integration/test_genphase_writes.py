# SPDX-License-Identifier: Apache-2.0
"""Every verb of genphase that writes: a disk that is full or read-only, no permission, a signal at any moment. What is left is
what was there before, or what the verb writes, and no temporary file."""
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from harness import program
from test_genphase_bad_input import CONFIG, digest

GENPHASE = program('genphase')
# What each verb needs to be there, and the verb. {new} is a path for what is written beside the tree. Words behind "+" are a command of their own.
VERBS = {
    'control-plane all': [['control-plane', 'all']],
    'etcd local': [['etcd', 'local']],
    'proxy': [['proxy']],
    'certs all': [['certs', 'all']],
    'certs renew': [['certs', 'all'], ['kubeconfig', 'all'], ['certs', 'renew', 'all']],
    'certs generate-csr': [['certs', 'generate-csr', '--cert-dir', '{new}', '--kubeconfig-dir', '{new}']],
    'kubeconfig all': [['certs', 'all'], ['kubeconfig', 'all']],
    'kubelet-start': [['certs', 'all'], ['kubeconfig', 'all'], ['kubelet-start']],
    'kubelet-finalize': [['certs', 'all'], ['kubeconfig', 'all'], ['+', 'install', '-D', '/dev/null', '{root}/var/lib/kubelet/pki/kubelet-client-current.pem'],
                         ['kubelet-finalize', 'all']],
    # What somebody changed by hand in two manifests.
    'diff': [['control-plane', 'all'], ['+', 'sed', '-i', '$ a # by hand', '{root}/etc/kubernetes/manifests/kube-apiserver.yaml'],
             ['+', 'sed', '-i', 's/hostNetwork: true/hostNetwork: false/', '{root}/etc/kubernetes/manifests/kube-apiserver.yaml',
              '{root}/etc/kubernetes/manifests/kube-scheduler.yaml'],
             ['diff', 'apiserver', 'scheduler', '--write-patches', '{new}']],
    'config migrate': [['config', 'migrate', '--old-config', 'kubeadm.yaml', '--new-config', '{new}/migrated.yaml']],
}
# `init` is one phase after the other, each of which is whole, so what is left in the middle is not told by old and new; where nothing can be
# written nothing is. Left out is what looks at the host or asks an API server.
INIT = {'init': [['init', '--skip-phases', 'preflight,wait-control-plane,upload-config,upload-certs,mark-control-plane,bootstrap-token,addon,show-join-command']]}
# A token, since `config migrate` would make one of its own each time.
OLD = CONFIG.replace('nodeRegistration:', 'bootstrapTokens: [{token: abcdef.0123456789abcdef}]\nnodeRegistration:') + 'encryptionAlgorithm: ECDSA-P256\n'
NEW = OLD.replace('v1.36.3', 'v1.36.2') + 'etcd:\n  local:\n    extraArgs: [{name: quota-backend-bytes, value: "1"}]\n'


class Tree:
    def __init__(self, directory):
        self.directory, self.root, self.new = directory, f'{directory}/root', f'{directory}/root/new'
        os.makedirs(self.new)
        self.configure(OLD)

    def configure(self, text):
        with open(f'{self.directory}/kubeadm.yaml', 'w') as f:
            f.write(text)

    def argv(self, verb, before=()):
        words = [w.format(new='/new' if 'generate-csr' in verb else self.new, root=self.root) for w in verb]
        if words[0] == '+':
            return words[1:]
        config = [] if verb[:2] == ['config', 'migrate'] else ['--config', 'kubeadm.yaml']
        return [*before, GENPHASE, *words, '--rootfs', self.root, *config]

    def start(self, verb, before=()):
        env = {'PATH': os.environ['PATH'], 'ASAN_OPTIONS': 'detect_leaks=0'}
        return subprocess.Popen(self.argv(verb, before), cwd=self.directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, verb, before=()):
        process = self.start(verb, before)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def must(self, verb):
        result = self.run(verb)
        assert result.returncode == 0, (verb, result.stdout, result.stderr)

    def files(self):
        found = {}
        for directory, _, names in os.walk(self.root):
            for name in names:
                with open(f'{directory}/{name}', 'rb') as f:
                    found[os.path.relpath(f'{directory}/{name}', self.root)] = f.read()
        return found


def temporary(files):
    return [name for name in files if os.path.basename(name).startswith('.') or name.endswith('.tmp')]


def with_tree(function, *args):
    with tempfile.TemporaryDirectory() as directory:
        function(Tree(directory), *args)


def test_verbs_are_all_there():
    """A verb that is new to the help and writes has to be put into the list above, or here."""
    listed = subprocess.run([GENPHASE, '--help'], capture_output=True, text=True, check=True).stdout
    commands = {line.split()[0] for line in listed.partition('Commands:')[2].partition('Options:')[0].splitlines() if line.startswith('  ')}
    known = {verb.split()[0] for verb in {**VERBS, **INIT}}
    # They print, or talk to Docker or an API server.
    others = {'addon', 'images', 'explain', 'token', 'completion', 'version', 'host-facts', 'preflight', 'wait-control-plane',
              'upload-config', 'upload-certs', 'mark-control-plane', 'bootstrap-token', 'show-join-command', 'reset'}
    assert commands <= known | others, commands - known - others


def script(tree, verb, body, **values):
    """A shell script in a mount namespace of its own with a small tmpfs at the root; $GO is the verb."""
    go = ' '.join(f"'{w}'" for w in tree.argv(verb))
    text = f'set -eu; cd {tree.directory}; ROOT={tree.root}; mount -t tmpfs -o size=1m,mode=755 tmpfs $ROOT; mkdir $ROOT/new\n{body}'
    env = {**os.environ, 'ASAN_OPTIONS': 'detect_leaks=0', 'GO': go, **values}
    result = subprocess.run(['unshare', '-m', 'sh', '-c', text], env=env, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, (verb, result.stdout, result.stderr)
    return result.stdout


STATE = '(cd $ROOT && find . ! -name full -exec stat -c "%n %i %a %s %y %F" {} + | sort; find . -type f ! -name full -exec sha256sum {} + | sort)'


def prepare(tree, verbs):
    """The shell words that run what the last verb needs."""
    return ''.join(' '.join(f"'{w}'" for w in tree.argv(v)) + ' >/dev/null 2>&1\n' for v in verbs[:-1])


def full_disk(tree, verbs, free):
    out = script(tree, verbs[-1], f'''{prepare(tree, verbs)}
        dd if=/dev/zero of=$ROOT/full bs=1k count=2000 2>/dev/null || true
        truncate -s -{free}k $ROOT/full
        {STATE} | grep -v '^[.] ' >before
        if eval "$GO" >out 2>err; then echo written; else echo failed; fi
        {STATE} | grep -v '^[.] ' >after
        if cmp -s before after; then echo same; else diff before after || true; fi
        cat err
        ''')
    assert out.startswith('failed\nsame\n') and 'no space left on device' in out.lower(), (verbs[-1], free, out)


def test_full_disk():
    for name, verbs in {**VERBS, **INIT}.items():
        # Where several files are written, also with room for some of them.
        for free in (0, 4, 8) if name in ('control-plane all', 'certs all', 'certs renew', 'kubeconfig all') else (0,):
            with_tree(full_disk, verbs, free)


def read_only(tree, verbs):
    out = script(tree, verbs[-1], f'''{prepare(tree, verbs)}
        mount -o remount,ro $ROOT
        {STATE} >before
        if eval "$GO" >out 2>err; then echo written; else echo failed; fi
        {STATE} >after
        if cmp -s before after; then echo same; else diff before after || true; fi
        cat err
        ''')
    assert out.startswith('failed\nsame\n') and 'read-only file system' in out.lower(), (verbs[-1], out)


def test_read_only_file_system():
    for verbs in {**VERBS, **INIT}.values():
        with_tree(read_only, verbs)


def no_permission(tree, verbs):
    for verb in verbs[:-1]:
        tree.must(verb)
    for directory, names, files in os.walk(tree.directory):
        for path in [directory, *(os.path.join(directory, n) for n in files)]:
            os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
    was = digest(tree.root)
    result = tree.run(verbs[-1], ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'])
    assert result.returncode in (1, 2) and 'permission denied' in result.stderr.lower(), result
    assert digest(tree.root) == was, verbs[-1]


def test_no_permission():
    for verbs in {**VERBS, **INIT}.values():
        with_tree(no_permission, verbs)


def test_init_writes():
    """The same init where it can write: else what is above would prove nothing."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        tree.must(INIT['init'][0])
        names = tree.files()
        for name in 'pki/ca.crt', 'admin.conf', 'manifests/etcd.yaml', 'manifests/kube-apiserver.yaml':
            assert f'etc/kubernetes/{name}' in names, (name, sorted(names))
        assert 'var/lib/kubelet/config.yaml' in names and not temporary(names), sorted(names)


# Signals


def test_preflight_of_init_makes_no_file():
    """A signal may come while images are pulled: nothing may be there then that has to be taken away, least of all a bootstrap token."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        trace = f'{directory}/trace'
        skip = INIT['init'][0][2].replace('preflight,', 'certs,kubeconfig,etcd,control-plane,kubelet-start,kubelet-finalize,')
        flags = ['--kubernetes-version', 'v1.36.3', '--apiserver-advertise-address', '192.0.2.1', '--node-name', 'node1']
        argv = tree.argv(['init', '--skip-phases', skip, *flags], ['strace', '-f', '-qq', '-o', trace, '-e', 'trace=file,memfd_create'])
        argv = argv[:-2]  # no file stands for the flags
        result = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=120)
        assert '[preflight] Running pre-flight checks' in result.stdout, result
        with open(trace) as f:
            lines = f.readlines()
        made = [line for line in lines if 'O_CREAT' in line or re.search(r'\b(mkdir|rename|linkat|symlink|memfd_create)', line)]
        assert not made and any('admin.conf' in line or 'manifests' in line for line in lines), made


def at_each_call(tree, verbs, call, signo, check):
    """Runs the verb again and again from the same files, with the signal at the first such call, the second, ... until a run gets no signal.
    check gets the files of before, of after a run without a signal, and those that are there."""
    for verb in verbs[:-1] if len(verbs) > 1 else verbs:
        tree.must(verb)
    shutil.copytree(tree.root, f'{tree.directory}/before', symlinks=True)
    old = tree.files()
    tree.configure(NEW)
    usual = tree.run(verbs[-1]).returncode
    new = tree.files()
    assert new != old and not temporary(new) and usual in (0, 1), (verbs[-1], usual)
    for number in range(1, 400):
        shutil.rmtree(tree.root)
        shutil.copytree(f'{tree.directory}/before', tree.root, symlinks=True)
        result = tree.run(verbs[-1], ['strace', '-f', '-qq', '-o', '/dev/null', '-e', f'trace={call}', '-e',
                                      f'inject={call}:signal={signo.name}:when={number}'])
        files = tree.files()
        if result.returncode == usual:
            assert files == new, (verbs[-1], call)
            return number
        assert result.returncode in (-signo, 128 + signo), result
        check(old, new, files, (verbs[-1], call, signo.name, number))
        # The next run takes away what a kill left.
        if temporary(files):
            assert tree.run(verbs[-1]).returncode == usual
            assert not temporary(tree.files()), (verbs[-1], call, number)
    raise AssertionError('no end')


def whole(old, new, files, where):
    """All of the old files, or all of the new ones, byte for byte."""
    assert files in (old, new), (where, [name for name in {*old, *new, *files} if files.get(name) not in (old.get(name), new.get(name))])


def test_termination_at_each_call():
    """SIGTERM and SIGINT wherever files are made: old or new, all of them, and no temporary file."""
    for name, call, signo in (('control-plane all', 'linkat', signal.SIGTERM), ('control-plane all', 'fchmod', signal.SIGINT),
                              ('control-plane all', 'rename', signal.SIGTERM), ('etcd local', 'write', signal.SIGTERM),
                              ('kubelet-finalize', 'linkat', signal.SIGTERM), ('kubelet-finalize', 'rename', signal.SIGINT),
                              ('diff', 'linkat', signal.SIGTERM), ('diff', 'write', signal.SIGINT), ('config migrate', 'linkat', signal.SIGTERM)):
        with tempfile.TemporaryDirectory() as directory:
            assert at_each_call(Tree(directory), VERBS[name], call, signo, whole) > 1, (name, call)


def each_whole(old, new, files, where):
    """Each file is an old or a new one, byte for byte. Between a replacement's two names is an instant in which a kill leaves the first."""
    left = temporary(files)
    assert len(left) <= (1 if where[1] in ('linkat', 'rename') else 0), (where, left)
    for name in {*old, *files} - set(left):
        assert name in files and files[name] in (old.get(name), new.get(name)), (where, name)


def test_kill_at_each_call():
    for name, calls in (('control-plane all', ('linkat', 'fsync', 'rename', 'write')), ('kubelet-finalize', ('linkat', 'rename')), ('diff', ('linkat',))):
        for call in calls:
            with tempfile.TemporaryDirectory() as directory:
                assert at_each_call(Tree(directory), VERBS[name], call, signal.SIGKILL, each_whole) > 1, (name, call)


def test_new_files_have_no_temporary_name():
    """Nothing but the final name is ever given to a file that is new, so not even a kill leaves another."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        trace = f'{directory}/trace'
        result = tree.run(['control-plane', 'all'], ['strace', '-f', '-qq', '-o', trace, '-e', 'trace=linkat,rename,renameat,renameat2'])
        assert result.returncode == 0, result
        with open(trace) as f:
            lines = [line for line in f if 'resumed' not in line]
        assert len(lines) == 3 and all('.tmp' not in line and 'linkat' in line for line in lines), lines


def test_random_signals():
    """In a loop, at moments of no choice of ours, over all that genphase writes."""
    chance = random.Random(20)
    with tempfile.TemporaryDirectory() as directory:
        tree = Tree(directory)
        for verb in (['certs', 'all'], ['kubeconfig', 'all'], ['control-plane', 'all'], ['etcd', 'local'], ['proxy']):
            tree.must(verb)
        known = {name: {data} for name, data in tree.files().items()}
        tree.configure(NEW)
        for verb in (['control-plane', 'all'], ['etcd', 'local'], ['proxy']):
            tree.must(verb)
        for name, data in tree.files().items():
            known.setdefault(name, set()).add(data)
        begin = time.monotonic()
        tree.must(['control-plane', 'all'])
        usual = time.monotonic() - begin
        ends = set()
        for turn in range(120):
            tree.configure(chance.choice([OLD, NEW]))
            verb = chance.choice([['control-plane', 'all'], ['etcd', 'local'], ['proxy'], ['certs', 'all'], ['kubeconfig', 'all']])
            process = tree.start(verb)
            time.sleep(chance.uniform(0, 1.3 * usual))
            process.send_signal(chance.choice([signal.SIGTERM, signal.SIGINT, signal.SIGHUP]))
            process.communicate(timeout=60)
            ends.add(process.returncode)
            files = tree.files()
            assert not temporary(files), (turn, verb, temporary(files))
            strange = [name for name, data in files.items() if data not in known.get(name, ())]
            assert not strange and set(files) == set(known), (turn, verb, strange, set(files) ^ set(known))
        # Some were ended and some were not, or the moments were badly chosen.
        assert 0 in ends and min(ends) < 0, ends
