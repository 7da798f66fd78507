#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that what docs/TESTING.md says shows something is there: files, and tests of files.

    check_promises.py ROOT
"""
import os
import re
import sys


def exists(root, name):
    """`test_x.py` of integration, `test_x.py: test_y`, `dir/test_x.c` of unit, or a path from the root."""
    path, _, test = name.partition(': ')
    if path.startswith('test/'):
        path = os.path.join(root, path)
    else:
        path = os.path.join(root, 'test', 'unit' if path.endswith('.c') else 'integration', path)
    if not os.path.exists(path):
        return False
    if not test:
        return True
    with open(path) as f:
        return re.search(rf'^def {re.escape(test)}\(', f.read(), re.MULTILINE) is not None


def main():
    root = sys.argv[1]
    with open(os.path.join(root, 'docs/TESTING.md')) as f:
        _, _, part = f.read().partition('\n## What shows what\n')
    rows = [line for line in part.splitlines() if line.startswith('| ') and not line.startswith(('| promise', '|---'))]
    names = [name for row in rows for name in re.findall(r'`([^`]+)`', row.split(' | ', 1)[1])]
    missing = [name for name in names if not exists(root, name)]
    print('1..1')
    print(f"{'ok' if names and not missing else 'not ok'} 1 - what docs/TESTING.md names is there")
    for name in missing:
        print(f'# {name}')
    sys.exit(0 if names and not missing else 1)


main()
