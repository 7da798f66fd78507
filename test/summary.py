#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sum up what the test suites reported.

    summary.py --skips FILE DIRECTORY

DIRECTORY holds NAME.json, meson's test log of a run, with its exit status in NAME.status, and NAME.tap, points as plain TAP lines.
A test that speaks TAP counts as its points, any other as one; a point that was planned and did not come counts as failed, and so
does a test that ended otherwise than its points say. Every failure and every skip is listed. A skip is accepted where FILE has a
line `TEST: reason` or `TEST/POINT: reason` for it; any other counts as a failure. Exits 0 when nothing failed.
"""
import argparse
import glob
import json
import os
import re
import sys

POINT = re.compile(r'^(not )?ok\b\s*\d*\s*(?:- )?(.*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$', re.IGNORECASE)
PLAN = re.compile(r'^1\.\.(\d+)(?:\s*#\s*SKIP\b\s*(.*))?$', re.IGNORECASE)


class Totals:
    def __init__(self, accepted):
        self.accepted = accepted
        self.passed = 0
        self.failures = []
        self.skips = []

    def skip(self, run, test, point, reason):
        known = test in self.accepted or f'{test}/{point}' in self.accepted
        self.skips.append(f"{run}: {test}/{point}: {reason or 'no reason given'}{'' if known else ' (not on the list of skips)'}")
        if not known:
            self.failures.append(f'{run}: {test}/{point}: skipped, and not on the list of skips')

    def add_tap(self, run, test, text):
        """Count the points of a TAP text; gives how many there were and how many of them failed."""
        count, failed, plan = 0, 0, None
        for line in text.splitlines():
            if m := PLAN.match(line):
                plan = int(m[1])
                if plan == 0:
                    count += 1
                    self.skip(run, test, 'all', m[2])
            elif m := POINT.match(line):
                count += 1
                name = m[2].rstrip('# ') or str(count)
                if (m[3] or '').upper() == 'SKIP':
                    self.skip(run, test, name, m[4])
                elif m[1]:
                    failed += 1
                    self.failures.append(f"{run}: {test}/{name}{' (TODO)' if m[3] else ''}")
                else:
                    self.passed += 1
        if plan and count < plan:
            failed += plan - count
            self.failures += [f'{run}: {test}: point {n} of {plan} did not come' for n in range(count + 1, plan + 1)]
        return count, failed

    def add_log(self, run, path):
        tests = 0
        before = len(self.failures)
        with open(path) as f:
            for line in f:
                tests += 1
                self.add_test(run, json.loads(line))
        if not tests:
            self.failures.append(f'{run}: no test was run')
        with open(path.removesuffix('.json') + '.status') as f:
            status = int(f.read())
        if status and len(self.failures) == before:
            self.failures.append(f'{run}: meson test ended with {status} although every point passed')

    def add_test(self, run, record):
        test, result, out = record['name'].rpartition(' / ')[2], record['result'], record.get('stdout', '')
        if PLAN.search(out) or re.search(r'^1\.\.\d', out, re.MULTILINE):
            count, failed = self.add_tap(run, test, out)
            if result not in ('OK', 'SKIP', 'EXPECTEDFAIL') and not failed:
                self.failures.append(f'{run}: {test}: {result} after {count} points, exit {record.get("returncode")}')
        elif result in ('OK', 'EXPECTEDFAIL'):
            self.passed += 1
        elif result == 'SKIP':
            self.skip(run, test, 'all', '')
        else:
            self.failures.append(f'{run}: {test}: {result}, exit {record.get("returncode")}')


def read_skips(path):
    accepted = {}
    with open(path) as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if line and not line.startswith('#'):
                name, colon, reason = line.partition(': ')
                if not colon or not reason.strip():
                    raise SystemExit(f'{path}:{number}: want "NAME: reason"')
                accepted[name] = reason.strip()
    return accepted


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--skips', required=True)
    parser.add_argument('directory')
    args = parser.parse_args()
    totals = Totals(read_skips(args.skips))
    for path in sorted(glob.glob(f'{args.directory}/*.json')):
        totals.add_log(os.path.basename(path).removesuffix('.json'), path)
    for path in sorted(glob.glob(f'{args.directory}/*.tap')):
        with open(path) as f:
            totals.add_tap('run', os.path.basename(path).removesuffix('.tap'), f.read())
    for title, lines in (('Skipped', totals.skips), ('Failed', totals.failures)):
        if lines:
            print(f'{title}:')
            print(''.join(f'  {line}\n' for line in lines), end='')
    print(f'{totals.passed} passed, {len(totals.failures)} failed, {len(totals.skips)} skipped')
    return 1 if totals.failures else 0


if __name__ == '__main__':
    sys.exit(main())
