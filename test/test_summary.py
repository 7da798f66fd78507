#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""summary.py decides whether a build passes: nothing that failed, vanished or was skipped unasked may come out as a pass."""
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def summarise(tests, skips='', status=0, tap=None):
    """Sum up one run of the given (name, result, stdout); gives (exit status, last line, whole text)."""
    with tempfile.TemporaryDirectory() as directory:
        with open(f'{directory}/skips', 'w') as f:
            f.write(skips)
        if tests is not None:
            with open(f'{directory}/unit.json', 'w') as f:
                for name, result, out in tests:
                    f.write(json.dumps({'name': f'genphase:unit / {name}', 'result': result, 'stdout': out, 'returncode': 1}) + '\n')
            with open(f'{directory}/unit.status', 'w') as f:
                f.write(f'{status}\n')
        if tap is not None:
            with open(f'{directory}/checks.tap', 'w') as f:
                f.write(tap)
        result = subprocess.run([sys.executable, f'{HERE}/summary.py', '--skips', f'{directory}/skips', directory],
                                capture_output=True, text=True)
        return result.returncode, (result.stdout.splitlines() or [''])[-1], result.stdout + result.stderr


def passes_are_counted_by_point():
    out = '1..2\nok 1 - a\n# ok, a comment\nok 2 - b\n'
    assert summarise([('x', 'OK', out), ('y', 'OK', '')])[:2] == (0, '3 passed, 0 failed, 0 skipped')


def failed_point_is_named():
    status, last, text = summarise([('x', 'FAIL', '1..2\nok 1 - a\nnot ok 2 - b\n')], status=1)
    assert (status, last) == (1, '1 passed, 1 failed, 0 skipped') and 'unit: x/b' in text, text


def missing_points_fail():
    status, last, _ = summarise([('x', 'OK', '1..3\nok 1 - a\n')])
    assert (status, last) == (1, '1 passed, 2 failed, 0 skipped')


def time_limit_after_good_points_fails():
    status, last, text = summarise([('x', 'TIMEOUT', '1..1\nok 1 - a\n')], status=1)
    assert (status, last) == (1, '1 passed, 1 failed, 0 skipped') and 'TIMEOUT' in text, text


def crash_without_points_fails():
    assert summarise([('x', 'ERROR', '')], status=1)[:2] == (1, '0 passed, 1 failed, 0 skipped')


def unlisted_skip_fails():
    status, last, text = summarise([('x', 'OK', '1..2\nok 1 - a # SKIP no reason to run\nok 2 - b\n')])
    assert (status, last) == (1, '1 passed, 1 failed, 1 skipped') and 'no reason to run' in text, text


def listed_skip_is_shown_and_accepted():
    out = '1..1\nok 1 - a # SKIP not here\n'
    for name in ('x', 'x/a'):
        status, last, text = summarise([('x', 'SKIP', out)], skips=f'# list\n{name}: known\n')
        assert (status, last) == (0, '0 passed, 0 failed, 1 skipped') and 'not here' in text, text
    assert summarise([('x', 'OK', out)], skips='x/b: known\n')[0] == 1


def whole_test_skipped_needs_the_list():
    assert summarise([('x', 'SKIP', '1..0 # SKIP nothing here\n')])[0] == 1
    assert summarise([('x', 'SKIP', '')])[0] == 1
    assert summarise([('x', 'SKIP', '')], skips='x: known\n')[0] == 0


def unexplained_status_fails():
    assert summarise([('x', 'OK', '1..1\nok 1 - a\n')], status=2)[:2] == (1, '1 passed, 1 failed, 0 skipped')


def empty_run_fails():
    assert summarise([])[:2] == (1, '0 passed, 1 failed, 0 skipped')


def todo_that_fails_fails():
    assert summarise([('x', 'OK', '1..1\nnot ok 1 - a # TODO later\n')])[0] == 1


def plain_checks_count():
    assert summarise(None, tap='ok - format\nnot ok - other\n')[:2] == (1, '1 passed, 1 failed, 0 skipped')


def list_line_without_reason_is_refused():
    status, _, text = summarise([('x', 'OK', '')], skips='x\n')
    assert status != 0 and 'want "NAME: reason"' in text, text


def main():
    tests = [passes_are_counted_by_point, failed_point_is_named, missing_points_fail, time_limit_after_good_points_fails,
             crash_without_points_fails, unlisted_skip_fails, listed_skip_is_shown_and_accepted, whole_test_skipped_needs_the_list,
             unexplained_status_fails, empty_run_fails, todo_that_fails_fails, plain_checks_count, list_line_without_reason_is_refused]
    print(f'1..{len(tests)}')
    failed = 0
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f'ok {number} - {test.__name__}')
        except AssertionError as e:
            failed += 1
            print(f'# {e!r}\nnot ok {number} - {test.__name__}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
