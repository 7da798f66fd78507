# SPDX-License-Identifier: Apache-2.0
"""Points in the Test Anything Protocol, and the command line of what prints them."""
import argparse
import sys


SHOWN_LINES = 60
SHOWN_WIDTH = 400


def arguments(text, *names):
    """The command line of a test: an argument of each name, `NAME...` any number of them, `--name` an option that is there or not; in the
    order of the names. --help shows the test's own text."""
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in names:
        if name.startswith('--'):
            parser.add_argument(name, action='store_true')
        else:
            parser.add_argument(name.removesuffix('...').lower(), nargs='*' if name.endswith('...') else None)
    given = vars(parser.parse_args())
    return [given[name.removeprefix('--').removesuffix('...').replace('-', '_').lower()] for name in names]


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
