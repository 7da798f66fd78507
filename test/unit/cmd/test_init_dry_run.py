#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`genphase init --dry-run`: it shows what `init` would write on this host, and touches neither a service nor an API server, whichever
phases are left out.

    test_init_dry_run.py GENPHASE
"""
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../parity'))
from tap import Tap  # noqa: E402

GENPHASE = os.path.abspath(sys.argv[1])
# A call to an API server would fail soon: nobody listens there.
CONFIG = '''apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: 192.0.2.1, bindPort: 1}}
nodeRegistration: {{name: node1}}
timeouts: {{kubernetesAPICall: 1s}}
{init}---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
controlPlaneEndpoint: 127.0.0.1:1
certificatesDir: {pki}
encryptionAlgorithm: ECDSA-P256
'''
FILE = re.compile(r'^\[dryrun\] Would write file "(.*)" with content:\n((?:(?!\[).*\n)*)', re.M)
SYSTEMCTL = '''#!/bin/sh
echo "$@" >>{log}
echo active
'''


class Place:
    """A directory with a configuration in it."""

    def __init__(self, directory, init='', pki='/etc/kubernetes/pki'):
        self.directory, self.root = directory, f'{directory}/root'
        self.write('kubeadm.yaml', CONFIG.format(init=init, pki=pki))
        os.makedirs(f'{directory}/dry')

    def write(self, path, text, mode=0o644):
        path = f'{self.directory}/{path}'
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, mode)

    def run(self, *args, path='/usr/bin:/bin', config=True):
        env = {'PATH': path, 'KUBEADM_INIT_DRYRUN_DIR': f'{self.directory}/dry', 'ASAN_OPTIONS': 'detect_leaks=0'}
        return subprocess.run([GENPHASE, *args, *(['--config', 'kubeadm.yaml'] if config else [])], cwd=self.directory, env=env, capture_output=True, text=True, timeout=300)


def files_of(result):
    return dict(FILE.findall(result.stdout))


def no_api_server(directory):
    """Also where the phase that shows the files is left out, by the command line or the configuration."""
    problems = []
    for number, (init, args) in enumerate((('', ['--dry-run', '--skip-phases', 'preflight,wait-control-plane']), ('', ['--dry-run', '--skip-phases', 'preflight']),
                                           ('dryRun: true\nskipPhases: [preflight, wait-control-plane]\n', []),
                                           ('skipPhases: [preflight, wait-control-plane, kubelet-start]\n', ['--dry-run']))):
        place = Place(f'{directory}/{number}', init)
        result = place.run('init', '--rootfs', place.root, '--upload-certs', *args)
        acts = result.stdout.count('[dryrun] Would perform action ')
        shown = 'wait-control-plane' not in init + ' '.join(args)
        if result.returncode or acts < 20 or os.path.exists(place.root) or ('kube-apiserver.yaml" with content' in result.stdout) != shown:
            problems.append(f'{init}{args}: exit {result.returncode}, {acts} actions:\n{result.stdout}{result.stderr}')
    return problems


def files_of_init(directory):
    """What is shown is what the phases write on that host: with its directories of CA certificates and its patches."""
    place = Place(directory, 'patches: {directory: /etc/patches}\n')
    os.makedirs(f'{place.root}/usr/share/ca-certificates')
    place.write('root/etc/patches/kube-scheduler.yaml', 'metadata: {labels: {patched: "yes"}}\n')
    place.write('root/etc/patches/etcd.yaml', 'metadata: {labels: {patched: "yes"}}\n')
    result = place.run('init', '--rootfs', place.root, '--dry-run', '--skip-phases', 'preflight')
    shown, problems = files_of(result), [] if result.returncode == 0 else [result.stdout + result.stderr]
    written = {}
    for phase in (['control-plane', 'all'], ['etcd', 'local'], ['kubelet-start']):
        made = place.run(*phase, '--rootfs', place.root, '--dry-run')
        written.update(files_of(made))
        problems += [] if made.returncode == 0 else [made.stderr]
    written.pop('/var/lib/kubelet/instance-config.yaml')  # which kubeadm does not show
    problems += [f'{path}: shown:\n{shown.get(path)}\nwritten:\n{written.get(path)}' for path in sorted({*shown, *written}) if shown.get(path) != written.get(path)]
    for path, text in (('kube-apiserver', 'path: /usr/share/ca-certificates\n'), ('kube-scheduler', 'patched: "yes"'), ('etcd', 'patched: "yes"')):
        problems += [] if text in shown.get(f'/etc/kubernetes/manifests/{path}.yaml', '') else [f'{path}: no {text}']
    return problems + ([] if len(shown) == 6 else [f'shown are {sorted(shown)}'])


def services(directory):
    """Those of this machine are asked, as by `init`, and left as they are."""
    place = Place(directory, pki=f'{directory}/pki')
    log = f'{directory}/asked'
    place.write('asked', '')
    place.write('bin/systemctl', SYSTEMCTL.format(log=log), 0o755)
    result = place.run('init', '--dry-run', '--skip-phases', 'preflight', path=f'{directory}/bin:/usr/bin:/bin')
    with open(log) as f:
        asked = f.read().splitlines()
    problems = [] if result.returncode == 0 else [f'exit {result.returncode}: {result.stderr}']
    problems += [] if set(asked) == {'is-active systemd-resolved'} else [f'systemctl was called with {asked}']
    problems += [] if 'resolvConf: /run/systemd/resolve/resolv.conf\n' in files_of(result).get('/var/lib/kubelet/config.yaml', '') else ['no resolvConf']
    for text in ('Starting the kubelet', 'init system'):
        problems += [f'said: {text}'] if text.lower() in result.stdout.lower() else []
    text = '[etcd] Would ensure that "/var/lib/etcd" directory is present\n'
    return problems + ([] if text in result.stdout else [f'not said: {text}'])


def preflight(directory):
    """It sees the same configuration and options as all else, and what is wrong with them is told once."""
    place = Place(directory, 'bogus: 1\n')
    words, problems = ['init', '--rootfs', place.root, '--dry-run', '--ignore-preflight-errors', 'all'], []
    result = place.run(*words, '--kubeadm-version', 'v1.36.3')
    if result.returncode or result.stderr.count('bogus') != 1 or '[preflight] Running pre-flight checks\n' not in result.stdout:
        problems.append(f'lenient: exit {result.returncode}: {result.stdout[:300]}\n{result.stderr}')
    result = place.run(*words, '--kubeadm-version', 'v1.36.3', '--strict')
    problems += [] if result.returncode and not result.stdout else [f'strict: exit {result.returncode}: {result.stdout[:300]}\n{result.stderr}']
    result = place.run(*words, '--kubeadm-version', 'v1.36.3', '--quiet')
    problems += [] if (result.returncode, result.stdout, result.stderr) == (0, '', '') else [f'quiet: {result}']
    # Its preflight has no --dry-run yet, and no file stands for the flags.
    flags = ['--kubernetes-version', 'v1.22.17', '--apiserver-advertise-address', '192.0.2.1', '--node-name', 'other', '--cri-socket', '/run/my.sock']
    result = place.run(*words, '--kubeadm-version', 'v1.22.17', *flags, config=False)
    problems += [] if result.returncode == 0 and '[preflight] Would pull' in result.stdout else [f'flags: {result}']
    os.makedirs(f'{place.root}/etc/kubernetes/manifests')
    place.write('root/etc/kubernetes/manifests/etcd.yaml', 'x')
    result = place.run('init', '--rootfs', place.root, '--dry-run', '--kubeadm-version', 'v1.36.3')
    if result.returncode != 1 or 'etcd.yaml already exists' not in result.stderr or '--skip-phases preflight goes on' not in result.stderr:
        problems.append(f'in the way: {result}')
    return problems + ([] if len(os.listdir(f'{directory}/dry')) == 3 else [f"dry runs left {os.listdir(f'{directory}/dry')}"])


def main():
    points = [no_api_server, files_of_init, services, preflight]
    tap = Tap(len(points))
    for point in points:
        with tempfile.TemporaryDirectory() as directory:
            tap.point(point.__name__, point(directory))
    tap.exit()


if __name__ == '__main__':
    main()
