#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Replay recorded runs of real kubeadms: those in which genphase once differed (data/differential), and those of data/rows.

    recorded.py GENPHASE PATTERN...     files VERSION.jsonl or KIND-VERSION.jsonl, by the patterns of glob

One point a file. Each line is a run in the form of the recordings (args, env, inputs, exit, stdout, stderr, manifests); one with no more
than that is compared as golden.py does. The others have `tree`,
what the node had before, `before`, commands that were run first, and `certificates`, the facts of what is there afterwards, or `files`, mode
and digest of each of them. With `server`, the script of a small API server (scripted_api.py), `said` tells what was asked of it (for the
reader), what was written by whom and what is there afterwards. `compare` may be "dry run" (stdout is what dry_run.py makes of it, and that
and the exit status are compared), "order of phases" (the same with its order()), "checks" (stdout, the exit status and what preflight
tells on standard error), "verification" (the same with the table of a failed SystemVerification), "closely" (certificates with their begin
and key identifier) or "warnings" (they alone). With `host` the run is on that host (peer/differ/host.py).
"""
import difflib
import glob
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor

import dry_run
import golden
from tap import Tap, arguments

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'peer'))
from differ.sides import KLOG, OUR_WARNING, Result, compare, genphase_side  # noqa: E402


# Warned of by a kubeadm that finds no init system below its root; genphase has no need to.
OF_THE_HOST = re.compile(r'cannot determine if systemd-resolved is active')
# What is said behind a warning about an old API version: its kind, or kubeadm's own command.
BEHIND = re.compile(r"( \(kind: .*\))?(\. Please use 'kubeadm config migrate.*)?$")


def warnings_differ(theirs, ours):
    """Warnings of one side that the other has not."""
    a, b = ([BEHIND.sub('', text) for text in side.warnings() if not OF_THE_HOST.match(text)] for side in (theirs, ours))
    return [f'kubeadm alone warned: {text}' for text in a if text not in b] + [f'genphase alone warned: {text}' for text in b if text not in a]


def said_by_dry_run(stdout, minor):
    return dry_run.facts(stdout, patches=minor < 31)


# What a check says of the machine below a recorded host, and of pulling, which each does its own way.
OF_THE_MACHINE = re.compile(r'\[(?:WARNING|ERROR) (?:NumCPU|Mem|ImagePull)\]|kernel release \S+ is unsupported|/freezer-test\d+/')
OF_A_CHECK = re.compile(r'(\t\[|\[preflight\]|(?:error: )?error execution|error: \[preflight\])')


def told_by_checks(stderr):
    """What preflight tells on standard error, without the time of a log line and the words around the last error."""
    lines = [OUR_WARNING.sub('', KLOG.sub('', line)) for line in stderr.splitlines()]
    return [line.removeprefix('error: ') for line in lines if OF_A_CHECK.match(line) and not OF_THE_MACHINE.search(line)]


# What kubeadm shows where SystemVerification fails, of each option of the kernel and each control group.
VERIFICATION = re.compile(r'\[preflight\] The system verification failed\. Printing the output from the verification:\n(?:\x1b\[0;37m.*\n)*')


def printed_by_checks(stdout, how):
    """Without what SystemVerification shows, or with it but for the kernel's release, which is the machine's."""
    if how == 'verification':
        return re.sub(r'(?<=KERNEL_VERSION\x1b\[0m: ).*', 'RELEASE', stdout)
    return VERIFICATION.sub('', stdout)


def shown(theirs, ours):
    return [] if theirs == ours else list(difflib.unified_diff(theirs.splitlines(), ours.splitlines(), 'kubeadm', 'genphase', lineterm='', n=1))


def problems(genphase, number, run, options=()):
    """What differs in a run of a version, as texts."""
    if 'tree' not in run:
        text = golden.compare(genphase, number, run, options)
        return [text] if text else []
    minor = int(number.split('.')[1])
    ours = genphase_side(genphase, f'v{number}', options).run(run)
    if run.get('compare') in ('dry run', 'order of phases', 'checks', 'verification'):
        if run['compare'] == 'dry run':
            lines = shown(run['stdout'], said_by_dry_run(ours.stdout, minor))
        elif run['compare'] == 'order of phases':
            lines = shown(run['stdout'], dry_run.order(ours.stdout))
        else:
            lines = shown(run['stdout'], printed_by_checks(ours.stdout, run['compare'])) + shown(run['stderr'], '\n'.join(told_by_checks(ours.stderr)) + '\n')
        lines += [] if ours.exit == run['exit'] else [f"exit {run['exit']} of kubeadm, {ours.exit} of genphase: {ours.stderr[-500:]}"]
        return ['\n'.join([f"case {run['case']} {' '.join(run['args'])}", *lines[:60]])] if lines else []
    files = run['files'] if 'files' in run else dict(ours.files)
    if 'certificates' in run:
        files['certificates'] = run['certificates']
    theirs = Result(run['exit'], run['stdout'], run['stderr'], run['manifests'], files, run.get('said'))
    if run.get('compare') == 'warnings':
        return [f"case {run['case']} {' '.join(run['args'])}: {text}" for text in warnings_differ(theirs, ours)]
    return [f"case {run['case']} {' '.join(run['args'])}: {field}: {text}" for field, text in compare(theirs, ours, minor).items()]


def file_problems(genphase, path):
    number = re.sub(r'^[a-z]+-', '', os.path.basename(path).removesuffix('.jsonl'))
    with open(path, encoding='utf-8') as f:
        runs = [json.loads(line) for line in f]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for texts in pool.map(lambda run: problems(genphase, number, run), runs) for text in texts]
    return found if runs else ['no runs in it']


def main():
    genphase, patterns = arguments(__doc__, 'GENPHASE', 'PATTERN...')
    genphase = os.path.abspath(genphase)
    files = [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
    tap = Tap(len(files))
    for path in files:
        tap.point(os.path.basename(path).removesuffix('.jsonl'), file_problems(genphase, path) if os.path.exists(path) else [f'there is no {path}'])
    tap.exit()


if __name__ == '__main__':
    main()
