#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""-o json of every verb that acts: lines of JSON and nothing else, and each change of the tree is told by one, truly.

    test_actions.py GENPHASE

What an API server or a Docker daemon would be asked is told by dry runs here, and for real in integration/test_genphase_online.py,
test_reset.py and test_images.py.
"""
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap, arguments  # noqa: E402

GENPHASE = os.path.abspath(arguments(__doc__, 'GENPHASE')[0])
CONFIG = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.1}
nodeRegistration: {name: node1, criSocket: unix:///run/some.sock}
bootstrapTokens: [{token: abcdef.0123456789abcdef}]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: here.example:6443
encryptionAlgorithm: ECDSA-P256
'''
ONLINE = 'preflight,wait-control-plane,upload-config,upload-certs,mark-control-plane,bootstrap-token,addon,show-join-command'
# What a verb takes beside the options that all take; `{cwd}` is where the test runs.
MORE = {'init': ['--skip-phases', ONLINE], 'config migrate': ['--old-config', 'kubeadm.yaml', '--new-config', '{cwd}/new.yaml'],
        'diff': ['--write-patches', '{cwd}/patches'], 'reset': ['--force'], 'reset phase preflight': ['--force'],
        'upload-certs': ['--upload-certs'], 'token delete': ['abcdef'], 'images build': ['--from', '/bin'], 'images load': ['kubeadm.yaml'],
        'certs generate-csr': ['--kubeconfig-dir', '/csr', '--cert-dir', '/csr/pki']}
# They ask an API server or a Docker daemon: run dry here.
ASKING = ('wait-control-plane', 'upload-', 'mark-control-plane', 'bootstrap-token', 'addon', 'token', 'show-join-command', 'images', 'config images',
          'preflight')
# Verbs that write nothing but what is asked for to standard output, whose -o is kubeadm's or their own.
PRINTING = ('certs certificate-key', 'certs check-expiration', 'completion', 'config images list', 'config print', 'config validate', 'explain',
            'host-facts', 'images list', 'kubeconfig user', 'token generate', 'token list', 'version')
TELLS = re.compile(r'json: tell each action|one JSON object a component')
IDLE = ('reset phase preflight',)  # for real too


def run(words, cwd):
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': cwd, 'KUBEADM_INIT_DRYRUN_DIR': f'{cwd}/dry', 'DOCKER_HOST': f'unix://{cwd}/no.sock'}
    return subprocess.run([GENPHASE, *words], cwd=cwd, env=env, capture_output=True, text=True)


def leaves(cwd, path=()):
    """Every verb of the help that does something itself, with its help."""
    text = run([*path, '--help'], cwd).stdout
    listed = re.search(r'^Commands:\n((?:  .*\n)+)', text, re.M)
    children = [line.split()[0] for line in listed[1].splitlines()] if listed else []
    if path and (not children or path in (('init',), ('reset',))):
        yield ' '.join(path), text
    for child in children:
        if (*path, child) != ('init', 'phase'):
            yield from leaves(cwd, (*path, child))


class Tree:
    """A directory with a root for --rootfs in it."""

    def __init__(self, cwd):
        self.cwd, self.root = cwd, f'{cwd}/root'

    def genphase(self, name, text, *more):
        words = [*name.split(), *(word.format(cwd=self.cwd) for word in MORE.get(name, [])), '--rootfs', self.root, *more]
        words += ['--config', 'kubeadm.yaml'] if '--config FILE' in text and not name.startswith('reset') else []
        words += ['--kubeconfig', f'{self.root}/etc/kubernetes/admin.conf'] if name.startswith('token') else []
        return run(words, self.cwd)

    def state(self):
        """Mode and digest of each file below, and mode of each directory, by path."""
        found = {}
        for directory, names, files in os.walk(self.cwd):
            for path in (os.path.join(directory, name) for name in (*names, *files)):
                status, digest = os.lstat(path), None
                if stat.S_ISREG(status.st_mode):
                    with open(path, 'rb') as f:
                        digest = hashlib.sha256(f.read()).hexdigest()
                found[path] = (f'{status.st_mode & 0o7777:04o}', digest)
        return found

    def real(self, path):
        """Where a path of a line is: below the root, or as it was given."""
        return path if path.startswith(self.cwd + '/') else self.root + path


def lines(result):
    """The lines of standard output, and what of it is none."""
    told, problems = [], []
    for line in result.stdout.splitlines():
        try:
            told.append(json.loads(line))
        except ValueError:
            problems.append(f'no JSON: {line}')
    for line in told:
        problems += [] if isinstance(line, dict) and next(iter(line)) in ('action', 'component') else [f'a strange line: {line}']
    return [line for line in told if 'action' in line], problems


def changes(tree, before, after, told):
    """What became of the tree and was not told, and what was told and is not so."""
    problems, said = [], {}
    for line in (line for line in told if 'path' in line and line['action'] in ('make', 'write', 'keep', 'remove')):
        said.setdefault((line['action'], tree.real(line['path'])), []).append((line['mode'], line.get('sha256')))
    want = {('remove', path): [before[path]] for path in before if path not in after}
    for path, facts in after.items():
        if before.get(path) != facts:
            want['make' if facts[1] is None else 'write', path] = [facts]
    for key in sorted(set(want) | {key for key in said if key[0] != 'keep'}):
        if want.get(key) != said.get(key):
            problems.append(f'{key}: told {said.get(key)}, it is {want.get(key)}')
    for (action, path), facts in said.items():
        if action == 'keep' and (before.get(path) != after.get(path) or facts != [after.get(path)]):
            problems.append(f'{path} is told to be kept: {facts}, it is {before.get(path)} and {after.get(path)}')
    return problems


def settle(cwd, name):
    """A tree to try a verb in: "empty", "cas" with those alone, or "full" with all that an init and its kubelet leave."""
    if not os.path.exists(f'{cwd}/full'):
        for made in ('empty', 'cas', 'full'):
            os.makedirs(f'{cwd}/{made}/root')
            with open(f'{cwd}/{made}/kubeadm.yaml', 'w') as f:
                f.write(CONFIG)
        for ca in 'ca', 'front-proxy-ca', 'etcd-ca', 'sa':
            result = Tree(f'{cwd}/cas').genphase(f'certs {ca}', '--config FILE')
            assert result.returncode == 0, result
        tree = Tree(f'{cwd}/full')
        result = tree.genphase('init', '--config FILE')
        assert result.returncode == 0, result
        for path in ('var/lib/kubelet/pki/kubelet-client-current.pem', 'var/lib/kubelet/pods/uid/volumes/data', 'var/lib/etcd/member/snap/db',
                     'etc/kubernetes/pki/mine.txt'):
            os.makedirs(os.path.dirname(f'{tree.root}/{path}'), exist_ok=True)
            with open(f'{tree.root}/{path}', 'w') as f:
                f.write(path)
        os.symlink('/nowhere', f'{tree.root}/etc/kubernetes/pki/link')
        manifest = f'{tree.root}/etc/kubernetes/manifests/kube-scheduler.yaml'
        with open(manifest) as f:
            text = f.read()
        with open(manifest, 'w') as f:  # by hand, so that there is a difference
            f.write(text.replace('    - --leader-elect=true\n', '    - --leader-elect=true\n    - --v=5\n'))
        os.chmod(manifest, 0o640)
    target = f'{cwd}/try'
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(f'{cwd}/{name}', target, symlinks=True)
    return Tree(target)


def essence(told):
    """What a dry run can know as well."""
    return sorted((line['action'], line['path'], line['mode']) for line in told if 'path' in line and line['action'] != 'keep')


def acting(cwd, name, text, where):
    """One verb for real and dry, in one tree. What was done, and the problems."""
    tree = settle(cwd, where)
    before = tree.state()
    dry = None
    if '--dry-run' in text and name != 'init':
        dry, problems = lines(tree.genphase(name, text, '-o', 'json', '--dry-run'))
        problems += [f'told by a dry run as done: {line}' for line in dry if not line.get('dryRun')]
        problems += ['a dry run changed something'] if tree.state() != before else []
    else:
        problems = []
    result = tree.genphase(name, text, '-o', 'json')
    told, strange = lines(result)
    problems += strange + changes(tree, before, tree.state(), told)
    problems += [f'not done, and told as a dry run: {line}' for line in told if line.get('dryRun')]
    if dry is not None and essence(dry) != essence(told):
        problems.append(f'a dry run tells {essence(dry)}\nthe real one {essence(told)}')
    if name.startswith(('init', 'reset')):
        problems += [f'no phase: {line}' for line in told if not line.get('phase')]
    problems += [f'exit {result.returncode}: {result.stderr}'] if result.returncode > 1 or (result.returncode and told and name != 'diff') else []
    return told, [f'{name} ({where}): {problem}' for problem in problems]


def everything(cwd):
    """Each verb of the help is one that is tried here, or one that only prints."""
    problems, tried = [], 0
    for name, text in leaves(cwd):
        if bool(TELLS.search(text)) == name.startswith(PRINTING):
            problems.append(f'{name}: {"only prints, and has" if name.startswith(PRINTING) else "acts, and has no"} -o json')
        if name.startswith(ASKING) or not TELLS.search(text):
            continue
        tried += 1
        told = []
        for where in ('empty', 'cas', 'full'):
            done, wrong = acting(cwd, name, text, where)
            told += done
            problems += wrong
        if not any(line['action'] in ('write', 'remove') for line in told) and name not in IDLE:
            problems.append(f'{name}: nothing was written or removed in any tree, so it was not tried')
    return problems + ([] if tried > 40 else [f'only {tried} verbs'])


def asking(cwd):
    """What is told of objects and images by dry runs of the verbs that ask, and that the tree stays."""
    wanted = {'upload-config all': ('create', 'ConfigMap', 'kubeadm-config'), 'upload-certs': ('create', 'Secret', 'kubeadm-certs'),
              'mark-control-plane': ('update', 'Node', 'node1'), 'bootstrap-token': ('create', 'ConfigMap', 'cluster-info'),
              'addon coredns': ('create', 'Deployment', 'coredns'), 'addon kube-proxy': ('create', 'DaemonSet', 'kube-proxy'),
              'token create': ('create', 'Secret', None), 'token delete': ('delete', 'Secret', 'bootstrap-token-abcdef')}
    tree, problems = settle(cwd, 'full'), []
    before = tree.state()
    for name, text in ((name, text) for name, text in leaves(cwd) if name.startswith(ASKING) and TELLS.search(text)):
        told, wrong = lines(tree.genphase(name, text, '--dry-run', '-o', 'json'))
        problems += [f'{name}: {problem}' for problem in wrong]
        objects = [line for line in told if 'kind' in line]
        problems += [f'{name}: {line}' for line in objects if not line['apiVersion'] or ('sha256' in line) != (line['action'] != 'delete')]
        action, kind, called = wanted.pop(name, (None, None, None))
        if action and not any((line['action'], line['kind']) == (action, kind) and called in (None, line['name']) for line in objects):
            problems.append(f'{name}: no {action} of {kind} {called}: {told}')
        problems += [f'{name}: told as done: {line}' for line in told if not line.get('dryRun')]
    return problems + [f'not tried: {name}' for name in wanted] + ([] if tree.state() == before else ['something was written'])


def shown(cwd):
    """What people need is told as well: tokens, the certificate key, the command to join by, where a dry run has put things."""
    tree, problems = settle(cwd, 'empty'), []
    result = run(['init', '--dry-run', '-o', 'json', '--rootfs', tree.root, '--config', 'kubeadm.yaml', '--ignore-preflight-errors', 'all',
                  '--upload-certs'], tree.cwd)
    told, problems = lines(result)
    found = {key: line[key] for line in told if line['action'] == 'show' for key in line if key not in ('action', 'phase', 'dryRun')}
    for key, pattern in (('token', r'abcdef\.0123456789abcdef$'), ('certificateKey', '[0-9a-f]{64}$'), ('directory', f'{tree.cwd}/dry/'),
                         ('joinCommand', r'kubeadm join here\.example:6443 --token abcdef\.0123456789abcdef .*sha256:[0-9a-f]{64}'),
                         ('controlPlaneJoinCommand', r'kubeadm join .* --control-plane --certificate-key [0-9a-f]{64}')):
        problems += [] if re.match(pattern, found.get(key, '')) else [f'{key}: {found.get(key)}']
    after = tree.state()
    for line in told:
        path = f'{found.get("directory")}{line.get("path")}'
        if line['action'] == 'write' and after.get(path) != (line['mode'], line['sha256']):
            problems.append(f'{line}, it is {after.get(path)}')
    phases = [line.get('phase') for line in told]
    for phase in ('certs', 'kubeconfig', 'etcd/local', 'control-plane', 'kubelet-start', 'upload-config/kubeadm', 'upload-config/kubelet',
                  'upload-certs', 'mark-control-plane', 'bootstrap-token', 'addon/coredns', 'addon/kube-proxy', 'show-join-command'):
        problems += [] if phase in phases else [f'nothing of {phase}: {result.stderr}']
    hidden = run(['init', '--dry-run', '-o', 'json', '--rootfs', tree.root, '--config', 'kubeadm.yaml', '--ignore-preflight-errors', 'all',
                  '--upload-certs', '--skip-token-print', '--skip-certificate-key-print'], tree.cwd)
    problems += ['what is not to be printed was'] if '0123456789abcdef' in hidden.stdout or 'certificateKey' in hidden.stdout else []
    return problems


def refused(cwd):
    """-o json of what prints something else: told at once, with nothing on standard output."""
    tree, problems = settle(cwd, 'empty'), []
    for words in (['config', 'migrate', '--old-config', 'kubeadm.yaml'], ['addon', 'coredns', '--print-manifest']):
        result = run([*words, '-o', 'json'], tree.cwd)
        problems += [] if result.returncode == 1 and not result.stdout and '-o json' in result.stderr else [f'{words}: {result}']
    question = subprocess.run([GENPHASE, 'reset', '--rootfs', tree.root, '-o', 'json'], input='n\n', capture_output=True, text=True)
    problems += [] if question.returncode == 1 and not question.stdout and '[y/N]' in question.stderr else [f'the question: {question}']
    text = run(['reset', '--force', '--rootfs', tree.root], tree.cwd).stdout
    return problems + ([] if '[reset] Deleting contents of' in text and '{' not in text else [f'text: {text}'])


def main():
    points = [everything, asking, shown, refused]
    tap = Tap(len(points))
    with tempfile.TemporaryDirectory() as cwd:
        for point in points:
            tap.point(point.__name__, point(cwd))
    tap.exit()


if __name__ == '__main__':
    main()
