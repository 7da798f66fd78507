#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every kubeadm release from 1.20 on, beside what its sources say: images, what etcd requests, what `config print` can print.

    releases.py GENPHASE

test/data/rows/releases.json is made by test/peer/releases. A patch release moves these tags within a minor, and one that is missing would
render another etcd than kubeadm did, which nobody sees until etcd is downgraded by it. leastExternalEtcd, which only an etcd that is too
old is told, is compared by the unit test cluster/etcd_version.
"""
import concurrent.futures
import json
import os
import re
import subprocess
import tempfile

from tap import Tap, arguments

FACTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../data/rows/releases.json')
ELSEWHERE = 'registry.test/mirror'


def facts():
    """Release to what is known of it."""
    with open(FACTS) as f:
        return {number: entry for entry in json.load(f) for number in entry['releases']}


def images(genphase, number, kubernetes, options=()):
    """Name behind the repository to tag."""
    command = [genphase, 'config', 'images', 'list', '--kubeadm-version', f'v{number}', '--kubernetes-version', kubernetes,
               '--image-repository', ELSEWHERE, *options]
    lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    return dict(line.removeprefix(f'{ELSEWHERE}/').rsplit(':', 1) for line in lines)


def requests(genphase, number, options=()):
    """What the etcd of a release requests."""
    minor = int(number.split('.')[1])
    api = 'v1beta2' if minor < 22 else 'v1beta3' if minor < 31 else 'v1beta4'
    with tempfile.TemporaryDirectory() as directory:
        with open(f'{directory}/kubeadm.yaml', 'w') as f:
            f.write(f'apiVersion: kubeadm.k8s.io/{api}\nkind: InitConfiguration\nlocalAPIEndpoint: {{advertiseAddress: 192.0.2.1}}\n---\n'
                    f'apiVersion: kubeadm.k8s.io/{api}\nkind: ClusterConfiguration\nkubernetesVersion: v{number}\n')
        command = [genphase, 'etcd', 'local', '--config', f'{directory}/kubeadm.yaml', '--rootfs', directory, '--kubeadm-version', f'v{number}']
        subprocess.run([*command, *options], check=True, capture_output=True, text=True, timeout=60)
        with open(f'{directory}/etc/kubernetes/manifests/etcd.yaml') as f:
            block = re.search(r'^      requests:\n((?:        .*\n)+)', f.read(), re.MULTILINE)
    return dict(line.split(': ') for line in block[1].split('\n        ') for line in [line.strip()]) if block else {}


def prints(genphase, number, kind, options=()):
    """Whether there is such a command; None where it is there and fails."""
    command = [genphase, 'config', 'print', f'{kind}-defaults', '--kubeadm-version', f'v{number}', *options]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return True if result.returncode == 0 else False if 'invalid subcommand' in result.stderr else None


def other_problems(genphase, number, known, options=()):
    """What differs but for images, a line each."""
    try:
        have = requests(genphase, number, options)
    except subprocess.CalledProcessError as e:
        return [f'{number}: {e.stderr}']
    found = [f'{number}: etcd requests {have}, not {known["etcdRequests"]}'] if have != known['etcdRequests'] else []
    kinds = {kind: prints(genphase, number, kind, options) for kind in ('init', 'join', 'reset', 'upgrade')}
    if kinds != {kind: kind in known['configPrint'] for kind in kinds}:
        found.append(f'{number}: config print has defaults of {kinds}, not of {known["configPrint"]} alone')
    return found


def problems(genphase, number, known, options=()):
    """What differs, a line each."""
    minor, found = int(number.split('.')[1]), other_problems(genphase, number, known, options)
    table = {int(key): tag for key, tag in known['etcd'].items()}
    # Beyond the newest of the table its tag counts.
    for kubernetes in range(minor - 1, max(max(table), minor) + 2):
        expected = {'etcd': table.get(kubernetes, table[max(table)])}
        expected[known['corednsImage']] = known['coredns']
        if 'pause' in known:
            expected['pause'] = known['pause']
        try:
            have = images(genphase, number, f'v1.{kubernetes}.0', options)
        except (subprocess.CalledProcessError, ValueError) as e:
            return [f'{number}, Kubernetes 1.{kubernetes}: {getattr(e, "stderr", e)}']
        found += [f'{number}, Kubernetes 1.{kubernetes}: {name} is {have.get(name)}, not {tag}'
                  for name, tag in expected.items() if have.get(name) != tag]
    return found


def main():
    genphase, known = os.path.abspath(arguments(__doc__, 'GENPHASE')[0]), facts()
    minors = list(dict.fromkeys(number.rpartition('.')[0] for number in known))
    tap = Tap(len(minors))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for minor in minors:
            numbers = [number for number in known if number.startswith(f'{minor}.')]
            lists = pool.map(lambda number: problems(genphase, number, known[number]), numbers)
            tap.point(f'kubeadm {minor}, {len(numbers)} releases', [line for one in lists for line in one])
    tap.exit()


if __name__ == '__main__':
    main()
