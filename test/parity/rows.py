#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delete each row of the era tables, one at a time: a recorded run must then come out differently.

    rows.py [--learn] [--all] GENPHASE [ROW...]

A row that can go without a recording noticing is a row that nothing proves. Recordings are those of golden.py, test/data/rows/VERSION.jsonl,
which holds runs of real kubeadms for what those do not reach (test/peer/record), and what the differential found (recorded.py). test/data/rows/witnesses.json names the run that notices each row,
found once by --learn, or null for a row that no recording reaches yet; a null whose row is noticed by --all is told, so the list only shrinks; for a row with no witness there, or whose witness no longer notices, the runs of the oldest and the newest version that it counts for are searched;
with --all those of every version, and for every row as if there were no witnesses. One point a table; ROW is a part of "group/path since until".
"""
import concurrent.futures
import glob
import json
import os
import re
import sys
import tempfile

import golden
import recorded
from tap import Tap

DATA = f'{golden.ROOT}/test/data/rows'
FOUND = f'{golden.ROOT}/test/data/differential'
TABLES = ['eras.yaml', 'images.yaml', 'addons.yaml']
GOLDEN = os.path.abspath(os.environ.get('GENPHASE_GOLDEN') or f'{golden.ROOT}/../shared/golden')


def version(text):
    """"1.20.8" as numbers; "1.21" is its first release."""
    return tuple(int(n) for n in text.lstrip('v').split('.'))[:3] + (0,) * (3 - len(text.split('.')))


class Row:
    """Some lines of a table; text is the table without them."""

    def __init__(self, table, group, lines, first, last):
        block = '\n'.join(lines[first:last])
        find = lambda key: (re.search(rf'(?:^|[{{, -]){key}: *"?([^",}}\n]*)"?', block, re.M) or (None, ''))[1]  # noqa: E731
        self.table, self.group, self.path = table, group, find('path')
        self.since, self.until = find('since'), find('until')
        self.etcd = ''.join(f' {key}={find(key)}' for key in ('etcdSince', 'etcdUntil') if find(key))
        self.key = f'{group}/{self.path} {self.since or "-"} {self.until or "-"}{self.etcd}'
        rest = lines[:first] + lines[last:]
        # A group of no rows is a list of none.
        self.text = re.sub(rf'^{re.escape(group)}:\n(?=(?:\s*#.*\n|\n)*(?:[a-z]|\Z))', f'{group}: []\n', '\n'.join(rest) + '\n', flags=re.M)

    def counts_for(self, number):
        return (not self.since or version(self.since) <= number) and (not self.until or number < version(self.until))


def rows_of(table):
    with open(f'{golden.ROOT}/templates/{table}') as f:
        lines = f.read().splitlines()
    group, rows, at = None, [], 0
    while at < len(lines):
        if re.match(r'[a-z][a-z-]*:', lines[at]):
            group = lines[at].split(':')[0]
        if lines[at].startswith('- '):
            last = at + 1
            while last < len(lines) and lines[last].startswith('  '):
                last += 1
            # A block's blank lines are part of it only where more of the block follows.
            rows.append(Row(table, group, lines, at, last))
            at = last
        else:
            at += 1
    return rows


class Runs:
    """The recorded runs by name, "1.30.4 7 etcd local", and those of a version; certs runs are "certs 1.30.4"."""

    def __init__(self):
        self.by_name, self.by_version = {}, {}
        for path in sorted(glob.glob(f'{GOLDEN}/*.jsonl')) + sorted(glob.glob(f'{DATA}/*.jsonl')) + sorted(glob.glob(f'{FOUND}/*.jsonl')):
            prefix = 'rows-' if path.startswith(DATA) else 'differential-' if path.startswith(FOUND) else ''
            stem = os.path.basename(path).removesuffix('.jsonl')
            with open(path) as f:
                for run in map(json.loads, f):
                    self.add(f'{prefix}{stem} {run["case"]} {" ".join(run["args"][:2])}', stem.removeprefix('print-'), run)
        for path in sorted(glob.glob(f'{GOLDEN}/certs/*.json')):
            self.add(f'certs {os.path.basename(path).removesuffix(".json")}', os.path.basename(path).removesuffix('.json'), path)

    def add(self, name, number, run):
        self.by_name[name] = (number, run)
        self.by_version.setdefault(version(number), []).append(name)

    def candidates(self, row, everywhere):
        """Names of runs that may notice the row: of the newest and the oldest version that it counts for, or of all; cheap ones first."""
        numbers = [number for number in sorted(self.by_version, reverse=True) if row.counts_for(number)]
        if not everywhere:
            numbers = numbers[:1] + numbers[1:][-1:]
        certs = row.group == 'certificates'
        names = [name for number in numbers for name in self.by_version[number] if name.startswith('certs ') == certs]
        return sorted(names, key=lambda name: not name.startswith(('rows-', 'differential-', 'print-')))


def notices(genphase, runs, name, directory):
    """Whether a run comes out differently with the tables of a directory."""
    number, run = runs.by_name[name]
    options = ['--templates', directory]
    if isinstance(run, str):
        tree, messages = golden.certificates(genphase, number, run, options)
        problems = '\n'.join(tree + messages)
    elif name.startswith('differential-'):
        problems = '\n'.join(recorded.problems(recorded.genphase_side(genphase, f'v{number}', options), int(number.split('.')[1]), run))
    else:
        problems = golden.compare(genphase, number, run, options) or ''
    if f'error: {directory}/' in problems:
        raise ValueError(f'the table without the row cannot be read: {problems[-300:]}')
    return bool(problems)


def find_witness(genphase, runs, row, hint, everywhere):
    with tempfile.TemporaryDirectory() as directory:
        with open(f'{directory}/{row.table}', 'w') as f:
            f.write(row.text)
        names = ([hint] if hint in runs.by_name else []) + runs.candidates(row, everywhere)
        return next((name for name in names if notices(genphase, runs, name, directory)), None)


def main():
    learn, every = '--learn' in sys.argv, '--all' in sys.argv
    genphase, *wanted = [arg for arg in sys.argv[1:] if not arg.startswith('--')]
    genphase = os.path.abspath(genphase)
    runs, path = Runs(), f'{DATA}/witnesses.json'
    witnesses = {}
    if os.path.exists(path):
        with open(path) as f:
            witnesses = json.load(f)
    unreached = {key for key, name in witnesses.items() if not name}
    if every:
        witnesses = {}
    tap, known = Tap(len(TABLES)), {}
    for table in TABLES:
        if not glob.glob(f'{GOLDEN}/*.jsonl'):
            tap.point(table, [], skip=f'no recordings in {GOLDEN}')
            continue
        rows = [row for row in rows_of(table) if not wanted or any(part in row.key for part in wanted)]
        problems = [] if rows else [f'{table}: no rows']
        with concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()) as pool:
            found = pool.map(lambda row: None if row.key in unreached and not every and not learn
                             else find_witness(genphase, runs, row, witnesses.get(row.key), every), rows)
            for row, witness in zip(rows, found):
                if learn:
                    print(f'# {row.key}: {witness}', flush=True)
                known[row.key] = witness
                if not witness and row.key not in unreached:
                    problems.append(f'{table}: no recording notices that {row.key} is gone')
                elif witness and row.key in unreached:
                    problems.append(f'{table}: {row.key} is noticed by {witness} now: --learn it')
        print(f'# {table}: {len(rows)} rows, {sum(row.key in unreached for row in rows)} of them reached by no recording')
        gone = sorted(key for key in witnesses if not wanted and key.split('/')[0] in {row.group for row in rows} and key not in known)
        problems += [f'{table}: witnesses.json names {key}, which is no row' for key in gone]
        tap.point(table, problems)
    if learn:
        with open(path, 'w') as f:
            json.dump({**(witnesses if wanted else {}), **known}, f, indent=1, sort_keys=True)
            f.write('\n')
    tap.exit()


if __name__ == '__main__':
    main()
