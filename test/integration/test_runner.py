# SPDX-License-Identifier: Apache-2.0
"""The runner of these tests: what it prints is what decides whether a build passes, so a failure must never look like a success."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from harness import netns_list, wait_for

HERE = os.path.dirname(os.path.abspath(__file__))


def run(text, *args, **env):
    """Run a test file of this text; gives (exit status, TAP lines without diagnostics, all output)."""
    directory = tempfile.mkdtemp()
    try:
        path = f'{directory}/test_sample.py'
        with open(path, 'w') as f:
            f.write(text)
        result = subprocess.run([sys.executable, f'{HERE}/run_one.py', path, *args], capture_output=True, text=True, cwd=directory,
                                env={**os.environ, 'PWT_ARTEFACTS': f'{directory}/artefacts', **env})
        return result.returncode, [line for line in result.stdout.splitlines() if not line.startswith('#')], result.stdout
    finally:
        shutil.rmtree(directory)


def test_passes_and_their_plan():
    assert run('def test_b(): pass\ndef test_a(): pass\n')[:2] == (
        0, ['1..3', 'ok 1 - test_b', 'ok 2 - test_a', 'ok 3 - hosts_are_taken_away'])


def test_failure_is_told_with_its_place():
    status, lines, output = run('def test_a():\n    assert 1 == 2, "not so"\ndef test_b(): pass\n')
    assert (status, lines[1:3]) == (1, ['not ok 1 - test_a', 'ok 2 - test_b'])
    assert 'line 2' in output and 'AssertionError: not so' in output


def test_skip_carries_its_reason():
    status, lines, _ = run('from harness import Skip\ndef test_a(): raise Skip("no such thing here")\n')
    assert (status, lines[1]) == (0, 'ok 1 - test_a # SKIP no such thing here')


def test_skip_inside_a_wait_is_a_skip():
    _, lines, _ = run('from harness import Skip, wait_for\n'
                      'def test_a():\n    def f(): raise Skip("why")\n    wait_for(f, 5, "x")\n')
    assert lines[1] == 'ok 1 - test_a # SKIP why'


def test_limit_ends_a_test_even_in_a_wait():
    status, lines, output = run('from harness import wait_for\n'
                                'def test_a(): wait_for(lambda: False, 60, "nothing")\ntest_a.timeout = 0.3\ndef test_b(): pass\n')
    assert (status, lines[1:3]) == (1, ['not ok 1 - test_a', 'ok 2 - test_b'])
    assert 'no end after 0.3 s' in output


def test_ordered_file_stops_at_the_first_failure():
    status, lines, output = run('ORDERED = True\ndef test_a(): assert False\ndef test_b(): pass\n')
    assert (status, lines[1:3]) == (1, ['not ok 1 - test_a', 'not ok 2 - test_b'])
    assert 'not run: it builds on test_a' in output


def test_failing_setup_fails_every_test():
    status, lines, _ = run('def setup(): raise ValueError("no")\ndef test_a(x): pass\ndef test_b(): pass\n')
    assert (status, lines[1:3]) == (1, ['not ok 1 - test_a', 'not ok 2 - test_b'])


def test_failing_teardown_fails_the_file():
    status, lines, _ = run('def setup(): return 1\ndef test_a(x): assert x == 1\ndef teardown(x): raise ValueError("no")\n')
    assert (status, lines[1:]) == (1, ['ok 1 - test_a', 'not ok 2 - hosts_are_taken_away'])


def test_file_that_does_not_load_fails():
    status, lines, _ = run('import nowhere\n')
    assert status != 0 and lines == []


def test_selection_by_name():
    assert run('def test_one(): pass\ndef test_two(): assert False\n', '-k', 'one')[1] == [
        '1..2', 'ok 1 - test_one', 'ok 2 - hosts_are_taken_away']


def test_end_of_the_runner_takes_the_host_away():
    """As when meson's own time limit ends it."""
    directory = tempfile.mkdtemp()
    path = f'{directory}/test_sample.py'
    with open(path, 'w') as f:
        f.write('import time\nfrom harness import Host\n'
                'def test_a():\n    h = Host("ended", docker=False)\n    open(__file__ + ".name", "w").write(h.name)\n    time.sleep(1000)\n')
    process = subprocess.Popen([sys.executable, f'{HERE}/run_one.py', path], stdout=subprocess.DEVNULL)

    def name():
        with open(path + '.name') as f:
            return f.read()
    host = wait_for(name, 20, 'the host of the sample')
    assert host in netns_list()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 128 + signal.SIGTERM
    assert host not in netns_list()
    shutil.rmtree(directory)
