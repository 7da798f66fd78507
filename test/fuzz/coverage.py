#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many lines of a parser's files its corpus reaches, as gcov counts them: at least LEAST per cent.

    coverage.py PROGRAM NAME FILE... -- DIRECTORY...

PROGRAM is replay.c with the parser compiled with --coverage; the FILEs of targets.txt are below lib/. `run` tells the same of llvm-cov, whose
lines are a little other ones.
"""
import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../parity'))
from tap import Tap  # noqa: E402

LEAST = 85


def data_files(program):
    """What a run leaves beside the objects. The names of some begin with a dot."""
    return [f'{program}.p/{name}' for name in sorted(os.listdir(f'{program}.p')) if name.endswith('.gcda')]


def counts(program):
    """How often each line was reached, by file and line."""
    found = {}
    out = subprocess.run(['gcov', '--json-format', '--stdout', *data_files(program)], capture_output=True, text=True, check=True).stdout
    for told in map(json.loads, out.splitlines()):
        for file in told['files']:
            lines = found.setdefault(os.path.normpath(file['file']).partition('lib/')[2], {})
            for line in file['lines']:
                lines[line['line_number']] = lines.get(line['line_number'], 0) + line['count']
    return found


def main():
    program, name, *rest = sys.argv[1:]
    files, directories = rest[:rest.index('--')], rest[rest.index('--') + 1:]
    tap, program = Tap(2), os.path.abspath(program)
    for path in data_files(program):
        os.unlink(path)
    replayed = subprocess.run([program, *directories], capture_output=True, text=True)
    tap.point(f'{name}: replay', [replayed.stdout + replayed.stderr] if replayed.returncode else [])
    found, problems, lines, reached = counts(program), [], 0, 0
    for file in files:
        own = found.get(file, {})
        lines += len(own)
        reached += sum(count > 0 for count in own.values())
        problems += [] if own else [f'{file}: no lines of it in {program}']
        print(f'# {file}: {sum(count > 0 for count in own.values())} of {len(own)} lines')
    problems += [] if 100 * reached >= LEAST * lines else [f'{reached} of {lines} lines are reached: less than {LEAST} %']
    tap.point(f'{name}: {reached} of {lines} lines, {100 * reached / max(lines, 1):.1f} %', problems)
    tap.exit()


if __name__ == '__main__':
    main()
