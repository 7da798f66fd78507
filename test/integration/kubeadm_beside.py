# SPDX-License-Identifier: Apache-2.0
"""A real kubeadm and genphase, each in a tree of its own, so that what they print and write can be compared.

kubeadm has its paths built in: it runs in a mount namespace where /etc/kubernetes and /var/lib/kubelet are directories of its tree.
genphase gets its tree as --rootfs. What neither may depend on is taken away: PATH holds no systemctl, the environment is empty.
"""
import os
import shutil
import subprocess

from cluster import peers
from harness import program

GENPHASE = program('genphase')
VERSION = '1.36.3'
KUBEADM_DIRECTORIES = ['/etc/kubernetes', '/var/lib/kubelet']


def kubeadm_path():
    return f'{peers()}/kubeadm'


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr


class Beside:
    """Two trees below a directory, and a configuration for both."""

    def __init__(self, directory, config):
        self.directory = directory
        self.config = f'{directory}/kubeadm.yaml'
        self.roots = {name: f'{directory}/{name}' for name in ('kubeadm', 'genphase')}
        for root in self.roots.values():
            for path in KUBEADM_DIRECTORIES:
                os.makedirs(root + path)
        self.configure(config)

    def configure(self, text):
        with open(self.config, 'w') as f:
            f.write(text)

    def kubeadm(self, *args, stdin=''):
        root = self.roots['kubeadm']
        mounts = ''.join(f'mkdir -p {path}; mount --bind {root}{path} {path}; ' for path in KUBEADM_DIRECTORIES)
        script = f'{mounts}PATH={self.directory}/nothing exec "$@"'
        process = subprocess.run(['unshare', '--mount', 'bash', '-c', script, 'bash', kubeadm_path(), *args], cwd=self.directory,
                                 env={'PATH': os.environ['PATH']}, input=stdin, capture_output=True, text=True, timeout=60)
        return Result(process)

    def genphase(self, *args, version=True, stdin=''):
        chosen = ['--kubeadm-version', f'v{VERSION}'] if version else []
        process = subprocess.run([GENPHASE, *chosen, '--rootfs', self.roots['genphase'], *args], cwd=self.directory,
                                 env={'PATH': '/nonexistent', 'ASAN_OPTIONS': 'detect_leaks=0'}, input=stdin, capture_output=True,
                                 text=True, timeout=60)
        return Result(process)

    def both(self, *args, stdin=''):
        return self.kubeadm(*args, stdin=stdin), self.genphase(*args, stdin=stdin)

    def path(self, who, path):
        return self.roots[who] + path

    def read(self, who, path):
        with open(self.path(who, path)) as f:
            return f.read()

    def share(self, source, target):
        """Makes the tree of target that of source."""
        for path in KUBEADM_DIRECTORIES:
            shutil.rmtree(self.roots[target] + path)
            shutil.copytree(self.roots[source] + path, self.roots[target] + path)

    def files(self, who):
        """{path: mode} of everything in a tree."""
        root, found = self.roots[who], {}
        for directory, names, files in os.walk(root):
            for name in names + files:
                path = os.path.join(directory, name)
                found[path[len(root):]] = oct(os.lstat(path).st_mode)
        return found


def last_line(text):
    """The message of a failed kubeadm or genphase."""
    lines = [line for line in text.splitlines() if line.strip() and 'To see the stack trace' not in line]
    return lines[-1] if lines else ''
