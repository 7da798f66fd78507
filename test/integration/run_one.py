#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run the tests of one file and report them in the Test Anything Protocol.

    run_one.py TESTFILE [-k PART]...

Every function test_* of the file is a test; they run in the order in which they stand. What setup() gives is handed to tests and
to teardown() that take an argument. With ORDERED = True in the file, each test builds on those before it: after a failure the
rest is reported as failed without being run. A test has TIMEOUT seconds (300; a `timeout` attribute of the function wins). A test
that cannot run raises Skip with the reason. The last point of every file says that its hosts were taken away whole.

When a test fails, what explains it is put into $PWT_ARTEFACTS/FILE.TEST/ (default ./test-artefacts).
"""
import argparse
import importlib.util
import inspect
import os
import shutil
import signal
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import host as host_module  # noqa: E402
from waiting import Skip    # noqa: E402


class TestTimeout(BaseException):
    """Not an Exception, so that no wait swallows it."""


def load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def diagnose(text):
    for line in text.rstrip('\n').split('\n'):
        print(f'# {line}')
    sys.stdout.flush()


def call(function, context):
    return function(context) if inspect.signature(function).parameters else function()


class Run:
    def __init__(self, module, tests):
        self.module = module
        self.tests = tests
        self.number = 0
        self.failed = 0

    def point(self, ok, name, note=''):
        self.number += 1
        self.failed += not ok
        print(f"{'ok' if ok else 'not ok'} {self.number} - {name}{note}", flush=True)

    def limited(self, function, context, seconds):
        """Call a function under a time limit."""
        def expire(signum, frame):
            raise TestTimeout(f'no end after {seconds} s')
        signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            return call(function, context)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def one(self, name, function, context):
        """Run one test; gives whether it passed (a skip counts as passed)."""
        start = time.monotonic()
        limit = getattr(function, 'timeout', getattr(self.module, 'TIMEOUT', 300))
        try:
            self.limited(function, context, limit)
        except Skip as e:
            self.point(True, name, f' # SKIP {e}')
            return True
        except (Exception, TestTimeout):
            diagnose(traceback.format_exc())
            self.explain(name)
            self.point(False, name)
            diagnose(f'{time.monotonic() - start:.2f} s')
            return False
        self.point(True, name)
        diagnose(f'{time.monotonic() - start:.2f} s')
        return True

    def explain(self, name):
        top = os.path.join(os.environ.get('PWT_ARTEFACTS', 'test-artefacts'), f'{self.module.__name__}.{name}')
        shutil.rmtree(top, ignore_errors=True)
        for host in list(host_module.Host.live):
            directory = os.path.join(top, host.name)
            host.artefacts(directory)
            diagnose(f'artefacts: {os.path.abspath(directory)}')
            log = f'{host.logs}/podwatch.log'
            if os.path.exists(log):
                diagnose('podwatch said last:\n' + host_module.tail(log, 30))

    def all(self):
        print(f'1..{len(self.tests) + 1}', flush=True)
        context, broken = None, None
        if hasattr(self.module, 'setup'):
            try:
                context = self.limited(self.module.setup, None, getattr(self.module, 'SETUP_TIMEOUT', 300))
            except Skip as e:
                for name, _ in self.tests:
                    self.point(True, name, f' # SKIP {e}')
                self.tests = []
            except (Exception, TestTimeout):
                diagnose(traceback.format_exc())
                self.explain('setup')
                broken = 'setup failed'
        for name, function in self.tests:
            if broken:
                diagnose(f'not run: {broken}')
                self.point(False, name)
            elif not self.one(name, function, context) and getattr(self.module, 'ORDERED', False):
                broken = f'it builds on {name}'
        self.end(context)

    def end(self, context):
        problems = []
        try:
            if hasattr(self.module, 'teardown') and context is not None:
                self.limited(self.module.teardown, context, 120)
        except (Exception, TestTimeout):
            problems.append(traceback.format_exc())
        for host in list(host_module.Host.live):
            try:
                host.close()
            except Exception:  # noqa: BLE001 - reported below, and the other hosts are closed too
                problems.append(traceback.format_exc())
        for problem in problems:
            diagnose(problem)
        self.point(not problems, 'hosts_are_taken_away')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('file')
    parser.add_argument('-k', dest='parts', action='append', default=[], help='only tests whose name contains this')
    args = parser.parse_args()

    def stop(signum, frame):
        raise SystemExit(128 + signum)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        host_module.cleanup_stale()
        module = load(args.file)
        tests = [(name, f) for name, f in vars(module).items() if name.startswith('test_') and callable(f)
                 and (not args.parts or any(part in name for part in args.parts))]
        run = Run(module, tests)
        run.all()
    finally:
        for host in list(host_module.Host.live):
            host.close()
    sys.exit(1 if run.failed else 0)


if __name__ == '__main__':
    main()
