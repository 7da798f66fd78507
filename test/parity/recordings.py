# SPDX-License-Identifier: Apache-2.0
"""Where the recorded runs of real kubeadms are, some 1,500 of 18 versions. They are no part of this repository.

$GENPHASE_GOLDEN names the directory; where it is not set, the one named below beside this repository's is looked in. It has
    VERSION.jsonl           runs that wrote manifests
    print-VERSION.jsonl     runs whose result is what they print
    certs/VERSION.json      a configuration, what `certs all` and `kubeconfig all` said with it, and facts.tree() of what they made
test/peer/record makes the first two: it runs the cases of any recording, such as one of test/data/rows, with the kubeadm of a version.
Without recordings, the suites that are nothing but their replay are skipped (test/skips.txt), and rows.py does without them as a witness.
"""
import glob
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BESIDE = '../shared/golden'


def directory():
    return os.path.abspath(os.environ.get('GENPHASE_GOLDEN') or f'{ROOT}/{BESIDE}')


def found(pattern):
    """The recordings whose names fit a pattern, sorted."""
    return sorted(glob.glob(f'{directory()}/{pattern}'))
