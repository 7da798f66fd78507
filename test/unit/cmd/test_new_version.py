#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Kubernetes that nobody has heard of is rows: with --templates the same program renders 1.99.

    test_new_version.py GENPHASE TEMPLATES
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap, arguments  # noqa: E402

GENPHASE, TEMPLATES = (os.path.abspath(path) for path in arguments(__doc__, 'GENPHASE', 'TEMPLATES'))

# What 1.99 brings: group or file to lines that are added to it.
ROWS = {
    'versions.yaml': '- v1.99.2\n',
    'eras.yaml': {
        'static-pod': '- {path: "pod.spec.priority", since: "1.99", value: 2000009999}\n',
        'kube-apiserver': '- {path: args.brand-new, since: "1.99", value: "${bindPort}-yes"}\n'
                          '- {path: args.allow-privileged, since: "1.99", remove: true}\n'
                          '- {path: "pod.spec.containers[0].livenessProbe.httpGet.path", since: "1.99", value: /livez99}\n',
        'etcd': '- {path: args.snapshot-count, since: "1.99", value: "5"}\n',
        'config': '- {path: taints, since: "1.99", value: [node-role.kubernetes.io/steward]}\n',
    },
    'images.yaml': {
        'images': '- {path: pause, since: "1.99", value: "9.9"}\n'
                  '- {path: coredns, since: "1.99", value: v9.9.9}\n'
                  '- {path: etcd, since: "1.99", value: {"99": 9.9.0-0}}\n',
    },
    'addons.yaml': {'addon-coredns': '- {path: text.livenessPort, since: "1.99", value: alive}\n'},
}


def add_rows(directory):
    for name, more in ROWS.items():
        with open(f'{directory}/{name}') as f:
            text = f.read()
        if isinstance(more, str):
            text += more
        else:
            # At the end of the group: the last row that counts wins.
            for group, rows in more.items():
                lines = text.split('\n')
                at = lines.index(f'{group}:') + 1
                while at < len(lines) and not (lines[at] and lines[at][0].isalpha()):
                    at += 1
                while not lines[at - 1] or lines[at - 1].startswith('#'):
                    at -= 1
                text = '\n'.join(lines[:at] + rows.rstrip('\n').split('\n') + lines[at:])
        with open(f'{directory}/{name}', 'w') as f:
            f.write(text)


def run(cwd, *args):
    flags = ['--kubernetes-version', 'v1.99.2'] if 'v1.37.1' not in args else []
    return subprocess.run([GENPHASE, *args, *flags, '--rootfs', f'{cwd}/root'], cwd=cwd, capture_output=True, text=True)


def renders(cwd):
    flags = ['--templates', f'{cwd}/templates', '--apiserver-advertise-address', '192.0.2.1']
    made = run(cwd, 'control-plane', 'all', '-o', 'yaml', *flags).stdout
    etcd = subprocess.run([GENPHASE, 'etcd', 'local', '-o', 'yaml', '--templates', f'{cwd}/templates', '--config', 'kubeadm.yaml'], cwd=cwd,
                          capture_output=True, text=True).stdout
    images = run(cwd, 'images', 'list', '--templates', f'{cwd}/templates').stdout
    dns = run(cwd, 'addon', 'coredns', '--print-manifest', '--templates', f'{cwd}/templates').stdout
    printed = subprocess.run([GENPHASE, 'config', 'migrate', '--old-config', 'kubeadm.yaml', '--templates', f'{cwd}/templates'], cwd=cwd,
                             capture_output=True, text=True).stdout
    wanted = [(made, 'priority: 2000009999'), (made, '- --brand-new=6443-yes'), (made, 'path: /livez99'), (made, 'kube-scheduler:v1.99.2'),
              (etcd, '- --snapshot-count=5'), (etcd, 'etcd:9.9.0-0'), (images, 'pause:9.9'), (images, 'coredns:v9.9.9'),
              (images, 'etcd:9.9.0-0'), (dns, 'port: alive'), (printed, 'node-role.kubernetes.io/steward'),
              (printed, 'kubernetesVersion: v1.99.2')]
    problems = [f'no {text} in:\n{where}' for where, text in wanted if text not in where]
    return problems + (['allow-privileged is still there'] if 'allow-privileged' in made else [])


def unknown_without(cwd):
    result = run(cwd, 'control-plane', 'all', '-o', 'yaml', '--apiserver-advertise-address', '192.0.2.1')
    return [] if result.returncode == 1 and '1.99' in result.stderr else [f'{result.returncode}: {result.stdout}{result.stderr}']


def older_as_before(cwd):
    args = ['control-plane', 'all', '-o', 'yaml', '--kubernetes-version', 'v1.37.1', '--apiserver-advertise-address', '192.0.2.1']
    a, b = run(cwd, *args), run(cwd, *args, '--templates', f'{cwd}/templates')
    return [] if a.stdout == b.stdout and a.stdout else [f'1.37 changed:\n{a.stdout}{a.stderr}\n{b.stdout}{b.stderr}']


def main():
    points = [renders, unknown_without, older_as_before]
    tap = Tap(len(points))
    with tempfile.TemporaryDirectory() as cwd:
        shutil.copytree(TEMPLATES, f'{cwd}/templates')
        os.mkdir(f'{cwd}/root')
        with open(f'{cwd}/kubeadm.yaml', 'w') as f:
            f.write('apiVersion: kubeadm.k8s.io/v1beta4\nkind: InitConfiguration\nlocalAPIEndpoint: {advertiseAddress: 192.0.2.1}\n'
                    '---\napiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nkubernetesVersion: v1.99.2\n')
        add_rows(f'{cwd}/templates')
        for point in points:
            tap.point(point.__name__, point(cwd))
    tap.exit()


if __name__ == '__main__':
    main()
