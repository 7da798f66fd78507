# SPDX-License-Identifier: Apache-2.0
"""What podwatch says of manifests before they are in force: validate and plan. Neither touches anything."""
import json
import os
import time

from cluster import Podwatch, pod
from harness import Host, hold, wait_for

ORDERED = True
DIRECTORY = '/etc/kubernetes/manifests'
NEW = '/etc/kubernetes/new'


class State:
    def validate(self, *args, code):
        result = self.podwatch.command('validate', *args, check=False)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result.stdout

    def plan(self, *args, code=0):
        result = self.podwatch.command('plan', *args, '-o', 'json', check=False)
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        plan = json.loads(result.stdout)
        return {p['pod']: p for p in plan['pods']}, plan

    def new(self, name, text):
        self.host.write(f'{NEW}/{name}', text)

    def clear(self):
        self.host.run(['sh', '-c', f'rm -rf {NEW}; mkdir -p {NEW}'])


def setup():
    state = State()
    state.host = Host('before')
    state.host.docker.make_busybox()
    state.podwatch = Podwatch(state.host)
    state.clear()
    return state


def certificate(state, path, days):
    state.host.run(['mkdir', '-p', os.path.dirname(path)])
    state.host.run(['openssl', 'req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', f'{path}.key',
                    '-out', f'{path}.csr', '-subj', '/CN=test'])
    state.host.run(['openssl', 'x509', '-req', '-in', f'{path}.csr', '-signkey', f'{path}.key', '-days', str(days), '-out', path])


def test_validate_without_a_running_podwatch_is_strict_and_names_places(state):
    state.new('a.yaml', 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  hostNetwrk: true\n  containers:\n  - name: main\n'
              '    image: localhost/busybox:1\n    ports:\n    - containerPort: 70000\n')
    text = state.validate(f'{NEW}/a.yaml', code=1)
    assert f'error: {NEW}/a.yaml:6:3: spec.hostNetwrk: ' in text and 'did you mean "hostNetwork"' in text, text
    assert f'error: {NEW}/a.yaml:11:22: spec.containers[0].ports[0].containerPort: Invalid value: 70000' in text, text
    found = json.loads(state.validate(f'{NEW}/a.yaml', '-o', 'json', code=1))
    assert found['errors'] == 2 and (found['files'][0]['findings'][0]['line'], found['files'][0]['findings'][0]['column']) == (6, 3), found
    state.new('a.yaml', pod('a', hostNetwork=True))
    assert '0 errors' in state.validate(f'{NEW}/a.yaml', code=0)
    assert state.podwatch.command('validate', '/nowhere', check=False).returncode == 2


def test_validate_finds_clashes_between_files(state):
    port = {'ports': [{'containerPort': 80, 'hostPort': 8080}]}
    state.clear()
    state.new('a.yaml', pod('a', container=port))
    state.new('b.yaml', pod('b', container=port))
    state.new('c.yaml', pod('a'))
    state.new('d.yaml~', 'not read')
    text = state.validate(NEW, code=1)
    assert 'b.yaml:' in text and 'spec.containers[0].ports[0].hostPort: port 8080/TCP of the node is in use by pod default/a-' in text, text
    assert 'c.yaml:' in text and f'is in {NEW}/a.yaml already, which counts' in text, text
    assert '3 files' in text, text


def test_validate_finds_circles_of_start_order(state):
    state.clear()
    for name, after in (('a', 'b'), ('b', 'c:started'), ('c', 'a'), ('d', 'nobody')):
        state.new(f'{name}.yaml', pod(name, metadata={'annotations': {'podwatch.io/after': after}}))
    text = state.validate(NEW, '--hostname-override', 'n1', code=1)
    assert 'metadata.annotations[podwatch.io/after]: start order is a circle: a-n1 -> b-n1 -> c-n1 -> a-n1' in text, text
    assert 'warning: ' in text and 'no manifest here describes pod default/nobody' in text, text


def test_validate_looks_behind_command_lines(state):
    state.clear()
    certificate(state, '/etc/kubernetes/pki/old.crt', -1)
    certificate(state, '/etc/kubernetes/pki/good.crt', 1)
    volumes = [{'name': 'pki', 'hostPath': {'path': '/etc/kubernetes/pki'}}]
    mounts = {'volumeMounts': [{'name': 'pki', 'mountPath': '/pki'}]}
    command = ['sleep', '--tls=/pki/good.crt', '--old=/pki/old.crt', '--gone=/pki/gone.crt', '--off=/etc/other.conf', '/data/dir', '/pki/good.crt.key']
    state.new('a.yaml', pod('a', command, container=mounts, volumes=volumes))
    text = state.validate(NEW, code=1)
    for word in ('spec.containers[0].command[2]: the certificate CN=test in /etc/kubernetes/pki/old.crt expired at 2',
                 'spec.containers[0].command[3]: /pki/gone.crt (/etc/kubernetes/pki/gone.crt on this node) is missing',
                 'spec.containers[0].command[4]: /etc/other.conf is on no volume of container main', '3 errors, 0 warnings'):
        assert word in text, text
    assert '0 errors' in state.validate(NEW, '--manifests-alone', code=0)


def test_validate_asks_docker_for_the_executable(state):
    state.clear()
    state.new('a.yaml', pod('a', ['slep', '1']))
    state.new('b.yaml', pod('b', ['/bin/sleep', '1']))
    state.new('c.yaml', pod('c', image='localhost/absent:1'))
    state.new('d.yaml', pod('d', image='localhost/absent:1', container={'imagePullPolicy': 'Never'}))
    before = len(state.host.docker.containers())
    text = state.validate(NEW, code=1)
    assert 'a.yaml:' in text and 'spec.containers[0].command[0]: image localhost/busybox:1 has no executable slep' in text, text
    assert 'b.yaml' not in text, text
    assert 'warning: ' in text and 'c.yaml:' in text and 'image localhost/absent:1 is not on this node\n' in text, text
    assert 'and imagePullPolicy is Never' in text, text
    assert len(state.host.docker.containers()) == before
    result = state.podwatch.command('validate', f'{NEW}/a.yaml', '--docker-endpoint', 'unix:///nowhere', check=False)
    assert result.returncode == 0 and 'images were not looked at' in result.stderr, result


def web(version, **fields):
    return pod('web', ['sh', '-c', f'echo {version}; exec sleep 100000'], hostNetwork=True, terminationGracePeriodSeconds=1, **fields)


def test_plan_says_what_would_change(state):
    state.clear()
    state.host.write(f'{DIRECTORY}/web.yaml', web('v1'))
    state.host.write(f'{DIRECTORY}/other.yaml', pod('other', hostNetwork=True, terminationGracePeriodSeconds=1))
    state.podwatch.start()
    state.podwatch.wait_ready('default/web-node1', 'default/other-node1', timeout=30)
    pods, _ = state.plan()
    assert {k: p['action'] for k, p in pods.items()} == {'default/web-node1': 'unchanged', 'default/other-node1': 'unchanged'}, pods
    running = {c['Id'] for c in state.host.docker.containers()}
    state.new('web.yaml', web('v2', container={'ports': [{'containerPort': 8080}], 'image': 'localhost/absent:2'}))
    state.new('more.yaml', pod('more', hostNetwork=True, container={'ports': [{'containerPort': 8080}]}))
    state.new('wrong.yaml', 'kind: [')
    pods, plan = state.plan(NEW, code=1)
    assert {k: p['action'] for k, p in pods.items()} == {'default/web-node1': 'replace', 'default/more-node1': 'create',
                                                         'default/other-node1': 'remove'}, pods
    fields = {f['field'] for f in pods['default/web-node1']['fields']}
    assert {'spec.containers[main].command', 'spec.containers[main].image', 'spec.containers[main].ports'} <= fields, fields
    assert pods['default/web-node1']['missingImages'] == ['localhost/absent:2']
    assert any('port 8080/TCP' in c for c in pods['default/more-node1']['clashes']), pods
    assert any('wrong.yaml:' in n for n in plan['notes']), plan
    text = state.podwatch.command('plan', NEW, check=False).stdout
    assert 'replace default/web-node1' in text and 'expected gap: not measured yet' in text and '1 create, 1 replace, 1 remove' in text, text
    time.sleep(1)
    assert {c['Id'] for c in state.host.docker.containers()} == running


def test_plan_expects_the_gap_that_was_measured(state):
    state.host.write(f'{DIRECTORY}/web.yaml', web('v2'))
    def gap():
        return next(p['gapsMs'] for p in state.podwatch.status()['pods'] if p['name'] == 'web-node1')
    wait_for(gap, 20, 'a measured gap')
    state.new('web.yaml', web('v3'))
    pods, plan = state.plan(f'{NEW}/web.yaml')
    assert list(pods) == ['default/web-node1'] and plan['problems'] == 0, plan
    found = pods['default/web-node1']['gap']
    assert found['measured'] == 1 and 0 < found['expectedMs'] < 10000, found
    assert [f['field'] for f in pods['default/web-node1']['fields']] == ['spec.containers[main].command']
    state.podwatch.stop()
    result = state.podwatch.command('plan', check=False)
    assert result.returncode == 2 and 'podwatch does not run' in result.stderr, result
    state.podwatch.start()
    assert gap() == [found['expectedMs']]


def test_plan_keeps_what_a_wrong_file_gave_before(state):
    state.host.write(f'{DIRECTORY}/web.yaml', 'kind: [')
    wait_for(lambda: 'web.yaml:' in state.podwatch.command('status').stdout, 10, 'the finding')
    pods, _ = state.plan(code=1)
    assert pods['default/web-node1']['action'] == 'keep', pods
    hold(lambda: 'web-node1' in state.podwatch.command('status').stdout, 1, 'the pod')


def documents(colour='red', password='topsecret-1', immutable=False):
    return '\n---\n'.join(json.dumps(d) for d in (
        {'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'app'}, 'data': {'COLOUR': colour, 'SHAPE': 'round'}, 'immutable': immutable},
        {'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'app'}, 'stringData': {'password': password}})) + '\n'


def test_plan_of_an_edited_config_document(state):
    state.clear()
    uses = pod('uses', hostNetwork=True, terminationGracePeriodSeconds=0, container={
        'env': [{'name': 'ONE', 'valueFrom': {'configMapKeyRef': {'name': 'app', 'key': 'COLOUR'}}},
                {'name': 'TWO', 'valueFrom': {'configMapKeyRef': {'name': 'app', 'key': 'SHAPE'}}}],
        'volumeMounts': [{'name': 'config', 'mountPath': '/config'}, {'name': 'config', 'mountPath': '/colour', 'subPath': 'COLOUR'}]},
        volumes=[{'name': 'config', 'configMap': {'name': 'app'}}, {'name': 'secret', 'secret': {'secretName': 'app'}}])
    state.host.write(f'{DIRECTORY}/documents.yaml', documents())
    state.host.write(f'{DIRECTORY}/uses.yaml', uses)
    state.host.write(f'{DIRECTORY}/web.yaml', web('v2'))
    state.podwatch.wait_ready('default/uses-node1', 'default/web-node1', timeout=30)
    state.new('documents.yaml', documents())
    assert state.plan(f'{NEW}/documents.yaml')[0] == {}
    state.new('documents.yaml', documents('blue', 'topsecret-2'))
    pods, plan = state.plan(f'{NEW}/documents.yaml')
    assert {k: p['action'] for k, p in pods.items()} == {'default/uses-node1': 'refresh'}, plan
    found = {c['field']: (c['from'], c['keys'], c['takes']) for c in pods['default/uses-node1']['configs']}
    assert found == {
        'spec.containers[main].env[ONE]': ('ConfigMap default/app', ['COLOUR'], 'restart'),
        'spec.containers[main].volumeMounts[/colour]': ('ConfigMap default/app', ['COLOUR'], 'restart'),
        'spec.volumes[config]': ('ConfigMap default/app', ['COLOUR'], 'at once'),
        'spec.volumes[secret]': ('Secret default/app', ['password'], 'at once')}, found
    text = state.podwatch.command('plan', f'{NEW}/documents.yaml').stdout
    assert 'spec.volumes[secret]: Secret default/app: password: shown in the volume at once' in text and '1 refresh' in text, text
    assert 'podwatch restart default/uses-node1' in text and 'topsecret' not in text + json.dumps(plan), text
    # A whole directory: the same, and nothing for those that take nothing of it.
    state.new('uses.yaml', uses), state.new('web.yaml', web('v2'))
    pods, _ = state.plan(NEW)
    assert pods['default/uses-node1']['action'] == 'refresh' and pods['default/web-node1']['action'] == 'unchanged', pods
    # Taken away, and what may not be changed.
    state.new('documents.yaml', documents().split('---')[1])
    pods, _ = state.plan(f'{NEW}/documents.yaml')
    assert {c['takes'] for c in pods['default/uses-node1']['configs']} == {'withdrawn'}, pods
    state.host.write(f'{DIRECTORY}/documents.yaml', documents(immutable=True))
    state.new('documents.yaml', documents('blue', immutable=True))
    _, plan = state.plan(f'{NEW}/documents.yaml', code=1)
    assert any('ConfigMap default/app is immutable' in n for n in plan['notes']), plan


def teardown(state):
    state.host.close()
