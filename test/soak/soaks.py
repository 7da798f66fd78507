# SPDX-License-Identifier: Apache-2.0
"""Five ways to treat podwatch badly for a long time, on real Docker; audit.py says what must hold afterwards.

Each soak is a function of (Bed, lengths). LENGTHS has the full ones, run by hand (test/soak/run), and the short ones of the suite
(test/integration/test_soak.py). What happens is drawn from a seed; Docker's timing is not, so a seed gives the same treatment and
not the same interleaving.
"""
import ctypes
import os
import random
import signal
import struct
import time

import audit
from harness import DockerError, Host, Podwatch, pod, wait_for

MANIFESTS = '/etc/kubernetes/manifests'
IMAGE = 'localhost/busybox:1'
SETTLE = 120  # the longest wait for a state that must come; a loaded machine needs some of it

# Idle connections to Docker that podwatch keeps for the next calls (lib/docker/docker_http.c).
KEPT_CONNECTIONS = 16

# Anonymous memory that podwatch may keep when all pods have gone and the heap was given back, above what it had after its first pod: what
# is fragmented, and the indexes of what it looks up. A pod that runs costs some 40 KiB (docs/TESTING.md).
KEPT_KIB = 1536
KEPT_KIB_A_POD = 20

# What each soak is asked for: full, then short.
LENGTHS = {
    'kills': ({'kills': 200, 'pods': 12}, {'kills': 15, 'pods': 6}),
    'dockerd': ({'restarts': 20, 'pods': 10}, {'restarts': 2, 'pods': 4}),
    'overflow': ({'rounds': 20, 'pods': 10}, {'rounds': 2, 'pods': 4}),
    'disk': ({'rounds': 10, 'pods': 8}, {'rounds': 1, 'pods': 3}),
    'crowd': ({'pods': 110, 'crashing': 30, 'seconds': 600}, {'pods': 12, 'crashing': 4, 'seconds': 25}),
}


def sleeper(seconds='1000000'):
    return ['sleep', seconds]


STUBBORN = ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done']


def container(name, version, command=None, **more):
    return {'name': name, 'image': IMAGE, 'command': command or sleeper(), 'env': [{'name': audit.VERSION, 'value': version}], **more}


def manifest(name, kind, version):
    """A pod of one of the kinds, and what must run of it: container to version, None where it does not stay up."""
    main = container('main', version)
    spec = {'terminationGracePeriodSeconds': 1}
    keep = {'main': version}
    if kind == 'bridge':
        spec['containers'] = [main, container('second', version)]
        keep['second'] = version
    elif kind == 'volumes':
        mount = {'volumeMounts': [{'name': 'memory', 'mountPath': '/memory'}, {'name': 'disk', 'mountPath': '/disk'}]}
        spec |= {'hostNetwork': True, 'volumes': [{'name': 'memory', 'emptyDir': {'medium': 'Memory', 'sizeLimit': '1Mi'}},
                                                  {'name': 'disk', 'emptyDir': {}}],
                 'initContainers': [container('prepare', version, ['sh', '-c', 'date > /disk/made'], **mount),
                                    container('sidecar', version, restartPolicy='Always', **mount)],
                 'containers': [{**main, **mount}]}
        keep['sidecar'] = version
    elif kind == 'hooked':
        spec |= {'hostNetwork': True, 'terminationGracePeriodSeconds': 3,
                 'containers': [{**main, 'lifecycle': {'preStop': {'exec': {'command': ['sleep', '0.3']}}}}]}
    elif kind == 'stubborn':
        spec |= {'hostNetwork': True, 'containers': [container('main', version, STUBBORN)]}
    elif kind == 'crashing':
        spec |= {'hostNetwork': True, 'containers': [container('main', version, ['false'])]}
        keep['main'] = None
    elif kind == 'probed':
        # Long enough for a machine with other work: an exec that takes longer fails the probe, and that ends the container.
        probe = {'exec': {'command': ['true']}, 'periodSeconds': 2, 'timeoutSeconds': 60, 'failureThreshold': 5}
        spec |= {'hostNetwork': True, 'containers': [{**main, 'readinessProbe': probe, 'livenessProbe': probe}]}
    else:
        spec |= {'hostNetwork': True, 'containers': [main]}
    return pod(name, **spec), keep


KINDS = ['plain', 'bridge', 'volumes', 'hooked', 'stubborn', 'crashing', 'probed']


class Bed:
    """A host with podwatch, the pods that are wanted on it, and what was seen of them."""

    def __init__(self, label, seed):
        self.random = random.Random(seed)
        self.seed = seed
        self.host = Host(f'soak-{label}')
        self.docker = self.host.docker
        self.docker.make_busybox(IMAGE)
        self.events = self.host.record_events(type=['container'])
        self.ends = audit.Ends(self.docker)
        self.host.write(f'{MANIFESTS}/.keep', '')
        self.wanted, self.kinds, self.version, self.most_pods = {}, {}, 0, 0
        self.figures = {'seed': seed}
        self.podwatch = Podwatch(self.host).start()
        # The pause image and what is set up once belong to no soak.
        self.put('first', 'bridge')
        self.settle()
        self.drop('first')
        self.empty()
        self.base_memory = audit.memory(self.podwatch.pid)
        self.base_descriptors = wait_for(lambda: audit.descriptors(self.podwatch.pid), 5, 'the descriptors')

    # The directory

    def put(self, name, kind=None):
        """Writes a pod, or a new version of it."""
        self.version += 1
        self.kinds[name] = kind or self.kinds.get(name) or self.random.choice(KINDS)
        text, keep = manifest(name, self.kinds[name], str(self.version))
        self.wanted[f'default/{name}-node1'] = keep
        self.most_pods = max(self.most_pods, len(self.wanted))
        self.host.write(f'{MANIFESTS}/{name}.yaml', text)

    def drop(self, name):
        os.unlink(self.host.path(f'{MANIFESTS}/{name}.yaml'))
        del self.wanted[f'default/{name}-node1']
        del self.kinds[name]

    def change(self, names):
        """One change of the directory, or one death."""
        name = self.random.choice(names)
        if name not in self.kinds:
            self.put(name)
            return 'create'
        what = self.random.choice(['edit', 'edit', 'remove', 'kill'])
        if what == 'edit':
            self.put(name, self.random.choice([None, None, *KINDS]))
        elif what == 'remove':
            self.drop(name)
        else:
            self.kill_one_of(name)
        return what

    def kill_one_of(self, name):
        """kill -9 of a process of the pod's, sandbox or container."""
        try:
            found = self.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')
            if found:
                pid = self.docker.inspect(self.random.choice(found)['Id'])['State']['Pid']
                if pid > 1:
                    os.kill(pid, signal.SIGKILL)
        except (DockerError, OSError):
            pass  # it ended by itself, or Docker is away

    # What must come true

    def settle(self, timeout=SETTLE):
        """Wait until the containers are exactly those of the directory."""
        def settled():
            faults = audit.not_as_wanted(self.docker, self.wanted)
            if faults:
                raise AssertionError('; '.join(faults[:8]))
            return True
        wait_for(settled, timeout, f'exactly the containers of the directory (seed {self.seed})', 0.2)

    def empty(self, timeout=SETTLE):
        """Wait until nothing is left of any pod."""
        def gone():
            faults = audit.left_behind(self.host)
            if faults:
                raise AssertionError('; '.join(faults[:8]))
            return True
        wait_for(gone, timeout, f'nothing to be left of the pods (seed {self.seed})', 0.2)

    def never_two(self):
        faults = audit.two_at_once(list(self.events.list), self.ends.known)
        assert not faults, f'seed {self.seed}: ' + '; '.join(faults[:5])

    def no_leak_in_podwatch(self):
        """The process holds no more than when it had no pod for the first time. Its heap may be larger, but not by pods times rounds: what
        it keeps goes by the pods that there were at once."""
        pid = self.podwatch.pid

        def as_before():
            allowed = {**self.base_descriptors, 'socket': self.base_descriptors.get('socket', 0) + KEPT_CONNECTIONS}
            more = {kind: n for kind, n in audit.descriptors(pid).items() if n > allowed.get(kind, 0)}
            if more or audit.children(pid):
                raise AssertionError(f'more descriptors than at first: {more}, children: {audit.children(pid)}')
            return True
        wait_for(as_before, SETTLE, 'descriptors as at first', 0.5)
        most = self.base_memory[0] + KEPT_KIB + KEPT_KIB_A_POD * self.most_pods

        def given_back():
            anonymous, _ = audit.memory(pid)
            if anonymous > most:
                raise AssertionError(f'{anonymous} KiB of anonymous memory, {most} are allowed')
            return True
        wait_for(given_back, SETTLE, 'memory to be given back', 0.5)
        anonymous, resident = audit.memory(pid)
        self.figures |= {'descriptors': sum(audit.descriptors(pid).values()), 'anonymous KiB before': self.base_memory[0],
                         'anonymous KiB after': anonymous, 'resident KiB after': resident, 'events': len(self.events.list),
                         'state KiB': audit.size_of(self.host, audit.STATE) // 1024}

    def end(self):
        """What holds after every soak: settled, no two at once, and without manifests nothing is left."""
        self.settle()
        self.never_two()
        for name in list(self.kinds):
            self.drop(name)
        self.empty()
        self.never_two()
        self.no_leak_in_podwatch()
        assert self.podwatch.stop() == 0
        return self.figures


def soak_kills(bed, kills, pods):
    """kill -9 of podwatch, again and again, while pods are created, edited, removed and killed."""
    names, counts = [f'k{i}' for i in range(pods)], {}
    for _ in range(kills):
        for _ in range(bed.random.randint(1, 3)):
            what = bed.change(names)
            counts[what] = counts.get(what, 0) + 1
            time.sleep(bed.random.choice([0, 0.01, 0.1, 0.3]))
        time.sleep(bed.random.choice([0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6]))
        assert bed.podwatch.alive(), f'podwatch ended by itself: {bed.podwatch.last_words()}'
        bed.podwatch.kill9()
        bed.podwatch.start(wait=bed.random.random() < 0.7, timeout=30)
    bed.figures |= {'kills': kills, **counts}
    bed.podwatch.wait(30)
    return bed.end()


def soak_dockerd(bed, restarts, pods):
    """dockerd killed or stopped and started again under live-restore, with changes and deaths before, while and after it is away."""
    names = [f'd{i}' for i in range(pods)]
    for name, kind in zip(names, KINDS * pods):
        bed.put(name, kind)
    bed.settle()
    for i in range(restarts):
        untouched = {c['Id']: bed.docker.inspect(c['Id'])['State']['Pid'] for c in audit.pod_containers(bed.docker) if c['State'] == 'running'}
        quiet = i % 4 == 3  # nothing else happens: then nothing may be restarted
        if not quiet:
            bed.change(names)
        (bed.host.docker_kill if i % 2 == 0 else bed.host.docker_stop)()
        if not quiet:
            for _ in range(2):
                bed.change(names)
                time.sleep(bed.random.choice([0, 0.2, 1]))
        bed.host.docker_start(timeout=SETTLE)
        bed.ends.look()
        bed.settle()
        if quiet:
            crashing = [pod for pod, keep in bed.wanted.items() if None in keep.values()]
            now = {c['Id'] for c in audit.pod_containers(bed.docker) if c['State'] == 'running'}
            lost = [c for c in untouched if c not in now and not _is_of(bed.docker, c, crashing)]
            assert not lost, f'restart {i} of dockerd ended {lost}'
    bed.figures |= {'restarts': restarts}
    return bed.end()


def _is_of(docker, container, pods):
    try:
        key = audit.identity(docker.inspect(container)['Config']['Labels'])
    except DockerError:
        return False
    return key is not None and key[0] in pods


class Watcher:
    """An inotify descriptor of our own on the same directory, never read: it overflows where podwatch's does."""

    CREATE, DELETE, OVERFLOW = 0x100, 0x200, 0x4000

    def __init__(self, path):
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0 or libc.inotify_add_watch(self.fd, path.encode(), self.CREATE | self.DELETE) < 0:
            raise OSError(ctypes.get_errno(), f'inotify on {path}')

    def overflowed(self):
        """Read everything; gives whether events were lost."""
        lost = False
        while True:
            try:
                data = os.read(self.fd, 1 << 20)
            except BlockingIOError:
                return lost
            at = 0
            while at < len(data):
                _, mask, _, size = struct.unpack_from('iIII', data, at)
                lost = lost or bool(mask & self.OVERFLOW)
                at += 16 + size

    def close(self):
        os.close(self.fd)


def soak_overflow(bed, rounds, pods):
    """More events in the manifest directory than the kernel queues, with real changes behind them that no event tells of.

    podwatch is stopped meanwhile (SIGSTOP), so that the queue overflows whatever its size; the limit of the machine stays as it is.
    """
    with open('/proc/sys/fs/inotify/max_queued_events') as f:
        room = int(f.read())
    names, directory = [f'o{i}' for i in range(pods)], bed.host.path(MANIFESTS)
    for name in names:
        bed.put(name)
    bed.settle()
    for _ in range(rounds):
        watcher = Watcher(directory)
        os.kill(bed.podwatch.pid, signal.SIGSTOP)
        try:
            # A file made and removed is at least two events, and no two in a row are equal (equal ones are merged).
            for _ in range(room // 2 + 100):
                os.close(os.open(f'{directory}/.burst', os.O_CREAT | os.O_WRONLY, 0o600))
                os.unlink(f'{directory}/.burst')
            for _ in range(max(3, pods // 2)):
                bed.change(names)
            assert watcher.overflowed(), f'{room} events fill the queue, and it has not overflowed'
        finally:
            os.kill(bed.podwatch.pid, signal.SIGCONT)
            watcher.close()
        bed.settle()
    bed.figures |= {'overflows': rounds, 'events queued': room}
    return bed.end()


def fill(path):
    """Fill a file system to the last byte; gives the file that does it."""
    name = f'{path}/.filler'
    with open(name, 'wb', buffering=0) as f:
        for size in (1 << 16, 1 << 12, 1):
            try:
                while True:
                    f.write(b'\0' * size)
            except OSError:
                continue
    return name


def soak_disk(bed, rounds, pods):
    """The disks of podwatch's state and of the pods' volumes full to the last byte, with changes, deaths and kill -9 meanwhile."""
    names = [f'f{i}' for i in range(pods)]
    assert bed.podwatch.stop() == 0
    for directory, size in (('/var/lib/podwatch', '24m'), ('/var/lib/kubelet', '4m')):
        bed.host.output('mount', '-t', 'tmpfs', '-o', f'size={size},mode=755', 'tmpfs', directory)
    bed.podwatch.start()
    for i, name in enumerate(names):
        bed.put(name, KINDS[i % len(KINDS)])
    bed.settle()
    steady = [name for name in names if bed.kinds[name] != 'crashing'][:1]
    for _ in range(rounds):
        before = running_of(bed, steady[0])
        said = len(bed.podwatch.log_text())
        fillers = [fill(bed.host.path(d)) for d in ('/var/lib/podwatch', '/var/lib/kubelet')]
        for _ in range(max(2, pods // 2)):
            bed.change([n for n in names if n not in steady])
            time.sleep(0.3)
        wait_for(lambda: 'No space left on device' in bed.podwatch.log_text()[said:], SETTLE, 'podwatch to say that the disk is full')
        bed.podwatch.kill9()
        bed.podwatch.start(timeout=30)
        time.sleep(2)
        assert running_of(bed, steady[0]) == before, 'a pod that nobody changed was touched'
        for filler in fillers:
            os.unlink(filler)
        bed.settle()
        assert running_of(bed, steady[0]) == before, 'a pod that nobody changed was touched'
    bed.figures |= {'full disks': rounds}
    return bed.end()


def running_of(bed, name):
    return {c['Id'] for c in bed.docker.containers(all=False, label=f'io.kubernetes.pod.name={name}-node1')}


def soak_crowd(bed, pods, crashing, seconds):
    """Many pods, some of which end as soon as they start."""
    steady = [f's{i}' for i in range(pods - crashing)]
    for i, name in enumerate(steady):
        bed.put(name, ['plain', 'plain', 'probed', 'plain', 'bridge', 'volumes'][i % 6])
    for i in range(crashing):
        bed.put(f'c{i}', 'crashing')
    bed.settle(SETTLE * 2)
    before = {name: running_of(bed, name) for name in steady}
    samples, begin = [], time.monotonic()
    while time.monotonic() - begin < seconds:
        time.sleep(5)
        bed.ends.look()
        anonymous, resident = audit.memory(bed.podwatch.pid)
        samples.append((round(time.monotonic() - begin), anonymous, resident, sum(audit.descriptors(bed.podwatch.pid).values())))
    bed.settle()
    after = {name: running_of(bed, name) for name in steady}
    touched = [name for name in steady if before[name] != after[name]]
    assert not touched, f'pods that did not crash were touched: {touched}'
    too_soon, checked = backoffs_too_short(bed.events.list, bed.ends.known)
    assert not too_soon, '; '.join(too_soon[:5])
    assert checked >= crashing, f'only {checked} restarts could be judged'
    early, late = samples[len(samples) // 3], samples[-1]
    bed.figures |= {'pods': pods, 'crashing': crashing, 'seconds': seconds, 'crashes': len(bed.events.find('die', 'k8s_main_c')),
                    'backoffs judged': checked,
                    'anonymous KiB, first third': early[1], 'anonymous KiB, end': late[1], 'descriptors, first third': early[3],
                    'descriptors, end': late[3]}
    assert late[1] <= early[1] * 1.25 + 1024, f'memory grows: {samples}'
    return bed.end()


def backoffs_too_short(events, ends):
    """Restarts of crashing containers before their time (at once, then 10, 20, ... 300 s after the end of the last run), and how many
    restarts were judged: those of which the end of the last run is known.
    """
    faults, checked, last = [], 0, {}
    for e in sorted(events, key=lambda e: e['timeNano']):
        name = e['Actor']['Attributes'].get('name', '')
        if not name.startswith('k8s_main_c') or e['Action'] != 'start':
            continue
        key, _, attempt = name.rpartition('_')
        before = ends.get(last.get(key))
        last[key] = e['Actor']['ID']
        if int(attempt) >= 2 and before is not None:
            waited, least = (e['timeNano'] - before) / 1e9, min(300, 10 * 2 ** (int(attempt) - 2))
            checked += 1
            if waited < least:
                faults.append(f'{name} came {waited:.2f} s after the last run ended, {least} s are due')
    return faults, checked


SOAKS = {'kills': soak_kills, 'dockerd': soak_dockerd, 'overflow': soak_overflow, 'disk': soak_disk, 'crowd': soak_crowd}


def run(name, lengths, seed):
    """One soak on a host of its own; gives its figures. AssertionError where something does not hold."""
    bed = Bed(name, seed)
    begin = time.monotonic()
    try:
        figures = SOAKS[name](bed, **lengths)
        return {**figures, 'took s': round(time.monotonic() - begin)}
    except BaseException:
        if os.environ.get('PWT_ARTEFACTS'):
            bed.host.artefacts(os.path.join(os.environ['PWT_ARTEFACTS'], f'soak.{name}'))
        raise
    finally:
        bed.host.close()
