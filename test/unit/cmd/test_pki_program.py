#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""genphase and the program that it turns itself into where TLS is needed: how one finds the other, and what stays as it was when
certificates cannot be written.

    test_pki_program.py GENPHASE GENPHASE_PKI
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap, arguments  # noqa: E402

GENPHASE, GENPHASE_PKI = (os.path.abspath(path) for path in arguments(__doc__, 'GENPHASE', 'GENPHASE_PKI'))
NOBODY = 65534
CONFIG = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {criSocket: unix:///run/containerd/containerd.sock, name: node1}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
encryptionAlgorithm: ECDSA-P256
'''


def needed(path):
    out = subprocess.run(['readelf', '-d', path], capture_output=True, text=True, check=True).stdout
    return re.findall(r'\(NEEDED\).*\[(.*)\]', out)


def run(directory, *args, program=GENPHASE, **options):
    return subprocess.run([program, *args, '--rootfs', f'{directory}/root', '--config', 'kubeadm.yaml'], cwd=directory,
                          capture_output=True, text=True, timeout=60, **options)


def expect(result, code, stdout=None, stderr=None):
    problems = []
    if result.returncode != code:
        problems.append(f'exit {result.returncode}, expected {code}')
    if stdout is not None and stdout not in result.stdout:
        problems.append(f'not on stdout: {stdout}')
    if stderr is not None and stderr not in result.stderr:
        problems.append(f'not on stderr: {stderr}')
    return problems and problems + [result.stdout, result.stderr]


def digest(directory):
    """Names, kinds, modes and content of everything in a tree."""
    found = hashlib.sha256()
    for where, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(directories + names):
            path = os.path.join(where, name)
            found.update(f'{path} {oct(os.lstat(path).st_mode)}\n'.encode())
            if os.path.isfile(path):
                with open(path, 'rb') as f:
                    found.update(f.read())
    return found.hexdigest()


def links(_):
    tls = [name for name in needed(GENPHASE) if re.match(r'lib(gnutls|nettle|curl|ssl|crypto|microhttpd|systemd)', name)]
    problems = [f'genphase links {name}' for name in tls]
    if not any(name.startswith('libgnutls') for name in needed(GENPHASE_PKI)):
        problems.append('genphase-pki does not link GnuTLS: the look at genphase says nothing')
    return problems


def beside(directory):
    return expect(run(directory, 'certs', 'ca'), 0, '[certs] Generating "ca" certificate and key\n')


def installed(directory):
    os.makedirs(f'{directory}/usr/bin')
    os.makedirs(f'{directory}/usr/libexec/genphase')
    shutil.copy(GENPHASE, f'{directory}/usr/bin')
    shutil.copy(GENPHASE_PKI, f'{directory}/usr/libexec/genphase')
    os.symlink('usr/bin/genphase', f'{directory}/link')
    return expect(run(directory, 'init', 'phase', 'certs', 'sa', program=f'{directory}/link'), 0, '[certs] Generating "sa"')


def alone(directory):
    """Without its second program genphase does all but TLS, and says what it misses."""
    program = shutil.copy(GENPHASE, directory)
    problems = expect(run(directory, 'control-plane', 'all', program=program), 0, 'static Pod manifest for "kube-scheduler"')
    before = digest(f'{directory}/root')
    for phase in ('certs', 'kubeconfig'):
        problems += expect(run(directory, phase, 'all', program=program), 1, '',
                           f'error: cannot start genphase-pki (looked for {directory}/genphase-pki and ')
    return problems + ([] if digest(f'{directory}/root') == before else ['the tree changed'])


def arguments(directory):
    """Wrong command lines are told by genphase itself, with the suggestion."""
    problems = []
    for args, message in (
            (['certs', 'apiservr'], 'error: unknown command "apiservr" for "genphase certs"; did you mean "apiserver"?'),
            (['kubeconfig', 'admin', '--cert-dri', 'x'], 'error: unknown flag: --cert-dri; did you mean --cert-dir?'),
            (['certs', 'all', '--cert-dir', '/x'], "error: can not mix '--config' with arguments [cert-dir]"),
            (['certs', 'sa', 'x'], 'error: "genphase certs sa" takes no arguments, got "x"')):
        problems += expect(run(directory, *args), 1, '', message)
    return problems


def external_ca(directory):
    """Every phase looks at what an external CA must have signed; nothing is said twice on the way to the second program."""
    problems = expect(run(directory, 'certs', 'ca'), 0)
    os.remove(f'{directory}/root/etc/kubernetes/pki/ca.key')
    before = digest(f'{directory}/root')
    for phase in (['control-plane', 'all'], ['etcd', 'local'], ['certs', 'all'], ['kubeconfig', 'admin']):
        result = run(directory, *phase, '-v', '1')
        problems += expect(result, 1, '', "error: invalid or incomplete external CA: failure loading key for apiserver: couldn't load the "
                           'private key file /etc/kubernetes/pki/apiserver.key: open /etc/kubernetes/pki/apiserver.key: no such '
                           'file or directory')
        if result.stderr.count('loading configuration from') != 1:
            problems += ['the configuration was not loaded once:', result.stderr]
    return problems + ([] if digest(f'{directory}/root') == before else ['the tree changed'])


def external_ca_complete(directory):
    problems = expect(run(directory, 'certs', 'all'), 0) + expect(run(directory, 'kubeconfig', 'all'), 0)
    os.remove(f'{directory}/root/etc/kubernetes/pki/ca.key')
    problems += expect(run(directory, 'control-plane', 'all'), 0, 'Creating static Pod manifest for "kube-apiserver"')
    return problems + expect(run(directory, 'certs', 'all'), 0, '[certs] Using existing ca keyless certificate authority\n')


def unwritable(directory):
    """As an ordinary user, below a directory that belongs to root."""
    os.makedirs(f'{directory}/root/etc/kubernetes')
    os.chmod(directory, 0o755)
    before = digest(f'{directory}/root')
    options = {'user': NOBODY, 'group': NOBODY, 'extra_groups': []} if os.geteuid() == 0 else {}
    if not options:
        os.chmod(f'{directory}/root/etc/kubernetes', 0o555)
        before = digest(f'{directory}/root')
    programs = tempfile.mkdtemp(dir=directory)
    os.chmod(programs, 0o755)
    shutil.copy(GENPHASE_PKI, programs)
    result = run(directory, 'certs', 'all', program=shutil.copy(GENPHASE, programs), **options)
    problems = expect(result, 1, None, 'error: error execution phase certs/ca: failure while saving ca certificate and key: '
                      "couldn't write key: unable to write private key to file /etc/kubernetes/pki/ca.key: mkdir /etc/kubernetes/pki")
    if 'permission denied' not in result.stderr or f'{directory}/root' in result.stderr:
        problems.append(result.stderr)
    return problems + ([] if digest(f'{directory}/root') == before else ['the tree changed'])


def full_disk(directory):
    """On a file system with room for some of the files."""
    root = f'{directory}/root'
    script = f'''mount -t tmpfs -o size=40k tmpfs {root} && cd {directory} || exit 99
        {GENPHASE} certs ca --rootfs root --config kubeadm.yaml || exit 98
        find root -type f | sort | xargs sha256sum >before
        {GENPHASE} certs all --rootfs root --config kubeadm.yaml; code=$?
        find root -type f | sort | xargs sha256sum >after; find root >names
        exit $code'''
    result = subprocess.run(['unshare', '-m', 'sh', '-c', script], capture_output=True, text=True, timeout=60)
    problems = expect(result, 1, None, 'no space left on device')
    if result.returncode in (98, 99):
        return problems
    with open(f'{directory}/before') as before, open(f'{directory}/after') as after, open(f'{directory}/names') as names:
        if before.read() != after.read():
            problems.append('files changed')
        problems += [f'left behind: {name}' for name in names.read().split('\n') if name.endswith('.tmp') or name.endswith('etcd')]
    return problems


def completion(_):
    out = subprocess.run([GENPHASE, 'completion', 'bash'], capture_output=True, text=True, check=True).stdout
    return [f'no {name}' for name in ('apiserver-kubelet-client', 'super-admin', '--apiserver-cert-extra-sans') if name not in out]


POINTS = [links, beside, installed, alone, arguments, external_ca, external_ca_complete, unwritable, full_disk, completion]


def main():
    tap = Tap(len(POINTS))
    for point in POINTS:
        if point == full_disk and os.geteuid() != 0:
            tap.point(point.__name__, [], 'a file system of its own needs root')
            continue
        with tempfile.TemporaryDirectory() as directory:
            os.mkdir(f'{directory}/root')
            with open(f'{directory}/kubeadm.yaml', 'w') as f:
                f.write(CONFIG)
            tap.point(point.__name__, point(directory))
    tap.exit()


main()
