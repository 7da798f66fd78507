# SPDX-License-Identifier: Apache-2.0
"""preflight on a machine (a network namespace of its own) beside a real kubeadm: the same checks fail, in the same words."""
import os
import re
import subprocess
import tempfile

from harness import Host
from kubeadm_beside import GENPHASE, VERSION, kubeadm_path

CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10, bindPort: 6443}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
"""


def machine(directory, command, prepare='', env=()):
    """Runs a command where /etc/kubernetes and /var/lib are empty, and no address but loopback is there."""
    script = f"""ip link set lo up; mkdir -p /etc/kubernetes; mount -t tmpfs t /etc/kubernetes; mount -t tmpfs t /var/lib
{prepare}
exec env -i PATH={directory}/bin {' '.join(env)} "$@" """
    return subprocess.run(['unshare', '--mount', '--net', 'bash', '-c', script, 'bash', *command], cwd=directory, capture_output=True,
                          text=True, timeout=60)


def told(text):
    """What the checks told; how a name look-up fails depends on who looks."""
    lines = [line for line in text.splitlines() if line.startswith(('\t[', '[preflight]', 'error:'))]
    return [re.sub(r'(lookup \S+).*', r'\1', line) for line in lines if not re.search(r'SystemVerification', line)]


def compare(args=(), prepare='', env=()):
    with tempfile.TemporaryDirectory(prefix='preflight-') as directory:
        os.mkdir(f'{directory}/bin')
        with open(f'{directory}/kubeadm.yaml', 'w') as f:
            f.write(CONFIG)
        common = ['--config', f'{directory}/kubeadm.yaml', *args]
        theirs = machine(directory, [kubeadm_path(), 'init', 'phase', 'preflight', *common], prepare, env)
        ours = machine(directory, [GENPHASE, '--kubeadm-version', f'v{VERSION}', 'init', 'phase', 'preflight', *common], prepare, env)
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), f'{theirs.stdout}{theirs.stderr}\n{ours.stdout}{ours.stderr}'
        assert told(ours.stderr) == told(theirs.stderr), f'{theirs.stderr}\n---\n{ours.stderr}'
        return ours


def test_bare_machine():
    result = compare()
    assert result.returncode == 1 and '[ERROR FileExisting-losetup]' in result.stderr and '[ERROR KubeletVersion]' in result.stderr


def test_used_machine():
    taken = ('mkdir -p /etc/kubernetes/manifests /var/lib/etcd/member; touch /etc/kubernetes/manifests/etcd.yaml; '
             'python3 -c "import socket, time; s = socket.create_server((\'\', 6443)); t = socket.create_server((\'\', 2379)); time.sleep(20)" >/dev/null 2>&1 & '
             'while ! ss -ltn | grep -q :2379; do sleep 0.1; done')
    result = compare(prepare=taken)
    assert '[ERROR Port-6443]' in result.stderr and '[ERROR DirAvailable--var-lib-etcd]' in result.stderr


def test_proxies_and_ignored():
    result = compare(['--ignore-preflight-errors=all', '--dry-run'], env=['HTTPS_PROXY=proxy.example:3128', 'NO_PROXY=10.96.0.0/12'])
    assert result.returncode == 0 and '[WARNING HTTPProxy]' in result.stderr and 'Would pull' in result.stdout
    compare(['--ignore-preflight-errors=CRI,FileExisting-mount,kubeletversion'])


def test_not_root():
    with tempfile.TemporaryDirectory(prefix='preflight-') as directory:
        os.chmod(directory, 0o755)
        config = f'{directory}/kubeadm.yaml'
        with open(config, 'w') as f:
            f.write(CONFIG)
        drop = ['setpriv', '--reuid', '65534', '--clear-groups']
        results = []
        for name, command in (('kubeadm', [kubeadm_path(), 'init', 'phase']), ('genphase', [GENPHASE, '--kubeadm-version', f'v{VERSION}'])):
            program = f'{directory}/{name}'
            subprocess.run(['install', '-m', '755', command[0], program], check=True)
            results.append(subprocess.run([*drop, program, *command[1:], 'preflight', '--config', config, *(['--dry-run'] if name == 'genphase' else [])],
                                          capture_output=True, text=True, cwd=directory, timeout=60))
        theirs, ours = results
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), ours.stderr
        assert told(ours.stderr) == told(theirs.stderr) and 'user is not running as root' in ours.stderr


def test_podwatch():
    """Without a kubelet, and no kubeadm asked for, it is Docker and podwatch that are looked for."""
    with tempfile.TemporaryDirectory(prefix='preflight-') as directory:
        os.mkdir(f'{directory}/bin')
        with open(f'{directory}/kubeadm.yaml', 'w') as f:
            f.write(CONFIG)
        result = machine(directory, [GENPHASE, 'preflight', '--config', f'{directory}/kubeadm.yaml', '--docker-host',
                                     f'unix://{directory}/none.sock'])
        assert result.returncode == 1
        assert '[ERROR CRI]: could not connect to Docker: ' in result.stderr, result.stderr
        assert '[WARNING Service-podwatch]' in result.stderr and 'KubeletVersion' not in result.stderr


def test_init_pulls_too():
    """preflight of `init` is that of the verb: the same checks, and the same images asked of Docker, where nobody has them."""
    host = Host('preflight')
    host.write('/etc/kubernetes/kubeadm.yaml', CONFIG + 'imageRepository: 127.0.0.1:9/none\n')
    last = 'certs,kubeconfig,etcd,control-plane,kubelet-start,wait-control-plane,upload-config,upload-certs,mark-control-plane,bootstrap-token,' \
           'kubelet-finalize,addon,show-join-command'
    words = ['--config', '/etc/kubernetes/kubeadm.yaml', '--ignore-preflight-errors', 'all']
    verb = host.run([GENPHASE, 'preflight', *words], timeout=120)
    init = host.run([GENPHASE, 'init', '--skip-phases', last, *words], timeout=120)
    assert '[WARNING ImagePull]: failed to pull image 127.0.0.1:9/none/kube-apiserver:v' in verb.stderr, verb
    # The addons are left out, and so are their images.
    wanted = re.sub(r'.*ImagePull.*(kube-proxy|coredns).*\n', '', verb.stderr)
    assert init.stderr == wanted != verb.stderr and init.stdout.partition('\n')[2] == verb.stdout, f'{verb}\n{init}'
    result = host.run([GENPHASE, 'init', '--skip-phases', last, *words[:2], '--ignore-preflight-errors', 'NumCPU'], timeout=120, check=False)
    assert result.returncode == 1 and '[ERROR ImagePull]' in result.stderr and not os.path.exists(host.path('/etc/kubernetes/pki')), result
