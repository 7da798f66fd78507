# SPDX-License-Identifier: Apache-2.0
"""Faults under running pods: podwatch killed, dockerd killed under live-restore, containers and sandboxes killed meanwhile."""
import json
import os
import re
import signal
import time

from cluster import Podwatch, is_ready, pod, sanitized, slower
from harness import Host, hold, wait_for

NAMES = ['one', 'two', 'three']


# Segments of the journal that are kept (LIMIT_JOURNAL_SEGMENTS of lib/base/limits.h); a run begins one.
SEGMENTS = 8
JOURNAL = '/var/lib/podwatch/journal'


class State:
    def start(self):
        self.podwatch.start()
        self.begun()

    def begun(self):
        """Another run of podwatch has written of itself, so that it may be killed without loss."""
        self.runs += 1
        newest = f'{JOURNAL}/{self.runs:08}.journal'
        wait_for(lambda: os.path.getsize(self.host.path(newest)) > 0, 10, 'the journal of this run')

    def running(self):
        return {c['Names'][0]: (c['Id'], i['State']['Pid'], i['State']['StartedAt']) for c in self.host.docker.containers(all=False)
                for i in [self.host.docker.inspect(c['Id'])]}

    def app(self, name):
        found = self.host.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')
        return next(c for c in found if c['Labels']['io.kubernetes.container.name'] == 'main')

    def keys(self):
        return [f'default/{n}-node1' for n in NAMES]


def setup():
    state = State()
    state.host = Host('faults')
    state.host.docker.make_busybox()
    state.recorder = state.host.record_events(type=['container'])
    for name in NAMES:
        probe = {'readinessProbe': {'exec': {'command': ['true']}, 'periodSeconds': 2}} if name == 'two' else {}
        state.host.write(f'/etc/kubernetes/manifests/{name}.yaml', pod(name, container=probe, terminationGracePeriodSeconds=1, hostNetwork=name != 'one'))
    state.podwatch, state.runs = Podwatch(state.host), 0
    state.start()
    state.podwatch.wait_ready(*state.keys())
    return state


def test_start_order_and_names(state):
    for name in NAMES:
        container = state.host.docker.inspect(state.app(name)['Id'])
        labels = container['Config']['Labels']
        assert labels['io.kubernetes.pod.namespace'] == 'default'
        assert labels['annotation.io.kubernetes.container.restartCount'] == '0'
        assert container['HostConfig']['RestartPolicy']['Name'] in ('', 'no')
        assert '/kubepods/besteffort/pod' in container['HostConfig']['CgroupParent']


def test_killed_podwatch_touches_nothing(state):
    before, conditions = state.running(), {k: p['status']['conditions'] for k, p in state.podwatch.pods().items()}
    for _ in range(3):
        state.podwatch.kill9()
        begin = time.monotonic()
        state.podwatch.start()
        state.podwatch.wait_ready(*state.keys(), timeout=5)
        took = time.monotonic() - begin
        assert took < slower(), took
        state.begun()
    hold(lambda: state.running() == before, 3, 'every container as it was', 0.5)
    assert {k: p['status']['conditions'] for k, p in state.podwatch.pods().items()} == conditions


def test_stopped_podwatch_leaves_containers(state):
    before = state.running()
    assert state.podwatch.stop() == 0
    assert state.running() == before
    state.start()
    state.podwatch.wait_ready(*state.keys())
    assert state.running() == before


def test_what_died_while_podwatch_was_away_comes_back(state):
    before = state.running()
    victim = state.app('three')['Id']
    state.podwatch.kill9()
    os.kill(state.host.docker.inspect(victim)['State']['Pid'], signal.SIGKILL)
    state.start()
    wait_for(lambda: state.app('three')['Id'] != victim, 10, 'another container')
    after = state.running()
    untouched = {n: v for n, v in before.items() if v[0] != victim}
    assert all(after.get(n) == v for n, v in untouched.items()), (before, after)


def test_restart_of_podwatch_keeps_the_backoff(state):
    state.host.write('/etc/kubernetes/manifests/crash.yaml', pod('crash', ('false',), hostNetwork=True))

    def deaths():
        return [e for e in state.recorder.find('die') if e['Actor']['Attributes'].get('name', '').startswith('k8s_main_crash-')]
    wait_for(lambda: len(deaths()) >= 2, 20, 'two runs')
    second = deaths()[1]['timeNano']
    state.podwatch.kill9()
    state.start()
    third = wait_for(lambda: [e for e in state.recorder.find('start', since=second) if e['Actor']['Attributes']['name'].startswith('k8s_main_crash-')],
                     25, 'the third run')[0]
    waited = (third['timeNano'] - second) / 1e9
    assert 9.9 < waited < 10 + 2 * slower(), f'{waited:.2f} s'
    assert third['Actor']['Attributes']['name'].endswith('_2'), third['Actor']['Attributes']['name']
    state.host.output('rm', '/etc/kubernetes/manifests/crash.yaml')


def test_killed_dockerd_under_live_restore(state):
    wait_for(lambda: 'default/crash-node1' not in state.podwatch.pods(), 20, 'crash gone')
    before = state.running()
    victim = state.app('three')
    pid = state.host.docker.inspect(victim['Id'])['State']['Pid']
    state.host.docker_kill()
    wait_for(lambda: not state.podwatch.status()['docker']['ready'], 10, 'status to tell that Docker is away')
    os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    state.host.docker_start()
    wait_for(lambda: state.app('three')['Id'] != victim['Id'], 30, 'another container')
    state.podwatch.wait_ready(*state.keys(), timeout=30)
    after = state.running()
    for name, what in before.items():
        if what[0] != victim['Id']:
            assert after.get(name) == what, f'{name}: {what} became {after.get(name)}'


def test_killed_sandbox_restarts_its_pod_alone(state):
    before = state.running()
    sandbox = next(c for c in state.host.docker.containers(all=False, label='io.kubernetes.pod.name=one-node1')
                   if c['Labels']['io.kubernetes.container.name'] == 'POD')
    state.host.docker.kill(sandbox['Id'])

    def renewed():
        now = state.running()
        return sum('_one-node1_' in n for n in now) == 2 and all(v[0] not in {w[0] for w in before.values()} for n, v in now.items() if '_one-node1_' in n)
    wait_for(renewed, 20, 'another sandbox and container')
    state.podwatch.wait_ready(*state.keys())
    after = state.running()
    assert all(after.get(n) == v for n, v in before.items() if '_one-node1_' not in n)


def test_removed_containers_are_made_again(state):
    for c in state.host.docker.containers(label='io.kubernetes.pod.name=two-node1'):
        state.host.docker.remove(c['Id'])
    wait_for(lambda: sum('_two-node1_' in n for n in state.running()) == 2, 20, 'the pod again')
    wait_for(lambda: is_ready(state.podwatch.pods()['default/two-node1']), 20, 'the pod Ready')


def test_what_is_left_of_a_pod_that_never_ran_goes(state):
    """A container that was made and never started, of a pod that no manifest has: it is removed, and all of its pod with it."""
    uid, host = 'f00dfeedf00dfeedf00dfeedf00dfeed', state.host
    labels = {'io.kubernetes.pod.name': 'never-node1', 'io.kubernetes.pod.namespace': 'default', 'io.kubernetes.pod.uid': uid,
              'io.kubernetes.container.name': 'main', 'io.kubernetes.docker.type': 'container', 'io.podwatch.spec-hash': '1'}
    state.podwatch.kill9()
    host.docker.create(f'k8s_main_never-node1_default_{uid}_0', {'Image': 'localhost/busybox:1', 'Cmd': ['true'], 'Labels': labels})
    places = [f'/var/lib/kubelet/pods/{uid}/volumes', f'/var/log/pods/default_never-node1_{uid}/main',
              f'/sys/fs/cgroup/memory/kubepods/besteffort/pod{uid}']
    host.output('mkdir', '-p', *places)
    state.start()
    tops = [places[0].removesuffix('/volumes'), places[1].removesuffix('/main'), places[2]]
    wait_for(lambda: not any(os.path.exists(host.path(p)) for p in tops), 20, 'nothing to be left of it')
    assert not host.docker.containers(label=f'io.kubernetes.pod.uid={uid}')
    state.podwatch.wait_ready(*state.keys())


def test_process_that_docker_has_forgotten_goes_with_its_pod(state):
    """What a dockerd that was killed at the start of a container leaves: a process in the pod's control group that is in no container."""
    host, manifest = state.host, '/etc/kubernetes/manifests/lost.yaml'
    host.write(manifest, pod('lost', terminationGracePeriodSeconds=1))
    uid = state.podwatch.wait_ready('default/lost-node1')['default/lost-node1']['metadata']['uid']
    stray = host.popen(['sleep', '1000'])
    group = f'/sys/fs/cgroup/memory/kubepods/besteffort/pod{uid}'
    host.run(['sh', '-c', f'mkdir {group}/forgotten && echo {stray.pid} >{group}/forgotten/cgroup.procs'])
    host.run(['rm', manifest])
    assert stray.wait(20) == -signal.SIGKILL
    wait_for(lambda: not os.path.exists(host.path(group)), 20, 'the control group to be gone')
    wait_for(lambda: 'default/lost-node1' not in state.podwatch.pods(), 20, 'the pod to be gone')
    state.podwatch.wait_ready(*state.keys())


def test_status_that_a_full_disk_did_not_take_is_written_when_it_does(state):
    manifest = '/etc/kubernetes/manifests/disk.yaml'
    state.host.write(manifest, pod('disk', terminationGracePeriodSeconds=0, hostNetwork=True))
    state.podwatch.wait_ready('default/disk-node1')
    for kind in ('status', 'ends'):
        state.host.output('mkdir', '-p', f'/var/lib/podwatch/{kind}')
        state.host.output('mount', '-t', 'tmpfs', '-o', 'size=16k,mode=755', 'tmpfs', f'/var/lib/podwatch/{kind}')
        state.host.run(['sh', '-c', f'cat /dev/zero > /var/lib/podwatch/{kind}/fill'], check=False)
    victim = state.app('disk')['Id']
    os.kill(state.host.docker.inspect(victim)['State']['Pid'], signal.SIGKILL)
    wait_for(lambda: state.app('disk')['Id'] != victim, 10, 'another container')
    state.podwatch.wait_ready('default/disk-node1')

    def written(kind):
        return state.host.output('sh', '-c', f'cat /var/lib/podwatch/{kind}/*disk* 2>/dev/null || true')
    hold(lambda: not written('status') and not written('ends'), 2, 'no room', 0.2)
    for kind in ('status', 'ends'):
        state.host.output('rm', f'/var/lib/podwatch/{kind}/fill')
    # Nothing more happens to the pod: what was not taken is written by itself.
    now = state.app('disk')['Id']
    wait_for(lambda: f'docker://{now}' in written('status') and '"exitCode":137' in written('ends'), 90, 'both to be written')
    for kind in ('status', 'ends'):
        state.host.output('umount', '-l', f'/var/lib/podwatch/{kind}')
    state.host.output('rm', manifest)
    wait_for(lambda: 'default/disk-node1' not in state.podwatch.pods(), 20, 'the end of the pod')


def test_memory_of_pods_that_have_gone_is_given_back(state):
    """Once, ten seconds after the last of them, and nothing wakes podwatch for it any more. (docs/TESTING.md has how much.)"""
    def trims():
        found = [line for line in state.podwatch.api('/metrics')[1].splitlines() if line.startswith('podwatch_wakeups_total{cause="memory"}')]
        return float(found[0].split()[1]) if found else 0
    def anonymous():
        with open(f'/proc/{state.podwatch.pid}/smaps_rollup') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('Anonymous:'))
    names = [f'crowd{i}' for i in range(4)]
    for name in names:
        note = {'annotations': {'note': 'n' * 50000}}  # something to give back
        state.host.write(f'/etc/kubernetes/manifests/{name}.yaml', pod(name, metadata=note, terminationGracePeriodSeconds=0, hostNetwork=True))
    state.podwatch.wait_ready(*[f'default/{n}-node1' for n in names], timeout=120)
    before = trims()
    for name in names:
        state.host.output('rm', f'/etc/kubernetes/manifests/{name}.yaml')
    wait_for(lambda: not any('crowd' in key for key in state.podwatch.pods()), 60, 'the end of the pods')
    held = anonymous()
    wait_for(lambda: trims() == before + 1, 30, 'memory to be given back')
    # A sanitizer's allocator keeps what is free.
    assert sanitized() or anonymous() < held, (held, anonymous())
    hold(lambda: trims() == before + 1, 11, 'no more of it', 1)


def test_nothing_piles_up(state):
    counts = {}
    for c in state.host.docker.containers(label='io.kubernetes.pod.uid'):
        key = (c['Labels']['io.kubernetes.pod.name'], c['Labels']['io.kubernetes.container.name'])
        counts[key] = counts.get(key, 0) + 1
    # One that runs and the one before it, for its logs.
    assert all(n <= 2 for n in counts.values()), counts


def test_journal_of_all_this_replays_to_the_same_decisions(state):
    said = state.podwatch.command('replay', JOURNAL).stdout
    counts = re.fullmatch(r'(\d+) records of (\d+) runs: (\d+) changes, (\d+) steps, (\d+) actions; all decisions are the same\n', said)
    assert counts, said
    records, runs, changes, steps, actions = map(int, counts.groups())
    assert runs == min(state.runs, SEGMENTS), (said, state.runs)
    assert records >= changes + steps and changes > 0 and steps > 0 and actions > 0, said
    print(f'# {said.strip()}')


def checksum(text):
    """FNV-1a, 32 bits, as it stands before each record."""
    value = 0x811c9dc5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xffffffff
    return f'{value:08x}'


def test_altered_decision_does_not_replay(state):
    """One step of a copy says that one action more was decided, and its checksum fits: that is a difference, not a torn record."""
    state.host.output('cp', '-r', JOURNAL, '/var/lib/podwatch/altered')
    newest = state.host.path(f'/var/lib/podwatch/altered/{state.runs:08}.journal')
    with open(newest) as f:
        lines = f.read().splitlines()
    at = next(i for i, line in enumerate(lines) if json.loads(line[9:]).get('step') == [])
    text = lines[at][9:].replace('"step":[]', '"step":[{"do":"activate","container":-1}]')
    assert lines[at][:8] == checksum(lines[at][9:]) and text != lines[at][9:], lines[at]
    lines[at] = f'{checksum(text)} {text}'
    with open(newest, 'w') as f:
        f.write('\n'.join(lines) + '\n')
    result = state.podwatch.command('replay', '/var/lib/podwatch/altered', check=False)
    assert result.returncode == 1 and 'step differs' in result.stdout and 'decisions differ' in result.stdout, result
    assert f'recorded: {text}' in result.stdout, result.stdout[-3000:]


def teardown(state):
    state.host.close()
