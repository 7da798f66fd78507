#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replay what test/peer/differential found: recorded runs of real kubeadms in which genphase once differed.

    recorded.py GENPHASE VERSION.jsonl...

One point a file. Each line is a run in the form of the recordings (args, env, inputs, exit, stdout, stderr, manifests), with `tree`,
what the node had before, and `certificates`, the facts of what is there afterwards, or `files`, mode and digest of each of them. With
`compare` "dry run" stdout is what dry_run.py makes of it, and that and the exit status are compared.
"""
import difflib
import json
import os
import sys

import dry_run
from tap import Tap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'peer'))
from differ.sides import Result, compare, genphase_side  # noqa: E402


def said_by_dry_run(stdout, minor):
    return dry_run.facts(stdout, patches=minor < 31)


def problems(side, minor, run):
    ours = side.run({'tree': {}, **run})
    if run.get('compare') == 'dry run':
        said = said_by_dry_run(ours.stdout, minor)
        lines = [] if said == run['stdout'] else list(difflib.unified_diff(run['stdout'].splitlines(), said.splitlines(), 'kubeadm', 'genphase', lineterm='', n=1))
        lines += [] if ours.exit == run['exit'] else [f"exit {run['exit']} of kubeadm, {ours.exit} of genphase: {ours.stderr[-500:]}"]
        return ['\n'.join([f"case {run['case']} {' '.join(run['args'])}", *lines[:60]])] if lines else []
    files = run['files'] if 'files' in run else dict(ours.files)
    if 'certificates' in run:
        files['certificates'] = run['certificates']
    theirs = Result(run['exit'], run['stdout'], run['stderr'], run['manifests'], files)
    return [f"case {run['case']} {' '.join(run['args'])}: {field}: {text}" for field, text in compare(theirs, ours, minor).items()]


def main():
    genphase, recordings = os.path.abspath(sys.argv[1]), sys.argv[2:]
    tap = Tap(len(recordings))
    for path in recordings:
        version = os.path.basename(path).removesuffix('.jsonl')
        side = genphase_side(genphase, f'v{version}')
        with open(path, encoding='utf-8') as f:
            runs = [json.loads(line) for line in f]
        tap.point(version, [p for run in runs for p in problems(side, int(version.split('.')[1]), run)] if runs else ['no runs in it'])
    tap.exit()


if __name__ == '__main__':
    main()
