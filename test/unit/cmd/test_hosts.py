#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What genphase does alike on every host and says to programs: --host-facts, -o json, --quiet, colour, completion.

    test_hosts.py GENPHASE
"""
import hashlib
import json
import os
import pty
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap, arguments  # noqa: E402

GENPHASE = os.path.abspath(arguments(__doc__, 'GENPHASE')[0])
ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root'}
FACTS = '''apiVersion: genphase/v1
kind: HostFacts
nodeName: Far-Away
defaultAddress: 203.0.113.7
defaultAddressIPv6: fd00::7
loopbackAddress: null
caDirectories: [/usr/share/ca-certificates, /etc/pki]
criSockets: [/var/run/crio/crio.sock]
openCRISockets: [/var/run/crio/crio.sock]
proxyVariables: [{name: HTTPS_PROXY, value: http://proxy:3128}, {name: no_proxy, value: 10.0.0.0/8}]
activeServices: [systemd-resolved]
'''
FLAGS = ['--kubernetes-version', 'v1.36.3']
PHASES = [['control-plane', 'all', *FLAGS], ['etcd', 'local'], ['kubelet-start']]


def run(*args, cwd, env=None):
    return subprocess.run([GENPHASE, *args], cwd=cwd, env={**ENVIRONMENT, **(env or {})}, capture_output=True, text=True)


def tree(root):
    found = {}
    for directory, _, names in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, 'rb') as f:
                found[path.removeprefix(root)] = f.read()
    return found


def render(cwd, root, env, prepare=()):
    """All files that the phases make below root, where `prepare` is there already, by the facts of a file."""
    for path in prepare:
        os.makedirs(f'{root}{path}')
    for phase in PHASES:
        result = run(*phase, '--rootfs', root, '--host-facts', 'facts.yaml', cwd=cwd, env=env)
        assert result.returncode == 0, result.stderr
    return tree(root)


def same_everywhere(cwd):
    """The facts count, and nothing of this host does."""
    with open(f'{cwd}/facts.yaml', 'w') as f:
        f.write(FACTS)
    here = render(cwd, f'{cwd}/a', {'HTTP_PROXY': 'http://other'}, ['/etc/ca-certificates', '/usr/local/share/ca-certificates'])
    there = render(cwd, f'{cwd}/b', {'https_proxy': 'x', 'FOO_PROXY': 'y'})
    problems = [f'{path} differs' for path in sorted(set(here) | set(there)) if here.get(path) != there.get(path)]
    pod, kubelet = here['/etc/kubernetes/manifests/kube-apiserver.yaml'].decode(), here['/var/lib/kubelet/config.yaml'].decode()
    for text in ('--advertise-address=203.0.113.7', 'name: usr-share-ca-certificates', 'value: http://proxy:3128'):
        problems += [] if text in pod else [f'no {text} in:\n{pod}']
    problems += ['a directory of this host'] if 'ca-certificates\n    name: etc-ca' in pod else []
    problems += ['a variable of this process'] if 'http://other' in pod else []
    problems += [] if 'far-away' in here['/etc/kubernetes/manifests/etcd.yaml'].decode() else ['the node name does not count']
    problems += [] if '/run/systemd/resolve/resolv.conf' in kubelet else [f'no resolvConf in:\n{kubelet}']
    instance = here['/var/lib/kubelet/instance-config.yaml'].decode()
    problems += [] if 'unix:///var/run/crio/crio.sock' in instance else [f'no socket of CRI-O in:\n{instance}']
    return problems


def facts_of_this_host(cwd):
    """What host-facts prints renders what the host itself does."""
    env = {'HTTP_PROXY': 'http://p', 'x_proxy': ''}
    facts = run('host-facts', '--rootfs', '/', cwd=cwd, env=env)
    if facts.returncode:
        return [facts.stderr]
    with open(f'{cwd}/own.yaml', 'w') as f:
        f.write(facts.stdout)
    problems = []
    for phase in (['control-plane', 'all', '-o', 'yaml', *FLAGS], ['etcd', 'local', '-o', 'yaml']):
        direct = run(*phase, '--rootfs', '/', cwd=cwd, env=env)
        given = run(*phase, '--rootfs', '/', '--host-facts', 'own.yaml', cwd=cwd)
        problems += [f'{phase}: {direct.stdout}{direct.stderr}\n{given.stdout}{given.stderr}'] if direct.stdout != given.stdout else []
    again = run('host-facts', '--host-facts', 'own.yaml', '--rootfs', f'{cwd}/nowhere', cwd=cwd)
    problems += [] if again.stdout == facts.stdout else [f'other facts of the same:\n{facts.stdout}\n{again.stdout}{again.stderr}']
    return problems


def wrong_facts(cwd):
    problems = []
    for change, said in ((('nodeName: Far-Away', ''), 'wrong.yaml:1:1: the field nodeName is missing'),
                         (('203.0.113.7', 'near'), 'wrong.yaml:4:17: defaultAddress: expected an IP address or null'),
                         (('nodeName', 'nodename'), 'wrong.yaml:3:1: unknown field "nodename"; did you mean "nodeName"?'),
                         (('{name: no_proxy,', '{names: no_proxy,'), 'wrong.yaml:10:65: proxyVariables: expected {name, value}'),
                         (('HostFacts', 'Pod'), 'expected apiVersion genphase/v1 and kind HostFacts')):
        with open(f'{cwd}/wrong.yaml', 'w') as f:
            f.write(FACTS.replace(*change))
        result = run('etcd', 'local', '-o', 'yaml', '--host-facts', 'wrong.yaml', cwd=cwd)
        if result.returncode != 1 or said not in result.stderr or result.stdout:
            problems.append(f'wanted {said}, got {result.stderr}')
    return problems


def not_as_told(root, line):
    """What is on disk otherwise than a line says."""
    path = root + line['path']
    problems = [] if int(line['mode'], 8) == os.stat(path).st_mode & 0o7777 else [f'{line}: the mode is another']
    if 'sha256' in line:
        with open(path, 'rb') as f:
            data = f.read()
        problems += [] if hashlib.sha256(data).hexdigest() == line['sha256'] and len(data) == line['bytes'] else [f'{line}: the file is another']
    return problems


def actions(cwd):
    """One object a line for each file and directory, with its mode and digest."""
    root, problems, made = f'{cwd}/json', [], []
    os.mkdir(root)
    args = ['control-plane', 'all', *FLAGS, '--host-facts', 'facts.yaml', '--rootfs', root, '-o', 'json']
    for expected, more in ((['write'] * 3, ['--dry-run']), (['write'] * 3, []), (['keep'] * 3, [])):
        result = run(*args, *more, cwd=cwd)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        if [line['action'] for line in told if 'sha256' in line] != expected or [bool(line.get('dryRun')) for line in told] != [bool(more)] * len(told):
            problems.append(f'{more}: {result.stdout}{result.stderr}')
        made.append([line['path'] for line in told if line['action'] == 'make'])
        problems += [problem for line in told if not more for problem in not_as_told(root, line)]
    if made != [['/etc', '/etc/kubernetes', '/etc/kubernetes/manifests']] * 2 + [[]]:
        problems.append(f'directories made: {made}')
    certs = run('certs', 'sa', '--rootfs', root, '-o', 'json', '--cert-dir', '/pki', cwd=cwd)
    paths = [json.loads(line).get('path') for line in certs.stdout.splitlines()]
    return problems + ([] if '/pki/sa.key' in paths and 'PRIVATE' not in certs.stdout else [f'certs: {certs.stdout}{certs.stderr}'])


def mode_kept(cwd):
    """A file keeps the mode that somebody gave it, and -o json tells that one."""
    root, problems = f'{cwd}/kept', []
    path = f'{root}/etc/kubernetes/manifests/kube-scheduler.yaml'
    args = ['control-plane', 'scheduler', *FLAGS, '--host-facts', 'facts.yaml', '--rootfs', root, '-o', 'json']
    run(*args, cwd=cwd)
    os.chmod(path, 0o640)
    for action, more in ('keep', []), ('write', ['--dry-run', '--scheduler-extra-args', 'v=5']), ('write', ['--scheduler-extra-args', 'v=5']):
        result = run(*args, *more, cwd=cwd)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        if [(line['action'], line['mode']) for line in told if 'sha256' in line] != [(action, '0640')] or os.stat(path).st_mode & 0o7777 != 0o640:
            problems.append(f'{more}: {result.stdout}{result.stderr}')
    return problems


def users_given(cwd):
    """The users of RootlessControlPlane by the facts of the host: the same manifest anywhere, and none of this host's."""
    with open(f'{cwd}/control.yaml', 'w') as f:
        f.write('apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\nfeatureGates: {RootlessControlPlane: true}\n')
    args = ['control-plane', 'scheduler', '--config', 'control.yaml', '-o', 'yaml', '--rootfs', f'{cwd}/nowhere', '--host-facts']
    problems = []
    for ids, wanted in (('{users: {kubeadm-ks: 401}, groups: {kubeadm-ks: 402}}', 0), ('{users: {kubeadm-ks: 401}, groups: {}}', 1), ('null', 1),
                        ('{users: [1]}', 1)):
        with open(f'{cwd}/ids.yaml', 'w') as f:
            f.write(f'{FACTS}controlPlaneIDs: {ids}\n')
        result = run(*args, 'ids.yaml', cwd=cwd)
        shown = 'runAsGroup: 402\n    runAsUser: 401\n' in result.stdout
        if result.returncode != wanted or shown != (wanted == 0) or (wanted and 'controlPlaneIDs' not in result.stderr):
            problems.append(f'{ids}: {result.returncode} {result.stdout}{result.stderr}')
        if not wanted and 'neither the user is made' not in result.stderr:
            problems.append(f'nothing said of what is left: {result.stderr}')
    return problems + ([] if not os.path.exists(f'{cwd}/nowhere') else ['something was written'])


def quiet(cwd):
    with open(f'{cwd}/warned.yaml', 'w') as f:
        f.write('apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.36.3\nbogus: 1\n')
    args = ['control-plane', 'all', '--config', 'warned.yaml', '--kubeadm-version', 'v1.36.3', '--host-facts', 'facts.yaml', '--rootfs']
    loud, still = run(*args, f'{cwd}/loud', cwd=cwd), run(*args, f'{cwd}/still', '--quiet', cwd=cwd)
    problems = [] if 'warning: ' in loud.stderr and '[control-plane]' in loud.stdout else [loud.stdout + loud.stderr]
    problems += [f'said {still.stdout}{still.stderr}'] if still.stdout or still.stderr or still.returncode else []
    problems += [] if tree(f'{cwd}/loud') == tree(f'{cwd}/still') else ['other files']
    wrong = run('control-plane', 'all', '--config', 'none.yaml', '--quiet', cwd=cwd)
    return problems + ([] if wrong.stderr.startswith('error: ') else ['an error was not told'])


# Verbs whose output is what they are for. All others say nothing with --quiet.
RESULTS = ('addon', 'certs certificate-key', 'certs check-expiration', 'certs generate-csr', 'completion', 'config images list', 'config migrate',
           'config print', 'diff', 'explain', 'host-facts', 'images list', 'kubeconfig user', 'show-join-command', 'token create', 'token generate',
           'token list', 'version')
QUIET_CONFIG = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.1}
timeouts: {kubernetesAPICall: 1s}
bogus: 1
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: 127.0.0.1:1
encryptionAlgorithm: ECDSA-P256
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ResetConfiguration
force: true
bogus: 1
'''
QUIET_MORE = {'init': ['--ignore-preflight-errors', 'all'], 'preflight': ['--ignore-preflight-errors', 'all'],
              'config migrate': ['--old-config', 'clean.yaml'], 'config validate': ['--config', 'clean.yaml'], 'token delete': ['abcdef'],
              'kubeconfig user': ['--client-name', 'me'], 'images load': ['quiet.yaml'], 'images build': ['--from', '/']}


def quiet_run(cwd, path, root):
    """One verb in a dry run, where it has one, with a configuration that is warned of."""
    text, words = run(*path, '--help', cwd=cwd).stdout, [*path, *QUIET_MORE.get(' '.join(path), [])]
    # That kubeadm has none of show-join-command.
    words += ['--dry-run'] if '--dry-run' in text and path != ('show-join-command',) else []
    words += ['--config', 'quiet.yaml'] if '--config FILE' in text and '--config' not in words and path[0] != 'token' else []
    words += ['--kubeconfig', f'{root}/etc/kubernetes/admin.conf'] if path[0] == 'token' and '--kubeconfig' in text else []
    env = {'KUBEADM_INIT_DRYRUN_DIR': f'{cwd}/dry', 'DOCKER_HOST': f'unix://{cwd}/nothing.sock'}
    return run(*words, '--rootfs', root, '--kubeadm-version', 'v1.36.3', '--host-facts', 'facts.yaml', '--quiet', cwd=cwd, env=env)


def quiet_verbs(cwd):
    """Every verb of the help: no message, no warning, an error where there is one; and results as without --quiet."""
    with open(f'{cwd}/quiet.yaml', 'w') as f:
        f.write(QUIET_CONFIG)
    with open(f'{cwd}/clean.yaml', 'w') as f:  # these two refuse what the others warn of
        f.write(QUIET_CONFIG.replace('bogus: 1\n', ''))
    root, problems, printed = f'{cwd}/quiet', [], {}
    for words in (['certs', 'all'], ['kubeconfig', 'all']):
        made = run(*words, '--rootfs', root, '--config', 'quiet.yaml', '--kubeadm-version', 'v1.36.3', '--quiet', cwd=cwd)
        problems += [f'{words}: {made}'] if made.returncode or made.stdout or made.stderr else []
    every = list(verbs(cwd))
    parents = {path[:n] for path in every for n in range(1, len(path))} - {('init',), ('reset',)}
    for path in (p for p in every if p not in parents and p[:2] != ('init', 'phase')):
        name, result = ' '.join(path), quiet_run(cwd, path, root)
        differs = name == 'diff' and result.returncode == 1
        if result.returncode and not differs and not result.stderr.startswith('error: ') or not result.returncode and result.stderr:
            problems.append(f'{name}: exit {result.returncode}, told: {result.stderr}')
        if result.stdout and not name.startswith(RESULTS):
            problems.append(f'{name}: said: {result.stdout}')
        printed[name] = result.stdout if result.returncode == 0 else ''
    for name, pattern in (('token create', r'[a-z0-9]{6}\.[a-z0-9]{16}\n$'), ('show-join-command', 'kubeadm join'), ('token generate', r'\w+\.\w+\n$'),
                          ('certs certificate-key', '[0-9a-f]{64}\n$'), ('images list', 'kube-apiserver:v1.36.3\n'), ('host-facts', 'kind: HostFacts')):
        problems += [] if re.search(pattern, printed[name]) else [f'{name}: no result: {printed[name]}']
    return problems


def terminal(cwd, env):
    """What an error looks like on a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run([GENPHASE, 'control-plane', 'all', '--config', 'none.yaml'], cwd=cwd, env={**ENVIRONMENT, 'TERM': 'xterm', **env},
                   stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = os.read(ours, 4096).decode()
    os.close(ours)
    return text


def colour(cwd):
    problems = [] if '\x1b[31merror: \x1b[0m' in terminal(cwd, {}) else ['no colour on a terminal']
    for env in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}):
        problems += [f'colour with {env}'] if '\x1b' in terminal(cwd, env) else []
    problems += ['colour in a pipe'] if '\x1b' in run('control-plane', 'all', '--config', 'none.yaml', cwd=cwd).stderr else []
    return problems


def verbs(cwd, path=()):
    """Every verb that help lists, as a tuple of words."""
    text = run(*path, '--help', cwd=cwd).stdout
    found = re.search(r'^(?:Commands|Verbs):\n((?:  .*\n)+)', text, re.M | re.I)
    for line in found[1].splitlines() if found else []:
        word = re.match(r'  (\S+)  ', line)
        if word and len(path) < 6:
            yield (*path, word[1])
            yield from verbs(cwd, (*path, word[1]))


def generated(cwd):
    """Completion and the manual know each verb and option of the help."""
    every = list(verbs(cwd))
    problems = [] if len(every) > 40 else [f'only {len(every)} verbs in help']
    manual = re.sub(r'\\f.|\\([^f])', r'\1', run('completion', 'man', cwd=cwd).stdout)
    shells = {shell: run('completion', shell, cwd=cwd).stdout for shell in ('bash', 'zsh', 'fish')}
    for path in every:
        problems += [] if f'genphase {" ".join(path)}' in manual else [f'man: no genphase {" ".join(path)}']
        problems += [f'{shell}: no {path[-1]}' for shell, text in shells.items() if path[-1] not in text]
    options = set(re.findall(r'--[a-z-]+', ''.join(run(*path, '--help', cwd=cwd).stdout for path in every)))
    for option in sorted(options - {'--help'}):
        problems += [] if option in manual else [f'man: no {option}']
    return problems


def main():
    points = [same_everywhere, facts_of_this_host, wrong_facts, actions, mode_kept, users_given, quiet, quiet_verbs, colour, generated]
    tap = Tap(len(points))
    with tempfile.TemporaryDirectory() as cwd:
        for point in points:
            tap.point(point.__name__, point(cwd))
    tap.exit()


if __name__ == '__main__':
    main()
