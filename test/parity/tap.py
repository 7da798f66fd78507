# SPDX-License-Identifier: Apache-2.0
"""Points in the Test Anything Protocol."""
import sys


SHOWN_LINES = 60
SHOWN_WIDTH = 400


class Tap:
    def __init__(self, plan):
        self.number = 0
        self.failed = 0
        print(f'1..{plan}', flush=True)

    def point(self, name, problems, skip=None):
        """One point; it passes where `problems`, a list of lines, is empty. The first of them are shown."""
        self.number += 1
        self.failed += bool(problems)
        lines = [line for problem in problems for line in problem.rstrip('\n').split('\n')]
        for line in lines[:SHOWN_LINES]:
            print(f'# {line[:SHOWN_WIDTH]}')
        if len(lines) > SHOWN_LINES:
            print(f'# ... and {len(lines) - SHOWN_LINES} lines more')
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}{f' # SKIP {skip}' if skip else ''}", flush=True)

    def exit(self):
        sys.exit(1 if self.failed else 0)
