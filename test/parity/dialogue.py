# SPDX-License-Identifier: Apache-2.0
"""A run of a program beside scripted_api.py: what its case must have, and what is made of what it says.

A case with `server`, the script of that server, has kubeconfigs in its tree as {"kubeconfig": USER}: of users whose certificates
are made here, once a process, and which the server knows by name; beside "kubeconfig" "server" may name another address.
{"certificate": DAYS} is one that ends so many days from now.
"""
import base64
import functools
import json
import os
import re
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = 'https://192.0.2.1:6443'
GROUPS = {'kubernetes-admin': 'kubeadm:cluster-admins', 'kubernetes-super-admin': 'system:masters', 'system:node:node1': 'system:nodes'}
TOKEN_NAME = re.compile(r'bootstrap-token-([a-z0-9]{6})(?![a-z0-9])')
_lock = threading.Lock()


def _openssl(*args):
    subprocess.run(['openssl', *args], check=True, capture_output=True)


def _sign(directory, name, subject, extensions, days=2):
    _openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', f'{directory}/{name}.key',
             '-out', f'{directory}/{name}.csr', '-subj', subject)
    with open(f'{directory}/{name}.ext', 'w') as f:
        f.write(extensions)
    _openssl('x509', '-req', '-in', f'{directory}/{name}.csr', '-CA', f'{directory}/ca.crt', '-CAkey', f'{directory}/ca.key', '-days', str(days),
             '-set_serial', '2', '-extfile', f'{directory}/{name}.ext', '-out', f'{directory}/{name}.crt')


@functools.lru_cache(None)
def _made():
    """A directory with an authority, the server's certificate, and one of each user; it goes away with the process."""
    holder = tempfile.TemporaryDirectory(prefix='dialogue-')
    directory = holder.name
    _openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', f'{directory}/ca.key', '-out',
             f'{directory}/ca.crt', '-subj', '/CN=kubernetes', '-days', '2', '-addext', 'keyUsage=critical,keyCertSign,digitalSignature')
    _sign(directory, 'server', '/CN=kube-apiserver', 'subjectAltName=IP:192.0.2.1,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n')
    for user, group in GROUPS.items():
        _sign(directory, user, f'/O={group}/CN={user}', 'extendedKeyUsage=clientAuth\n')
    return holder


def credentials():
    with _lock:  # lru_cache would let two threads make them
        return _made().name


def _data(path):
    with open(path, 'rb') as f:
        return base64.b64encode(f.read()).decode()


def kubeconfig(user, server=SERVER):
    directory = credentials()
    return (f'apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: {_data(f"{directory}/ca.crt")}\n    server: {server}\n'
            f'  name: kubernetes\ncontexts:\n- context:\n    cluster: kubernetes\n    user: {user}\n  name: {user}@kubernetes\n'
            f'current-context: {user}@kubernetes\nkind: Config\nusers:\n- name: {user}\n  user:\n'
            f'    client-certificate-data: {_data(f"{directory}/{user}.crt")}\n    client-key-data: {_data(f"{directory}/{user}.key")}\n')


def certificate(days):
    """A client certificate of that authority which is valid for so many days."""
    with tempfile.TemporaryDirectory(prefix='dialogue-') as directory:
        for name in ('ca.crt', 'ca.key'):
            os.symlink(f'{credentials()}/{name}', f'{directory}/{name}')
        _sign(directory, 'client', '/CN=client', 'extendedKeyUsage=clientAuth\n', days)
        with open(f'{directory}/client.crt') as f:
            return f.read()


class Dialogue:
    """The server of one run: the words that go before the program, and afterwards what was said."""

    def __init__(self, row, directory):
        self.said, self.given = f'{directory}/said.json', json.dumps([row['inputs'], row['server']])
        with open(f'{directory}/script.json', 'w') as f:
            json.dump(row['server'], f)
        user = [] if os.geteuid() == 0 else ['--user', '--map-root-user']
        self.words = ['unshare', '--net', *user, sys.executable, '-B', f'{HERE}/scripted_api.py', f'{directory}/script.json', credentials(), self.said]

    def result(self):
        """What was asked is told for the reader; what was written and what is there is compared."""
        if not os.path.exists(self.said):
            return {}
        with open(self.said) as f:
            said = json.load(f)
        for path, thing in said['objects'].items():
            left_out = ('token-id', 'token-secret', 'expiration') if path != self.without_tokens(path) else ()
            if thing['kind'] == 'Secret' and 'data' in thing:  # nothing is null, or an empty text
                thing['data'] = {key: text for key, text in thing['data'].items() if text and key not in left_out}
        return json.loads(self.without_tokens(json.dumps(said)))

    def without_tokens(self, text):
        """Without the names of tokens that are made by chance."""
        return TOKEN_NAME.sub(lambda m: m[0] if m[1] in self.given else 'bootstrap-token-CHANCE', text)


def without_chance(text):
    """What is said without how long it took, which component was well first, and the authority's hash."""
    text = re.sub(r'sha256:[0-9a-f]{64}', 'sha256:HASH', re.sub(r'(?<=healthy after )[\w.]+(?: seconds)?', 'TIME', text))
    return re.sub(r'(?:\[control-plane-check\] \S+ is (?:not )?healthy after TIME\n)+', lambda m: ''.join(sorted(m[0].splitlines(True))), text)
