#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`genphase diff`: exit status, what is said of edits, versions and configurations, and patches that keep a hand edit: with them, what
is rendered is what was on disk.

    test_diff.py GENPHASE [--update]     --update writes the expected texts anew
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, f'{ROOT}/test/parity')
from tap import Tap, arguments  # noqa: E402

GIVEN, UPDATE = arguments(__doc__, 'GENPHASE', '--update')
GENPHASE = os.path.abspath(GIVEN)
CONFIGS = f'{ROOT}/test/data/parity'
EXPECTED = f'{ROOT}/test/data/diff'
MANIFESTS = 'root/etc/kubernetes/manifests'
# name: (component, what is found, what stands there instead, whether it differs by meaning)
EDITS = {
    'argument changed': ('kube-scheduler', '--v=4', '--v=6', True),
    'argument added': ('kube-apiserver', '    - --secure-port', '    - --profiling=false\n    - --secure-port', True),
    'argument removed': ('kube-controller-manager', '    - --use-service-account-credentials=true\n', '', True),
    'argument repeated': ('kube-apiserver', '    - --service-account-issuer=https://older.example.org\n',
                          '    - --service-account-issuer=https://older.example.org\n    - --service-account-issuer=https://oldest\n', True),
    'image': ('etcd', 'etcd:3.6.8-1', 'etcd:3.6.9-0', True),
    'probe': ('kube-apiserver', 'failureThreshold: 24', 'failureThreshold: 48', True),
    'label': ('kube-scheduler', '    tier: control-plane', '    tier: control-plane\n    team: night', True),
    'volume': ('kube-scheduler', '  - hostPath:\n', '  - hostPath:\n      path: /srv/extra\n    name: extra\n  - hostPath:\n', True),
    'volumes reordered': ('etcd', None, None, True),
    'environment': ('etcd', '    - name: GOMAXPROCS\n      value: "2"\n', '    - name: GOMAXPROCS\n      value: "3"\n    - name: A\n      value: b\n', True),
    'resources': ('kube-controller-manager', 'cpu: 200m', 'cpu: 200m\n        memory: 1Gi', True),
    'default spelled out': ('kube-scheduler', '  hostNetwork: true\n', '  hostNetwork: true\n  restartPolicy: Always\n', False),
    'comment': ('etcd', 'apiVersion: v1\n', '# mine\napiVersion: v1\n', False),
    'quantity written another way': ('kube-controller-manager', 'cpu: 200m', 'cpu: 0.2', False),
}
# name: (arguments, edits that are made on disk first)
TEXTS = {
    'edited': (['--config', 'full.yaml'], ['argument changed', 'argument added', 'argument removed', 'image', 'probe', 'label', 'comment']),
    'upgrade': (['apiserver', 'scheduler', '--config', 'v1beta3.yaml', '--from-kubernetes-version', 'v1.30.2', '--kubernetes-version', 'v1.35.0'], []),
    'configuration': (['--config', 'external-etcd.yaml', '--from-config', 'plain.yaml'], []),
}


def genphase(directory, *args):
    return subprocess.run([GENPHASE, '--rootfs', 'root', *args], cwd=directory, capture_output=True, text=True, timeout=60,
                          env={'PATH': '/usr/bin:/bin'})


def render(directory):
    shutil.rmtree(f'{directory}/root', ignore_errors=True)
    os.makedirs(f'{directory}/root')
    for phase in (['control-plane', 'all'], ['etcd', 'local']):
        result = genphase(directory, *phase, '--config', 'full.yaml')
        assert result.returncode == 0, result.stderr


def edit(directory, name):
    component, old, new, _ = EDITS[name]
    path = f'{directory}/{MANIFESTS}/{component}.yaml'
    with open(path) as f:
        text = f.read()
    if old is None:  # the volumes in the opposite order
        head, volumes, tail = re.fullmatch(r'(.*\n  volumes:\n)(.*)(status: .*)', text, re.S).groups()
        changed = head + ''.join(reversed(re.split(r'(?=^  - )', volumes, flags=re.M))) + tail
    else:
        changed = text.replace(old, new, 1)
    assert changed != text, name
    with open(path, 'w') as f:
        f.write(changed)


def objects(result):
    return {o['component']: o for o in map(json.loads, result.stdout.splitlines()) if 'action' not in o}


def one_edit(directory, name):
    component, _, _, differs = EDITS[name]
    restart = {'kubelet': differs or 'quantity' in name, 'podwatch': name != 'comment'}
    problems = []
    for extra in ([], ['--argument-patches']):
        render(directory)
        edit(directory, name)
        shutil.rmtree(f'{directory}/patches', ignore_errors=True)
        result = genphase(directory, 'diff', '--config', 'full.yaml', '-o', 'json', '--write-patches', 'patches', *extra)
        found = objects(result)
        if result.returncode != differs or found[component]['restart'] != restart:
            problems.append(f'exit {result.returncode}: {result.stdout} {result.stderr}')
        if any(o['result'] != 'same' for o in found.values() if o['component'] != component):
            problems.append(f'others differ, too: {result.stdout}')
        if bool(found[component].get('patches')) != differs or os.path.exists(f'{directory}/patches') != differs:
            problems.append(f"patches: {found[component].get('patches')}")
        if differs:
            problems += round_trip(directory, component, kubeadm=not extra)
    return problems


def round_trip(directory, component, kubeadm):
    """With the patches nothing differs any more; and a phase that uses them writes what was on disk."""
    again = genphase(directory, 'diff', '--config', 'full.yaml', '--patches', 'patches')
    if again.returncode != 0:
        return [f'with the patches: exit {again.returncode}: {again.stdout} {again.stderr}']
    if kubeadm and any('+arguments' in name for name in os.listdir(f'{directory}/patches')):
        return ['a patch that kubeadm does not know']
    with open(f'{directory}/full.yaml') as f, open(f'{directory}/patched.yaml', 'w') as to:
        to.write(f.read().replace('kind: InitConfiguration\n', 'kind: InitConfiguration\npatches: {directory: patches}\n', 1))
    with open(f'{directory}/{MANIFESTS}/{component}.yaml') as f:
        edited = f.read()
    phase = ['etcd', 'local'] if component == 'etcd' else ['control-plane', component.removeprefix('kube-')]
    written = genphase(directory, *phase, '--config', 'patched.yaml', '-o', 'yaml')
    # Edits are made in the form that kubeadm writes, but for the order of some keys.
    if sorted(written.stdout.split('\n')) != sorted(edited.split('\n')):
        return [f'{component}: rendered with the patches: {written.stdout}{written.stderr}']
    return []


def expected_text(directory, name):
    args, edits = TEXTS[name]
    render(directory)
    for e in edits:
        edit(directory, e)
    result = genphase(directory, 'diff', *args)
    text = re.sub(r'(templates/[\w-]+\.yaml:)\d+', r'\1N', result.stdout)
    path = f'{EXPECTED}/{name}.txt'
    if UPDATE:
        with open(path, 'w') as f:
            f.write(text)
    with open(path) as f:
        wanted = f.read()
    problems = [] if result.returncode == 1 else [f'exit {result.returncode}: {result.stderr}']
    return problems + ([] if text == wanted else [f'{path} differs', *(x for x in text.split('\n') if x not in wanted.split('\n'))])


def hand_edits_of_an_upgrade(directory):
    """Against another version, the patches hold the edit alone and none of what the version changes."""
    render(directory)
    edit(directory, 'argument changed')
    shutil.rmtree(f'{directory}/patches', ignore_errors=True)
    result = genphase(directory, 'diff', 'scheduler', '--config', 'full.yaml', '--kubernetes-version', 'v1.37.0', '--from-kubernetes-version',
                      'v1.36.3', '-o', 'json', '--write-patches', 'patches', '--argument-patches')
    found = objects(result)['kube-scheduler']
    problems = []
    if [(e['name'], e['before'], e['after']) for e in found.get('edits', [])] != [('--v', '4', '6')]:
        problems.append(f'edits: {found} {result.stderr}')
    if [d['what'] for d in found['differences']] != ['image']:
        problems.append(f"differences: {found['differences']}")
    with open(f'{directory}/patches/kube-scheduler-edits+arguments.yaml') as f:
        text = f.read()
    if text.split('\n', 1)[1] != '- set: v\n  value: "6"\n':
        problems.append(f'the patch: {text}')
    return problems


def second_patch(directory):
    """Patches stay beside older ones."""
    render(directory)
    shutil.rmtree(f'{directory}/patches', ignore_errors=True)
    for name in ('argument changed', 'label'):
        edit(directory, name)
        genphase(directory, 'diff', '--config', 'full.yaml', '--write-patches', 'patches', *(
            ['--patches', 'patches'] if os.path.exists(f'{directory}/patches') else []))
    names = sorted(os.listdir(f'{directory}/patches'))
    if names != ['kube-scheduler-edits+strategic.yaml', 'kube-scheduler-edits1+strategic.yaml']:
        return [f'patches: {names}']
    again = genphase(directory, 'diff', '--config', 'full.yaml', '--patches', 'patches')
    return [] if again.returncode == 0 else [again.stdout, again.stderr]


def statuses(directory):
    render(directory)
    os.remove(f'{directory}/{MANIFESTS}/etcd.yaml')
    with open(f'{directory}/{MANIFESTS}/kube-apiserver.yaml', 'w') as f:
        f.write('kind: [\n')
    cases = ((['scheduler', '--config', 'full.yaml'], 0, 'kube-scheduler: same\n', ''),
             (['etcd', '--config', 'full.yaml'], 1, 'etcd: not on disk: the pod starts\n', ''),
             (['apiserver', '--config', 'full.yaml'], 2, '', '/etc/kubernetes/manifests/kube-apiserver.yaml:2:1: '),
             (['etcd', '--config', 'external-etcd.yaml'], 2, '', 'an external etcd'),
             (['all', '--config', 'none.yaml'], 2, '', 'none.yaml'),
             (['all', '--config', 'full.yaml', '--from-config', 'bad-name.yaml'], 2, '', 'the side before'),
             (['etcdd', '--config', 'full.yaml'], 2, '', 'did you mean "etcd"?'),
             (['scheduler', '--config', 'full.yaml', '--from-config', 'full.yaml'], 0, 'kube-scheduler: same\n', ''),
             (['scheduler', '--kubernetes-version', 'v1.36.3', '--from-kubernetes-version', 'v1.36.2'], 1, 'image: ', ''),
             (['scheduler', '--config', 'full.yaml', '--from-kubernetes-version', 'v1.5.0'], 2, '', 'no kubeadm 1.5 is known'))
    problems = []
    for args, code, out, err in cases:
        result = genphase(directory, 'diff', *args)
        if result.returncode != code or out not in result.stdout or err not in result.stderr or bool(out) != bool(result.stdout):
            problems.append(f'{args}: exit {result.returncode}: {result.stdout} {result.stderr}')
    return problems


def trouble(directory):
    """What goes wrong outside the verb is no difference: flags, facts, an output that takes nothing."""
    render(directory)
    with open(f'{directory}/facts.yaml', 'w') as f:
        f.write('kind: [\n')
    problems = []
    for args in (['--no-such-flag'], ['--kubeadm-version'], ['-o', 'nonsense'], ['--host-facts', 'facts.yaml'], ['--kubeadm-version', 'v1.5.0']):
        result = genphase(directory, 'diff', 'scheduler', '--config', 'full.yaml', *args)
        if (result.returncode, result.stdout) != (2, '') or not result.stderr.startswith('error: '):
            problems.append(f'{args}: exit {result.returncode}: {result.stdout} {result.stderr}')
    for edited in (False, True):
        if edited:
            edit(directory, 'argument changed')
        with open('/dev/full', 'w') as full:
            result = subprocess.run([GENPHASE, '--rootfs', 'root', 'diff', 'scheduler', '--config', 'full.yaml'], cwd=directory, stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=60, env={'PATH': '/usr/bin:/bin'})
        problems += [] if result.returncode == 2 and 'standard output' in result.stderr else [f'/dev/full: {result}']
    other = genphase(directory, 'etcd', 'local', '--no-such-flag')
    return problems + ([] if other.returncode == 1 else [f'another verb: exit {other.returncode}'])


def typos_on_disk(directory):
    """A field that the kubelet drops without a word is named with its place."""
    render(directory)
    path = f'{directory}/{MANIFESTS}/kube-scheduler.yaml'
    with open(path) as f:
        text = f.read()
    with open(path, 'w') as f:
        f.write(text.replace('  hostNetwork: true\n', '  hostNetwork: true\n  hostNetwrok: true\n'))
    result = genphase(directory, 'diff', 'scheduler', '--config', 'full.yaml')
    wanted = r'kube-scheduler.yaml:\d+:\d+: spec.hostNetwrok: .*did you mean "?hostNetwork'
    return [] if re.search(wanted, result.stderr) and result.returncode == 0 else [f'{result.returncode}: {result.stdout}{result.stderr}']


def main():
    tap = Tap(len(EDITS) + len(TEXTS) + 5)
    with tempfile.TemporaryDirectory() as directory:
        for name in os.listdir(CONFIGS):
            os.symlink(f'{CONFIGS}/{name}', f'{directory}/{name}')
        for name in EDITS:
            tap.point(f'edit and patch: {name}', one_edit(directory, name))
        for name in TEXTS:
            tap.point(f'text: {name}', expected_text(directory, name))
        tap.point('edits told apart from an upgrade', hand_edits_of_an_upgrade(directory))
        tap.point('patches beside older ones', second_patch(directory))
        tap.point('exit status', statuses(directory))
        tap.point('trouble', trouble(directory))
        tap.point('typos on disk', typos_on_disk(directory))
    tap.exit()


if __name__ == '__main__':
    main()
