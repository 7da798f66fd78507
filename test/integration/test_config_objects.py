# SPDX-License-Identifier: Apache-2.0
"""ConfigMaps and Secrets in the manifest directory serve static pods."""
import json
import os

from cluster import Podwatch, pod
from harness import Host, hold, wait_for
from test_api_side import Server

ORDERED = True
DIRECTORY = '/etc/kubernetes/manifests'
CONFIG = f'{DIRECTORY}/z-config.yaml'


def objects(colour='red', password='topsecret-1', **more):
    documents = [{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'app'}, 'data': {'COLOUR': colour, 'app.conf': f'colour={colour}\n'}, **more},
                 {'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'app'}, 'stringData': {'password': password}}]
    return '\n---\n'.join(json.dumps(d) for d in documents) + '\n'


USES = {
    'env': [{'name': 'ONE', 'valueFrom': {'configMapKeyRef': {'name': 'app', 'key': 'COLOUR'}}},
            {'name': 'PASSWORD', 'valueFrom': {'secretKeyRef': {'name': 'app', 'key': 'password'}}},
            {'name': 'MAYBE', 'valueFrom': {'secretKeyRef': {'name': 'absent', 'key': 'x', 'optional': True}}}],
    'envFrom': [{'configMapRef': {'name': 'app'}, 'prefix': 'P_'}],
    'volumeMounts': [{'name': n, 'mountPath': f'/{n}'} for n in ('config', 'secret', 'projected', 'absent')],
}
VOLUMES = [{'name': 'config', 'configMap': {'name': 'app'}},
           {'name': 'secret', 'secret': {'secretName': 'app'}},
           {'name': 'projected', 'projected': {'defaultMode': 0o440, 'sources': [
               {'configMap': {'name': 'app', 'items': [{'key': 'app.conf', 'path': 'etc/app.conf'}]}},
               {'secret': {'name': 'app', 'items': [{'key': 'password', 'path': 'password', 'mode': 0o400}]}},
               {'downwardAPI': {'items': [{'path': 'name', 'fieldRef': {'fieldPath': 'metadata.name'}}]}}]}},
           {'name': 'absent', 'configMap': {'name': 'absent', 'optional': True}}]


def app(**more):
    return pod('app', hostNetwork=True, terminationGracePeriodSeconds=0, container=USES, volumes=VOLUMES, **more)


class State:
    def container(self):
        found = [c['Id'] for c in self.host.docker.containers(all=False, label='io.kubernetes.container.name=main')]
        return found[0] if len(found) == 1 else None

    def sh(self, script):
        return self.host.output('docker', 'exec', self.container(), 'sh', '-c', script)


def setup():
    state = State()
    state.host = Host('config')
    state.host.docker.make_busybox()
    state.podwatch = Podwatch(state.host).start()
    return state


def test_reference_that_no_document_serves_is_refused_with_its_field(state):
    state.host.write(f'{DIRECTORY}/app.yaml', app())
    wait_for(lambda: 'app.yaml:' in state.podwatch.command('status').stdout, 10, 'the finding')
    text = state.podwatch.command('status').stdout
    for field in ('env[0].valueFrom.configMapKeyRef', 'env[1].valueFrom.secretKeyRef', 'envFrom[0].configMapRef', 'spec.volumes[0].configMap',
                  'spec.volumes[1].secret', 'spec.volumes[2].projected.sources[1].secret'):
        assert f'{field}: Forbidden: static pods may not reference' in text, (field, text)
    assert 'serves Secret default/app' in text and 'default/absent' not in text, text
    result = state.podwatch.command('validate', f'{DIRECTORY}/app.yaml', '--manifests-alone', check=False)
    assert result.returncode == 1 and 'serves Secret default/app' in result.stdout, result


def test_documents_serve_env_and_volumes(state):
    state.host.write(CONFIG, objects(), 0o600)
    wait_for(state.container, 20, 'the pod that was refused before to run')
    assert state.sh('echo $ONE $PASSWORD ${MAYBE-unset} $P_COLOUR').strip() == 'red topsecret-1 unset red'
    assert state.sh('cat /config/app.conf /config/COLOUR /secret/password /projected/etc/app.conf /projected/name') == \
        'colour=red\nredtopsecret-1colour=red\napp-node1'
    assert state.sh('ls /absent').strip() == ''
    modes = state.sh('stat -Lc %a /config/COLOUR /secret/password /projected/etc/app.conf /projected/password').split()
    assert modes == ['644', '400', '440', '400'], modes
    for volume in ('secret', 'config', 'projected'):
        assert state.sh(f'stat -fc %T /{volume}').strip() == 'tmpfs', volume
    assert state.podwatch.command('validate', DIRECTORY, '--manifests-alone').returncode == 0


def test_volumes_change_whole_and_containers_stay(state):
    before = state.container()
    link = state.sh('readlink /config/..data')
    state.host.write(CONFIG, objects('blue', 'topsecret-2'), 0o600)
    wait_for(lambda: state.sh('cat /config/COLOUR') == 'blue', 10, 'the new content')
    assert state.sh('cat /secret/password /projected/etc/app.conf') == 'topsecret-2colour=blue\n'
    assert state.sh('readlink /config/..data') != link
    assert state.sh('echo $ONE').strip() == 'red' and state.container() == before
    state.podwatch.command('restart', 'app')
    wait_for(lambda: state.container() not in (None, before), 10, 'another container')
    assert state.sh('echo $ONE $PASSWORD').strip() == 'blue topsecret-2'


def test_a_wrong_or_missing_document_changes_nothing_that_runs(state):
    before = state.container()
    for text in (objects('green').replace('"COLOUR": "green"', '"COLOUR": 1'), 'kind: ConfigMap: [', ' '):
        state.host.write(CONFIG, text, 0o600)
        wait_for(lambda: 'z-config.yaml:' in state.podwatch.command('status').stdout, 10, 'the finding')
        assert state.sh('cat /config/COLOUR') == 'blue' and state.container() == before
    os.unlink(state.host.path(CONFIG))
    hold(lambda: state.container() == before and state.sh('cat /config/COLOUR') == 'blue', 2, 'the pod', 0.3)
    state.podwatch.stop()
    state.podwatch.start()
    hold(lambda: state.container() == before, 2, 'the pod over a restart', 0.3)
    state.host.write(CONFIG, objects('green'), 0o600)
    wait_for(lambda: state.sh('cat /config/COLOUR') == 'green', 10, 'the new content')
    assert state.container() == before


def test_immutable_document_stays(state):
    state.host.write(CONFIG, objects('green', immutable=True), 0o600)
    wait_for(lambda: 'z-config.yaml' not in state.podwatch.command('status').stdout, 10, 'the document to be taken')
    state.host.write(CONFIG, objects('black', immutable=True), 0o600)
    wait_for(lambda: 'field is immutable when `immutable` is set' in state.podwatch.command('status').stdout, 10, 'the refusal')
    assert state.sh('cat /config/COLOUR') == 'green'
    state.host.write(CONFIG, objects('green', immutable=True), 0o600)


def test_of_two_documents_of_one_name_the_first_file_counts(state):
    other = f'{DIRECTORY}/zz-config.yaml'
    for colour in ('white', 'grey'):
        state.host.write(other, objects(colour))
        wait_for(lambda: 'zz-config.yaml: ConfigMap default/app is in another file already, which counts' in
                 state.podwatch.command('status').stdout, 10, 'the finding')
    assert state.podwatch.command('status').stdout.count('zz-config.yaml: ConfigMap default/app') == 1
    assert state.sh('cat /config/COLOUR') == 'green'
    os.unlink(state.host.path(other))


def test_missing_key_keeps_the_container_waiting_with_the_reason(state):
    uses = {'env': [{'name': 'X', 'valueFrom': {'secretKeyRef': {'name': 'app', 'key': 'nokey'}}}]}
    state.host.write(f'{DIRECTORY}/b.yaml', pod('b', hostNetwork=True, container=uses))
    wait_for(lambda: "couldn't find key nokey in Secret default/app" in state.podwatch.command('status').stdout, 20, 'the reason')
    os.unlink(state.host.path(f'{DIRECTORY}/b.yaml'))


def test_secrets_are_in_no_log_and_no_state(state):
    assert 'topsecret' not in state.podwatch.log_text()
    for target in ('/status', '/pods', '/events'):
        assert 'topsecret' not in state.podwatch.api(target)[1], target
    found = state.host.run(['grep', '-rl', 'topsecret', '/var/lib/podwatch', '/var/lib/kubelet', '/run/podwatch'], check=False).stdout.split()
    # On tmpfs alone, where the pod's own volumes are.
    assert all('/volumes/kubernetes.io~' in path for path in found), found
    assert found


def test_mirror_is_posted_without_the_references(state):
    """By a real API server with NodeRestriction, which admits no mirror that has them."""
    server = Server(state.host)
    wait_for(server.ready, 90, 'the API server')
    server.kubeconfig()
    before = state.container()
    state.podwatch.stop()
    state.podwatch.kubeconfig = '/etc/kubernetes/kubelet.conf'
    state.podwatch.start()
    mirror = wait_for(lambda: server.get('pod', 'app-node1', '-n', 'default'), 60, 'the mirror', 0.5)
    text = json.dumps(mirror['spec'])
    assert not any(word in text for word in ('configMap', 'secretKeyRef', 'secretRef', '"secret"', 'envFrom')), text
    mounts = {m['name'] for m in mirror['spec']['containers'][0].get('volumeMounts', [])}
    assert mounts == {'projected'}, mounts
    assert [list(source) for source in mirror['spec']['volumes'][0]['projected']['sources']] == [['downwardAPI']], mirror['spec']['volumes']
    assert state.container() == before
    assert 'secretKeyRef' in json.dumps(state.podwatch.pods()['default/app-node1']['spec'])


test_mirror_is_posted_without_the_references.timeout = 200


def teardown(state):
    state.host.close()
