# SPDX-License-Identifier: Apache-2.0
"""Rules of mirror pods with a whole podwatch, real Docker, etcd, API server and controllers: what refuses a mirror and what then goes
on, and that a mirror always tells of the pod that runs. The API side alone is in test_api_side.py."""
import base64
import json
import os

from cluster import PODWATCH_CONFIG, PODWATCH_YAML, Podwatch, is_ready, pod
from harness import Host, hold, wait_for
from test_api_side import Server

ORDERED = True
SETUP_TIMEOUT = 240
NODE = 'node1'
DIRECTORY = '/etc/kubernetes/manifests'
CONFIG = PODWATCH_YAML + '---\napiVersion: podwatch.io/v1alpha1\nkind: PodwatchConfiguration\nremovedHistoryLimit: 3\n'
WEBHOOK_PORT = 9443
# Namespace of a pod, what its manifest adds, and the words of the API server that refuses its mirror.
REFUSED = {
    'counted': ('full', {}, ['HTTP 403', 'exceeded quota: none']),
    'homeless': ('later', {}, ['HTTP 404', 'namespaces "later" not found']),
    'hooked': ('hooked', {}, ['HTTP 500', 'failed calling webhook "mirrors.test.example"', 'connection refused']),
    'important': ('default', {'priorityClassName': 'not-yet'}, ['HTTP 403', 'no PriorityClass with name not-yet was found']),
}
# Ends two seconds after it is asked to.
SLOW = ('sh', '-c', 'trap "sleep 2; exit 0" TERM; while :; do sleep 0.1; done')


def webhook(ca):
    return {'apiVersion': 'admissionregistration.k8s.io/v1', 'kind': 'ValidatingWebhookConfiguration', 'metadata': {'name': 'mirrors'},
            'webhooks': [{'name': 'mirrors.test.example', 'clientConfig': {'url': f'https://127.0.0.1:{WEBHOOK_PORT}/', 'caBundle': ca},
                          'failurePolicy': 'Fail', 'timeoutSeconds': 15, 'sideEffects': 'None', 'admissionReviewVersions': ['v1'],
                          'namespaceSelector': {'matchLabels': {'kubernetes.io/metadata.name': 'hooked'}},
                          'rules': [{'apiGroups': [''], 'apiVersions': ['v1'], 'resources': ['pods'], 'operations': ['CREATE']}]}]}


# Takes every connection as the TLS server that the API server expects, and never answers.
SILENT = f"""
import socket, ssl, threading
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain('/etc/kubernetes/pki/apiserver.crt', '/etc/kubernetes/pki/apiserver.key')
kept = []
def take(connection):
    kept.append(tls.wrap_socket(connection, server_side=True))
server = socket.create_server(('127.0.0.1', {WEBHOOK_PORT}), backlog=64)
print('up', flush=True)
while True:
    threading.Thread(target=take, args=[server.accept()[0]], daemon=True).start()
"""


class SilentWebhook:
    """A webhook that is called and does not answer."""

    def __init__(self, host):
        self.host = host

    def __enter__(self):
        self.process = self.host.popen(['python3', '-c', SILENT], stdout=-1, text=True)
        assert self.process.stdout.readline() == 'up\n'

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


class State:
    def put(self, name, *args, **kwargs):
        kwargs.setdefault('terminationGracePeriodSeconds', 0)
        self.host.write(f'{DIRECTORY}/{name}.yaml', pod(name, *args, **kwargs))

    def drop(self, name):
        os.unlink(self.host.path(f'{DIRECTORY}/{name}.yaml'))

    def mirror(self, name, namespace='default'):
        """The pod of that name in the API server, None without."""
        out = self.server.kubectl('get', 'pod', '-n', namespace, f'{name}-{NODE}', '-o', 'json', '--ignore-not-found').stdout
        return json.loads(out) if out.strip() else None

    def local(self, name, namespace='default'):
        """What podwatch says of it: an entry of `podwatch status`."""
        return next(p for p in self.podwatch.status()['pods'] if (p['namespace'], p['name']) == (namespace, f'{name}-{NODE}'))

    def containers(self, name, all=False):
        return [c['Id'] for c in self.host.docker.containers(all=all, label=[
            f'io.kubernetes.pod.name={name}-{NODE}', 'io.kubernetes.docker.type=container'])]

    def container(self, name):
        found = self.containers(name)
        return found[0] if len(found) == 1 else None

    def restarts(self, name):
        return self.mirror(name)['status']['containerStatuses'][0]['restartCount']

    def wait_mirror(self, name, namespace='default', *, other_than='', timeout=60):
        """The mirror once it is Ready and shows the container that runs."""
        def shown():
            mirror, runs = self.mirror(name, namespace), self.container(name)
            return (mirror and runs and mirror['metadata']['uid'] != other_than and is_ready(mirror)
                    and mirror['status']['containerStatuses'][0]['containerID'] == f'docker://{runs}' and mirror)
        return wait_for(shown, timeout, f'the mirror of {name} to show what runs', 0.2)


def setup():
    state = State()
    state.host = host = Host('mirror')
    host.docker.make_busybox()
    host.write(PODWATCH_CONFIG, CONFIG)
    state.server = Server(host)
    wait_for(state.server.ready, 120, 'the API server')
    state.server.kubeconfig()
    state.server.start_controllers()
    for namespace in ('full', 'hooked'):
        state.server.kubectl('create', 'namespace', namespace)
    state.server.kubectl('create', 'quota', 'none', '-n', 'full', '--hard=pods=0')
    wait_for(lambda: state.server.get('quota', 'none', '-n', 'full').get('status', {}).get('hard'), 60, 'the quota to be in force', 0.2)
    ca = base64.b64encode(host.read('/etc/kubernetes/pki/apiserver.crt').encode()).decode()
    state.server.kubectl('create', '-f', '-', input=json.dumps(webhook(ca)))
    state.podwatch = Podwatch(host, kubeconfig='/etc/kubernetes/kubelet.conf').start()
    return state



def test_refusals_are_told_in_the_words_of_the_server(state):
    for name, (namespace, more, _) in REFUSED.items():
        state.put(name, namespace=namespace, **more)
    state.put('web', SLOW, terminationGracePeriodSeconds=20)
    for name, (namespace, _, words) in REFUSED.items():
        refusal = wait_for(lambda: state.local(name, namespace).get('mirror', {}).get('refusal'), 60, f'the refusal of {name}', 0.2)
        assert all(w in refusal for w in words), (name, refusal)
        text = state.podwatch.command('status', f'{namespace}/{name}-{NODE}').stdout
        assert f'the API server refuses its mirror: {refusal}' in text, text
        assert state.mirror(name, namespace) is None
        events = [e['message'] for e in json.loads(state.podwatch.api('/events')[1])['items']
                  if e['reason'] == 'FailedMirrorPod' and e['involvedObject']['name'] == f'{name}-{NODE}']
        assert refusal in events, events
    state.wait_mirror('web')


def test_pods_without_a_mirror_run_and_are_ready(state):
    state.podwatch.wait_ready(*(f'{namespace}/{name}-{NODE}' for name, (namespace, *_) in REFUSED.items()))
    for name in REFUSED:
        before = state.container(name)
        state.host.docker.kill(before)
        wait_for(lambda: state.container(name) not in (None, before), 30, f'{name} to be started again')


def test_webhook_that_hangs_holds_up_no_container_and_no_other_mirror(state):
    """More of them than calls are made at once; the link is not taken for lost."""
    names = [f'hung{i}' for i in range(6)]
    with SilentWebhook(state.host):
        for name in names:
            state.put(name, namespace='hooked')
        for name in names:
            wait_for(lambda: state.container(name), 30, f'{name} to run')
        assert not any(state.local(name, 'hooked')['mirror']['refusal'] for name in names), 'the webhook was to answer nobody yet'
        before = state.container('web')
        state.host.docker.kill(before)
        for name in names:
            refusal = wait_for(lambda: state.local(name, 'hooked')['mirror']['refusal'], 60, f'the refusal of {name}', 0.2)
            assert 'failed calling webhook "mirrors.test.example"' in refusal and 'deadline exceeded' in refusal, refusal
        state.put('beside')
        state.wait_mirror('web', timeout=20)
        state.wait_mirror('beside', timeout=20)
        assert state.podwatch.status()['api']['up'] is True
    assert 'API server is not reachable' not in state.podwatch.log_text()
    for name in [*names, 'beside']:
        state.drop(name)


test_webhook_that_hangs_holds_up_no_container_and_no_other_mirror.timeout = 200


def test_mirrors_come_when_the_causes_go(state):
    runs = {name: state.container(name) for name in REFUSED}
    state.server.kubectl('delete', 'quota', 'none', '-n', 'full')
    state.server.kubectl('create', 'namespace', 'later')
    state.server.kubectl('delete', 'validatingwebhookconfiguration', 'mirrors')
    state.server.kubectl('create', 'priorityclass', 'not-yet', '--value=77')
    for name, (namespace, *_) in REFUSED.items():
        mirror = state.wait_mirror(name, namespace, timeout=120)
        assert state.container(name) == runs[name]
        assert mirror['spec'].get('priority') == (77 if name == 'important' else 0)
        local = wait_for(lambda: (p := state.local(name, namespace))['mirror']['refusal'] == '' and p, 10, f'no refusal of {name} any more')
        assert local['mirror']['uid'] == mirror['metadata']['uid'] and local['mirror']['current'] is True
        assert 'refuses its mirror' not in state.podwatch.command('status', f'{namespace}/{name}-{NODE}').stdout


test_mirrors_come_when_the_causes_go.timeout = 300


def test_namespace_that_is_deleted_costs_no_container(state):
    before = state.container('homeless')
    uid = state.mirror('homeless', 'later')['metadata']['uid']
    state.server.kubectl('delete', 'namespace', 'later')
    wait_for(lambda: 'not found' in state.local('homeless', 'later')['mirror']['refusal'], 60, 'the refusal', 0.2)
    state.server.kubectl('create', 'namespace', 'later')
    state.wait_mirror('homeless', 'later', other_than=uid, timeout=120)
    assert state.container('homeless') == before


test_namespace_that_is_deleted_costs_no_container.timeout = 240


def test_pod_of_somebody_else_keeps_its_name(state):
    """One that is bound to this node, so that it is seen before a create of ours is refused."""
    foreign = json.loads(pod('taken'))
    foreign['metadata']['name'] = f'taken-{NODE}'
    foreign['spec']['nodeName'] = NODE
    foreign['spec']['automountServiceAccountToken'] = False
    state.server.kubectl('create', 'serviceaccount', 'default', check=False)
    state.server.kubectl('create', '-f', '-', input=json.dumps(foreign))
    uid = state.mirror('taken')['metadata']['uid']
    state.put('taken')
    refusal = wait_for(lambda: state.container('taken') and state.local('taken').get('mirror', {}).get('refusal'), 30, 'the refusal')
    assert 'a pod of that name is in the API server that is no mirror pod' in refusal, refusal
    assert state.local('taken')['mirror']['exists'] is False
    hold(lambda: state.mirror('taken')['metadata']['uid'] == uid, 3, 'the pod of somebody else', 0.5)
    state.server.kubectl('delete', 'pod', f'taken-{NODE}', '--grace-period=0', '--force')
    state.wait_mirror('taken', other_than=uid)
    state.drop('taken')


def test_edits_in_the_api_server_change_nothing(state):
    before, runs = state.mirror('web'), state.container('web')
    state.server.kubectl('label', 'pod', f'web-{NODE}', 'a=b')
    state.server.kubectl('patch', 'pod', f'web-{NODE}', '-p', json.dumps({'spec': {'containers': [{'name': 'main', 'image': 'other:1'}]}}))
    hold(lambda: state.container('web') == runs and state.mirror('web')['metadata']['uid'] == before['metadata']['uid'], 3, 'pod and mirror', 0.5)
    # A mirror that is made anew is the manifest's again.
    state.server.kubectl('delete', 'pod', f'web-{NODE}')
    after = state.wait_mirror('web', other_than=before['metadata']['uid'])
    assert state.container('web') == runs
    assert 'labels' not in after['metadata'] and after['spec']['containers'][0]['image'] == 'localhost/busybox:1', after


def test_status_goes_to_the_mirror_that_is_there(state):
    """Deleted over and over while the container restarts: the last mirror shows the last container, and nothing of another."""
    state.podwatch.command('retry', f'web-{NODE}')
    count = state.restarts('web')
    for i in range(3):
        before, runs = state.mirror('web'), state.container('web')
        if i % 2:
            state.host.docker.kill(runs)
        state.server.kubectl('delete', 'pod', f'web-{NODE}', '--grace-period=0', '--force')
        if not i % 2:
            state.host.docker.kill(runs)
        wait_for(lambda: state.podwatch.command('retry', f'web-{NODE}') and state.container('web') not in (None, runs), 30, 'another container', 0.2)
        after = state.wait_mirror('web', other_than=before['metadata']['uid'])
        status = after['status']['containerStatuses'][0]
        assert status['restartCount'] == count + i + 1, status
        assert status['lastState']['terminated']['containerID'] == f'docker://{runs}', status
        assert after['metadata']['generation'] == 1 and 'observedGeneration' not in after['status'], after


test_status_goes_to_the_mirror_that_is_there.timeout = 150


def watch_while_it_ends(state, name, before, runs):
    """While the container that it tells of runs, a mirror stays and is Running."""
    def still():
        mirror = state.mirror(name)
        if runs not in state.containers(name):
            return None
        assert mirror and mirror['metadata']['uid'] == before['metadata']['uid'] and mirror['status']['phase'] == 'Running', mirror
        return True
    looks = 0
    while still():
        looks += 1
    assert looks > 0, 'the container had ended before anybody looked'


def test_mirror_is_replaced_when_the_old_pod_has_ended(state):
    before, runs = state.wait_mirror('web'), state.container('web')
    state.put('web', SLOW, terminationGracePeriodSeconds=20, metadata={'labels': {'version': '2'}})
    watch_while_it_ends(state, 'web', before, runs)
    after = state.wait_mirror('web', other_than=before['metadata']['uid'])
    assert after['metadata']['labels'] == {'version': '2'} and after['metadata']['generation'] == 1
    hashes = [m['metadata']['annotations']['kubernetes.io/config.hash'] for m in (before, after)]
    assert hashes[0] != hashes[1] and after['metadata']['annotations']['kubernetes.io/config.mirror'] == hashes[1]
    assert state.restarts('web') == 0


def test_restart_count_is_kept_when_a_file_goes_and_returns(state):
    runs = state.container('web')
    state.host.docker.kill(runs)
    wait_for(lambda: state.restarts('web') == 1, 30, 'a restart in the mirror', 0.2)
    for count, absent in ((2, False), (3, True)):
        before, runs = state.wait_mirror('web'), state.container('web')
        text = state.host.read(f'{DIRECTORY}/web.yaml')
        state.drop('web')
        watch_while_it_ends(state, 'web', before, runs)
        wait_for(lambda: state.mirror('web') is None and not state.containers('web', all=True), 30, 'pod and mirror to be gone', 0.2)
        if absent:
            state.podwatch.kill9()
            state.podwatch.start()
        state.host.write(f'{DIRECTORY}/web.yaml', text)
        after = state.wait_mirror('web', other_than=before['metadata']['uid'])
        assert state.restarts('web') == count, after['status']
        assert after['metadata']['annotations']['kubernetes.io/config.hash'] == before['metadata']['annotations']['kubernetes.io/config.hash']


test_restart_count_is_kept_when_a_file_goes_and_returns.timeout = 150


def test_mirror_of_a_pod_that_went_while_podwatch_was_away_goes(state):
    runs = state.container('homeless')
    state.podwatch.kill9()
    state.drop('homeless')
    state.podwatch.start()
    wait_for(lambda: runs not in state.containers('homeless', all=True), 30, 'the container to be removed')
    wait_for(lambda: state.mirror('homeless', 'later') is None, 30, 'the orphan to go', 0.2)
    assert state.mirror('web') and state.mirror('counted', 'full')


def kept(state):
    """Pods of which versions, attempts and status are on disk."""
    return {kind: {f.removesuffix('.json') for f in os.listdir(state.host.path(f'/var/lib/podwatch/{kind}'))} for kind in ('pods', 'state', 'status')}


def test_state_of_pods_that_are_gone_is_bounded(state):
    live = {f'{p["namespace"]}_{p["name"]}' for p in state.podwatch.status()['pods']}
    # No image: nothing of it has to be waited for but the files.
    names = [f'passing{i}' for i in range(6)]
    for name in names:
        state.put(name, image='localhost/absent:1', container={'imagePullPolicy': 'Never'})
        wait_for(lambda: f'default_{name}-{NODE}' in kept(state)['pods'], 30, f'{name} on disk')
        state.drop(name)
        wait_for(lambda: f'default_{name}-{NODE}' not in kept(state)['status'], 30, f'{name} to be gone')
    latest = {f'default_{name}-{NODE}' for name in names[-3:]}
    wait_for(lambda: kept(state)['pods'] == live | latest, 10, 'the three latest and what is in force')
    assert kept(state)['state'] <= live | latest and kept(state)['status'] == live, kept(state)
    assert 'passing5' in state.podwatch.command('history', f'passing5-{NODE}').stdout
    # What piled up while nobody looked goes at the next start.
    for i in range(20):
        os.makedirs(state.host.path(f'/var/lib/podwatch/pods/default_old{i}-{NODE}'))
        for kind in ('state', 'status'):
            state.host.write(f'/var/lib/podwatch/{kind}/default_old{i}-{NODE}.json', '{}')
    state.podwatch.stop()
    state.podwatch.start()
    wait_for(lambda: len(kept(state)['pods'] - live) == 3 and kept(state)['status'] == live and len(kept(state)['state'] - live) <= 3,
             30, 'the rest of old pods to go')


def teardown(state):
    state.host.close()
