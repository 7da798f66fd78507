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
from tap import Tap  # noqa: E402

GENPHASE = os.path.abspath(sys.argv[1])
ENVIRONMENT = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root'}
FACTS = '''apiVersion: genphase/v1
kind: HostFacts
nodeName: Far-Away
defaultAddress: 203.0.113.7
defaultAddressIPv6: fd00::7
loopbackAddress: null
caDirectories: [/usr/share/ca-certificates, /etc/pki]
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
                         (('{name: no_proxy,', '{names: no_proxy,'), 'wrong.yaml:8:65: proxyVariables: expected {name, value}'),
                         (('HostFacts', 'Pod'), 'expected apiVersion genphase/v1 and kind HostFacts')):
        with open(f'{cwd}/wrong.yaml', 'w') as f:
            f.write(FACTS.replace(*change))
        result = run('etcd', 'local', '-o', 'yaml', '--host-facts', 'wrong.yaml', cwd=cwd)
        if result.returncode != 1 or said not in result.stderr or result.stdout:
            problems.append(f'wanted {said}, got {result.stderr}')
    return problems


def actions(cwd):
    """One object a line for each file and directory, with its mode and digest."""
    root, problems = f'{cwd}/json', []
    args = ['control-plane', 'all', *FLAGS, '--host-facts', 'facts.yaml', '--rootfs', root, '-o', 'json']
    for expected, more in ((['write'] * 3, ['--dry-run']), (['write'] * 3, []), (['keep'] * 3, [])):
        result = run(*args, *more, cwd=cwd)
        told = [json.loads(line) for line in result.stdout.splitlines()]
        told = [line for line in told if 'sha256' in line]
        if [line['action'] for line in told] != expected or [bool(line.get('dryRun')) for line in told] != [bool(more)] * 3:
            problems.append(f'{more}: {result.stdout}{result.stderr}')
        for line in told if not more else []:
            with open(root + line['path'], 'rb') as f:
                data = f.read()
                mode = oct(os.fstat(f.fileno()).st_mode & 0o7777)
            if hashlib.sha256(data).hexdigest() != line['sha256'] or len(data) != line['bytes'] or int(mode, 8) != int(line['mode'], 8):
                problems.append(f'{line}: the file is another')
    certs = run('certs', 'sa', '--rootfs', root, '-o', 'json', '--cert-dir', '/pki', cwd=cwd)
    paths = [json.loads(line).get('path') for line in certs.stdout.splitlines()]
    return problems + ([] if '/pki/sa.key' in paths and 'PRIVATE' not in certs.stdout else [f'certs: {certs.stdout}{certs.stderr}'])


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
    points = [same_everywhere, facts_of_this_host, wrong_facts, actions, quiet, colour, generated]
    tap = Tap(len(points))
    with tempfile.TemporaryDirectory() as cwd:
        for point in points:
            tap.point(point.__name__, point(cwd))
    tap.exit()


if __name__ == '__main__':
    main()
