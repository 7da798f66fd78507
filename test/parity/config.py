#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run `config migrate`, `config validate` and `config print` of genphase and of a real kubeadm and compare what they say.

    config.py GENPHASE CONFIG...

kubeadm comes from $GENPHASE_PEERS, else from test/peer/build. Compared are standard output, exit status and the error line.
"""
import os
import re
import shutil
import subprocess
import tempfile

from kubeadm import error_line, find_kubeadm
from tap import Tap, arguments

PRINTED = ['init-defaults', 'join-defaults', 'reset-defaults', 'upgrade-defaults',
           'init-defaults --component-configs KubeProxyConfiguration,KubeletConfiguration', 'init-defaults --component-configs KubeletConfiguration', 'init-defaults --component-configs Other',
           'join-defaults --component-configs KubeProxyConfiguration']


def run(command, words, cwd):
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root'}
    result = subprocess.run([*command, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=60)
    written = ''
    if os.path.exists(f'{cwd}/new.yaml'):
        with open(f'{cwd}/new.yaml') as f:
            written = f'{oct(os.fstat(f.fileno()).st_mode & 0o7777)}\n{f.read()}'
        os.unlink(f'{cwd}/new.yaml')
    return {'exit': result.returncode, 'stdout': result.stdout, 'new': written,
            'error': error_line(result.stderr) if result.returncode else ''}


def compare(kubeadm, genphase, words, cwd):
    theirs, ours = run(kubeadm, words, cwd), run(genphase, words, cwd)
    return [f'{" ".join(words)}: {what}\nkubeadm:  {theirs[what]}\ngenphase: {ours[what]}' for what in theirs if theirs[what] != ours[what]]


def main():
    genphase, configs = arguments(__doc__, 'GENPHASE', 'CONFIG...')
    kubeadm = [find_kubeadm()]
    version = subprocess.run([*kubeadm, 'version', '-o', 'short'], capture_output=True, text=True, check=True).stdout.strip()
    genphase = [os.path.abspath(genphase), '--kubeadm-version', version]
    tap = Tap(len(configs) + 2)
    with tempfile.TemporaryDirectory() as cwd:
        for config in configs:
            shutil.copy(config, f'{cwd}/old.yaml')
            problems = []
            for words in ('migrate --old-config old.yaml', 'migrate --old-config old.yaml --new-config new.yaml',
                          'validate --config old.yaml'):
                problems += compare(kubeadm, genphase, ['config', *words.split()], cwd)
            tap.point(os.path.splitext(os.path.basename(config))[0], problems)
        problems = []
        for words in PRINTED:
            problems += compare(kubeadm, genphase, ['config', 'print', *words.split()], cwd)
        tap.point('print', problems)
        problems = []
        for words in ('migrate', 'validate', 'migrate --old-config none.yaml', 'validate --config none.yaml', 'validate --config .'):
            problems += compare(kubeadm, genphase, ['config', *words.split()], cwd)
        tap.point('no file', problems)
    tap.exit()


if __name__ == '__main__':
    main()
