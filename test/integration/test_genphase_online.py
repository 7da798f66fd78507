# SPDX-License-Identifier: Apache-2.0
"""The phases that talk to an API server, beside the real kubeadm on the same server: what each writes must be the same object."""
import hashlib
import json
import os
import re
import subprocess

from cluster import Cluster, kubernetes_version, peers, program
from harness import Host, wait_for

ORDERED = True
NODE = 'node1'
KEY = '9555b74008f24687eb964bd90a164ecb5760a89481d9c55a77c129b7db438168'
PROXY = 'UHJveHkgZm9yIG1hbmFnaW5nIFRUTCBmb3IgdGhlIGt1YmVhZG0tY2VydHMgc2VjcmV0'  # Proxy for managing TTL for the kubeadm-certs secret
TOKEN = 'abcdef.0123456789abcdef'
KINDS = ('configmaps', 'secrets', 'serviceaccounts', 'roles', 'rolebindings', 'clusterroles', 'clusterrolebindings', 'services',
         'deployments', 'daemonsets')
CONFIG = '''\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
bootstrapTokens:
- token: {token}
  description: of the test
localAPIEndpoint:
  advertiseAddress: {address}
  bindPort: 6443
nodeRegistration:
  name: {node}
  criSocket: unix:///run/some.sock
timeouts:
  kubernetesAPICall: 5s
  kubeletHealthCheck: 3s
  controlPlaneComponentHealthCheck: 20s
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: v{version}
controlPlaneEndpoint: {address}:6443
networking:
  podSubnet: 10.244.0.0/16
apiServer:
  extraArgs:
  - name: v
    value: "2"
'''
JOIN = '''\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
controlPlane:
  certificateKey: {key}
  localAPIEndpoint:
    advertiseAddress: {address}
discovery:
  file:
    kubeConfigPath: /etc/kubernetes/admin.conf
nodeRegistration:
  name: {node}
  criSocket: unix:///run/some.sock
'''


class State(Cluster):
    """etcd, kube-apiserver and the two programs on one host."""

    def __init__(self, host):
        super().__init__(host, node=NODE, config=CONFIG.format(token=TOKEN, address=host.node_address, node=NODE, version=kubernetes_version()))
        self.processes = {}

    def start(self, name, *args):
        log = open(f'{self.host.logs}/{name}.log', 'a')
        self.processes[name] = self.host.popen([f'{peers()}/{name}', *args], stdout=log, stderr=subprocess.STDOUT)

    def command(self, name, *args, check=True, timeout=60, env=None):
        return self.host.run([program('genphase') if name == 'genphase' else f'{peers()}/{name}', *args], check=check, timeout=timeout, env=env)

    def phase(self, name, *words, check=True, config=True):
        """`NAME init phase WORDS --config CONFIG`; gives the completed process."""
        return self.command(name, 'init', 'phase', *words, *(['--config', '/etc/kubernetes/kubeadm.yaml'] if config else []), check=check)

    def objects(self):
        """What kubeadm's phases make, by kind and name, without what the server chooses."""
        found = {}
        for kind in KINDS:
            for item in self.get(kind, '-A', kubeconfig='/etc/kubernetes/super-admin.conf')['items']:
                meta = item['metadata']
                name = f"{kind} {meta.get('namespace', '')}/{meta['name']}"
                # The owner of kubeadm-certs has a random name.
                if item.get('data', {}).get('description') == PROXY:
                    name = f'{kind} the owner of kubeadm-certs'
                    meta.pop('name')
                    item['data'] = {k: v for k, v in item['data'].items() if k not in ('token-id', 'token-secret', 'expiration')}
                if not re.search(r'kubeadm|kubelet-config|cluster-info$|bootstrap-token|coredns|kube-proxy|kube-dns', name):
                    continue
                if re.search(r' /system:(?!coredns)|default-service-account', name):
                    continue
                for key in ('uid', 'resourceVersion', 'creationTimestamp', 'managedFields', 'generation'):
                    meta.pop(key, None)
                item.pop('status', None)
                found[name] = item
        return found

    def wipe(self, admins=True):
        self.kubectl('delete', 'secret', '-n', 'kube-system', '--field-selector=type=bootstrap.kubernetes.io/token', '--ignore-not-found',
                     kubeconfig='/etc/kubernetes/super-admin.conf')
        for name in self.objects():
            if name.endswith(' /kubeadm:cluster-admins') and not admins:
                continue
            kind, _, path = name.partition(' ')
            if path.startswith('the owner'):
                continue
            space, _, base = path.partition('/')
            self.kubectl('delete', kind, base, *(['-n', space] if space else []), '--wait=true', kubeconfig='/etc/kubernetes/super-admin.conf')
        if admins:  # the server's authorizer gets to know a moment later
            wait_for(lambda: not self.admin_may_list(), 20, 'the role to be gone')

    def admin_may_list(self):
        return self.kubectl('auth', 'can-i', 'list', 'deployments', '-n', 'kube-system', check=False).returncode == 0

    def versions(self):
        """The resourceVersion of each object, by kind and name."""
        items = self.get('configmaps,secrets,roles,rolebindings,clusterroles,clusterrolebindings,services,deployments,daemonsets,serviceaccounts', '-A')
        return {f"{i['kind']}/{i['metadata']['name']}": i['metadata']['resourceVersion'] for i in items['items']}


def setup():
    state = State(Host('online', docker=False))
    host = state.host
    state.render('certs all', 'kubeconfig all', 'control-plane all')
    pki = '/etc/kubernetes/pki'
    state.start('etcd', '--data-dir=/var/lib/etcd', '--listen-client-urls=http://127.0.0.1:2379', '--advertise-client-urls=http://127.0.0.1:2379',
                '--listen-peer-urls=http://127.0.0.1:2380', '--unsafe-no-fsync')
    state.start('kube-apiserver', '--etcd-servers=http://127.0.0.1:2379', '--authorization-mode=Node,RBAC', f'--client-ca-file={pki}/ca.crt',
                f'--tls-cert-file={pki}/apiserver.crt', f'--tls-private-key-file={pki}/apiserver.key', '--service-account-issuer=https://x',
                f'--service-account-key-file={pki}/sa.pub', f'--service-account-signing-key-file={pki}/sa.key',
                '--service-cluster-ip-range=10.96.0.0/12', '--secure-port=6443', f'--advertise-address={host.node_address}',
                '--enable-bootstrap-token-auth=true', '--allow-privileged=true')
    state.wait_api()
    return state


def teardown(state):
    state.host.close()


def said_by_kubeadm(state, phase):
    """Standard output of kubeadm's phase. It makes the role of admin.conf and may go on before the server's authorizer knows of it."""
    result = state.phase('kubeadm', *phase.split(), check=False)
    if result.returncode != 0 and 'is forbidden: User "kubernetes-admin"' in result.stderr:
        wait_for(state.admin_may_list, 20, 'the role to be known')
        state.wipe(admins=False)
        result = state.phase('kubeadm', *phase.split())
    assert result.returncode == 0, result.stderr
    return result.stdout


def compare(state, *phases, ignore=()):
    """Run phases by kubeadm and, on what it left wiped away, by genphase; objects and output must be the same."""
    state.wipe()
    said = ''.join(said_by_kubeadm(state, p) for p in phases)
    theirs = state.objects()
    state.wipe()
    ours_said = ''.join(state.phase('genphase', *p.split()).stdout for p in phases)
    ours = state.objects()
    assert sorted(theirs) == sorted(ours), (sorted(theirs), sorted(ours))
    for name, item in theirs.items():
        for path in ignore:
            for tree in (item, ours[name]):
                node = tree
                for part in path[:-1]:
                    node = node.get(part, {}) if isinstance(node, dict) else {}
                if isinstance(node, dict):
                    node.pop(path[-1], None)
        assert item == ours[name], f'{name}\nkubeadm:  {json.dumps(item, sort_keys=True)}\ngenphase: {json.dumps(ours[name], sort_keys=True)}'
    return said, ours_said


def test_admin_gets_its_role_first(state):
    """Without the binding admin.conf may do nothing; the first phase makes it with super-admin.conf, as kubeadm does."""
    result = state.kubectl('get', 'nodes', check=False)
    assert result.returncode != 0 and 'orbidden' in result.stderr, result
    said, ours = compare(state, 'upload-config kubelet')
    assert said == ours, (said, ours)
    assert 'clusterrolebindings /kubeadm:cluster-admins' in state.objects()
    assert state.kubectl('get', 'nodes').returncode == 0


def test_upload_config(state):
    said, ours = compare(state, 'upload-config all')
    assert said == ours, (said, ours)
    assert '"kubeadm-config"' in ours


def test_bootstrap_token(state):
    said, ours = compare(state, 'bootstrap-token', ignore=[('data', 'expiration')])
    assert said == ours, (said, ours)
    assert f'Using token: {TOKEN}' in ours
    assert f'Using token' not in state.phase('genphase', 'bootstrap-token', '--skip-token-print').stdout


def test_mark_control_plane(state):
    node = {'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': NODE, 'labels': {'kubernetes.io/hostname': NODE}},
            'spec': {'taints': [{'key': 'mine', 'effect': 'NoSchedule'}]}}
    seen = []
    for name in 'kubeadm', 'genphase':
        state.kubectl('apply', '-f', '-', input=json.dumps(node))
        said = state.phase(name, 'mark-control-plane').stdout
        got = state.get('node', NODE)
        seen.append((said, got['metadata']['labels'], got['spec']['taints']))
        state.kubectl('delete', 'node', NODE)
    assert seen[0] == seen[1], seen
    state.kubectl('apply', '-f', '-', input=json.dumps(node))
    state.phase('genphase', 'mark-control-plane')
    before = state.get('node', NODE)['metadata']['resourceVersion']
    assert 'is there already and stays as it is' in state.phase('genphase', 'mark-control-plane', '-v', '1').stderr
    assert state.get('node', NODE)['metadata']['resourceVersion'] == before


def test_addons(state):
    said, ours = compare(state, 'addon all')
    assert said == ours, (said, ours)


def test_again_changes_nothing(state):
    phases = 'upload-config all', 'addon all', 'bootstrap-token'
    for words in phases:
        state.phase('genphase', *words.split())
    before = state.versions()
    for words in phases:
        result = state.phase('genphase', *words.split(), '-v', '1')
        # The token's Secret has a new expiration, if a second has passed.
        changed = '[01]' if words == 'bootstrap-token' else '0'
        assert re.search(rf'\d+ objects were there already as they should be, 0 made, {changed} changed\n', result.stderr), result
    after = state.versions()
    assert {n for n in after if after[n] != before[n]} <= {f'Secret/bootstrap-token-{TOKEN[:6]}'}, (before, after)


def actions(result):
    """The lines of -o json."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def resources(state):
    """The resourceVersion of each object by apiVersion, kind, namespace and name."""
    kinds = ','.join((*KINDS, 'nodes'))
    return {(i['apiVersion'], i['kind'], i['metadata'].get('namespace'), i['metadata']['name']): i['metadata']['resourceVersion']
            for i in state.get(kinds, '-A', kubeconfig='/etc/kubernetes/super-admin.conf')['items']}


def told_truly(state, *words):
    """Runs a phase with -o json; what it tells of objects is what became of them. The actions."""
    dry = actions(state.phase('genphase', *words, '-o', 'json', '--dry-run'))
    before = resources(state)
    told = actions(state.phase('genphase', *words, '-o', 'json'))
    after = resources(state)
    said = {(line['apiVersion'], line['kind'], line.get('namespace'), line['name']): line for line in told if 'kind' in line}
    became = {key: 'create' if key not in before else 'keep' if before[key] == version else 'update' for key, version in after.items()}
    assert {key: line['action'] for key, line in said.items()} == {key: became[key] for key in said}, (said, became)
    assert not [key for key in became if became[key] != 'keep' and key not in said], (told, became)
    assert all(('sha256' in line) == (line['action'] != 'keep') for line in said.values()), told
    # A dry run would send the same, but for what is random; it does not look whether admin.conf has its role.
    sent = {(line['kind'], line['name']): line['sha256'] for line in dry if 'kind' in line}
    for line in (line for line in said.values() if line['action'] == 'create' and line['kind'] != 'Secret'):
        assert sent.get((line['kind'], line['name'])) == line['sha256'] or line['name'] == 'kubeadm:cluster-admins', (line, dry)
    return told


def test_actions_are_told(state):
    """-o json of the phases, on an empty cluster and again."""
    node = {'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': NODE, 'labels': {'kubernetes.io/hostname': NODE}}}
    state.wipe()
    state.kubectl('delete', 'node', NODE, '--ignore-not-found', kubeconfig='/etc/kubernetes/super-admin.conf')
    state.kubectl('apply', '-f', '-', input=json.dumps(node), kubeconfig='/etc/kubernetes/super-admin.conf')
    phases = ('upload-config all', 'ConfigMap'), ('upload-certs --upload-certs', 'Secret'), ('bootstrap-token', 'ConfigMap'), \
        ('addon all', 'DaemonSet'), ('mark-control-plane', 'Node')
    for again in False, True:
        for words, kind in phases:
            told = told_truly(state, *words.split())
            found = [line['action'] for line in told if line.get('kind') == kind]
            assert found and (found[-1] == ('update' if kind == 'Node' else 'create')) != again, (words, told)
            if words == 'upload-config all' and not again:  # the role of admin.conf comes first
                assert told[0]['action'] == 'create' and told[0]['name'] == 'kubeadm:cluster-admins', told
    shown = {key: line[key] for words, _ in phases[1:3] for line in told_truly(state, *words.split()) if line['action'] == 'show' for key in line}
    assert shown['token'] == TOKEN and re.fullmatch('[0-9a-f]{64}', shown['certificateKey']), shown


test_actions_are_told.timeout = 200


def test_actions_of_tokens_are_told(state):
    kubeconfig = ['--kubeconfig', '/etc/kubernetes/admin.conf', '-o', 'json']
    made, shown = actions(state.command('genphase', 'token', 'create', '444444.0123456789abcdef', *kubeconfig))
    assert made['action'] == 'create' and made['name'] == 'bootstrap-token-444444' and made['kind'] == 'Secret', made
    assert shown == {'action': 'show', 'token': '444444.0123456789abcdef'}, shown
    gone, = actions(state.command('genphase', 'token', 'delete', '444444', *kubeconfig))
    assert gone == {'action': 'delete', 'apiVersion': 'v1', 'kind': 'Secret', 'namespace': 'kube-system', 'name': 'bootstrap-token-444444'}, gone
    assert state.kubectl('get', 'secret', '-n', 'kube-system', 'bootstrap-token-444444', check=False).returncode != 0


def test_upload_certs_and_a_real_join_reads_them(state):
    said = state.command('genphase', 'init', 'phase', 'upload-certs').stdout
    assert said == '[upload-certs] Skipping phase. Please see --upload-certs\n', said
    config = '/etc/kubernetes/kubeadm.yaml'
    text = state.host.read(config)
    state.host.write(config, text.replace('kind: InitConfiguration\n', f'kind: InitConfiguration\ncertificateKey: {KEY}\n'), 0o600)
    try:
        said, ours = compare(state, 'upload-config all', 'addon kube-proxy', 'bootstrap-token', 'upload-certs --upload-certs', ignore=[('data',), ('metadata', 'ownerReferences')])
    finally:
        state.host.write(config, text, 0o600)
    assert re.sub('bootstrap-token-.{6}', '', said) == ours, (said, ours)
    assert KEY in ours
    secret = state.get('secret', '-n', 'kube-system', 'kubeadm-certs')
    owner = secret['metadata']['ownerReferences'][0]
    assert owner['uid'] == state.get('secret', '-n', 'kube-system', owner['name'])['metadata']['uid'] and owner['controller'] is True
    # kubeadm join takes them out again.
    host, pki = state.host, '/etc/kubernetes/pki'
    host.run(['mv', pki, f'{pki}.orig'])
    try:
        host.write('/etc/kubernetes/join.yaml', JOIN.format(address=host.node_address, node=NODE, key=KEY))
        said = state.command('kubeadm', 'join', 'phase', 'control-plane-prepare', 'download-certs', '--config', '/etc/kubernetes/join.yaml').stdout
        assert '[download-certs] Saving the certificates to the folder: "/etc/kubernetes/pki"' in said, said
        for name in 'ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.pub', 'sa.key', 'etcd/ca.crt', 'etcd/ca.key':
            assert host.read(f'{pki}/{name}') == host.read(f'{pki}.orig/{name}'), name
    finally:
        host.run(['rm', '-rf', pki])
        host.run(['mv', f'{pki}.orig', pki])


test_upload_certs_and_a_real_join_reads_them.timeout = 200


def test_token_verbs(state):
    state.wipe(admins=False)
    token = state.command('genphase', 'token', 'create', '--ttl', '2h', '--description', 'a b', '--kubeconfig', '/etc/kubernetes/admin.conf').stdout.strip()
    assert re.fullmatch('[a-z0-9]{6}[.][a-z0-9]{16}', token), token
    state.command('kubeadm', 'token', 'create', '123456.0123456789abcdef', '--ttl', '0', '--usages', 'authentication')
    for form in [], ['-o', 'json'], ['-o', 'yaml']:
        theirs = state.command('kubeadm', 'token', 'list', *form).stdout
        ours = state.command('genphase', 'token', 'list', *form).stdout
        assert token in theirs and theirs == ours, f'{form}\n{theirs}\n{ours}'
    line = state.command('genphase', 'token', 'create', '222222.0123456789abcdef', '--print-join-command', '--certificate-key', KEY).stdout
    theirs = state.command('kubeadm', 'token', 'create', '333333.0123456789abcdef', '--print-join-command', '--certificate-key', KEY).stdout
    assert line.replace('222222', '333333') == theirs, (line, theirs)
    result = state.command('genphase', 'token', 'create', '222222.0123456789abcdef', check=False)
    assert result.returncode == 1 and result.stderr == 'error: a token with id "222222" already exists\n', result
    for words in (['delete', token], ['delete', 'nonsense'], ['delete', '999999'], ['create', 'bad'], ['create', '--groups', 'some']):
        theirs = state.command('kubeadm', 'token', *words, check=False)
        if theirs.returncode == 0:
            state.command('kubeadm', 'token', 'create', token)
        ours = state.command('genphase', 'token', *words, check=False)
        first = theirs.stderr.splitlines()[:1]
        assert (ours.returncode, ours.stdout, ours.stderr.splitlines()[:1]) == (theirs.returncode, theirs.stdout, first), (words, ours, theirs)


def test_init_as_a_whole(state):
    """All phases but those that need a kubelet, beside kubeadm: the same words, in the same order, closing text and all."""
    node = {'apiVersion': 'v1', 'kind': 'Node', 'metadata': {'name': NODE, 'labels': {'kubernetes.io/hostname': NODE}}}
    config, host = '/etc/kubernetes/kubeadm.yaml', state.host
    text = host.read(config)
    host.write(config, text.replace('kind: InitConfiguration\n', f'kind: InitConfiguration\ncertificateKey: {KEY}\n'), 0o600)
    skip = 'preflight,kubelet-start,wait-control-plane'
    said = {}
    try:
        for name in 'kubeadm', 'genphase':
            state.wipe()
            state.kubectl('delete', 'node', NODE, '--ignore-not-found', kubeconfig='/etc/kubernetes/super-admin.conf')
            state.kubectl('apply', '-f', '-', input=json.dumps(node), kubeconfig='/etc/kubernetes/super-admin.conf')
            said[name] = state.command(name, 'init', '--config', config, '--upload-certs', '--skip-phases', skip).stdout
        assert said['genphase'] == said['kubeadm'], f"genphase:\n{said['genphase']}\nkubeadm:\n{said['kubeadm']}"
        for line in (f'--certificate-key {KEY}', 'Your Kubernetes control-plane has initialized successfully!', f'--token {TOKEN}'):
            assert line in said['genphase'], said
        again = state.command('genphase', 'init', '--config', config, '--skip-phases', skip + ',upload-certs,show-join-command,bootstrap-token')
        assert re.search(r'of the cluster\'s objects \d+ were there already as they should be, 0 made, 0 changed\n', again.stderr), again
        withheld = state.command('genphase', 'init', '--config', config, '--upload-certs', '--skip-phases', skip, '--skip-token-print',
                                 '--skip-certificate-key-print').stdout
        assert TOKEN not in withheld and KEY not in withheld and '--token <value withheld>' in withheld, withheld
    finally:
        host.write(config, text, 0o600)
    for words in (['--skip-phases', 'nonsense'], ['--skip-phases', 'bootstrap-token'], ['--token', TOKEN]):
        theirs = state.command('kubeadm', 'init', '--config', config, *words, check=False)
        ours = state.command('genphase', 'init', '--config', config, *words, check=False)
        assert ours.returncode == theirs.returncode and ours.stderr.rstrip('\n') in theirs.stderr, (words, ours, theirs)


def test_actions_of_init_are_told(state):
    """Files and objects of all phases in their order, and what people need to join. Certificates and kubeconfigs are there already."""
    result = state.command('genphase', 'init', '--config', '/etc/kubernetes/kubeadm.yaml', '--upload-certs', '-o', 'json', '--skip-phases',
                           'preflight,kubelet-start,wait-control-plane')
    told = actions(result)
    phases = list(dict.fromkeys(line['phase'] for line in told))
    assert phases == ['etcd/local', 'control-plane', 'upload-config/kubeadm', 'upload-config/kubelet', 'upload-certs', 'mark-control-plane',
                      'bootstrap-token', 'addon/coredns', 'addon/kube-proxy', 'show-join-command'], phases
    for line in (line for line in told if 'sha256' in line and 'path' in line):
        path = state.host.path(line['path'])
        with open(path, 'rb') as f:
            assert hashlib.sha256(f.read()).hexdigest() == line['sha256'] and int(line['mode'], 8) == os.stat(path).st_mode & 0o7777, line
    shown = {key: line[key] for line in told if line['action'] == 'show' for key in line}
    assert f'--token {TOKEN} ' in shown['joinCommand'] and shown['certificateKey'] in shown['controlPlaneJoinCommand'], shown


def test_init_stops_at_preflight(state):
    """No container runtime is there; with flags in place of a file, which preflight itself does not take."""
    before = state.versions()
    for args in (['--config', '/etc/kubernetes/kubeadm.yaml'],
                 ['--kubernetes-version', state.version, '--apiserver-advertise-address', state.host.node_address]):
        theirs = state.command('kubeadm', 'init', *args, check=False, timeout=100)
        ours = state.command('genphase', 'init', *args, check=False, timeout=100)
        assert (ours.returncode, ours.stdout) == (theirs.returncode, theirs.stdout), (ours, theirs)
        for text in '[ERROR CRI]', 'error: error execution phase preflight: preflight checks failed\n':
            assert text in ours.stderr and text in theirs.stderr, (ours, theirs)
        assert 'has no effect' not in ours.stderr, ours
    assert state.versions() == before


def test_init_dry_run_changes_nothing(state):
    # What it would make is not there: a dry run that writes would be seen.
    state.wipe(admins=False)
    before = state.versions(), state.host.run(['find', '/etc/kubernetes', '-newer', '/etc/kubernetes/kubeadm.yaml', '-type', 'f']).stdout
    words = ['genphase', 'init', '--config', '/etc/kubernetes/kubeadm.yaml', '--dry-run', '--upload-certs', '--skip-phases']
    env = {'KUBEADM_INIT_DRYRUN_DIR': '/etc/kubernetes/dry'}
    state.command(*words, 'preflight,wait-control-plane', env=env)
    said = state.command(*words, 'preflight', env=env).stdout
    after = state.versions(), state.host.run(['find', '/etc/kubernetes', '-path', '*/dry', '-prune', '-o', '-newer', '/etc/kubernetes/kubeadm.yaml',
                                              '-type', 'f', '-print']).stdout
    assert before == after, (before, after)
    for line in ('[dryrun] Would write file "/etc/kubernetes/manifests/kube-apiserver.yaml" with content:\napiVersion: v1\n',
                 '[dryrun] Would perform action CREATE on resource "configmaps" in API group "core/v1"\n[dryrun] Attached object:\n',
                 '[addons] Applied essential addon: CoreDNS\n', f'kubeadm join {state.host.node_address}:6443 --token {TOKEN}'):
        assert line in said, said


def shown_files(text):
    """The files that a dry run shows, and what kubelet-start says of where it writes (kubeadm says the directory of the dry run)."""
    files = dict(re.findall(r'^\[dryrun\] Would write file "(.*)" with content:\n((?:(?!\[).*\n)*)', text, re.M))
    return files, re.sub(r'"/\S*/', '"', '\n'.join(re.findall(r'^\[(?:kubelet-start|patches)\].*', text, re.M)))


def test_init_dry_run_shows_what_kubeadm_does(state):
    words = ['init', '--config', '/etc/kubernetes/kubeadm.yaml', '--dry-run', '--skip-phases', 'preflight']
    theirs, ours = (state.command(name, *words, env={'KUBEADM_INIT_DRYRUN_DIR': '/etc/kubernetes/dry'}).stdout for name in ('kubeadm', 'genphase'))
    assert shown_files(ours) == shown_files(theirs), f'kubeadm:\n{theirs}\ngenphase:\n{ours}'
    assert len(shown_files(ours)[0]) == 6 and 'Writing kubelet configuration to file "config.yaml"' in shown_files(ours)[1], ours


def test_wait_control_plane_fails_as_kubeadm_does(state):
    """No kubelet is there."""
    result = state.phase('genphase', 'wait-control-plane', check=False)
    assert result.returncode == 1, result
    assert '[kubelet-check] Waiting for a healthy kubelet at http://127.0.0.1:10248/healthz. This can take up to 3s\n' in result.stdout
    assert re.search(r'\[kubelet-check\] The kubelet is not healthy after 3\.\d+s\n', result.stdout), result.stdout
    assert "\t- 'systemctl status kubelet'\n" in result.stdout
    assert result.stderr.startswith('error: error execution phase wait-control-plane: failed while waiting for the kubelet to start: '
                                    "The HTTP call equal to 'curl -sSL http://127.0.0.1:10248/healthz' returned error: "
                                    'Get "http://127.0.0.1:10248/healthz": dial tcp 127.0.0.1:10248: connect: connection refused\n'), result.stderr
    check, = actions(state.phase('genphase', 'wait-control-plane', '-o', 'json', check=False))
    assert (check['action'], check['name'], check['healthy'], check['url']) == ('check', 'kubelet', False, 'http://127.0.0.1:10248/healthz'), check


def test_wait_control_plane(state):
    """A healthy kubelet, controller manager and scheduler: the lines of kubeadm but for how long it took and which came first."""
    host = state.host
    state.processes['kubelet'] = host.popen(['python3', '-c', """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'ok')
http.server.HTTPServer(('127.0.0.1', 10248), Handler).serve_forever()
"""], stderr=subprocess.DEVNULL)
    state.start('kube-controller-manager', '--kubeconfig=/etc/kubernetes/controller-manager.conf', '--bind-address=127.0.0.1', '--leader-elect=false',
                '--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf', '--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf')
    state.start('kube-scheduler', '--kubeconfig=/etc/kubernetes/scheduler.conf', '--bind-address=127.0.0.1', '--leader-elect=false',
                '--authentication-kubeconfig=/etc/kubernetes/scheduler.conf', '--authorization-kubeconfig=/etc/kubernetes/scheduler.conf')
    skip = ','.join(p for p in ('preflight,certs,kubeconfig,etcd,control-plane,kubelet-start,upload-config,upload-certs,mark-control-plane,'
                                'bootstrap-token,kubelet-finalize,addon,show-join-command').split(','))
    said = {}
    for name in 'genphase', 'kubeadm':
        out = state.command(name, 'init', '--config', '/etc/kubernetes/kubeadm.yaml', '--skip-phases', skip).stdout
        lines = re.sub(r'healthy after [0-9.]+[mµ]?s', 'healthy after TIME', out).splitlines()
        said[name] = lines[:8] + sorted(lines[8:])
    assert said['genphase'] == said['kubeadm'], said
    assert '[control-plane-check] kube-scheduler is healthy after TIME' in said['genphase'], said
    told = actions(state.phase('genphase', 'wait-control-plane', '-o', 'json'))
    assert sorted((line['action'], line['name'], line['healthy']) for line in told) == [
        ('check', name, True) for name in ('kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet')], told


def test_errors_name_the_object(state):
    state.processes['kube-apiserver'].kill()
    state.processes['kube-apiserver'].wait()
    result = state.phase('genphase', 'mark-control-plane', check=False)
    assert result.returncode == 1 and 'could not bootstrap the admin user in file admin.conf: unable to create ClusterRoleBinding: ' in result.stderr, result
    assert f'https://{state.host.node_address}:6443/' in result.stderr
