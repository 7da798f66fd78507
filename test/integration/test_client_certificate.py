# SPDX-License-Identifier: Apache-2.0
"""The client certificate that a kubeconfig names as a file: taken when it is renewed, with no restart, and its end told in time. Against a
real API server that knows the node by that certificate alone."""
import base64
import json
import os
import re
import time

from cluster import Podwatch, pod
from harness import Host, hold, wait_for
from test_api_side import NODE, Server

ORDERED = True
SETUP_TIMEOUT = 240
PKI = '/var/lib/kubelet/pki'
CURRENT = f'{PKI}/kubelet-client-current.pem'
KUBECONFIG = '/etc/kubernetes/kubelet.conf'

CA_CONFIG = """[ca]
default_ca = node
[node]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
x509_extensions = client
[names]
organizationName = supplied
commonName = supplied
[client]
extendedKeyUsage = clientAuth
"""


class State:
    def renew(self, ca, days, age=0):
        """Another certificate and key in a file of its own, and the link to it replaced, as the kubelet does it. It began `age` days ago and
        ends in `days`."""
        self.count += 1
        name = f'kubelet-client-{self.count}'
        begin, end = (time.strftime('%Y%m%d%H%M%SZ', time.gmtime(time.time() + day * 86400)) for day in (-age, days))

        def openssl(*args):
            self.host.output('openssl', *args, cwd=PKI)
        openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/O=system:nodes/CN=system:node:{NODE}')
        openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-cert', f'{ca}.crt', '-keyfile', f'{ca}.key', '-in', f'{name}.csr', '-out', f'{name}.crt',
                '-startdate', begin, '-enddate', end)
        self.host.write(f'{PKI}/{name}.pem', self.host.read(f'{PKI}/{name}.crt') + self.host.read(f'{PKI}/{name}.key'), 0o600)
        new = self.host.path(f'{PKI}/link.new')
        os.symlink(f'{name}.pem', new)
        os.rename(new, self.host.path(CURRENT))

    def api(self):
        return self.podwatch.status()['api']

    def warnings(self):
        return [line for line in self.podwatch.log_text().splitlines() if 'client certificate' in line]


def setup():
    state = State()
    state.count = 0
    state.host = host = Host('cert')
    host.docker.make_busybox()
    os.makedirs(host.path(PKI), exist_ok=True)
    host.write(f'{PKI}/ca.cnf', CA_CONFIG)
    host.write(f'{PKI}/index.txt', '')
    for ca in ('ca', 'other-ca'):
        host.output('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', f'{ca}.key', '-out', f'{ca}.crt', '-subj', '/CN=kubernetes',
                    '-days', '3000', cwd=PKI)
    state.server = Server(host, api=[f'--client-ca-file={PKI}/ca.crt'])
    wait_for(state.server.ready, 120, 'the API server')
    host.write('/etc/kubernetes/manifests/web.yaml', pod('web', terminationGracePeriodSeconds=0))
    state.server.kubeconfig()
    config = json.loads(host.read(KUBECONFIG))
    config['users'][0]['user'] = {'client-certificate': CURRENT, 'client-key': CURRENT}
    host.write(KUBECONFIG, json.dumps(config), 0o600)
    state.podwatch = Podwatch(host, kubeconfig=KUBECONFIG).start()
    return state


def test_a_certificate_that_is_missing_is_waited_for(state):
    wait_for(lambda: f'{CURRENT}: No such file or directory' in state.api()['reason'], 20, 'the word that the certificate is missing')
    state.renew('other-ca', 300)
    wait_for(lambda: re.search('401|certificate', state.api()['reason']) and state.api().get('clientCertificate'), 20, 'the refusal of a stranger')
    assert state.api()['up'] is False or not state.server.get('nodes')['items']
    assert state.warnings() == []


def test_a_renewed_one_is_taken_without_a_restart(state):
    pid = state.podwatch.pid
    state.renew('ca', 6, age=30)
    wait_for(lambda: state.server.get('node', NODE), 30, 'the node')
    wait_for(lambda: state.server.get('pod', f'web-{NODE}'), 30, 'the mirror')
    assert state.podwatch.alive() and state.podwatch.pid == pid


def test_that_it_expires_soon_is_told_once_everywhere(state):
    certificate = state.api()['clientCertificate']
    assert f'CN=system:node:{NODE}' in certificate['subject'] and re.search('in [56] days', certificate['warning']), certificate
    assert f"To be renewed: {certificate['warning']}" in state.podwatch.command('status').stdout
    assert len(state.warnings()) == 1 and certificate['expires'] in state.warnings()[0], state.warnings()
    events = wait_for(lambda: [e for e in state.server.get('events', '-n', 'default')['items'] if e['reason'] == 'ClientCertificateExpires'], 20, 'the event')
    assert len(events) == 1 and events[0]['type'] == 'Warning' and events[0]['involvedObject']['name'] == NODE, events


def test_a_longer_one_ends_the_warning(state):
    state.renew('ca', 400)
    wait_for(lambda: 'warning' not in state.api()['clientCertificate'], 20, 'no warning')
    assert 'To be renewed' not in state.podwatch.command('status').stdout
    hold(lambda: state.api()['up'], 2, 'the link up')


def test_a_short_lived_one_warns_in_its_last_third_only(state):
    before = state.api()['clientCertificate']['expires']
    state.renew('ca', 6)
    wait_for(lambda: state.api()['clientCertificate']['expires'] != before, 20, 'the other certificate')
    assert 'warning' not in state.api()['clientCertificate'], state.api()
    assert len(state.warnings()) == 1, state.warnings()


def test_one_that_is_broken_or_gone_leaves_the_last_in_use(state):
    os.unlink(state.host.path(CURRENT))
    wait_for(lambda: f'{CURRENT}: No such file' in state.api()['reason'], 20, 'the word that it is missing')
    state.server.kubectl('delete', 'pod', f'web-{NODE}', '--wait=false')
    hold(lambda: state.api()['up'], 2, 'the link up')
    state.host.write(CURRENT, 'half a certif', 0o600)
    wait_for(lambda: 'No such file' not in state.api()['reason'], 20, 'another word')
    assert state.api()['reason'], state.api()
    wait_for(lambda: state.server.get('pod', f'web-{NODE}'), 20, 'the mirror again')
    os.unlink(state.host.path(CURRENT))
    state.renew('ca', 400)
    wait_for(lambda: state.api()['reason'] == '', 20, 'all well')


def test_an_expired_one_is_told(state):
    state.renew('ca', -1, age=30)
    wait_for(lambda: 'has expired at' in state.api()['clientCertificate'].get('warning', ''), 20, 'the word that it has expired')
    assert 'has expired at' in state.warnings()[-1]


# --- rotateCertificates -------------------------------------------------------------------------------------------------------------------


def test_without_rotation_nothing_is_asked(state):
    assert state.server.get('csr')['items'] == []
    assert 'renewal' not in state.api()['clientCertificate']


def test_with_rotation_a_certificate_of_others_is_to_be_replaced(state):
    """The kubeconfig holds what a CA's owner made; nobody may approve what the node asks for yet."""
    state.podwatch.stop()
    state.renew('ca', 400)
    pair = {key: base64.b64encode(state.host.read(f'{PKI}/kubelet-client-{state.count}.{end}').encode()).decode()
            for key, end in (('client-certificate-data', 'crt'), ('client-key-data', 'key'))}
    os.unlink(state.host.path(CURRENT))
    config = json.loads(state.host.read(KUBECONFIG))
    config['users'][0]['user'] = pair
    state.host.write(KUBECONFIG, json.dumps(config), 0o600)
    state.server.start_controllers('certificatesigningrequest-signing-controller,certificatesigningrequest-approving-controller',
                                   f'--cluster-signing-cert-file={PKI}/ca.crt', f'--cluster-signing-key-file={PKI}/ca.key')
    state.podwatch.args = ['--rotate-certificates']
    state.podwatch.start()
    request = wait_for(lambda: state.server.get('csr')['items'], 20, 'the request')[0]
    assert request['spec']['signerName'] == 'kubernetes.io/kube-apiserver-client-kubelet'
    assert request['spec']['username'] == f'system:node:{NODE}' and sorted(request['spec']['usages']) == ['client auth', 'digital signature']
    assert state.api()['clientCertificate']['renewal'] == f"{request['metadata']['name']} waits to be approved and signed"
    hold(lambda: not os.path.lexists(state.host.path(CURRENT)), 1, 'no certificate without approval')


def test_what_is_approved_and_signed_is_used(state):
    """The binding is that of kubeadm's bootstrap-token phase."""
    before = state.api()['clientCertificate']['expires']
    state.server.kubectl('create', 'clusterrolebinding', 'kubeadm:node-autoapprove-certificate-rotation', '--group=system:nodes',
                         '--clusterrole=system:certificates.k8s.io:certificatesigningrequests:selfnodeclient')
    wait_for(lambda: os.path.lexists(state.host.path(CURRENT)), 60, 'the new certificate')
    assert re.fullmatch(r'kubelet-client-\d{4}(-\d\d){5}\.pem', os.readlink(state.host.path(CURRENT)))
    assert os.stat(state.host.path(CURRENT)).st_mode & 0o7777 == 0o600
    issued = state.host.output('openssl', 'x509', '-noout', '-enddate', '-dateopt', 'iso_8601', '-in', CURRENT).split('=')[1].strip().replace(' ', 'T')
    certificate = wait_for(lambda: state.api()['clientCertificate'] if state.api()['clientCertificate']['expires'] != before else None, 20,
                           'the new certificate in use')
    assert certificate['expires'] == issued and certificate['renewal'].startswith('due '), (certificate, issued)
    wait_for(lambda: state.api()['up'], 10, 'the link up')
    state.server.kubectl('delete', 'pod', f'web-{NODE}', '--wait=false')
    wait_for(lambda: state.server.get('pod', f'web-{NODE}'), 20, 'the mirror again')


def test_a_restart_goes_on_with_it(state):
    requests = len(state.server.get('csr')['items'])
    used = state.api()['clientCertificate']['expires']
    state.podwatch.stop()
    state.podwatch.start()
    wait_for(lambda: state.api()['up'], 20, 'the link up')
    assert state.api()['clientCertificate']['expires'] == used
    assert len(state.server.get('csr')['items']) == requests
