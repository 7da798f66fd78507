# SPDX-License-Identifier: Apache-2.0
"""What a tree of certificates and kubeconfigs says, in a form in which two trees made with different keys can be compared."""
import base64
import datetime
import hashlib
import os
import re
import subprocess
import tempfile

# Where kubeadm looks for CA bundles to mount; the machine of the recordings had these.
CA_DIRECTORIES = ['etc/ssl/certs', 'etc/ca-certificates', 'usr/share/ca-certificates', 'usr/local/share/ca-certificates']


def make_root(directory):
    """An empty tree with the CA directories that decide about volumes."""
    for name in CA_DIRECTORIES:
        os.makedirs(f'{directory}/{name}')
    return directory


def _der(data, at):
    """Where the content of a DER value at `at` begins and ends."""
    size, at = data[at + 1], at + 2
    if size & 0x80:
        size, at = int.from_bytes(data[at:at + (size & 0x7f)], 'big'), at + (size & 0x7f)
    return at, at + size


def key_identifier(pem, value):
    """What a key identifier, hexadecimal digits and colons, is made with from the key of its certificate."""
    public = subprocess.run(['openssl', 'x509', '-noout', '-pubkey'], input=pem.encode(), capture_output=True, check=True).stdout
    spki = subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=public, capture_output=True, check=True).stdout
    inside, _ = _der(spki, 0)
    start, end = _der(spki, _der(spki, inside)[1])  # the bits behind the algorithm; their first byte counts unused ones
    wanted = bytes.fromhex(value.replace(':', ''))
    return next((name for name in ('sha1', 'sha256') if hashlib.new(name, spki[start + 1:end]).digest()[:20] == wanted), 'another')


def certificate(pem, begin_of_ca=None):
    """The facts of a certificate as `openssl x509` shows them; key identifiers, serial and key material left out.

    With begin_of_ca, a text to compare with, there is also what the key identifier is made with and whether it begins as its authority.
    """
    out = subprocess.run(['openssl', 'x509', '-noout', '-text', '-nameopt', 'RFC2253,sep_comma_plus'], input=pem,
                         capture_output=True, text=True, check=True).stdout

    def field(pattern):
        return re.search(pattern, out, re.MULTILINE)[1].strip()

    def time(label):
        return datetime.datetime.strptime(field(rf'{label}\s*: (.*) GMT$'), '%b %d %H:%M:%S %Y')
    extensions = {}
    block = re.search(r'X509v3 extensions:\n(.*?)^ {4}Signature Algorithm', out, re.MULTILINE | re.DOTALL)[1]
    for name, critical, value in re.findall(r'^ {12}X509v3 (.*?):( critical)?\s*\n {16}(.*)$', block, re.MULTILINE):
        extensions[name] = {'critical': bool(critical), 'value': '<id>' if name.endswith('Key Identifier') else value.strip()}
    close = {}
    if begin_of_ca is not None:
        subject_key = re.search(r'Subject Key Identifier:.*\n\s+(\S+)', out)
        close = {'key identifier': key_identifier(pem, subject_key[1]) if subject_key else 'none',
                 'begins': 'as its authority' if field(r'Not Before\s*: (.*)$') == begin_of_ca else 'by itself'}
    return {**close, 'version': field(r'Version: (\d+)'), 'signature': field(r'Signature Algorithm: (.*)$'), 'issuer': field(r'Issuer: (.*)$'),
            'subject': field(r'Subject: (.*)$'), 'algorithm': field(r'Public Key Algorithm: (.*)$'),
            'key': field(r'Public-Key: \((.*)\)'), 'extensions': extensions,
            'days': round((time('Not After') - time('Not Before')).total_seconds() / 86400, 3)}


def _begin(path):
    """When a certificate begins, as openssl shows it; empty where there is none."""
    result = subprocess.run(['openssl', 'x509', '-noout', '-startdate', '-in', path], capture_output=True, text=True)
    return result.stdout.strip().removeprefix('notBefore=')


def tree(kubernetes_directory, closely=False):
    """Every file below a tree's etc/kubernetes, manifests left out: name to mode and what is in it. Closely: with what certificate() has only
    then; how long one is valid that begins with its authority says nothing, since its end follows the clock."""
    found = {}
    begins = {name: _begin(f'{kubernetes_directory}/pki/{name}ca.crt') for name in ('', 'front-proxy-', 'etcd/')} if closely else {}

    def facts_of(pem, relative):
        name = next((name for name in ('front-proxy-', 'etcd/') if relative.startswith(f'pki/{name}')), '')
        name = 'etcd/' if relative == 'pki/apiserver-etcd-client.crt' else name
        fact = certificate(pem, begins.get(name))
        if fact.get('begins') == 'as its authority':
            del fact['days']
        return fact
    for directory, _, names in os.walk(kubernetes_directory):
        for name in names:
            path = os.path.join(directory, name)
            relative = os.path.relpath(path, kubernetes_directory)
            if relative.startswith('manifests/'):
                continue
            with open(path) as f:
                text = f.read()
            fact = {'mode': oct(os.stat(path).st_mode & 0o7777)}
            if name.endswith('.crt'):
                fact['cert'] = facts_of(text, relative)
            elif name.endswith('.conf'):
                client = re.search(r'client-certificate-data: (\S+)', text)
                fact['client_cert'] = facts_of(base64.b64decode(client[1]).decode(), relative)
                fact['text'] = re.sub(r'(-data: )\S+', r'\1<base64>', text)
            else:
                fact['pem'] = text.split('\n', 1)[0]
            found[relative] = fact
    return found


def differences(theirs, ours, where=''):
    """Where two nested dictionaries differ, as lines `place: theirs, ours`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        lines = []
        for key in sorted(set(theirs) | set(ours)):
            lines += differences(theirs.get(key, '<absent>'), ours.get(key, '<absent>'), f'{where}/{key}')
        return lines
    if isinstance(theirs, float) and isinstance(ours, float) and abs(theirs - ours) < 0.002:
        return []  # a lifetime in days; the ends of it are taken from the clock one after the other and cut to seconds
    return [] if theirs == ours else [f'{where}: kubeadm {theirs!r}, genphase {ours!r}']


def verify_chains(kubernetes_directory):
    """What openssl objects to in the chains: each certificate against its authority, for its purpose, and its key against it."""
    pki = next((d for d, _, names in os.walk(kubernetes_directory) if 'apiserver.crt' in names), None)
    if pki is None:
        return ['there is no apiserver.crt']
    chains = [('ca', 'apiserver', 'sslserver'), ('ca', 'apiserver-kubelet-client', 'sslclient'),
              ('front-proxy-ca', 'front-proxy-client', 'sslclient'), ('etcd/ca', 'etcd/server', 'sslserver'),
              ('etcd/ca', 'etcd/server', 'sslclient'), ('etcd/ca', 'etcd/peer', 'sslserver'), ('etcd/ca', 'etcd/peer', 'sslclient'),
              ('etcd/ca', 'etcd/healthcheck-client', 'sslclient'), ('etcd/ca', 'apiserver-etcd-client', 'sslclient')]
    if not os.path.exists(f'{pki}/etcd/ca.crt'):
        chains = [c for c in chains if c[0] != 'etcd/ca']  # external etcd, whose certificates are not made here
    problems = []
    for authority, leaf, purpose in chains:
        result = subprocess.run(['openssl', 'verify', '-x509_strict', '-purpose', purpose, '-CAfile', f'{pki}/{authority}.crt',
                                 f'{pki}/{leaf}.crt'], capture_output=True, text=True)
        if result.returncode:
            problems.append(f'{leaf} for {purpose}: {(result.stdout + result.stderr).strip()}')
    for name in sorted({c[0] for c in chains} | {c[1] for c in chains}):
        of_certificate = subprocess.run(['openssl', 'x509', '-noout', '-pubkey', '-in', f'{pki}/{name}.crt'], capture_output=True).stdout
        of_key = subprocess.run(['openssl', 'pkey', '-pubout', '-in', f'{pki}/{name}.key'], capture_output=True).stdout
        if not of_key or of_certificate != of_key:
            problems.append(f'{name}.key is not the key of {name}.crt')
    for name in sorted(os.listdir(kubernetes_directory)):
        if name.endswith('.conf'):
            problems += _verify_kubeconfig(f'{kubernetes_directory}/{name}', f'{pki}/ca.crt')
    return problems


def _verify_kubeconfig(path, authority):
    with open(path) as f:
        data = {k: base64.b64decode(v) for k, v in re.findall(r'(\S+)-data: (\S+)', f.read())}
    with open(authority, 'rb') as f:
        problems = [] if f.read() == data['certificate-authority'] else [f'{path}: not the cluster authority']
    with tempfile.NamedTemporaryFile() as leaf:
        leaf.write(data['client-certificate'])
        leaf.flush()
        result = subprocess.run(['openssl', 'verify', '-x509_strict', '-purpose', 'sslclient', '-CAfile', authority, leaf.name],
                                capture_output=True, text=True)
    if result.returncode:
        problems.append(f'{path}: {result.stderr.strip()}')
    return problems
