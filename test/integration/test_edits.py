# SPDX-License-Identifier: Apache-2.0
"""Edits by writers of every habit: what is wrong or half-written stops nothing, what is right is taken once and whole."""
import json
import os
import time

from cluster import Podwatch, slower
from harness import Host, hold, wait_for

ORDERED = True
# A file is read when it has been quiet for 50 ms, and gone when it has been so for 500.
UNTOUCHED = 1.5
FILE = '/etc/kubernetes/manifests/web.yaml'
BROKEN = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers: [\n'
NO_POD = 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: main\n    image: localhost/busybox:1\n    ports:\n    - containerPort: 70000\n'


def web(version):
    """A pod whose command carries the version. YAML, so that a prefix of it can be a pod too."""
    return (f'apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  terminationGracePeriodSeconds: 0\n  hostNetwork: true\n  containers:\n'
            f'  - name: main\n    image: localhost/busybox:1\n    command: [sh, -c, "echo {version}; sleep 100000"]\n'
            f'  - name: second\n    image: localhost/busybox:1\n    command: [sleep, "100000"]\n')


class State:
    def current(self):
        """Ids and process ids of the running app containers of web."""
        return {c['Labels']['io.kubernetes.container.name']: (c['Id'], self.host.docker.inspect(c['Id'])['State']['Pid'])
                for c in self.host.docker.containers(all=False, label='io.kubernetes.pod.name=web-node1')}

    def version(self):
        found = [c for c in self.host.docker.containers(all=False, label='io.kubernetes.container.name=main')]
        return self.host.docker.logs(found[0]['Id']).strip() if len(found) == 1 else None

    def wait_version(self, version, timeout=20):
        wait_for(lambda: self.version() == version and len(self.current()) == 3, timeout, f'version {version} to run')

    def starts(self, since):
        return [e for e in self.recorder.find('start', since=since) if e['Actor']['Attributes'].get('name', '').startswith('k8s_main_web-')]

    def never_two(self):
        """By Docker's own events: never two main containers at once."""
        alive = set()
        for e in sorted(self.recorder.find(), key=lambda e: e['timeNano']):
            if not e['Actor']['Attributes'].get('name', '').startswith('k8s_main_web-'):
                continue
            if e['Action'] == 'start':
                alive.add(e['Actor']['ID'])
                assert len(alive) == 1, f'two at once: {alive}'
            elif e['Action'] == 'die':
                alive.discard(e['Actor']['ID'])

    def sh(self, script):
        return self.host.output('sh', '-c', script)


def setup():
    state = State()
    state.host = Host('edits')
    state.host.docker.make_busybox()
    state.recorder = state.host.record_events(type=['container'])
    state.podwatch = Podwatch(state.host).start()
    return state


def test_wrong_from_the_start_then_corrected_runs_at_once(state):
    state.host.write(FILE, BROKEN)
    wait_for(lambda: 'web.yaml:' in state.podwatch.command('status').stdout, 10, 'the finding in status')
    assert not state.current()
    begin = time.monotonic()
    state.host.write(FILE, web('v1'))
    state.wait_version('v1')
    took = time.monotonic() - begin
    assert took < 5 * slower(), took


def broken_edit_stops_nothing(state, how):
    """Breaks the file by `how`, looks, and puts it right; the same containers run all the time."""
    before = state.current()
    since = time.time_ns()
    how()
    hold(lambda: state.current() == before, UNTOUCHED, 'the pod running untouched through a broken edit', 0.3)
    text = state.podwatch.command('status').stdout
    assert 'web.yaml:' in text, text
    state.host.write(FILE, web(state.version()))
    wait_for(lambda: 'web.yaml:' not in state.podwatch.command('status').stdout, 10, 'status without the finding')
    assert state.current() == before
    assert not state.starts(since)


def test_broken_yaml_by_rename(state):
    before = len(state.podwatch.log_text())
    broken_edit_stops_nothing(state, lambda: state.host.write(FILE, BROKEN))
    log = state.podwatch.log_text()[before:]
    assert any('web.yaml:' in line and 'stays in force' in line for line in log.splitlines()), log[-2000:]


def test_broken_pod_by_cp_names_line_and_field(state):
    state.host.write('/etc/kubernetes/bad.yaml', NO_POD)
    before = state.current()
    state.sh(f'cp /etc/kubernetes/bad.yaml {FILE}')
    wait_for(lambda: 'web.yaml:10:' in state.podwatch.command('status').stdout, 10, 'file and line in status')
    status = json.dumps(state.podwatch.status())
    assert 'spec.containers[0].ports[0].containerPort' in status and '70000' in status, status[:3000]
    assert state.current() == before
    state.host.write(FILE, web('v1'))


def test_broken_by_sed_in_place(state):
    broken_edit_stops_nothing(state, lambda: state.sh(f"sed -i 's/containers:/containers: [/' {FILE}"))


def test_truncated_and_removed_for_a_moment(state):
    before = state.current()
    state.sh(f': > {FILE}')
    hold(lambda: state.current() == before, UNTOUCHED, 'the pod untouched by an empty file', 0.2)
    state.sh(f'rm {FILE}; sleep 0.2')
    state.host.write(FILE, web('v1'))
    hold(lambda: state.current() == before, UNTOUCHED, 'the pod untouched by a removal of 0.2 s', 0.2)


def edit_is_taken_once(state, version, how):
    since = time.time_ns()
    how(web(version))
    state.wait_version(version, 30)
    hold(lambda: state.version() == version, 1, 'the version to stay', 0.2)
    assert len(state.starts(since)) == 1, [e['Actor']['Attributes']['name'] for e in state.starts(since)]
    state.never_two()


def test_edit_by_rename(state):
    edit_is_taken_once(state, 'rename', lambda text: state.host.write(FILE, text))


def test_edit_by_cp_over(state):
    def cp(text):
        state.host.write('/etc/kubernetes/new.yaml', text)
        state.sh(f'cp /etc/kubernetes/new.yaml {FILE}')
    edit_is_taken_once(state, 'cp', cp)


def test_edit_by_sed_in_place(state):
    edit_is_taken_once(state, 'sed', lambda text: state.sh(f"sed -i 's/echo cp/echo sed/' {FILE}"))


def test_edit_by_vim(state):
    edit_is_taken_once(state, 'vim', lambda text: state.host.run(
        ['vim', '-Nu', 'NONE', '-es', '-c', '%s/echo sed/echo vim/', '-c', 'set backup writebackup', '-c', 'wq', FILE]))
    left = [n for n in state.host.output('ls', '-A', '/etc/kubernetes/manifests').split() if n != 'web.yaml']
    assert left in ([], ['web.yaml~']), left
    if left:
        assert 'web.yaml~' in state.podwatch.command('status').stdout, 'the backup file is not reported'
        state.sh('rm /etc/kubernetes/manifests/web.yaml~')


def test_edit_by_rsync(state):
    def rsync(text):
        state.host.write('/etc/kubernetes/src/web.yaml', text)
        state.sh('rsync -a /etc/kubernetes/src/ /etc/kubernetes/manifests/')
    edit_is_taken_once(state, 'rsync', rsync)


def test_edit_byte_by_byte_with_pauses(state):
    """The writer keeps the file open; many prefixes of it are pods, and none of them is taken."""
    def slowly(text):
        with open(state.host.path(FILE), 'w') as f:
            for i in range(0, len(text), 16):
                f.write(text[i:i + 16])
                f.flush()
                time.sleep(0.3 if i % 160 == 0 else 0.02)
    edit_is_taken_once(state, 'slow', slowly)


def test_edit_by_symlink_swap(state):
    """As a mounted ConfigMap changes: ..data is swapped for another directory."""
    directory = '/etc/kubernetes/manifests'
    state.host.write(f'{directory}/..one/web.yaml', web('slow'))
    state.sh(f'ln -s ..one {directory}/..data; ln -sf ..data/web.yaml {directory}/.web.tmp; mv -T {directory}/.web.tmp {FILE}')
    hold(lambda: state.version() == 'slow', UNTOUCHED, 'the same content behind a link', 0.2)

    def swap(text):
        state.host.write(f'{directory}/..two/web.yaml', text)
        state.sh(f'ln -s ..two {directory}/..tmp; mv -T {directory}/..tmp {directory}/..data')
    edit_is_taken_once(state, 'link', swap)
    state.host.write(FILE, web('link'))


def test_unknown_field_is_a_warning_and_backups_are_reported(state):
    before = state.current()
    state.host.write('/etc/kubernetes/manifests/copy.yaml.bak', web('backup'))
    state.host.write('/etc/kubernetes/manifests/notes.txt', 'not a pod')
    wait_for(lambda: all(n in state.podwatch.command('status').stdout for n in ('copy.yaml.bak', 'notes.txt')), 10, 'both files in status')
    assert state.current() == before
    state.sh('rm /etc/kubernetes/manifests/copy.yaml.bak /etc/kubernetes/manifests/notes.txt')


def test_missing_directory_keeps_the_pods(state):
    before = state.current()
    state.sh('mv /etc/kubernetes/manifests /etc/kubernetes/aside')
    wait_for(lambda: '/etc/kubernetes/manifests' in state.podwatch.command('status').stdout, 10, 'status to tell')
    hold(lambda: state.current() == before, UNTOUCHED, 'the pods', 0.3)
    state.sh('mv /etc/kubernetes/aside /etc/kubernetes/manifests')
    hold(lambda: state.current() == before, UNTOUCHED, 'the pods', 0.3)
    edit_is_taken_once(state, 'back', lambda text: state.host.write(FILE, text))


def test_revisions_are_on_disk(state):
    names = state.host.output('ls', '/var/lib/podwatch/pods/default_web-node1').split()
    numbers = sorted(int(n.split('.')[0]) for n in names if n.endswith('.raw'))
    assert len(numbers) >= 8 and 'current' in names, names
    assert 'echo back' in state.host.read(f'/var/lib/podwatch/pods/default_web-node1/{numbers[-1]}.raw')


def test_removal_takes_everything_away(state):
    state.sh(f'rm -rf {FILE} /etc/kubernetes/manifests/..[a-z]*')
    wait_for(lambda: not state.host.docker.containers(label='io.kubernetes.pod.uid'), 20, 'no containers')
    wait_for(lambda: not os.listdir(state.host.path('/var/lib/kubelet/pods')), 10, 'no pod directories')
    assert not state.host.output('find', '/var/log/pods', '/var/log/containers', '-mindepth', '1').strip()
    state.never_two()


def test_removed_and_put_back_counts_on(state):
    state.host.write(FILE, web('again'))
    state.wait_version('again')
    state.sh(f'rm {FILE}')
    wait_for(lambda: not state.current(), 20, 'the pod gone')
    state.host.write(FILE, web('again'))
    state.wait_version('again')

    def counted():
        # The containers start one after the other; one that has not yet has no count.
        counts = {c['name']: c['restartCount'] for c in state.podwatch.pods()['default/web-node1']['status']['containerStatuses']}
        assert counts == {'main': 1, 'second': 1}, counts
        return True
    wait_for(counted, 10, 'both to count on')


def teardown(state):
    state.host.close()


