#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delete each row of the era tables, one at a time: something that a real kubeadm did must then come out differently.

    rows.py [--learn] [--all] GENPHASE [ROW...]

A row that can go without anything noticing is a row that nothing proves. test/data/rows/witnesses.json names for each row what notices:

    VERSION CASE ARGS       a recorded run: those of golden.py, as print- those of its printed ones, as rows-, rows-node-, rows-host- and
                            rows-cluster- those of test/data/rows (test/peer/record makes them for what the others do not reach; node-
                            has what the node had before, host- the whole of it, cluster- a scripted API server beside), as differential-
                            those of test/data/differential, as certs those of certificates
    releases VERSION        what the sources of a release say of its images (releases.py)
    unit LAYER/NAME         a unit test, for what needs another host than a recording has: its answers are kubeadm's too

    null                    nothing yet

The table without the row is given by --templates, to a unit test by TEST_TEMPLATES. Each witness must be content with the whole tables.
Where there are no recordings (recordings.py), rows that one of them is to notice are not looked at, and said to be so.
For a row with no witness there, or whose witness no longer notices, recordings of the oldest and the newest version that it counts for are
searched, and with --all those of every version, for every row as if there were no witnesses; --learn writes down what was found. One point
a table, and one for the whole tables; ROW is a part of "group/path since until".
"""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import tempfile

import golden
import recorded
import recordings
import releases
from tap import Tap, arguments

DATA = f'{golden.ROOT}/test/data/rows'
DIFFERENTIAL = f'{golden.ROOT}/test/data/differential'
TABLES = ['eras.yaml', 'images.yaml', 'addons.yaml', 'coredns.yaml', 'versions.yaml']
OF_RECORDINGS = re.compile(r'(print-)?\d|certs ')  # witnesses that are there with the recordings alone
UNIT_SECONDS = 120


def version(text):
    """"1.20.8" as numbers; "1.21" is its first release."""
    return tuple(int(n) for n in text.lstrip('v').split('.'))[:3] + (0,) * (3 - len(text.split('.')))


class Row:
    """A part of a table; text is the table without it. A kubeadm release of versions.yaml counts for its minor; what counts for releases of
    CoreDNS does so in any kubeadm."""

    def __init__(self, table, group, number, block, rest):
        find = lambda key: (re.search(rf'(?:^|[{{, -]){key}: *"?([^",}}\n]*)"?', block, re.M) or (None, ''))[1]  # noqa: E731
        self.table, self.group = table, group
        self.path = find('path') or '.'.join(filter(None, map(find, ('plugin', 'option', 'whole'))))
        self.path = self.path or (str(number) if '\n' in block else block.removeprefix('- '))
        self.since, self.until = find('since'), find('until')
        self.etcd = ''.join(f' {key}={find(key)}' for key in ('etcdSince', 'etcdUntil') if find(key))
        self.section = f'coredns-{group}' if table == 'coredns.yaml' else group or 'releases'
        self.key = f'{self.section}/{self.path} {self.since or "-"} {self.until or "-"}{self.etcd}'
        # A group of no rows is a list of none.
        self.text = re.sub(rf'^{re.escape(group)}:\n(?=(?:\s*#.*\n|\n)*(?:[a-z]|\Z))', f'{group}: []\n', rest, flags=re.M) if group else rest

    def counts_for(self, number):
        if self.table == 'coredns.yaml':
            return True
        if self.table == 'versions.yaml':
            return version(self.path)[:2] == number[:2]
        return (not self.since or version(self.since) <= number) and (not self.until or number < version(self.until))


def end_of_row(lines, first):
    """A block's blank lines are part of it only where more of the block follows."""
    last = first + 1
    for at in range(first + 1, len(lines)):
        if lines[at].startswith('  '):
            last = at + 1
        elif lines[at]:
            break
    return last


def flow_rows(table, group, text, begin, end):
    """A list in brackets, whose items are words."""
    for number, item in enumerate(re.finditer(r'([^\s,]+)(,\s*|\s*$)', text[begin:end])):
        rest = text[:begin] + text[begin:end][:item.start()] + text[begin:end][item.end():] + text[end:]
        yield Row(table, group, number, item[1], re.sub(r',\s*]', ']', rest))


def rows_of(table):
    with open(f'{golden.ROOT}/templates/{table}') as f:
        text = f.read()
    lines, group, rows, at = text.splitlines(), '', [], 0
    for listed in re.finditer(r'^([a-z][a-z-]*): \[\n([^]]*)\]', text, re.M):
        rows.extend(flow_rows(table, listed[1], text, *listed.span(2)))
    while at < len(lines):
        if re.match(r'[a-z][a-z-]*:', lines[at]):
            group = lines[at].split(':')[0]
        if lines[at].startswith('- '):
            last = end_of_row(lines, at)
            number = sum(row.group == group for row in rows)
            rows.append(Row(table, group, number, '\n'.join(lines[at:last]), '\n'.join(lines[:at] + lines[last:]) + '\n'))
            at = last
        else:
            at += 1
    return rows


class Runs:
    """The recorded runs by name, "1.30.4 7 etcd local", and those of a version; certs runs are "certs 1.30.4"."""

    def __init__(self):
        self.by_name, self.by_version, self.releases = {}, {}, releases.facts()
        for directory, prefix in (recordings.directory(), ''), (DATA, 'rows-'), (DIFFERENTIAL, 'differential-'):
            for path in sorted(glob.glob(f'{directory}/*.jsonl')):
                stem = os.path.basename(path).removesuffix('.jsonl')
                number = re.sub(r'^[a-z]+-', '', stem)
                with open(path) as f:
                    for run in map(json.loads, f):
                        self.add(f'{prefix}{stem} {run["case"]} {" ".join(run["args"][:2])}', number, run)
        for path in recordings.found('certs/*.json'):
            self.add(f'certs {os.path.basename(path).removesuffix(".json")}', os.path.basename(path).removesuffix('.json'), path)

    def add(self, name, number, run):
        self.by_name[name] = (number, run)
        self.by_version.setdefault(version(number), []).append(name)

    def candidates(self, row, everywhere):
        """Names of runs that may notice the row: of the newest and the oldest version that it counts for, or of all; cheap ones first."""
        numbers = [number for number in sorted(self.by_version, reverse=True) if row.counts_for(number)]
        if not everywhere:
            numbers = numbers[:1] + numbers[1:][-1:]
        of_releases = row.section in ('images', 'etcd', 'commands', 'releases')
        first = [f'releases {number}' for number in self.releases if of_releases and row.counts_for(version(number))]
        first = (['unit phase/corefile'] if row.table == 'coredns.yaml' else []) + first[:1] + first[1:][-1:]
        certs = row.group == 'certificates'
        names = [name for number in numbers for name in self.by_version[number] if certs or not name.startswith('certs ')]
        return first + sorted(names, key=lambda name: (name.startswith('certs ') != certs, not name.startswith(('rows-', 'print-'))))


def unit_fails(genphase, name, directory):
    """Whether a unit test fails with the tables of a directory (None: the whole ones)."""
    layer, test = name.removeprefix('unit ').split('/')
    build = os.path.dirname(os.path.dirname(os.path.dirname(genphase)))
    env = {**os.environ, 'TEST_DATA': f'{golden.ROOT}/test/data', 'PROJECT_ROOT': golden.ROOT, 'TEST_TEMPLATES': directory or f'{golden.ROOT}/templates'}
    return subprocess.run([f'{build}/test/unit/{layer}/test_{layer}_{test}'], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          timeout=UNIT_SECONDS).returncode != 0


def what_differs(genphase, runs, name, directory):
    """What a witness finds wrong with the tables of a directory (None: the whole ones), as text; '' where nothing."""
    if name.startswith('unit '):
        return f'{name} fails' if unit_fails(genphase, name, directory) else ''
    options = ['--templates', directory] if directory else []
    if name.startswith('releases '):
        number = name.removeprefix('releases ')
        return '\n'.join(releases.problems(genphase, number, runs.releases[number], options))
    number, run = runs.by_name[name]
    if isinstance(run, str):
        tree, messages = golden.certificates(genphase, number, run, options)
        return '\n'.join(tree + messages)
    return '\n'.join(recorded.problems(genphase, number, run, options))


def notices(genphase, runs, name, directory):
    """Whether a run comes out differently with the tables of a directory."""
    problems = what_differs(genphase, runs, name, directory)
    if f'error: {directory}/' in problems:
        raise ValueError(f'the table without the row cannot be read: {problems[-300:]}')
    return bool(problems)


def find_witness(genphase, runs, row, hint, everywhere):
    with tempfile.TemporaryDirectory() as directory:
        with open(f'{directory}/{row.table}', 'w') as f:
            f.write(row.text)
        names = ([hint] if hint and (hint.startswith(('unit ', 'releases ')) or hint in runs.by_name) else []) + runs.candidates(row, everywhere)
        return next((name for name in names if notices(genphase, runs, name, directory)), None)


def main():
    genphase, wanted, learn, every = arguments(__doc__, 'GENPHASE', 'ROW...', '--learn', '--all')
    genphase, recorded_runs = os.path.abspath(genphase), bool(recordings.found('*.jsonl'))
    if (learn or every) and not recorded_runs:
        raise SystemExit(f'rows.py: --learn and --all search the recordings: there are none in {recordings.directory()}')
    runs, path = Runs(), f'{DATA}/witnesses.json'
    with open(path) as f:
        witnesses = json.load(f)
    hints = {} if every else witnesses
    tap, known = Tap(len(TABLES) + 1), {}
    pool = concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count())
    for table in TABLES:
        rows = [row for row in rows_of(table) if not wanted or any(part in row.key for part in wanted)]
        problems = [] if rows or wanted else [f'{table}: no rows']
        # What nothing notices yet is searched for on request.
        unreached = set() if every or learn else {row.key for row in rows if witnesses.get(row.key, '') is None}
        unchecked = set() if recorded_runs else {row.key for row in rows if OF_RECORDINGS.match(witnesses.get(row.key) or '')}
        left_out = unreached | unchecked
        found = pool.map(lambda row: None if row.key in left_out else find_witness(genphase, runs, row, hints.get(row.key), every), rows)
        for row, witness in zip(rows, found):
            if learn:
                print(f'# {row.key}: {witness}', flush=True)
            known[row.key] = witness
            if not witness and row.key not in left_out:
                problems.append(f'{table}: nothing notices that {row.key} is gone')
            elif witness and witness != witnesses.get(row.key) and not learn and not every:
                problems.append(f'{table}: {row.key} is noticed by {witness}, not by {witnesses.get(row.key)}: --learn it')
        gone = sorted(key for key in witnesses if not wanted and key.split('/')[0] in {row.section for row in rows} and key not in known)
        problems += [] if learn else [f'{table}: witnesses.json names {key}, which is no row' for key in gone]
        print(f'# {table}: {len(rows)} rows, {len(unreached)} of them noticed by nothing yet'
              + (f', {len(unchecked)} not looked at: the recordings that notice them are not here' if unchecked else ''))
        tap.point(table, problems)
    # A witness that is never content would notice anything.
    names = sorted({name for name in known.values() if name})
    found = zip(names, pool.map(lambda name: what_differs(genphase, runs, name, None), names))
    tap.point('whole tables', [f'{name}: {problem}' for name, problem in found if problem])
    if learn:
        with open(path, 'w') as f:
            json.dump({**(witnesses if wanted else {}), **known}, f, indent=1, sort_keys=True)
            f.write('\n')
    tap.exit()


if __name__ == '__main__':
    main()
