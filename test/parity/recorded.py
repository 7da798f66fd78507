#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replay what test/peer/differential found: recorded runs of real kubeadms in which genphase once differed.

    recorded.py GENPHASE VERSION.jsonl...

One point a file. Each line is a run in the form of the recordings (args, env, inputs, exit, stdout, stderr, manifests), with `tree`,
what the node had before, and `certificates`, the facts of what is there afterwards.
"""
import json
import os
import sys

from tap import Tap

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'peer'))
from differ.sides import Result, compare, genphase_side  # noqa: E402


def problems(side, minor, run):
    ours = side.run({'tree': {}, **run})
    files = dict(ours.files)
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
