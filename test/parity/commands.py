#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Walk the help of a real kubeadm and hold every command, alias and flag in it against genphase.

    commands.py GENPHASE

kubeadm comes from $GENPHASE_PEERS, else from test/peer/build. Of each command genphase must have help under the same words and under each
alias; each flag, by its letter too, must be read: it is given with a value of its type before --help. What genphase leaves out on purpose
is listed below, and must be missing. `version -o`, which scripts read, is compared.
"""
import json
import os
import re
import subprocess

from kubeadm import find_kubeadm
from tap import Tap, arguments

# Commands that genphase does not have, as README says.
WITHOUT = {'alpha', 'join', 'upgrade'}
# Flags that say how Go's logging library is to print, and how its printers deal with what genphase never prints.
WITHOUT_FLAGS = {'--vmodule', '--show-managed-fields', '--allow-missing-template-keys'}
VALUES = {'int': '1', 'int32': '1', 'Level': '1', 'duration': '1s', 'float': '1', 'bool': 'true', '': None}


class Command:
    """What `kubeadm WORDS --help` says."""

    def __init__(self, kubeadm, words):
        self.words = words
        text = subprocess.run([kubeadm, *words, '--help'], capture_output=True, text=True, check=True, timeout=60).stdout
        self.children = re.findall(r'^  (\S+) +\S', chapter(text, 'Available Commands'), re.M)
        self.aliases = [name for name in chapter(text, 'Aliases').strip().split(', ')[1:] if name]
        self.flags = re.findall(r'^ +(?:(-\w), )?(--[\w-]+)(?: (\S+))?(?:   .*)?$', chapter(text, 'Flags') + chapter(text, 'Global Flags'), re.M)


def chapter(text, name):
    return re.split(r'\n\n(?=\S)', re.split(rf'^{name}:\n', text + '\n', maxsplit=1, flags=re.M)[1])[0] if f'\n{name}:\n' in text else ''


def walk(kubeadm, words=()):
    command = Command(kubeadm, list(words))
    yield command
    for child in command.children:
        if ' '.join([*words, child]) not in WITHOUT | {'help'}:
            yield from walk(kubeadm, (*words, child))


def takes(genphase, words):
    result = subprocess.run([genphase, *words, '--help'], capture_output=True, text=True, timeout=60)
    return '' if result.returncode == 0 else result.stderr.strip().splitlines()[0]


def problems_of(genphase, command):
    problems = []
    for alias in [None, *command.aliases]:
        words = command.words if alias is None else [*command.words[:-1], alias]
        problem = takes(genphase, words)
        if problem:
            problems.append(f"{' '.join(words)}: {problem}")
    for letter, name, kind in command.flags:
        for spelling in [name] + ([letter] if letter else []):
            if spelling in ('--help', '-h'):
                continue
            value = VALUES.get(kind, 'x')
            problem = takes(genphase, [*command.words, spelling, *([value] if value else [])])
            if ('unknown' in problem) != (name in WITHOUT_FLAGS):
                problems.append(f"{' '.join([*command.words, spelling])}: {problem or 'is listed as one that genphase does not have'}")
    return problems


def version_problems(kubeadm, genphase):
    """`version -o` of the kubeadm that genphase behaves as; what is said of Go and of a commit has no match."""
    def run(program, form):
        result = subprocess.run([*program, 'version', '-o', form], capture_output=True, text=True, timeout=60)
        return result.returncode, result.stdout, result.stderr.splitlines()[:1]
    theirs = {form: run([kubeadm], form) for form in ('short', 'json', 'yaml', 'other')}
    ours = {form: run([genphase, '--kubeadm-version', theirs['short'][1].strip()], form) for form in theirs}
    problems = [f'-o {form}: {ours[form]}, kubeadm {theirs[form]}' for form in ('short', 'other') if ours[form] != theirs[form]]
    info, mine = (json.loads(side['json'][1])['clientVersion'] for side in (theirs, ours))
    problems += [f'-o json: {key} is {mine.get(key)}, not {info[key]}' for key in ('major', 'minor', 'gitVersion', 'platform') if mine.get(key) != info[key]]
    missing = [line for line in ours['yaml'][1].splitlines() if not line.startswith('genphaseVersion') and line not in theirs['yaml'][1].splitlines()]
    return problems + [f'-o yaml: {line}' for line in missing]


def main():
    genphase, = arguments(__doc__, 'GENPHASE')
    genphase, kubeadm = os.path.abspath(genphase), find_kubeadm()
    commands = list(walk(kubeadm))
    tap = Tap(len(commands) + len(WITHOUT) + 1)
    for command in commands:
        tap.point(' '.join(['kubeadm', *command.words]), problems_of(genphase, command))
    for words in sorted(WITHOUT):
        tap.point(f'without {words}', [] if takes(genphase, words.split()) else [f'genphase has {words}'])
    tap.point('version -o', version_problems(kubeadm, genphase))
    tap.exit()


if __name__ == '__main__':
    main()
