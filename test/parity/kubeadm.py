#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run genphase and a real kubeadm side by side on the configurations of test/data/parity and compare what they write.

    kubeadm.py GENPHASE CONFIG...

kubeadm comes from $GENPHASE_PEERS, else from test/peer/build. It runs in an empty tree (--rootfs, a chroot), genphase in another.
For each configuration one point compares exit status, messages and manifests of `control-plane all` and `etcd local`, and one what
`certs all` and `kubeconfig all` leave behind. A comment `# phases: a, b` in a configuration names other phases to compare instead.
"""
import difflib
import os
import re
import shutil
import subprocess
import tempfile

from facts import differences, make_root, tree, verify_chains
from recordings import ROOT
from tap import Tap, arguments


def find_kubeadm():
    peers = os.environ.get('GENPHASE_PEERS')
    if not peers:
        peers = subprocess.run([f'{ROOT}/test/peer/build', 'kubeadm'], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    return f'{peers}/kubeadm'


def error_line(text):
    """The message a user reads: the last line but for the hint about stack traces, without the address that Go shows of a pointer."""
    lines = [line for line in text.splitlines() if line.strip() and 'To see the stack trace' not in line]
    return re.sub(r'^error: |\(0x[0-9a-f]+\)', '', lines[-1]) if lines else ''


class Side:
    """One program with its own tree."""

    def __init__(self, directory, command, config):
        self.root = make_root(directory)
        self.command = command
        shutil.copy(config, f'{self.root}/kubeadm.yaml')

    def run(self, phase):
        env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root'}
        return subprocess.run([*self.command, *phase.split(), '--rootfs', self.root, '--config', 'kubeadm.yaml'], cwd=self.root,
                              env=env, capture_output=True, text=True, timeout=120)

    def manifests(self):
        directory, found = f'{self.root}/etc/kubernetes/manifests', {}
        for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else []:
            with open(f'{directory}/{name}') as f:
                found[name] = f'{oct(os.fstat(f.fileno()).st_mode & 0o7777)}\n{f.read()}'
        return found

    def facts(self):
        directory = f'{self.root}/etc/kubernetes'
        return tree(directory) if os.path.isdir(directory) else {}


def compare_runs(theirs, ours, phase):
    """Run a phase on both sides; gives what differs in status and words, and whether both succeeded."""
    a, b = theirs.run(phase), ours.run(phase)
    problems = []
    if a.returncode != b.returncode:
        problems.append(f'{phase}: exit {a.returncode} of kubeadm ({error_line(a.stderr)}), {b.returncode} of genphase ({b.stderr})')
    elif a.returncode and error_line(a.stderr) != error_line(b.stderr):
        problems.append(f'{phase}: kubeadm says {error_line(a.stderr)!r}, genphase {error_line(b.stderr)!r}')
    if a.stdout != b.stdout:
        problems += _diff(phase, a.stdout, b.stdout)
    return problems, a.returncode == 0 and b.returncode == 0


def _diff(name, theirs, ours):
    return ['\n'.join(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), f'kubeadm/{name}', f'genphase/{name}', lineterm=''))]


def compare_manifests(theirs, ours, phases):
    problems = []
    for phase in phases:
        problems += compare_runs(theirs, ours, phase)[0]
    a, b = theirs.manifests(), ours.manifests()
    for name in sorted(set(a) | set(b)):
        if a.get(name) != b.get(name):
            problems += _diff(name, a.get(name, ''), b.get(name, ''))
    return problems


def compare_certificates(theirs, ours):
    problems, good = [], True
    for phase in ('certs all', 'kubeconfig all'):
        found, both = compare_runs(theirs, ours, phase)
        problems += found
        good = good and both
    problems += differences(theirs.facts(), ours.facts())
    if good:
        problems += verify_chains(f'{ours.root}/etc/kubernetes')
    return problems


def main():
    genphase, configs = arguments(__doc__, 'GENPHASE', 'CONFIG...')
    genphase = os.path.abspath(genphase)
    kubeadm = find_kubeadm()
    tap = Tap(2 * len(configs))
    for config in configs:
        name = os.path.splitext(os.path.basename(config))[0]
        with open(config) as f:
            wanted = re.search(r'^# phases: (.*)$', f.read(), re.MULTILINE)
        phases = [p.strip() for p in wanted[1].split(',')] if wanted else ['control-plane all', 'etcd local']
        with tempfile.TemporaryDirectory() as directory:
            theirs = Side(f'{directory}/kubeadm', [kubeadm, 'init', 'phase'], config)
            ours = Side(f'{directory}/genphase', [genphase], config)
            tap.point(f'{name} manifests', compare_manifests(theirs, ours, phases))
            tap.point(f'{name} certificates', compare_certificates(theirs, ours))
    tap.exit()


if __name__ == '__main__':
    main()
