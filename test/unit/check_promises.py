#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that what docs/TESTING.md says shows something is there: files, and tests of files. A file of test/integration must name its tests.

    check_promises.py ROOT
"""
import argparse
import os
import re
import sys


def named(text):
    """(file, test) of each name in the second part of a row; a test without a file is of the file before it, '' where the file stands alone."""
    path = ''
    for name in re.findall(r'`([^`]+)`', text):
        if re.fullmatch(r'test_\w+', name):
            yield path, name
        else:
            path, _, test = name.partition(': ')
            yield path, test


def exists(root, path, test):
    """`test_x.py` of integration, `dir/test_x.c` of unit, or a path from the root, and the test in it."""
    if path.startswith('test/'):
        path = os.path.join(root, path)
    else:
        path = os.path.join(root, 'test', 'unit' if path.endswith('.c') else 'integration', path)
    if not os.path.exists(path):
        return False
    if not test:
        return True
    with open(path) as f:
        return re.search(rf'^(def|static void) {re.escape(test)}\(', f.read(), re.MULTILINE) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root')
    root = parser.parse_args().root
    with open(os.path.join(root, 'docs/TESTING.md')) as f:
        _, _, part = f.read().partition('\n## What shows what\n')
    rows = [line for line in part.splitlines() if line.startswith('| ') and not line.startswith(('| promise', '|---'))]
    names = [name for row in rows for name in named(row.split(' | ', 1)[1])]
    missing = [f'{path}: {test or "the file"} is not there' for path, test in names if not exists(root, path, test)]
    missing += [f'{path}: no test of it is named' for path, test in names if re.fullmatch(r'test_\w+\.py', path) and not test]
    print('1..1')
    print(f"{'ok' if names and not missing else 'not ok'} 1 - what docs/TESTING.md names is there")
    for name in missing:
        print(f'# {name}')
    sys.exit(0 if names and not missing else 1)


main()
