# SPDX-License-Identifier: Apache-2.0
"""certs check-expiration, renew, generate-csr and kubeconfig user beside a real kubeadm, judged by openssl."""
import base64
import os
import re
import subprocess
import tempfile

from kubeadm_beside import Beside, last_line

CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {name: node1, criSocket: 'unix:///run/containerd/containerd.sock'}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v1.36.3
encryptionAlgorithm: %s
"""
PKI = '/etc/kubernetes/pki'
LEAVES = ['apiserver', 'apiserver-kubelet-client', 'apiserver-etcd-client', 'front-proxy-client', 'etcd/server', 'etcd/peer',
          'etcd/healthcheck-client']
CONFS = ['admin', 'super-admin', 'controller-manager', 'scheduler']


def setup():
    directory = tempfile.TemporaryDirectory(prefix='certs-kept-')
    beside = Beside(directory.name, CONFIG % 'ECDSA-P256')
    beside.keep = directory
    for args in (['init', 'phase', 'certs', 'all'], ['init', 'phase', 'kubeconfig', 'all']):
        made = beside.genphase(*args, '--config', 'kubeadm.yaml')
        assert made.code == 0, made.err
    beside.share('genphase', 'kubeadm')
    return beside


def openssl(*args, stdin=None):
    return subprocess.run(['openssl', *args], input=stdin, capture_output=True, text=True, check=True).stdout


def facts(text):
    """A certificate or request as openssl shows it, without what differs every time (numbers, times, key bits)."""
    kind = 'req' if 'REQUEST' in text else 'x509'
    lines = openssl(kind, '-noout', '-text', stdin=text).splitlines()
    return [line for line in lines if not re.search(r'Serial|Not Before|Not After|\b[0-9a-f]{2}:[0-9a-f]{2}\b|[0-9A-F]{2}:[0-9A-F]{2}:', line)]


def client_certificate(conf):
    data = re.search(r'client-certificate-data: (\S+)', conf).group(1)
    return base64.b64decode(data).decode()


def without_secrets(text):
    return re.sub(r'(client-\S+-data): \S+', r'\1: X', text)


def test_check_expiration(beside):
    """The table and the objects are the same text; residual seconds may move by one between the two runs."""
    for broken in (lambda root: None, lambda root: os.remove(f'{root}{PKI}/etcd/peer.crt'),
                   lambda root: os.remove(f'{root}{PKI}/front-proxy-ca.key')):
        for root in beside.roots.values():
            broken(root)
        for form in ([], ['-o', 'json'], ['-o', 'yaml']):
            theirs, ours = beside.both('certs', 'check-expiration', '--config', 'kubeadm.yaml', *form)
            assert ours.code == theirs.code == 0, ours.err + theirs.err
            a, b = (re.sub(r'(residualTime"?): \d+', r'\1: N', r.out) for r in (theirs, ours))
            assert a == b, f'{form}:\n{a}\n{b}'
            seconds = [[int(n) for n in re.findall(r'residualTime"?: (\d+)', r.out)] for r in (theirs, ours)]
            assert all(abs(x - y) <= 5 for x, y in zip(*seconds)), seconds


def test_renew(beside):
    """Both renew a copy of the same tree: the same words, the same certificates, keys that fit them."""
    beside.share('genphase', 'kubeadm')
    before = {leaf: beside.read('genphase', f'{PKI}/{leaf}.key') for leaf in LEAVES if leaf != 'etcd/peer'}
    theirs, ours = beside.both('certs', 'renew', 'all', '--config', 'kubeadm.yaml')
    assert (ours.code, ours.out) == (theirs.code, theirs.out), f'{theirs.out}\n{ours.out}\n{ours.err}'
    assert 'MISSING! certificate for etcd nodes' in ours.out and 'Detected external front-proxy-ca' in ours.out
    assert beside.files('genphase') == beside.files('kubeadm')
    for leaf, old_key in before.items():
        x, y = (beside.read(who, f'{PKI}/{leaf}.crt') for who in ('kubeadm', 'genphase'))
        assert facts(x) == facts(y), leaf
        key = beside.read('genphase', f'{PKI}/{leaf}.key')
        if leaf == 'front-proxy-client':
            assert key == old_key
            continue
        assert key != old_key, leaf
        assert openssl('x509', '-noout', '-pubkey', stdin=y) == openssl('pkey', '-pubout', stdin=key), leaf
        ca = beside.path('genphase', f'{PKI}/{"etcd/" if "etcd" in leaf else ""}ca.crt')
        openssl('verify', '-CAfile', ca, stdin=y)
    for conf in CONFS:
        x, y = (beside.read(who, f'/etc/kubernetes/{conf}.conf') for who in ('kubeadm', 'genphase'))
        assert without_secrets(x) == without_secrets(y), conf
        assert facts(client_certificate(x)) == facts(client_certificate(y)), conf


def test_mistakes(beside):
    for args in (['renew', 'nonsense'], ['check-expiration', '-o', 'nonsense']):
        theirs, ours = beside.both('certs', *args, '--config', 'kubeadm.yaml')
        assert theirs.code == ours.code == 1, f'{args}: {theirs.code} {ours.code}'
    for root in beside.roots.values():
        with open(f'{root}/etc/kubernetes/scheduler.conf', 'w') as f:
            f.write('apiVersion: v1\nkind: Config\ncurrent-context: x\n')
    for args in (['check-expiration'], ['renew', 'scheduler.conf']):
        theirs, ours = beside.both('certs', *args, '--config', 'kubeadm.yaml')
        assert theirs.code == ours.code == 1
        assert last_line(theirs.err) == last_line(ours.err), f'{theirs.err}\n{ours.err}'


def test_generate_csr():
    """Requests for a CA that is elsewhere, by an EC key and by RSA keys."""
    for algorithm in ('ECDSA-P256', 'ECDSA-P384', 'RSA-2048'):
        with tempfile.TemporaryDirectory(prefix='certs-csr-') as directory:
            beside = Beside(directory, CONFIG % algorithm)
            theirs, ours = beside.both('certs', 'generate-csr', '--config', 'kubeadm.yaml')
            assert theirs.code == ours.code == 0, theirs.err + ours.err
            # kubeadm goes through a Go map: any order.
            assert sorted(theirs.out.splitlines()) == sorted(ours.out.splitlines())
            assert beside.files('genphase') == beside.files('kubeadm')
            for path in beside.files('genphase'):
                x, y = (beside.path(who, path) for who in ('kubeadm', 'genphase'))
                if path.endswith('.csr'):
                    x, y = (beside.read(who, path) for who in ('kubeadm', 'genphase'))
                    openssl('req', '-noout', '-verify', stdin=y)
                    assert facts(x) == facts(y), path
                elif path.endswith('.conf'):
                    assert without_secrets(beside.read('kubeadm', path)) == without_secrets(beside.read('genphase', path)), path
            again = beside.genphase('certs', 'generate-csr', '--config', 'kubeadm.yaml')
            assert again.code == 1 and 'file already exists: key or CSR' in again.err


def test_kubeconfig_user(beside):
    beside.share('genphase', 'kubeadm')
    for args in (['--org', 'a', '--validity-period', '48h'], ['--token', 'xyz'], []):
        theirs, ours = beside.both('kubeconfig', 'user', '--client-name', 'foo', '--config', 'kubeadm.yaml', *args)
        assert theirs.code == ours.code == 0, theirs.err + ours.err
        assert without_secrets(theirs.out) == without_secrets(ours.out)
        if 'client-certificate-data' in ours.out:
            assert facts(client_certificate(theirs.out)) == facts(client_certificate(ours.out))
            dates = [openssl('x509', '-noout', '-dates', stdin=client_certificate(r.out)) for r in (theirs, ours)]
            assert dates[0].splitlines()[0] == dates[1].splitlines()[0]
    for args in ([], ['--client-name', 'foo', '--validity-period', 'nope']):
        theirs, ours = beside.both('kubeconfig', 'user', '--config', 'kubeadm.yaml', *args)
        assert theirs.code == ours.code == 1
        assert last_line(theirs.err) == last_line(ours.err), f'{theirs.err}\n{ours.err}'


def test_secrets(beside):
    for args, pattern in ((['token', 'generate'], r'[a-z0-9]{6}\.[a-z0-9]{16}\n'), (['certs', 'certificate-key'], r'[0-9a-f]{64}\n')):
        theirs, ours = beside.both(*args)
        assert re.fullmatch(pattern, theirs.out) and re.fullmatch(pattern, ours.out), f'{theirs.out} {ours.out}'
        assert beside.genphase(*args).out != ours.out


def teardown(beside):
    beside.keep.cleanup()
