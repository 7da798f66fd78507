# SPDX-License-Identifier: Apache-2.0
"""What must hold after a soak, judged by Docker, the kernel and the file system and never by podwatch's own word.

Each function gives a list of faults in words; an empty one is what is wanted.
"""
import datetime
import os
import re

from docker_api import DockerError

POD_DIRECTORIES = ['/var/lib/kubelet/pods', '/var/log/pods', '/var/log/containers']
STATE = '/var/lib/podwatch'
VERSION = 'SOAK_VERSION'
# Programs that belong to no container: the host's own, Docker's, podwatch with what it runs, and what entered the host.
OWN_PROGRAMS = {'dockerd', 'containerd', 'podwatch', 'sleep', 'sh', 'nsenter'}


def labels(container):
    return container.get('Labels') or {}


def identity(of):
    """(NAMESPACE/POD, container) of the labels of a container or of the attributes of an event; None for what is no pod's."""
    if 'io.kubernetes.pod.uid' not in of:
        return None
    return f"{of['io.kubernetes.pod.namespace']}/{of['io.kubernetes.pod.name']}", of['io.kubernetes.container.name']


def pod_containers(docker):
    return [c for c in docker.containers() if identity(labels(c))]


def expected_running(wanted):
    """(pod, container) to version of all that must run; wanted: pod to {container: version, or None where it must not stay up}."""
    running = {}
    for pod, containers in wanted.items():
        running[pod, 'POD'] = None
        running.update({(pod, name): version for name, version in containers.items() if version is not None})
    return running


def version_of(docker, container):
    for entry in docker.inspect(container)['Config']['Env'] or []:
        name, _, value = entry.partition('=')
        if name == VERSION:
            return value
    return None


def not_as_wanted(docker, wanted):
    """Where the containers are not exactly those of the directory, each in the version written last."""
    expected, faults, running, dead = expected_running(wanted), [], {}, {}
    for c in pod_containers(docker):
        key = identity(labels(c))
        (running if c['State'] == 'running' else dead).setdefault(key, []).append(c['Id'])
        if key[0] not in wanted:
            faults.append(f"{c['Names'][0]} ({c['State']}): nothing wants it")
    for key, version in expected.items():
        ids = running.get(key, [])
        if len(ids) != 1:
            faults.append(f'{key}: {len(ids)} run')
        elif version is not None and version_of(docker, ids[0]) != version:
            faults.append(f'{key}: version {version_of(docker, ids[0])} runs, {version} is wanted')
    crashing = {(pod, name) for pod, names in wanted.items() for name, version in names.items() if version is None}
    faults += [f'{key}: runs and is not wanted' for key in running if key not in expected and key not in crashing]
    # The run before is kept for its log. One that crashes has two that ended: the last run and the one before it.
    faults += [f'{key}: {len(ids)} dead ones are kept' for key, ids in dead.items() if len(ids) > 1 + (key not in running)]
    return faults


def finished_at(docker, container):
    """When a container ended by its own record, in nanoseconds; None while it runs. OSError and DockerError pass."""
    state = docker.inspect(container)['State']
    if state['Running'] or state['FinishedAt'].startswith('0001'):
        return None
    text, _, fraction = state['FinishedAt'].rstrip('Z').partition('.')
    whole = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(whole.timestamp()) * 10**9 + int((fraction or '0').ljust(9, '0')[:9])


class Ends:
    """When containers ended by their own record.

    What dies while dockerd is away has no event, and on a busy machine the event of an end comes seconds after it.
    """

    def __init__(self, docker):
        self.docker = docker
        self.known = {}

    def look(self):
        """Call soon after dockerd was started, and more often than containers are replaced."""
        for c in pod_containers(self.docker):
            if c['State'] == 'exited' and c['Id'] not in self.known:
                try:
                    self.known[c['Id']] = finished_at(self.docker, c['Id'])
                except DockerError as e:
                    if e.status != 404:  # removed since
                        raise


def two_at_once(events, ends):
    """Where a container was started while another incarnation of its pod and name still ran.

    events: of containers, as EventRecorder keeps them. ends: container id to nanoseconds, beside the events.
    """
    alive, faults = {}, []  # pod -> {id: (container, uid, name)}
    for e in sorted(events, key=lambda e: e['timeNano']):
        attributes, container = e['Actor']['Attributes'], e['Actor']['ID']
        key = identity(attributes)
        if key is None:
            continue
        pod, name = key
        others = alive.setdefault(pod, {})
        if e['Action'] in ('die', 'destroy'):
            others.pop(container, None)
        elif e['Action'] == 'start':
            for other, (other_name, uid, full) in list(others.items()):
                if ends.get(other) is not None and ends[other] <= e['timeNano']:
                    others.pop(other)
                elif other_name == name and other != container:
                    faults.append(f"{attributes['name']} started while {full} ran")
                elif 'POD' not in (name, other_name) and uid != attributes['io.kubernetes.pod.uid']:
                    faults.append(f"{attributes['name']} of a new incarnation started while {full} of the old one ran")
            others[container] = (name, attributes['io.kubernetes.pod.uid'], attributes['name'])
    return faults


def files_below(host, directory):
    top = host.path(directory)
    return [os.path.join(at, name)[len(top) + 1:] for at, directories, names in os.walk(top) for name in directories + names]


def pod_cgroups(host):
    """Control groups of pods that are there, in every hierarchy."""
    return [path for path in host.cgroups.below() if re.search(r'/kubepods(/.*)?/pod[^/]+$', path)]


def programs(host):
    """Names of the processes of the host that are not its own."""
    found = []
    for pid in host.cgroups.pids():
        try:
            with open(f'/proc/{pid}/comm') as f:
                name = f.read().strip()
        except OSError:
            continue
        if name not in OWN_PROGRAMS:
            found.append(f'{name} ({pid})')
    return found


def network_ends(host):
    """Docker's networks and the ends of them that containers had."""
    names = sorted(n['Name'] for n in host.docker.request('GET', '/networks'))
    attached = host.docker.request('GET', '/networks/bridge')['Containers']
    links = host.output('ip', '-brief', 'link', 'show', 'type', 'veth').split('\n')
    return names, sorted(attached), [link.split()[0] for link in links if link]


def left_behind(host):
    """What is still there of pods although no manifest is: to be asked once podwatch had time."""
    faults = [f"container {c['Names'][0]} ({c['State']})" for c in pod_containers(host.docker)]
    names, attached, links = network_ends(host)
    faults += [f'network {n}' for n in names if n not in ('bridge', 'host', 'none')]
    faults += [f'container {c} on the bridge' for c in attached] + [f'link {name}' for name in links]
    for directory in POD_DIRECTORIES:
        faults += [f'{directory}/{name}' for name in files_below(host, directory)]
    faults += [f'control group {path}' for path in pod_cgroups(host)]
    mounts = [line.split(' ')[4] for line in host.read('/proc/self/mountinfo').splitlines()]
    faults += [f'mount {m}' for m in mounts if m.startswith('/var/lib/kubelet/pods/') or m.startswith('/run/docker/netns/')
               and m != '/run/docker/netns/default']
    faults += [f'process {name}' for name in programs(host)]
    return faults + unfinished_files(host)


def unfinished_files(host):
    """Files of podwatch's own that a write left half-way. Versions of pods are named by number, the rest by words."""
    return [f'{STATE}/{name}' for name in files_below(host, STATE)
            if re.search(r'(^|/)\.|\.(tmp|new)|~$', name)]


def descriptors(pid):
    """What a process has open, as a count of each kind: sockets and pipes without their numbers, files without those in their names."""
    kinds = {}
    for fd in os.listdir(f'/proc/{pid}/fd'):
        try:
            kind = re.sub(r':\[\d+\]$|\d+', '', os.readlink(f'/proc/{pid}/fd/{fd}'))
        except OSError:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def children(pid):
    with open(f'/proc/{pid}/task/{pid}/children') as f:
        return f.read().split()


def memory(pid):
    """Anonymous and resident KiB of a process."""
    with open(f'/proc/{pid}/smaps_rollup') as f:
        rows = {line.split(':')[0]: line.split()[1] for line in f if line.endswith('kB\n')}
    return int(rows['Anonymous']), int(rows['Rss'])


def size_of(host, directory):
    """Bytes of the files below a directory."""
    total, top = 0, host.path(directory)
    for name in files_below(host, directory):
        try:
            total += os.lstat(f'{top}/{name}').st_size
        except OSError:
            continue
    return total
