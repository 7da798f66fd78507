#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare genphase with recorded runs of real kubeadm binaries.

    golden.py GENPHASE [VERSION...]     without versions: all that are recorded

recordings.py says where they are and what is in them. Manifests are compared byte for byte, exit status, standard output and the error line; a run that names what of it
counts is compared in that and the error line. What Go's JSON decoder says is put into better words (place, what was found, what was
expected), so such lines are not compared.
"""
import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from facts import differences, make_root, tree, verify_chains
import recordings
from kubeadm import error_line
from recordings import ROOT
from tap import Tap, arguments


def without_order(manifest):
    """A manifest with the variables of its environment sorted: kubeadm 1.28 to 1.31 wrote them in the order of a Go map."""
    return re.sub(r'(?<=    env:\n)(?:    - .*\n|      .*\n)*', lambda m: ''.join(sorted(re.split(r'(?=^    - )', m[0], flags=re.M))), manifest)


GO_DECODER = re.compile(r'json: cannot unmarshal|ReadString: |ReadMapCB: |decode slice: ')


def errors_differ(got, wanted):
    """The error lines differ, and kubeadm's is its own."""
    theirs = error_line(wanted['stderr'])
    return bool(wanted['exit']) and not GO_DECODER.search(theirs) and theirs != error_line(got['stderr'])


def replay(genphase, version, run, options=()):
    """What genphase made of a recorded run: the same four fields."""
    with tempfile.TemporaryDirectory() as directory:
        root, cwd = make_root(f'{directory}/root'), f'{directory}/cwd'
        os.makedirs(cwd)
        for name, text in run['inputs'].items():
            os.makedirs(os.path.dirname(f'{cwd}/{name}'), exist_ok=True)
            with open(f'{cwd}/{name}', 'w') as f:
                f.write(text)
        env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', **run['env']}
        result = subprocess.run([genphase, '--kubeadm-version', f'v{version}', '--rootfs', root, *options, *run['args']], cwd=cwd, env=env,
                                capture_output=True, text=True, errors='replace', timeout=60)
        files, manifests = {}, f'{root}/etc/kubernetes/manifests'
        for name in sorted(os.listdir(manifests)) if os.path.isdir(manifests) else []:
            with open(f'{manifests}/{name}', errors='replace') as f:
                files[name] = f.read()
        return {'exit': result.returncode, 'stdout': result.stdout, 'stderr': result.stderr, 'manifests': files}


def compare(genphase, version, run, options=()):
    """What differs, as text; None where nothing does."""
    got, wanted = replay(genphase, version, run, options), dict(run)
    if 28 <= int(version.split('.')[1]) <= 31:
        for side in (got, wanted):
            side['manifests'] = {name: without_order(text) for name, text in side['manifests'].items()}
    differing = [field for field in run.get('compare', ['manifests', 'exit', 'stdout']) if got[field] != wanted[field]]
    differing += ['stderr'] if errors_differ(got, wanted) else []
    if not differing:
        return None
    shown = ''.join(f'\n{field}: kubeadm {wanted[field]!r:.2000}\n{field}: genphase {got[field]!r:.2000}' for field in differing)
    return f"case {run['case']} {' '.join(run['args'])}: {', '.join(differing)} differ{shown}\n{got['stderr'][-500:]}"


def recorded_runs(genphase, version, path):
    """Problems of all runs of a recording."""
    with open(path) as f:
        runs = [run for run in map(json.loads, f)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [p for p in pool.map(lambda run: compare(genphase, version, run), runs) if p]
    return problems if runs else [f'{path}: no runs']


def certificates(genphase, version, recording, options=()):
    """Run both phases as recorded; gives (problems of the tree, problems of the messages)."""
    with open(recording) as f:
        record = json.load(f)
    with tempfile.TemporaryDirectory() as directory:
        root = make_root(f'{directory}/root')
        with open(f'{directory}/kubeadm.yaml', 'w') as f:
            f.write(record['config'])
        said, problems = [], []
        for phase in ('certs', 'kubeconfig'):
            result = subprocess.run([genphase, '--kubeadm-version', f'v{version}', '--rootfs', root, *options, phase, 'all',
                                     '--config', 'kubeadm.yaml'], cwd=directory, capture_output=True, text=True)
            said.append(result.stdout)
            if result.returncode:
                problems.append(f'{phase} all: exit {result.returncode}: {result.stderr}')
        if problems:
            return problems, problems
        kubernetes = f'{root}/etc/kubernetes'
        problems = differences(record['files'], tree(kubernetes)) + verify_chains(kubernetes)
        return problems, differences(dict(enumerate(record['stdout'])), dict(enumerate(said)))


def main():
    genphase, versions = arguments(__doc__, 'GENPHASE', 'VERSION...')
    genphase, golden = os.path.abspath(genphase), recordings.directory()
    versions = versions or [os.path.basename(path).removesuffix('.jsonl') for path in recordings.found('[0-9]*.jsonl')]
    tap = Tap(4 * len(versions) or 1)
    if not versions:
        tap.point('every version', [], skip=f'no recordings in {golden}')
    for version in versions:
        tap.point(f'{version} manifests', recorded_runs(genphase, version, f'{golden}/{version}.jsonl'))
        printed, recording = f'{golden}/print-{version}.jsonl', f'{golden}/certs/{version}.json'
        absent = [None if os.path.exists(path) else f'no {path}' for path in (printed, recording)]
        tap.point(f'{version} printed', [] if absent[0] else recorded_runs(genphase, version, printed), skip=absent[0])
        files, messages = ([], []) if absent[1] else certificates(genphase, version, recording)
        tap.point(f'{version} certificates', files, skip=absent[1])
        tap.point(f'{version} messages', messages, skip=absent[1])
    tap.exit()


if __name__ == '__main__':
    main()
